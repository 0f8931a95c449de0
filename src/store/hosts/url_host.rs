//! One host of the URL: where it is, and the settings of a connection to it.
//!
//! Before: `store::hosts` chooses it. After: `store::tls` connects.

use std::net::IpAddr;
use std::time::Duration;

use tokio::net::lookup_host;
use tokio::time::timeout;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, TargetSessionAttrs};

/// One host of the URL.
pub(super) struct UrlHost {
    host: Host,
    pub(super) ip: Option<IpAddr>,
    port: u16,
}

impl UrlHost {
    /// Those of the URL.
    ///
    /// # Errors
    /// There is none, or the lists do not match.
    pub(super) fn all(config: &Config) -> Result<Vec<Self>, String> {
        let (hosts, ips, ports) = (config.get_hosts(), config.get_hostaddrs(), config.get_ports());
        if hosts.is_empty() {
            return Err("it names no host".to_owned());
        }
        if ports.len() > 1 && ports.len() != hosts.len() || !ips.is_empty() && ips.len() != hosts.len() {
            return Err("hosts, addresses and ports are not as many".to_owned());
        }
        let host = |(number, host): (usize, &Host)| Self {
            host: host.clone(),
            ip: ips.get(number).copied(),
            port: ports.get(number).or(ports.first()).copied().unwrap_or(5432),
        };
        Ok(hosts.iter().enumerate().map(host).collect())
    }

    /// Where it is; a name that is not resolved in time is left to the driver, which says so.
    pub(super) async fn addresses(&self, longest: Duration) -> Vec<Option<IpAddr>> {
        let Host::Tcp(name) = &self.host else { return vec![None] };
        if let Some(ip) = self.ip.or_else(|| name.parse().ok()) {
            return vec![Some(ip)];
        }
        match timeout(longest, lookup_host((name.as_str(), self.port))).await {
            Ok(Ok(found)) => found.map(|address| Some(address.ip())).collect(),
            _ => vec![None],
        }
    }

    /// The settings of `config` for this host alone: the driver cannot remove hosts from its settings.
    pub(super) fn config(&self, config: &Config, ip: Option<IpAddr>, target: TargetSessionAttrs) -> Config {
        let mut own = Config::new();
        match &self.host {
            Host::Tcp(name) => own.host(name),
            Host::Unix(folder) => own.host_path(folder),
        };
        if let Some(ip) = ip {
            own.hostaddr(ip);
        }
        own.port(self.port)
            .target_session_attrs(target)
            .ssl_mode(config.get_ssl_mode())
            .ssl_negotiation(config.get_ssl_negotiation())
            .channel_binding(config.get_channel_binding())
            .keepalives(config.get_keepalives())
            .keepalives_idle(config.get_keepalives_idle());
        if let Some(user) = config.get_user() {
            own.user(user);
        }
        if let Some(password) = config.get_password() {
            own.password(password);
        }
        if let Some(database) = config.get_dbname() {
            own.dbname(database);
        }
        if let Some(options) = config.get_options() {
            own.options(options);
        }
        if let Some(name) = config.get_application_name() {
            own.application_name(name);
        }
        if let Some(longest) = config.get_connect_timeout() {
            own.connect_timeout(*longest);
        }
        if let Some(longest) = config.get_tcp_user_timeout() {
            own.tcp_user_timeout(*longest);
        }
        if let Some(interval) = config.get_keepalives_interval() {
            own.keepalives_interval(interval);
        }
        if let Some(retries) = config.get_keepalives_retries() {
            own.keepalives_retries(retries);
        }
        own
    }

    /// Whether it is, or may be, on another machine.
    pub(super) fn is_remote(&self) -> bool {
        let Host::Tcp(name) = &self.host else { return false };
        // Where both are given, the address is what is connected to.
        match self.ip.or_else(|| name.parse().ok()) {
            Some(ip) => !ip.to_canonical().is_loopback(),
            None => name != "localhost",
        }
    }
}

impl std::fmt::Display for UrlHost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.host {
            Host::Tcp(name) => write!(f, "{name}:{}", self.port),
            Host::Unix(folder) => write!(f, "{}:{}", folder.display(), self.port),
        }
    }
}
