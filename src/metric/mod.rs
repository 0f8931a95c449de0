//! The metrics: each vital sign, running total and coordinate of a sample, described once.
//!
//! Before: nothing. After: every place that handles all metrics. Rust code reads the table. SQL and documents are generated from it
//! (`UPDATE_GENERATED=1 cargo test --test it generated`), and tests compare all other places with it.
//! Promise: the order of the table is the order of columns in tables and views, so a new metric is appended.
//!
//! How to add one: `src/README.md`, "How to add a vital sign".

mod define;
mod table;

use std::fmt;
use std::ops::RangeInclusive;

use rust_decimal::Decimal;

pub use table::{Measurements, Metric};

/// What is to be known of a metric.
#[derive(Debug, Clone, Copy)]
pub struct Definition {
    /// Column of `health_data`; rules, rollups and errors use it too.
    pub column: &'static str,
    /// Name for people, lower case where the words are.
    pub title: &'static str,
    /// Unit in words.
    pub unit: &'static str,
    /// Unit as it is written behind a number.
    pub symbol: &'static str,
    /// Unit in UCUM.
    pub ucum: &'static str,
    /// LOINC code of the observation; `None`: there is none that says this and nothing else.
    pub loinc: Option<&'static str>,
    /// What a body or a sensor can show, in the unit, ends included; a record with a value outside it is rejected.
    pub range: (i32, i32),
    /// How it behaves.
    pub kind: Kind,
    /// Type of its column.
    pub sql_type: SqlType,
    /// Names in uploads; of several in one record the first that holds a value wins.
    pub names: &'static [&'static [u8]],
    /// Field of the hash `health_data:{sn}` in Redis.
    pub redis_field: &'static str,
    /// Decimals a mean is shown with.
    pub decimals: u8,
    /// Migration that added the column.
    pub since: i32,
}

/// What follows from what a metric is: whether 0 says anything, how it rolls up, whether rules may name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// 0 is "not measured". Rollups have `_min`, `_max`, `_sum`, `_count` and `_avg` of it; alert rules may name it.
    VitalSign,
    /// A running total of the local day; 0 is real. Rollups up to a day have `_max`; those of several days the best day as `_max`, and
    /// the sum of the days as `_sum`.
    DayTotal,
    /// Where the device was. Not rolled up.
    Position,
}

/// A value of whichever metric.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value {
    /// Of a column of type [`SqlType::Smallint`].
    Smallint(i16),
    /// Of a column of type [`SqlType::Integer`].
    Integer(i32),
    /// Of a column of type [`SqlType::Numeric`].
    Numeric(Decimal),
    /// Of a column of type [`SqlType::DoublePrecision`].
    DoublePrecision(f64),
}

/// The shortest text that reads back as the same value, never with an exponent; decimals as sent.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Smallint(value) => value.fmt(f),
            Self::Integer(value) => value.fmt(f),
            Self::Numeric(value) => value.fmt(f),
            Self::DoublePrecision(value) => value.fmt(f),
        }
    }
}

/// Types of columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SqlType {
    /// Whole numbers up to 32 767.
    Smallint,
    /// Whole numbers.
    Integer,
    /// Decimals, kept as sent.
    Numeric,
    /// Coordinates.
    DoublePrecision,
}

impl Definition {
    /// The title as a sentence begins with it.
    #[must_use]
    pub fn capitalised_title(&self) -> String {
        let mut letters = self.title.chars();
        letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
    }
}

impl Metric {
    /// The entry of the table.
    #[must_use]
    pub const fn definition(self) -> &'static Definition {
        &Self::DEFINITIONS[self as usize]
    }

    /// Column of `health_data`.
    #[must_use]
    pub const fn column(self) -> &'static str {
        self.definition().column
    }

    /// How it behaves.
    #[must_use]
    pub const fn kind(self) -> Kind {
        self.definition().kind
    }

    /// What can be stored, in the unit of the metric.
    #[must_use]
    pub const fn range(self) -> RangeInclusive<i32> {
        let (lowest, highest) = self.definition().range;
        lowest..=highest
    }

    /// Its name of this rank in uploads; its column, if there is none.
    #[must_use]
    pub fn name(self, rank: u8) -> &'static str {
        let name = self.definition().names.get(usize::from(rank)).copied();
        name.and_then(|name| std::str::from_utf8(name).ok()).unwrap_or(self.column())
    }

    /// Its names in uploads, the first one first.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        self.definition().names.iter().filter_map(|name| std::str::from_utf8(name).ok())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_name_means_two_metrics() {
        let names: Vec<&str> = Metric::ALL.into_iter().flat_map(Metric::names).collect();
        assert_eq!(names.iter().collect::<HashSet<_>>().len(), names.len());
        for metric in Metric::ALL {
            for (rank, name) in (0..).zip(metric.names()) {
                assert_eq!(Metric::named(name.as_bytes()), Some((metric, rank)), "{name}");
            }
        }
    }

    #[test]
    fn the_column_is_a_name_in_uploads_so_that_exports_can_be_read() {
        for metric in Metric::ALL {
            assert!(metric.names().any(|name| name == metric.column()), "{metric:?}");
        }
    }

    #[test]
    fn the_range_of_a_vital_sign_leaves_out_zero() {
        for metric in Metric::ALL {
            assert_eq!(metric.range().contains(&0), metric.kind() != Kind::VitalSign, "{metric:?}");
        }
    }

    #[test]
    fn newer_metrics_come_later() {
        assert!(Metric::ALL.is_sorted_by_key(|metric| metric.definition().since));
    }
}
