//! Faults of a cluster: of a node, of an instance, or a switchover that nobody asked the service about.

use std::fmt;

use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;

use super::instances::Instances;
use crate::harness::{Cluster, Node};

const HOW: [&str; 4] = ["kill", "stop", "freeze", "isolate"];
const WHOM: [&str; 5] = ["primary", "standby", "leader", "master", "balancer"];

/// One fault of one part.
#[derive(Debug, Clone, Copy)]
pub enum Fault {
    /// To a node that has this role at the moment.
    Node {
        how: &'static str,
        role: &'static str,
    },
    /// To an instance, by this signal.
    Instance(&'static str),
    Switchover,
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Node { how, role: "leader" } => write!(formatter, "{how} etcd leader"),
            Self::Node { how, role: "master" } => write!(formatter, "{how} Redis master"),
            Self::Node { how, role } => write!(formatter, "{how} {role}"),
            Self::Instance(signal) => write!(formatter, "SIG{signal} instance"),
            Self::Switchover => formatter.write_str("switchover"),
        }
    }
}

impl Fault {
    /// The first one is always a killed primary.
    pub fn draw(random: &mut StdRng, round: u64) -> Self {
        if round == 1 {
            return Self::Node { how: "kill", role: "primary" };
        }
        match random.random_range(0..7) {
            0 => Self::Instance(if random.random_bool(0.5) { "KILL" } else { "TERM" }),
            1 => Self::Switchover,
            _ => Self::Node {
                how: HOW.choose(random).expect("some"),
                role: WHOM.choose(random).expect("some"),
            },
        }
    }

    /// Makes it so; gives the name of what it hit.
    pub async fn inject(self, cluster: &Cluster, instances: &mut Instances, random: &mut StdRng) -> String {
        match self {
            Self::Node { how, role } => {
                let nodes = cluster.nodes().await;
                let candidates: Vec<&Node> =
                    nodes.iter().filter(|node| node.role == role && node.state == "running").collect();
                let node = candidates.choose(random).unwrap_or_else(|| panic!("no {role}: {nodes:?}"));
                cluster.run(&[how, &node.name]).await;
                node.name.clone()
            }
            Self::Instance(signal) => instances.end_one(signal, random).await,
            Self::Switchover => {
                cluster.run(&["switchover"]).await;
                "the primary".to_owned()
            }
        }
    }
}
