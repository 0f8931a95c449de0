//! The macro behind the table of metrics: it makes the enum, the definitions, and a struct with a field for each metric.

use rust_decimal::Decimal;

use super::{SqlType, Value};

/// A Rust type values of a metric may have.
pub(super) trait ColumnType: Copy {
    const SQL_TYPE: SqlType;
    fn into_value(self) -> Value;
    fn from_value(value: Value) -> Option<Self>;
}

macro_rules! column_types {
    ($($rust:ty = $variant:ident;)*) => {
        $(impl ColumnType for $rust {
            const SQL_TYPE: SqlType = SqlType::$variant;

            fn into_value(self) -> Value {
                Value::$variant(self)
            }

            fn from_value(value: Value) -> Option<Self> {
                if let Value::$variant(value) = value { Some(value) } else { None }
            }
        })*
    };
}

column_types! {
    i16 = Smallint;
    i32 = Integer;
    Decimal = Numeric;
    f64 = DoublePrecision;
}

/// Place of `name` among `names`.
pub(super) const fn rank(names: &[&[u8]], name: &[u8]) -> u8 {
    let mut at = 0;
    while at < names.len() {
        let mut same = names[at].len() == name.len();
        let mut byte = 0;
        while same && byte < name.len() {
            same = names[at][byte] == name[byte];
            byte += 1;
        }
        if same {
            break;
        }
        at += 1;
    }
    at as u8
}

macro_rules! metrics {
    ($(
        $variant:ident, $field:ident: $type:ty, $title:literal in $unit:literal {
            kind: $kind:ident,
            symbol: $symbol:literal, ucum: $ucum:literal, loinc: $loinc:expr,
            range: $lowest:literal..=$highest:literal,
            decimals: $decimals:literal,
            names: [$($name:literal),+],
            redis_field: $redis_field:literal,
            since: $since:literal,
        }
    )*) => {
        /// A quantity of a sample.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Metric {
            $(
                #[doc = concat!($title, ", ", $unit)]
                $variant,
            )*
        }

        impl Metric {
            /// All of them, in the order of the columns.
            pub const ALL: [Self; [$(stringify!($variant)),*].len()] = [$(Self::$variant),*];

            pub(super) const DEFINITIONS: [Definition; Self::ALL.len()] = [$(Definition {
                column: stringify!($field),
                title: $title,
                unit: $unit,
                symbol: $symbol,
                ucum: $ucum,
                loinc: $loinc,
                range: ($lowest, $highest),
                kind: Kind::$kind,
                sql_type: <$type as ColumnType>::SQL_TYPE,
                names: &[$($name),+],
                redis_field: $redis_field,
                decimals: $decimals,
                since: $since,
            }),*];

            /// The metric that has this name in uploads, and the rank of the name among those of the metric.
            pub fn named(name: &[u8]) -> Option<(Self, u8)> {
                Some(match name {
                    $($($name => {
                        (Self::$variant, const { rank(Self::DEFINITIONS[Self::$variant as usize].names, $name) })
                    })+)*
                    _ => return None,
                })
            }
        }

        /// What a sample measured. `None` is "not measured" or "not sent", never zero.
        #[derive(Debug, Clone, Copy, Default, PartialEq)]
        pub struct Measurements {
            $(
                #[doc = concat!($title, ", ", $unit)]
                pub $field: Option<$type>,
            )*
        }

        impl Measurements {
            /// The values in the order of [`Metric::ALL`].
            #[must_use]
            pub fn values(&self) -> [Option<Value>; Metric::ALL.len()] {
                [$(self.$field.map(ColumnType::into_value)),*]
            }

            /// Sets a value. One of another type than the metric's is left out.
            pub fn set(&mut self, metric: Metric, value: Value) {
                match metric {
                    $(Metric::$variant => self.$field = ColumnType::from_value(value),)*
                }
            }

            /// These, and from `other` what these leave open.
            #[must_use]
            pub fn or(self, other: Self) -> Self {
                Self { $($field: self.$field.or(other.$field),)* }
            }
        }
    };
}
pub(super) use metrics;
