//! The request to a gateway: parts of the settings with placeholders, each filled in as its place needs it. Pure.
//!
//! Promise: what is filled in stays a value: it ends no string of JSON or XML, and adds no parameter to a URL or form.

use std::collections::BTreeMap;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Url;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};

use super::super::text;

/// The placeholders.
const PLACEHOLDERS: &[&str] = &["to", "digits", "text", "id"];

/// How a value is written into a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    /// In a string of JSON.
    Json,
    /// In a URL or a form.
    Percent,
    /// In XML.
    Xml,
    /// As it is.
    Plain,
}

impl Encoding {
    /// That of a body, by its `Content-Type`.
    pub(super) fn of_content_type(headers: &HeaderMap) -> Result<Self, String> {
        let Some(value) = headers.get(CONTENT_TYPE) else { return Ok(Self::Plain) };
        let value = value.to_str().unwrap_or_default();
        let kind = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match kind.as_str() {
            "application/x-www-form-urlencoded" => Ok(Self::Percent),
            "text/plain" => Ok(Self::Plain),
            kind if kind == "application/json" || kind.ends_with("+json") => Ok(Self::Json),
            kind if kind.ends_with("/xml") || kind.ends_with("+xml") => Ok(Self::Xml),
            _ => Err(format!(
                "sms_headers: the Content-Type {value} is none of JSON, form, XML and text/plain"
            )),
        }
    }

    fn encode(self, value: &str) -> String {
        match self {
            Self::Json => {
                let quoted = serde_json::Value::from(value).to_string();
                quoted[1..quoted.len() - 1].to_owned()
            }
            Self::Percent => utf8_percent_encode(value, NON_ALPHANUMERIC).to_string(),
            Self::Xml => value
                .replace('&', "&amp;")
                .replace('<', "&lt;")
                .replace('>', "&gt;")
                .replace('"', "&quot;")
                .replace('\'', "&apos;"),
            Self::Plain => value.to_owned(),
        }
    }
}

/// A text with placeholders.
#[derive(Debug)]
pub(super) struct Template {
    pattern: String,
    encoding: Encoding,
}

impl Template {
    /// The URL of a gateway: its host is the same for every message.
    pub(super) fn url(pattern: &str) -> Result<Self, String> {
        let template = Self::new("sms_url", pattern, Encoding::Percent)?;
        let url: Url = template
            .fill(|_| Some("1".to_owned()))
            .parse()
            .map_err(|error| format!("sms_url is no URL: {error}"))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err("sms_url is neither http nor https".to_owned());
        }
        let after_scheme = pattern.split_once("://").map_or("", |(_, rest)| rest);
        if after_scheme.split(['/', '?', '#']).next().unwrap_or_default().contains('{') {
            return Err("sms_url has a placeholder in its host".to_owned());
        }
        Ok(template)
    }

    /// A part of the request; `name` is its setting.
    pub(super) fn new(name: &str, pattern: &str, encoding: Encoding) -> Result<Self, String> {
        let is_placeholder =
            |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase());
        let named = pattern.split('{').skip(1).filter_map(|rest| Some(rest.split_once('}')?.0));
        match named.filter(is_placeholder).find(|part| !PLACEHOLDERS.contains(part)) {
            Some(unknown) => Err(format!("{name}: there is no placeholder {{{unknown}}}")),
            None => Ok(Self { pattern: pattern.to_owned(), encoding }),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.pattern.is_empty()
    }

    /// The text for one message.
    pub(super) fn fill(&self, value: impl Fn(&str) -> Option<String>) -> String {
        text::fill(&self.pattern, |name| Some(self.encoding.encode(&value(name)?)))
    }
}

/// Headers, from a JSON object of names and values. A value is not shown in a log.
pub(super) fn headers(text: &str) -> Result<HeaderMap, String> {
    if text.trim().is_empty() {
        return Ok(HeaderMap::new());
    }
    let pairs: BTreeMap<String, String> = serde_json::from_str(text)
        .map_err(|_| "sms_headers is no JSON object of names and texts".to_owned())?;
    let header = |(name, value): (&String, &String)| {
        let value = HeaderValue::from_str(value).map(|mut value| {
            value.set_sensitive(true);
            value
        });
        match (HeaderName::from_bytes(name.as_bytes()), value) {
            (Ok(name), Ok(value)) => Ok((name, value)),
            _ => Err(format!("sms_headers: {name} is no header")),
        }
    };
    pairs.iter().map(header).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(pattern: &str, encoding: Encoding, text: &str) -> String {
        let template = Template::new("sms_body", pattern, encoding).expect("a template");
        template.fill(|name| (name == "text").then(|| text.to_owned()))
    }

    const HOSTILE: &str = "a\"&to=+1<b>{id}\n'";

    #[test]
    fn a_value_stays_a_value_in_every_kind_of_body() {
        let json = filled("{\"text\":\"{text}\"}", Encoding::Json, HOSTILE);
        let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
        assert_eq!(json, serde_json::json!({ "text": HOSTILE }));
        let form = filled("a=1&text={text}", Encoding::Percent, HOSTILE);
        let url: Url = format!("http://g/?{form}").parse().expect("a URL");
        let pairs: Vec<(String, String)> =
            url.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
        assert_eq!(pairs, [("a".to_owned(), "1".to_owned()), ("text".to_owned(), HOSTILE.to_owned())]);
        let xml = filled("<t>{text}</t>", Encoding::Xml, HOSTILE);
        assert_eq!(xml, "<t>a&quot;&amp;to=+1&lt;b&gt;{id}\n&apos;</t>");
        assert_eq!(filled("{text}", Encoding::Plain, HOSTILE), HOSTILE);
    }

    #[test]
    fn a_template_that_cannot_work_is_refused() {
        assert!(Template::url("https://gateway.example.org/send?to={to}").is_ok());
        for bad in ["gateway", "ftp://gateway/", "https://{to}.example.org/", "https://g/{number}"] {
            assert!(Template::url(bad).is_err(), "{bad}");
        }
        assert!(Template::new("sms_body", "{\"a\":{\"to\":\"{to}\"}}", Encoding::Json).is_ok());
        assert!(Template::new("sms_body", "{phone}", Encoding::Json).is_err());
    }

    #[test]
    fn headers_are_an_object_and_their_type_tells_how_values_are_written() {
        let encoding = |text: &str| headers(text).and_then(|headers| Encoding::of_content_type(&headers));
        assert_eq!(encoding(""), Ok(Encoding::Plain));
        for (content_type, expected) in [
            ("application/json; charset=utf-8", Encoding::Json),
            ("application/x-www-form-urlencoded", Encoding::Percent),
            ("text/xml", Encoding::Xml),
            ("text/plain", Encoding::Plain),
        ] {
            assert_eq!(encoding(&format!("{{\"content-type\": \"{content_type}\"}}")), Ok(expected));
        }
        for bad in [
            "Authorization: x",
            "{\"a b\": \"c\"}",
            "{\"a\": \"b\\nc\"}",
            "{\"Content-Type\": \"image/png\"}",
        ] {
            assert!(encoding(bad).is_err(), "{bad}");
        }
        let secret = headers("{\"Authorization\": \"Bearer s3cret\"}").expect("headers");
        assert!(!format!("{secret:?}").contains("s3cret"));
    }
}
