//! What a database URL says, in the words of libpq: some parameters are taken out, the rest is for the driver.
//!
//! Before: `database_url`, as a URL or a list of `key=value`. After: `store::tls` and `store::hosts` interpret what was taken.
//! Promise: the driver is given the rest exactly as it was; nothing of the URL is repeated but the names and values that were taken.
//! Source: PostgreSQL manual, "Database Connection Control Functions".

use percent_encoding::percent_decode_str;

/// What was taken: names and their values, in order.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Parameters(Vec<(&'static str, String)>);

impl Parameters {
    /// As libpq: the last of a name counts, and an empty value is none.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        let last = self.0.iter().rev().find(|(each, _)| *each == name);
        last.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }
}

/// Takes the parameters with these names out: the rest, and what was taken.
///
/// # Errors
/// It is neither a URL nor a list, in words that do not repeat it.
pub(super) fn take(url: &str, names: &[&'static str]) -> Result<(String, Parameters), String> {
    if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        take_of_url(url, names)
    } else {
        take_of_list(url, names)
    }
}

fn named(names: &[&'static str], name: &str) -> Option<&'static str> {
    names.iter().copied().find(|each| *each == name)
}

fn take_of_url(url: &str, names: &[&'static str]) -> Result<(String, Parameters), String> {
    // A password may hold a question mark; it ends at the first @, as the driver reads it.
    let after_password = url.find('@').unwrap_or(0);
    let Some(at) = url[after_password..].find('?').map(|at| after_password + at) else {
        return Ok((url.to_owned(), Parameters::default()));
    };
    let (address, query) = (&url[..at], &url[at + 1..]);
    let mut given = Vec::new();
    let mut rest = Vec::new();
    for parameter in query.split('&') {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        match named(names, name) {
            None => rest.push(parameter),
            Some(name) => {
                let value = percent_decode_str(value).decode_utf8();
                given.push((name, value.map_err(|_| format!("{name} is not UTF-8"))?.into_owned()));
            }
        }
    }
    let separator = if rest.is_empty() { "" } else { "?" };
    Ok((format!("{address}{separator}{}", rest.join("&")), Parameters(given)))
}

/// `key=value`, with white space around the sign and between them; a value may be in quotes, and `\` takes the next sign as
/// it is.
fn take_of_list(list: &str, names: &[&'static str]) -> Result<(String, Parameters), String> {
    let mut given = Vec::new();
    let mut rest = String::new();
    let mut left = list.trim_start();
    while !left.is_empty() {
        let entry = left;
        let unreadable = || "is neither a postgres:// URL nor a list of key=value".to_owned();
        let (name, after) = left.split_once('=').ok_or_else(unreadable)?;
        let (value, after) = value_of(after.trim_start()).ok_or_else(unreadable)?;
        left = after.trim_start();
        match named(names, name.trim_end()) {
            Some(name) => given.push((name, value)),
            None => {
                rest.push_str(entry[..entry.len() - left.len()].trim_end());
                rest.push(' ');
            }
        }
    }
    Ok((rest.trim_end().to_owned(), Parameters(given)))
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

    const NAMES: [&str; 4] = ["sslmode", "sslrootcert", "sslcert", "sslkey"];

    #[test]
    fn a_url_keeps_what_is_not_taken() {
        let (rest, given) = take(
            "postgres://me:a?sslmode=b@db:5432/vitals?options=-c%20a%3Db&sslmode=verify-full&sslrootcert=%2Fa%20b.pem&target_session_attrs=any",
            &NAMES,
        )
        .unwrap();
        assert_eq!(
            rest,
            "postgres://me:a?sslmode=b@db:5432/vitals?options=-c%20a%3Db&target_session_attrs=any"
        );
        assert_eq!(given.0, [("sslmode", "verify-full".to_owned()), ("sslrootcert", "/a b.pem".to_owned())]);
        assert_eq!(
            take("postgresql://db/vitals?sslmode=disable", &NAMES).unwrap().0,
            "postgresql://db/vitals"
        );
        assert_eq!(take("postgres://db", &NAMES).unwrap().0, "postgres://db");
    }

    #[test]
    fn a_list_keeps_what_is_not_taken() {
        let list = r"host = db sslmode = require password='it\'s sslmode=x' sslcert=a\ b";
        let (rest, given) = take(list, &NAMES).unwrap();
        assert_eq!(rest, r"host = db password='it\'s sslmode=x'");
        assert_eq!(given.0, [("sslmode", "require".to_owned()), ("sslcert", "a b".to_owned())]);
        assert!(take("host='db", &NAMES).is_err() && take("nothing", &NAMES).is_err());
    }
}
