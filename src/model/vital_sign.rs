//! A vital sign as alert rules name it.
//!
//! Before: rules from `http`, files and the command line, and rows of `alert_rule`. After: `model::alert_rule`.
//! Promise: exactly the vital signs of the table of metrics are known, so a new metric needs no line here.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::metric::{Kind, Metric};

/// A metric of the kind [`Kind::VitalSign`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VitalSign(Metric);

impl VitalSign {
    fn all() -> impl Iterator<Item = Self> {
        Metric::ALL.into_iter().filter(|metric| metric.kind() == Kind::VitalSign).map(Self)
    }

    /// The metric.
    pub const fn metric(self) -> Metric {
        self.0
    }

    /// As in the column `alert_rule.metric`.
    fn name(self) -> &'static str {
        self.0.column()
    }
}

impl Serialize for VitalSign {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for VitalSign {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = Cow::<str>::deserialize(deserializer)?;
        Self::all().find(|vital_sign| vital_sign.name() == name).ok_or_else(|| {
            let names: Vec<&str> = Self::all().map(Self::name).collect();
            let expected = names.join("`, `");
            de::Error::custom(format!("unknown variant `{name}`, expected one of `{expected}`"))
        })
    }
}

impl PartialSchema for VitalSign {
    fn schema() -> RefOr<Schema> {
        let line = |vital_sign: Self| {
            let (definition, range) = (vital_sign.0.definition(), vital_sign.0.range());
            format!("* `{}`: {}, {} to {}", vital_sign.name(), definition.unit, range.start(), range.end())
        };
        let lines: Vec<String> = Self::all().map(line).collect();
        let names = ObjectBuilder::new()
            .schema_type(Type::String)
            .enum_values(Some(Self::all().map(Self::name)))
            .description(Some(format!("A vital sign that rules evaluate\n\n{}", lines.join("\n"))));
        names.into()
    }
}

impl ToSchema for VitalSign {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("Metric")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_vital_sign_of_the_table_is_one_and_no_other_metric() {
        for metric in Metric::ALL {
            let text = format!("\"{}\"", metric.column());
            let read = serde_json::from_str::<VitalSign>(&text);
            assert_eq!(read.is_ok(), metric.kind() == Kind::VitalSign, "{text}");
            if let Ok(vital_sign) = read {
                assert_eq!(serde_json::to_string(&vital_sign).expect("JSON"), text);
            }
        }
    }
}
