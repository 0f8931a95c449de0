//! `exercise_day`: the totals of days, by the document of the day and by that of the week.

use std::collections::BTreeMap;

use deadpool_postgres::Object;
use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;

use super::{Statement, StoreError, statement};
use crate::model::{DocumentKind, Element, ExerciseTotals, Owner, SampleDocument};

pub(super) const ADD: Statement = statement!("exercise_day", "add");

#[derive(Default)]
struct Day {
    owner: Owner,
    daily: Account,
    weekly: Account,
    received_at: Timestamp,
}

/// What one of the two documents says of a day.
#[derive(Default)]
struct Account {
    /// Event time of the newest sample. `None`: the document did not come.
    ts: Option<Timestamp>,
    totals: ExerciseTotals,
}

impl Account {
    /// The same rule as `sql/queries/exercise_day/add.sql`; besides, of one moment the larger totals hold.
    fn join(&mut self, ts: Timestamp, totals: ExerciseTotals) {
        self.totals = match self.ts {
            Some(known) if known > ts => self.totals,
            Some(known) if known == ts => self.totals.larger(totals),
            _ => totals.or(self.totals),
        };
        self.ts = self.ts.max(Some(ts));
    }
}

/// Stores the days of `documents`; nothing is sent when there are none.
pub(crate) async fn add(client: &Object, documents: &[SampleDocument<'_>]) -> Result<(), StoreError> {
    let days = by_key(documents);
    if days.is_empty() {
        return Ok(());
    }
    let device_sn: Vec<&str> = days.keys().map(|key| key.0).collect();
    let day: Vec<Date> = days.keys().map(|key| key.1).collect();
    let [customer_id, org_id, user_id] = Owner::columns(days.values().map(|day| day.owner));
    let daily = Columns::of(days.values().map(|day| &day.daily));
    let weekly = Columns::of(days.values().map(|day| &day.weekly));
    let received_at: Vec<Timestamp> = days.values().map(|day| day.received_at).collect();
    ADD.execute(
        client,
        &[
            &device_sn,
            &day,
            &customer_id,
            &org_id,
            &user_id,
            &daily.ts,
            &daily.strength_minutes,
            &daily.active_hours,
            &daily.steps,
            &weekly.ts,
            &weekly.strength_minutes,
            &weekly.active_hours,
            &weekly.steps,
            &received_at,
        ],
    )
    .await
    .map(drop)
}

/// One row a key, in the order of the key.
fn by_key<'a>(documents: &[SampleDocument<'a>]) -> BTreeMap<(&'a str, Date), Day> {
    let mut days: BTreeMap<_, Day> = BTreeMap::new();
    for carried in documents {
        for element in &carried.document.elements {
            if let Element::Exercise(exercise) = element {
                let day = days.entry((carried.device_sn, exercise.day)).or_default();
                day.owner = day.owner.or(carried.owner);
                day.received_at = day.received_at.max(carried.received_at);
                let account = match carried.document.kind {
                    DocumentKind::ExerciseWeek => &mut day.weekly,
                    _ => &mut day.daily,
                };
                account.join(carried.last_ts, exercise.totals);
            }
        }
    }
    days
}

#[derive(Default)]
struct Columns {
    ts: Vec<Option<Timestamp>>,
    strength_minutes: Vec<Option<Decimal>>,
    active_hours: Vec<Option<Decimal>>,
    steps: Vec<Option<i32>>,
}

impl Columns {
    fn of<'d>(accounts: impl Iterator<Item = &'d Account>) -> Self {
        let mut columns = Self::default();
        for account in accounts {
            columns.ts.push(account.ts);
            columns.strength_minutes.push(account.totals.strength_minutes);
            columns.active_hours.push(account.totals.active_hours);
            columns.steps.push(account.totals.steps);
        }
        columns
    }
}
