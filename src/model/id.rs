//! A number of 64 bits as JSON: text, for a reader that holds numbers as floating point would round it.
//!
//! Before: `store` reads it from the database as a number, `http` and files from either. After: answers and `--json`.

use std::fmt;
use std::str::FromStr;

use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde::ser::{Serialize, Serializer};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// Number of an alert, a rule, a tenant, …
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id64(pub i64);

impl fmt::Display for Id64 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Id64 {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self).map_err(|_| "a whole number of at most 64 bits")
    }
}

impl Serialize for Id64 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Id64 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NumberOrText;
        impl Visitor<'_> for NumberOrText {
            type Value = Id64;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number of at most 64 bits")
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Id64, E> {
                Ok(Id64(number))
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Id64, E> {
                i64::try_from(number)
                    .map(Id64)
                    .map_err(|_| E::invalid_value(de::Unexpected::Unsigned(number), &self))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Id64, E> {
                text.parse().map_err(|_| E::invalid_value(de::Unexpected::Str(text), &self))
            }
        }
        deserializer.deserialize_any(NumberOrText)
    }
}

impl PartialSchema for Id64 {
    fn schema() -> RefOr<Schema> {
        let text = ObjectBuilder::new()
            .schema_type(Type::String)
            .pattern(Some("^-?[0-9]{1,19}$"))
            .description(Some("A number of 64 bits, as text"))
            .examples(["1939964806110937090"]);
        text.into()
    }
}

impl ToSchema for Id64 {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_digit_is_lost() {
        for text in ["1939964806110937091", "\"1939964806110937091\""] {
            let id: Id64 = serde_json::from_str(text).expect("an id");
            assert_eq!(id, Id64(1_939_964_806_110_937_091));
            assert_eq!(serde_json::to_string(&id).expect("JSON"), "\"1939964806110937091\"");
        }
        for text in ["9223372036854775808", "1.5", "\"x\"", "null", "true"] {
            assert!(serde_json::from_str::<Id64>(text).is_err(), "{text}");
        }
    }
}
