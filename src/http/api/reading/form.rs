//! In which form an answer is wanted: JSON, NDJSON or CSV.
//!
//! Before: `Accept`, or the parameter `format`. After: `inquiry` writes the answer.
//! Promise: without either the answer is JSON.

use std::str::FromStr;

use axum::http::{HeaderMap, header};
use serde::Deserialize;
use utoipa::ToSchema;

use super::super::{ApiError, Parameters};
use crate::language::{Text, text};

/// A form of an answer
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Form {
    /// A page, with a cursor for the next one.
    Json,
    /// All rows, an object a line.
    Ndjson,
    /// All rows, with a line of names before them (RFC 4180).
    Csv,
}

impl Form {
    /// The parameter `format`, else the header.
    pub(super) fn of(parameters: &mut Parameters, headers: &HeaderMap) -> Result<Self, ApiError> {
        if let Some(named) = parameters.one::<Self>("format")? {
            return Ok(named);
        }
        let mut accepted =
            headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok()).peekable();
        if accepted.peek().is_none() {
            return Ok(Self::Json);
        }
        let ranges = accepted.flat_map(|value| value.split(','));
        let mut best: Option<(f32, Self)> = None;
        for (form, quality) in ranges.filter_map(range) {
            if quality > 0.0 && best.is_none_or(|(known, _)| quality > known) {
                best = Some((quality, form));
            }
        }
        best.map(|(_, form)| form).ok_or(ApiError::NotAcceptable)
    }

    /// The media type.
    pub(super) const fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Ndjson => "application/x-ndjson",
            Self::Csv => "text/csv; charset=utf-8; header=present",
        }
    }
}

/// A media range and its quality; `None`: it is none of ours.
fn range(text: &str) -> Option<(Form, f32)> {
    let mut parts = text.split(';').map(str::trim);
    let form = match parts.next()?.to_ascii_lowercase().as_str() {
        "*/*" | "application/*" | "application/json" => Form::Json,
        "application/x-ndjson" | "application/ndjson" | "application/jsonl" => Form::Ndjson,
        "text/csv" | "text/*" => Form::Csv,
        _ => return None,
    };
    let quality = parts.find_map(|part| part.strip_prefix("q=")?.parse().ok()).unwrap_or(1.0);
    Some((form, quality))
}

impl FromStr for Form {
    type Err = Text;

    fn from_str(word: &str) -> Result<Self, Text> {
        match word {
            "json" => Ok(Self::Json),
            "ndjson" => Ok(Self::Ndjson),
            "csv" => Ok(Self::Csv),
            _ => Err(text!("parameter-no-format")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(accept: &str) -> Option<Form> {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, accept.parse().expect("a header"));
        Form::of(&mut Parameters::default(), &headers).ok()
    }

    #[test]
    fn the_form_of_the_highest_quality_is_taken() {
        for (accept, expected) in [
            ("*/*", Some(Form::Json)),
            ("text/csv", Some(Form::Csv)),
            ("application/x-ndjson", Some(Form::Ndjson)),
            ("text/csv;q=0.5, application/json", Some(Form::Json)),
            ("text/csv, application/json", Some(Form::Csv)),
            ("text/html,application/xhtml+xml,*/*;q=0.8", Some(Form::Json)),
            ("image/png", None),
            ("text/csv;q=0", None),
        ] {
            assert_eq!(form(accept), expected, "{accept}");
        }
    }
}
