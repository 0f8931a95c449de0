//! Many requests, few transactions: repeats, refusals by the database, bounds, and the account of every record.

use serde_json::{Value, json};
use tokio_postgres::Client;
use vitals::config::Duplicates;
use vitals::store::Store;

use crate::harness::{Database, Proxy, Service, eventually, readings, small_queues};

fn partial(device_sn: &str, fields: &Value) -> Value {
    let mut item = json!({ "deviceSn": device_sn, "timestamp": "2026-01-02 03:04:05" });
    let known = item.as_object_mut().expect("an object");
    known.extend(fields.as_object().expect("an object").clone());
    json!({ "data": item })
}

async fn row(database: &Database, device_sn: &str) -> (Option<i16>, Option<i16>, Option<i32>) {
    let row = database
        .client()
        .await
        .query_one(
            "select heart_rate, blood_oxygen, step from health_data where device_sn = $1",
            &[&device_sn],
        )
        .await
        .expect("one row");
    (row.get(0), row.get(1), row.get(2))
}

/// What each way of treating repeats leaves, whether they come in one upload or in two.
async fn a_repeat_under(duplicates: Duplicates, expected: (Option<i16>, Option<i16>, Option<i32>)) {
    let database = Database::new().await;
    let service = Service::start_with(&database, |settings| settings.duplicates = duplicates).await;
    let first = json!({ "heart_rate": 70, "step": 10 });
    let second = json!({ "heart_rate": 80, "blood_oxygen": 97 });

    assert_eq!(service.upload(&partial("TWO-1", &first)).await, (1, 0, 0));
    assert_eq!(service.upload(&partial("TWO-1", &second)).await, (0, 1, 0));
    assert_eq!(row(&database, "TWO-1").await, expected, "in two uploads");

    let both = json!({ "data": [partial("ONE-1", &first)["data"], partial("ONE-1", &second)["data"]] });
    assert_eq!(service.upload(&both).await, (1, 1, 0));
    assert_eq!(row(&database, "ONE-1").await, expected, "in one upload");
    service.finish().await;
}

#[tokio::test]
async fn under_fill_a_repeat_fills_what_was_open_and_changes_nothing_else() {
    a_repeat_under(Duplicates::Fill, (Some(70), Some(97), Some(10))).await;
}

#[tokio::test]
async fn under_keep_a_repeat_changes_nothing() {
    a_repeat_under(Duplicates::Keep, (Some(70), None, Some(10))).await;
}

#[tokio::test]
async fn under_replace_the_last_one_wins_whole() {
    a_repeat_under(Duplicates::Replace, (Some(80), Some(97), None)).await;
}

#[tokio::test]
async fn a_service_that_knows_no_device_yet_counts_repeats_right() {
    let database = Database::new().await;
    let items: Vec<Value> = (0..50)
        .map(|n| json!({ "deviceSn": format!("AGAIN-{n}"), "heart_rate": 70, "timestamp": 1_767_294_245 }))
        .collect();
    let old = json!({ "data": items[..25] });
    let first = Service::start(&database).await;
    assert_eq!(first.upload(&old).await, (25, 0, 0));
    first.finish().await;
    let second = Service::start(&database).await;
    assert_eq!(second.upload(&json!({ "data": items })).await, (25, 25, 0));
    second.finish().await;
}

#[tokio::test]
async fn a_row_the_database_refuses_costs_its_neighbours_nothing() {
    let database = Database::new().await;
    database
        .client()
        .await
        .batch_execute("alter table health_data add constraint tests_dislike check (heart_rate <> 111)")
        .await
        .expect("a constraint");
    let service = Service::start(&database).await;
    let items: Vec<Value> = (0..100)
        .map(|n| {
            let heart_rate = if matches!(n, 17 | 71) { 111 } else { 70 };
            json!({ "deviceSn": "PICKY-1", "heart_rate": heart_rate, "timestamp": 1_767_294_245 + n })
        })
        .collect();
    let answer = service.post("/upload_health_data", json!({ "data": items }).to_string()).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.body["details"], json!({ "success": 98, "duplicate": 0, "error": 2 }));
    let told: Vec<&Value> = answer.body["errors"].as_array().expect("errors").iter().collect();
    assert_eq!((&told[0]["index"], &told[1]["index"]), (&json!(17), &json!(71)));
    assert_eq!(told[0]["reason"], "refused_by_database");
    let kept = database
        .client()
        .await
        .query("select device_sn, body::jsonb from rejected_upload order by rejected_upload_id", &[])
        .await
        .expect("rejects");
    let kept: Vec<(&str, Value)> = kept.iter().map(|row| (row.get(0), row.get(1))).collect();
    assert_eq!(kept, [("PICKY-1", items[17].clone()), ("PICKY-1", items[71].clone())]);
    accounts_balance(&database, 100).await;
    service.finish().await;
}

/// A function that stumbles, as one with a fault of its own does, over what `condition` says.
async fn a_trigger_stumbles(database: &Database, table: &str, condition: &str) {
    database
        .client()
        .await
        .batch_execute(&format!(
            "create function tests_stumble() returns trigger language plpgsql as $$
             begin
                 if {condition} then raise exception 'stumbled' using errcode = 'XX000'; end if;
                 return new;
             end $$;
             create trigger tests_stumble before insert on {table} for each row execute function tests_stumble()"
        ))
        .await
        .expect("a trigger");
}

async fn rejects(database: &Database) -> Vec<(String, Value)> {
    let client = database.client().await;
    let rows = client
        .query("select reason, body::jsonb from rejected_upload order by rejected_upload_id", &[])
        .await
        .expect("rejects");
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

fn hundred(device_sn: &str, odd: impl Fn(usize) -> bool) -> Vec<Value> {
    (0..100)
        .map(|n| {
            let heart_rate = if odd(n) { 111 } else { 70 };
            json!({ "deviceSn": device_sn, "heart_rate": heart_rate, "timestamp": 1_767_294_245 + n })
        })
        .collect()
}

#[tokio::test]
async fn a_row_the_database_stumbles_over_costs_its_neighbours_nothing() {
    let database = Database::new().await;
    a_trigger_stumbles(&database, "health_data", "new.heart_rate = 111").await;
    let service = Service::start(&database).await;
    let mut items = hundred("STUMBLE-1", |n| matches!(n, 0 | 1 | 71));
    items.push(json!({ "deviceSn": "STUMBLE-1", "timestamp": "never" }));
    let answer = service.post("/upload_health_data", json!({ "data": items }).to_string()).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.body["details"], json!({ "success": 97, "duplicate": 0, "error": 4 }));
    let mut kept = rejects(&database).await;
    kept.sort_by_key(|(_, body)| body["timestamp"].as_i64());
    let refused = |n: usize| ("refused_by_database".to_owned(), items[n].clone());
    assert_eq!(kept, [("bad_time".to_owned(), items[100].clone()), refused(0), refused(1), refused(71)]);
    accounts_balance(&database, 101).await;
    service.finish().await;
}

#[tokio::test]
async fn where_the_database_stumbles_over_every_row_none_is_refused() {
    let database = Database::new().await;
    a_trigger_stumbles(&database, "health_data", "true").await;
    let service = Service::start(&database).await;
    let mut items = hundred("ALL-1", |_| false);
    items.push(json!({ "deviceSn": "ALL-1", "timestamp": "never" }));
    let body = json!({ "data": items }).to_string();
    let answer = service.post("/upload_health_data", body.clone()).await;
    assert_eq!(answer.status, 500, "{answer:?}");
    assert_eq!(rejects(&database).await, []);
    let client = database.client().await;
    client.batch_execute("drop trigger tests_stumble on health_data").await.expect("no trigger");
    let answer = service.post("/upload_health_data", body).await;
    assert_eq!(answer.body["details"], json!({ "success": 100, "duplicate": 0, "error": 1 }));
    accounts_balance(&database, 101).await;
    service.finish().await;
}

#[tokio::test]
async fn a_unique_index_of_a_dba_refuses_its_row_and_costs_its_neighbours_nothing() {
    let database = Database::new().await;
    let client = database.client().await;
    client
        .batch_execute("create unique index tests_one_stress_at_a_time on health_data (stress, ts)")
        .await
        .expect("an index");
    let service = Service::start(&database).await;
    let item = |device_sn: &str, stress: i64| json!({ "deviceSn": device_sn, "stress": stress, "heart_rate": 70, "timestamp": 1_767_294_245 });
    assert_eq!(service.upload(&json!({ "data": item("UNIQUE-0", 7) })).await, (1, 0, 0));
    let items: Vec<Value> =
        (1..=50).map(|n| item(&format!("UNIQUE-{n}"), if n == 20 { 7 } else { 40 + n })).collect();
    assert_eq!(service.upload(&json!({ "data": items })).await, (49, 0, 1));
    assert_eq!(rejects(&database).await, [("refused_by_database".to_owned(), items[19].clone())]);
    assert_eq!(service.upload(&json!({ "data": items[20] })).await, (0, 1, 0), "the key is still the key");
    accounts_balance(&database, 52).await;
    service.finish().await;
}

/// A trigger that says `errcode` when a transaction has inserted more than `most` rows.
async fn at_most_rows(database: &Database, most: usize, errcode: &str) {
    database
        .client()
        .await
        .batch_execute(&format!(
            "create function tests_count() returns trigger language plpgsql as $$
             declare
                 rows integer := coalesce(nullif(current_setting('tests.rows', true), ''), '0')::integer + 1;
             begin
                 perform set_config('tests.rows', rows::text, true);
                 if rows > {most} then raise exception 'too much' using errcode = '{errcode}'; end if;
                 return new;
             end $$;
             create trigger tests_count before insert on health_data for each row execute function tests_count()"
        ))
        .await
        .expect("a trigger");
}

#[tokio::test]
async fn what_is_too_much_for_one_transaction_is_stored_in_several() {
    for errcode in ["53200", "57014"] {
        let database = Database::new().await;
        at_most_rows(&database, 30, errcode).await;
        let service = Service::start(&database).await;
        let answer = service
            .post("/upload_health_data", json!({ "data": hundred("MUCH-1", |_| false) }).to_string())
            .await;
        assert_eq!(
            answer.body["details"],
            json!({ "success": 100, "duplicate": 0, "error": 0 }),
            "{errcode}: {answer:?}"
        );
        assert_eq!(rejects(&database).await, []);
        accounts_balance(&database, 100).await;
        service.finish().await;
    }
}

#[tokio::test]
async fn where_not_even_one_row_has_locks_it_stays_with_its_sender() {
    let database = Database::new().await;
    at_most_rows(&database, 0, "53200").await;
    let service = Service::start_with(&database, |settings| settings.commit_deadline_ms = 2_000).await;
    let answer = service
        .post("/upload_health_data", json!({ "data": hundred("NONE-1", |_| false) }).to_string())
        .await;
    assert_eq!((answer.status, answer.retry_after.is_some()), (503, true), "{answer:?}");
    assert_eq!(rejects(&database).await, []);
    service.finish().await;
}

#[tokio::test]
async fn a_row_that_takes_too_long_every_time_costs_its_neighbours_nothing() {
    let database = Database::new().await;
    database
        .client()
        .await
        .batch_execute(
            "create function tests_dawdle() returns trigger language plpgsql as $$
             begin
                 if new.heart_rate = 111 then perform pg_sleep(60); end if;
                 return new;
             end $$;
             create trigger tests_dawdle before insert on health_data for each row execute function tests_dawdle()",
        )
        .await
        .expect("a trigger");
    let service = Service::start_with(&database, |settings| settings.statement_timeout_ms = 400).await;
    let items = &hundred("SLOW-1", |n| n == 5)[..8];
    let answer = service.post("/upload_health_data", json!({ "data": items }).to_string()).await;
    assert_eq!(answer.body["details"], json!({ "success": 7, "duplicate": 0, "error": 1 }), "{answer:?}");
    assert_eq!(rejects(&database).await, [("refused_by_database".to_owned(), items[5].clone())]);
    service.finish().await;
}

#[tokio::test]
async fn a_table_that_is_missing_refuses_no_row() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    let client = database.client().await;
    client.batch_execute("alter table health_data rename to elsewhere").await.expect("renamed");
    let body = json!({ "data": hundred("GONE-1", |_| false) }).to_string();
    let answer = service.post("/upload_health_data", body.clone()).await;
    assert_eq!(answer.status, 500, "{answer:?}");
    assert_eq!(rejects(&database).await, []);
    client.batch_execute("alter table elsewhere rename to health_data").await.expect("renamed back");
    assert_eq!(service.post("/upload_health_data", body).await.status, 200);
    service.finish().await;
}

#[tokio::test]
async fn a_stored_row_proves_nothing_for_another_table() {
    let database = Database::new().await;
    a_trigger_stumbles(&database, "device_event", "true").await;
    let service = Service::start(&database).await;
    let event = json!({ "eventType": "SOS_EVENT", "deviceSn": "OTHER-1", "timestamp": 1_767_294_245,
                        "healthData": { "data": { "deviceSn": "OTHER-1", "heart_rate": 70, "timestamp": 1_767_294_245 } } });
    let answer = service.post("/upload_common_event", event.to_string()).await;
    assert_eq!(answer.status, 500, "{answer:?}");
    assert_eq!(rejects(&database).await, [], "the event is healthy, and its sender keeps it");
    let client = database.client().await;
    client.batch_execute("drop trigger tests_stumble on device_event").await.expect("no trigger");
    assert_eq!(service.post("/upload_common_event", event.to_string()).await.status, 200);
    let stored = "select (select count(*) from health_data), (select count(*) from device_event)";
    let stored = client.query_one(stored, &[]).await.expect("counts");
    assert_eq!((stored.get::<_, i64>(0), stored.get::<_, i64>(1)), (1, 1));
    service.finish().await;
}

/// received = stored + duplicate + rejected, and each of them is what the tables hold.
async fn accounts_balance(database: &Database, received: i64) {
    let account = database
        .client()
        .await
        .query_one(
            "select sum(received)::bigint, sum(stored)::bigint, sum(duplicate)::bigint, sum(rejected)::bigint,
                    (select count(*) from health_data), (select coalesce(sum(times), 0)::bigint from rejected_upload)
             from vitals.ingest_batch",
            &[],
        )
        .await
        .expect("an account");
    let [taken, stored, duplicate, rejected, rows, rejects] =
        [0, 1, 2, 3, 4, 5].map(|n| account.get::<_, i64>(n));
    assert_eq!(taken, received);
    assert_eq!(taken, stored + duplicate + rejected);
    assert_eq!(stored, rows);
    assert_eq!(rejected, rejects);
}

#[tokio::test]
async fn the_account_balances_over_concurrent_mixed_uploads() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    let uploads = (0..40_i64).map(|upload| {
        let items: Vec<Value> = (0..25_i64)
            .map(|n| match n {
                0 => json!({ "heart_rate": 70 }),
                // Half the keys of each upload are those of its neighbour.
                _ => json!({ "deviceSn": format!("SUM-{}", n % 7), "heart_rate": 60 + n,
                             "timestamp": 1_767_294_245 + upload / 2 * 100 + n }),
            })
            .collect();
        json!({ "data": items })
    });
    let uploads: Vec<Value> = uploads.collect();
    let outcomes = futures_util::future::join_all(uploads.iter().map(|body| service.upload(body))).await;
    let told = outcomes.iter().fold((0, 0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1, sum.2 + one.2));
    assert_eq!(told, (20 * 24, 20 * 24, 40));
    accounts_balance(&database, 1_000).await;
    service.finish().await;
}

#[tokio::test]
async fn a_full_queue_refuses_with_retry_after_and_keeps_what_it_took() {
    let database = Database::new().await;
    let service = Service::start_with(&database, small_queues).await;
    // A lock holds the writer in its transaction, so the queue can be seen full.
    let mut blocker = database.client().await;
    let lock = blocker.transaction().await.expect("a transaction");
    lock.batch_execute("lock table health_data in access exclusive mode").await.expect("a lock");
    let body = |n: usize| readings(&format!("FULL-{n}"), 10);
    let first = service.post("/upload_health_data", body(1));
    let second = service.post("/upload_health_data", body(2));
    let refused_then_released = async {
        let refused = eventually("the queue is full", || async {
            let answer = service.post("/upload_health_data", body(3)).await;
            (answer.status == 503).then_some(answer)
        })
        .await;
        assert!(refused.retry_after.expect("a time").parse::<u64>().expect("seconds") >= 1);
        lock.rollback().await.expect("released");
    };
    let (first, second, ()) = futures_util::join!(first, second, refused_then_released);
    for taken in [first, second].iter().filter(|answer| answer.status == 200) {
        assert_eq!(taken.body["details"]["success"], 10);
    }
    let again = service.post("/upload_health_data", body(3)).await;
    assert_eq!(again.status, 200, "{again:?}");
    service.finish().await;
}

#[tokio::test]
async fn uploads_are_refused_while_the_database_is_away_and_taken_when_it_is_back() {
    let database = Database::new().await;
    let (proxy, through) = Proxy::before(&database.url()).await;
    let service = Service::start_with(&database, |settings| {
        settings.database_url = through;
        settings.commit_deadline_ms = 5_000;
    })
    .await;
    let item =
        |second: i64| json!({ "deviceSn": "AWAY-1", "heart_rate": 70, "timestamp": 1_767_294_245 + second });
    assert_eq!(service.upload(&json!({ "data": item(1) })).await, (1, 0, 0));
    assert_eq!(service.get("/readyz").await.status, 200);
    proxy.cut();
    let refused = service.post("/upload_health_data", json!({ "data": item(2) }).to_string()).await;
    assert_eq!(refused.status, 503, "{refused:?}");
    assert!(refused.retry_after.is_some());
    assert_eq!(service.get("/readyz").await.status, 503);
    assert_eq!(service.get("/livez").await.status, 200);
    proxy.restore();
    eventually("uploads are taken again", || async {
        let answer = service.post("/upload_health_data", json!({ "data": item(3) }).to_string()).await;
        (answer.status == 200).then_some(())
    })
    .await;
    assert_eq!(service.get("/readyz").await.status, 200);
    service.finish().await;
}

#[tokio::test]
async fn terminated_connections_cost_no_upload() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    let item =
        |second: i64| json!({ "deviceSn": "CUT-1", "heart_rate": 70, "timestamp": 1_767_294_245 + second });
    assert_eq!(service.upload(&json!({ "data": item(1) })).await, (1, 0, 0));
    database
        .client()
        .await
        .execute(
            "select pg_terminate_backend(pid) from pg_stat_activity
             where datname = current_database() and pid <> pg_backend_pid() and application_name like 'vitals %'",
            &[],
        )
        .await
        .expect("terminated");
    assert_eq!(service.upload(&json!({ "data": item(2) })).await, (1, 0, 0));
    service.finish().await;
}

#[tokio::test]
async fn the_connection_that_was_in_use_last_is_used_next() {
    let database = Database::new().await;
    let store = Store::new(&database.settings()).expect("settings");
    let pid = async |client: &Client| -> i32 {
        client.query_one("select pg_backend_pid()", &[]).await.expect("a row").get(0)
    };
    let [first, second, third] = [store.client().await, store.client().await, store.client().await]
        .map(|client| client.expect("a connection"));
    let used_last = pid(&second).await;
    drop((first, third));
    drop(second);
    for _ in 0..3 {
        let next = store.client().await.expect("a connection");
        assert_eq!(pid(&next).await, used_last);
    }
}

#[tokio::test]
async fn what_cannot_be_accounted_for_is_not_committed() {
    let database = Database::new().await;
    let client = database.client().await;
    let service = Service::start(&database).await;
    client
        .batch_execute("alter table vitals.ingest_batch add constraint tests_dislike check (received < 0)")
        .await
        .expect("a constraint");
    let sample = json!({ "data": { "deviceSn": "BOOKS-1", "heart_rate": 70, "timestamp": 1_767_294_245 } })
        .to_string();
    let event =
        json!({ "eventType": "SOS_EVENT", "deviceSn": "BOOKS-1", "timestamp": 1_767_294_245 }).to_string();
    let uploads = [("/upload_health_data", sample), ("/upload_common_event", event)];
    for (path, body) in &uploads {
        let answer = service.post(path, body.clone()).await;
        assert_eq!(answer.status, 500, "{path}: {answer:?}");
    }
    let kept = "select (select count(*) from health_data) + (select count(*) from device_event)
                     + (select count(*) from rejected_upload)";
    assert_eq!(client.query_one(kept, &[]).await.expect("a count").get::<_, i64>(0), 0);
    client
        .batch_execute("alter table vitals.ingest_batch drop constraint tests_dislike")
        .await
        .expect("no constraint");
    for (path, body) in &uploads {
        assert_eq!(service.post(path, body.clone()).await.status, 200, "{path}");
    }
    assert_eq!(client.query_one(kept, &[]).await.expect("a count").get::<_, i64>(0), 2);
    service.finish().await;
}
