//! Settings of what one address or one key may ask, section `[limits]` of the file.

use std::net::IpAddr;
use std::str::FromStr;
use std::time::Duration;

use confique::Config;
use ipnet::IpNet;
use serde::Deserialize;

/// Bounds at the door. Bodies have theirs at the top: `max_body_bytes` and its kin.
#[derive(Debug, Clone, Config)]
pub struct LimitSettings {
    /// Connections that may be open at a time. One more is closed at once, unanswered.
    #[config(env = "VITALS_LIMITS_MAX_CONNECTIONS", default = 10000)]
    pub max_connections: usize,

    /// Connections of one address (IPv6: of one /64) that may be open at a time; one more is closed at once. 0: half of
    /// `max_connections`, for whole houses are behind one address. Trusted proxies have no limit.
    #[config(env = "VITALS_LIMITS_ADDRESS_CONNECTIONS", default = 0)]
    pub address_connections: usize,

    /// The same of one network: an IPv4 /24, an IPv6 /48. 0: three quarters of `max_connections`.
    #[config(env = "VITALS_LIMITS_NETWORK_CONNECTIONS", default = 0)]
    pub network_connections: usize,

    /// Largest request head, bytes; above, 431. A watch sends 300. It is also the most that is read of a connection at once, and
    /// held as long as it is open: more makes no batch quicker (benches/README.md, "Overload").
    #[config(env = "VITALS_LIMITS_MAX_HEADER_BYTES", default = 16384)]
    pub max_header_bytes: usize,

    /// Most headers of a request; above, 431.
    #[config(env = "VITALS_LIMITS_MAX_HEADERS", default = 100)]
    pub max_headers: usize,

    /// Longest that a client may leave an answer untaken, milliseconds; then its connection is closed.
    #[config(env = "VITALS_LIMITS_WRITE_TIMEOUT_MS", default = 30000)]
    pub write_timeout_ms: u64,

    /// Requests a second of one address (IPv6: of one /64), on the average; above, 429 with Retry-After. 0: any number. Events
    /// are not counted: a watch would lose those behind it.
    #[config(env = "VITALS_LIMITS_ADDRESS_REQUESTS_PER_SECOND", default = 0)]
    pub address_requests_per_second: u32,

    /// Requests of one address that may come at once. 0: as many as in a second.
    #[config(env = "VITALS_LIMITS_ADDRESS_BURST", default = 0)]
    pub address_burst: u32,

    /// Requests a second with one key, on the average; above, 429 with Retry-After. 0: any number. Events are not counted.
    #[config(env = "VITALS_LIMITS_KEY_REQUESTS_PER_SECOND", default = 0)]
    pub key_requests_per_second: u32,

    /// Requests with one key that may come at once. 0: as many as in a second.
    #[config(env = "VITALS_LIMITS_KEY_BURST", default = 0)]
    pub key_burst: u32,

    /// Requests without the right key (401, 403) that are told so, of one address, a minute; above, 429 with Retry-After. Who has
    /// a key that is known to do is answered all the while.
    #[config(env = "VITALS_LIMITS_FAILURES_PER_MINUTE", default = 60)]
    pub failures_per_minute: u32,

    /// TrustedProxy in front, whose X-Forwarded-For is believed: addresses or networks (10.0.0.0/8). Anybody else's is not looked at.
    #[config(env = "VITALS_LIMITS_TRUSTED_PROXIES", default = [], parse_env = confique::env::parse::list_by_comma)]
    pub trusted_proxies: Vec<TrustedProxy>,
}

/// A proxy, or a network of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct TrustedProxy(pub IpNet);

/// This is no address.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no address and no network")]
pub struct InvalidNetwork(String);

impl FromStr for TrustedProxy {
    type Err = InvalidNetwork;

    fn from_str(text: &str) -> Result<Self, InvalidNetwork> {
        let text = text.trim();
        let net = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
        net.map(Self).map_err(|_| InvalidNetwork(text.to_owned()))
    }
}

impl TryFrom<String> for TrustedProxy {
    type Error = InvalidNetwork;

    fn try_from(text: String) -> Result<Self, InvalidNetwork> {
        text.parse()
    }
}

impl LimitSettings {
    /// What is read of a connection at once.
    pub(super) const MIN_HEADER_BYTES: usize = 8192;

    /// `address_connections`, or what it is by default.
    pub const fn max_connections_per_address(&self) -> usize {
        match self.address_connections {
            0 => self.max_connections.div_ceil(2),
            set => set,
        }
    }

    /// `network_connections`, or what it is by default.
    pub const fn max_connections_per_network(&self) -> usize {
        match self.network_connections {
            0 => self.max_connections - self.max_connections / 4,
            set => set,
        }
    }

    /// `write_timeout_ms` as a duration.
    pub const fn write_timeout(&self) -> Duration {
        Duration::from_millis(self.write_timeout_ms)
    }
}
