//! Policies: what is refused, what goes, what stays, and how `vitals policy` tells of it.

use serde_json::{Value, json};
use tokio_postgres::Client;
use tokio_util::sync::CancellationToken;
use vitals::schedule;
use vitals::store::Store;
use vitals::store::rollups::{self, Edition};

use crate::harness::{Database, Service, add_alert, eventually, vitals};

const LEVELS: [&str; 5] = ["health_15m", "health_hourly", "health_daily", "health_weekly", "health_monthly"];

async fn edition(client: &Client) -> Edition {
    rollups::edition(client).await.expect("an edition")
}

async fn run(client: &Client, sql: &str) {
    client.batch_execute(sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
}

async fn count(client: &Client, sql: &str) -> i64 {
    client.query_one(sql, &[]).await.unwrap_or_else(|error| panic!("{sql}: {error:?}")).get(0)
}

/// Why the database does not take it.
async fn refusal(client: &Client, sql: &str) -> String {
    let error = client.batch_execute(sql).await.expect_err(sql);
    let refusal = error.as_db_error().expect("of the database");
    assert_eq!(refusal.code().code(), "23514", "{refusal}");
    refusal.message().to_owned()
}

/// Samples of `devices` devices every half hour for so many days up to now.
async fn history(client: &Client, devices: u32, days: u32) {
    run(
        client,
        &format!(
            "insert into health_data (device_sn, ts, heart_rate, step)
             select 'D' || d, at, 60 + d, 100 from generate_series(1, {devices}) as d,
                 generate_series(date_trunc('hour', now()) - interval '{days} days', now(), interval '30 minutes') as at"
        ),
    )
    .await;
}

/// What the relay does with all outbox rows, as far as the rollups are concerned.
async fn react(client: &Client) {
    run(
        client,
        "select vitals.mark_rollups(array_agg(batch_id), '-infinity', 'infinity') from outbox; delete from outbox",
    )
    .await;
}

async fn rolled_up_history(client: &Client, devices: u32, days: u32) {
    history(client, devices, days).await;
    react(client).await;
    rollups::refresh(client, None).await.expect("refreshed");
}

async fn apply(client: &Client) {
    run(client, "call apply_policies()").await;
}

#[tokio::test]
async fn a_policy_that_would_lose_data_is_refused_with_the_reason() {
    let database = Database::new().await;
    let client = database.client().await;
    for (change, words) in [
        (
            "keep_for = '2 hours' where relation = 'health_data'",
            ["health_15m is computed from it", "02:45:20"],
        ),
        (
            "keep_for = '1 day' where relation = 'health_15m'",
            ["health_daily is computed from it", "health_15m.keep_for"],
        ),
        (
            "keep_for = '31 days' where relation = 'health_daily'",
            ["health_monthly is computed from it", "too short"],
        ),
        (
            "keep_for = '30 days' where relation = 'health_monthly'",
            ["a bucket is complete only when", "health_monthly"],
        ),
        (
            "refresh_lag = '4 years' where relation = 'health_15m'",
            ["health_data.keep_for = 3 years", "too short"],
        ),
        ("refresh_every = '40 months' where relation = 'health_15m'", ["health_data.keep_for", "too short"]),
        ("refresh_lag = null where relation = 'health_hourly'", ["never be refreshed", "health_hourly"]),
        ("compress_after = '1 day' where relation = 'workout'", ["plain table", "workout"]),
        (
            "compress_after = '3 years' where relation = 'health_data'",
            ["would be dropped before", "health_data"],
        ),
        ("relation = 'nonsense' where relation = 'workout'", ["no relation nonsense", "policy"]),
    ] {
        let refusal = refusal(&client, &format!("update policy set {change}")).await;
        for word in words {
            assert!(refusal.contains(word), "{change}: {word} is not in: {refusal}");
        }
    }
    assert!(
        refusal(&client, "delete from policy where relation = 'health_daily'")
            .await
            .contains("never be refreshed")
    );
    assert!(refusal(&client, "truncate policy").await.contains("never be refreshed"));
    let changed =
        "select count(*) from policy where keep_for < interval '60 days' and relation like 'health%'";
    assert_eq!(count(&client, changed).await, 0);
}

#[tokio::test]
async fn rows_that_are_right_together_may_be_changed_one_after_the_other() {
    let database = Database::new().await;
    let client = database.client().await;
    let apart = "update policy set refresh_lag = '4 years' where relation = 'health_15m';
         update policy set keep_for = '9 years' where relation = 'health_data';";
    refusal(&client, apart).await;
    run(&client, &format!("begin; set constraints all deferred; {apart} commit")).await;
}

#[tokio::test]
async fn raw_rows_do_not_go_before_they_are_rolled_up() {
    let database = Database::new().await;
    let client = database.client().await;
    history(&client, 2, 12).await;
    let shorter = "update policy set keep_for = '5 days' where relation = 'health_data'";
    assert!(refusal(&client, shorter).await.contains("before they are rolled up"));
    react(&client).await;
    assert!(refusal(&client, shorter).await.contains("refresh_rollups()"));
    rollups::refresh(&client, None).await.expect("refreshed");
    run(&client, shorter).await;
    // The policy is right, and still somebody has not reacted to what came late.
    run(&client, "insert into health_data (device_sn, ts) values ('LATE', now() - interval '9 days')").await;
    let rows = count(&client, "select count(*) from health_data").await;
    apply(&client).await;
    assert_eq!(count(&client, "select count(*) from health_data").await, rows);
    let held =
        "select count(*) from vitals.policy_run where relation = 'health_data' and held like '%outbox%'";
    assert_eq!(count(&client, held).await, 1);
    react(&client).await;
    rollups::refresh(&client, None).await.expect("refreshed");
    apply(&client).await;
    assert!(count(&client, "select count(*) from health_data").await < rows / 2);
    assert_eq!(count(&client, held).await, 0);
}

#[tokio::test]
async fn raw_rows_go_and_their_rollups_stay_whatever_is_refreshed() {
    let database = Database::new().await;
    let client = database.client().await;
    rolled_up_history(&client, 3, 20).await;
    for level in LEVELS {
        run(&client, &format!("create table kept_{level} as table {level}")).await;
    }
    run(&client, "update policy set keep_for = '8 days' where relation = 'health_data'").await;
    run(&client, "update policy set keep_for = '12 days' where relation = 'health_15m'").await;
    apply(&client).await;
    apply(&client).await;
    let gone = "select count(*) from health_data where ts < now() - interval '9 days'";
    assert_eq!(count(&client, gone).await, 0);
    let whole_time = ("2020-01-01T00:00:00Z".parse().expect("a time"), jiff::Timestamp::now());
    for range in [None, Some(whole_time), None] {
        rollups::refresh(&client, range).await.expect("refreshed");
        for level in LEVELS {
            let since = if level == "health_15m" { "12 days" } else { "100 days" };
            let lost = format!(
                "select count(*) from (table kept_{level} except all table {level}) as x
                 where bucket between now() - interval '{since}' and now() - interval '2 hours'"
            );
            assert_eq!(count(&client, &lost).await, 0, "{level} {range:?}");
        }
        let gone = "select count(*) from health_15m where bucket < now() - interval '13 days 1 hour'";
        assert_eq!(count(&client, gone).await, 0, "{range:?}");
    }
}

#[tokio::test]
async fn old_rows_of_plain_tables_go_and_open_alerts_stay() {
    let database = Database::new().await;
    let client = database.client().await;
    let nothing_more = serde_json::json!({});
    let resolved = serde_json::json!({ "status": "resolved" });
    add_alert(&client, 1, "D1", 5, &resolved).await;
    add_alert(&client, 1, "D2", 5, &nothing_more).await;
    run(
        &client,
        "update alert set resolved_at = now() - interval '4 years' where device_sn = 'D1';
         insert into rejected_upload (received_at, reason, detail, body)
         select now() - interval '91 days', 'future', '-', '{}' from generate_series(1, 25000);
         insert into rejected_upload (received_at, reason, detail, body) values (now(), 'future', '-', '{}');
         insert into sleep_segment (device_sn, start_ts, end_ts, type_code, end_day, ts, received_at)
         select 'D1', at, at + interval '1 hour', 1, at::date, at, at
         from (values (now() - interval '4 years'), (now() - interval '2 years')) as t (at);
         insert into exercise_day (device_sn, day, daily_ts, daily_steps, received_at)
         select 'D1', at::date, at, 1, at from (values (now() - interval '4 years'), (now())) as t (at)",
    )
    .await;
    apply(&client).await;
    for (table, left) in [("alert", 1), ("rejected_upload", 1), ("sleep_segment", 1), ("exercise_day", 1)] {
        assert_eq!(count(&client, &format!("select count(*) from {table}")).await, left, "{table}");
    }
    let deleted = "select rows_deleted from vitals.policy_run where relation = 'rejected_upload'";
    assert_eq!(count(&client, deleted).await, 25_000);
}

#[tokio::test]
async fn the_plan_is_what_is_done_and_a_trial_changes_nothing() {
    let database = Database::new().await;
    let client = database.client().await;
    rolled_up_history(&client, 2, 12).await;
    let set =
        ["policy", "set", "health_data", "--keep-for", "6 days", "--compress-after", "2 days", "--json"];
    let steps = |out: &str| -> Vec<Value> {
        out.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    };
    let trial = vitals(&database, &[&set[..], &["--dry-run"]].concat()).await;
    assert_eq!(trial.code, 0, "{trial:?}");
    assert_eq!(count(&client, "select count(*) from policy where keep_for = interval '6 days'").await, 0);
    let said = vitals(&database, &[&set[..], &["--yes"]].concat()).await;
    let planned = steps(&vitals(&database, &["policy", "plan", "--json"]).await.out);
    for (said, since_set) in [(steps(&trial.out), false), (steps(&said.out), false), (planned, true)] {
        let step =
            |action| said.iter().find(|step| step["action"] == action && step["relation"] == "health_data");
        let (drop, compress) = (step("drop").expect("a step"), step("compress").expect("a step"));
        assert!((6..=7).contains(&drop["chunks"].as_i64().expect("a number")), "{drop}");
        assert!(drop["rows"].as_i64() > Some(0) && drop["bytes"].as_i64() > Some(0), "{drop}");
        // Once it is set, TimescaleDB's own job may have begun.
        let may_be_less = since_set && edition(&client).await == Edition::Community;
        assert!(may_be_less || compress["chunks"].as_i64() >= drop["chunks"].as_i64(), "{compress}");
        let cannot = compress["note"].as_str().is_some_and(|note| note.contains("Apache edition"));
        assert_eq!(cannot, edition(&client).await == Edition::Apache, "{compress}");
    }
    let checked = vitals(&database, &["check"]).await;
    assert_eq!(
        checked.out.contains("to be compressed after"),
        edition(&client).await == Edition::Apache,
        "{checked:?}"
    );
    let applied = vitals(&database, &["policy", "apply"]).await;
    assert!(applied.out.contains("health_data: ") && applied.out.contains("chunks dropped"), "{applied:?}");
    let again = vitals(&database, &["policy", "plan"]).await;
    assert!(!again.out.contains(" drop "), "{again:?}");
    let shown = vitals(&database, &["policy", "show"]).await;
    assert!(shown.out.contains("6 days") && shown.out.contains("health_monthly"), "{shown:?}");
}

#[tokio::test]
async fn the_command_refuses_what_the_database_refuses() {
    let database = Database::new().await;
    for (arguments, word) in [
        (["health_data", "--keep-for", "1 hour"], "health_15m is computed from it"),
        (["health_data", "--keep-for", "soon"], "refused"),
        (["nothing", "--keep-for", "1 hour"], "no policy for nothing"),
        (["health_15m", "--refresh-lag", "never"], "never be refreshed"),
    ] {
        let said = vitals(&database, &[&["policy", "set"][..], &arguments].concat()).await;
        assert!(said.code == 1 && said.err.contains(word), "{said:?}");
    }
}

#[tokio::test]
async fn an_upload_older_than_raw_rows_are_kept_is_too_old() {
    let database = Database::new().await;
    let said = vitals(&database, &["policy", "set", "health_data", "--keep-for", "5 days"]).await;
    assert_eq!(said.code, 0, "{said:?}");
    let service = Service::start(&database).await;
    let old = (jiff::Timestamp::now() - jiff::SignedDuration::from_hours(6 * 24)).to_string();
    let body = serde_json::json!({"data": {"deviceSn": "WATCH-1", "timestamp": old, "heart_rate": 70}});
    assert_eq!(service.upload(&body).await, (0, 0, 1));
    service.finish().await;
}

#[tokio::test]
async fn a_changed_pace_reaches_the_job_at_once() {
    let database = Database::new().await;
    let client = database.client().await;
    if edition(&client).await == Edition::Apache {
        eprintln!(
            "skipped: the Apache edition has no jobs, the service reads the policy before each refresh"
        );
        return;
    }
    run(
        &client,
        "update policy set refresh_every = '7 seconds' where relation = 'health_hourly';
         update policy set compress_after = '9 days' where relation in ('health_data', 'health_15m', 'device_info')",
    )
    .await;
    let pace = "select count(*) from timescaledb_information.jobs
         where proc_name = 'refresh_rollups_job' and schedule_interval = interval '7 seconds'
             and next_start <= now() + interval '8 seconds'";
    assert_eq!(count(&client, pace).await, 1);
    let compressing = "select count(*) from timescaledb_information.jobs
         where proc_name = 'policy_compression' and config ->> 'compress_after' in ('9 days', '8 days')";
    assert_eq!(count(&client, compressing).await, 3);
    run(&client, "update policy set compress_after = '8 days' where relation = 'health_data'").await;
    assert_eq!(count(&client, compressing).await, 3);
    run(&client, "update policy set compress_after = null").await;
    assert_eq!(count(&client, compressing).await, 0);
    let applying = "select count(*) from timescaledb_information.jobs where proc_name = 'apply_policies_job'";
    assert_eq!(count(&client, applying).await, 1);
}

#[tokio::test]
async fn late_uploads_reach_compressed_chunks_and_every_rollup() {
    let database = Database::new().await;
    let client = database.client().await;
    if edition(&client).await == Edition::Apache {
        eprintln!("skipped: only the Community edition compresses");
        return;
    }
    rolled_up_history(&client, 40, 12).await;
    // The rollups are compressed by default.
    run(&client, "update policy set compress_after = '2 days' where relation = 'health_data'").await;
    apply(&client).await;
    let compressed = |relation: &str| {
        format!(
            "select count(*) from vitals.policy_relations() as t
             join timescaledb_information.chunks as c
                 on c.hypertable_schema = t.schema_name and c.hypertable_name = t.table_name
             where t.relation = '{relation}' and c.is_compressed"
        )
    };
    for (relation, least) in [("health_data", 9), ("health_15m", 9), ("health_hourly", 1)] {
        assert!(count(&client, &compressed(relation)).await >= least, "{relation}");
    }
    // A late row of one device unpacks that device's day, and packs nobody else's again.
    let unpacked = "select sum((xpath('/row/n/text()', query_to_xml(
             format('select count(*) as n from only %I.%I', c.chunk_schema, c.chunk_name), false, true, '')))[1]::text::bigint)::bigint
         from vitals.policy_relations() as t
         join timescaledb_information.chunks as c
             on c.hypertable_schema = t.schema_name and c.hypertable_name = t.table_name
         where t.relation = 'health_15m' and c.is_compressed";
    assert_eq!(count(&client, unpacked).await, 0);
    run(
        &client,
        "insert into health_data (device_sn, ts, heart_rate)
         values ('D7', date_trunc('hour', now()) - interval '7 days' + interval '61 seconds', 60)",
    )
    .await;
    react(&client).await;
    rollups::refresh(&client, None).await.expect("refreshed");
    let rows = count(&client, unpacked).await;
    assert!((1..=96).contains(&rows), "{rows}");
    let service = Service::start(&database).await;
    let at: i64 = client
        .query_one("select extract(epoch from date_trunc('hour', now()) - interval '8 days')::bigint", &[])
        .await
        .expect("a time")
        .get(0);
    let item = |device: u32, at: i64| serde_json::json!({"deviceSn": format!("D{device}"), "timestamp": at, "heart_rate": 177, "temperature": "36.5"});
    // New rows, and repeats that fill what was missing.
    let new: Vec<Value> = (1..=40).map(|device| item(device, at + 60)).collect();
    let again: Vec<Value> = (1..=40).map(|device| item(device, at)).collect();
    assert_eq!(service.upload(&serde_json::json!({ "data": new })).await, (40, 0, 0));
    assert_eq!(service.upload(&serde_json::json!({ "data": again })).await, (0, 40, 0));
    service.drained().await;
    rollups::refresh(&client, None).await.expect("refreshed");
    let shown = "select count(*) from health_daily where heart_rate_max = 177 and temperature_count = 2";
    assert_eq!(count(&client, shown).await, 40);
    let differing = "select count(*) from health_15m as m full join (
             select device_sn, time_bucket(interval '15 minutes', ts) as bucket, count(*) as samples, sum(heart_rate) as beats
             from health_data group by 1, 2
         ) as r using (device_sn, bucket)
         where (m.samples, m.heart_rate_sum) is distinct from (r.samples, r.beats)";
    assert_eq!(count(&client, differing).await, 0);
    service.finish().await;
}

#[tokio::test]
async fn the_clock_applies_policies() {
    let database = Database::new().await;
    let client = database.client().await;
    rolled_up_history(&client, 1, 9).await;
    let compresses = edition(&client).await == Edition::Community;
    // No job does it: none is started before it is stopped.
    let jobs = "select alter_job(job_id, scheduled => false) from timescaledb_information.jobs where job_id >= 1000;";
    run(
        &client,
        &format!(
            "begin; update policy set keep_for = '5 days' where relation = 'health_data';
             update policy set compress_after = '3 days' where relation = 'health_15m'; {} commit",
            if compresses { jobs } else { "" }
        ),
    )
    .await;
    let mut settings = database.settings();
    settings.policy_interval_seconds = 1;
    let store = Store::new(&settings).expect("a store");
    let stop = CancellationToken::new();
    // Two instances of the service, as in production.
    let clocks = [(); 2]
        .map(|()| tokio::spawn(schedule::policies::run(store.clone(), settings.clone(), stop.clone())));
    eventually("old raw rows are gone, old rollups compressed", || async {
        let left =
            count(&client, "select count(*) from health_data where ts < now() - interval '6 days'").await;
        let packed = count(
            &client,
            "select count(*) from vitals.policy_relations() as t
             join timescaledb_information.chunks as c
                 on c.hypertable_schema = t.schema_name and c.hypertable_name = t.table_name
             where t.relation = 'health_15m' and c.is_compressed and c.range_end > now() - interval '4 days'",
        )
        .await;
        (left == 0 && packed == i64::from(compresses)).then_some(())
    })
    .await;
    stop.cancel();
    for clock in clocks {
        clock.await.expect("ends when asked to");
    }
}

#[tokio::test]
async fn rejects_have_room_and_the_oldest_go_first() {
    let database = Database::new().await;
    let client = database.client().await;
    client
        .batch_execute(
            // Random texts, so that nothing is saved by packing them.
            "insert into rejected_upload (received_at, reason, detail, body)
             select now() - make_interval(hours => n), 'future', '-',
                    (select string_agg(md5(random()::text || k), '') from generate_series(1, 30) as k)
             from generate_series(1, 1000) as n",
        )
        .await
        .expect("rejects");
    let said =
        vitals(&database, &["policy", "set", "rejected_upload", "--keep-bytes", "200000", "--yes"]).await;
    assert_eq!(said.code, 0, "{said:?}");
    assert!(said.out.contains("keep_bytes"), "{said:?}");
    client.batch_execute("call apply_policies()").await.expect("applied");
    let row = client
        .query_one("select count(*), max(received_at) > now() - interval '2 hours', sum(200 + pg_column_size(body))::bigint from rejected_upload", &[])
        .await
        .expect("what is left");
    let (left, newest_is_there, bytes): (i64, bool, i64) = (row.get(0), row.get(1), row.get(2));
    assert!(left > 100 && left < 300 && newest_is_there && bytes <= 200_000, "{left} {bytes}");
    let elsewhere = client.execute("update policy set keep_bytes = 1 where relation = 'alert'", &[]).await;
    assert!(elsewhere.is_err(), "only rejects are counted by bytes");
}

#[tokio::test]
async fn a_device_that_nobody_bound_goes_when_it_was_silent_for_long() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    let now = jiff::Timestamp::now().as_second();
    for device_sn in ["SILENT-1", "SPEAKS-1", "BOUND-1"] {
        let sample = json!({ "data": { "deviceSn": device_sn, "heart_rate": 70, "timestamp": now } });
        assert_eq!(service.upload(&sample).await, (1, 0, 0));
    }
    service.drained().await;
    let client = database.client().await;
    client
        .batch_execute(
            "insert into customer (customer_id, name) values (7, 'seven');
             insert into org_unit (org_id, name) values (7, 'seven');
             insert into app_user (user_id, org_id, name) values (7, 7, 'seven');
             insert into device_binding (device_sn, user_id, valid_from) values ('BOUND-1', 7, now() - interval '1 year');
             update device set heard_at = now() - interval '91 days'",
        )
        .await
        .expect("silent for long");
    let again = json!({ "data": { "deviceSn": "SPEAKS-1", "heart_rate": 71, "timestamp": now + 1 } });
    assert_eq!(service.upload(&again).await, (1, 0, 0));
    service.drained().await;
    client.batch_execute("call apply_policies()").await.expect("applied");
    let left = client.query("select device_sn from device order by device_sn", &[]).await.expect("devices");
    assert_eq!(left.iter().map(|row| row.get(0)).collect::<Vec<&str>>(), ["BOUND-1", "SPEAKS-1"]);
    service.finish().await;
}
