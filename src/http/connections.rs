//! The open connections: who has them open, and how many one address or network may have.
//!
//! Before: `http::server` accepts a connection. After: it is served, or closed at once; `/api/connections` and `/metrics` show them.
//! Promise: one address, and one network, has no more connections open than its limit, except for trusted proxies. Memory is bounded by
//! the number of open connections.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use ipnet::IpNet;

use super::access::address;
use crate::config::{LimitSettings, TrustedProxy};
use crate::telemetry::names;

/// Bits of an address that identify its network: IPv4, IPv6.
const NETWORK_BITS: [u8; 2] = [24, 48];

/// What a connection is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ConnectionState {
    /// The TLS handshake.
    Handshake,
    /// Waiting for the head of a request.
    Waiting,
    /// Reading or answering a request.
    Answering,
}

impl ConnectionState {
    pub(super) const ALL: [Self; 3] = [Self::Handshake, Self::Waiting, Self::Answering];

    /// The label in metrics.
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
    /// It is of a trusted proxy.
    is_unlimited: bool,
    opened_at: Instant,
    state: AtomicU8,
}

impl Connection {
    pub(super) fn set_state(&self, state: ConnectionState) {
        self.state.store(state as u8, Ordering::Relaxed);
    }

    fn is(&self, state: ConnectionState) -> bool {
        self.state.load(Ordering::Relaxed) == state as u8
    }
}

/// All open connections.
#[derive(Debug)]
pub(super) struct Connections {
    limits: ConnectionLimits,
    trusted: Vec<TrustedProxy>,
    open: Mutex<OpenConnections>,
}

/// How many connections may be open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ConnectionLimits {
    pub(super) all: usize,
    pub(super) per_address: usize,
    pub(super) per_network: usize,
}

#[derive(Debug, Default)]
struct OpenConnections {
    next: u64,
    connections: HashMap<u64, Arc<Connection>>,
    addresses: HashMap<IpAddr, usize>,
    networks: HashMap<IpNet, usize>,
}

/// An open connection, which is no longer counted when this is dropped.
#[derive(Debug)]
pub(super) struct ConnectionGuard {
    all: Arc<Connections>,
    number: u64,
    pub(super) connection: Arc<Connection>,
}

/// An address or network that has connections open.
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
            limits: ConnectionLimits {
                all: limits.max_connections,
                per_address: limits.max_connections_per_address(),
                per_network: limits.max_connections_per_network(),
            },
            trusted: limits.trusted_proxies.clone(),
            open: Mutex::default(),
        })
    }

    /// Counts a connection from `peer`; else returns the limit that is reached, as a label of `vitals_http_turned_away_total`.
    pub(super) fn open(self: &Arc<Self>, peer: IpAddr) -> Result<ConnectionGuard, &'static str> {
        let peer = peer.to_canonical();
        let (address, network) = (address::as_counted(peer), network_of(peer));
        let is_unlimited = address::is_trusted(peer, &self.trusted);
        let mut open = self.lock();
        let held = |by: Option<&usize>| by.copied().unwrap_or_default();
        if open.connections.len() >= self.limits.all {
            return Err("connections");
        }
        if !is_unlimited {
            if held(open.addresses.get(&address)) >= self.limits.per_address {
                return Err("address_connections");
            }
            if held(open.networks.get(&network)) >= self.limits.per_network {
                return Err("network_connections");
            }
            *open.addresses.entry(address).or_default() += 1;
            *open.networks.entry(network).or_default() += 1;
        }
        let state = AtomicU8::new(ConnectionState::Waiting as u8);
        let connection =
            Arc::new(Connection { address, network, is_unlimited, opened_at: Instant::now(), state });
        let number = open.next;
        open.next += 1;
        open.connections.insert(number, Arc::clone(&connection));
        Ok(ConnectionGuard { all: Arc::clone(self), number, connection })
    }

    pub(super) const fn limits(&self) -> ConnectionLimits {
        self.limits
    }

    /// Number of connections by state.
    pub(super) fn by_state(&self) -> [(ConnectionState, usize); 3] {
        let open = self.lock();
        ConnectionState::ALL
            .map(|state| (state, open.connections.values().filter(|one| one.is(state)).count()))
    }

    /// Exports the number of connections by state.
    pub(super) fn export_gauges(&self) {
        for (state, connections) in self.by_state() {
            metrics::gauge!(names::CONNECTIONS_BY_STATE, "state" => state.name()).set(connections as f64);
        }
    }

    /// The `most` addresses with the most connections.
    pub(super) fn addresses(&self, most: usize) -> Vec<Holder<IpAddr>> {
        self.holders(most, |connection| connection.address)
    }

    /// The `most` networks with the most connections.
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
            holder.answering += usize::from(connection.is(ConnectionState::Answering));
            holder.oldest = holder.oldest.min(opened_at);
        }
        let mut holders: Vec<Holder<K>> = holders.into_values().collect();
        holders.sort_by_key(|holder| (std::cmp::Reverse(holder.connections), holder.of));
        holders.truncate(most);
        holders
    }

    fn lock(&self) -> MutexGuard<'_, OpenConnections> {
        // The lock is held for short updates only, so the counts are valid even after a panic.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for ConnectionGuard {
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

    fn open(all: &Arc<Connections>, address: &str) -> Result<ConnectionGuard, &'static str> {
        all.open(address.parse().expect("an address"))
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
            held.push(open(&all, address).expect("below the limit"));
        }
        assert_eq!(open(&all, "192.0.2.1").err(), Some("address_connections"));
        assert_eq!(open(&all, "192.0.2.2").err(), Some("network_connections"));
        held.extend(
            ["2001:db8:1:2::1", "2001:db8:1:2::2"].map(|each| open(&all, each).expect("below the limit")),
        );
        assert_eq!(open(&all, "2001:db8:1:2:3::").err(), Some("address_connections"), "of one /64");
        held.extend(["10.0.0.1"; 3].map(|each| open(&all, each).expect("a proxy's")));
        assert_eq!(open(&all, "198.51.100.1").err(), Some("connections"));
        let [first, ..] = &all.addresses(1)[..] else { panic!("one") };
        assert_eq!((first.of.to_string(), first.connections), ("10.0.0.1".to_owned(), 3));
        drop(held);
        let open = all.lock();
        assert!(open.connections.is_empty() && open.addresses.is_empty() && open.networks.is_empty());
    }

    #[test]
    fn by_default_an_address_has_half_and_a_network_three_quarters() {
        assert_eq!(
            of(|_| ()).limits(),
            ConnectionLimits { all: 10_000, per_address: 5_000, per_network: 7_500 }
        );
        let one = of(|limits| limits.max_connections = 1);
        assert_eq!(one.limits(), ConnectionLimits { all: 1, per_address: 1, per_network: 1 });
    }
}
