//! Reads what the pages of a person and of a device show: newest values, charts, nights, exercise, workouts, events, track, rules.
//!
//! Before: `person` and `device` know who is looked at. After: `store::dashboard`, which shows what the reader may see and nothing else.

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, ToSpan};

use super::super::State;
use super::super::error::ApiError;
use super::PageReader;
use super::form::PageQuery;
use crate::language::text;
use crate::metric::{Kind, Metric};
use crate::model::{Alert, AlertRule, Grain, Latest, Series};
use crate::page::chart::{ChartPeriod, TimeWindow};
use crate::page::record::{HealthRecord, grain, metrics};
use crate::page::vital::{VitalNow, newest};
use crate::store::alert_rule::EvaluatedOwner;
use crate::store::dashboard::series::SeriesRequest;
use crate::store::dashboard::{self, Span, Subject, Viewer};
use crate::store::{Store, StoreError, alert, alert_rule};

/// Devices of a person at one time.
const MOST_DEVICES: i64 = 20;

/// Points of a chart: a month of quarter hours of several devices would fit.
const MOST_POINTS: i64 = 10_000;

/// Positions that a track is drawn from.
const MOST_POSITIONS: i64 = 5_000;

/// Rows of a table.
const MOST_ROWS: i64 = 500;

/// Alerts of a chart.
const MOST_ALERTS: i64 = 200;

/// So long before now, samples are read one by one for the newest values.
const RECENT: SignedDuration = SignedDuration::from_hours(2);

/// Nights and days of exercise before the charts, days.
const DAYS_BEFORE: i64 = 14;

/// Who is looked at.
#[derive(Debug, Clone)]
pub(super) struct Watched {
    /// Whose rows.
    pub(super) subject: Subject,
    /// Whose rules.
    pub(super) owner: EvaluatedOwner,
}

/// What is read for the newest values.
struct NowSamples {
    latest: Vec<Latest>,
    recent: Series,
    today: Series,
}

/// The day, week or month that an address names, else today.
pub(super) fn window(reader: &PageReader, query: &PageQuery) -> Result<TimeWindow, ApiError> {
    let period: ChartPeriod = query.value("range").unwrap_or_default();
    let zone = &reader.frame.zone;
    let today = || reader.frame.now.to_zoned(zone.clone()).date();
    let date: Date = query.value("at").unwrap_or_else(today);
    TimeWindow::of(period, date, zone).ok_or_else(|| ApiError::Bad(text!("parameter-no-time")))
}

/// Everything that is recorded.
pub(super) async fn read(
    state: &State,
    reader: &PageReader,
    watched: &Watched,
    window: TimeWindow,
) -> Result<HealthRecord, ApiError> {
    let viewer = reader.caller.viewer();
    let request = RecordRequest {
        viewer,
        watched,
        window: &window,
        today: today(reader)?,
        alerts: alert_filter(reader, watched, &window),
    };
    let mut record = state.list(async |store| read_all(&store, &request).await).await?;
    let language = reader.frame.language;
    record.alerts = record.alerts.into_iter().map(|alert: Alert| alert.in_language(language)).collect();
    Ok(record)
}

/// The newest values, and the rules that hold.
pub(super) async fn read_now(
    state: &State,
    reader: &PageReader,
    watched: &Watched,
) -> Result<(Vec<VitalNow>, Vec<AlertRule>), ApiError> {
    let (viewer, today) = (reader.caller.viewer(), today(reader)?);
    state.list(async |store| read_newest(&store, viewer, watched, today).await).await
}

/// What to read, and for whom.
struct RecordRequest<'a> {
    viewer: Viewer,
    watched: &'a Watched,
    window: &'a TimeWindow,
    today: Span,
    alerts: alert::Filter,
}

async fn read_all(store: &Store, request: &RecordRequest<'_>) -> Result<HealthRecord, StoreError> {
    let RecordRequest { viewer, watched, window, today, alerts } = request;
    let (viewer, subject) = (*viewer, &watched.subject);
    let span = Span { from: window.from, to: window.to };
    let before = Span { from: earlier(window.from), ..span };
    let samples = now_samples(store, viewer, subject, *today).await?;
    Ok(HealthRecord {
        newest: newest(&samples.latest, &samples.recent, &samples.today),
        rules: alert_rule::in_force(store, &watched.owner).await?,
        series: series(store, viewer, subject, grain(window.period), span).await?,
        alerts: alert::list(store, alerts, None, MOST_ALERTS).await?,
        track: dashboard::track::list(store, viewer, subject, span, MOST_POSITIONS).await?,
        nights: dashboard::night::list(store, viewer, subject, before, MOST_ROWS).await?,
        exercise: dashboard::exercise::list(store, viewer, subject, before, MOST_ROWS).await?,
        workouts: dashboard::workout::list(store, viewer, subject, before, MOST_ROWS).await?,
        events: dashboard::event::list(store, viewer, subject, before, MOST_ROWS).await?,
        window: (*window).clone(),
    })
}

async fn read_newest(
    store: &Store,
    viewer: Viewer,
    watched: &Watched,
    today: Span,
) -> Result<(Vec<VitalNow>, Vec<AlertRule>), StoreError> {
    let samples = now_samples(store, viewer, &watched.subject, today).await?;
    let rules = alert_rule::in_force(store, &watched.owner).await?;
    Ok((newest(&samples.latest, &samples.recent, &samples.today), rules))
}

async fn now_samples(
    store: &Store,
    viewer: Viewer,
    subject: &Subject,
    today: Span,
) -> Result<NowSamples, StoreError> {
    let recent = Span { from: today.to.checked_sub(RECENT).unwrap_or(today.from), to: today.to };
    Ok(NowSamples {
        latest: dashboard::latest::read(store, viewer, subject, MOST_DEVICES).await?,
        recent: series(store, viewer, subject, Grain::Raw, recent).await?,
        today: series(store, viewer, subject, Grain::QuarterHour, today).await?,
    })
}

async fn series(
    store: &Store,
    viewer: Viewer,
    subject: &Subject,
    grain: Grain,
    span: Span,
) -> Result<Series, StoreError> {
    let metrics = if grain == Grain::Raw || grain == Grain::QuarterHour { measured() } else { metrics() };
    let request = SeriesRequest { subject: subject.clone(), grain, metrics, span };
    dashboard::series::read(store, viewer, &request, None, MOST_POINTS).await
}

/// Everything but positions.
fn measured() -> Vec<Metric> {
    Metric::ALL.into_iter().filter(|metric| metric.kind() != Kind::Position).collect()
}

/// The day of the reader until now.
fn today(reader: &PageReader) -> Result<Span, ApiError> {
    let (now, zone) = (reader.frame.now, &reader.frame.zone);
    let window = TimeWindow::at(ChartPeriod::Day, now, zone);
    // A sample of this second is part of it.
    let to = now.checked_add(SignedDuration::from_secs(1)).unwrap_or(now);
    window
        .map(|window| Span { from: window.from, to })
        .ok_or_else(|| ApiError::Bad(text!("parameter-no-time")))
}

fn earlier(from: Timestamp) -> Timestamp {
    from.checked_sub((24 * DAYS_BEFORE).hours()).unwrap_or(from)
}

fn alert_filter(reader: &PageReader, watched: &Watched, window: &TimeWindow) -> alert::Filter {
    let reach = reader.caller.reach();
    let (devices, user_id) = match &watched.subject {
        Subject::Device(device_sn) => (Some(vec![device_sn.clone()]), None),
        Subject::Person(user_id) => (None, Some(*user_id)),
        Subject::Everyone => (None, None),
    };
    alert::Filter {
        devices,
        user_id,
        customer_id: reach.customer_id,
        within_org_id: reach.org_id,
        from: Some(window.from),
        to: Some(window.to),
        ..alert::Filter::default()
    }
}
