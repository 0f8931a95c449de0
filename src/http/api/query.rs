//! The parameters of a query. Each is read once, and an unknown one is refused.
//!
//! Before: the handlers. After: filters of `store`. Promise: an invalid or unknown parameter is refused by its name and never ignored,
//! because a misspelt filter would show more alerts than were asked for.

use std::any::Any;
use std::collections::BTreeSet;
use std::fmt::Display;
use std::str::FromStr;

use axum::extract::rejection::QueryRejection;
use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use jiff::Timestamp;

use super::ApiError;
use crate::language::{Text, text};

/// What stands behind the question mark.
#[derive(Debug, Default)]
pub(in crate::http) struct Parameters {
    pairs: Vec<(String, String)>,
    read: BTreeSet<&'static str>,
}

impl<S: Send + Sync> FromRequestParts<S> for Parameters {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let pairs: Result<Query<Vec<(String, String)>>, QueryRejection> =
            Query::from_request_parts(parts, state).await;
        let Query(pairs) = pairs.map_err(|error| ApiError::Bad(Text::Verbatim(error.body_text())))?;
        Ok(Self { pairs, read: BTreeSet::new() })
    }
}

impl Parameters {
    /// Those of a form: a field that was left empty is not there.
    pub(in crate::http) fn of_form(pairs: Vec<(String, String)>) -> Self {
        let filled = pairs.into_iter().filter(|(_, value)| !value.trim().is_empty());
        Self { pairs: filled.collect(), read: BTreeSet::new() }
    }

    /// Every value of a parameter; `None`: it is not there.
    pub(in crate::http) fn several<T: FromStr<Err: Display + 'static>>(
        &mut self,
        name: &'static str,
    ) -> Result<Option<Vec<T>>, ApiError> {
        self.read.insert(name);
        let given = self.pairs.iter().filter(|(each, _)| each == name);
        let values: Result<Vec<T>, ApiError> =
            given.map(|(_, value)| value.parse().map_err(|error| refused(name, &error))).collect();
        Ok(Some(values?).filter(|values| !values.is_empty()))
    }

    /// The value of a parameter that is there once, if at all.
    pub(in crate::http) fn one<T: FromStr<Err: Display + 'static>>(
        &mut self,
        name: &'static str,
    ) -> Result<Option<T>, ApiError> {
        let mut values = self.several(name)?.unwrap_or_default();
        if values.len() > 1 {
            return Err(ApiError::Bad(text!("parameter-repeated", name = name)));
        }
        Ok(values.pop())
    }

    /// Refuses what was not read.
    pub(in crate::http) fn end(self) -> Result<(), ApiError> {
        let stranger = self.pairs.iter().find(|(name, _)| !self.read.contains(name.as_str()));
        stranger
            .map_or(Ok(()), |(name, _)| Err(ApiError::Bad(text!("parameter-unknown", name = name.as_str()))))
    }
}

fn refused<E: Display + 'static>(name: &'static str, reason: &E) -> ApiError {
    // Reasons of ours are translated, those of the standard library are not.
    let own = (reason as &dyn Any).downcast_ref::<Text>();
    let reason = own.cloned().unwrap_or_else(|| Text::Verbatim(reason.to_string()));
    ApiError::Bad(text!("parameter-refused", name = name, reason = reason))
}

/// A time of RFC 3339. A plus that was not escaped arrives as a space.
#[derive(Debug)]
pub(super) struct Instant(pub(super) Timestamp);

impl FromStr for Instant {
    type Err = Text;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (date, rest) = text.split_at_checked(11).unwrap_or((text, ""));
        let whole = format!("{date}{}", rest.replace(' ', "+"));
        whole.parse().map(Self).map_err(|_| text!("parameter-no-time"))
    }
}

/// How many, 1 to 500.
#[derive(Debug)]
pub(super) struct Limit(pub(super) i64);

impl FromStr for Limit {
    type Err = Text;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let limit = text.parse().ok().filter(|limit| (1..=500).contains(limit));
        limit.map(Self).ok_or_else(|| text!("parameter-no-limit"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plus_that_was_not_escaped_is_understood() {
        for text in ["2026-01-31T08:00:00 08:00", "2026-01-31T08:00:00+08:00", "2026-01-31T00:00:00Z"] {
            let Instant(read) = text.parse().expect(text);
            assert_eq!(read.to_string(), "2026-01-31T00:00:00Z");
        }
        for text in ["", "2026-01-31", "yesterday", "2026-01-31T08:00:00"] {
            assert!(text.parse::<Instant>().is_err(), "{text}");
        }
    }

    #[test]
    fn what_nobody_reads_is_refused() {
        let pairs =
            [("a", "1"), ("b", "2"), ("b", "3")].map(|(name, value)| (name.to_owned(), value.to_owned()));
        let mut parameters = Parameters { pairs: pairs.to_vec(), read: BTreeSet::new() };
        assert_eq!(parameters.one::<i64>("a").expect("one"), Some(1));
        assert_eq!(parameters.several::<i64>("b").expect("two"), Some(vec![2, 3]));
        assert!(parameters.one::<i64>("b").is_err());
        assert_eq!(parameters.one::<i64>("c").expect("none"), None);
        assert!(parameters.end().is_ok());
        let parameters = Parameters { pairs: pairs.to_vec(), read: BTreeSet::from(["a"]) };
        assert!(parameters.end().is_err());
    }
}
