//! A cluster of PostgreSQL, etcd, Redis and balancers with two instances, and random faults of its nodes: nothing that was
//! acknowledged is lost, nothing is stored twice, every alert is raised once, and is received under one number.

mod account;
mod failed_start;
mod fault;
mod instances;
mod isolated_primary;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use redis::cluster::ClusterClient;
use redis::cluster_async::ClusterConnection;
use tokio::time::{Instant, sleep};
use tokio_postgres::{Client, NoTls};
use vitals_fleet::UploadLog;

use crate::faults::load::{Doors, Load, Terms};
use crate::faults::receiver::{self, ReceivedAlerts};
use crate::faults::rounds::{Rounds, number};
use crate::faults::verdict::{self, Count, Sum};
use crate::harness::{Cluster, Receiver, eventually};
use account::Account;
use fault::Fault;
use instances::Instances;

/// A lease ends, a standby is promoted, connections that hang are given up: longer than that nobody waits.
const ACCEPTED_AGAIN_WITHIN: Duration = Duration::from_secs(90);

/// How long a fault lasts at most if uploads are accepted in spite of it, milliseconds.
const LASTS_MS: u64 = 6_000;

/// Longest pauses of a watch: the machine has a cluster to run, too.
const PAUSES_MS: [u64; 2] = [300, 300];

#[tokio::test(flavor = "multi_thread")]
async fn rounds_of_random_faults_of_a_cluster_lose_nothing_and_double_nothing() {
    let Some(cluster) = Cluster::bring_up().await else { return };
    let (faults, seed) = (number("CLUSTER_FAULTS", 3), number("CLUSTER_SEED", 11));
    println!("CLUSTER_FAULTS={faults} CLUSTER_SEED={seed}");
    let drawn = Fault::draw(usize::try_from(faults).expect("few"), &mut StdRng::seed_from_u64(seed));
    let mut rounds = Rounds::new(drawn.len() as u64, seed);
    let mut driver = Driver::new(&cluster).await;
    // No other round is sure to draw it: a program that is the first one of its sandbox ends by a signal only if it handles it.
    for balancer in ["haproxy", "nginx"] {
        cluster.run(&["stop", balancer]).await;
        cluster.run(&["start", balancer]).await;
    }
    for faults in drawn {
        let Some(round) = rounds.begin_next() else { break };
        let names = faults.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        match driver.round(&faults, round, rounds.seed_of(round)).await {
            Ok(text) => rounds.report(&text),
            Err(wrongs) => panic!(
                "CLUSTER_SEED={seed} round {round}, {names}: {} things are wrong:\n{}\n{:?}\n{}\nbefore:\n{}",
                wrongs.len(),
                wrongs.iter().take(20).cloned().collect::<Vec<_>>().join("\n"),
                cluster.nodes().await,
                driver.instances.log_tail(&cluster),
                driver.account
            ),
        }
    }
    driver.end().await;
}

struct Driver<'a> {
    cluster: &'a Cluster,
    instances: Instances,
    doors: Doors,
    redis: ClusterConnection,
    received_alerts: ReceivedAlerts,
    sum: Sum,
    account: Account,
    _receiver: Receiver,
}

impl<'a> Driver<'a> {
    async fn new(cluster: &'a Cluster) -> Self {
        let variables = [
            ("VITALS_NOTIFY_WEBHOOK_ALLOW_PRIVATE", "true"),
            // What an instance had begun, the other one takes over so soon; and so soon it sees that Redis lacks something.
            ("VITALS_LEASE_SECONDS", "2"),
            ("VITALS_VIEW_CHECK_INTERVAL_MS", "500"),
        ];
        let instances = Instances::start(cluster, &variables).await;
        let (receiver, received_alerts) =
            receiver::receive_alerts(&connect(&cluster.database_url).await, &cluster.host()).await;
        let nodes = cluster.redis_url.trim_start_matches("redis://").trim_end_matches("/0");
        let nodes: Vec<String> = nodes.split(',').map(|node| format!("redis://{node}")).collect();
        let redis = ClusterClient::new(nodes).expect("addresses").get_async_connection().await;
        Self {
            cluster,
            instances,
            doors: Arc::new(Mutex::new(cluster.balancers.to_vec())),
            redis: redis.expect("the Redis Cluster answers"),
            received_alerts,
            sum: Sum::default(),
            account: Account::default(),
            _receiver: receiver,
        }
    }

    /// Load, faults at random moments, which are there together, their end, and a verdict; gives what to print of it.
    async fn round(&mut self, faults: &[Fault], round: u64, seed: u64) -> Result<String, Vec<String>> {
        let (mut random, upload_log) = (StdRng::seed_from_u64(seed), Arc::new(UploadLog::default()));
        let terms = Terms {
            key: Some(self.instances.key.clone()),
            pauses_ms: PAUSES_MS,
            behind_balancer: true,
            upload_log: Arc::clone(&upload_log),
        };
        let nodes = self.cluster.nodes().await;
        let prefix = format!("CLUSTER{seed:x}-{round}");
        let load = Load::begin(&self.doors, terms, &prefix, Timestamp::now().as_second(), seed);
        accepted_since(&upload_log, Instant::now()).await?;
        let mut moments = Vec::new();
        for fault in faults {
            sleep(Duration::from_millis(random.random_range(0..500))).await;
            let node = fault.choose_node(&nodes, &mut random);
            println!("round {round}: {fault}, which is {node}");
            moments.push(Instant::now());
            fault.inject(self.cluster, &node).await;
            accepted_since(&upload_log, Instant::now()).await?;
        }
        let over_at = Instant::now() + Duration::from_millis(random.random_range(0..LASTS_MS));
        tokio::time::sleep_until(over_at).await;
        let mending = Instant::now();
        self.mend(faults).await;
        accepted_since(&upload_log, Instant::now()).await?;
        let mended = upload_log.since(mending).longest_gap;
        let checking = Instant::now();
        let count = self.check(load, &prefix).await?;
        self.account.rounds += 1;
        self.account.whole.add(count);
        moments.push(mending);
        let mut text = String::new();
        for (fault, there) in faults.iter().zip(moments.windows(2)) {
            // What the end of the faults costs, each of them may have cost.
            let gap = upload_log.between(there[0], there[1]).longest_gap.max(mended);
            self.account.add(fault.to_string(), gap);
            text += &format!("{fault} {:.1} s, ", gap.as_secs_f64());
        }
        let (mending, checking) = (checking - mending, checking.elapsed());
        Ok(format!("{text}without an accepted upload; mended in {mending:.1?}, checked in {checking:.1?}"))
    }

    /// Everything runs, and the cluster is whole.
    async fn mend(&self, faults: &[Fault]) {
        self.cluster.run(&["up"]).await;
        if faults.iter().any(|fault| fault.ends_an_instance()) {
            self.instances.start_missing(self.cluster).await;
        }
    }

    async fn check(&mut self, load: Load, prefix: &str) -> Result<Count, Vec<String>> {
        let ledger = load.end().await;
        let client = connect(&self.cluster.database_url).await;
        verdict::settled(&client).await;
        let (redis, received) = (self.redis.clone(), &self.received_alerts);
        verdict::check(&client, redis, prefix, &ledger, received, &mut self.sum, true).await
    }

    /// Stops the instances, and prints what all rounds were like.
    async fn end(self) {
        self.instances.stop(self.cluster).await;
        println!("{}; none lost, none doubled, each alert received under one number", self.account);
        let acknowledged = self.account.whole.acknowledged;
        assert!(acknowledged > 100, "{acknowledged}");
    }
}

/// Waits until an upload is accepted after this moment.
async fn accepted_since(upload_log: &UploadLog, from: Instant) -> Result<(), Vec<String>> {
    while upload_log.newest().is_none_or(|at| at <= from) {
        if from.elapsed() > ACCEPTED_AGAIN_WITHIN {
            return Err(vec![format!("no upload is accepted for {ACCEPTED_AGAIN_WITHIN:?}")]);
        }
        sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}

/// A connection to a host that can be used; a host that is away may be the first one of the URL.
async fn connect(url: &str) -> Client {
    let mut config: tokio_postgres::Config = url.parse().expect("a URL");
    config.connect_timeout(Duration::from_secs(2));
    let (client, connection) =
        eventually("a host of PostgreSQL answers", || async { config.connect(NoTls).await.ok() }).await;
    tokio::spawn(connection);
    client
}
