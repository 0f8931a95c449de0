//! `…/nights`, `…/exercise`, `…/workouts`, `…/events`, `…/track` of a device or a person.
//!
//! Before: `inquiry` has read who asks. After: `store::dashboard`.
//! Promise: a row is a person's if they wore the device at its time. Pages neither miss nor repeat a row that is there all the while.

use std::sync::Arc;

use axum::extract::State as Shared;
use axum::response::Response;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use super::super::query::Limit;
use super::super::{ApiError, PathId, cut_page};
use super::form::Form;
use super::inquiry::{Inquiry, PathSerial};
use super::parameter::{Cursor, PointLimit, SpanBounds, Zone, span};
use super::table::{FieldTable, Fields};
use crate::http::State;
use crate::http::error::ReadErrors;
use crate::language::text;
use crate::model::{DayOfExercise, EventEntry, Id64, Night, TrackPoint, WorkoutEntry};
use crate::store::dashboard::{self, PageEnd, Record, Subject};

/// Rows of a page, unless a limit is named.
const PAGE: i64 = 100;

/// Which rows, and which page of them
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "the document has to tell what is read from pairs")]
pub(in crate::http) struct RecordParameters {
    /// From then on: a time, or a date, whose first instant is meant. Default: thirty days before `to`, of a track one day
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<Timestamp>,
    /// Before: a time or a date. Default: now
    #[param(value_type = Option<String>, format = DateTime)]
    to: Option<Timestamp>,
    /// Zone of dates in `from` and `to` (IANA name). Default: that of the rollups
    zone: Option<String>,
    /// Where the page before ended, as its answer says; JSON only
    cursor: Option<String>,
    /// Most rows of a page; JSON only. Of a track up to 10 000, by default 2 000
    #[param(minimum = 1, maximum = 500, default = 100)]
    limit: Option<i64>,
    /// Instead of the header Accept
    #[param(inline)]
    format: Option<Form>,
    /// Of this tenant only
    customer_id: Option<Id64>,
}

/// A kind of record with a route.
trait Listed: Record + Fields {
    /// Its name in the path.
    const NAME: &'static str;

    /// How long a time is.
    const BOUNDS: SpanBounds = SpanBounds { default: SignedDuration::from_hours(30 * 24), longest_days: 366 };

    /// The rows of a page, unless a limit is named, and at most.
    fn limit(inquiry: &mut Inquiry) -> Result<i64, ApiError> {
        Ok(inquiry.parameters.one::<Limit>("limit")?.map_or(PAGE, |Limit(limit)| limit))
    }

    /// A page as JSON.
    type Page: Serialize;

    /// Makes a page.
    fn page(rows: Vec<Self>, cursor: Option<String>) -> Self::Page;
}

macro_rules! listed {
    ($($(#[$about:meta])* $page:ident { $field:ident: $kind:ident as $name:literal $(, $($rest:tt)*)? })+) => {
        $(
            $(#[$about])*
            #[derive(Debug, Serialize, ToSchema)]
            pub(in crate::http) struct $page {
                /// In the order of time
                #[schema(max_items = 10000)]
                $field: Vec<$kind>,
                /// What to ask for the next page with; null: this is the last
                cursor: Option<String>,
            }

            impl Listed for $kind {
                const NAME: &'static str = $name;
                type Page = $page;

                fn page($field: Vec<Self>, cursor: Option<String>) -> $page {
                    $page { $field, cursor }
                }

                $($($rest)*)?
            }
        )+
    };
}

listed! {
    /// A page of nights
    NightPage { nights: Night as "nights" }
    /// A page of days of exercise
    ExercisePage { exercise: DayOfExercise as "exercise" }
    /// A page of workouts
    WorkoutPage { workouts: WorkoutEntry as "workouts" }
    /// A page of events
    EventPage { events: EventEntry as "events" }
    /// A page of a track
    TrackPage { track: TrackPoint as "track",
        const BOUNDS: SpanBounds = SpanBounds { default: SignedDuration::from_hours(24), longest_days: 31 };

        fn limit(inquiry: &mut Inquiry) -> Result<i64, ApiError> {
            let limit = inquiry.parameters.one::<PointLimit>("limit")?;
            Ok(limit.map_or(PointLimit::DEFAULT, |PointLimit(limit)| limit))
        }
    }
}

/// A device or a person that the caller may not see, or that does not exist.
pub(super) fn absent(subject: &Subject) -> ApiError {
    ApiError::Absent(match subject {
        Subject::Device(_) | Subject::Everyone => text!("device-absent"),
        Subject::Person(_) => text!("person-absent"),
    })
}

/// Answers with a page, or with all rows.
async fn list<R: Listed>(
    state: &State,
    mut inquiry: Inquiry,
    subject: Subject,
) -> Result<Response, ApiError> {
    let zone =
        inquiry.parameters.one::<Zone>("zone")?.map_or_else(|| state.rollup_zone.clone(), |zone| zone.zone);
    let span = span(&mut inquiry.parameters, &zone, state.time.now(), R::BOUNDS)?;
    let after = inquiry.parameters.one::<Cursor<(i64, String, String)>>("cursor")?;
    let after = after.map(|Cursor(place)| page_end(place)).transpose()?;
    let limit = R::limit(&mut inquiry)?;
    std::mem::take(&mut inquiry.parameters).end()?;
    if inquiry.form != Form::Json {
        let query = dashboard::records::<R>(&subject, span, after, None);
        return inquiry.export(state, R::NAME, &subject, query, FieldTable).await;
    }
    let viewer = inquiry.viewer;
    let read = state.list(async |store| {
        let query = dashboard::records::<R>(&subject, span, after.clone(), Some(limit + 1));
        dashboard::read(&store, viewer, &subject, query).await
    });
    let mut rows = read.await?.ok_or_else(|| absent(&subject))?;
    let last = cut_page(&mut rows, limit).map(Record::page_end);
    let cursor = last.map(|end| Cursor((end.ts.as_microsecond(), end.device_sn, end.tie)).text());
    inquiry.json(&R::page(rows, cursor))
}

fn page_end((microseconds, device_sn, tie): (i64, String, String)) -> Result<PageEnd, ApiError> {
    let ts = Timestamp::from_microsecond(microseconds);
    let ts = ts.map_err(|_| ApiError::Bad(text!("parameter-no-cursor")))?;
    Ok(PageEnd { ts, device_sn, tie })
}

/// Nights of a device, in the order of time
///
/// A night is the sleep that ended on a local day; its hours are rounded to a hundredth.
#[utoipa::path(get, path = "/api/devices/{sn}/nights", tag = "reading",
    params(("sn" = String, Path, description = "Serial number of the device"), RecordParameters),
    security(("bearer" = ["read", "own_tenant", "own_people"]), ("basic" = ["read", "own_tenant", "own_people"])),
    responses((status = 200, description = "A page of them as JSON, or all of them as NDJSON or CSV",
        content((NightPage = "application/json"), (Night = "application/x-ndjson"), (String = "text/csv"))), ReadErrors))]
pub(in crate::http) async fn get_api_devices_sn_nights(
    Shared(state): Shared<Arc<State>>,
    PathSerial(device_sn): PathSerial,
    inquiry: Inquiry,
) -> Result<Response, ApiError> {
    list::<Night>(&state, inquiry, Subject::Device(device_sn)).await
}

/// Nights of the devices that a person wore at their time
///
/// A night is the sleep that ended on a local day; its hours are rounded to a hundredth.
#[utoipa::path(get, path = "/api/people/{id}/nights", tag = "reading",
    params(("id" = Id64, Path, description = "Number of the person"), RecordParameters),
    security(("bearer" = ["read", "own_tenant", "own_people"]), ("basic" = ["read", "own_tenant", "own_people"])),
    responses((status = 200, description = "A page of them as JSON, or all of them as NDJSON or CSV",
        content((NightPage = "application/json"), (Night = "application/x-ndjson"), (String = "text/csv"))), ReadErrors))]
pub(in crate::http) async fn get_api_people_id_nights(
    Shared(state): Shared<Arc<State>>,
    PathId(user_id): PathId,
    inquiry: Inquiry,
) -> Result<Response, ApiError> {
    list::<Night>(&state, inquiry, Subject::Person(user_id)).await
}

/// Days of exercise of a device, in the order of time
#[utoipa::path(get, path = "/api/devices/{sn}/exercise", tag = "reading",
    params(("sn" = String, Path, description = "Serial number of the device"), RecordParameters),
    security(("bearer" = ["read", "own_tenant", "own_people"]), ("basic" = ["read", "own_tenant", "own_people"])),
    responses((status = 200, description = "A page of them as JSON, or all of them as NDJSON or CSV",
        content((ExercisePage = "application/json"), (DayOfExercise = "application/x-ndjson"), (String = "text/csv"))), ReadErrors))]
pub(in crate::http) async fn get_api_devices_sn_exercise(
    Shared(state): Shared<Arc<State>>,
    PathSerial(device_sn): PathSerial,
    inquiry: Inquiry,
) -> Result<Response, ApiError> {
    list::<DayOfExercise>(&state, inquiry, Subject::Device(device_sn)).await
}

/// Days of exercise of the devices that a person wore at their time
#[utoipa::path(get, path = "/api/people/{id}/exercise", tag = "reading",
    params(("id" = Id64, Path, description = "Number of the person"), RecordParameters),
    security(("bearer" = ["read", "own_tenant", "own_people"]), ("basic" = ["read", "own_tenant", "own_people"])),
    responses((status = 200, description = "A page of them as JSON, or all of them as NDJSON or CSV",
        content((ExercisePage = "application/json"), (DayOfExercise = "application/x-ndjson"), (String = "text/csv"))), ReadErrors))]
pub(in crate::http) async fn get_api_people_id_exercise(
    Shared(state): Shared<Arc<State>>,
    PathId(user_id): PathId,
    inquiry: Inquiry,
) -> Result<Response, ApiError> {
    list::<DayOfExercise>(&state, inquiry, Subject::Person(user_id)).await
}

/// Workouts of a device, in the order of time
#[utoipa::path(get, path = "/api/devices/{sn}/workouts", tag = "reading",
    params(("sn" = String, Path, description = "Serial number of the device"), RecordParameters),
    security(("bearer" = ["read", "own_tenant", "own_people"]), ("basic" = ["read", "own_tenant", "own_people"])),
    responses((status = 200, description = "A page of them as JSON, or all of them as NDJSON or CSV",
        content((WorkoutPage = "application/json"), (WorkoutEntry = "application/x-ndjson"), (String = "text/csv"))), ReadErrors))]
pub(in crate::http) async fn get_api_devices_sn_workouts(
    Shared(state): Shared<Arc<State>>,
    PathSerial(device_sn): PathSerial,
    inquiry: Inquiry,
) -> Result<Response, ApiError> {
    list::<WorkoutEntry>(&state, inquiry, Subject::Device(device_sn)).await
}

/// Workouts of the devices that a person wore at their time
#[utoipa::path(get, path = "/api/people/{id}/workouts", tag = "reading",
    params(("id" = Id64, Path, description = "Number of the person"), RecordParameters),
    security(("bearer" = ["read", "own_tenant", "own_people"]), ("basic" = ["read", "own_tenant", "own_people"])),
    responses((status = 200, description = "A page of them as JSON, or all of them as NDJSON or CSV",
        content((WorkoutPage = "application/json"), (WorkoutEntry = "application/x-ndjson"), (String = "text/csv"))), ReadErrors))]
pub(in crate::http) async fn get_api_people_id_workouts(
    Shared(state): Shared<Arc<State>>,
    PathId(user_id): PathId,
    inquiry: Inquiry,
) -> Result<Response, ApiError> {
    list::<WorkoutEntry>(&state, inquiry, Subject::Person(user_id)).await
}

/// Events of a device, in the order of time
#[utoipa::path(get, path = "/api/devices/{sn}/events", tag = "reading",
    params(("sn" = String, Path, description = "Serial number of the device"), RecordParameters),
    security(("bearer" = ["read", "own_tenant", "own_people"]), ("basic" = ["read", "own_tenant", "own_people"])),
    responses((status = 200, description = "A page of them as JSON, or all of them as NDJSON or CSV",
        content((EventPage = "application/json"), (EventEntry = "application/x-ndjson"), (String = "text/csv"))), ReadErrors))]
pub(in crate::http) async fn get_api_devices_sn_events(
    Shared(state): Shared<Arc<State>>,
    PathSerial(device_sn): PathSerial,
    inquiry: Inquiry,
) -> Result<Response, ApiError> {
    list::<EventEntry>(&state, inquiry, Subject::Device(device_sn)).await
}

/// Events of the devices that a person wore at their time
#[utoipa::path(get, path = "/api/people/{id}/events", tag = "reading",
    params(("id" = Id64, Path, description = "Number of the person"), RecordParameters),
    security(("bearer" = ["read", "own_tenant", "own_people"]), ("basic" = ["read", "own_tenant", "own_people"])),
    responses((status = 200, description = "A page of them as JSON, or all of them as NDJSON or CSV",
        content((EventPage = "application/json"), (EventEntry = "application/x-ndjson"), (String = "text/csv"))), ReadErrors))]
pub(in crate::http) async fn get_api_people_id_events(
    Shared(state): Shared<Arc<State>>,
    PathId(user_id): PathId,
    inquiry: Inquiry,
) -> Result<Response, ApiError> {
    list::<EventEntry>(&state, inquiry, Subject::Person(user_id)).await
}

/// Positions of a device, in the order of time
#[utoipa::path(get, path = "/api/devices/{sn}/track", tag = "reading",
    params(("sn" = String, Path, description = "Serial number of the device"), RecordParameters),
    security(("bearer" = ["read", "own_tenant", "own_people"]), ("basic" = ["read", "own_tenant", "own_people"])),
    responses((status = 200, description = "A page of them as JSON, or all of them as NDJSON or CSV",
        content((TrackPage = "application/json"), (TrackPoint = "application/x-ndjson"), (String = "text/csv"))), ReadErrors))]
pub(in crate::http) async fn get_api_devices_sn_track(
    Shared(state): Shared<Arc<State>>,
    PathSerial(device_sn): PathSerial,
    inquiry: Inquiry,
) -> Result<Response, ApiError> {
    list::<TrackPoint>(&state, inquiry, Subject::Device(device_sn)).await
}

/// Positions of the devices that a person wore at their time
#[utoipa::path(get, path = "/api/people/{id}/track", tag = "reading",
    params(("id" = Id64, Path, description = "Number of the person"), RecordParameters),
    security(("bearer" = ["read", "own_tenant", "own_people"]), ("basic" = ["read", "own_tenant", "own_people"])),
    responses((status = 200, description = "A page of them as JSON, or all of them as NDJSON or CSV",
        content((TrackPage = "application/json"), (TrackPoint = "application/x-ndjson"), (String = "text/csv"))), ReadErrors))]
pub(in crate::http) async fn get_api_people_id_track(
    Shared(state): Shared<Arc<State>>,
    PathId(user_id): PathId,
    inquiry: Inquiry,
) -> Result<Response, ApiError> {
    list::<TrackPoint>(&state, inquiry, Subject::Person(user_id)).await
}
