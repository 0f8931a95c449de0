//! Whether everything is as it has to be when a round is over: rows, accounts, Redis, alerts, who was told.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Mutex;

use jiff::Timestamp;
use redis::AsyncCommands;
use redis::aio::ConnectionLike;
use tokio_postgres::Client;

use super::ledger::{Key, Kind, Ledger};
use super::receiver::ReceivedAlerts;
use crate::harness::eventually_or_none;

/// Older signatures are refused by receivers that go by the standard.
const SIGNED_WITHIN_SECONDS: i64 = 300;

/// Times the usual wait, until nothing is left to be done: sessions of servers that were demoted end within this.
const SETTLES_WITHIN: u32 = 4;

/// What a round had to be held against.
#[derive(Debug, Default, Clone, Copy)]
pub struct Count {
    pub acknowledged: usize,
    pub refused: u64,
    pub alerts: usize,
}

impl Count {
    /// Adds another round.
    pub fn add(&mut self, other: Self) {
        self.acknowledged += other.acknowledged;
        self.refused += other.refused;
        self.alerts += other.alerts;
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { acknowledged, refused, alerts } = self;
        write!(
            f,
            "{acknowledged} records acknowledged, {refused} uploads refused or not answered meanwhile, {alerts} alerts"
        )
    }
}

/// Answers of 200 of all rounds so far, by kind, and readings they called new.
#[derive(Debug, Default)]
pub struct Sum {
    acknowledged: BTreeMap<Kind, i64>,
    acknowledged_new: i64,
}

/// Waits until nothing is left to be done.
pub async fn settled(client: &Client) {
    let left = "select (select count(*) from outbox), (select count(*) from vitals.alert_change),
                       (select count(*) from notification where status = 'pending' and due_at <= now())";
    let work = Mutex::<[i64; 3]>::default();
    for _ in 0..SETTLES_WITHIN {
        let is_settled = eventually_or_none(|| async {
            let row = client.query_one(left, &[]).await.expect("counts");
            let now = [row.get(0), row.get(1), row.get(2)];
            *work.lock().expect("whole") = now;
            (now == [0; 3]).then_some(())
        });
        if is_settled.await.is_some() {
            return;
        }
    }
    panic!("outbox, shown alerts and notifications that are due do not drain: {work:?} are left");
}

/// Holds the round of these devices, when nothing is left to be done, against what the database, Redis and the receiver have. Where
/// PostgreSQL's clock was not true, nobody knows what was late.
pub async fn check<R: ConnectionLike + Clone + Send + Sync>(
    client: &Client,
    redis: R,
    prefix: &str,
    ledger: &Ledger,
    received_alerts: &ReceivedAlerts,
    sum: &mut Sum,
    clock_is_true: bool,
) -> Result<Count, Vec<String>> {
    let mut wrongs = ledger.wrongs.clone();
    let devices: BTreeSet<&str> = ledger.sent.keys().map(|key| key.1.as_str()).collect();
    let devices: Vec<&str> = devices.into_iter().collect();
    for (kind, records) in &ledger.acknowledged {
        *sum.acknowledged.entry(*kind).or_default() += records;
    }
    sum.acknowledged_new += ledger.acknowledged_new;
    records(client, prefix, ledger, &mut wrongs).await;
    accounts(client, sum, &mut wrongs).await;
    let alerts = alerts(client, &devices, clock_is_true, &mut wrongs).await;
    messages(client, &devices, received_alerts, clock_is_true, &mut wrongs).await;
    view(redis, client, &devices, &mut wrongs).await;
    let acknowledged = ledger.sent.values().filter(|(_, answered)| *answered).count();
    if wrongs.is_empty() { Ok(Count { acknowledged, refused: ledger.refused, alerts }) } else { Err(wrongs) }
}

/// Every record that was answered 200 is there with the values sent, and nothing is there that was not sent.
async fn records(client: &Client, prefix: &str, ledger: &Ledger, wrongs: &mut Vec<String>) {
    let found = "select 0, device_sn, extract(epoch from ts)::int8, '', heart_rate::int8, blood_oxygen::int8
                 from health_data where starts_with(device_sn, $1)
                 union all
                 select 1, device_sn, extract(epoch from ts)::int8, event_type, value::int8, null
                 from device_event where starts_with(device_sn, $1)
                 union all
                 select 2, device_sn, extract(epoch from ts)::int8, '', battery_level::int8, null
                 from device_info where starts_with(device_sn, $1)";
    let types = ["SOS_EVENT", "WEAR_STATUS_CHANGED", "HEARTRATE_HIGH_ALERT", "CALL_STATE", ""];
    let mut found_keys: BTreeSet<Key> = BTreeSet::new();
    for row in client.query(found, &[&prefix]).await.expect("rows") {
        let kind = Kind::ALL[usize::try_from(row.get::<_, i32>(0)).expect("a kind")];
        let event_type =
            types.iter().find(|name| **name == row.get::<_, &str>(3)).expect("a type that was sent");
        let key: Key = (kind, row.get(1), row.get(2), event_type);
        let values: [Option<i64>; 2] = [row.get(4), row.get(5)];
        match ledger.sent.get(&key) {
            None => wrongs.push(format!("stored, but never sent: {key:?}")),
            Some((record, _)) if record.values != values => {
                wrongs.push(format!("stored as {values:?}, sent as {:?}: {key:?}", record.values));
            }
            Some(_) => {}
        }
        if !found_keys.insert(key.clone()) {
            wrongs.push(format!("stored twice: {key:?}"));
        }
    }
    let answered = ledger.sent.iter().filter(|(_, (_, answered))| *answered);
    wrongs.extend(
        answered
            .filter(|(key, _)| !found_keys.contains(*key))
            .map(|(key, _)| format!("acknowledged and lost: {key:?}")),
    );
}

/// The accounts hold what the tables hold, and no less than was told to senders.
async fn accounts(client: &Client, sum: &Sum, wrongs: &mut Vec<String>) {
    let accounts =
        "select kind, sum(received)::int8, sum(stored)::int8, sum(duplicate)::int8, sum(rejected)::int8,
                        case kind when 'reading' then (select count(*) from health_data)
                                  when 'event' then (select count(*) from device_event)
                                  else (select count(*) from device_info) end,
                        (select coalesce(sum(times), 0)::int8 from rejected_upload)
                    from vitals.ingest_batch group by kind";
    let unaccounted = "select count(*) from health_data h
                       where not exists (select from vitals.ingest_batch b where b.batch_id = h.batch_id)";
    for row in client.query(accounts, &[]).await.expect("accounts") {
        let name: String = row.get(0);
        let kind = Kind::ALL.into_iter().find(|kind| kind.name() == name).expect("a kind");
        let [received, stored, duplicate, rejected, rows, rejects] =
            [1, 2, 3, 4, 5, 6].map(|n| row.get::<_, i64>(n));
        let acknowledged = sum.acknowledged.get(&kind).copied().unwrap_or_default();
        if received != stored + duplicate + rejected || stored != rows || rejected != 0 || rejects != 0 {
            wrongs.push(format!(
                "{name}: received {received}, stored {stored} ({rows} rows), duplicate {duplicate}, rejected {rejected} ({rejects} rows)"
            ));
        }
        if acknowledged > received || (kind == Kind::Reading && sum.acknowledged_new > stored) {
            wrongs.push(format!(
                "{name}: {acknowledged} were acknowledged, {} as new; received {received}, stored {stored}",
                sum.acknowledged_new
            ));
        }
    }
    let unaccounted: i64 = client.query_one(unaccounted, &[]).await.expect("a count").get(0);
    if unaccounted > 0 {
        wrongs.push(format!("{unaccounted} rows are of a transaction without an account"));
    }
}

/// The alerts are those that the stored rows make: every one once, none more.
async fn alerts(client: &Client, devices: &[&str], clock_is_true: bool, wrongs: &mut Vec<String>) -> usize {
    type Row = (String, i64, Timestamp, Timestamp, Timestamp, Option<Timestamp>, i32, bool);
    let expected = "select d.device_sn, r.rule_id, d.started_ts, d.fired_ts, d.last_ts, d.ended_ts, d.breach_count, d.historical
                    from alert_rule r,
                        lateral vitals.replay_rule(r, $1::text[], now() - interval '1 day', now() + interval '1 day') d
                    where r.enabled and r.kind <> 'silence'
                    order by 1, 2, 3";
    let found = "select device_sn, rule_id, started_ts, fired_ts, last_ts, ended_ts, breach_count, historical
                 from alert where device_sn = any ($1) and resolution is distinct from 'retracted'
                 order by 1, 2, 3";
    let read = async |sql: &str| -> Vec<Row> {
        let rows = client.query(sql, &[&devices]).await.expect("alerts");
        let read = rows.iter().map(|row| {
            (row.get(0), row.get(1), row.get(2), row.get(3), row.get(4), row.get(5), row.get(6), row.get(7))
        });
        read.collect()
    };
    let (expected, found) = (read(expected).await, read(found).await);
    wrongs
        .extend(expected.iter().filter(|one| !found.contains(one)).map(|one| format!("alert lost: {one:?}")));
    wrongs.extend(
        found.iter().filter(|one| !expected.contains(one)).map(|one| format!("alert made up: {one:?}")),
    );
    if expected.len() != found.len() {
        wrongs.push(format!("{} alerts instead of {}", found.len(), expected.len()));
    }
    // Nothing here is sent long after it was measured.
    if clock_is_true {
        let late = found.iter().filter(|one| one.7);
        wrongs.extend(late.map(|one| format!("a fresh alert is taken for late: {one:?}")));
    }
    expected.len()
}

/// The receiver received every notification that was sent, each under one number, at least one of every alert, and of nothing that is none.
async fn messages(
    client: &Client,
    devices: &[&str],
    received_alerts: &ReceivedAlerts,
    clock_is_true: bool,
    wrongs: &mut Vec<String>,
) {
    let alerts = "select alert_id, device_sn, historical, array(
                      select distinct n.message_id::text from notification n where n.alert_id = a.alert_id and n.message_id is not null
                  )
                  from alert a where device_sn = any ($1)";
    let received_alerts = received_alerts.lock().expect("whole").clone();
    let mut known = BTreeSet::new();
    for row in client.query(alerts, &[&devices]).await.expect("alerts") {
        let (alert_id, device, historical): (i64, String, bool) = (row.get(0), row.get(1), row.get(2));
        let sent: BTreeSet<String> = row.get::<_, Vec<String>>(3).into_iter().collect();
        known.insert(alert_id);
        match received_alerts.get(&alert_id) {
            None if historical => {}
            None => wrongs.push(format!("nobody received alert {alert_id} of {device}")),
            Some(received) => {
                let is_stale = clock_is_true && received.off_seconds > SIGNED_WITHIN_SECONDS;
                if received.device != device || received.ids != sent || is_stale {
                    wrongs.push(format!(
                        "alert {alert_id} of {device}, sent as {sent:?}, was received as {received:?}"
                    ));
                }
            }
        }
    }
    let made_up = received_alerts
        .iter()
        .filter(|(id, received)| devices.contains(&received.device.as_str()) && !known.contains(*id));
    wrongs.extend(
        made_up.map(|(alert_id, one)| format!("received of alert {alert_id}, which is none: {one:?}")),
    );
}

/// Redis comes to show, for every device, its newest reading, its newest information, and its open alerts. What is dated more than
/// five minutes ahead counts as of its receipt, and clients that have much to send get that far ahead.
async fn view<R: ConnectionLike + Clone + Send + Sync>(
    redis: R,
    client: &Client,
    devices: &[&str],
    wrongs: &mut Vec<String>,
) {
    let truth = "with health as (select *, case when ts <= received_at + interval '5 minutes' then ts
                         else received_at + least(ts - received_at, interval '1 day') / 1000000 end as counts_as
                     from health_data),
                 info as (select *, case when ts <= received_at + interval '5 minutes' then ts
                         else received_at + least(ts - received_at, interval '1 day') / 1000000 end as counts_as
                     from device_info)
                 select d.device_sn,
                     (select floor(extract(epoch from h.counts_as))::int8 || ' ' || h.heart_rate from health h
                      where h.device_sn = d.device_sn order by h.counts_as desc limit 1),
                     (select floor(extract(epoch from i.counts_as))::int8 || ' ' || i.battery_level from info i
                      where i.device_sn = d.device_sn order by i.counts_as desc limit 1),
                     array(select a.alert_id::text from alert a
                           where a.device_sn = d.device_sn and a.status <> 'resolved' order by 1)
                 from unnest($1::text[]) as d (device_sn)";
    let truth = client.query(truth, &[&devices]).await.expect("the truth");
    for row in &truth {
        let (device, reading, info): (&str, Option<String>, Option<String>) =
            (row.get(0), row.get(1), row.get(2));
        let alerts: Vec<String> = row.get(3);
        let must_be = [reading.unwrap_or_default(), info.unwrap_or_default(), alerts.join(" ")];
        let last_seen = Mutex::<[String; 3]>::default();
        let shown = eventually_or_none(|| async {
            let is = shown(redis.clone(), device).await;
            last_seen.lock().expect("whole").clone_from(&is);
            (is == must_be).then_some(())
        });
        if shown.await.is_none() {
            let is = last_seen.into_inner().expect("whole");
            wrongs.push(format!(
                "Redis shows of {device} the reading, information and alerts {is:?}, not {must_be:?}"
            ));
        }
    }
}

/// What Redis shows of a device: its newest reading, what it said of itself last, its open alerts.
async fn shown<R: ConnectionLike + Send + Sync>(mut redis: R, device: &str) -> [String; 3] {
    let mut shown = [const { String::new() }; 3];
    for (shown, (name, field)) in
        shown.iter_mut().zip([("health_data", "heartRate"), ("device_info", "batteryLevel")])
    {
        let values: (Option<i64>, Option<String>) =
            redis.hmget(format!("{name}:{device}"), &["eventTimeUs", field]).await.expect("a hash");
        if let (Some(us), Some(value)) = values {
            *shown = format!("{} {value}", us / 1_000_000);
        }
    }
    let mut open: Vec<String> = redis.hkeys(format!("alert_info:{device}")).await.expect("a hash");
    open.sort();
    shown[2] = open.join(" ");
    shown
}
