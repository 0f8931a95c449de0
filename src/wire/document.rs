//! Nested documents, as far as an upload has to know them: which of them say that there is none.
//!
//! Before: `fields` has the text of a document. After: the text is kept as sent.
//! Promise: a document is left out only where its envelope has the code −1.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::number::Number;
use super::value::Held;

/// Is this the envelope by which a watch says that it has no such document: code −1, as number or text? Also read where
/// the comma behind the code is missing.
pub(super) fn is_none_envelope(body: &str) -> bool {
    if !body.contains("-1") {
        return false;
    }
    let is_minus_one = |raw: &str| {
        Held::from_raw(raw).and_then(|code| code.number().ok()).and_then(Number::whole) == Some(-1)
    };
    let mut json = serde_json::Deserializer::from_str(body);
    match json.deserialize_map(CodeVisitor) {
        Ok(code) => code.is_some_and(|code| is_minus_one(code.get())),
        Err(_) => code_of_broken_envelope(body).is_some_and(is_minus_one),
    }
}

/// The value behind a leading `{"code":`.
fn code_of_broken_envelope(body: &str) -> Option<&str> {
    let after_name = body.trim_start().strip_prefix('{')?.trim_start().strip_prefix("\"code\"")?;
    let value = after_name.trim_start().strip_prefix(':')?;
    let mut values = serde_json::Deserializer::from_str(value).into_iter::<&RawValue>();
    values.next()?.ok().map(RawValue::get)
}

struct CodeVisitor;

impl<'de> Visitor<'de> for CodeVisitor {
    type Value = Option<&'de RawValue>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an envelope")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut code = None;
        while let Some(name) = map.next_key::<Cow<'de, str>>()? {
            if name == "code" {
                code = Some(map.next_value()?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(code)
    }
}
