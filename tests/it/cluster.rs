//! A cluster of PostgreSQL, etcd, Redis and balancers with two instances, and random faults of its nodes: nothing that was
//! acknowledged is lost, nothing is stored twice, every alert is raised once, and is received under one number.

mod fault;
mod instances;
mod isolated_primary;

use std::collections::BTreeMap;
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
use crate::faults::verdict::{self, Count, Sum};
use crate::harness::{Cluster, Receiver, eventually};
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
    let (rounds, seed) = (number("CLUSTER_ROUNDS", 1), number("CLUSTER_SEED", 11));
    println!("CLUSTER_ROUNDS={rounds} CLUSTER_SEED={seed}");
    let faults = Fault::draw(usize::try_from(rounds).expect("few"), &mut StdRng::seed_from_u64(seed));
    let mut driver = Driver::new(&cluster).await;
    for (fault, round) in faults.into_iter().zip(1_u64..) {
        let began = Instant::now();
        match driver.round(fault, round, seed.wrapping_add(round)).await {
            Ok(longest) => println!(
                "round {round}: {fault}, {:.1} s without an accepted upload; well after {:.1} s",
                longest.as_secs_f64(),
                began.elapsed().as_secs_f64()
            ),
            Err(wrongs) => panic!(
                "CLUSTER_SEED={seed} round {round}, {fault}: {} things are wrong:\n{}\n{:?}\n{}",
                wrongs.len(),
                wrongs.iter().take(20).cloned().collect::<Vec<_>>().join("\n"),
                cluster.nodes().await,
                driver.instances.log_tail(&cluster)
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
    whole: Count,
    /// The longest time without an accepted upload, of each round, by kind of fault.
    gaps: BTreeMap<String, Vec<Duration>>,
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
            whole: Count::default(),
            gaps: BTreeMap::new(),
            _receiver: receiver,
        }
    }

    /// Load, a fault at a random moment, its end, and a verdict; gives the longest time without an accepted upload.
    async fn round(&mut self, fault: Fault, round: u64, seed: u64) -> Result<Duration, Vec<String>> {
        let (mut random, upload_log) = (StdRng::seed_from_u64(seed), Arc::new(UploadLog::default()));
        let terms = Terms {
            key: Some(self.instances.key.clone()),
            pauses_ms: PAUSES_MS,
            behind_balancer: true,
            upload_log: Arc::clone(&upload_log),
        };
        let prefix = format!("CLUSTER{seed:x}-{round}");
        let load = Load::begin(&self.doors, terms, &prefix, Timestamp::now().as_second(), seed);
        accepted_since(&upload_log, Instant::now()).await?;
        sleep(Duration::from_millis(random.random_range(0..500))).await;
        let from = Instant::now();
        let node = fault.inject(self.cluster, &mut random).await;
        println!("round {round}: {fault}, which is {node}");
        let over_at = Instant::now() + Duration::from_millis(random.random_range(0..LASTS_MS));
        accepted_since(&upload_log, Instant::now()).await?;
        tokio::time::sleep_until(over_at).await;
        self.cluster.run(&["up"]).await;
        self.instances.start_missing(self.cluster).await;
        accepted_since(&upload_log, Instant::now()).await?;
        let longest = upload_log.since(from).longest_gap;
        self.gaps.entry(fault.to_string()).or_default().push(longest);
        let ledger = load.end().await;
        let client = connect(&self.cluster.database_url).await;
        verdict::settled(&client).await;
        let (redis, received) = (self.redis.clone(), &self.received_alerts);
        let count = verdict::check(&client, redis, &prefix, &ledger, received, &mut self.sum, true).await?;
        self.whole.acknowledged += count.acknowledged;
        self.whole.refused += count.refused;
        self.whole.alerts += count.alerts;
        Ok(longest)
    }

    /// Stops the instances, and prints what all rounds were like.
    async fn end(self) {
        self.instances.stop(self.cluster).await;
        for (fault, mut times) in self.gaps {
            times.sort();
            let (usual, longest) = (times[times.len() / 2], times[times.len() - 1]);
            println!(
                "{fault}: {} times, usually {usual:.1?}, at most {longest:.1?} without an accepted upload",
                times.len()
            );
        }
        let Count { acknowledged, refused, alerts } = self.whole;
        println!(
            "verdict: {acknowledged} records acknowledged, {refused} uploads refused or not answered meanwhile, {alerts} alerts; \
             none lost, none doubled, each received under one number"
        );
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

fn number(name: &str, default: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name} is not a number: {text}")),
        Err(_) => default,
    }
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
