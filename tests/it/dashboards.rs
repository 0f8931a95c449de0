//! The queries of `sql/dashboards`: each runs as a dashboard, with data, and says what a plain count over the raw rows says.

use std::collections::BTreeMap;
use std::path::Path;

use tokio_postgres::{Client, Row};

use crate::harness::{Database, Login};

/// Two homes with two devices each, three days of samples, and alerts, nights and messages of the devices about themselves.
/// One sample in ten minutes; the last one was just now, but of the fourth device an hour ago.
const FLEET: &str = "
    insert into org_unit (org_id, name) values (41, 'Sunset'), (42, 'Harbour');
    insert into app_user (user_id, org_id, name)
    select n, 41 + n / 3, 'Person ' || n from generate_series(1, 4) as n;
    insert into device_binding (device_sn, user_id, valid_from) select 'D' || n, n, now() - interval '9 days'
    from generate_series(1, 4) as n;
    insert into device (device_sn) select device_sn from device_binding;
    insert into health_data (device_sn, ts, heart_rate, blood_oxygen, temperature, step)
    select 'D' || n, now() - ago * interval '10 minutes', 60 + (n * 7 + ago) % 40, 90 + ago % 9, 36 + n / 10.0, 5000 - ago
    from generate_series(1, 4) as n, generate_series(0, 432) as ago where n < 4 or ago > 6;
    insert into device_info (device_sn, ts, battery_level, wear_state, charging_status)
    select 'D' || n, now(), 25 * n, (n % 2)::text, 'CHARGING' from generate_series(1, 4) as n;
    insert into alert (device_sn, rule_id, rule_version, kind, severity, metric, status, resolved_at, resolution, customer_id,
        started_ts, fired_ts, last_ts, judged_ts, message)
    select 'D' || (1 + n % 4), 1, 1, 'threshold', (array['critical', 'major', 'minor', 'info'])[1 + n % 4], 'heart_rate',
        case when n % 3 = 0 then 'firing' else 'resolved' end, case when n % 3 <> 0 then now() end,
        case when n % 3 <> 0 then 'recovered' end, 41 + (1 + n % 4) / 3, at, at, at, at, ''
    from generate_series(0, 70) as n, lateral (select now() - n * interval '37 minutes') as fired (at)
    where n % 3 <> 0 or n < 12;
    insert into sleep_segment (device_sn, start_ts, end_ts, type_code, end_day, customer_id, ts, received_at)
    select 'D' || n, night - interval '2 hours' * type, night - interval '2 hours' * (type - 1), type,
        (night at time zone 'Asia/Shanghai')::date, 41 + n / 3, now(), now()
    from generate_series(1, 4) as n, generate_series(1, 2) as type,
        lateral (select date_trunc('day', now(), 'Asia/Shanghai') - ago * interval '1 day' + interval '6 hours'
            from generate_series(0, 2) as ago) as nights (night);
    delete from outbox;";

/// The tenant of the devices D3 and D4.
const HARBOUR: i64 = 42;

pub async fn fleet() -> (Database, Client) {
    let database = Database::new().await;
    let client = database.client().await;
    client.batch_execute(FLEET).await.expect("a fleet");
    client.batch_execute("call refresh_rollups(now() - interval '9 days', now())").await.expect("refreshed");
    (database, client)
}

/// The queries by name.
pub fn queries() -> BTreeMap<String, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("sql/dashboards");
    let files = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    let queries: BTreeMap<String, String> = files
        .map(|file| {
            let name = file.file_stem().expect("a name").to_string_lossy().into_owned();
            (name, std::fs::read_to_string(&file).expect("text"))
        })
        .collect();
    assert!(queries.len() >= 16);
    queries
}

/// A query with its parameters filled in: the last three days, the first device of the harbour.
pub fn filled(sql: &str) -> String {
    sql.replace(":'device'", "'D3'")
        .replace(":'from'", "(now() - interval '3 days')")
        .replace(":'to'", "now()")
}

async fn rows(client: &Client, name: &str) -> Vec<Row> {
    let sql = filled(&queries()[name]);
    client.query(&sql, &[]).await.unwrap_or_else(|error| panic!("{name}: {error:?}"))
}

#[test]
fn every_query_says_its_name_purpose_parameters_sources_and_cost() {
    for (name, sql) in queries() {
        assert!(sql.starts_with(&format!("-- dashboards.{name}\n-- Purpose: ")), "{name}");
        for part in ["\n-- Parameters: ", "\n-- Reads: ", "\n-- Cost: "] {
            assert!(sql.contains(part), "{name} lacks {part}");
        }
    }
}

#[tokio::test]
async fn every_query_runs_as_a_dashboard_and_finds_its_own_tenant_only() {
    let (database, admin) = fleet().await;
    let board = Login::of(&database, "vitals_dashboard").await.sees_all_tenants(&database).await;
    let bound = Login::of(&database, "vitals_dashboard").await;
    let sql = format!("insert into vitals.dashboard_tenant values ('{}', {HARBOUR})", bound.name);
    admin.batch_execute(&sql).await.expect("bound");
    for (login, is_bound) in [(&board, false), (&bound, true)] {
        let client = login.client().await;
        for name in queries().keys() {
            let rows = rows(&client, name).await;
            assert!(!rows.is_empty(), "{name} finds nothing");
            let devices = rows.iter().filter_map(|row| row.try_get::<_, String>("device_sn").ok());
            let is_foreign = |device: &String| is_bound && !["D3", "D4"].contains(&device.as_str());
            assert_eq!(devices.filter(is_foreign).collect::<Vec<_>>(), [""; 0], "{name}");
        }
    }
}

/// Both in one transaction, so that they mean the same `now()`; as everybody, then as a role that is bound.
#[tokio::test]
async fn the_counters_are_those_of_the_raw_rows() {
    let (database, admin) = fleet().await;
    let bound = Login::of(&database, "vitals_dashboard").await;
    admin
        .batch_execute(&format!("insert into vitals.dashboard_tenant values ('{}', {HARBOUR})", bound.name))
        .await
        .expect("bound");
    let columns = [
        "devices_online",
        "devices_online_yesterday",
        "samples_today",
        "samples_yesterday",
        "alerts_today",
        "alerts_yesterday",
        "active_users_today",
        "active_users_yesterday",
    ];
    for (role, devices) in [("vitals", "{D1,D2,D3,D4}"), (bound.name.as_str(), "{D3,D4}")] {
        admin.batch_execute("begin isolation level repeatable read").await.expect("begun");
        let role = if role == "vitals" { "none" } else { role };
        admin.batch_execute(&format!("set local role {role}")).await.expect("a role");
        let found = rows(&admin, "header").await.remove(0);
        admin.batch_execute("reset role").await.expect("reset");
        let wanted = admin
            .query_one(
                &format!(
                    "with raw as (select * from health_data where device_sn = any ('{devices}')),
                     day as (select date_trunc('day', now(), 'Asia/Shanghai') as today),
                     today as (select raw.* from raw, day where ts >= today),
                     yesterday as (select raw.* from raw, day
                         where ts >= today - interval '1 day' and ts < today and ts < now() - interval '1 day'),
                     fired as (select fired_ts from alert where device_sn = any ('{devices}'))
                     select (select count(distinct device_sn) from raw where ts > now() - interval '15 minutes'),
                         (select count(distinct device_sn) from raw where ts <= now() - interval '1 day'
                             and ts > now() - interval '1 day 15 minutes'),
                         (select count(*) from today), null::bigint,
                         (select count(*) from fired, day where fired_ts >= today),
                         (select count(*) from fired, day where fired_ts >= today - interval '1 day' and fired_ts < today
                             and fired_ts < now() - interval '1 day'),
                         (select count(distinct device_sn) from today),
                         (select count(distinct device_sn) from yesterday)"
                ),
                &[],
            )
            .await
            .expect("a count");
        for (place, column) in columns.iter().enumerate() {
            let found: i64 = found.get(*column);
            // Samples until this time of yesterday are counted by whole hours.
            match wanted.get::<_, Option<i64>>(place) {
                Some(wanted) => assert_eq!(found, wanted, "{column} of {devices}"),
                None => assert!(found <= 4 * 24 * 6, "{column} of {devices}"),
            }
        }
        admin.batch_execute("rollback").await.expect("ended");
    }
}

#[tokio::test]
async fn hours_days_alerts_and_nights_are_those_of_the_raw_rows() {
    let (_database, client) = fleet().await;
    client.batch_execute("begin isolation level repeatable read").await.expect("begun");
    for (name, cut) in
        [("person_day", "date_trunc('hour', ts)"), ("person_week", "date_trunc('day', ts, 'Asia/Shanghai')")]
    {
        let raw = format!(
            "select {cut} as bucket, count(*), min(heart_rate)::integer, round(avg(heart_rate), 1)::text, max(step) from health_data
             where device_sn = 'D3' group by 1 having {cut} >= now() - interval '3 days' order by 1"
        );
        let wanted: Vec<(i64, i32, String, i32)> = client
            .query(&raw, &[])
            .await
            .expect("rows")
            .iter()
            .map(|row| (row.get(1), row.get(2), row.get(3), row.get(4)))
            .collect();
        let found = rows(&client, name).await;
        let found: Vec<(i64, i32, String, i32)> = found
            .iter()
            .map(|row| {
                let average: rust_decimal::Decimal = row.get("heart_rate_avg");
                let lowest: i16 = row.get("heart_rate_min");
                (row.get("samples"), lowest.into(), average.to_string(), row.get("step_max"))
            })
            .collect();
        assert_eq!(found, wanted, "{name}");
    }

    let fired = "select count(*) from alert where fired_ts >= now() - interval '3 days' and fired_ts < now()";
    let fired: i64 = client.query_one(fired, &[]).await.expect("a count").get(0);
    for name in ["alerts_by_type", "alerts_by_severity", "alerts_by_status"] {
        let sum: i64 = rows(&client, name).await.iter().map(|row| row.get::<_, i64>("alerts")).sum();
        assert_eq!(sum, fired, "{name}");
    }
    for (name, buckets) in [("alerts_hourly", 72..=73), ("alerts_daily", 4..=4)] {
        let rows = rows(&client, name).await;
        let levels = ["critical", "major", "minor", "info"];
        let sum: i64 = rows.iter().flat_map(|row| levels.map(|level| row.get::<_, i64>(level))).sum();
        assert_eq!(sum, fired, "{name}");
        assert!(buckets.contains(&rows.len()), "{name} has {} rows", rows.len());
    }
    // Each slept from two to six, the first half of it deep.
    for row in rows(&client, "sleep_average").await {
        let hours = ["total_hours", "deep_hours", "light_hours"]
            .map(|name| row.get::<_, rust_decimal::Decimal>(name));
        assert_eq!(
            (row.get::<_, i64>("nights"), hours.map(|hours| hours.to_string())),
            (4, ["4.00", "2.00", "2.00"].map(String::from))
        );
    }
    let charge: Vec<(i32, i64)> = rows(&client, "battery")
        .await
        .iter()
        .map(|row| (row.get("from_percent"), row.get("devices")))
        .collect();
    assert_eq!(charge, [(20, 1), (50, 1), (70, 1), (90, 1)]);
}

/// `bucket` is an instant, which a session far from the rollups' zone shows as another date.
#[tokio::test]
async fn a_day_is_the_date_of_the_rollups_zone_whatever_zone_the_session_has() {
    let (_database, client) = fleet().await;
    for zone in ["Asia/Shanghai", "UTC", "America/Los_Angeles", "Pacific/Kiritimati"] {
        client.batch_execute(&format!("set time zone '{zone}'")).await.expect("a zone");
        for (view, unit) in [("health_daily", "day"), ("health_weekly", "week"), ("health_monthly", "month")]
        {
            let wrong = format!(
                "select count(*), count(*) filter (where day::text is distinct from
                     to_char(date_trunc('{unit}', first_ts at time zone 'Asia/Shanghai'), 'YYYY-MM-DD'))
                 from dashboard.{view}"
            );
            let row = client.query_one(&wrong, &[]).await.expect("counts");
            assert!(row.get::<_, i64>(0) > 0);
            assert_eq!(row.get::<_, i64>(1), 0, "{view} in {zone}");
        }
        let local =
            "select array_agg(distinct (ts at time zone 'Asia/Shanghai')::date::text) from health_data";
        let days: Vec<String> = client.query_one(local, &[]).await.expect("days").get(0);
        for name in ["person_week", "alerts_daily", "sleep_nights", "sleep_average"] {
            let sql = format!("select day::text from ({}) as panel", filled(&queries()[name]));
            let shown = client.query(&sql, &[]).await.unwrap_or_else(|error| panic!("{name}: {error:?}"));
            assert!(!shown.is_empty(), "{name}");
            for row in shown {
                assert!(days.contains(&row.get::<_, String>(0)), "{name} in {zone}: {days:?}");
            }
        }
    }
}
