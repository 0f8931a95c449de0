//! What a database URL says of TLS, in the words of libpq.
//!
//! Before: `store::url` takes the parameters out of `database_url`. After: `store::tls` connects.
//! Promise: a combination that libpq refuses is refused.
//! Source: PostgreSQL manual, "Database Connection Control Functions" and "SSL Support".

use std::path::PathBuf;

use crate::store::url::Parameters;

/// Parameters that the driver does not know, or knows in part.
pub(super) const NAMES: [&str; 4] = ["sslmode", "sslrootcert", "sslcert", "sslkey"];

/// `sslrootcert=system`: whom the machine trusts.
const SYSTEM: &str = "system";

/// How much is asked of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SslMode {
    /// No encryption.
    Disable,
    /// Encryption where the server offers it.
    Prefer,
    /// Encryption, and a certificate of a CA of ours where one is named.
    Require,
    /// Encryption, and a certificate of a CA of ours.
    VerifyCa,
    /// The same, for the name of the host.
    VerifyFull,
}

impl SslMode {
    fn parse(word: &str) -> Result<Self, String> {
        Ok(match word {
            "disable" => Self::Disable,
            "prefer" => Self::Prefer,
            "require" => Self::Require,
            "verify-ca" => Self::VerifyCa,
            "verify-full" => Self::VerifyFull,
            _ => {
                return Err(format!(
                    "sslmode = {word} is none of disable, prefer, require, verify-ca, verify-full"
                ));
            }
        })
    }
}

/// Certificates of CAs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Roots {
    /// No certificate is verified.
    None,
    /// Those the machine trusts.
    System,
    /// Those of a file.
    File(PathBuf),
}

/// Files, PEM each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Files {
    pub(super) roots: Roots,
    /// The chain of our own certificate, and its key.
    pub(super) identity: Option<(PathBuf, PathBuf)>,
}

impl Files {
    pub(super) const NONE: Self = Self { roots: Roots::None, identity: None };
}

/// What is given together is possible, and means this.
pub(super) fn interpret(given: &Parameters) -> Result<(SslMode, Files), String> {
    let value = |name| given.value(name);
    let mode = value("sslmode").map(SslMode::parse).transpose()?;
    let roots = match value("sslrootcert") {
        None => Roots::None,
        Some(SYSTEM) => Roots::System,
        Some(file) => Roots::File(file.into()),
    };
    let mode = match (mode, &roots) {
        (None, Roots::System) => SslMode::VerifyFull,
        (Some(mode), Roots::System) if mode != SslMode::VerifyFull => {
            return Err(
                "sslrootcert=system needs sslmode=verify-full: anybody can have a certificate of a public CA"
                    .to_owned(),
            );
        }
        (Some(SslMode::VerifyCa | SslMode::VerifyFull), Roots::None) => {
            return Err("sslmode=verify-ca and verify-full need sslrootcert: a file of CA certificates (PEM), or `system`"
                .to_owned());
        }
        (Some(SslMode::Require), Roots::File(_)) => SslMode::VerifyCa,
        (mode, _) => mode.unwrap_or(SslMode::Prefer),
    };
    let identity = match (value("sslcert"), value("sslkey")) {
        (None, None) => None,
        (Some(certificate), Some(key)) => Some((certificate.into(), key.into())),
        _ => return Err("sslcert and sslkey go together: both are files, or neither is".to_owned()),
    };
    Ok((mode, Files { roots, identity }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::url::take;

    fn read(url: &str) -> Result<(SslMode, Files), String> {
        interpret(&take(url, &NAMES)?.1)
    }

    #[test]
    fn modes_are_those_of_libpq() {
        let mode = |url: &str| read(url).map(|(mode, _)| mode);
        assert_eq!(mode("postgres://db"), Ok(SslMode::Prefer));
        assert_eq!(mode("postgres://db?sslmode=require"), Ok(SslMode::Require));
        assert_eq!(mode("postgres://db?sslmode=require&sslrootcert=ca.pem"), Ok(SslMode::VerifyCa));
        assert_eq!(mode("postgres://db?sslrootcert=system"), Ok(SslMode::VerifyFull));
        assert_eq!(
            mode("host=db sslmode=disable sslmode=verify-ca sslrootcert=ca.pem"),
            Ok(SslMode::VerifyCa)
        );
    }

    #[test]
    fn what_libpq_refuses_is_refused() {
        for (url, reason) in [
            ("postgres://db?sslmode=verify-full", "sslrootcert"),
            ("postgres://db?sslmode=verify-ca&sslrootcert=", "sslrootcert"),
            ("postgres://db?sslmode=require&sslrootcert=system", "verify-full"),
            ("postgres://db?sslmode=on", "none of"),
            ("postgres://db?sslcert=a.pem", "sslkey"),
            ("host=db sslkey=a.key", "sslcert"),
        ] {
            let refusal = read(url).unwrap_err();
            assert!(refusal.contains(reason), "{url}: {refusal}");
        }
    }
}
