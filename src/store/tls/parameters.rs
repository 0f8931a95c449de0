//! What a database URL says of TLS, in the words of libpq.
//!
//! Before: `database_url`, as a URL or a list of `key=value`. After: `store::tls` connects.
//! Promise: the driver is given the rest exactly as it was; a combination that libpq refuses is refused; nothing of the URL is
//! repeated but the names and values of these four.
//! Source: PostgreSQL manual, "Database Connection Control Functions" and "SSL Support".

use std::path::PathBuf;

use percent_encoding::percent_decode_str;

/// Parameters that the driver does not know, or knows in part.
const OURS: [&str; 4] = ["sslmode", "sslrootcert", "sslcert", "sslkey"];

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

/// What was given: names of [`OURS`] and their values, in order.
pub(super) type ParameterList = Vec<(&'static str, String)>;

/// What is given together is possible, and means this.
pub(super) fn interpret(given: &ParameterList) -> Result<(SslMode, Files), String> {
    // As libpq: the last of a name counts, and an empty value is none.
    let value = |name| given.iter().rev().find(|(each, _)| *each == name).map(|(_, value)| value.as_str());
    let value = |name| value(name).filter(|value| !value.is_empty());
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

/// Takes our parameters out: the rest, and what was taken.
pub(super) fn take(url: &str) -> Result<(String, ParameterList), String> {
    if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        take_of_url(url)
    } else {
        take_of_list(url)
    }
}

fn ours(name: &str) -> Option<&'static str> {
    OURS.into_iter().find(|each| *each == name)
}

fn take_of_url(url: &str) -> Result<(String, ParameterList), String> {
    // A password may hold a question mark; it ends at the first @, as the driver reads it.
    let after_password = url.find('@').unwrap_or(0);
    let Some(at) = url[after_password..].find('?').map(|at| after_password + at) else {
        return Ok((url.to_owned(), ParameterList::new()));
    };
    let (address, query) = (&url[..at], &url[at + 1..]);
    let mut given = ParameterList::new();
    let mut rest = Vec::new();
    for parameter in query.split('&') {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        match ours(name) {
            None => rest.push(parameter),
            Some(name) => {
                let value = percent_decode_str(value).decode_utf8();
                given.push((name, value.map_err(|_| format!("{name} is not UTF-8"))?.into_owned()));
            }
        }
    }
    let separator = if rest.is_empty() { "" } else { "?" };
    Ok((format!("{address}{separator}{}", rest.join("&")), given))
}

/// `key=value`, with white space around the sign and between them; a value may be in quotes, and `\` takes the next sign as
/// it is.
fn take_of_list(list: &str) -> Result<(String, ParameterList), String> {
    let mut given = ParameterList::new();
    let mut rest = String::new();
    let mut left = list.trim_start();
    while !left.is_empty() {
        let entry = left;
        let unreadable = || "is neither a postgres:// URL nor a list of key=value".to_owned();
        let (name, after) = left.split_once('=').ok_or_else(unreadable)?;
        let (value, after) = value_of(after.trim_start()).ok_or_else(unreadable)?;
        left = after.trim_start();
        match ours(name.trim_end()) {
            Some(name) => given.push((name, value)),
            None => {
                rest.push_str(entry[..entry.len() - left.len()].trim_end());
                rest.push(' ');
            }
        }
    }
    Ok((rest.trim_end().to_owned(), given))
}

/// The value that `text` begins with, and what is behind it.
fn value_of(text: &str) -> Option<(String, &str)> {
    let is_quoted = text.starts_with('\'');
    let text = text.strip_prefix('\'').unwrap_or(text);
    let mut value = String::new();
    let mut signs = text.char_indices();
    while let Some((at, sign)) = signs.next() {
        match sign {
            '\'' if is_quoted => return Some((value, &text[at + 1..])),
            '\\' => value.push(signs.next()?.1),
            sign if !is_quoted && sign.is_whitespace() => return Some((value, &text[at..])),
            sign => value.push(sign),
        }
    }
    (!is_quoted).then_some((value, ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(url: &str) -> Result<(SslMode, Files), String> {
        interpret(&take(url)?.1)
    }

    #[test]
    fn a_url_keeps_what_is_not_of_tls() {
        let (rest, given) = take(
            "postgres://me:a?sslmode=b@db:5432/vitals?options=-c%20a%3Db&sslmode=verify-full&sslrootcert=%2Fa%20b.pem&target_session_attrs=any",
        )
        .unwrap();
        assert_eq!(
            rest,
            "postgres://me:a?sslmode=b@db:5432/vitals?options=-c%20a%3Db&target_session_attrs=any"
        );
        assert_eq!(given, [("sslmode", "verify-full".to_owned()), ("sslrootcert", "/a b.pem".to_owned())]);
        assert_eq!(take("postgresql://db/vitals?sslmode=disable").unwrap().0, "postgresql://db/vitals");
        assert_eq!(take("postgres://db").unwrap().0, "postgres://db");
    }

    #[test]
    fn a_list_keeps_what_is_not_of_tls() {
        let list = r"host = db sslmode = require password='it\'s sslmode=x' sslcert=a\ b";
        let (rest, given) = take(list).unwrap();
        assert_eq!(rest, r"host = db password='it\'s sslmode=x'");
        assert_eq!(given, [("sslmode", "require".to_owned()), ("sslcert", "a b".to_owned())]);
        assert!(take("host='db").is_err() && take("nothing").is_err());
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
