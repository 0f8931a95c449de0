//! `…/series` of a device or a person, and `/api/series`, the export of every device.
//!
//! Before: `inquiry` has read who asks. After: `store::dashboard::series`.
//! Promise: the fields are the columns of the views of schema dashboard, with the same values; means are rounded as on the boards.

use std::sync::Arc;

use axum::extract::State as Shared;
use axum::response::Response;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use super::super::{ApiError, PathId, cut_page};
use super::form::Form;
use super::inquiry::{Inquiry, PathSerial};
use super::parameter::{Cursor, Metrics, PointLimit, SpanBounds, Zone, span};
use super::point::{PointTable, SeriesPoint};
use super::record::absent;
use crate::http::State;
use crate::http::error::ReadErrors;
use crate::language::text;
use crate::model::{Grain, Id64};
use crate::store::dashboard::series::{self, SeriesEnd, SeriesRequest};
use crate::store::dashboard::{self, Subject};

/// A page of a series
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct SeriesPage<'a> {
    /// How fine it is
    grain: Grain,
    /// From then on
    #[schema(value_type = String, format = DateTime)]
    from: Timestamp,
    /// Before
    #[schema(value_type = String, format = DateTime)]
    to: Timestamp,
    /// Zone in which days, weeks and months are cut
    time_zone: &'a str,
    /// In the order of time
    #[schema(max_items = 10000)]
    points: Vec<SeriesPoint<'a>>,
    /// What to ask for the next page with; null: this is the last
    cursor: Option<String>,
}

/// Which series, and which page of it
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "the document has to tell what is read from pairs")]
pub(in crate::http) struct SeriesParameters {
    /// Vital signs and totals of the day, separated by commas, named as in a point. Default: all of them
    #[param(example = "heart_rate,step")]
    metric: Option<String>,
    /// How fine. Default: hourly
    #[param(inline)]
    grain: Option<Grain>,
    /// Samples, or buckets that begin, from then on: a time, or a date, whose first instant is meant. Default: an hour before `to` (raw), a
    /// day (15m, hourly), 30 days (daily), 26 weeks (weekly), a year (monthly). At most 31 days (raw), a year (15m), three years (hourly), 20
    /// years
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<Timestamp>,
    /// Before: a time or a date. Default: now
    #[param(value_type = Option<String>, format = DateTime)]
    to: Option<Timestamp>,
    /// Zone of dates in `from` and `to`, and in which days are cut (IANA name). Weeks and months are those of the rollups, whose zone is the
    /// default
    zone: Option<String>,
    /// Where the page before ended, as its answer says; JSON only
    cursor: Option<String>,
    /// Most points of a page; JSON only
    #[param(minimum = 1, maximum = 10000, default = 2000)]
    limit: Option<i64>,
    /// Instead of the header Accept
    #[param(inline)]
    format: Option<Form>,
    /// Of this tenant only
    customer_id: Option<Id64>,
}

/// How long a series is.
fn bounds(grain: Grain) -> SpanBounds {
    let (default_hours, longest_days) = match grain {
        Grain::Raw => (1, 31),
        Grain::QuarterHour => (24, 366),
        Grain::Hourly => (24, 3 * 366),
        Grain::Daily => (30 * 24, 20 * 366),
        Grain::Weekly => (26 * 7 * 24, 20 * 366),
        Grain::Monthly => (366 * 24, 20 * 366),
    };
    SpanBounds { default: SignedDuration::from_hours(default_hours), longest_days }
}

/// What is asked for.
struct SeriesQuestion {
    request: SeriesRequest,
    /// `None`: that of the rollups.
    zone: Option<Zone>,
    after: Option<SeriesEnd>,
    limit: i64,
}

fn read_parameters(
    state: &State,
    inquiry: &mut Inquiry,
    subject: Subject,
) -> Result<SeriesQuestion, ApiError> {
    let parameters = &mut inquiry.parameters;
    let grain = parameters.one::<Grain>("grain")?.unwrap_or(Grain::Hourly);
    let metrics = parameters.one::<Metrics>("metric")?.map_or_else(Metrics::all, |Metrics(metrics)| metrics);
    let named = parameters.one::<Zone>("zone")?;
    let zone = named.as_ref().map_or(&state.rollup_zone, |named| &named.zone);
    let span = span(parameters, zone, state.time.now(), bounds(grain))?;
    let other = named.filter(|named| state.rollup_zone.iana_name() != Some(named.name.as_str()));
    if other.is_some() && matches!(grain, Grain::Weekly | Grain::Monthly) {
        return Err(ApiError::Bad(text!("zone-only-days")));
    }
    let after = parameters
        .one::<Cursor<(i64, String)>>("cursor")?
        .map(|Cursor(place)| series_end(place))
        .transpose()?;
    let limit = parameters.one::<PointLimit>("limit")?.map_or(PointLimit::DEFAULT, |PointLimit(limit)| limit);
    std::mem::take(parameters).end()?;
    Ok(SeriesQuestion { request: SeriesRequest { subject, grain, metrics, span }, zone: other, after, limit })
}

fn series_end((microseconds, device_sn): (i64, String)) -> Result<SeriesEnd, ApiError> {
    let ts = Timestamp::from_microsecond(microseconds);
    Ok((ts.map_err(|_| ApiError::Bad(text!("parameter-no-cursor")))?, device_sn))
}

/// Answers with a page, or with all points.
async fn answer(state: &State, mut inquiry: Inquiry, subject: Subject) -> Result<Response, ApiError> {
    if inquiry.form == Form::Json && subject == Subject::Everyone {
        return Err(ApiError::NotAcceptable);
    }
    let question = read_parameters(state, &mut inquiry, subject)?;
    let zone_name = question.zone.as_ref().map(|zone| zone.name.as_str());
    let zone: TimeZone =
        question.zone.as_ref().map_or_else(|| state.rollup_zone.clone(), |zone| zone.zone.clone());
    let table = PointTable::new(question.request.grain, &question.request.metrics, zone);
    if inquiry.form != Form::Json {
        let query = series::query(&question.request, zone_name, question.after, None);
        return inquiry.export(state, "series", &question.request.subject, query, table).await;
    }
    let (viewer, request, limit) = (inquiry.viewer, &question.request, question.limit);
    let read = state.list(async |store| {
        let query = series::query(request, zone_name, question.after.clone(), Some(limit + 1));
        dashboard::read(&store, viewer, &request.subject, query).await
    });
    let mut points = read.await?.ok_or_else(|| absent(&request.subject))?;
    let last = cut_page(&mut points, limit);
    let cursor = last.map(|point| Cursor((point.ts.as_microsecond(), point.device_sn.to_string())).text());
    inquiry.json(&SeriesPage {
        grain: request.grain,
        from: request.span.from,
        to: request.span.to,
        time_zone: zone_name.or_else(|| state.rollup_zone.iana_name()).unwrap_or("UTC"),
        points: points.iter().map(|point| table.point(point)).collect(),
        cursor,
    })
}

/// Vital signs and totals of the day of a device: samples, or summaries of a quarter hour, an hour, a day, a week or a month
///
/// A bucket is shown to whoever owned the device from its first sample to its last.
#[utoipa::path(get, path = "/api/devices/{sn}/series", tag = "reading",
    params(("sn" = String, Path, description = "Serial number of the device"), SeriesParameters),
    security(("bearer" = ["read", "own_tenant", "own_people"]), ("basic" = ["read", "own_tenant", "own_people"])),
    responses((status = 200, description = "A page of it as JSON, or all of it as NDJSON or CSV",
        content((SeriesPage = "application/json"), (SeriesPoint = "application/x-ndjson"), (String = "text/csv"))), ReadErrors))]
pub(in crate::http) async fn get_api_devices_sn_series(
    Shared(state): Shared<Arc<State>>,
    PathSerial(device_sn): PathSerial,
    inquiry: Inquiry,
) -> Result<Response, ApiError> {
    answer(&state, inquiry, Subject::Device(device_sn)).await
}

/// The same of a person: of the devices that they wore from the first sample of a bucket to the last
#[utoipa::path(get, path = "/api/people/{id}/series", tag = "reading",
    params(("id" = Id64, Path, description = "Number of the person"), SeriesParameters),
    security(("bearer" = ["read", "own_tenant", "own_people"]), ("basic" = ["read", "own_tenant", "own_people"])),
    responses((status = 200, description = "A page of it as JSON, or all of it as NDJSON or CSV",
        content((SeriesPage = "application/json"), (SeriesPoint = "application/x-ndjson"), (String = "text/csv"))), ReadErrors))]
pub(in crate::http) async fn get_api_people_id_series(
    Shared(state): Shared<Arc<State>>,
    PathId(user_id): PathId,
    inquiry: Inquiry,
) -> Result<Response, ApiError> {
    answer(&state, inquiry, Subject::Person(user_id)).await
}

/// The same of every device that the caller may see, device by device: the export of a tenant
///
/// As CSV or NDJSON only. It is sent as it is read. If the database fails meanwhile, the connection is closed before the end of the body.
#[utoipa::path(get, path = "/api/series", tag = "reading", params(SeriesParameters),
    security(("bearer" = ["read", "own_tenant", "own_people"]), ("basic" = ["read", "own_tenant", "own_people"])),
    responses((status = 200, description = "All of it as NDJSON or CSV",
        content((SeriesPoint = "application/x-ndjson"), (String = "text/csv"))), ReadErrors))]
pub(in crate::http) async fn get_api_series(
    Shared(state): Shared<Arc<State>>,
    inquiry: Inquiry,
) -> Result<Response, ApiError> {
    answer(&state, inquiry, Subject::Everyone).await
}
