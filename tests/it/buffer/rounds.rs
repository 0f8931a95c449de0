//! Rounds of load with two instances, during which PostgreSQL is away and the buffer has a fault of its own: nothing that was acknowledged is
//! lost, nothing is stored twice, every alert is raised once and in time.
//!
//! `BUFFER_ROUNDS` and `BUFFER_SEED` say how many and which; `tests/soak buffer` runs many.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use tokio::time::sleep;

use super::uploads_in;
use crate::faults::crew::Crew;
use crate::faults::load::{Load, Terms};
use crate::faults::receiver;
use crate::faults::rounds::Rounds;
use crate::faults::verdict::{self, Count, Sum};
use crate::harness::{Database, Proxy, RedisServer, eventually};

const INSTANCES: usize = 2;

/// What goes wrong while PostgreSQL is away, or while what was buffered is drained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fault {
    /// The Redis of the buffer crashes, and starts from its file.
    RedisCrashes,
    /// Its master is killed, and the replica takes its place; another replica is there later.
    RedisFailsOver,
    /// Its memory is used up.
    BufferFull,
    /// PostgreSQL is back, and an instance is killed while it drains.
    InstanceKilled,
}

impl Fault {
    const ALL: [Self; 4] = [Self::RedisCrashes, Self::RedisFailsOver, Self::BufferFull, Self::InstanceKilled];

    /// So many, each as often as any other, in a random order.
    fn choose(rounds: usize, random: &mut StdRng) -> Vec<Self> {
        let mut chosen = Vec::new();
        while chosen.len() < rounds {
            let mut all = Self::ALL;
            all.shuffle(random);
            chosen.extend(all);
        }
        chosen.truncate(rounds);
        chosen
    }
}

/// A master with a replica, behind an address that stays when the replica takes its place.
struct BufferServers {
    master: RedisServer,
    replica: RedisServer,
    address: Proxy,
    url: String,
}

impl BufferServers {
    async fn bring_up() -> Option<Self> {
        let (master, replica) = (RedisServer::start_durable().await?, RedisServer::start_durable().await?);
        replica.follow(Some(&master)).await;
        let (address, url) = Proxy::before(&master.url()).await;
        Some(Self { master, replica, address, url })
    }

    /// Uploads in it.
    async fn uploads(&self) -> u64 {
        uploads_in(&mut self.master.connection().await).await
    }

    /// The replica takes the place of the master, which is gone.
    async fn fail_over(&mut self) {
        self.address.cut();
        self.master.kill().await;
        self.replica.follow(None).await;
        let next = RedisServer::start_durable().await.expect("it could be started before");
        self.master = std::mem::replace(&mut self.replica, next);
        self.address.redirect(&self.master.address());
        self.address.restore();
    }

    async fn set_max_memory(&self, bytes: &str) {
        let mut set = redis::cmd("CONFIG");
        set.arg("SET").arg("maxmemory").arg(bytes);
        set.exec_async(&mut self.master.connection().await).await.expect("set");
    }
}

/// Where the rounds are.
struct Site {
    database: Database,
    crew: Crew,
    servers: BufferServers,
}

impl Site {
    /// `None`: the servers of these tests start no further ones.
    async fn new() -> Option<Self> {
        let servers = BufferServers::bring_up().await?;
        let database = Database::new().await;
        let variables = [
            ("VITALS_BUFFER", "outage".to_owned()),
            ("VITALS_BUFFER_URL", servers.url.clone()),
            ("VITALS_BUFFER_COPIES", "2".to_owned()),
            ("VITALS_BUFFER_AFTER_MS", "300".to_owned()),
        ];
        let mut crew = Crew::create_with(&database, INSTANCES, &variables).await;
        for number in 0..INSTANCES {
            crew.start(number, &database).await;
        }
        Some(Self { database, crew, servers })
    }

    fn cut_database(&self) {
        self.crew.posts.iter().for_each(|post| post.database.cut());
    }

    fn restore_database(&self) {
        self.crew.posts.iter().for_each(|post| post.database.restore());
    }

    /// PostgreSQL is away, uploads wait, something else goes wrong, and all of it is over.
    async fn cause(&mut self, fault: Fault, random: &mut StdRng) {
        pause(random, 100..400).await;
        self.cut_database();
        eventually("uploads wait", || async { (self.servers.uploads().await > 20).then_some(()) }).await;
        match fault {
            Fault::RedisCrashes => self.servers.master.crash_and_recover().await,
            Fault::RedisFailsOver => {
                self.servers.fail_over().await;
                pause(random, 100..600).await;
                self.servers.replica.follow(Some(&self.servers.master)).await;
            }
            Fault::BufferFull => {
                self.servers.set_max_memory("1").await;
                pause(random, 100..600).await;
                self.servers.set_max_memory("0").await;
            }
            Fault::InstanceKilled => {
                self.restore_database();
                let number = random.random_range(0..INSTANCES);
                self.crew.end(number, "KILL").await.expect("killed");
                self.crew.start(number, &self.database).await;
            }
        }
        pause(random, 100..600).await;
        self.restore_database();
        pause(random, 100..400).await;
    }
}

async fn pause(random: &mut StdRng, milliseconds: std::ops::Range<u64>) {
    sleep(Duration::from_millis(random.random_range(milliseconds))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rounds_of_faults_of_the_buffer_lose_nothing_that_was_acknowledged() {
    let Some(mut site) = Site::new().await else { return };
    let mut rounds = Rounds::of("BUFFER", 2, 3);
    let faults =
        Fault::choose(usize::try_from(rounds.count).expect("few"), &mut StdRng::seed_from_u64(rounds.seed));
    let client = site.database.client().await;
    let (_receiver, received) = receiver::receive_alerts(&client, "127.0.0.1").await;
    let mut sum = Sum::default();
    // By kind of fault: rounds, and what they had to be held against.
    let mut whole: BTreeMap<Fault, (u64, Count)> = BTreeMap::new();
    for fault in faults {
        let Some(round) = rounds.begin_next() else { break };
        let round_seed = rounds.seed_of(round);
        let mut random = StdRng::seed_from_u64(round_seed);
        let prefix = format!("BUFFER{round}");
        let load = Load::begin(
            &site.crew.doors,
            Terms::default(),
            &prefix,
            Timestamp::now().as_second(),
            round_seed,
        );
        site.cause(fault, &mut random).await;
        let ledger = load.end().await;
        site.crew.check().expect("no task has ended");
        eventually("everything is drained", || async { (site.servers.uploads().await == 0).then_some(()) })
            .await;
        verdict::settled(&client).await;
        let redis = site.database.redis().await;
        let checked = verdict::check(&client, redis, &prefix, &ledger, &received, &mut sum, true).await;
        match checked {
            Ok(count) => {
                let (rounds_of_fault, count_of_fault) = whole.entry(fault).or_default();
                *rounds_of_fault += 1;
                count_of_fault.add(count);
                rounds.report(&format!("{fault:?}, {count:?}"));
            }
            Err(wrongs) => panic!(
                "BUFFER_SEED={} round {round}, {fault:?}: {} things are wrong:\n{}\nthe services logged last:\n{}\nbefore: {whole:?}",
                rounds.seed,
                wrongs.len(),
                wrongs.iter().take(20).cloned().collect::<Vec<_>>().join("\n"),
                site.crew.log_tail(60)
            ),
        }
    }
    for number in 0..INSTANCES {
        site.crew.end(number, "TERM").await.expect("ends in order");
    }
    for (fault, (rounds, count)) in whole {
        println!("{fault:?}: {rounds} rounds, {count}");
    }
    println!("verdict: {} rounds; none lost, none doubled", rounds.done());
}
