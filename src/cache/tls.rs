//! How Redis is reached: plain, or with TLS by rustls where `redis_url` begins with `rediss://`.
//!
//! Before: the settings. After: every connection of `cache`.
//! Promise: with TLS the certificate of Redis is verified, for its name, by `redis.ca` or else by what the machine trusts.

use std::net::IpAddr;
use std::path::Path;

use redis::{Client, ClientTlsConfig, ConnectionAddr, TlsCertificates};

use super::CacheError;
use crate::config::{RedisSettings, Settings};

/// Prepares connections; opens none yet.
pub(super) fn client(settings: &Settings) -> Result<Client, CacheError> {
    let url = settings.redis_url.as_str();
    let read = |name, file: &Path| {
        std::fs::read(file).map_err(|error| CacheError::Unreadable { name, file: file.to_owned(), error })
    };
    let files = &settings.redis;
    let root_cert = RedisSettings::file(&files.ca).map(|file| read("redis.ca", file)).transpose()?;
    let client_tls = match (RedisSettings::file(&files.certificate), RedisSettings::file(&files.key)) {
        (Some(certificate), Some(key)) => Some(ClientTlsConfig {
            client_cert: read("redis.certificate", certificate)?,
            client_key: read("redis.key", key)?,
        }),
        _ => None,
    };
    if root_cert.is_none() && client_tls.is_none() {
        return Ok(Client::open(url)?);
    }
    Ok(Client::build_with_tls(url, TlsCertificates { client_tls, root_cert })?)
}

/// Where Redis is.
pub(super) struct Endpoint {
    /// Host and port, or the path of a socket; nothing secret.
    pub(super) address: String,
    /// Whether it is, or may be, on another machine.
    pub(super) is_remote: bool,
    pub(super) is_encrypted: bool,
}

/// Where `client` connects to.
pub(super) fn endpoint(client: &Client) -> Endpoint {
    let address = client.get_connection_info().addr();
    let is_remote = |host: &str| {
        host != "localhost" && !host.parse().is_ok_and(|ip: IpAddr| ip.to_canonical().is_loopback())
    };
    let (is_remote, is_encrypted) = match address {
        ConnectionAddr::Tcp(host, _) => (is_remote(host), false),
        ConnectionAddr::TcpTls { host, .. } => (is_remote(host), true),
        _ => (false, false),
    };
    Endpoint { address: address.to_string(), is_remote, is_encrypted }
}
