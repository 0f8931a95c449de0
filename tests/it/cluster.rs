//! A cluster of PostgreSQL, etcd, Redis and balancers with two instances, and random faults of its nodes: nothing that was
//! acknowledged is lost, nothing is stored twice, every alert is raised once.

mod fault;
mod instances;
mod load;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tokio_postgres::{Client, NoTls};

use crate::faults::verdict;
use crate::harness::{Cluster, eventually_or_none};
use fault::Fault;
use instances::Instances;
use load::Load;

/// A lease ends, a standby is promoted, connections that hang are given up: longer than that nobody waits.
const ACCEPTED_AGAIN_WITHIN: Duration = Duration::from_secs(90);

/// Sessions of servers that were demoted end within this.
const SETTLES_WITHIN: u32 = 4;

#[tokio::test(flavor = "multi_thread")]
async fn rounds_of_random_faults_of_a_cluster_lose_nothing_and_double_nothing() {
    let Some(cluster) = Cluster::bring_up().await else { return };
    let (rounds, seed) = (number("CLUSTER_ROUNDS", 2), number("CLUSTER_SEED", 11));
    println!("CLUSTER_ROUNDS={rounds} CLUSTER_SEED={seed}");
    let mut instances = Instances::start(&cluster).await;
    let load = Load::begin(&cluster.balancers, &instances.key, seed);
    assert!(load.accepted_since(Instant::now(), ACCEPTED_AGAIN_WITHIN).await, "no upload is accepted");
    let mut away: BTreeMap<String, Vec<Duration>> = BTreeMap::new();
    for round in 1..=rounds {
        let mut random = StdRng::seed_from_u64(seed.wrapping_add(round));
        let fault = Fault::draw(&mut random, round);
        tokio::time::sleep(Duration::from_millis(random.random_range(0..500))).await;
        let from = Instant::now();
        let node = fault.inject(&cluster, &mut instances, &mut random).await;
        assert!(
            load.accepted_since(Instant::now(), ACCEPTED_AGAIN_WITHIN).await,
            "round {round}, {fault} of {node}: no upload accepted for {ACCEPTED_AGAIN_WITHIN:?}: {:?}; {}",
            cluster.nodes().await,
            instances.log_tail(),
        );
        instances.mend(&cluster).await;
        cluster.run(&["up"]).await;
        assert!(
            load.accepted_since(Instant::now(), ACCEPTED_AGAIN_WITHIN).await,
            "{fault} of {node} is mended"
        );
        let longest = load.longest_gap_since(from);
        println!(
            "round {round}: {fault} of {node}, {:.1} s without an accepted upload",
            longest.as_secs_f64()
        );
        away.entry(fault.to_string()).or_default().push(longest);
    }
    let ledger = load.end().await;
    let client = connect(&cluster).await;
    let mut wrongs = Vec::new();
    for _ in 0..SETTLES_WITHIN {
        if eventually_or_none(|| is_settled(&client)).await.is_some() {
            break;
        }
    }
    let devices: std::collections::BTreeSet<&str> = ledger.sent.keys().map(|key| key.1.as_str()).collect();
    let devices: Vec<&str> = devices.into_iter().collect();
    verdict::records(&client, load::PREFIX, &ledger, &mut wrongs).await;
    let alerts = verdict::alerts(&client, &devices, false, &mut wrongs).await;
    let acknowledged = ledger.sent.values().filter(|(_, answered)| *answered).count();
    for (fault, mut times) in away {
        times.sort();
        let (middle, longest) = (times[times.len() / 2], times[times.len() - 1]);
        println!(
            "{fault}: {} times, usually {middle:.1?}, at most {longest:.1?} without an accepted upload",
            times.len()
        );
    }
    println!("acknowledged {acknowledged}, answered otherwise {} times, alerts {alerts}", ledger.refused);
    assert!(wrongs.is_empty(), "{} wrong: {:#?}", wrongs.len(), &wrongs[..wrongs.len().min(20)]);
    assert!(acknowledged > 100, "{acknowledged}");
}

fn number(name: &str, default: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name} is not a number: {text}")),
        Err(_) => default,
    }
}

async fn connect(cluster: &Cluster) -> Client {
    let (client, connection) =
        tokio_postgres::connect(&cluster.database_url, NoTls).await.expect("a primary");
    tokio::spawn(connection);
    client
}

async fn is_settled(client: &Client) -> Option<()> {
    let left = "select (select count(*) from outbox), (select count(*) from vitals.alert_change)";
    let row = client.query_one(left, &[]).await.expect("counts");
    (0..2).all(|column| row.get::<_, i64>(column) == 0).then_some(())
}
