//! A cluster of `docker/stack up --cluster` that one test at a time may do anything to. It is removed when the test process has ended.

use std::process::Stdio;

use tokio::sync::{Mutex, MutexGuard};
use tokio::task::spawn_blocking;

use super::servers::{output, run, servers, stack, status, take_down_afterwards, value};

/// What `docker/stack nodes` says of one.
#[derive(Debug, Clone)]
pub struct Node {
    pub name: String,
    pub role: String,
    pub state: String,
}

/// How many machines for instances it has.
const INSTANCES: usize = 2;

static LOCK: Mutex<()> = Mutex::const_new(());

/// Where everything is.
pub struct Cluster {
    _lock: MutexGuard<'static, ()>,
    pub database_url: String,
    pub redis_url: String,
    /// HAProxy and nginx, in front of the instances.
    pub balancers: [String; 2],
    /// Where instances listen, each on a node of its own: `instance1`, `instance2`.
    pub instances: Vec<String>,
}

impl Cluster {
    /// Brings it up, or mends what the test before left. `None`, after printing why: only `docker/stack` itself starts one, and only
    /// with the right to make a network.
    pub async fn bring_up() -> Option<Self> {
        let lock = LOCK.lock().await;
        let bring = || {
            servers();
            let first = status(&mut stack()).filter(|status| status.contains("private Debian"));
            first.and_then(|_| {
                take_down_afterwards(&mut command());
                run(command().args(["up", "--cluster"]))
            })
        };
        let Some(environment) = spawn_blocking(bring).await.expect("no panic") else {
            eprintln!(
                "skipped: no cluster can be started (VITALS_STACK_KIND=private and the right to make a network bring one up)"
            );
            return None;
        };
        let named = |name| value(&environment, name);
        Some(Self {
            _lock: lock,
            database_url: named("VITALS_DATABASE_URL"),
            redis_url: named("VITALS_REDIS_URL"),
            balancers: [named("VITALS_STACK_HAPROXY_URL"), named("VITALS_STACK_NGINX_URL")],
            instances: named("VITALS_STACK_INSTANCE_NODES").split(',').map(str::to_owned).collect(),
        })
    }

    /// Waits until no other test uses a cluster, and takes the one of this name down when the test process has ended. `None`, after printing why:
    /// none can be started, as in [`Self::bring_up`].
    pub async fn reserve(name: &str) -> Option<MutexGuard<'static, ()>> {
        let lock = LOCK.lock().await;
        let first = spawn_blocking(|| {
            servers();
            status(&mut stack())
        });
        if !first.await.expect("no panic").is_some_and(|status| status.contains("private Debian")) {
            eprintln!("skipped: no cluster can be started (VITALS_STACK_KIND=private brings one up)");
            return None;
        }
        take_down_afterwards(&mut Self::of_its_own(name));
        Some(lock)
    }

    /// `docker/stack` for a cluster of this name, apart from that of the tests.
    pub fn of_its_own(name: &str) -> std::process::Command {
        let mut command = stack();
        command.env("VITALS_STACK_NAME", name).env("VITALS_STACK_KIND", "private");
        command
    }

    /// The address of this machine, as the nodes see it.
    pub fn host(&self) -> String {
        let (network, _) = self.instances[0].rsplit_once('.').expect("an address");
        format!("{network}.1")
    }

    /// Where PostgreSQL of a node listens, as a URL that takes whatever it is.
    pub fn url_of(&self, node: &str) -> String {
        let (user, rest) = self.database_url.rsplit_once('@').expect("a user");
        let (hosts, _) = rest.split_once('/').expect("a database");
        let number: usize = node.trim_start_matches("postgres").parse().expect("a node of PostgreSQL");
        let host = hosts.split(',').nth(number - 1).expect("a host");
        format!("{user}@{host}/vitals")
    }

    /// The variables that make `docker/stack` work on it.
    pub fn environment() -> [(&'static str, String); 3] {
        [
            ("VITALS_STACK_NAME", format!("cluster-{}", std::process::id())),
            ("VITALS_STACK_INSTANCES", INSTANCES.to_string()),
            ("VITALS_STACK_KIND", "private".to_owned()),
        ]
    }

    /// Runs a program as a node, with these variables.
    pub async fn run_as(&self, node: &str, words: &[&str], variables: &[(&str, String)]) {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        let (node, mut stack) = (node.to_owned(), command());
        for (name, value) in variables {
            stack.env(name, value);
        }
        let done = spawn_blocking(move || run(stack.args(["run", &node]).args(words)));
        assert!(done.await.expect("no panic").is_some(), "docker/stack run failed; its output is above");
    }

    /// Runs `docker/stack` with these words, which has to succeed.
    pub async fn run(&self, words: &[&str]) {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        let failure = format!("docker/stack {words:?} failed; its output is above");
        let done = spawn_blocking(move || run(command().args(words)));
        assert!(done.await.expect("no panic").is_some(), "{failure}");
    }

    /// A node that has this role at the moment.
    pub async fn node_with(&self, role: &str) -> String {
        let nodes = self.nodes().await;
        let node = nodes.iter().find(|node| node.role == role && node.state == "running");
        node.unwrap_or_else(|| panic!("no {role}: {nodes:?}")).name.clone()
    }

    /// All nodes as they are.
    pub async fn nodes(&self) -> Vec<Node> {
        let listed = spawn_blocking(|| output(command().arg("nodes").stderr(Stdio::inherit())));
        let listed = listed.await.expect("no panic").expect("it is up");
        let node = |line: &str| {
            let mut words = line.split_whitespace().map(str::to_owned);
            let (name, role, _, state) = (words.next()?, words.next()?, words.next()?, words.next()?);
            Some(Node { name, role, state })
        };
        listed.lines().skip(1).map(|line| node(line).expect("four words")).collect()
    }
}

fn command() -> std::process::Command {
    let mut command = stack();
    command.envs(Cluster::environment());
    command
}
