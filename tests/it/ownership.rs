//! Whom a device belongs to: what uploads get of it, and how fast a change is followed.

use redis::AsyncCommands;
use serde_json::{Value, json};

use crate::harness::{Database, Proxy, Service, eventually, only_rule, vitals};

const TENANT: i64 = 1_939_964_806_110_937_090;
const ORG: i64 = 1_939_964_806_110_937_091;
const ANNA: i64 = 1_939_964_806_110_937_092;
const BERND: i64 = 1_939_964_806_110_937_093;

type Ids = (Option<i64>, Option<i64>, Option<i64>);

const NOBODY: Ids = (None, None, None);
const ANNAS: Ids = (Some(TENANT), Some(ORG), Some(ANNA));
const BERNDS: Ids = (Some(TENANT), Some(ORG), Some(BERND));

/// Two users of one unit; nobody wears anything.
async fn people(database: &Database) {
    let sql = format!(
        "insert into org_unit (org_id, ancestors) values ({TENANT}, '{{}}'), ({ORG}, '{{0,{TENANT}}}');
         insert into app_user (user_id, org_id) values ({ANNA}, {ORG}), ({BERND}, {ORG});"
    );
    change(database, &sql).await;
}

async fn change(database: &Database, sql: &str) {
    database.client().await.batch_execute(sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
}

async fn bind(database: &Database, device_sn: &str, user_id: i64) {
    change(database, &format!("select bind_device('{device_sn}', {user_id})")).await;
}

/// An instant no sample of this process had before, so that each upload is a row of its own.
fn next_second() -> i64 {
    use std::sync::atomic::{AtomicI64, Ordering};
    static NEXT: AtomicI64 = AtomicI64::new(0);
    jiff::Timestamp::now().as_second() + NEXT.fetch_add(1, Ordering::Relaxed) % 10_000
}

fn sample(device_sn: &str, second: i64) -> Value {
    json!({ "deviceSn": device_sn, "heart_rate": 70, "timestamp": second })
}

async fn stored(database: &Database, device_sn: &str, second: i64) -> Ids {
    let row = database
        .client()
        .await
        .query_one(
            "select customer_id, org_id, user_id from health_data
             where device_sn = $1 and ts = to_timestamp($2::bigint)",
            &[&device_sn, &second],
        )
        .await
        .expect("one row");
    (row.get(0), row.get(1), row.get(2))
}

/// Uploads a sample of now without ids, and gives those it was stored with.
async fn uploaded(service: &Service, database: &Database, device_sn: &str) -> Ids {
    let second = next_second();
    assert_eq!(service.upload(&json!({ "data": sample(device_sn, second) })).await, (1, 0, 0));
    stored(database, device_sn, second).await
}

/// Waits until uploads of the device are stored with these ids.
async fn wait_for_owner(service: &Service, database: &Database, device_sn: &str, ids: Ids) {
    eventually(&format!("{device_sn} belongs to {ids:?}"), || async {
        (uploaded(service, database, device_sn).await == ids).then_some(())
    })
    .await;
}

/// What Redis remembers of a device.
async fn redis_owner(database: &Database, device_sn: &str) -> Option<Value> {
    let text: Option<String> =
        database.redis().await.get(format!("device_user:{device_sn}")).await.expect("an answer");
    text.map(|text| serde_json::from_str(&text).expect("JSON"))
}

async fn wait_for_redis_owner(database: &Database, device_sn: &str) -> Value {
    eventually("redis remembers the owner", || redis_owner(database, device_sn)).await
}

#[tokio::test]
async fn an_upload_without_ids_gets_those_of_the_owner_and_a_strangers_device_gets_none() {
    let database = Database::new().await;
    people(&database).await;
    bind(&database, "OWNED-1", ANNA).await;
    let service = Service::start(&database).await;
    for _ in 0..3 {
        assert_eq!(uploaded(&service, &database, "OWNED-1").await, ANNAS);
        assert_eq!(uploaded(&service, &database, "STRANGE-1").await, NOBODY);
    }
    service.finish().await;
}

#[tokio::test]
async fn an_upload_that_names_ids_keeps_them_and_gets_only_those_that_fit() {
    let database = Database::new().await;
    people(&database).await;
    bind(&database, "OWNED-1", ANNA).await;
    let service = Service::start(&database).await;
    for (named, expected) in [
        (json!({ "customerId": "5", "orgId": "6", "userId": "7" }), (Some(5), Some(6), Some(7))),
        (json!({ "userId": "7" }), (None, None, Some(7))),
        (json!({ "customerId": "5" }), (Some(5), None, None)),
        (json!({ "customerId": TENANT.to_string() }), ANNAS),
        (json!({ "user_id": ANNA, "customer_id": "0" }), ANNAS),
        (json!({ "orgId": "", "userId": null }), ANNAS),
    ] {
        let second = next_second();
        let mut item = sample("OWNED-1", second);
        item.as_object_mut().expect("an object").extend(named.as_object().expect("an object").clone());
        assert_eq!(service.upload(&json!({ "data": item })).await, (1, 0, 0));
        assert_eq!(stored(&database, "OWNED-1", second).await, expected, "{named}");
    }
    service.finish().await;
}

#[tokio::test]
async fn a_large_upload_of_many_devices_gives_each_its_owner() {
    let database = Database::new().await;
    people(&database).await;
    let sql = format!(
        "insert into device_binding (device_sn, user_id)
         select 'MANY-' || n, case n % 2 when 0 then {ANNA} else {BERND} end from generate_series(0, 2999) n
         where n % 3 <> 0"
    );
    change(&database, &sql).await;
    let service = Service::start(&database).await;
    let second = next_second();
    let items: Vec<Value> = (0..3000).map(|n| sample(&format!("MANY-{n}"), second)).collect();
    assert_eq!(service.upload(&json!(items)).await, (3000, 0, 0));
    let wrong: i64 = database
        .client()
        .await
        .query_one(
            "select count(*) from health_data h join device_owner(array(select device_sn from health_data)) o
                 using (device_sn)
             where (h.user_id, h.org_id, coalesce(h.customer_id, 0))
                 is distinct from (o.user_id, o.org_id, o.customer_id)",
            &[],
        )
        .await
        .expect("a count")
        .get(0);
    assert_eq!(wrong, 0);
    assert_eq!(stored(&database, "MANY-4", second).await, ANNAS);
    assert_eq!(stored(&database, "MANY-5", second).await, BERNDS);
    assert_eq!(stored(&database, "MANY-6", second).await, NOBODY);
    service.finish().await;
}

#[tokio::test]
async fn every_instance_follows_every_kind_of_change() {
    let database = Database::new().await;
    people(&database).await;
    let one = Service::start(&database).await;
    let other = Service::start(&database).await;
    let both = |ids| {
        let (database, one, other) = (&database, &one, &other);
        async move {
            wait_for_owner(one, database, "MOVED-1", ids).await;
            wait_for_owner(other, database, "MOVED-1", ids).await;
        }
    };
    both(NOBODY).await;
    bind(&database, "MOVED-1", ANNA).await;
    both(ANNAS).await;
    bind(&database, "MOVED-1", BERND).await;
    both(BERNDS).await;
    change(&database, "insert into org_unit (org_id, ancestors) values (50, '{0}'), (51, '{50}')").await;
    change(&database, &format!("update app_user set org_id = 51 where user_id = {BERND}")).await;
    both((Some(50), Some(51), Some(BERND))).await;
    change(&database, "update org_unit set ancestors = '{60,50}' where org_id = 51").await;
    both((Some(60), Some(51), Some(BERND))).await;
    change(&database, &format!("update app_user set org_id = null where user_id = {BERND}")).await;
    both((None, None, Some(BERND))).await;
    change(&database, "select bind_device('MOVED-1', null)").await;
    both(NOBODY).await;
    bind(&database, "MOVED-1", ANNA).await;
    both(ANNAS).await;
    change(&database, "truncate device_binding").await;
    both(NOBODY).await;
    one.finish().await;
    other.finish().await;
}

#[tokio::test]
async fn an_owner_who_is_deleted_and_inserted_anew_is_followed() {
    let database = Database::new().await;
    people(&database).await;
    bind(&database, "ANEW-1", ANNA).await;
    let service = Service::start(&database).await;
    wait_for_owner(&service, &database, "ANEW-1", ANNAS).await;
    let anew = |what: &str| format!("begin; set constraints all deferred; {what} commit;");
    let other = TENANT + 100;
    let unit = format!(
        "delete from org_unit where org_id = {ORG}; insert into org_unit (org_id, ancestors) values ({ORG}, '{{{other}}}');"
    );
    change(&database, &anew(&unit)).await;
    wait_for_owner(&service, &database, "ANEW-1", (Some(other), Some(ORG), Some(ANNA))).await;
    let user = format!(
        "delete from app_user where user_id = {ANNA}; insert into app_user (user_id, org_id) values ({ANNA}, {TENANT});"
    );
    change(&database, &anew(&user)).await;
    wait_for_owner(&service, &database, "ANEW-1", (Some(TENANT), Some(TENANT), Some(ANNA))).await;
    service.finish().await;
}

#[tokio::test]
async fn a_change_of_very_many_devices_is_followed_too() {
    let database = Database::new().await;
    people(&database).await;
    let service = Service::start(&database).await;
    wait_for_owner(&service, &database, "BULK-777", NOBODY).await;
    let sql = format!(
        "insert into device_binding (device_sn, user_id) select 'BULK-' || n, {ANNA} from generate_series(1, 5000) n"
    );
    change(&database, &sql).await;
    wait_for_owner(&service, &database, "BULK-777", ANNAS).await;
    // Names that do not fit a notification.
    let sql = format!("update device_binding set user_id = {BERND} where device_sn like 'BULK-77_'");
    change(&database, &sql).await;
    wait_for_owner(&service, &database, "BULK-777", BERNDS).await;
    service.finish().await;
}

#[tokio::test]
async fn a_sample_belongs_to_whoever_wore_the_device_when_it_was_taken() {
    let database = Database::new().await;
    people(&database).await;
    let sql = format!(
        "select bind_device('LATE-1', {ANNA}, '2026-02-01Z');
         select bind_device('LATE-1', null, '2026-03-01Z');
         select bind_device('LATE-1', {BERND}, '2026-04-01Z');"
    );
    change(&database, &sql).await;
    let service = Service::start(&database).await;
    let at = |text: &str| text.parse::<jiff::Timestamp>().expect("a time").as_second();
    let expected = [
        // Before anybody was registered it was the first wearer's.
        (at("2026-01-15T00:00:00Z"), ANNAS),
        (at("2026-02-01T00:00:00Z"), ANNAS),
        (at("2026-02-28T23:59:59Z"), ANNAS),
        (at("2026-03-01T00:00:00Z"), NOBODY),
        (at("2026-03-31T23:59:59Z"), NOBODY),
        (at("2026-04-01T00:00:00Z"), BERNDS),
        (next_second(), BERNDS),
    ];
    let items: Vec<Value> = expected.iter().map(|(second, _)| sample("LATE-1", *second)).collect();
    assert_eq!(service.upload(&json!({ "data": items })).await, (7, 0, 0));
    for (second, ids) in expected {
        assert_eq!(stored(&database, "LATE-1", second).await, ids, "{second}");
    }
    service.finish().await;
}

#[tokio::test]
async fn a_replayed_reject_gets_the_owner_of_its_time() {
    let database = Database::new().await;
    people(&database).await;
    let at = |text: &str| text.parse::<jiff::Timestamp>().expect("a time").as_second();
    let (annas, bernds) = (at("2026-02-15T00:00:00Z"), at("2026-04-15T00:00:00Z"));
    change(&database, "update policy set keep_for = '1 day' where relation = 'health_data'").await;
    let service = Service::start(&database).await;
    let items = json!({ "data": [sample("REPLAY-1", annas), sample("REPLAY-1", bernds)] });
    assert_eq!(service.upload(&items).await, (0, 0, 2));
    let sql = format!(
        "update policy set keep_for = null where relation = 'health_data';
         select bind_device('REPLAY-1', {ANNA}, '2026-02-01Z');
         select bind_device('REPLAY-1', {BERND}, '2026-04-01Z');"
    );
    change(&database, &sql).await;
    let said = vitals(&database, &["rejected", "replay"]).await;
    assert_eq!(said.code, 0, "{said:?}");
    assert_eq!(stored(&database, "REPLAY-1", annas).await, ANNAS);
    assert_eq!(stored(&database, "REPLAY-1", bernds).await, BERNDS);
    service.finish().await;
}

#[tokio::test]
async fn a_repeat_fills_in_the_owner_a_sample_did_not_have_at_first() {
    let database = Database::new().await;
    people(&database).await;
    let service = Service::start(&database).await;
    let second = next_second();
    let body = json!({ "data": sample("AGAIN-1", second) });
    assert_eq!(service.upload(&body).await, (1, 0, 0));
    bind(&database, "AGAIN-1", ANNA).await;
    eventually("the repeat brings the owner", || async {
        assert_eq!(service.upload(&body).await, (0, 1, 0));
        (stored(&database, "AGAIN-1", second).await == ANNAS).then_some(())
    })
    .await;
    service.finish().await;
}

#[tokio::test]
async fn redis_remembers_the_owner_for_an_hour_and_forgets_it_with_the_change() {
    let database = Database::new().await;
    people(&database).await;
    bind(&database, "REDIS-1", ANNA).await;
    let service = Service::start(&database).await;
    let mut redis = database.redis().await;
    assert_eq!(uploaded(&service, &database, "REDIS-1").await, ANNAS);
    let value = wait_for_redis_owner(&database, "REDIS-1").await;
    let text = |id: i64| json!(id.to_string());
    assert_eq!(
        (&value["customerId"], &value["orgId"], &value["userId"]),
        (&text(TENANT), &text(ORG), &text(ANNA))
    );
    let seconds: i64 = redis.ttl("device_user:REDIS-1").await.expect("an answer");
    assert!((3500..=3600).contains(&seconds), "{seconds}");

    assert_eq!(uploaded(&service, &database, "NOBODYS-1").await, NOBODY);
    let nobody = wait_for_redis_owner(&database, "NOBODYS-1").await;
    assert_eq!(nobody["customerId"], "0");
    assert!(nobody.get("userId").is_none() && nobody.get("orgId").is_none());

    bind(&database, "REDIS-1", BERND).await;
    eventually("redis forgets the old owner", || async {
        let value = redis_owner(&database, "REDIS-1").await;
        (value.is_none_or(|value| value["userId"] == text(BERND))).then_some(())
    })
    .await;
    assert!(redis_owner(&database, "NOBODYS-1").await.is_some(), "a change concerns its own devices only");
    service.finish().await;
}

#[tokio::test]
async fn redis_is_asked_before_the_database() {
    const DEVICES: usize = 300;
    let database = Database::new().await;
    people(&database).await;
    let first = Service::start(&database).await;
    let second = next_second();
    let items: Vec<Value> = (0..DEVICES).map(|n| sample(&format!("TOLD-{n}"), second)).collect();
    first.upload(&json!(items)).await;
    let mut value = wait_for_redis_owner(&database, "TOLD-7").await;
    first.finish().await;
    // What only Redis says, an instance without a memory of its own can have from nowhere else.
    value["userId"] = json!("4711");
    let mut redis = database.redis().await;
    for number in 0..DEVICES {
        let _: () =
            redis.set(format!("device_user:TOLD-{number}"), value.to_string()).await.expect("written");
    }
    let other = Service::start(&database).await;
    // Until it hears of changes it asks the database alone; each device is asked for once.
    let mut devices = 0..DEVICES;
    eventually("an owner comes from redis", || {
        let device_sn = format!("TOLD-{}", devices.next().expect("devices enough"));
        let (database, other) = (&database, &other);
        async move { (uploaded(other, database, &device_sn).await == (None, None, Some(4711))).then_some(()) }
    })
    .await;
    other.finish().await;
}

#[tokio::test]
async fn what_redis_remembers_from_before_a_change_nobody_heard_is_void() {
    let database = Database::new().await;
    people(&database).await;
    bind(&database, "MISSED-1", ANNA).await;
    // What is found is kept in Redis as a favour, which a busy machine may leave out; then it is looked up once more.
    let before = Service::start_with(&database, |settings| settings.owner_cache_seconds = 1).await;
    eventually("redis remembers the owner", || async {
        assert_eq!(uploaded(&before, &database, "MISSED-1").await, ANNAS);
        redis_owner(&database, "MISSED-1").await
    })
    .await;
    before.finish().await;
    bind(&database, "MISSED-1", BERND).await;
    let after = Service::start(&database).await;
    assert_eq!(uploaded(&after, &database, "MISSED-1").await, BERNDS);
    after.finish().await;
}

#[tokio::test]
async fn without_redis_owners_come_from_the_database_and_what_redis_missed_is_void_when_it_is_back() {
    let database = Database::new().await;
    people(&database).await;
    bind(&database, "CUT-1", ANNA).await;
    let (cable, url) = Proxy::before(&database.redis_url()).await;
    let service = Service::start_with(&database, |settings| settings.redis_url = url).await;
    assert_eq!(uploaded(&service, &database, "CUT-1").await, ANNAS);
    wait_for_redis_owner(&database, "CUT-1").await;
    cable.cut();
    bind(&database, "CUT-1", BERND).await;
    wait_for_owner(&service, &database, "CUT-1", BERNDS).await;
    assert_eq!(
        redis_owner(&database, "CUT-1").await.expect("still there")["userId"],
        json!(ANNA.to_string())
    );
    cable.restore();
    eventually("redis is put right", || async {
        let value = redis_owner(&database, "CUT-1").await;
        value.is_none_or(|value| value["userId"] == json!(BERND.to_string())).then_some(())
    })
    .await;
    wait_for_owner(&service, &database, "CUT-1", BERNDS).await;
    service.finish().await;
}

#[tokio::test]
async fn a_flushed_redis_learns_owners_again() {
    let database = Database::new().await;
    people(&database).await;
    bind(&database, "FLUSH-1", ANNA).await;
    let service = Service::start(&database).await;
    assert_eq!(uploaded(&service, &database, "FLUSH-1").await, ANNAS);
    wait_for_redis_owner(&database, "FLUSH-1").await;
    let _: () = redis::cmd("FLUSHDB").query_async(&mut database.redis().await).await.expect("flushed");
    let mut number = 0;
    eventually("an owner is remembered again", || {
        number += 1;
        let (database, service, device_sn) = (&database, &service, format!("FLUSH-NEW-{number}"));
        async move {
            assert_eq!(uploaded(service, database, &device_sn).await, NOBODY);
            redis_owner(database, &device_sn).await
        }
    })
    .await;
    service.finish().await;
}

#[tokio::test]
async fn a_change_that_comes_while_nobody_listens_is_followed() {
    let database = Database::new().await;
    people(&database).await;
    bind(&database, "DEAF-1", ANNA).await;
    let service = Service::start(&database).await;
    wait_for_owner(&service, &database, "DEAF-1", ANNAS).await;
    // The change and the end of every connection but this one are one transaction: no listener hears of it.
    let sql = format!(
        "begin;
         select bind_device('DEAF-1', {BERND});
         select pg_terminate_backend(pid, 5000) from pg_stat_activity
         where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend';
         commit;"
    );
    change(&database, &sql).await;
    eventually("the next upload is its new owner's", || async {
        let second = next_second();
        let body = json!({ "data": sample("DEAF-1", second) }).to_string();
        if service.post("/upload_health_data", body).await.status != 200 {
            return None; // the connections are being made again
        }
        (stored(&database, "DEAF-1", second).await == BERNDS).then_some(())
    })
    .await;
    service.finish().await;
}

#[tokio::test]
async fn an_upload_waits_for_a_database_that_comes_back_and_is_refused_when_it_does_not() {
    let database = Database::new().await;
    people(&database).await;
    bind(&database, "AWAY-1", ANNA).await;
    let (cable, url) = Proxy::before(&database.url()).await;
    let service = Service::start_with(&database, |settings| {
        settings.database_url = url;
        settings.commit_deadline_ms = 1500;
    })
    .await;
    cable.cut();
    let second = next_second();
    let body = json!({ "data": sample("AWAY-1", second) }).to_string();
    let refused = service.post("/upload_health_data", body.clone()).await;
    assert_eq!((refused.status, refused.retry_after.is_some()), (503, true), "{refused:?}");
    let (answer, ()) = tokio::join!(service.post("/upload_health_data", body), async { cable.restore() });
    if answer.status != 200 {
        assert_eq!(answer.status, 503);
    }
    eventually("it is taken", || async {
        let body = json!({ "data": sample("AWAY-1", second) }).to_string();
        (service.post("/upload_health_data", body).await.status == 200).then_some(())
    })
    .await;
    assert_eq!(stored(&database, "AWAY-1", second).await, ANNAS);
    service.finish().await;
}

#[tokio::test]
async fn a_device_has_at_most_one_open_binding_whoever_writes() {
    let database = Database::new().await;
    people(&database).await;
    let client = database.client().await;
    bind(&database, "ONCE-1", ANNA).await;
    for sql in [
        format!("insert into device_binding values ('ONCE-1', {BERND}, now() + interval '1 hour', null)"),
        format!("insert into device_binding values ('ONCE-2', {BERND}, now(), now())"),
        "insert into device_binding values ('ONCE-2', 12345, now(), null)".to_owned(),
    ] {
        assert!(client.batch_execute(&sql).await.is_err(), "{sql}");
    }
    for _ in 0..2 {
        bind(&database, "ONCE-1", BERND).await;
    }
    let rows: Vec<(i64, bool)> = client
        .query(
            "select user_id, valid_until is null from device_binding where device_sn = 'ONCE-1' order by valid_from",
            &[],
        )
        .await
        .expect("rows")
        .iter()
        .map(|row| (row.get(0), row.get(1)))
        .collect();
    assert_eq!(rows, [(ANNA, false), (BERND, true)], "the history is kept");
}

#[tokio::test]
async fn owners_can_be_asked_for_in_sql() {
    let database = Database::new().await;
    people(&database).await;
    bind(&database, "SQL-1", ANNA).await;
    let rows: Vec<(String, Option<i64>, Option<i64>, i64)> = database
        .client()
        .await
        .query("select * from device_owner('{SQL-1,SQL-2}') order by device_sn", &[])
        .await
        .expect("rows")
        .iter()
        .map(|row| (row.get("device_sn"), row.get("user_id"), row.get("org_id"), row.get("customer_id")))
        .collect();
    assert_eq!(
        rows,
        [("SQL-1".to_owned(), Some(ANNA), Some(ORG), TENANT), ("SQL-2".to_owned(), None, None, 0)]
    );
}

/// The alerts of a device: customer, last value, whether it is open.
async fn alerts_of(database: &Database, device_sn: &str) -> Vec<(Option<i64>, Option<String>, bool)> {
    let rows = database
        .client()
        .await
        .query(
            "select customer_id, trim_scale(last_value)::text, status <> 'resolved' from alert where device_sn = $1 order by started_ts",
            &[&device_sn],
        )
        .await
        .expect("alerts");
    rows.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect()
}

/// Uploads a sample with these ids and values, and waits until its alerts are evaluated.
async fn measured(service: &Service, device_sn: &str, customer_id: i64, values: &Value) {
    let mut item = json!({
        "deviceSn": device_sn, "customerId": customer_id.to_string(), "userId": (customer_id * 10).to_string(), "timestamp": next_second()
    });
    item.as_object_mut().expect("an object").extend(values.as_object().expect("an object").clone());
    assert_eq!(service.upload(&json!({ "data": item })).await, (1, 0, 0));
    service.drained().await;
}

#[tokio::test]
async fn an_alert_is_of_whom_its_readings_are_and_not_of_who_wears_the_device_next() {
    let database = Database::new().await;
    let client = database.client().await;
    only_rule(&client, 120, 1).await;
    client.batch_execute("update alert_rule set cooldown_seconds = 600").await.expect("a cool-down");
    let service = Service::start(&database).await;
    let rate = |rate: i32| json!({ "heart_rate": rate });
    let of = |customer: i64, value: &str, open: bool| (Some(customer), Some(value.to_owned()), open);

    measured(&service, "PASSED-ON", 5, &rate(150)).await;
    measured(&service, "PASSED-ON", 6, &rate(160)).await;
    let both = [of(5, "150", false), of(6, "160", true)];
    assert_eq!(alerts_of(&database, "PASSED-ON").await, both, "each tenant has one, of its own values");
    measured(&service, "PASSED-ON", 7, &rate(170)).await;
    let ended = "select count(*) from alert where resolution = 'expired'";
    assert_eq!(
        client.query_one(ended, &[]).await.expect("a count").get::<_, i64>(0),
        2,
        "they were not seen to recover"
    );
    let of_three = [of(5, "150", false), of(6, "160", false), of(7, "170", true)];
    assert_eq!(
        alerts_of(&database, "PASSED-ON").await,
        of_three,
        "no cool-down of somebody else holds it back"
    );

    let resolve = "select vitals.resolve_alert(alert_id, 'li') from alert where customer_id = 7";
    client.batch_execute(resolve).await.expect("resolved, and muted for an hour");
    measured(&service, "PASSED-ON", 7, &rate(175)).await;
    assert_eq!(alerts_of(&database, "PASSED-ON").await.len(), 3, "it is muted");
    measured(&service, "PASSED-ON", 8, &rate(180)).await;
    assert_eq!(alerts_of(&database, "PASSED-ON").await.last(), Some(&of(8, "180", true)), "not for others");
    service.finish().await;
}

#[tokio::test]
async fn readings_of_two_wearers_are_no_run_and_fulfil_no_conditions_together() {
    let database = Database::new().await;
    let client = database.client().await;
    only_rule(&client, 120, 2).await;
    let composite = r#"insert into alert_rule (name, kind, severity, combine, conditions, window_seconds)
        values ('Both', 'composite', 'major', 'all',
            '[{"metric": "heart_rate", "max": 120}, {"metric": "blood_oxygen", "min": 90}]', 600)"#;
    client.batch_execute(composite).await.expect("a composite rule");
    let service = Service::start(&database).await;
    measured(&service, "PASSED-ON", 5, &json!({ "heart_rate": 150 })).await;
    measured(&service, "PASSED-ON", 6, &json!({ "heart_rate": 150 })).await;
    measured(&service, "PASSED-ON", 7, &json!({ "blood_oxygen": 80 })).await;
    assert_eq!(alerts_of(&database, "PASSED-ON").await, []);
    measured(&service, "PASSED-ON", 6, &json!({ "heart_rate": 151 })).await;
    measured(&service, "PASSED-ON", 7, &json!({ "heart_rate": 70, "blood_oxygen": 80 })).await;
    measured(&service, "PASSED-ON", 7, &json!({ "heart_rate": 152 })).await;
    let customers: Vec<_> =
        alerts_of(&database, "PASSED-ON").await.into_iter().map(|alert| alert.0).collect();
    assert_eq!(customers, [Some(6), Some(7)], "each by readings of their own");
    service.finish().await;
}

#[tokio::test]
async fn an_sos_of_the_next_wearer_is_an_alert_of_theirs() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    for customer_id in ["5", "6", "5"] {
        let body = json!({
            "eventType": "com.tdtech.ohos.action.SOS_EVENT", "eventValue": "1", "deviceSn": "PASSED-ON", "customerId": customer_id,
            "timestamp": next_second()
        });
        assert_eq!(service.post("/upload_common_event", body.to_string()).await.status, 200);
        service.drained().await;
    }
    let client = database.client().await;
    let fired = "select a.customer_id, count(*) from alert a join alert_action c using (alert_id)
        where c.action = 'fired' group by a.customer_id order by 1";
    let fired = client.query(fired, &[]).await.expect("alerts");
    let fired: Vec<(Option<i64>, i64)> = fired.iter().map(|row| (row.get(0), row.get(1))).collect();
    assert_eq!(fired, [(Some(5), 2), (Some(6), 1)], "the last one fires the first again");
    service.finish().await;
}

#[tokio::test]
async fn what_an_event_ends_the_next_wearer_ends() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    let event = async |customer_id: i64, value: &str| {
        let body = json!({
            "eventType": "com.tdtech.ohos.action.WEAR_STATUS_CHANGED", "eventValue": value, "deviceSn": "PASSED-ON",
            "customerId": customer_id.to_string(), "timestamp": next_second()
        });
        assert_eq!(service.post("/upload_common_event", body.to_string()).await.status, 200);
        service.drained().await;
    };
    let open = async || {
        let open = "select customer_id from alert where status <> 'resolved' order by 1";
        let rows = database.client().await.query(open, &[]).await.expect("alerts");
        rows.iter().map(|row| row.get(0)).collect::<Vec<Option<i64>>>()
    };
    event(5, "0").await;
    assert_eq!(open().await, [Some(5)], "it was taken off");
    event(6, "1").await;
    assert_eq!(open().await, [], "somebody else has put it on");
    event(6, "0").await;
    event(7, "0").await;
    assert_eq!(open().await, [Some(7)]);
    service.finish().await;
}
