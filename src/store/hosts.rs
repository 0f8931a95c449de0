//! Which of the hosts of `database_url` a connection is made to.
//!
//! Before: `store::connect` needs a connection. After: `store::tls` connects to one host.
//! Promise: a host that does not answer costs a share of the time to connect, never all of it, and is tried last for a while; a host
//! that is not what `target_session_attrs` asks for is skipped; once another host accepts writes, or a server
//! accepts none any more, connections of before are closed.

pub(super) mod parameters;
mod primary_change;
mod url_host;

use std::collections::HashMap;
use std::future::pending;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use rand::seq::SliceRandom;
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_postgres::config::{LoadBalanceHosts, TargetSessionAttrs};
use tokio_postgres::{Client, Config, Error};

use super::error::describe;
use super::tls::{Connection, Connector, Tls};
use super::url;
use parameters::{DefaultTarget, Targets};
pub use primary_change::PrimaryChange;
use url_host::UrlHost;

/// How long a host that did not answer is tried after all others.
const SILENT_FOR: Duration = Duration::from_secs(30);

/// Connections to a server that stays read-only are closed no more often than this.
const DEMOTION_EVERY: Duration = Duration::from_secs(1);

/// The hosts, and what is known of them. Clones are the same.
#[derive(Clone)]
pub(super) struct Hosts(Arc<Shared>);

struct Shared {
    tls: Tls,
    hosts: Vec<UrlHost>,
    targets: Targets,
    /// Connections are spread over the hosts (`load_balance_hosts=random`).
    is_spread: bool,
    budget: Duration,
    outcomes: Mutex<HashMap<Address, Outcome>>,
    /// The host that accepts writes, where only one does.
    primary: watch::Sender<Option<Address>>,
    /// When a server was last found that accepts no writes any more.
    demoted_at: watch::Sender<Option<Instant>>,
}

/// One address of a host, by the number of the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Address {
    host: usize,
    /// `None`: it is a socket, or its name cannot be resolved.
    ip: Option<IpAddr>,
}

/// How the last attempt to connect to an address ended.
#[derive(Debug, Clone)]
enum Outcome {
    Connected,
    Failed(String),
    Silent { since: Instant, after: Duration },
}

/// A connection, and whether it is still to the right host.
pub(super) struct Connected {
    pub(super) client: Client,
    pub(super) connection: Connection,
    pub(super) supersession: Supersession,
}

/// Notices that another host accepts writes now, or that the server of the connection may accept none any more.
pub(super) struct Supersession {
    address: Address,
    connected_at: Instant,
    /// `None`: several hosts may be connected to.
    primary: Option<watch::Receiver<Option<Address>>>,
    demoted_at: watch::Receiver<Option<Instant>>,
}

impl Supersession {
    /// Ends when the connection should be closed.
    pub(super) async fn happened(&mut self) {
        let Self { address, connected_at, primary, demoted_at } = self;
        let another = async {
            let Some(primary) = primary else { return pending().await };
            primary.wait_for(|primary| primary.is_some_and(|primary| primary != *address)).await.is_ok()
        };
        let demoted =
            async { demoted_at.wait_for(|at| at.is_some_and(|at| at > *connected_at)).await.is_ok() };
        // The senders live as long as the hosts; without them nothing happens any more.
        tokio::select! {
            true = another => {}
            true = demoted => {}
            else => pending().await,
        }
    }
}

impl Hosts {
    /// Reads `url`; gives the settings of the driver too. `budget` is the longest time to connect.
    ///
    /// # Errors
    /// What is impossible, in words that do not repeat the URL.
    pub(super) fn of(
        url: &str,
        default_target: DefaultTarget,
        budget: Duration,
    ) -> Result<(Self, Config), String> {
        let names = [Tls::PARAMETERS.as_slice(), parameters::NAMES.as_slice()].concat();
        let (rest, given) = url::take(url, &names)?;
        let mut config: Config = rest.parse().map_err(|error: Error| describe(&error))?;
        // The driver wants a name for TLS where only addresses are given; libpq takes the address.
        if config.get_hosts().is_empty() {
            for address in config.get_hostaddrs().to_vec() {
                config.host(address.to_string());
            }
        }
        let hosts = UrlHost::all(&config)?;
        let tls = Tls::of(&mut config, &given)?;
        parameters::set_socket_options(&mut config, &given, budget)?;
        config.connect_timeout(budget);
        let targets = parameters::targets(&given, default_target, hosts.len())?;
        let is_spread = config.get_load_balance_hosts() == LoadBalanceHosts::Random;
        let (primary, demoted_at) = (watch::Sender::new(None), watch::Sender::new(None));
        let outcomes = Mutex::default();
        let shared = Shared { tls, hosts, targets, is_spread, budget, outcomes, primary, demoted_at };
        Ok((Self(Arc::new(shared)), config))
    }

    /// Connects to the first host that is as it should be. The last one is tried without an end: that is up to the caller.
    ///
    /// # Errors
    /// That of the last host; [`Hosts::report`] has those of all.
    pub(super) async fn connect(&self, config: &Config) -> Result<Connected, Error> {
        let until = Instant::now() + self.0.budget;
        let addresses = self.ordered_addresses().await;
        let targets = self.0.targets.iter();
        let attempts: Vec<_> =
            targets.flat_map(|target| addresses.iter().map(move |address| (*address, *target))).collect();
        let (last, others) = attempts.split_last().expect("a URL has a host");
        for (number, (address, target)) in others.iter().enumerate() {
            let left = u32::try_from(attempts.len() - number).unwrap_or(u32::MAX);
            let share = until.saturating_duration_since(Instant::now()) / left;
            if let Ok(Ok(connected)) = timeout(share, self.attempt(config, *address, *target)).await {
                return Ok(connected);
            }
        }
        self.attempt(config, last.0, last.1).await
    }

    /// Connects to each host by itself, whatever it is; gives their names too.
    pub(super) async fn connect_to_each(&self, config: &Config) -> Vec<(String, Result<Connected, String>)> {
        let hosts = self.0.hosts.iter().enumerate().map(|(number, host)| async move {
            let address = Address { host: number, ip: host.ip };
            let attempt = self.attempt(config, address, TargetSessionAttrs::Any);
            let connected = match timeout(self.0.budget, attempt).await {
                Ok(connected) => connected.map_err(|error| describe(&error)),
                Err(_) => Err("no answer in time".to_owned()),
            };
            (host.to_string(), connected)
        });
        join_all(hosts).await
    }

    async fn attempt(
        &self,
        config: &Config,
        address: Address,
        target: TargetSessionAttrs,
    ) -> Result<Connected, Error> {
        let mut attempt = Attempt { hosts: self, address, began: Instant::now(), outcome: None };
        let config = self.0.hosts[address.host].config(config, address.ip, target);
        // Boxed: a handshake is large, and every caller would carry it.
        match Box::pin(self.0.tls.connect(&config)).await {
            Ok((client, connection)) => {
                attempt.outcome = Some(Outcome::Connected);
                let supersession = self.supersession(address, target);
                Ok(Connected { client, connection, supersession })
            }
            Err(error) => {
                attempt.outcome = Some(Outcome::Failed(describe(&error)));
                Err(error)
            }
        }
    }

    /// Notes that this host accepts writes, where only one does.
    fn supersession(&self, address: Address, target: TargetSessionAttrs) -> Supersession {
        let primary = (self.follows_primary() && target == TargetSessionAttrs::ReadWrite).then(|| {
            self.0.primary.send_if_modified(|primary| {
                let former = primary.replace(address);
                if former.is_some_and(|former| former != address) {
                    let host = self.0.hosts[address.host].to_string();
                    tracing::warn!(host, "PostgreSQL accepts writes on another host now");
                }
                former != Some(address)
            });
            self.0.primary.subscribe()
        });
        let demoted_at = self.0.demoted_at.subscribe();
        Supersession { address, connected_at: Instant::now(), primary, demoted_at }
    }

    /// A server was found that accepts no writes any more: all connections made before are closed.
    pub(super) fn demoted(&self) {
        let now = Instant::now();
        self.0.demoted_at.send_if_modified(|demoted_at| {
            let is_new = demoted_at.is_none_or(|before| now.duration_since(before) > DEMOTION_EVERY);
            if is_new {
                *demoted_at = Some(now);
            }
            is_new
        });
    }

    fn follows_primary(&self) -> bool {
        !self.0.is_spread && matches!(self.0.targets, [TargetSessionAttrs::ReadWrite])
    }

    /// Ends at the next change of the host that accepts writes.
    pub(super) fn primary(&self) -> PrimaryChange {
        PrimaryChange(self.0.primary.subscribe())
    }

    /// All addresses in the order in which they are tried.
    async fn ordered_addresses(&self) -> Vec<Address> {
        let longest = self.0.budget / 4;
        let found = self.0.hosts.iter().enumerate().map(|(number, host)| async move {
            host.addresses(longest).await.into_iter().map(move |ip| Address { host: number, ip })
        });
        let mut addresses: Vec<Address> = join_all(found).await.into_iter().flatten().collect();
        if self.0.is_spread {
            addresses.shuffle(&mut rand::rng());
        }
        let primary = *self.0.primary.borrow();
        let outcomes = self.outcomes();
        addresses.sort_by_key(|address| {
            let is_silent = match outcomes.get(address) {
                Some(Outcome::Silent { since, .. }) => since.elapsed() < SILENT_FOR,
                _ => false,
            };
            (is_silent, self.follows_primary() && primary.is_some_and(|primary| primary != *address))
        });
        addresses
    }

    /// Whether there is more than one host.
    pub(super) fn are_several(&self) -> bool {
        self.0.hosts.len() > 1
    }

    /// What the last attempts said, host by host.
    pub(super) fn report(&self) -> String {
        let outcomes = self.outcomes();
        let mut known: Vec<_> = outcomes.iter().collect();
        known.sort_by_key(|(address, _)| (address.host, address.ip));
        let line = |(address, outcome): &(&Address, &Outcome)| {
            let host = &self.0.hosts[address.host];
            match outcome {
                Outcome::Connected => format!("{host}: answered"),
                Outcome::Failed(fault) => format!("{host}: {fault}"),
                Outcome::Silent { after, .. } => {
                    format!("{host}: no answer within {:.1} s", after.as_secs_f32())
                }
            }
        };
        known.iter().map(line).collect::<Vec<_>>().join("; ")
    }

    /// Hosts and ports, without anything secret.
    pub(super) fn names(&self) -> String {
        self.0.hosts.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    }

    /// Whether a host is, or may be, on another machine: only loopback and sockets are here for certain.
    pub(super) fn is_remote(&self) -> bool {
        self.0.hosts.iter().any(UrlHost::is_remote)
    }

    /// What encrypts a request to cancel.
    pub(super) async fn connector(&self) -> Connector {
        self.0.tls.connector().await
    }

    fn outcomes(&self) -> MutexGuard<'_, HashMap<Address, Outcome>> {
        // The lock is held for an assignment only; a thread that panicked left a complete value.
        self.0.outcomes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An attempt to connect. Dropped before it has ended, the host counts as silent.
struct Attempt<'a> {
    hosts: &'a Hosts,
    address: Address,
    began: Instant,
    outcome: Option<Outcome>,
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        let silent = || Outcome::Silent { since: Instant::now(), after: self.began.elapsed() };
        let outcome = self.outcome.take().unwrap_or_else(silent);
        self.hosts.outcomes().insert(self.address, outcome);
    }
}
