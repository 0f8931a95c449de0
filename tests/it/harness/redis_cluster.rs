//! A Redis Cluster of three masters, the first of which has a replica; or one further Redis. Processes of a test, which end with it.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::process::{Command, Stdio};

use redis::aio::MultiplexedConnection;
use redis::{InfoDict, RedisResult};
use tokio::process::Child;

use super::servers::redis_server;
use super::{TIMEOUT, eventually};

/// The masters' slots: first and last.
const SLOTS: [(u16, u16); 3] = [(0, 5460), (5461, 10922), (10923, 16383)];

/// An append-only file that is written at each command, and the command that crashes.
const DURABLE: [&str; 6] =
    ["--appendonly", "yes", "--appendfsync", "always", "--enable-debug-command", "yes"];

/// A Redis that a test may do anything to.
pub struct RedisServer {
    port: u16,
    process: Child,
}

impl RedisServer {
    /// Starts one. `None`, after printing why: the servers of these tests start no further ones.
    pub async fn start() -> Option<Self> {
        Self::start_with(&[]).await
    }

    /// Starts one that has an append-only file, written at each command.
    pub async fn start_durable() -> Option<Self> {
        Self::start_with(&DURABLE).await
    }

    async fn start_with(options: &[&str]) -> Option<Self> {
        let port = free_port();
        let server = Self { port, process: start(redis_server()?, port, options) };
        eventually("the server answers", || async { connect(port).await.ok() }).await;
        Some(server)
    }

    /// Its URL.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/0", self.port)
    }

    /// Host and port.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Makes it a replica of another one, and waits until it has what that one has. `None`: makes it a master.
    pub async fn follow(&self, master: Option<&Self>) {
        let mut connection = self.connection().await;
        let mut follow = redis::cmd("REPLICAOF");
        match master {
            Some(master) => follow.arg("127.0.0.1").arg(master.port),
            None => follow.arg("NO").arg("ONE"),
        };
        follow.exec_async(&mut connection).await.expect("followed");
        if master.is_some() {
            eventually("the replica follows its master", || {
                let mut connection = connection.clone();
                async move {
                    let mut info = redis::cmd("INFO");
                    let info: InfoDict = info.arg("replication").query_async(&mut connection).await.ok()?;
                    (info.get::<String>("master_link_status").as_deref() == Some("up")).then_some(())
                }
            })
            .await;
        }
    }

    /// Kills it at once, and waits until it has ended.
    pub async fn kill(&mut self) {
        self.process.kill().await.expect("killed");
    }

    /// It crashes, and starts with what is in its append-only file.
    pub async fn crash_and_recover(&self) {
        let mut connection = self.connection().await;
        let run_id = run_id(&mut connection).await;
        // It does not answer.
        let _ = redis::cmd("DEBUG").arg("CRASH-AND-RECOVER").exec_async(&mut connection).await;
        eventually("the server has started once more", || async {
            let mut connection = connect(self.port).await.ok()?;
            (run_id != self::run_id(&mut connection).await).then_some(())
        })
        .await;
    }

    /// A connection to it, which follows no redirection.
    pub async fn connection(&self) -> MultiplexedConnection {
        connect(self.port).await.expect("the server answers")
    }
}

/// A cluster.
pub struct RedisCluster {
    /// The masters, then the replica of the first.
    nodes: Vec<RedisServer>,
}

impl RedisCluster {
    /// Brings it up. `None`, after printing why: the servers of these tests start no further ones.
    pub async fn bring_up() -> Option<Self> {
        Self::bring_up_with(&[]).await
    }

    /// Brings up one whose nodes have an append-only file.
    pub async fn bring_up_durable() -> Option<Self> {
        Self::bring_up_with(&DURABLE).await
    }

    async fn bring_up_with(options: &[&str]) -> Option<Self> {
        // Not among the ports that systems lend to clients; each node has a second one for the others.
        let ports: Vec<u16> = (0..8).map(|_| free_port()).collect();
        let mut nodes = Vec::new();
        for ports in ports.chunks(2) {
            let bus_port = ports[1].to_string();
            let of_cluster = ["--cluster-port", &bus_port, "--cluster-enabled", "yes"];
            let process = start(redis_server()?, ports[0], &[&of_cluster, options].concat());
            nodes.push(RedisServer { port: ports[0], process });
        }
        let cluster = Self { nodes };
        cluster.form(&ports).await;
        Some(cluster)
    }

    /// The URL of one node.
    pub fn url(&self, node: usize) -> String {
        self.nodes[node].url()
    }

    /// The URL of all masters.
    pub fn url_of_all(&self) -> String {
        let hosts: Vec<String> =
            self.nodes[..SLOTS.len()].iter().map(|node| format!("127.0.0.1:{}", node.port)).collect();
        format!("redis://{}/0", hosts.join(","))
    }

    /// How many masters it has.
    pub const fn masters(&self) -> usize {
        SLOTS.len()
    }

    /// The node that replaces the first one when that is killed.
    pub const fn replica(&self) -> usize {
        SLOTS.len()
    }

    /// A connection to one node, which follows no redirection.
    pub async fn node(&self, node: usize) -> MultiplexedConnection {
        self.nodes[node].connection().await
    }

    /// The hash of this name, from whichever master of `masters` holds it; empty: there is none.
    pub async fn hash(&self, masters: &[usize], key: &str) -> BTreeMap<String, String> {
        for master in masters {
            let mut connection = self.node(*master).await;
            let hash = redis::cmd("HGETALL").arg(key).query_async(&mut connection).await;
            if let Ok(hash) = hash {
                return hash;
            }
        }
        BTreeMap::new()
    }

    /// The keys of one node that begin with `prefix`.
    pub async fn keys(&self, node: usize, prefix: &str) -> Vec<String> {
        let mut connection = self.node(node).await;
        let pattern = format!("{prefix}*");
        redis::cmd("KEYS").arg(pattern).query_async(&mut connection).await.expect("keys")
    }

    /// Kills a node at once, and waits until it has ended.
    pub async fn kill(&mut self, node: usize) {
        self.nodes[node].process.kill().await.expect("killed");
    }

    /// A node that does not answer for so long counts as failed.
    pub async fn set_node_timeout(&self, milliseconds: u32) {
        for node in 0..self.nodes.len() {
            let mut connection = self.node(node).await;
            redis::cmd("CONFIG")
                .arg(&["SET", "cluster-node-timeout", &milliseconds.to_string()])
                .exec_async(&mut connection)
                .await
                .expect("set");
        }
    }

    async fn form(&self, ports: &[u16]) {
        let mut connections = Vec::new();
        for (number, node) in self.nodes.iter().enumerate() {
            let mut connection =
                eventually("a node answers", || async { connect(node.port).await.ok() }).await;
            let epoch = (number + 1).to_string();
            redis::cmd("CLUSTER")
                .arg(&["SET-CONFIG-EPOCH", &epoch])
                .exec_async(&mut connection)
                .await
                .expect("set");
            if let Some((first, last)) = SLOTS.get(number) {
                redis::cmd("CLUSTER")
                    .arg("ADDSLOTSRANGE")
                    .arg(*first)
                    .arg(*last)
                    .exec_async(&mut connection)
                    .await
                    .expect("slots");
            }
            connections.push(connection);
        }
        for other in ports[2..].chunks(2) {
            let mut meet = redis::cmd("CLUSTER");
            meet.arg("MEET").arg("127.0.0.1").arg(other[0]).arg(other[1]);
            meet.exec_async(&mut connections[0]).await.expect("met");
        }
        for connection in &connections {
            eventually("all nodes know one another", || async {
                let known = cluster_info(connection).await.get::<usize>("cluster_known_nodes");
                (known == Some(connections.len())).then_some(())
            })
            .await;
        }
        let first: String =
            redis::cmd("CLUSTER").arg("MYID").query_async(&mut connections[0]).await.expect("an id");
        let replica = &connections[self.replica()];
        eventually("the replica follows its master", || async {
            let mut replica = replica.clone();
            // Refused until it knows that this one is a master.
            let _ = redis::cmd("CLUSTER").arg(&["REPLICATE", &first]).exec_async(&mut replica).await;
            let info: InfoDict =
                redis::cmd("INFO").arg("replication").query_async(&mut replica).await.expect("information");
            (info.get::<String>("master_link_status").as_deref() == Some("up")).then_some(())
        })
        .await;
        for connection in &connections {
            eventually("the cluster is whole", || async {
                let state = cluster_info(connection).await.get::<String>("cluster_state");
                (state.as_deref() == Some("ok")).then_some(())
            })
            .await;
        }
    }
}

async fn cluster_info(connection: &MultiplexedConnection) -> InfoDict {
    redis::cmd("CLUSTER").arg("INFO").query_async(&mut connection.clone()).await.expect("information")
}

async fn run_id(connection: &mut MultiplexedConnection) -> String {
    let info: RedisResult<InfoDict> = redis::cmd("INFO").arg("server").query_async(connection).await;
    info.ok().and_then(|info| info.get("run_id")).unwrap_or_default()
}

async fn connect(port: u16) -> RedisResult<MultiplexedConnection> {
    let with_timeout = redis::AsyncConnectionConfig::new()
        .set_connection_timeout(Some(TIMEOUT))
        .set_response_timeout(Some(TIMEOUT));
    let client = redis::Client::open(format!("redis://127.0.0.1:{port}/0"))?;
    client.get_multiplexed_async_connection_with_config(&with_timeout).await
}

fn start(mut command: Command, port: u16, options: &[&str]) -> Child {
    command.arg("--port").arg(port.to_string()).arg("--repl-diskless-sync-delay").arg("0").args(options);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    tokio::process::Command::from(command).kill_on_drop(true).spawn().expect("docker/stack can be run")
}

/// A free port, not among those that systems lend to clients.
pub fn free_port() -> u16 {
    (0..1000)
        .map(|_| rand::random_range(20_000..32_000))
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .expect("a free port")
}
