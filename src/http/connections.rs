//! The open connections: who holds them, and how many one may hold.
//!
//! Before: `http::server` accepts one. After: it is served, or closed at once; `/api/connections` and `/metrics` say who holds them.
//! Promise: one address, and one network, holds no more than its share, trusted proxies excepted; what is kept is bounded by the
//! connections that are open.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use ipnet::IpNet;

use super::access::address;
use crate::config::{LimitSettings, TrustedProxy};
use crate::telemetry::names;

/// Bits of an address that one network shares.
const NETWORK_BITS: [u8; 2] = [24, 48];

/// What a connection does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Doing {
    /// It shakes hands (TLS).
    Handshake,
    /// It waits for the head of a request.
    Waiting,
    /// A request is being read or answered.
    Answering,
}

impl Doing {
    pub(super) const ALL: [Self; 3] = [Self::Handshake, Self::Waiting, Self::Answering];

    /// The label of the metric.
    const fn name(self) -> &'static str {
        match self {
            Self::Handshake => "handshake",
            Self::Waiting => "waiting",
            Self::Answering => "answering",
        }
    }
}

/// An open connection.
#[derive(Debug)]
pub(super) struct Connection {
    address: IpAddr,
    network: IpNet,
    /// A trusted proxy's.
    is_unlimited: bool,
    opened_at: Instant,
    doing: AtomicU8,
}

impl Connection {
    /// From now on it does this.
    pub(super) fn does(&self, doing: Doing) {
        self.doing.store(doing as u8, Ordering::Relaxed);
    }

    fn is(&self, doing: Doing) -> bool {
        self.doing.load(Ordering::Relaxed) == doing as u8
    }
}

/// All of them.
#[derive(Debug)]
pub(super) struct Connections {
    limits: Limits,
    trusted: Vec<TrustedProxy>,
    open: Mutex<Open>,
}

/// How many may be open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Limits {
    pub(super) all: usize,
    pub(super) of_address: usize,
    pub(super) of_network: usize,
}

#[derive(Debug, Default)]
struct Open {
    next: u64,
    connections: HashMap<u64, Arc<Connection>>,
    addresses: HashMap<IpAddr, usize>,
    networks: HashMap<IpNet, usize>,
}

/// A place among them, given back when it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    all: Arc<Connections>,
    number: u64,
    pub(super) connection: Arc<Connection>,
}

/// Who holds connections, those that hold most first.
#[derive(Debug)]
pub(super) struct Holder<K> {
    pub(super) of: K,
    pub(super) connections: usize,
    pub(super) answering: usize,
    pub(super) oldest: Instant,
}

impl Connections {
    pub(super) fn new(limits: &LimitSettings) -> Arc<Self> {
        Arc::new(Self {
            limits: Limits {
                all: limits.max_connections,
                of_address: limits.max_connections_per_address(),
                of_network: limits.max_connections_per_network(),
            },
            trusted: limits.trusted_proxies.clone(),
            open: Mutex::default(),
        })
    }

    /// A place for a connection from `peer`; else which limit it is, as `vitals_http_turned_away_total` has it.
    pub(super) fn take(self: &Arc<Self>, peer: IpAddr) -> Result<Place, &'static str> {
        let peer = peer.to_canonical();
        let (address, network) = (address::as_counted(peer), network_of(peer));
        let is_unlimited = address::is_trusted(peer, &self.trusted);
        let mut open = self.lock();
        let held = |by: Option<&usize>| by.copied().unwrap_or_default();
        if open.connections.len() >= self.limits.all {
            return Err("connections");
        }
        if !is_unlimited {
            if held(open.addresses.get(&address)) >= self.limits.of_address {
                return Err("address_connections");
            }
            if held(open.networks.get(&network)) >= self.limits.of_network {
                return Err("network_connections");
            }
            *open.addresses.entry(address).or_default() += 1;
            *open.networks.entry(network).or_default() += 1;
        }
        let doing = AtomicU8::new(Doing::Waiting as u8);
        let connection =
            Arc::new(Connection { address, network, is_unlimited, opened_at: Instant::now(), doing });
        let number = open.next;
        open.next += 1;
        open.connections.insert(number, Arc::clone(&connection));
        Ok(Place { all: Arc::clone(self), number, connection })
    }

    pub(super) const fn limits(&self) -> Limits {
        self.limits
    }

    /// How many do what.
    pub(super) fn by_doing(&self) -> [(Doing, usize); 3] {
        let open = self.lock();
        Doing::ALL.map(|doing| (doing, open.connections.values().filter(|one| one.is(doing)).count()))
    }

    /// Tells Prometheus how many do what.
    pub(super) fn measure(&self) {
        for (doing, connections) in self.by_doing() {
            metrics::gauge!(names::CONNECTIONS_BY_STATE, "state" => doing.name()).set(connections as f64);
        }
    }

    /// The `most` addresses that hold most.
    pub(super) fn addresses(&self, most: usize) -> Vec<Holder<IpAddr>> {
        self.holders(most, |connection| connection.address)
    }

    /// The `most` networks that hold most.
    pub(super) fn networks(&self, most: usize) -> Vec<Holder<IpNet>> {
        self.holders(most, |connection| connection.network)
    }

    fn holders<K: Copy + Ord + std::hash::Hash>(
        &self,
        most: usize,
        of: impl Fn(&Connection) -> K,
    ) -> Vec<Holder<K>> {
        let mut holders: HashMap<K, Holder<K>> = HashMap::new();
        for connection in self.lock().connections.values() {
            let (of, opened_at) = (of(connection), connection.opened_at);
            let new = Holder { of, connections: 0, answering: 0, oldest: opened_at };
            let holder = holders.entry(of).or_insert(new);
            holder.connections += 1;
            holder.answering += usize::from(connection.is(Doing::Answering));
            holder.oldest = holder.oldest.min(opened_at);
        }
        let mut holders: Vec<Holder<K>> = holders.into_values().collect();
        holders.sort_by_key(|holder| (std::cmp::Reverse(holder.connections), holder.of));
        holders.truncate(most);
        holders
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        // The lock is held for additions only; one that panicked left whole numbers.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        fn less<K: std::hash::Hash + Eq>(held: &mut HashMap<K, usize>, of: &K) {
            let Some(count) = held.get_mut(of) else { return };
            *count -= 1;
            if *count == 0 {
                held.remove(of);
            }
        }
        let Connection { address, network, is_unlimited, .. } = &*self.connection;
        let mut open = self.all.lock();
        open.connections.remove(&self.number);
        if !is_unlimited {
            less(&mut open.addresses, address);
            less(&mut open.networks, network);
        }
    }
}

fn network_of(address: IpAddr) -> IpNet {
    let [four, six] = NETWORK_BITS;
    let bits = if address.is_ipv4() { four } else { six };
    IpNet::new(address, bits).map_or_else(|_| IpNet::from(address), |net| net.trunc())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Settings;

    fn of(change: impl FnOnce(&mut LimitSettings)) -> Arc<Connections> {
        let mut limits = Settings::defaults().limits;
        change(&mut limits);
        Connections::new(&limits)
    }

    fn take(all: &Arc<Connections>, address: &str) -> Result<Place, &'static str> {
        all.take(address.parse().expect("an address"))
    }

    #[test]
    fn an_address_and_a_network_have_their_share_and_a_trusted_proxy_has_none() {
        let all = of(|limits| {
            limits.max_connections = 8;
            limits.address_connections = 2;
            limits.network_connections = 3;
            limits.trusted_proxies = vec!["10.0.0.0/8".parse().expect("a network")];
        });
        let mut held = Vec::new();
        for address in ["192.0.2.1", "192.0.2.1", "::ffff:192.0.2.9"] {
            held.push(take(&all, address).expect("a place"));
        }
        assert_eq!(take(&all, "192.0.2.1").err(), Some("address_connections"));
        assert_eq!(take(&all, "192.0.2.2").err(), Some("network_connections"));
        held.extend(["2001:db8:1:2::1", "2001:db8:1:2::2"].map(|each| take(&all, each).expect("a place")));
        assert_eq!(take(&all, "2001:db8:1:2:3::").err(), Some("address_connections"), "of one /64");
        held.extend(["10.0.0.1"; 3].map(|each| take(&all, each).expect("a proxy's")));
        assert_eq!(take(&all, "198.51.100.1").err(), Some("connections"));
        let [first, ..] = &all.addresses(1)[..] else { panic!("one") };
        assert_eq!((first.of.to_string(), first.connections), ("10.0.0.1".to_owned(), 3));
        drop(held);
        let open = all.lock();
        assert!(open.connections.is_empty() && open.addresses.is_empty() && open.networks.is_empty());
    }

    #[test]
    fn by_default_an_address_has_half_and_a_network_three_quarters() {
        assert_eq!(of(|_| ()).limits(), Limits { all: 10_000, of_address: 5_000, of_network: 7_500 });
        let one = of(|limits| limits.max_connections = 1);
        assert_eq!(one.limits(), Limits { all: 1, of_address: 1, of_network: 1 });
    }
}
