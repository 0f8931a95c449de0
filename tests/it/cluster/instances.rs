//! Instances of the real binary behind the balancers, each on a node of its own.

use std::path::PathBuf;
use std::process::Stdio;

use tokio::process::Command;

use crate::harness::{Cluster, START_TIMEOUT, eventually_within};

const VITALS: &str = env!("CARGO_BIN_EXE_vitals");

/// What all instances of a test are given.
pub struct Instances {
    variables: Vec<(&'static str, String)>,
    /// What an upload needs.
    pub key: String,
}

impl Instances {
    /// Migrates, makes a key, starts all and waits until they listen.
    pub async fn start(cluster: &Cluster, variables: &[(&'static str, &str)]) -> Self {
        vitals(cluster, &["migrate"]).await;
        let name = format!("cluster-{:x}", rand::random::<u32>());
        let key = vitals(cluster, &["keys", "create", &name, "--scope", "upload"]).await;
        let mut instances = Self { variables: of_cluster(cluster), key: key.trim().to_owned() };
        instances.variables.extend(variables.iter().map(|(name, value)| (*name, (*value).to_owned())));
        instances.start_missing(cluster).await;
        instances
    }

    /// Starts what does not run, and waits until it listens.
    pub async fn start_missing(&self, cluster: &Cluster) {
        let nodes = cluster.nodes().await;
        for (number, place) in cluster.instances.iter().enumerate() {
            let name = format!("instance{}", number + 1);
            if nodes.iter().any(|node| node.name == name && node.state == "stopped") {
                let mut variables = self.variables.clone();
                variables.push(("VITALS_LISTEN", place.clone()));
                let log = log_of(place).display().to_string();
                let words = ["/bin/sh", "-c", r#"exec "$0" serve 2>>"$1""#, VITALS, &log];
                cluster.run_as(&name, &words, &variables).await;
            }
        }
        for place in &cluster.instances {
            let url = format!("http://{place}/healthz");
            let listens = || async { reqwest::get(&url).await.ok() };
            eventually_within(START_TIMEOUT, "an instance listens", listens).await;
        }
    }

    /// The last lines that each logged.
    pub fn log_tail(&self, cluster: &Cluster) -> String {
        let tail = |place: &String| {
            let log = std::fs::read_to_string(log_of(place)).unwrap_or_default();
            let lines: Vec<&str> = log.lines().collect();
            format!("{place}: {}", lines[lines.len().saturating_sub(8)..].join("\n"))
        };
        cluster.instances.iter().map(tail).collect::<Vec<_>>().join("\n")
    }

    /// Stops all that run.
    pub async fn stop(self, cluster: &Cluster) {
        for number in 1..=cluster.instances.len() {
            cluster.run(&["stop", &format!("instance{number}")]).await;
        }
    }
}

fn log_of(place: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("cluster-{place}.log"))
}

fn of_cluster(cluster: &Cluster) -> Vec<(&'static str, String)> {
    vec![
        ("LC_ALL", "C".to_owned()),
        ("VITALS_DATABASE_URL", cluster.database_url.clone()),
        ("VITALS_REDIS_URL", cluster.redis_url.clone()),
        ("VITALS_AUTHENTICATION", "keys".to_owned()),
    ]
}

/// Runs a command to its end; gives what it printed.
async fn vitals(cluster: &Cluster, arguments: &[&str]) -> String {
    let mut command = Command::new(VITALS);
    let output = command.args(arguments).envs(of_cluster(cluster)).stdin(Stdio::null()).output();
    let output = output.await.expect("it can be run");
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{arguments:?}: {out}{err}");
    out.into_owned()
}
