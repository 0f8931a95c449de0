//! How Redis is reached: plain, or with TLS by rustls where its URL begins with `rediss://`; at one address, or at several nodes of a
//! cluster.
//!
//! Before: the settings. After: every connection of `cache`.
//! Promise: with TLS the certificate of Redis is verified, for its name, by `redis.ca` or else by what the machine trusts.

use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use redis::cluster::ClusterClient;
use redis::{Client, ClientTlsConfig, ConnectionAddr, TlsCertificates};

use super::CacheError;
use crate::config::RedisSettings;

/// Retries of one command while a cluster changes: a redirection, a failover that is just over.
const CLUSTER_RETRIES: u32 = 4;

/// Shortest and longest wait before such a retry, milliseconds.
const CLUSTER_RETRY_MS: (u64, u64) = (10, 200);

/// The addresses that a URL names.
pub(super) struct Servers {
    /// One for each address, at least one.
    pub(super) clients: Vec<Client>,
    certificates: Option<TlsCertificates>,
}

impl Servers {
    /// Prepares connections; opens none yet.
    pub(super) fn new(url: &str, files: &RedisSettings) -> Result<Self, CacheError> {
        let certificates = certificates(files)?;
        let client = |url: &str| match &certificates {
            None => Client::open(url),
            Some(certificates) => Client::build_with_tls(url, certificates.clone()),
        };
        let clients = urls(url).iter().map(|url| client(url)).collect::<Result<_, _>>()?;
        Ok(Self { clients, certificates })
    }

    /// A client of the cluster that has these nodes. `deadline` is for a whole call, in which a node that does not answer must leave time
    /// to ask others.
    pub(super) fn cluster_client(&self, deadline: Duration) -> Result<ClusterClient, CacheError> {
        let nodes = self.clients.iter().map(|client| client.get_connection_info().clone());
        let (shortest, longest) = CLUSTER_RETRY_MS;
        let mut builder = ClusterClient::builder(nodes)
            .retries(CLUSTER_RETRIES)
            .min_retry_wait(shortest)
            .max_retry_wait(longest)
            .connection_timeout(deadline / 3);
        if let Some(certificates) = &self.certificates {
            builder = builder.certs(certificates.clone());
        }
        Ok(builder.build()?)
    }

    /// Where they are.
    pub(super) fn endpoint(&self) -> Endpoint {
        let addresses = || self.clients.iter().map(|client| client.get_connection_info().addr());
        Endpoint {
            addresses: addresses().map(ToString::to_string).collect::<Vec<_>>().join(", "),
            is_remote: addresses().any(is_remote),
            is_encrypted: addresses().all(|address| matches!(address, ConnectionAddr::TcpTls { .. })),
        }
    }
}

/// Where Redis is.
pub(super) struct Endpoint {
    /// Host and port, or the path of a socket; nothing secret.
    pub(super) addresses: String,
    /// Whether it is, or may be, on another machine.
    pub(super) is_remote: bool,
    pub(super) is_encrypted: bool,
}

fn is_remote(address: &ConnectionAddr) -> bool {
    match address {
        ConnectionAddr::Tcp(host, _) | ConnectionAddr::TcpTls { host, .. } => {
            host != "localhost" && !host.parse().is_ok_and(|ip: IpAddr| ip.to_canonical().is_loopback())
        }
        _ => false,
    }
}

fn certificates(files: &RedisSettings) -> Result<Option<TlsCertificates>, CacheError> {
    let read = |name, file: &Path| {
        std::fs::read(file).map_err(|error| CacheError::Unreadable { name, file: file.to_owned(), error })
    };
    let root_cert = RedisSettings::file(&files.ca).map(|file| read("redis.ca", file)).transpose()?;
    let client_tls = match (RedisSettings::file(&files.certificate), RedisSettings::file(&files.key)) {
        (Some(certificate), Some(key)) => Some(ClientTlsConfig {
            client_cert: read("redis.certificate", certificate)?,
            client_key: read("redis.key", key)?,
        }),
        _ => None,
    };
    let is_needed = root_cert.is_some() || client_tls.is_some();
    Ok(is_needed.then_some(TlsCertificates { client_tls, root_cert }))
}

/// A URL for each host of `redis://user:password@host:port,host:port/0`.
fn urls(redis_url: &str) -> Vec<String> {
    let Some((scheme, rest)) = redis_url.split_once("://") else { return vec![redis_url.to_owned()] };
    let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let (user, hosts) = authority.split_at(authority.rfind('@').map_or(0, |at| at + 1));
    hosts.split(',').map(|host| format!("{scheme}://{user}{}{path}", host.trim())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_address_of_a_url_has_the_same_user_and_path() {
        assert_eq!(urls("redis://127.0.0.1:6379/3"), ["redis://127.0.0.1:6379/3"]);
        assert_eq!(urls("redis+unix:///run/a,b.sock"), ["redis+unix:///run/a,b.sock"]);
        let several = urls("rediss://u:p,w@a:1,[::1]:2, c/0?protocol=resp3");
        assert_eq!(
            several,
            [
                "rediss://u:p,w@a:1/0?protocol=resp3",
                "rediss://u:p,w@[::1]:2/0?protocol=resp3",
                "rediss://u:p,w@c/0?protocol=resp3"
            ]
        );
    }

    #[test]
    fn several_addresses_are_remote_if_one_is() {
        let servers =
            |url: &str| Servers::new(url, &crate::config::Settings::defaults().redis).expect("a URL");
        assert!(!servers("redis://127.0.0.1:1,localhost:2").endpoint().is_remote);
        let endpoint = servers("redis://127.0.0.1:1,10.0.0.1:2").endpoint();
        assert!(endpoint.is_remote && !endpoint.is_encrypted);
        assert_eq!(endpoint.addresses, "127.0.0.1:1, 10.0.0.1:2");
    }
}
