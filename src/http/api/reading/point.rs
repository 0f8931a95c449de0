//! Points of a series as objects and lines.
//!
//! Before: `series` has read them. After: the body of an answer.
//! Promise: the fields are the columns of the views of schema dashboard; JSON and CSV have the same ones.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;
use serde::ser::{Serialize, SerializeMap, Serializer};
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, SchemaFormat, SchemaType, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::parameter::Metrics;
use super::table::{Table, write_cell};
use crate::metric::{Kind, Metric};
use crate::model::{Exact, Grain, Point, Summary};

/// Which of the numbers of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// Of a sample.
    Value,
    Min,
    Avg,
    Max,
    Count,
    Sum,
}

impl Part {
    /// Those of a metric.
    fn of(grain: Grain, metric: Metric) -> &'static [Self] {
        match (grain, metric.kind()) {
            (Grain::Raw, _) => &[Self::Value],
            (_, Kind::VitalSign) => &[Self::Min, Self::Avg, Self::Max, Self::Count],
            (Grain::Weekly | Grain::Monthly, _) => &[Self::Max, Self::Sum],
            (_, _) => &[Self::Max],
        }
    }

    /// The column.
    fn column(self, metric: Metric) -> String {
        let part = match self {
            Self::Value => return metric.column().to_owned(),
            Self::Min => "min",
            Self::Avg => "avg",
            Self::Max => "max",
            Self::Count => "count",
            Self::Sum => "sum",
        };
        format!("{}_{part}", metric.column())
    }

    fn cell(self, summary: &Summary) -> Cell<'static> {
        let number = |number: Option<Decimal>| number.map_or(Cell::Null, Cell::Number);
        match self {
            Self::Value | Self::Max => number(summary.max),
            Self::Min => number(summary.min),
            Self::Avg => number(summary.avg),
            Self::Sum => number(summary.sum),
            Self::Count => summary.count.map_or(Cell::Null, Cell::Count),
        }
    }
}

/// A value of a point.
enum Cell<'a> {
    Null,
    Text(&'a str),
    Time(Timestamp),
    Day(Date),
    Count(i64),
    Number(Decimal),
}

/// The columns of a series.
#[derive(Debug, Clone)]
pub(super) struct PointTable {
    grain: Grain,
    zone: TimeZone,
    /// Place of the metric, which of its numbers, and the name.
    metrics: Vec<(usize, Part, String)>,
}

/// A point as an object.
#[derive(Debug)]
pub(super) struct SeriesPoint<'a> {
    table: &'a PointTable,
    point: &'a Point,
}

impl PointTable {
    /// The zone is that in which days were cut.
    pub(super) fn new(grain: Grain, metrics: &[Metric], zone: TimeZone) -> Self {
        let columns = metrics.iter().enumerate().flat_map(|(place, metric)| {
            Part::of(grain, *metric).iter().map(move |part| (place, *part, part.column(*metric)))
        });
        Self { grain, zone, metrics: columns.collect() }
    }

    /// A point of it.
    pub(super) fn point<'a>(&'a self, point: &'a Point) -> SeriesPoint<'a> {
        SeriesPoint { table: self, point }
    }

    /// Calls `each` with name and value of every field.
    fn each_field<E>(
        &self,
        point: &Point,
        mut each: impl FnMut(&str, Cell<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        each("device_sn", Cell::Text(&point.device_sn))?;
        if self.grain == Grain::Raw {
            each("ts", Cell::Time(point.ts))?;
        } else {
            each("bucket", Cell::Time(point.ts))?;
            if self.grain.is_local() {
                each("day", Cell::Day(point.day(&self.zone)))?;
            }
            each("samples", Cell::Count(point.samples))?;
            each("first_ts", Cell::Time(point.first_ts))?;
            each("last_ts", Cell::Time(point.last_ts))?;
        }
        for (place, part, name) in &self.metrics {
            let summary = point.values.get(*place).copied().unwrap_or_default();
            each(name, part.cell(&summary))?;
        }
        Ok(())
    }
}

impl Serialize for SeriesPoint<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_map(None)?;
        self.table.each_field(self.point, |name, cell| match cell {
            Cell::Null => fields.serialize_entry(name, &()),
            Cell::Text(text) => fields.serialize_entry(name, text),
            Cell::Time(time) => fields.serialize_entry(name, &time),
            Cell::Day(day) => fields.serialize_entry(name, &day),
            Cell::Count(count) => fields.serialize_entry(name, &count),
            Cell::Number(number) => fields.serialize_entry(name, &Exact(number)),
        })?;
        fields.end()
    }
}

impl Table<Point> for PointTable {
    fn columns(&self) -> Vec<String> {
        let of_point: &[&str] = match self.grain {
            Grain::Raw => &["device_sn", "ts"],
            Grain::QuarterHour | Grain::Hourly => &["device_sn", "bucket", "samples", "first_ts", "last_ts"],
            Grain::Daily | Grain::Weekly | Grain::Monthly => {
                &["device_sn", "bucket", "day", "samples", "first_ts", "last_ts"]
            }
        };
        let of_metrics = self.metrics.iter().map(|(_, _, name)| name.clone());
        of_point.iter().map(|name| (*name).to_owned()).chain(of_metrics).collect()
    }

    fn write_json(&self, row: &Point, line: &mut Vec<u8>) -> Result<(), serde_json::Error> {
        serde_json::to_writer(line, &self.point(row))
    }

    fn write_csv(&self, row: &Point, line: &mut Vec<u8>) -> Result<(), serde_json::Error> {
        use std::io::Write as _;

        let mut is_first = true;
        self.each_field(row, |_, cell| {
            if !std::mem::take(&mut is_first) {
                line.push(b',');
            }
            match cell {
                Cell::Null => Ok(()),
                Cell::Text(text) => {
                    write_cell(text, line);
                    Ok(())
                }
                Cell::Time(time) => write!(line, "{time}"),
                Cell::Day(day) => write!(line, "{day}"),
                Cell::Count(count) => write!(line, "{count}"),
                Cell::Number(number) => write!(line, "{number}"),
            }
        })
        .map_err(serde_json::Error::io)
    }
}

impl PartialSchema for SeriesPoint<'_> {
    fn schema() -> RefOr<Schema> {
        let time = |about: &str| {
            let format = SchemaFormat::KnownFormat(KnownFormat::DateTime);
            ObjectBuilder::new().schema_type(Type::String).format(Some(format)).description(Some(about))
        };
        let text = |about: &str| ObjectBuilder::new().schema_type(Type::String).description(Some(about));
        let count = |about: &str| ObjectBuilder::new().schema_type(Type::Integer).description(Some(about));
        let mut fields = ObjectBuilder::new()
            .description(Some(
                "A sample, or a bucket. It has the fields of the metrics and the grain that were asked for",
            ))
            .property("device_sn", text("Serial number of the device"))
            .required("device_sn")
            .property("ts", time("Event time of the sample; raw only"))
            .property("bucket", time("Start of the bucket; not raw"))
            .property("day", text("Its date, the first one of weeks and months; from a day up"))
            .property("samples", count("Samples in the bucket; not raw"))
            .property("first_ts", time("Event time of the first of them; not raw"))
            .property("last_ts", time("Event time of the last of them; not raw"));
        for metric in Metrics::all() {
            let definition = metric.definition();
            for (grain, of) in [(Grain::Raw, "of the sample"), (Grain::Weekly, "in the bucket")] {
                for part in Part::of(grain, metric) {
                    let about =
                        format!("{}, {}, {of}; null: not measured", definition.title, definition.unit);
                    let number = ObjectBuilder::new()
                        .schema_type(SchemaType::from_iter([Type::Number, Type::Null]))
                        .description(Some(about));
                    fields = fields.property(part.column(metric), number);
                }
            }
        }
        fields.into()
    }
}

impl ToSchema for SeriesPoint<'_> {
    fn name() -> std::borrow::Cow<'static, str> {
        "SeriesPoint".into()
    }
}
