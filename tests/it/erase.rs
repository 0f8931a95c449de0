//! Erasure: nothing is left of whom it concerns, nothing is missing of anybody else, and the receipt says so.

use serde_json::{Value, json};
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;
use vitals::store::migrate;
use vitals::store::rollups::{self, Edition};

use crate::harness::{Database, Service, eventually, vitals};

const LEVELS: [&str; 5] = ["health_15m", "health_hourly", "health_daily", "health_weekly", "health_monthly"];
const GONE: &str = "WATCH-GONE";
const KEPT: &str = "WATCH-KEPT";
const USER: i64 = 1_939_964_806_110_937_092;
const NEXT_USER: i64 = 1_939_964_806_110_937_093;

async fn run(client: &Client, sql: &str) {
    client.batch_execute(sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
}

async fn count(client: &Client, sql: &str) -> i64 {
    client.query_one(sql, &[]).await.unwrap_or_else(|error| panic!("{sql}: {error:?}")).get(0)
}

/// Every table and rollup in which a row says `word` anywhere.
async fn places_of(client: &Client, word: &str) -> Vec<String> {
    let relations = client
        .query(
            "select format('%I.%I', n.nspname, c.relname)
             from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
             where n.nspname in ('public', 'vitals') and c.relkind in ('r', 'v') and c.relname <> 'refinery_schema_history'",
            &[],
        )
        .await
        .expect("relations");
    let mut places = Vec::new();
    for row in &relations {
        let relation: &str = row.get(0);
        let rows =
            count(client, &format!("select count(*) from {relation} as x where x::text like '%{word}%'"))
                .await;
        if rows > 0 {
            places.push(format!("{relation} ({rows})"));
        }
    }
    places
}

/// Without the marks that the owner of the device has changed, which instances leave when they follow the change.
async fn keys_of(database: &Database, word: &str) -> Vec<String> {
    let mut redis = database.redis().await;
    let keys = redis::cmd("KEYS").arg(format!("*{word}*")).query_async(&mut redis).await;
    let mut keys: Vec<String> = keys.expect("keys");
    keys.retain(|key| !key.starts_with("vitals:owner_change:"));
    keys
}

/// Two devices with twenty days of rows, rolled up; of the oldest eight days only the rollups are left. Where that is possible,
/// what is older than three days is compressed.
async fn database_with_history() -> (Database, Client) {
    let database = Database::new().await;
    let client = database.client().await;
    run(
        &client,
        &format!(
            "insert into org_unit (org_id, ancestors) values (7, '{{}}');
             insert into app_user (user_id, org_id, name) values ({USER}, 7, 'Wang'), ({NEXT_USER}, 7, 'Li');
             select bind_device('{GONE}', {USER}, now() - interval '15 days');
             select bind_device('{GONE}', {NEXT_USER}, now() - interval '5 days');
             insert into health_data (device_sn, ts, heart_rate, step)
             select device, at, 70, 100
             from unnest(array['{GONE}', '{KEPT}']) as device,
                 generate_series(date_trunc('hour', now()) - interval '20 days', now(), interval '20 minutes') as at;
             select vitals.mark_rollups(array_agg(batch_id), '-infinity', 'infinity') from outbox;
             delete from outbox"
        ),
    )
    .await;
    rollups::refresh(&client, None).await.expect("refreshed");
    run(&client, "select drop_chunks('health_data', interval '12 days')").await;
    if rollups::edition(&client).await.expect("an edition") == Edition::Community {
        run(
            &client,
            "update policy set compress_after = '3 days' where relation in ('health_data', 'health_15m')",
        )
        .await;
        run(&client, "call apply_policies()").await;
    }
    (database, client)
}

/// What a device and its wearer leave behind besides samples.
async fn leave_traces(service: &Service, device: &str) {
    let reading = json!({"data": {"deviceSn": device, "heart_rate": 190, "timestamp": jiff::Timestamp::now().to_string(),
        "sleepData": "{\"code\":0,\"data\":[{\"endTimeStamp\":1747440420000,\"startTimeStamp\":1747418280000,\"type\":2}],\"name\":\"sleep\",\"type\":\"history\"}"}});
    assert_eq!(service.upload(&reading).await, (1, 0, 0));
    assert_eq!(service.upload(&json!({"data": {"deviceSn": device, "heart_rate": 1e9}})).await, (0, 0, 1));
    let event = json!({"eventType": "com.tdtech.ohos.health.action.SOS_EVENT", "eventValue": device, "deviceSn": device,
        "timestamp": jiff::Timestamp::now().to_string()});
    assert_eq!(service.post("/upload_common_event", event.to_string()).await.status, 200);
    let info = json!({"SerialNumber": device, "System Software Version": "ARC-AL00CN 4.0.0.900", "batteryLevel": 70,
        "timestamp": jiff::Timestamp::now().to_string()});
    assert_eq!(service.post("/upload_device_info", info.to_string()).await.status, 200);
}

/// Rows of a device in each rollup up to an hour ago, as text.
async fn rollups_of(client: &Client, device: &str) -> Vec<(String, i64, Option<String>)> {
    let mut all = Vec::new();
    for level in LEVELS {
        let row = client
            .query_one(
                &format!(
                    "select count(*), md5(string_agg(x::text, '|' order by bucket)) from {level} as x
                     where device_sn = '{device}' and last_ts < now() - interval '3 hours'"
                ),
                &[],
            )
            .await
            .expect("rows");
        all.push((level.to_owned(), row.get(0), row.get(1)));
    }
    all
}

#[tokio::test]
async fn an_erased_device_is_nowhere_and_its_neighbour_is_untouched() {
    let (database, client) = database_with_history().await;
    let service = Service::start(&database).await;
    leave_traces(&service, GONE).await;
    leave_traces(&service, KEPT).await;
    service.drained().await;
    eventually("both are shown", || async {
        let shown = (keys_of(&database, GONE).await.len(), keys_of(&database, KEPT).await.len());
        (shown.0 >= 3 && shown.1 >= 3).then_some(())
    })
    .await;
    let (before, kept) = (rollups_of(&client, KEPT).await, keys_of(&database, KEPT).await.len());
    let trial = vitals(&database, &["erase", "device", GONE, "--dry-run", "--json"]).await;
    assert_eq!(trial.code, 0, "{trial:?}");
    let places = places_of(&client, GONE).await;
    assert!(places.len() > 12, "{places:?}");

    let said =
        vitals(&database, &["erase", "device", GONE, "--yes", "--json", "--actor", "data officer"]).await;
    assert_eq!(said.code, 0, "{said:?}");
    assert_eq!(places_of(&client, GONE).await, Vec::<String>::new());
    assert_eq!(keys_of(&database, GONE).await, Vec::<String>::new());
    rollups::refresh(&client, None).await.expect("refreshed");
    assert_eq!(places_of(&client, GONE).await, Vec::<String>::new());
    assert_eq!(rollups_of(&client, KEPT).await, before);
    assert_eq!(keys_of(&database, KEPT).await.len(), kept);

    let (trial, receipt): (Value, Value) =
        (serde_json::from_str(&trial.out).expect("JSON"), serde_json::from_str(&said.out).expect("JSON"));
    assert_eq!(receipt["asked_by"], "data officer");
    assert!(receipt["forgotten_at"].is_string() && !said.out.contains(GONE), "{receipt}");
    for (table, rows) in receipt["counts"].as_object().expect("counts") {
        // Between the two, the clock marks and shows.
        if !table.starts_with("vitals.") {
            assert_eq!(*rows, trial["counts"][table], "{table}");
        }
    }
    service.finish().await;
}

#[tokio::test]
async fn an_erased_user_is_nowhere_and_who_wore_the_device_later_is_untouched() {
    let (database, client) = database_with_history().await;
    run(
        &client,
        &format!(
            "update health_data set user_id = {USER}
             where device_sn = '{GONE}' and ts between now() - interval '15 days' and now() - interval '5 days';
             -- CommandOutput by a device that was never bound.
             update health_data set user_id = {USER}
             where device_sn = '{KEPT}' and ts between now() - interval '4 days' and now() - interval '2 days';
             delete from outbox;
             with who as (insert into contact (name, user_id) values ('Wang', {USER}) returning contact_id)
             insert into contact_address (contact_id, channel, address) select contact_id, 'email', 'wang@example.org' from who;
             insert into rejected_upload (received_at, reason, detail, body)
             values (now(), 'future', '-', '{{\"userId\": \"{USER}\"}}'), (now(), 'future', '-', '{{\"userId\": \"5\"}}')"
        ),
    )
    .await;
    rollups::refresh(&client, None).await.expect("refreshed");
    let user = USER.to_string();
    let said = vitals(&database, &["erase", "user", &user, "--yes"]).await;
    assert_eq!(said.code, 0, "{said:?}");
    for word in [user.as_str(), "Wang", "wang@example.org"] {
        assert_eq!(places_of(&client, word).await, Vec::<String>::new(), "{word}");
    }
    assert_eq!(count(&client, "select count(*) from rejected_upload").await, 1);
    // Of the days whose raw rows are gone, the rollups of that time are gone too, and nobody else's.
    let worn = "bucket >= now() - interval '15 days' and bucket < now() - interval '6 days'";
    for level in ["health_15m", "health_hourly", "health_daily"] {
        let left = format!("select count(*) from {level} where device_sn = '{GONE}' and {worn}");
        assert_eq!(count(&client, &left).await, 0, "{level}");
        let others = format!("select count(*) from {level} where device_sn = '{KEPT}' and {worn}");
        assert!(count(&client, &others).await > 5, "{level}");
    }
    let before = format!(
        "select count(*) from health_hourly where device_sn = '{GONE}' and bucket < now() - interval '16 days'"
    );
    assert!(count(&client, &before).await > 90);
    for when in ["at once", "after a refresh"] {
        let differing = "select count(*) from health_15m as m full join (
                 select device_sn, time_bucket(interval '15 minutes', ts) as bucket, count(*) as samples
                 from health_data group by 1, 2
             ) as r using (device_sn, bucket)
             where bucket > now() - interval '5 days' and m.samples is distinct from r.samples";
        assert_eq!(count(&client, differing).await, 0, "{when}");
        let differing = "select count(*) from health_monthly as m full join (
                 select device_sn, time_bucket(interval '1 month', bucket, 'Asia/Shanghai') as bucket, sum(samples) as samples
                 from health_daily group by 1, 2
             ) as d using (device_sn, bucket)
             where m.samples is distinct from d.samples";
        assert_eq!(count(&client, differing).await, 0, "{when}");
        rollups::refresh(&client, None).await.expect("refreshed");
    }
}

#[tokio::test]
async fn an_erasure_that_was_broken_off_goes_on() {
    let (database, client) = database_with_history().await;
    let rows = count(&client, &format!("select count(*) from health_data where device_sn = '{GONE}'")).await;
    run(
        &client,
        &format!(
            "select vitals.erase_step(vitals.begin_erasure('device', '{GONE}'), 'device', '{GONE}', relation, from_ts, to_ts)
             from (select * from vitals.erasure_steps('device') limit 5) as steps"
        ),
    )
    .await;
    let said = vitals(&database, &["erase", "device", GONE, "--yes", "--json"]).await;
    assert_eq!(said.code, 0, "{said:?}");
    let receipt: Value = serde_json::from_str(&said.out).expect("JSON");
    assert_eq!(receipt["counts"]["health_data"].as_i64(), Some(rows));
    assert_eq!(count(&client, "select count(*) from erasure").await, 1);
    assert_eq!(places_of(&client, GONE).await, Vec::<String>::new());
    // Asked for once more, there is nobody of that name any more.
    let again = vitals(&database, &["erase", "device", GONE, "--yes"]).await;
    assert!(again.code == 1 && again.err.contains("nothing is known"), "{again:?}");
    for by_sql in [format!("select erase_device('{GONE}')"), "select erase_user(404)".to_owned()] {
        let error = client.batch_execute(&by_sql).await.expect_err("nobody");
        let error = error.as_db_error().expect("said by the database");
        assert!(error.message().contains("nothing is known of"), "{error:?}");
        assert_eq!(error.code(), &SqlState::NO_DATA_FOUND);
    }
    assert_eq!(count(&client, "select count(*) from erasure").await, 1);
}

#[tokio::test]
async fn what_is_erased_by_sql_leaves_redis_with_the_next_finish() {
    let (database, client) = database_with_history().await;
    let service = Service::start(&database).await;
    leave_traces(&service, GONE).await;
    service.drained().await;
    eventually("it is shown", || async { (keys_of(&database, GONE).await.len() >= 3).then_some(()) }).await;
    run(&client, &format!("select erase_device('{GONE}')")).await;
    let finished = vitals(&database, &["erase", "finish"]).await;
    assert_eq!((finished.code, finished.out.as_str()), (0, "1 erasures finished in Redis\n"), "{finished:?}");
    assert_eq!(keys_of(&database, GONE).await, Vec::<String>::new());
    assert_eq!(places_of(&client, GONE).await, Vec::<String>::new());
    service.finish().await;
}

#[tokio::test]
async fn nothing_is_erased_unasked() {
    let (database, client) = database_with_history().await;
    let said = vitals(&database, &["erase", "device", KEPT]).await;
    assert!(said.code == 1 && said.err.contains("--yes") && said.out.contains("health_data"), "{said:?}");
    assert_eq!(count(&client, "select count(*) from erasure").await, 0);
    assert!(
        count(&client, &format!("select count(*) from health_data where device_sn = '{KEPT}'")).await > 500
    );
}

#[tokio::test]
async fn a_range_is_refreshed_by_command() {
    let (database, client) = database_with_history().await;
    // As a restore does: with a batch of its own, which no relay finds.
    run(
        &client,
        &format!(
            "insert into health_data (device_sn, ts, heart_rate, batch_id) values ('{KEPT}', now() - interval '30 hours', 177, 1);
             delete from outbox"
        ),
    )
    .await;
    let said = vitals(&database, &["refresh", "--from", "3d", "--to", "1d"]).await;
    assert!(said.code == 0 && said.out.contains("health_monthly"), "{said:?}");
    assert_eq!(count(&client, "select count(*) from health_monthly where heart_rate_max = 177").await, 1);
    assert_eq!(vitals(&database, &["refresh", "--from", "1d", "--to", "2d"]).await.code, 1);
}

/// A hash of a serial is found by trying serials: there are few.
const HASHES: &str = "select count(*) from erasure as e, (values ('device:WATCH-GONE'), ('device:WATCH-KEPT')) as s (told)
    where e::text like '%' || encode(sha256(convert_to(s.told, 'UTF8')), 'hex') || '%' or e::text like '%WATCH%'";

#[tokio::test]
async fn a_receipt_has_a_random_number_and_says_nothing_of_what_was_erased() {
    let database = Database::new().await;
    let client = database.client().await;
    let mut numbers = Vec::new();
    for _ in 0..2 {
        run(&client, &format!("insert into device (device_sn) values ('{GONE}')")).await;
        let said = vitals(&database, &["erase", "device", GONE, "--yes", "--json"]).await;
        assert_eq!(said.code, 0, "{}", said.err);
        let receipt: Value = serde_json::from_str(&said.out).expect("JSON");
        let number = receipt["receipt_number"].as_str().expect("a number").to_owned();
        let found = format!(
            "select count(*) from erasure where receipt_number = '{number}' and erased_at is not null"
        );
        assert_eq!(count(&client, &found).await, 1);
        numbers.push(number);
    }
    assert_ne!(numbers[0], numbers[1]);
    assert_eq!(count(&client, HASHES).await, 0);
}

#[tokio::test]
async fn receipts_of_before_can_no_longer_be_reversed() {
    const MIGRATION: &str = include_str!("../../migrations/V27__schema_object_and_receipt.sql");
    /// It adds columns to a table of the one above.
    const LATER: &str = include_str!("../../migrations/V61__instances.sql");
    let database = Database::new().await;
    let client = database.client().await;
    run(
        &client,
        &format!(
            "drop table vitals.schema_state, vitals.schema_object, vitals.instance;
             alter table erasure drop column receipt_number, drop constraint erasure_subject_check;
             create index erasure_subject_idx on erasure (subject);
             insert into device (device_sn) values ('{KEPT}');
             insert into erasure (kind, subject, asked_by, erased_at)
             select 'device', 'sha256:' || encode(sha256(convert_to('device:' || told, 'UTF8')), 'hex'), 'Li', erased_at
             from (values ('{GONE}', clock_timestamp()), ('{GONE}', clock_timestamp()), ('{KEPT}', null), ('LOST', null))
                 as old (told, erased_at);
             alter table erasure alter column subject set not null;
             {MIGRATION} {LATER}"
        ),
    )
    .await;
    assert_eq!(count(&client, "select count(distinct receipt_number) from erasure").await, 4);
    assert_eq!(count(&client, "select count(*) from erasure where subject like 'sha256:%'").await, 0);
    // One that was broken off is gone on with.
    let open = format!("select count(*) from erasure where erased_at is null and subject = '{KEPT}'");
    assert_eq!(count(&client, &open).await, 1);
    run(&client, &format!("select erase_device('{KEPT}')")).await;
    assert_eq!(count(&client, "select count(*) from erasure").await, 4);
    // Until Redis has followed, the receipt names the device.
    migrate::run(&database.settings()).await.expect("what was dropped above is on record again");
    let said = vitals(&database, &["erase", "finish"]).await;
    assert_eq!(said.code, 0, "{}", said.err);
    assert_eq!(count(&client, HASHES).await, 0);
}
