//! Two instances of the real binary behind the balancers.

use std::fs::File;
use std::path::PathBuf;
use std::process::Stdio;

use rand::Rng;
use rand::rngs::StdRng;
use tokio::process::{Child, Command};

use crate::harness::{Cluster, eventually};

const INSTANCES: usize = 2;

/// The processes, each where the balancers look for it.
pub struct Instances {
    places: Vec<(String, Option<Child>)>,
    /// What an upload needs.
    pub key: String,
}

impl Instances {
    /// Migrates, makes a key, starts both and waits until they are ready.
    pub async fn start(cluster: &Cluster) -> Self {
        vitals(cluster, &["migrate"]).await;
        let key = vitals(cluster, &["keys", "create", "cluster", "--scope", "upload"]).await;
        let places = cluster.listen.iter().take(INSTANCES).map(|place| (place.clone(), None)).collect();
        let mut instances = Self { places, key: key.trim().to_owned() };
        instances.mend(cluster).await;
        instances
    }

    /// Starts what does not run, and waits until it is ready.
    pub async fn mend(&mut self, cluster: &Cluster) {
        for (place, child) in &mut self.places {
            if child.is_none() {
                let log = File::options().create(true).append(true).open(log_of(place)).expect("a file");
                let mut command = command(cluster, &["serve"]);
                command.env("VITALS_LISTEN", &*place).stderr(log).stdout(Stdio::null());
                *child = Some(command.spawn().expect("the binary can be run"));
            }
        }
        for (place, _) in &self.places {
            let url = format!("http://{place}/healthz");
            eventually("an instance listens", || async { reqwest::get(&url).await.ok() }).await;
        }
    }

    /// Ends one by a signal, and waits until it is gone.
    pub async fn end_one(&mut self, signal: &str, random: &mut StdRng) -> String {
        let number = random.random_range(0..self.places.len());
        let (place, child) = &mut self.places[number];
        let mut child = child.take().expect("it runs");
        let id = child.id().expect("it runs").to_string();
        let sent = std::process::Command::new("kill").args([&format!("-{signal}"), &id]).status();
        assert!(sent.expect("kill can be run").success());
        child.wait().await.expect("a status");
        place.clone()
    }

    /// The last lines that each logged.
    pub fn log_tail(&self) -> String {
        let tail = |(place, _): &(String, Option<Child>)| {
            let log = std::fs::read_to_string(log_of(place)).unwrap_or_default();
            let lines: Vec<&str> = log.lines().collect();
            format!("{place}: {}", lines[lines.len().saturating_sub(8)..].join("\n"))
        };
        self.places.iter().map(tail).collect::<Vec<_>>().join("\n")
    }
}

fn log_of(place: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("cluster-{place}.log"))
}

fn command(cluster: &Cluster, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vitals"));
    command
        .args(arguments)
        .env("LC_ALL", "C")
        .env("VITALS_DATABASE_URL", &cluster.database_url)
        .env("VITALS_REDIS_URL", &cluster.redis_url)
        .env("VITALS_AUTHENTICATION", "keys")
        .kill_on_drop(true);
    command
}

/// Runs a command to its end; gives what it printed.
async fn vitals(cluster: &Cluster, arguments: &[&str]) -> String {
    let output = command(cluster, arguments).output().await.expect("it can be run");
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{arguments:?}: {out}{err}");
    out.into_owned()
}
