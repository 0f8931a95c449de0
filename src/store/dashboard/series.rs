//! Series: samples, or buckets of the rollups, of a device, a person or every device.
//!
//! Before: `…/series`, charts. After: the functions of schema dashboard, which are planned once in a session, and their views.

use std::sync::Arc;

use jiff::Timestamp;
use rust_decimal::{Decimal, RoundingStrategy};
use tokio_postgres::types::Type;
use tokio_postgres::{Column, Row};

use super::record::read as read_rows;
use super::rows::{Parameter, Query};
use super::{Span, Subject, Viewer};
use crate::metric::{Kind, Metric};
use crate::model::{Grain, Point, Series, Summary};
use crate::store::{Statement, Store, StoreError};

/// What to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeriesRequest {
    /// Of a device, a person or every device.
    pub subject: Subject,
    /// How fine.
    pub grain: Grain,
    /// Which metrics, in the order of the answer.
    pub metrics: Vec<Metric>,
    /// Samples, or buckets that begin, in this time.
    pub span: Span,
}

/// Where a page of a series ended: time and device of its last point.
pub type SeriesEnd = (Timestamp, String);

/// The statements of a function that returns buckets: of a device, of a person, of every device (first by device).
struct Functions {
    device: Statement,
    person: Statement,
    everyone: Statement,
}

/// Parameters: $1 subject (of everyone: NULL), $2 from, $3 to (exclusive), $4 and $5 end of the previous page, $6 most rows.
macro_rules! functions {
    ($suffix:literal) => {
        Functions {
            device: Statement {
                name: concat!("dashboard.device_", $suffix),
                sql: concat!(
                    "-- dashboard.device_", $suffix, "\n",
                    "select * from dashboard.device_", $suffix, "($1, $2, $3) as r ",
                    "where $4::timestamptz is null or (r.bucket, r.device_sn) > ($4, $5::text) limit $6::bigint"
                ),
            },
            person: Statement {
                name: concat!("dashboard.person_", $suffix),
                sql: concat!(
                    "-- dashboard.person_", $suffix, "\n",
                    "select * from dashboard.person_", $suffix, "($1, $2, $3) as r ",
                    "where $4::timestamptz is null or (r.bucket, r.device_sn) > ($4, $5::text) limit $6::bigint"
                ),
            },
            everyone: Statement {
                name: concat!("dashboard.every_", $suffix),
                sql: concat!(
                    "-- dashboard.every_", $suffix, "\n",
                    "select r.* from (select device_sn from dashboard.device union select device_sn from dashboard.device_binding ",
                    "order by device_sn) as d ",
                    "cross join lateral dashboard.device_", $suffix, "(d.device_sn, $2, $3) as r ",
                    "where $1::text is null and ($4::timestamptz is null or (r.bucket, r.device_sn) > ($4, $5::text)) ",
                    "limit $6::bigint"
                ),
            },
        }
    };
}

/// Of samples: of a day after the other, so that the server keeps those of one day at a time.
const SAMPLES: Functions = Functions {
    device: Statement {
        name: "dashboard.device_samples",
        sql: "-- dashboard.device_samples\n\
              select r.*, r.ts as bucket from generate_series($2::timestamptz, $3::timestamptz, interval '1 day') as d (day) \
              cross join lateral dashboard.device_samples($1, d.day, least($3, d.day + interval '1 day'), $6::bigint + 100) as r \
              where $4::timestamptz is null or (r.ts, r.device_sn) > ($4, $5::text) limit $6",
    },
    person: Statement {
        name: "dashboard.person_samples",
        sql: "-- dashboard.person_samples\n\
              select r.*, r.ts as bucket from generate_series($2::timestamptz, $3::timestamptz, interval '1 day') as d (day) \
              cross join lateral dashboard.person_samples($1, d.day, least($3, d.day + interval '1 day'), $6::bigint + 100) as r \
              where $4::timestamptz is null or (r.ts, r.device_sn) > ($4, $5::text) limit $6",
    },
    everyone: Statement {
        name: "dashboard.every_sample",
        sql: "-- dashboard.every_sample\n\
              select r.*, r.ts as bucket \
              from (select device_sn from dashboard.device union select device_sn from dashboard.device_binding \
              order by device_sn) as d \
              cross join lateral generate_series($2::timestamptz, $3::timestamptz, interval '1 day') as e (day) \
              cross join lateral dashboard.device_samples(d.device_sn, e.day, least($3, e.day + interval '1 day'), \
              $6::bigint + 100) as r \
              where $1::text is null and ($4::timestamptz is null or (r.ts, r.device_sn) > ($4, $5::text)) limit $6",
    },
};

/// Days of another zone than that of the rollups; $7 is the zone.
const DAYS: Functions = Functions {
    device: Statement {
        name: "dashboard.device_days",
        sql: "-- dashboard.device_days\n\
              select * from dashboard.device_days($1, $7, $2, $3) as r \
              where $4::timestamptz is null or (r.bucket, r.device_sn) > ($4, $5::text) limit $6::bigint",
    },
    person: Statement {
        name: "dashboard.person_days",
        sql: "-- dashboard.person_days\n\
              select r.* from dashboard.worn($1, $2, $3) as w cross join lateral dashboard.device_days(w.device_sn, $7, $2, $3) as r \
              where w.periods @> tstzrange(r.first_ts, r.last_ts, '[]') \
              and ($4::timestamptz is null or (r.bucket, r.device_sn) > ($4, $5::text)) \
              order by r.bucket, r.device_sn limit $6::bigint",
    },
    everyone: Statement {
        name: "dashboard.every_day",
        sql: "-- dashboard.every_day\n\
              select r.* from (select device_sn from dashboard.device union select device_sn from dashboard.device_binding \
              order by device_sn) as d cross join lateral dashboard.device_days(d.device_sn, $7, $2, $3) as r \
              where $1::text is null and ($4::timestamptz is null or (r.bucket, r.device_sn) > ($4, $5::text)) \
              limit $6::bigint",
    },
};

const QUARTER_HOURS: Functions = functions!("15m");
const HOURS: Functions = functions!("hourly");
const ROLLUP_DAYS: Functions = functions!("daily");
const WEEKS: Functions = functions!("weekly");
const MONTHS: Functions = functions!("monthly");

/// Points of a device or a person in the order of time, of everyone first by device; `limit` at most. Days are cut in the zone (IANA
/// name), or in that of the rollups.
#[must_use]
pub fn query(
    request: &SeriesRequest,
    zone: Option<&str>,
    after: Option<SeriesEnd>,
    limit: Option<i64>,
) -> Query<Point> {
    let functions = match (request.grain, zone) {
        (Grain::Raw, _) => &SAMPLES,
        (Grain::QuarterHour, _) => &QUARTER_HOURS,
        (Grain::Hourly, _) => &HOURS,
        (Grain::Daily, None) => &ROLLUP_DAYS,
        (Grain::Daily, Some(_)) => &DAYS,
        (Grain::Weekly, _) => &WEEKS,
        (Grain::Monthly, _) => &MONTHS,
    };
    let (statement, subject): (_, Parameter) = match &request.subject {
        Subject::Device(device_sn) => (functions.device, (Box::new(device_sn.clone()), Type::TEXT)),
        Subject::Person(user_id) => (functions.person, (Box::new(*user_id), Type::INT8)),
        Subject::Everyone => (functions.everyone, (Box::new(None::<String>), Type::TEXT)),
    };
    // What was on earlier pages need not be read.
    let is_in_order_of_time = request.subject != Subject::Everyone;
    let (after_ts, after_device_sn) = after.unzip();
    let from = after_ts.filter(|_| is_in_order_of_time).unwrap_or(request.span.from);
    let mut parameters: Vec<Parameter> = vec![
        subject,
        (Box::new(from), Type::TIMESTAMPTZ),
        (Box::new(request.span.to), Type::TIMESTAMPTZ),
        (Box::new(after_ts), Type::TIMESTAMPTZ),
        (Box::new(after_device_sn), Type::TEXT),
        (Box::new(limit), Type::INT8),
    ];
    if let (Grain::Daily, Some(zone)) = (request.grain, zone) {
        parameters.push((Box::new(zone.to_owned()), Type::TEXT));
    }
    let (grain, metrics) = (request.grain, request.metrics.clone());
    let mut layout = None;
    let read_row =
        move |row: &Row| layout.get_or_insert_with(|| Layout::of(row.columns(), grain, &metrics)).point(row);
    Query::new(statement, parameters, Box::new(read_row))
}

/// The first `limit` points.
///
/// # Errors
/// The database cannot be asked.
pub async fn read(
    store: &Store,
    viewer: Viewer,
    request: &SeriesRequest,
    after: Option<SeriesEnd>,
    limit: i64,
) -> Result<Series, StoreError> {
    let points = read_rows(store, viewer, &request.subject, query(request, None, after, Some(limit))).await?;
    Ok(Series {
        grain: request.grain,
        metrics: request.metrics.clone(),
        from: request.span.from,
        to: request.span.to,
        points: points.unwrap_or_default(),
    })
}

/// Where the columns of the rows are.
struct Layout {
    device_sn: usize,
    bucket: usize,
    /// Samples, first and last time; `None`: a row is a sample.
    of_bucket: Option<[usize; 3]>,
    metrics: Vec<Places>,
}

/// Where the columns of a metric are; `None`: there is no such column.
struct Places {
    min: Option<usize>,
    avg: Option<usize>,
    max: Option<usize>,
    count: Option<usize>,
    sum: Option<usize>,
    decimals: u32,
}

impl Layout {
    fn of(columns: &[Column], grain: Grain, metrics: &[Metric]) -> Self {
        let find = |name: &str| columns.iter().position(|column| column.name() == name);
        let place = |name: &str| find(name).unwrap_or(usize::MAX);
        let places = |metric: &Metric| {
            let (column, kind) = (metric.column(), metric.kind());
            let part = |part: &str| find(&format!("{column}_{part}"));
            let decimals = metric.definition().decimals.into();
            if grain == Grain::Raw {
                let value = find(column);
                let (min, avg) = if kind == Kind::VitalSign { (value, value) } else { (None, None) };
                return Places { min, avg, max: value, count: None, sum: None, decimals: u32::MAX };
            }
            // The sum of readings is of no use to a reader, the sum of the totals of days is.
            let sum = if kind == Kind::DayTotal { part("sum") } else { None };
            Places {
                min: part("min"),
                avg: part("avg"),
                max: part("max"),
                count: part("count"),
                sum,
                decimals,
            }
        };
        let of_bucket = (grain != Grain::Raw).then(|| ["samples", "first_ts", "last_ts"].map(place));
        Self {
            device_sn: place("device_sn"),
            bucket: place("bucket"),
            of_bucket,
            metrics: metrics.iter().map(places).collect(),
        }
    }

    fn point(&self, row: &Row) -> Result<Point, StoreError> {
        let missing = |error: tokio_postgres::Error| StoreError::State(format!("a row of a series: {error}"));
        let ts: Timestamp = row.try_get(self.bucket).map_err(missing)?;
        let (samples, first_ts, last_ts) = match self.of_bucket {
            Some([samples, first_ts, last_ts]) => (
                row.try_get(samples).map_err(missing)?,
                row.try_get(first_ts).map_err(missing)?,
                row.try_get(last_ts).map_err(missing)?,
            ),
            None => (1, ts, ts),
        };
        let device_sn: &str = row.try_get(self.device_sn).map_err(missing)?;
        Ok(Point {
            device_sn: Arc::from(device_sn),
            ts,
            samples,
            first_ts,
            last_ts,
            values: self.metrics.iter().map(|places| places.summary(row)).collect(),
        })
    }
}

impl Places {
    fn summary(&self, row: &Row) -> Summary {
        let value = |place: Option<usize>| place.and_then(|place| decimal(row, place));
        let rounded = |mean: Decimal| {
            if self.decimals == u32::MAX {
                mean
            } else {
                mean.round_dp_with_strategy(self.decimals, RoundingStrategy::MidpointAwayFromZero)
            }
        };
        Summary {
            min: value(self.min),
            avg: value(self.avg).map(rounded),
            max: value(self.max),
            count: self.count.and_then(|place| row.try_get(place).ok().flatten()),
            sum: value(self.sum),
        }
    }
}

/// A number of whichever type. A numeric that is no number (NaN) was not measured.
fn decimal(row: &Row, place: usize) -> Option<Decimal> {
    let kind = row.columns().get(place)?.type_();
    match *kind {
        Type::INT2 => row.try_get::<_, Option<i16>>(place).ok()?.map(Decimal::from),
        Type::INT4 => row.try_get::<_, Option<i32>>(place).ok()?.map(Decimal::from),
        Type::INT8 => row.try_get::<_, Option<i64>>(place).ok()?.map(Decimal::from),
        _ => row.try_get::<_, Option<Decimal>>(place).ok()?,
    }
}
