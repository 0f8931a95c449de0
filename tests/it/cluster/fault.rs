//! Faults of a cluster: of a node (an instance is one), or a switchover that nobody asked the service about; and which are there together.

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

/// Most faults that are there at the same time.
const TOGETHER: usize = 3;

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

    /// So many, each as often as any other, in a random order, in rounds of those that go with each other: of different servers, so that every
    /// server keeps the nodes that it needs.
    pub fn draw(faults: usize, random: &mut StdRng) -> Vec<Vec<Self>> {
        let mut rounds: Vec<Vec<Self>> = Vec::new();
        let mut left = faults;
        while left > 0 {
            let mut all = Self::all();
            all.shuffle(random);
            all.truncate(left);
            left -= all.len();
            let first = rounds.len();
            for fault in all {
                let fits = |round: &&mut Vec<Self>| {
                    round.len() < TOGETHER && round.iter().all(|other| other.goes_with(fault))
                };
                match rounds[first..].iter_mut().find(fits) {
                    Some(round) => round.push(fault),
                    None => rounds.push(vec![fault]),
                }
            }
        }
        rounds
    }

    /// What it is a fault of.
    fn server(self) -> &'static str {
        match self {
            Self::Node { part: "primary" | "standby", .. } | Self::Switchover => "PostgreSQL",
            Self::Node { part, .. } => part,
        }
    }

    /// Whether both may be there at the same time. What keeps watches waiting for an answer would count as the effect of the other one.
    fn goes_with(self, other: Self) -> bool {
        let hangs = |fault| {
            matches!(fault, Self::Node { action: "freeze" | "isolate", part: "balancer" | "instance", .. })
        };
        self.server() != other.server() && !hangs(self) && !hangs(other)
    }

    /// Whether an instance has to be started again afterwards.
    pub fn ends_an_instance(self) -> bool {
        matches!(self, Self::Node { action: "kill" | "stop", part: "instance", .. })
    }

    /// The node that it hits.
    pub fn choose_node(self, nodes: &[Node], random: &mut StdRng) -> String {
        let Self::Node { roles, .. } = self else { return "the primary".to_owned() };
        let fits = |node: &&Node| roles.contains(&node.role.as_str()) && node.state == "running";
        let candidates: Vec<&Node> = nodes.iter().filter(fits).collect();
        candidates.choose(random).unwrap_or_else(|| panic!("no {roles:?}: {nodes:?}")).name.clone()
    }

    /// Causes it.
    pub async fn inject(self, cluster: &Cluster, node: &str) {
        match self {
            Self::Node { action, .. } => cluster.run(&[action, node]).await,
            Self::Switchover => cluster.run(&["switchover"]).await,
        }
    }
}

#[test]
fn as_many_faults_are_drawn_as_are_asked_for_and_no_two_of_a_round_are_of_one_server() {
    use rand::SeedableRng;
    for faults in [1, 3, 25, 60] {
        let rounds = Fault::draw(faults, &mut StdRng::seed_from_u64(7));
        assert_eq!(rounds.iter().map(Vec::len).sum::<usize>(), faults);
        for round in &rounds {
            let servers: std::collections::BTreeSet<_> = round.iter().map(|fault| fault.server()).collect();
            assert!(servers.len() == round.len() && round.len() <= TOGETHER, "{round:?}");
        }
    }
    let rounds = Fault::draw(25, &mut StdRng::seed_from_u64(7));
    let drawn: Vec<Fault> = rounds.into_iter().flatten().collect();
    assert!(Fault::all().iter().all(|fault| drawn.contains(fault)), "each once");
}
