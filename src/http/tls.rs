//! TLS for the listener: the certificate, and its renewal.
//!
//! Before: the settings name two files. After: `server` makes the handshake of each connection.
//! Promise: TLS 1.2 and 1.3, by rustls. A renewed certificate is used for new connections within [`FOLLOW_EVERY`] after both files
//! match; while they do not match, the last valid one is used.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest, Sha256};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{self, ServerConfig};
use tokio_util::sync::CancellationToken;

use crate::config::Settings;

/// How often the files are checked. Whoever renews them writes one after the other.
pub const FOLLOW_EVERY: Duration = Duration::from_secs(2);

/// Why a certificate cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("{file}: {source}")]
    Unreadable {
        /// Which.
        file: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file holds nothing of its kind.
    #[error("{file} holds no {what} in PEM")]
    Empty {
        /// Which.
        file: PathBuf,
        /// What is missing.
        what: &'static str,
    },
    /// The key does not belong to the certificate, or is of an unknown kind.
    #[error("tls_certificate and tls_key: {0}")]
    Invalid(#[from] rustls::Error),
}

/// The certificate in use. Clones share it.
#[derive(Clone)]
pub struct Tls {
    certificate: PathBuf,
    key: PathBuf,
    config: Arc<watch::Sender<Arc<ServerConfig>>>,
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls").field("certificate", &self.certificate).finish_non_exhaustive()
    }
}

impl Tls {
    /// Reads the files; `None`: the settings name none.
    ///
    /// # Errors
    /// [`TlsError`].
    pub async fn of(settings: &Settings) -> Result<Option<Self>, TlsError> {
        if !settings.has_tls() {
            return Ok(None);
        }
        let (certificate, key) = (settings.tls_certificate.clone(), settings.tls_key.clone());
        let config = read(&certificate, &key).await?.config()?;
        Ok(Some(Self { certificate, key, config: Arc::new(watch::Sender::new(config)) }))
    }

    /// For the next connection.
    pub(super) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(Arc::clone(&self.config.borrow()))
    }

    /// Follows changes of the files until `stop`.
    pub async fn follow(self, stop: CancellationToken) {
        let mut last = None;
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(FOLLOW_EVERY) => {}
            }
            let found = read(&self.certificate, &self.key).await;
            let what = found.as_ref().map_err(ToString::to_string).map(Files::digest);
            // The result for the same files is logged once.
            if last.as_ref() == Some(&what) {
                continue;
            }
            match found.and_then(|files| files.config()) {
                Ok(config) => {
                    let is_first_check = last.is_none();
                    self.config.send_replace(config);
                    if !is_first_check {
                        tracing::info!("the certificate was read again");
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "the certificate was not read again, the last one holds")
                }
            }
            last = Some(what);
        }
    }
}

struct Files {
    certificate: (PathBuf, Vec<u8>),
    key: (PathBuf, Vec<u8>),
}

async fn read(certificate: &PathBuf, key: &PathBuf) -> Result<Files, TlsError> {
    let file = async |file: &PathBuf| match tokio::fs::read(file).await {
        Ok(bytes) => Ok((file.clone(), bytes)),
        Err(source) => Err(TlsError::Unreadable { file: file.clone(), source }),
    };
    Ok(Files { certificate: file(certificate).await?, key: file(key).await? })
}

impl Files {
    fn digest(&self) -> [u8; 32] {
        Sha256::new().chain_update(&self.certificate.1).chain_update(&self.key.1).finalize().into()
    }

    fn config(&self) -> Result<Arc<ServerConfig>, TlsError> {
        let empty = |file: &PathBuf, what| TlsError::Empty { file: file.clone(), what };
        let (file, bytes) = &self.certificate;
        let chain: Vec<_> = CertificateDer::pem_slice_iter(bytes).filter_map(Result::ok).collect();
        if chain.is_empty() {
            return Err(empty(file, "certificate"));
        }
        let (file, bytes) = &self.key;
        let key = PrivateKeyDer::from_pem_slice(bytes).map_err(|_| empty(file, "private key"))?;
        let mut config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_protocol_versions(&[&TLS13, &TLS12])?
            .with_no_client_auth()
            .with_single_cert(chain, key)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }
}
