//! Limits on connections and requests, section `[limits]` of the file.

use std::net::IpAddr;
use std::str::FromStr;
use std::time::Duration;

use confique::Config;
use ipnet::IpNet;
use serde::Deserialize;

/// Limits at the door. The limits of bodies are top-level settings: `max_body_bytes` and others.
#[derive(Debug, Clone, Config)]
pub struct LimitSettings {
    /// Most connections that may be open at a time. A further one is closed at once, without an answer.
    #[config(env = "VITALS_LIMITS_MAX_CONNECTIONS", default = 10000)]
    pub max_connections: usize,

    /// Most connections of one address (IPv6: of one /64) that may be open at a time; a further one is closed at once. 0: half of
    /// `max_connections`, because a whole house may share one address. Trusted proxies have no limit.
    #[config(env = "VITALS_LIMITS_ADDRESS_CONNECTIONS", default = 0)]
    pub address_connections: usize,

    /// The same for one network: an IPv4 /24, an IPv6 /48. 0: three quarters of `max_connections`.
    #[config(env = "VITALS_LIMITS_NETWORK_CONNECTIONS", default = 0)]
    pub network_connections: usize,

    /// Largest request head, bytes; above, 431. A watch sends 300. It is also the size of the read buffer of each open connection:
    /// a larger one makes no batch faster (benches/README.md, "Overload").
    #[config(env = "VITALS_LIMITS_MAX_HEADER_BYTES", default = 16384)]
    pub max_header_bytes: usize,

    /// Most headers of a request; above, 431.
    #[config(env = "VITALS_LIMITS_MAX_HEADERS", default = 100)]
    pub max_headers: usize,

    /// Longest time a client may take to receive an answer, milliseconds; then its connection is closed.
    #[config(env = "VITALS_LIMITS_WRITE_TIMEOUT_MS", default = 30000)]
    pub write_timeout_ms: u64,

    /// Requests per second of one address (IPv6: of one /64), on average; above, 429 with Retry-After. 0: no limit. Events are not
    /// counted: a watch would lose the events behind a refused one.
    #[config(env = "VITALS_LIMITS_ADDRESS_REQUESTS_PER_SECOND", default = 0)]
    pub address_requests_per_second: u32,

    /// Requests of one address that may arrive at once. 0: as many as in a second.
    #[config(env = "VITALS_LIMITS_ADDRESS_BURST", default = 0)]
    pub address_burst: u32,

    /// Requests per second with one key, on average; above, 429 with Retry-After. 0: no limit. Events are not counted.
    #[config(env = "VITALS_LIMITS_KEY_REQUESTS_PER_SECOND", default = 0)]
    pub key_requests_per_second: u32,

    /// Requests with one key that may arrive at once. 0: as many as in a second.
    #[config(env = "VITALS_LIMITS_KEY_BURST", default = 0)]
    pub key_burst: u32,

    /// Requests without a valid key that one address may send per minute (they are answered 401 or 403); above, 429 with Retry-After.
    /// Requests with a key that is known to be valid are still answered.
    #[config(env = "VITALS_LIMITS_FAILURES_PER_MINUTE", default = 60)]
    pub failures_per_minute: u32,

    /// Proxies in front of the service whose X-Forwarded-For is trusted: addresses or networks (10.0.0.0/8). It is ignored from others.
    #[config(env = "VITALS_LIMITS_TRUSTED_PROXIES", default = [], parse_env = confique::env::parse::list_by_comma)]
    pub trusted_proxies: Vec<TrustedProxy>,
}

/// A proxy, or a network of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct TrustedProxy(pub IpNet);

/// This is neither an address nor a network.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is neither an address nor a network")]
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
    /// The size of one read from a connection.
    pub(super) const MIN_HEADER_BYTES: usize = 8192;

    /// `address_connections`, or its default.
    pub const fn max_connections_per_address(&self) -> usize {
        match self.address_connections {
            0 => self.max_connections.div_ceil(2),
            set => set,
        }
    }

    /// `network_connections`, or its default.
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
