//! Faults of a cluster: of a node (an instance is one), or a switchover that nobody asked the service about.

use std::fmt;

use rand::rngs::StdRng;
use rand::seq::{IndexedRandom, SliceRandom};

use crate::harness::{Cluster, Node};

/// What is done to a node.
const ACTIONS: [&str; 4] = ["kill", "stop", "freeze", "isolate"];

/// A part of a cluster, and the roles of the nodes that are it.
const PARTS: [(&str, &[&str]); 6] = [
    ("primary", &["primary"]),
    ("standby", &["standby"]),
    ("etcd member", &["leader", "follower"]),
    ("Redis master", &["master"]),
    ("balancer", &["balancer"]),
    ("instance", &["instance"]),
];

/// One fault of one part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// To a node that has one of these roles at the moment.
    Node {
        action: &'static str,
        part: &'static str,
        roles: &'static [&'static str],
    },
    Switchover,
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Node { action, part, .. } => write!(formatter, "{action} {part}"),
            Self::Switchover => formatter.write_str("switchover"),
        }
    }
}

impl Fault {
    /// Every fault there is.
    pub fn all() -> Vec<Self> {
        let nodes = ACTIONS
            .iter()
            .flat_map(|&action| PARTS.iter().map(move |&(part, roles)| Self::Node { action, part, roles }));
        nodes.chain([Self::Switchover]).collect()
    }

    /// So many, each as often as any other, in a random order.
    pub fn draw(rounds: usize, random: &mut StdRng) -> Vec<Self> {
        let mut drawn = Vec::new();
        while drawn.len() < rounds {
            let mut all = Self::all();
            all.shuffle(random);
            drawn.append(&mut all);
        }
        drawn.truncate(rounds);
        drawn
    }

    /// Causes it; gives the name of what it hit.
    pub async fn inject(self, cluster: &Cluster, random: &mut StdRng) -> String {
        match self {
            Self::Node { action, roles, .. } => {
                let nodes = cluster.nodes().await;
                let candidates: Vec<&Node> = nodes
                    .iter()
                    .filter(|node| roles.contains(&node.role.as_str()) && node.state == "running")
                    .collect();
                let node = candidates.choose(random).unwrap_or_else(|| panic!("no {roles:?}: {nodes:?}"));
                cluster.run(&[action, &node.name]).await;
                node.name.clone()
            }
            Self::Switchover => {
                cluster.run(&["switchover"]).await;
                "the primary".to_owned()
            }
        }
    }
}
