//! Whatever the order in which readings arrive, the alerts are those of the order in which they were taken: a property,
//! held against a judge of its own that sees the readings one by one.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use tokio_postgres::Client;

use crate::harness::Database;

/// Cases looked at; `ALERT_CASES` sets another number.
const CASES: usize = 150;

const MIN: i16 = 50;
const MAX: i16 = 120;

/// A rule for heart rate and a device's readings.
#[derive(Debug, Clone)]
struct Case {
    consecutive: usize,
    window: i64,
    cooldown: i64,
    recovery_count: usize,
    recovery_max: i16,
    expire: Option<i64>,
    /// Bounds of graver levels.
    levels: Vec<(i16, i16)>,
    readings: Vec<Reading>,
}

#[derive(Debug, Clone, Copy)]
struct Reading {
    ts: Timestamp,
    /// Who wears the device. A reading of one person ends the alert of another.
    wearer: i64,
    heart_rate: Option<i16>,
}

/// What is compared: everything that the readings decide.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Alert {
    started_ts: Timestamp,
    fired_ts: Timestamp,
    last_ts: Timestamp,
    ended_ts: Option<Timestamp>,
    breach_count: i32,
    last_value: i16,
    /// How far outside the bounds the peak is: two values may be equally far.
    peak_excess: i16,
    severity: &'static str,
    peak_severity: &'static str,
}

/// The severity of the rule, and of its levels.
const SEVERITIES: [&str; 4] = ["info", "minor", "major", "critical"];

fn case(random: &mut StdRng) -> Case {
    let mut ts = Timestamp::now() - SignedDuration::from_hours(30);
    ts = Timestamp::from_second(ts.as_second()).expect("a second");
    let restlessness = random.random_range(0.05..0.6);
    let mut high = false;
    let (mut wearer, exchanges) = (1, [0.0, 0.05, 0.5][random.random_range(0..3)]);
    let readings = (0..random.random_range(1..60))
        .map(|_| {
            let gap = if random.random_bool(0.05) {
                random.random_range(900..20_000)
            } else {
                random.random_range(5..120)
            };
            ts += SignedDuration::from_secs(gap);
            high = high != random.random_bool(restlessness);
            let heart_rate = match random.random_range(0..20) {
                0 => None,
                1 => Some(random.random_range(30..MIN)),
                2 => Some(MAX),
                3 => Some(MIN),
                _ if high => Some(random.random_range(MAX + 1..180)),
                _ => Some(random.random_range(90..=MAX)),
            };
            if random.random_bool(exchanges) {
                wearer = random.random_range(1..3);
            }
            Reading { ts, wearer, heart_rate }
        })
        .collect();
    Case {
        consecutive: random.random_range(1..5),
        window: random.random_range(60..600),
        cooldown: if random.random_bool(0.3) { 0 } else { random.random_range(0..900) },
        recovery_count: random.random_range(1..4),
        recovery_max: if random.random_bool(0.5) { MAX } else { 105 },
        expire: random.random_bool(0.4).then(|| random.random_range(60..2000)),
        levels: levels(random),
        readings,
    }
}

fn levels(random: &mut StdRng) -> Vec<(i16, i16)> {
    let (mut min, mut max) = (MIN, MAX);
    (0..random.random_range(0..=3))
        .map(|_| {
            // A level may share one bound with the level before.
            let both = random.random_range(0..3);
            min -= if both == 0 { 0 } else { random.random_range(1..7) };
            max += if both == 1 { 0 } else { random.random_range(1..20) };
            (min, max)
        })
        .collect()
}

/// A level of a rule while readings are judged.
#[derive(Default)]
struct Level {
    breaching: Vec<Timestamp>,
    recovering: Vec<Timestamp>,
    is_on: bool,
}

impl Level {
    fn judge(&mut self, case: &Case, ts: Timestamp, breach: bool) {
        let (run, other) = if breach {
            (&mut self.breaching, &mut self.recovering)
        } else {
            (&mut self.recovering, &mut self.breaching)
        };
        run.push(ts);
        other.clear();
        let (count, seconds) =
            if breach { (case.consecutive, case.window) } else { (case.recovery_count, 24 * 3600) };
        let first = run.len().checked_sub(count).map(|first| run[first]);
        if first.is_some_and(|first| ts.duration_since(first) <= SignedDuration::from_secs(seconds)) {
            self.is_on = breach;
        }
    }
}

/// How far outside the bounds.
fn excess(value: i16) -> i16 {
    (value - MAX).max(MIN - value)
}

/// The alerts of all who wore the device.
fn expected_alerts(case: &Case) -> Vec<Alert> {
    let mut alerts: Vec<Alert> = (1..3).flat_map(|wearer| alerts_of_wearer(case, wearer)).collect();
    alerts.sort_by_key(|alert| alert.started_ts);
    alerts
}

/// The judge: one reading after the other.
fn alerts_of_wearer(case: &Case, wearer: i64) -> Vec<Alert> {
    let seconds = SignedDuration::from_secs;
    let mut alerts: Vec<Alert> = Vec::new();
    let (mut breaching, mut recovering): (Vec<Reading>, Vec<Timestamp>) = (Vec::new(), Vec::new());
    let mut levels: Vec<Level> = case.levels.iter().map(|_| Level::default()).collect();
    let mut on = false;
    for &reading in &case.readings {
        let Some(value) = reading.heart_rate else { continue };
        let breach = !(MIN..=MAX).contains(&value);
        if let (true, Some(expire), Some(alert)) = (on, case.expire, alerts.last_mut()) {
            let expires = alert.last_ts + seconds(expire);
            if reading.ts > expires {
                alert.ended_ts = Some(expires);
                on = false;
                levels.iter_mut().for_each(|level| level.is_on = false);
            }
        }
        if reading.wearer != wearer {
            if let (true, Some(alert)) = (on, alerts.last_mut()) {
                alert.ended_ts = Some(reading.ts);
                on = false;
            }
            breaching.clear();
            recovering.clear();
            levels.fill_with(Level::default);
            continue;
        }
        for (level, (min, max)) in levels.iter_mut().zip(&case.levels) {
            level.judge(case, reading.ts, !(*min..=*max).contains(&value));
        }
        if breach {
            breaching.push(reading)
        } else {
            breaching.clear()
        }
        if (MIN..=case.recovery_max).contains(&value) {
            recovering.push(reading.ts)
        } else {
            recovering.clear()
        }
        let run = breaching.len().checked_sub(case.consecutive).map(|first| &breaching[first..]);
        let run = run.filter(|run| reading.ts.duration_since(run[0].ts) <= seconds(case.window));
        match (on, run) {
            (false, Some(run)) => {
                on = true;
                let again = alerts
                    .last()
                    .and_then(|alert| alert.ended_ts)
                    .is_some_and(|ended| reading.ts.duration_since(ended) <= seconds(case.cooldown));
                if again {
                    let alert = alerts.last_mut().expect("there is one");
                    alert.ended_ts = None;
                    alert.breach_count += i32::try_from(run.len()).expect("few");
                    touch(alert, reading.ts, value);
                } else {
                    let peak = run.iter().filter_map(|one| one.heart_rate).map(excess).max();
                    alerts.push(Alert {
                        started_ts: run[0].ts,
                        fired_ts: reading.ts,
                        last_ts: reading.ts,
                        ended_ts: None,
                        breach_count: i32::try_from(run.len()).expect("few"),
                        last_value: value,
                        peak_excess: peak.expect("a run is not empty"),
                        severity: SEVERITIES[0],
                        peak_severity: SEVERITIES[0],
                    });
                }
            }
            (true, _) if breach => {
                let alert = alerts.last_mut().expect("one is on");
                alert.breach_count += 1;
                touch(alert, reading.ts, value);
            }
            _ => {}
        }
        let recovered = recovering.len().checked_sub(case.recovery_count).map(|first| recovering[first]);
        if on
            && recovered
                .is_some_and(|first| reading.ts.duration_since(first) <= SignedDuration::from_hours(24))
        {
            alerts.last_mut().expect("one is on").ended_ts = Some(reading.ts);
            on = false;
        }
        if on {
            let alert = alerts.last_mut().expect("one is on");
            let level = levels.iter().filter(|level| level.is_on).count();
            alert.severity = SEVERITIES[level];
            let peak = SEVERITIES.iter().position(|severity| *severity == alert.peak_severity);
            alert.peak_severity = SEVERITIES[peak.unwrap_or(0).max(level)];
        }
    }
    if let (true, Some(expire), Some(alert)) = (on, case.expire, alerts.last_mut()) {
        let expires = alert.last_ts + seconds(expire);
        alert.ended_ts = (expires < Timestamp::now()).then_some(expires);
    }
    alerts
}

fn touch(alert: &mut Alert, ts: Timestamp, value: i16) {
    alert.last_ts = ts;
    alert.last_value = value;
    alert.peak_excess = alert.peak_excess.max(excess(value));
}

/// A tenant, a rule of its own and a device for each case; the seeded rules are out of the way.
async fn prepare(client: &Client, cases: &[Case]) {
    client.batch_execute("update alert_rule set enabled = false").await.expect("disabled");
    for (number, case) in (1_i64..).zip(cases) {
        client
            .execute(
                "insert into alert_rule (name, kind, severity, customer_id, metric, min_value, max_value, recovery_max_value,
                     consecutive, window_seconds, cooldown_seconds, recovery_count, expire_seconds, levels)
                 values ('case', 'threshold', 'info', $1, 'heart_rate', 50, 120, $2::int2, $3, $4, $5, $6, $7, $8)",
                &[
                    &number,
                    &case.recovery_max,
                    &i32::try_from(case.consecutive).expect("few"),
                    &i32::try_from(case.window).expect("few"),
                    &i32::try_from(case.cooldown).expect("few"),
                    &i32::try_from(case.recovery_count).expect("few"),
                    &case.expire.map(|expire| i32::try_from(expire).expect("few")),
                    &levels_of(case),
                ],
            )
            .await
            .expect("a rule");
    }
}

fn levels_of(case: &Case) -> Option<Value> {
    let levels: Vec<Value> = case
        .levels
        .iter()
        .zip(&SEVERITIES[1..])
        .map(|((min, max), severity)| json!({ "severity": severity, "min": min, "max": max }))
        .collect();
    (!levels.is_empty()).then(|| levels.into())
}

/// Writes some readings of some cases in a transaction of their own, as an upload does.
async fn upload(client: &Client, readings: &[(i64, Reading)]) {
    let device: Vec<String> = readings.iter().map(|(case, _)| device_of(*case)).collect();
    let customer: Vec<i64> = readings.iter().map(|(case, _)| *case).collect();
    let wearer: Vec<i64> = readings.iter().map(|(_, reading)| reading.wearer).collect();
    let ts: Vec<Timestamp> = readings.iter().map(|(_, reading)| reading.ts).collect();
    let heart_rate: Vec<Option<i16>> = readings.iter().map(|(_, reading)| reading.heart_rate).collect();
    client
        .execute(
            "insert into health_data (device_sn, customer_id, user_id, ts, heart_rate)
             select * from unnest($1::text[], $2::int8[], $3::int8[], $4::timestamptz[], $5::int2[])",
            &[&device, &customer, &wearer, &ts, &heart_rate],
        )
        .await
        .expect("written");
}

fn device_of(case: i64) -> String {
    format!("CASE{case:05}")
}

const TOKEN: &str = "'00000000-0000-4000-8000-000000000000'";

/// A batch that nobody finishes here, without rows.
const ANOTHER: i64 = i64::MAX;

/// So much waits from now on that rows which are not evaluated yet are left out before they are read.
async fn fall_behind(client: &Client) {
    let insert = format!("insert into outbox (batch_id, rows) values ({ANOTHER}, 1000000)");
    client.execute(&insert, &[]).await.expect("inserted");
}

/// Finishes up to `limit` batches of the outbox, oldest or newest first, as a relay does: some together, some in slices, of which a few
/// may be left for later unless `all`.
async fn react(client: &Client, random: &mut StdRng, newest_first: bool, limit: i64, all: bool) {
    let order = if newest_first { "desc" } else { "asc" };
    let claim = format!(
        "update outbox set lease_token = {TOKEN}, leased_until = 'infinity'
         where batch_id in (select batch_id from outbox where batch_id <> {ANOTHER} order by batch_id {order} limit {limit})
         returning batch_id, sliced"
    );
    let claimed = client.query(&claim, &[]).await.expect("claimed");
    let (mut sliced, mut together): (Vec<i64>, Vec<i64>) = Default::default();
    for row in &claimed {
        let in_slices = row.get(1) || random.random_bool(0.4);
        if in_slices { &mut sliced } else { &mut together }.push(row.get(0));
    }
    if !together.is_empty() {
        let finish = format!(
            "select vitals.finish_batches({TOKEN}, $1, null, min(ts), max(ts))
             from health_data where batch_id = any ($1)"
        );
        client.execute(&finish, &[&together]).await.expect("finished");
    }
    for batch_id in sliced {
        let list = format!(
            "select vitals.slice_batch({TOKEN}, $1, null, min(ts), max(ts), false) from health_data where batch_id = $1"
        );
        client.execute(&list, &[&batch_id]).await.expect("its devices are listed");
        while all || random.random_bool(0.8) {
            let claim = format!(
                "update outbox set lease_token = {TOKEN}, leased_until = 'infinity' where batch_id = $1"
            );
            client.execute(&claim, &[&batch_id]).await.expect("claimed");
            let evaluate = format!("select finished from vitals.evaluate_slice({TOKEN}, $1, $2, $3)");
            let (devices, rows) = (random.random_range(1..40), random.random_range(1..60));
            let slice = client.query_one(&evaluate, &[&batch_id, &devices, &rows]).await.expect("a slice");
            if slice.get(0) {
                break;
            }
        }
    }
}

async fn alerts_of(client: &Client) -> BTreeMap<String, Vec<Alert>> {
    let rows = client
        .query(
            "select device_sn, started_ts, fired_ts, last_ts, ended_ts, breach_count, last_value, peak_value,
                 severity, peak_severity
             from alert where resolution is distinct from 'retracted' order by device_sn, started_ts",
            &[],
        )
        .await
        .expect("alerts");
    let severity = |name: &str| SEVERITIES.into_iter().find(|each| *each == name).expect("a severity");
    let whole = |value: Decimal| i16::try_from(value).expect("a heart rate");
    let mut alerts: BTreeMap<String, Vec<Alert>> = BTreeMap::new();
    for row in &rows {
        alerts.entry(row.get(0)).or_default().push(Alert {
            started_ts: row.get(1),
            fired_ts: row.get(2),
            last_ts: row.get(3),
            ended_ts: row.get(4),
            breach_count: row.get(5),
            last_value: whole(row.get(6)),
            peak_excess: excess(whole(row.get(7))),
            severity: severity(row.get(8)),
            peak_severity: severity(row.get(9)),
        });
    }
    alerts
}

/// Returns the database and the seed.
async fn hold(
    order: &str,
    mut arrange: impl FnMut(&mut Vec<(i64, Reading)>, &mut StdRng),
) -> (Client, Database, u64) {
    let count = std::env::var("ALERT_CASES").ok().and_then(|count| count.parse().ok()).unwrap_or(CASES);
    let seed: u64 =
        std::env::var("ALERT_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or_else(rand::random);
    let mut random = StdRng::seed_from_u64(seed);
    let cases: Vec<Case> = (0..count).map(|_| case(&mut random)).collect();
    let database = Database::new().await;
    let client = database.client().await;
    prepare(&client, &cases).await;
    if random.random_bool(0.5) {
        fall_behind(&client).await;
    }

    let mut readings: Vec<(i64, Reading)> = (1_i64..)
        .zip(&cases)
        .flat_map(|(number, case)| case.readings.iter().map(move |reading| (number, *reading)))
        .collect();
    readings.sort_by_key(|(_, reading)| reading.ts);
    arrange(&mut readings, &mut random);
    let mut rest = readings.as_slice();
    while !rest.is_empty() {
        let (batch, others) = rest.split_at(random.random_range(1..=rest.len().min(200)));
        upload(&client, batch).await;
        rest = others;
        if random.random_bool(0.6) {
            let (newest_first, limit) = (random.random_bool(0.5), random.random_range(1..4));
            react(&client, &mut random, newest_first, limit, false).await;
        }
    }
    react(&client, &mut random, false, i64::MAX, true).await;

    let found = alerts_of(&client).await;
    for (number, case) in (1_i64..).zip(&cases) {
        let (expected, found) =
            (expected_alerts(case), found.get(&device_of(number)).cloned().unwrap_or_default());
        assert_eq!(found, expected, "{order}, ALERT_SEED={seed}, case {number}: {case:#?}");
    }
    (client, database, seed)
}

/// Batches are evaluated out of order, but nobody is notified of a run of readings that those which wait do not support. They may show
/// that two alerts are one, by its cool-down or its expiry.
#[tokio::test]
async fn readings_in_order_give_the_alerts_of_the_rule_and_none_is_retracted() {
    let (client, _database, seed) = hold("in order", |_, _| ()).await;
    let retracted = client
        .query(
            "select a.device_sn, a.started_ts::text, a.fired_ts::text
             from alert a
             join alert_rule r using (rule_id)
             where a.resolution = 'retracted' and r.cooldown_seconds = 0 and r.expire_seconds is null",
            &[],
        )
        .await
        .expect("alerts");
    let retracted: Vec<[String; 3]> =
        retracted.iter().map(|row| [row.get(0), row.get(1), row.get(2)]).collect();
    assert_eq!(retracted, Vec::<[String; 3]>::new(), "ALERT_SEED={seed}");
}

#[tokio::test]
async fn breaches_are_no_run_while_readings_between_them_wait() {
    let readings: Vec<Reading> = [(0, 150), (60, 80), (120, 150)]
        .map(|(at, heart_rate)| Reading {
            ts: Timestamp::now() - SignedDuration::from_secs(600 - at),
            wearer: 1,
            heart_rate: Some(heart_rate),
        })
        .into();
    let case = Case {
        consecutive: 2,
        window: 600,
        cooldown: 0,
        recovery_count: 2,
        recovery_max: MAX,
        expire: None,
        levels: vec![(MIN, 140)],
        readings: readings.clone(),
    };
    for is_behind in [false, true] {
        let database = Database::new().await;
        let client = database.client().await;
        prepare(&client, std::slice::from_ref(&case)).await;
        if is_behind {
            fall_behind(&client).await;
        }
        for reading in &readings {
            upload(&client, &[(1, *reading)]).await;
        }
        let mut random = StdRng::seed_from_u64(0);
        for newest_first in [true, false, false] {
            react(&client, &mut random, newest_first, 1, true).await;
            let alerts: i64 =
                client.query_one("select count(*) from alert", &[]).await.expect("a row").get(0);
            assert_eq!(alerts, 0);
        }
    }
}

#[tokio::test]
async fn readings_out_of_order_give_the_same_alerts_as_in_order() {
    hold("out of order", |readings, random| readings.shuffle(random)).await;
}

#[tokio::test]
async fn cached_readings_that_come_after_newer_ones_give_the_same_alerts_as_in_order() {
    // Every device delivers stretches of its readings later than the next stretch.
    hold("cached", |readings, random| {
        let mut later: BTreeMap<(i64, i64), i64> = BTreeMap::new();
        readings.sort_by_key(|(case, reading)| {
            let stretch = reading.ts.as_second() / 1200;
            let delay = *later
                .entry((*case, stretch))
                .or_insert_with(|| if random.random_bool(0.4) { 1800 } else { 0 });
            reading.ts.as_second() + delay
        });
    })
    .await;
}
