//! `vitals rejected`: what could not be stored is found, shown, stored after all and counted once, or dropped.

use serde_json::{Value, json};

use crate::harness::{CommandOutput, Database, Service, command, eventually, vitals};

/// An instant within today's retention and beyond a day's.
const LAST_MONTH: i64 = 1_767_294_245;

async fn sql(database: &Database, statement: &str) {
    database.client().await.batch_execute(statement).await.expect(statement);
}

async fn count(database: &Database, query: &str) -> i64 {
    database.client().await.query_one(query, &[]).await.expect(query).get(0)
}

/// A service that keeps raw rows for a day: whatever is older is refused as `too_old` until [`keep_years`].
async fn forgetful_service(database: &Database) -> Service {
    sql(database, "update policy set keep_for = '1 day' where relation = 'health_data'").await;
    Service::start(database).await
}

async fn keep_years(database: &Database) {
    sql(database, "update policy set keep_for = '20 years' where relation = 'health_data'").await;
}

fn samples(device_sn: &str, samples: i64) -> Value {
    let items = (0..samples)
        .map(|n| json!({ "deviceSn": device_sn, "heart_rate": 60 + n % 60, "timestamp": LAST_MONTH + n }));
    json!({ "data": items.collect::<Vec<_>>() })
}

fn replayed(said: &CommandOutput) -> Value {
    assert_eq!(said.code, 0, "{said:?}");
    serde_json::from_str(&said.out).unwrap_or_else(|error| panic!("{error}: {said:?}"))
}

/// Over all transactions: what devices sent was stored, was there already, or is in `rejected_upload`.
async fn accounts_balance(database: &Database, received: i64) {
    let row = database
        .client()
        .await
        .query_one(
            "select sum(received)::bigint, sum(stored)::bigint, sum(duplicate)::bigint, sum(rejected)::bigint,
                    bool_and(received = stored + duplicate + rejected),
                    (select count(*) from health_data) + (select count(*) from device_event)
                        + (select count(*) from device_info),
                    (select coalesce(sum(times), 0)::bigint from rejected_upload)
             from vitals.ingest_batch",
            &[],
        )
        .await
        .expect("an account");
    let [taken, stored, duplicate, rejected, rows, rejects] =
        [0, 1, 2, 3, 5, 6].map(|column| row.get::<_, i64>(column));
    assert!(row.get::<_, bool>(4), "every transaction balances");
    assert_eq!(taken, received, "a replay receives nothing");
    assert_eq!(taken, stored + duplicate + rejected);
    assert_eq!((stored, rejected), (rows, rejects));
}

#[tokio::test]
async fn a_reject_is_found_by_device_reason_source_and_time() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    let future = (jiff::Timestamp::now() + jiff::SignedDuration::from_hours(30)).as_second();
    let items =
        json!({ "data": [{ "deviceSn": "FIND-1", "timestamp": future }, { "heart_rate": 70 }, "text"] });
    assert_eq!(service.upload(&items).await, (0, 0, 3));
    let batch = json!({ "data": [{ "deviceSn": "FIND-2", "heart_rate": 999, "timestamp": LAST_MONTH }] });
    assert_eq!(service.post("/upload_health_data_batch", batch.to_string()).await.status, 400);
    sql(
        &database,
        "update rejected_upload set received_at = now() - interval '3 hours' where reason = 'future'",
    )
    .await;

    for (options, expected) in [
        (vec![], vec!["out_of_range", "not_an_object", "no_serial", "future"]),
        (vec!["--device", "FIND-1"], vec!["future"]),
        (vec!["--device", "FIND-1", "--device", "FIND-2"], vec!["out_of_range", "future"]),
        (vec!["--reason", "no_serial"], vec!["no_serial"]),
        (vec!["--source", "health_batch"], vec!["out_of_range"]),
        (vec!["--since", "2h"], vec!["out_of_range", "not_an_object", "no_serial"]),
        (vec!["--from", "1d", "--to", "2h"], vec!["future"]),
        (vec!["--limit", "1"], vec!["out_of_range"]),
        (vec!["--to", "2020-01-01"], vec![]),
    ] {
        let said = vitals(&database, &[&["rejected", "list", "--json"], &options[..]].concat()).await;
        assert_eq!(said.code, 0, "{said:?}");
        let lines = said.out.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
        let reasons: Vec<String> =
            lines.map(|reject| reject["reason"].as_str().expect("a reason").to_owned()).collect();
        assert_eq!(reasons, expected, "{options:?}");
    }

    let table = vitals(&database, &["rejected", "list", "--limit", "3"]).await.out;
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(
        lines[0].split_whitespace().collect::<Vec<_>>(),
        ["id", "age", "device", "source", "reason", "detail"]
    );
    assert!(lines[1].contains("FIND-2") && lines[1].contains("heart_rate 999 is over 300"), "{table}");
    assert_eq!(lines[4], "1 more are older");
    service.finish().await;
}

#[tokio::test]
async fn everything_about_a_reject_is_shown_its_text_as_it_was_sent() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    let text = r#"{ "heart_rate":999 ,"deviceSn":"SHOW-1",  "note":"\u4f60"}"#;
    let body = format!(r#"{{"customerId":"1939964806110937090","data":[{text}]}}"#);
    assert_eq!(service.post("/upload_health_data", body).await.status, 200);
    let id: i64 = count(&database, "select rejected_upload_id from rejected_upload").await;

    let shown = vitals(&database, &["rejected", "show", &id.to_string()]).await;
    assert_eq!(shown.code, 0, "{shown:?}");
    for part in
        [text, "SHOW-1", "out_of_range", "heart_rate 999 is over 300", "health", "1939964806110937090"]
    {
        assert!(shown.out.contains(part), "{part}: {}", shown.out);
    }
    let shown = vitals(&database, &["rejected", "show", "--json", &id.to_string()]).await;
    let object: Value = serde_json::from_str(&shown.out).expect("JSON");
    assert_eq!(object["body"], text);
    assert_eq!(object["inherited"], json!({ "customerId": "1939964806110937090" }));

    let nobody = vitals(&database, &["rejected", "show", "404404"]).await;
    assert_eq!(nobody.code, 1);
    assert!(nobody.err.contains("404404"), "{nobody:?}");
    service.finish().await;
}

#[tokio::test]
async fn a_replayed_item_is_stored_and_counted_once_and_reaches_dashboards() {
    let database = Database::new().await;
    let service = forgetful_service(&database).await;
    assert_eq!(service.upload(&samples("AFTER-1", 30)).await, (0, 0, 30));
    // The same upload again, as watches do.
    assert_eq!(service.upload(&samples("AFTER-1", 30)).await, (0, 0, 30));
    let (none, all) = (json!({}), json!({ "too_old": 60 }));
    let first = replayed(&vitals(&database, &["rejected", "replay", "--json"]).await);
    assert_eq!(first, json!({ "stored": 0, "duplicate": 0, "refused": all, "passed_over": 0 }));
    accounts_balance(&database, 60).await;

    keep_years(&database).await;
    let second = replayed(&vitals(&database, &["rejected", "replay", "--json"]).await);
    assert_eq!(second, json!({ "stored": 30, "duplicate": 30, "refused": none, "passed_over": 0 }));
    accounts_balance(&database, 60).await;
    let third = replayed(&vitals(&database, &["rejected", "replay", "--json"]).await);
    assert_eq!(third, json!({ "stored": 0, "duplicate": 0, "refused": none, "passed_over": 0 }));
    accounts_balance(&database, 60).await;

    service.drained().await;
    let mut redis = database.redis().await;
    let heart_rate: String = redis::cmd("HGET")
        .arg("health_data:AFTER-1")
        .arg("heartRate")
        .query_async(&mut redis)
        .await
        .expect("the latest value");
    assert_eq!(heart_rate, "89");
    service.finish().await;
}

#[tokio::test]
async fn what_is_refused_again_stays_with_its_new_reason_and_costs_no_neighbour() {
    let database = Database::new().await;
    let service = forgetful_service(&database).await;
    assert_eq!(service.upload(&samples("AGAIN-1", 100)).await, (0, 0, 100));
    sql(
        &database,
        "alter table health_data add constraint tests_dislike check (heart_rate not in (71, 110))",
    )
    .await;
    keep_years(&database).await;

    let said = vitals(&database, &["rejected", "replay"]).await;
    assert_eq!(
        said.out, "97 stored, 0 were duplicates, 3 refused once more (refused_by_database 3)\n",
        "{said:?}"
    );
    assert_eq!(
        count(&database, "select count(*) from rejected_upload where reason = 'refused_by_database'").await,
        3
    );
    accounts_balance(&database, 100).await;

    sql(&database, "alter table health_data drop constraint tests_dislike").await;
    let last = replayed(&vitals(&database, &["rejected", "replay", "--json", "--device", "AGAIN-1"]).await);
    assert_eq!(last["stored"], 3);
    accounts_balance(&database, 100).await;
    service.finish().await;
}

#[tokio::test]
async fn what_the_database_stumbles_over_stays_and_costs_no_neighbour() {
    let database = Database::new().await;
    let service = forgetful_service(&database).await;
    assert_eq!(service.upload(&samples("STUMBLE-1", 100)).await, (0, 0, 100));
    sql(
        &database,
        "create function tests_stumble() returns trigger language plpgsql as $$
         begin
             if new.heart_rate = 71 then raise exception 'stumbled' using errcode = 'XX000'; end if;
             return new;
         end $$;
         create trigger tests_stumble before insert on health_data for each row execute function tests_stumble()",
    )
    .await;
    keep_years(&database).await;
    let first = replayed(&vitals(&database, &["rejected", "replay", "--json"]).await);
    assert_eq!(
        first["stored"].as_u64().zip(first["refused"]["refused_by_database"].as_u64()).map(|(a, b)| a + b),
        Some(100)
    );
    sql(&database, "drop trigger tests_stumble on health_data").await;
    let last = replayed(&vitals(&database, &["rejected", "replay", "--json"]).await);
    assert_eq!(last["stored"], first["refused"]["refused_by_database"]);
    accounts_balance(&database, 100).await;
    service.finish().await;
}

#[tokio::test]
async fn a_replay_holds_no_more_than_a_few_large_rejects_at_once() {
    let database = Database::new().await;
    sql(
        &database,
        r#"insert into rejected_upload (received_at, source, device_sn, reason, detail, body)
           select now(), 'health', 'LARGE-' || n, 'too_old', '',
               format('{"deviceSn":"LARGE-%s","heart_rate":70,"timestamp":%s%s}', n, 1767294245 + n, repeat(' ', 20000000))
           from generate_series(1, 5) n"#,
    )
    .await;
    let said = replayed(&vitals(&database, &["rejected", "replay", "--json"]).await);
    assert_eq!(said["stored"], 5);
    // Two of them are more than a page holds, one is not.
    assert_eq!(
        count(&database, "select count(distinct batch_id) from health_data where device_sn like 'LARGE-%'")
            .await,
        3
    );
}

#[tokio::test]
async fn only_what_was_named_is_replayed() {
    let database = Database::new().await;
    let service = forgetful_service(&database).await;
    assert_eq!(service.upload(&samples("NAMED-1", 5)).await, (0, 0, 5));
    assert_eq!(service.upload(&samples("NAMED-2", 5)).await, (0, 0, 5));
    keep_years(&database).await;
    let ids = database
        .client()
        .await
        .query("select rejected_upload_id::text from rejected_upload order by rejected_upload_id", &[])
        .await
        .expect("ids");
    let ids: Vec<&str> = ids.iter().map(|row| row.get(0)).collect();
    for (options, stored) in [
        (vec![ids[0], ids[3], "404404"], 2),
        (vec!["--device", "NAMED-2", "--limit", "1"], 1),
        (vec!["--reason", "future"], 0),
        (vec!["--device", "NAMED-2"], 4),
    ] {
        let said = vitals(&database, &[&["rejected", "replay", "--json"], &options[..]].concat()).await;
        assert_eq!(replayed(&said)["stored"], stored, "{options:?}");
    }
    assert_eq!(count(&database, "select count(*) from rejected_upload where device_sn = 'NAMED-1'").await, 3);
    accounts_balance(&database, 10).await;
    service.finish().await;
}

#[tokio::test]
async fn replays_at_the_same_time_store_and_count_each_item_once() {
    let database = Database::new().await;
    let service = forgetful_service(&database).await;
    for device in 0..8 {
        assert_eq!(service.upload(&samples(&format!("RACE-{device}"), 1_000)).await, (0, 0, 1_000));
    }
    keep_years(&database).await;
    let replays = (0..3).map(|_| vitals(&database, &["rejected", "replay", "--json"]));
    let accounts = futures_util::future::join_all(replays).await;
    let stored: u64 = accounts.iter().map(|said| replayed(said)["stored"].as_u64().expect("a count")).sum();
    let duplicate: u64 =
        accounts.iter().map(|said| replayed(said)["duplicate"].as_u64().expect("a count")).sum();
    assert_eq!((stored, duplicate), (8_000, 0), "{accounts:?}");
    accounts_balance(&database, 8_000).await;
    service.finish().await;
}

#[tokio::test]
async fn a_replay_that_dies_half_way_leaves_each_item_stored_or_rejected() {
    let database = Database::new().await;
    let service = forgetful_service(&database).await;
    for device in 0..12 {
        assert_eq!(service.upload(&samples(&format!("DIES-{device}"), 1_000)).await, (0, 0, 1_000));
    }
    keep_years(&database).await;
    let mut dying = command(&database, &["rejected", "replay"]).kill_on_drop(true).spawn().expect("runs");
    eventually("some are stored", || async {
        (count(&database, "select count(*) from health_data").await > 0).then_some(())
    })
    .await;
    dying.kill().await.expect("killed");
    accounts_balance(&database, 12_000).await;
    vitals(&database, &["rejected", "replay"]).await;
    assert_eq!(count(&database, "select count(*) from health_data").await, 12_000);
    accounts_balance(&database, 12_000).await;
    service.finish().await;
}

#[tokio::test]
async fn time_is_judged_as_of_receipt() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    sql(&database, "alter table health_data add constraint tests_dislike check (heart_rate <> 111)").await;
    let ahead = (jiff::Timestamp::now() + jiff::SignedDuration::from_hours(30)).as_second();
    let items = json!({ "data": [
        { "deviceSn": "RECEIPT-1", "heart_rate": 111 },
        { "deviceSn": "RECEIPT-2", "heart_rate": 70, "timestamp": ahead },
    ] });
    assert_eq!(service.upload(&items).await, (0, 0, 2));
    // Two days go by.
    sql(
        &database,
        "alter table health_data drop constraint tests_dislike;
         update rejected_upload set received_at = received_at - interval '2 days'",
    )
    .await;
    let account = replayed(&vitals(&database, &["rejected", "replay", "--json"]).await);
    assert_eq!((&account["stored"], &account["refused"]), (&json!(1), &json!({ "future": 1 })));
    let at_receipt = count(
        &database,
        "select count(*) from health_data where device_sn = 'RECEIPT-1' and ts = received_at
             and ts between now() - interval '49 hours' and now() - interval '47 hours'",
    );
    assert_eq!(at_receipt.await, 1, "a sample without a time was taken when it was received");
    service.finish().await;
}

#[tokio::test]
async fn a_rejected_item_loses_neither_what_stood_around_it_nor_the_rules_of_its_route() {
    let database = Database::new().await;
    let service = forgetful_service(&database).await;
    let item = json!({ "heart_rate": 70, "timestamp": LAST_MONTH });
    let around = json!({ "deviceSn": "AROUND-1", "customerId": "1939964806110937090", "data": [item] });
    assert_eq!(service.upload(&around).await, (0, 0, 1));
    let batch = json!({ "orgId": 7, "data": [
        { "deviceSn": "AROUND-2", "heartRate": 70, "timestamp": LAST_MONTH },
        { "deviceSn": "TINY", "heartRate": 70, "timestamp": LAST_MONTH },
    ] });
    assert_eq!(service.post("/upload_health_data_batch", batch.to_string()).await.status, 400);
    keep_years(&database).await;
    let account = replayed(&vitals(&database, &["rejected", "replay", "--json"]).await);
    assert_eq!((&account["stored"], &account["refused"]), (&json!(2), &json!({ "bad_serial": 1 })));
    let owners = database
        .client()
        .await
        .query("select device_sn, customer_id, org_id from health_data order by device_sn", &[])
        .await
        .expect("rows");
    let owners: Vec<(&str, Option<i64>, Option<i64>)> =
        owners.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect();
    assert_eq!(owners, [("AROUND-1", Some(1_939_964_806_110_937_090), None), ("AROUND-2", None, Some(7))]);
    service.finish().await;
}

#[tokio::test]
async fn events_their_samples_and_device_information_are_replayed_as_what_they_are() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    sql(
        &database,
        "alter table health_data add constraint tests_dislike check (heart_rate <> 111);
         alter table device_event add constraint tests_dislike check (value <> 'no');
         alter table device_info add constraint tests_dislike check (battery_level <> 13)",
    )
    .await;
    let sample = json!({ "heart_rate": 111 });
    let event = |serial: &str, value: &str, sample: &Value| {
        json!({ "eventType": "a.b.SOS_EVENT", "eventValue": value, "deviceSn": serial, "timestamp": LAST_MONTH,
                "healthData": sample })
    };
    let info = json!({ "SerialNumber": "KINDS-3", "batteryLevel": "13%", "timestamp": LAST_MONTH });
    // Stored but for its sample; refused but for its sample; refused whole.
    let events =
        json!([event("KINDS-1", "yes", &sample), event("KINDS-2", "no", &json!({ "heart_rate": 70 }))]);
    let around = json!({ "customer_id": "7", "type": "device", "data": [info] });
    assert_eq!(service.post("/upload_common_event", events.to_string()).await.status, 200);
    assert_eq!(service.post("/upload_device_info", around.to_string()).await.status, 200);
    let by_source = "select string_agg(source, ' ' order by rejected_upload_id) from rejected_upload";
    let row = database.client().await.query_one(by_source, &[]).await.expect("rejects");
    assert_eq!(row.get::<_, &str>(0), "event event device_info");
    accounts_balance(&database, 5).await;

    let still = replayed(&vitals(&database, &["rejected", "replay", "--json"]).await);
    assert_eq!((&still["stored"], &still["refused"]), (&json!(0), &json!({ "refused_by_database": 3 })));
    for table in ["health_data", "device_event", "device_info"] {
        sql(&database, &format!("alter table {table} drop constraint tests_dislike")).await;
    }
    let account = replayed(&vitals(&database, &["rejected", "replay", "--json"]).await);
    assert_eq!(account, json!({ "stored": 3, "duplicate": 0, "refused": {}, "passed_over": 0 }));
    accounts_balance(&database, 5).await;
    for (what, query) in [
        ("the sample", "select count(*) from health_data where device_sn = 'KINDS-1' and heart_rate = 111"),
        (
            "the event",
            "select count(*) from device_event where device_sn = 'KINDS-2' and event_type = 'SOS_EVENT'",
        ),
        (
            "what stood around",
            "select count(*) from device_info where battery_level = 13 and customer_id = 7",
        ),
        ("the device", "select count(*) from device where device_sn = 'KINDS-3' and battery_level = 13"),
    ] {
        assert_eq!(count(&database, query).await, 1, "{what}");
    }
    service.finish().await;
}

#[tokio::test]
async fn a_replayed_sample_brings_its_documents() {
    let database = Database::new().await;
    let service = forgetful_service(&database).await;
    let sleep = r#"{"code":0,"data":[{"endTimeStamp":1767300000000,"startTimeStamp":1767290000000,"type":2}],"name":"sleep"}"#;
    let item =
        json!({ "deviceSn": "NIGHT-1", "heart_rate": 50, "timestamp": LAST_MONTH, "sleepData": sleep });
    assert_eq!(service.upload(&json!({ "data": item })).await, (0, 0, 1));
    let segments = "select count(*) from sleep_segment where device_sn = 'NIGHT-1'";
    assert_eq!(count(&database, segments).await, 0);
    keep_years(&database).await;
    assert_eq!(replayed(&vitals(&database, &["rejected", "replay", "--json"]).await)["stored"], 1);
    assert_eq!(count(&database, segments).await, 1);
    service.finish().await;
}

#[tokio::test]
async fn nothing_is_dropped_unasked_and_only_what_was_named() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    let items = json!({ "data": [{ "heart_rate": 1 }, { "heart_rate": 2 }, { "deviceSn": "DROP-1", "timestamp": "?" }] });
    assert_eq!(service.upload(&items).await, (0, 0, 3));
    let left = "select count(*) from rejected_upload";

    let nothing_named = vitals(&database, &["rejected", "drop", "--yes"]).await;
    assert_eq!((nothing_named.code, count(&database, left).await), (2, 3), "{nothing_named:?}");
    let nobody_to_ask = vitals(&database, &["rejected", "drop", "--all"]).await;
    assert_eq!((nobody_to_ask.code, count(&database, left).await), (1, 3), "{nobody_to_ask:?}");
    let one = vitals(&database, &["rejected", "drop", "--yes", "--device", "DROP-1"]).await;
    assert_eq!((one.out.as_str(), count(&database, left).await), ("1 deleted\n", 2), "{one:?}");
    let all = vitals(&database, &["rejected", "drop", "--yes", "--all"]).await;
    assert_eq!((all.out.as_str(), count(&database, left).await), ("2 deleted\n", 0), "{all:?}");
    service.finish().await;
}

#[tokio::test]
async fn what_is_refused_again_and_again_is_one_reject_that_says_how_often_it_came() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    let bad = json!({ "deviceSn": "AGAIN-1", "heart_rate": 999, "timestamp": 1_767_294_245 });
    let batch = json!({ "data": [bad, bad] }).to_string();
    for _ in 0..3 {
        assert_eq!(service.post("/upload_health_data_batch", batch.clone()).await.status, 400);
    }
    assert_eq!(service.upload(&json!({ "data": bad })).await, (0, 0, 1), "another route, another reject");
    let other = json!({ "deviceSn": "AGAIN-2", "heart_rate": 999, "timestamp": 1_767_294_245 });
    assert_eq!(service.upload(&json!({ "data": other })).await, (0, 0, 1), "another device, another reject");
    let query = "select device_sn, source, times, last_received_at > received_at from rejected_upload order by times desc, device_sn";
    let rows = database.client().await.query(query, &[]).await.expect("rejects");
    let kept: Vec<(&str, &str, i64, Option<bool>)> =
        rows.iter().map(|row| (row.get(0), row.get(1), row.get(2), row.get(3))).collect();
    assert_eq!(
        kept,
        [
            ("AGAIN-1", "health_batch", 6, Some(true)),
            ("AGAIN-1", "health", 1, None),
            ("AGAIN-2", "health", 1, None),
        ]
    );
    let account = "select sum(received)::bigint, sum(rejected)::bigint from vitals.ingest_batch";
    let account = database.client().await.query_one(account, &[]).await.expect("an account");
    assert_eq!((account.get::<_, i64>(0), account.get::<_, i64>(1)), (8, 8));
    service.finish().await;
}

#[tokio::test]
async fn a_replay_of_what_came_often_stores_it_once_and_the_account_balances() {
    let database = Database::new().await;
    let client = database.client().await;
    client
        .batch_execute("alter table health_data add constraint tests_dislike check (heart_rate <> 111)")
        .await
        .expect("a constraint");
    let service = Service::start(&database).await;
    let item = json!({ "data": { "deviceSn": "OFTEN-1", "heart_rate": 111, "timestamp": 1_767_294_245 } });
    for _ in 0..4 {
        assert_eq!(service.upload(&item).await, (0, 0, 1));
    }
    client
        .batch_execute("alter table health_data drop constraint tests_dislike")
        .await
        .expect("no constraint");
    let said = vitals(&database, &["rejected", "replay", "--json"]).await;
    let account: Value = serde_json::from_str(&said.out).expect("an account");
    assert_eq!((&account["stored"], &account["duplicate"]), (&json!(1), &json!(3)), "{said:?}");
    let sums = "select sum(received)::bigint, sum(stored)::bigint, sum(duplicate)::bigint, sum(rejected)::bigint from vitals.ingest_batch";
    let sums = client.query_one(sums, &[]).await.expect("sums");
    assert_eq!([0, 1, 2, 3].map(|at| sums.get::<_, i64>(at)), [4, 1, 3, 0]);
    service.finish().await;
}
