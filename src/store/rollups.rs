//! The rollups: made by `vitals migrate` from `sql/rollups`, refreshed by the clock, shown by `vitals check`.
//!
//! Before: `store::migrate` calls [`sync`]; `schedule::rollups` holds a [`RefreshSession`]. After: dashboards read the views.
//! Promise: a rollup that exists is never made anew, since the raw rows it stands for may be gone.

use std::time::Duration;

use jiff::Timestamp;
use tokio_postgres::{Client, GenericClient, Transaction};

use super::rollup_columns::extend;
use super::{Driver, Store, StoreError};
use crate::config::Settings;

/// What a rollup is made of.
struct Definition {
    name: &'static str,
    source: &'static str,
    /// Width of a bucket.
    width: &'static str,
    /// Whether days of a zone matter to it; else its buckets are cut in UTC.
    local: bool,
    /// Time in one chunk of the materialised part. Of what other rollups are made of, it is little more than one of their
    /// buckets: the Community edition reads whole chunks to compute one bucket of all devices again.
    chunk: &'static str,
    /// The SELECT.
    sql: &'static str,
}

macro_rules! definition {
    ($name:literal, $source:literal, $width:literal, local: $local:literal, chunk: $chunk:literal) => {
        Definition {
            name: $name,
            source: $source,
            width: $width,
            local: $local,
            chunk: $chunk,
            sql: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/sql/rollups/", $name, ".sql")),
        }
    };
}

/// In the order in which they are made and refreshed: each after its source.
const DEFINITIONS: [Definition; 5] = [
    definition!("health_15m", "health_data", "15 minutes", local: false, chunk: "1 day"),
    definition!("health_hourly", "health_15m", "1 hour", local: false, chunk: "7 days"),
    definition!("health_daily", "health_15m", "1 day", local: true, chunk: "28 days"),
    definition!("health_weekly", "health_daily", "7 days", local: true, chunk: "364 days"),
    definition!("health_monthly", "health_daily", "1 month", local: true, chunk: "1820 days"),
];

/// Where the SELECTs name the zone.
const ZONE: &str = ":'time_zone'";

/// Which TimescaleDB the server runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edition {
    /// Hypertables only: the rollups are tables of ours, refreshed by the service.
    Apache,
    /// Continuous aggregates and jobs: the rollups are aggregates of TimescaleDB, refreshed by the service and by a job.
    Community,
}

/// How far a rollup is.
#[derive(Debug, Clone)]
pub struct RollupStatus {
    /// Name of its view.
    pub name: String,
    /// Zone its buckets are cut in.
    pub zone: String,
    /// Buckets before it are materialised, later ones computed when read. `None`: nothing is materialised yet.
    pub watermark: Option<Timestamp>,
    /// Changes that wait for the next refresh.
    pub pending: i64,
    /// When the last refresh that came to its end began. `None`: none did.
    pub refreshed_at: Option<Timestamp>,
}

fn failed(statement: &'static str) -> impl Fn(tokio_postgres::Error) -> StoreError {
    move |source| StoreError::Postgres { statement, source }
}

macro_rules! sql {
    ($file:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/sql/queries/rollups/", $file, ".sql"))
    };
}

/// Which edition of TimescaleDB the server runs.
///
/// # Errors
/// The database is away.
pub async fn edition(client: &impl GenericClient) -> Result<Edition, StoreError> {
    let row = client.query_one(sql!("edition"), &[]).await.map_err(failed("rollups.edition"))?;
    Ok(if row.get::<_, &str>("edition") == "community" { Edition::Community } else { Edition::Apache })
}

/// How far each rollup is, in the order of refresh.
///
/// # Errors
/// The database is away, or was never migrated.
pub async fn status(client: &Client) -> Result<Vec<RollupStatus>, StoreError> {
    let rows = client.query(sql!("status"), &[]).await.map_err(failed("rollups.status"))?;
    Ok(rows
        .iter()
        .map(|row| RollupStatus {
            name: row.get("name"),
            zone: row.get("time_zone"),
            watermark: row.get("watermark"),
            pending: row.get("pending"),
            refreshed_at: row.get("refreshed_at"),
        })
        .collect())
}

/// Makes the rollups that are missing, and refuses those that were made otherwise. Unless everything `is_current`, what shows
/// them is made again, too.
///
/// # Errors
/// [`StoreError::State`] when the zone, a definition or the edition is not what the rollups were made with.
pub async fn sync(
    transaction: &Transaction<'_>,
    settings: &Settings,
    is_current: bool,
) -> Result<(), StoreError> {
    let edition = edition(transaction).await?;
    let recorded = transaction.query(sql!("recorded"), &[]).await.map_err(failed("rollups.recorded"))?;
    for (position, definition) in (1_i16..).zip(&DEFINITIONS) {
        let zone = definition.zone(settings);
        let text = definition.text(&format!("'{zone}'"));
        if let Some(row) = recorded.iter().find(|row| row.get::<_, &str>("name") == definition.name) {
            refuse_what_differs(definition.name, zone, edition, row)?;
            extend(transaction, definition.name, &text, row).await?;
            continue;
        }
        let (name, source, width, chunk) =
            (definition.name, definition.source, definition.width, definition.chunk);
        transaction
            .execute(sql!("create"), &[&name, &position, &source, &width, &zone, &chunk, &text])
            .await
            .map_err(failed("rollups.create"))?;
    }
    transaction.execute(sql!("settle"), &[]).await.map_err(failed("rollups.settle"))?;
    if !is_current {
        transaction.batch_execute(&health_by_day()).await.map_err(failed("rollups.health_by_day"))?;
        transaction.execute(sql!("show"), &[]).await.map_err(failed("rollups.show"))?;
        transaction.batch_execute(&device_days()).await.map_err(failed("rollups.device_days"))?;
    }
    Ok(())
}

/// The texts that rollups are made of, the zone left open.
pub(super) fn texts() -> impl Iterator<Item = String> {
    DEFINITIONS.iter().map(|definition| definition.text(ZONE)).chain([health_by_day(), device_days()])
}

impl Definition {
    fn zone<'a>(&self, settings: &'a Settings) -> &'a str {
        if self.local { &settings.rollup_time_zone } else { "UTC" }
    }

    /// The SELECT without its comments, so that better words are no other definition.
    fn text(&self, zone: &str) -> String {
        let lines: Vec<&str> = self.sql.lines().filter(|line| !line.trim_start().starts_with("--")).collect();
        lines.join("\n").trim().replace(ZONE, zone)
    }
}

/// Refuses a rollup of another zone, or one that this edition cannot refresh.
fn refuse_what_differs(
    name: &str,
    zone: &str,
    edition: Edition,
    recorded: &tokio_postgres::Row,
) -> Result<(), StoreError> {
    let made_in: &str = recorded.get("time_zone");
    if made_in != zone {
        return Err(StoreError::State(format!(
            "{name} was made in the zone {made_in}, but rollup_time_zone is {zone}. Its days cannot be cut anew where raw \
             rows are gone. Set rollup_time_zone (VITALS_ROLLUP_TIME_ZONE) to {made_in}; health_by_day() gives days in any \
             other zone. While every raw row is still there: `select vitals.drop_rollups()`, then migrate again"
        )));
    }
    if recorded.get::<_, &str>("kept_by") == "timescaledb" && edition == Edition::Apache {
        return Err(StoreError::State(format!(
            "{name} is a continuous aggregate, which only the Community edition of TimescaleDB can refresh, and this server \
             runs the Apache edition: set timescaledb.license = 'timescale', or restore health_data into a new database"
        )));
    }
    Ok(())
}

/// `health_by_day(device, zone, from_date, to_date)`: the SELECT of `health_daily`, of one device, in any zone. Its body is
/// bound to what it reads when it is made, so it needs no search path and can be planned together with the query around it.
fn health_by_day() -> String {
    let daily =
        DEFINITIONS.iter().find(|definition| definition.name == "health_daily").expect("is one of them");
    format!(
        "create or replace function public.health_by_day(device text, zone text, from_date date, to_date date)
        returns setof public.health_daily
        language sql stable parallel safe
        begin atomic
            with health_15m as (
                select * from public.health_15m
                where device_sn = health_by_day.device
                    and bucket >= health_by_day.from_date::timestamp at time zone health_by_day.zone
                    and bucket < (health_by_day.to_date + 1)::timestamp at time zone health_by_day.zone
            )
            {};
        end;
        comment on function public.health_by_day(text, text, date, date) is
            'Days of one device in any zone, from the first date to the last, both included; columns as health_daily.'",
        daily.text("health_by_day.zone")
    )
}

/// `dashboard.device_days(device, zone, from_ts, to_ts)`: the same for readers of schema dashboard, who see the quarter hours that they
/// may see. A day is one that begins within the time.
fn device_days() -> String {
    let daily =
        DEFINITIONS.iter().find(|definition| definition.name == "health_daily").expect("is one of them");
    let first_midnight = |name: &str| {
        format!(
            "(device_days.{name} at time zone device_days.zone + interval '1 day - 1 microsecond')::date::timestamp at time zone \
             device_days.zone"
        )
    };
    format!(
        "create or replace function dashboard.device_days(device text, zone text, from_ts timestamptz, to_ts timestamptz)
        returns setof public.health_daily
        language sql stable parallel safe
        begin atomic
            with health_15m as (select * from dashboard.device_15m(device_days.device, {}, {}))
            {}
            order by 2;
        end;
        comment on function dashboard.device_days(text, text, timestamptz, timestamptz) is
            'Days of one device in any zone that begin from from_ts on and before to_ts, in order; columns as dashboard.health_daily, without day and cell.'",
        first_midnight("from_ts"),
        first_midnight("to_ts"),
        daily.text("device_days.zone")
    )
}

/// A session that may become the one that refreshes the rollups, of all instances.
#[derive(Debug)]
pub struct RefreshSession {
    client: Client,
    _driver: Driver,
    store: Store,
}

impl RefreshSession {
    /// Opens the session.
    ///
    /// # Errors
    /// The database is away.
    pub async fn open(store: &Store) -> Result<Self, StoreError> {
        let (client, driver) = store.session().await?;
        Ok(Self { client, _driver: driver, store: store.clone() })
    }

    /// Shortest `policy.refresh_every` of all rollups, as it is now.
    ///
    /// # Errors
    /// The database is away.
    pub async fn refresh_every(&self) -> Result<Duration, StoreError> {
        let row = self
            .client
            .query_one(sql!("refresh_every"), &[])
            .await
            .map_err(failed("rollups.refresh_every"))?;
        let seconds: Option<f64> = row.get("every_seconds");
        let seconds = seconds.ok_or_else(|| {
            StoreError::State("there are no rollups, or no policy for them: run `vitals migrate`".into())
        })?;
        Ok(Duration::from_secs_f64(seconds.max(0.1)))
    }

    /// Takes the lock of the one instance that refreshes the rollups, until the session ends. False: another one has it.
    ///
    /// # Errors
    /// The database is away.
    pub async fn try_lock(&self) -> Result<bool, StoreError> {
        let row = self.client.query_one(sql!("try_lock"), &[]).await.map_err(failed("rollups.try_lock"))?;
        Ok(row.get("taken"))
    }

    /// Brings all rollups up to date.
    ///
    /// # Errors
    /// The database is away. What was done so far is kept.
    pub async fn refresh(&self) -> Result<(), StoreError> {
        refresh(&self.client, None).await
    }

    /// Cancels the running statement and ends the session.
    pub async fn abandon(self) {
        self.store.cancel(&self.client).await;
    }
}

/// Brings all rollups up to date; computes a range (from, to) anew where one is given, as far as raw rows are still there.
/// `client` must have no statement time-out.
///
/// # Errors
/// The database is away. What was done so far is kept.
pub async fn refresh(client: &Client, range: Option<(Timestamp, Timestamp)>) -> Result<(), StoreError> {
    let (from, to) = range.unzip();
    client.execute(sql!("refresh"), &[&from, &to]).await.map(drop).map_err(failed("rollups.refresh"))
}
