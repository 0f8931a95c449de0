//! A series: samples of a device or a person in the order of time, or their summaries by quarter hour, hour, day, week or month.
//!
//! Before: `store::dashboard::series` reads views `dashboard.sample` and `dashboard.health_…`. After: `…/series`, charts.
//! Promise: its fields in JSON, NDJSON and CSV have the names of the columns of these views.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::alert::words;
use crate::metric::{Kind, Metric};

words! {
    /// How fine a series is
    Grain {
        /// Each sample.
        Raw = "raw",
        /// Quarter hours.
        QuarterHour = "15m",
        /// Hours.
        Hourly = "hourly",
        /// Days, in the zone of the rollups.
        Daily = "daily",
        /// Weeks, which begin on Monday.
        Weekly = "weekly",
        /// Months.
        Monthly = "monthly",
    }
}

/// A series, in the order of time; of several devices first by device
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// How fine it is
    pub grain: Grain,
    /// The metrics that were asked for
    pub metrics: Vec<Metric>,
    /// First time, inclusive
    pub from: Timestamp,
    /// Last time, exclusive
    pub to: Timestamp,
    /// Samples or buckets
    pub points: Vec<Point>,
}

/// A sample, or a bucket of a rollup
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// Serial number of the device
    pub device_sn: Arc<str>,
    /// Event time of the sample, or the start of the bucket
    pub ts: Timestamp,
    /// Samples in the bucket; 1: the grain is raw
    pub samples: i64,
    /// Event time of the first of them
    pub first_ts: Timestamp,
    /// Event time of the last of them
    pub last_ts: Timestamp,
    /// Values of the metrics, in the order of [`Series::metrics`]
    pub values: Vec<Summary>,
}

/// What a metric was in a bucket. `None`: not measured. Of a sample `min`, `avg` and `max` are its value
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// Lowest; `None` also: the metric is a day total
    pub min: Option<Decimal>,
    /// Mean, rounded to the decimals of the metric; `None` also: the metric is a day total
    pub avg: Option<Decimal>,
    /// Highest; of a day total what it had reached
    pub max: Option<Decimal>,
    /// Readings in the bucket; `None` also: the metric is a day total
    pub count: Option<i64>,
    /// Of a day total by weeks and months: the sum of the days; `None`: anything else
    pub sum: Option<Decimal>,
}

impl Grain {
    /// Whether its buckets are days or longer.
    #[must_use]
    pub fn is_local(self) -> bool {
        matches!(self, Self::Daily | Self::Weekly | Self::Monthly)
    }
}

impl Point {
    /// The date of its bucket, the first one of weeks and months, in the zone in which it was cut.
    #[must_use]
    pub fn day(&self, zone: &TimeZone) -> Date {
        zone.to_datetime(self.ts).date()
    }
}

/// Whether a series can have this metric: positions are a track.
#[must_use]
pub fn is_in_series(metric: Metric) -> bool {
    metric.kind() != Kind::Position
}
