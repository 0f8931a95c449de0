//! How Redis is reached: plain, or with TLS by rustls where `redis_url` begins with `rediss://`.
//!
//! Before: the settings. After: every connection of `cache`.
//! Promise: with TLS the certificate of Redis is verified, for its name, by `redis_ca` or else by what the machine trusts.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use redis::{Client, ClientTlsConfig, ConnectionAddr, TlsCertificates};

use super::CacheError;
use crate::config::Settings;

/// Prepares connections; makes none yet.
pub(super) fn client(settings: &Settings) -> Result<Client, CacheError> {
    let url = settings.redis_url.as_str();
    let read = |name, file: &PathBuf| match std::fs::read(file) {
        Ok(bytes) => Ok(bytes),
        Err(error) => Err(CacheError::Unreadable { name, file: file.clone(), error }),
    };
    let given = |file: &Path| !file.as_os_str().is_empty();
    let root_cert = given(&settings.redis_ca).then(|| read("redis_ca", &settings.redis_ca)).transpose()?;
    let client_tls = match given(&settings.redis_certificate) {
        false => None,
        true => Some(ClientTlsConfig {
            client_cert: read("redis_certificate", &settings.redis_certificate)?,
            client_key: read("redis_key", &settings.redis_key)?,
        }),
    };
    if root_cert.is_none() && client_tls.is_none() {
        return Ok(Client::open(url)?);
    }
    Ok(Client::build_with_tls(url, TlsCertificates { client_tls, root_cert })?)
}

/// Where Redis is, without anything secret; whether that is, or may be, another machine; whether it is encrypted.
pub(super) fn place(client: &Client) -> (String, bool, bool) {
    let address = client.get_connection_info().addr();
    let is_remote = |host: &str| {
        host != "localhost" && !host.parse().is_ok_and(|ip: IpAddr| ip.to_canonical().is_loopback())
    };
    let (is_remote, is_encrypted) = match address {
        ConnectionAddr::Tcp(host, _) => (is_remote(host), false),
        ConnectionAddr::TcpTls { host, .. } => (is_remote(host), true),
        _ => (false, false),
    };
    (address.to_string(), is_remote, is_encrypted)
}
