//! TLS to PostgreSQL, by rustls: `sslmode`, `sslrootcert`, `sslcert` and `sslkey` of `database_url` as libpq means them.
//!
//! Before: `store::hosts` has chosen a host. After: the server.
//! Promise: every connection of the service is made by [`Tls::connect`]. One that has to be encrypted or verified, and
//! cannot be, is not made. Files are read again for each connection, so a renewed certificate needs no restart.

mod parameters;
mod verify;

use std::error::Error as _;
use std::io;
use std::sync::Arc;

use tokio_postgres::config::{Host, SslMode as Negotiation};
use tokio_postgres::error::SqlState;
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{Client, Config, Error, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;
use tokio_rustls::rustls;

use super::url::Parameters;
use crate::tasks;
use parameters::{Files, SslMode};

/// A connection that is or is not encrypted, as was negotiated.
pub(super) type Connection =
    tokio_postgres::Connection<Socket, <MakeRustlsConnect as MakeTlsConnect<Socket>>::Stream>;

/// How connections to the server are encrypted and the server is verified.
#[derive(Clone)]
pub(super) struct Tls {
    mode: SslMode,
    files: Files,
    /// Where there is no file that may change.
    fixed: Option<MakeRustlsConnect>,
}

impl Tls {
    /// The parameters of a URL that say how to encrypt.
    pub(super) const PARAMETERS: [&str; 4] = parameters::NAMES;

    /// How the URL says to encrypt: its parameters are `given`; of `config` it has the hosts, and is told the negotiation.
    ///
    /// # Errors
    /// What is impossible, in words that do not repeat the URL.
    pub(super) fn of(config: &mut Config, given: &Parameters) -> Result<Self, String> {
        let has_sockets_only = !config.get_hosts().is_empty()
            && config.get_hosts().iter().all(|host| matches!(host, Host::Unix(_)));
        let (mode, files) = parameters::interpret(given)?;
        // As libpq: a socket of this machine is never encrypted.
        let mode = if has_sockets_only { SslMode::Disable } else { mode };
        config.ssl_mode(match mode {
            SslMode::Disable => Negotiation::Disable,
            SslMode::Prefer => Negotiation::Prefer,
            SslMode::Require | SslMode::VerifyCa | SslMode::VerifyFull => Negotiation::Require,
        });
        let files = if mode == SslMode::Disable { Files::NONE } else { files };
        let mut tls = Self { mode, files, fixed: None };
        // Read here once, so that a file that is missing is reported at start.
        let first = tls.client()?;
        if tls.files == Files::NONE {
            tls.fixed = Some(first);
        }
        Ok(tls)
    }

    fn client(&self) -> Result<MakeRustlsConnect, String> {
        verify::client(self.mode, &self.files)
    }

    /// Connects; with `sslmode=prefer` without encryption where it cannot be had.
    ///
    /// # Errors
    /// The server cannot be reached, is not the one it should be, or does not let us in.
    pub(super) async fn connect(&self, config: &Config) -> Result<(Client, Connection), Error> {
        let connector = self.connector().await;
        match config.connect(connector.clone()).await {
            Err(error) if self.mode == SslMode::Prefer && may_do_without(&error) => {
                let mut plain = config.clone();
                plain.ssl_mode(Negotiation::Disable);
                plain.connect(connector).await.map_err(|_| error)
            }
            connected => connected,
        }
    }

    /// What encrypts the next connection, or a request to cancel.
    pub(super) async fn connector(&self) -> Connector {
        match &self.fixed {
            Some(fixed) => Connector(Ok(fixed.clone())),
            None => {
                let tls = self.clone();
                Connector(tasks::run_blocking(move || tls.client()).await)
            }
        }
    }
}

/// Encrypts, or says which file it could not read.
#[derive(Clone)]
pub(super) struct Connector(Result<MakeRustlsConnect, String>);

impl MakeTlsConnect<Socket> for Connector {
    type Stream = <MakeRustlsConnect as MakeTlsConnect<Socket>>::Stream;
    type TlsConnect = <MakeRustlsConnect as MakeTlsConnect<Socket>>::TlsConnect;
    type Error = io::Error;

    fn make_tls_connect(&mut self, host: &str) -> Result<Self::TlsConnect, io::Error> {
        let tls = self.0.as_mut().map_err(|fault| io::Error::other(fault.clone()))?;
        MakeTlsConnect::<Socket>::make_tls_connect(tls, host)
            .map_err(|never| io::Error::other(never.to_string()))
    }
}

/// The handshake failed, or `pg_hba.conf` has no entry for connections that are encrypted.
fn may_do_without(error: &Error) -> bool {
    let handshake =
        error.source().and_then(|source| source.downcast_ref::<io::Error>()).and_then(io::Error::get_ref);
    handshake.is_some_and(|inner| inner.is::<rustls::Error>())
        || error.code() == Some(&SqlState::INVALID_AUTHORIZATION_SPECIFICATION)
}

/// Kept together: the library that encrypts is named in one place.
type Provider = Arc<rustls::crypto::CryptoProvider>;

fn provider() -> Provider {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}
