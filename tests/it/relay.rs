//! From commit to reaction: nothing is left out, nothing is done twice, and nobody holds up the others.

use std::collections::{BTreeMap, BTreeSet};
use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use redis::AsyncCommands;
use serde_json::{Value, json};
use tokio_postgres::{AsyncMessage, Client, NoTls};
use vitals::config::Authentication;

use crate::harness::{Database, Process, Proxy, Service, eventually};

/// Has every reaction note, in its transaction, which batch it was for and which instance it was.
async fn note_reactions(client: &Client) {
    client
        .batch_execute(
            "create table public.reacted (batch_id bigint, instance text, at timestamptz default clock_timestamp());
             grant all on public.reacted to public;
             create or replace function vitals.evaluate_alerts(
                 batch_ids bigint[], devices text[], partitions bigint, is_slice boolean, first_ts timestamptz, last_ts timestamptz,
                 event_from timestamptz, event_to timestamptz
             ) returns boolean language sql as $$
                 insert into public.reacted (batch_id, instance)
                 select unnest(batch_ids), current_setting('application_name');
                 select false
             $$",
        )
        .await
        .expect("the function is replaced");
}

/// Commits `count` batches of three devices as the service does, each with its outbox row, and says so.
async fn commit_batches(client: &Client, count: u32) {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    for _ in 0..count {
        let n = NEXT.fetch_add(1, Ordering::Relaxed);
        client
            .batch_execute(&format!(
                "begin;
                 insert into outbox (first_ts, last_ts, rows)
                 select ts, ts, 3 from (select timestamptz '2026-01-02Z' + {n} * interval '1 s') _(ts);
                 insert into health_data (device_sn, ts, heart_rate)
                 select 'RELAY-' || d, timestamptz '2026-01-02Z' + {n} * interval '1 s', 70
                 from generate_series(1, 3) d;
                 commit"
            ))
            .await
            .expect("committed");
    }
    client.batch_execute("notify vitals_outbox").await.expect("notified");
}

async fn count(client: &Client, query: &str) -> i64 {
    client.query_one(query, &[]).await.expect("a count").get(0)
}

async fn wait_until_empty(client: &Client) {
    eventually("the outbox is empty", || async {
        (count(client, "select count(*) from outbox").await == 0).then_some(())
    })
    .await;
}

/// Batches reacted to, by instance; fails when a batch is missing or was reacted to twice.
async fn shares(client: &Client) -> BTreeMap<String, usize> {
    let rows = client.query("select batch_id, instance from reacted", &[]).await.expect("rows");
    let done: Vec<i64> = rows.iter().map(|row| row.get(0)).collect();
    let distinct: BTreeSet<i64> = done.iter().copied().collect();
    assert_eq!(distinct.len(), done.len(), "a batch was reacted to twice");
    let written = client.query("select distinct batch_id from health_data", &[]).await.expect("rows");
    let written: BTreeSet<i64> = written.iter().map(|row| row.get(0)).collect();
    assert_eq!(distinct, written, "every batch is reacted to");
    let mut shares = BTreeMap::new();
    for row in &rows {
        *shares.entry(row.get::<_, String>(1)).or_default() += 1;
    }
    shares
}

#[tokio::test]
async fn two_instances_share_the_work_and_each_batch_is_reacted_to_once() {
    let database = Database::new().await;
    let client = database.client().await;
    note_reactions(&client).await;
    let mut services = Vec::new();
    for name in ["one", "other"] {
        let service = Service::start_with(&database, |settings| {
            settings.instance = name.to_owned();
            settings.claim_batches = 2;
        });
        services.push(service.await);
    }
    let shares = eventually("both have had a share", || async {
        commit_batches(&client, 50).await;
        wait_until_empty(&client).await;
        Some(shares(&client).await).filter(|shares| shares.len() == 2)
    })
    .await;
    assert!(shares.contains_key("vitals one") && shares.contains_key("vitals other"), "{shares:?}");
    for service in services {
        service.finish().await;
    }
}

#[tokio::test]
async fn a_lease_is_respected_until_it_runs_out() {
    let database = Database::new().await;
    let client = database.client().await;
    note_reactions(&client).await;
    commit_batches(&client, 1).await;
    client
        .batch_execute(
            "update outbox set lease_token = gen_random_uuid(), leased_until = now() + interval '6 s'",
        )
        .await
        .expect("leased by somebody who never comes back");
    let ends = client.query_one("select leased_until from outbox", &[]).await.expect("a row");
    let ends: jiff::Timestamp = ends.get(0);

    let service = Service::start(&database).await;
    commit_batches(&client, 1).await;
    wait_until_empty(&client).await;
    let rows = client.query("select at from reacted order by batch_id", &[]).await.expect("rows");
    let at: Vec<jiff::Timestamp> = rows.iter().map(|row| row.get(0)).collect();
    assert!(at[0] >= ends, "reacted to at {} although leased until {ends}", at[0]);
    assert!(at[1] < ends, "the neighbour did not wait");
    shares(&client).await;
    service.finish().await;
}

#[tokio::test]
async fn what_a_killed_instance_held_is_taken_over() {
    let database = Database::new().await;
    let client = database.client().await;
    note_reactions(&client).await;
    // The reactions of the doomed instance never come to their end.
    client
        .batch_execute(
            "create function public.linger() returns trigger language plpgsql as $$ begin
                 if new.instance = 'vitals doomed' then perform pg_sleep(2); end if;
                 return new;
             end $$;
             create trigger linger before insert on reacted for each row execute function public.linger()",
        )
        .await
        .expect("a trigger");
    let variables = [("VITALS_INSTANCE", "doomed"), ("VITALS_LEASE_SECONDS", "1")];
    let doomed = Process::serve(&database, &variables).await;
    commit_batches(&client, 5).await;
    eventually("the doomed instance is in the midst of it", || async {
        let busy = "select count(*) from pg_stat_activity where wait_event = 'PgSleep'
                    and application_name = 'vitals doomed' and datname = current_database()";
        (count(&client, busy).await > 0).then_some(())
    })
    .await;
    doomed.signal("KILL");
    doomed.ended().await;

    let service = Service::start_with(&database, |settings| settings.instance = "heir".to_owned()).await;
    wait_until_empty(&client).await;
    assert_eq!(shares(&client).await, [("vitals heir".to_owned(), 5)].into());
    service.finish().await;
}

#[tokio::test]
async fn a_batch_whose_reaction_fails_holds_up_no_other() {
    let database = Database::new().await;
    let client = database.client().await;
    note_reactions(&client).await;
    client
        .batch_execute(
            "create table public.fault (batch_id bigint);
             grant all on public.fault to public;
             create function public.fail() returns trigger language plpgsql as $$ begin
                 if exists (select from fault f where f.batch_id = new.batch_id) then raise exception 'fault'; end if;
                 return new;
             end $$;
             create trigger fail before insert on reacted for each row execute function public.fail()",
        )
        .await
        .expect("a trigger");
    commit_batches(&client, 10).await;
    client
        .batch_execute("insert into fault select batch_id from outbox order by batch_id offset 3 limit 1")
        .await
        .expect("a fault");
    let service = Service::start_with(&database, |settings| settings.lease_seconds = 1).await;
    eventually("the others are done", || async {
        (count(&client, "select count(*) from outbox").await == 1).then_some(())
    })
    .await;
    commit_batches(&client, 10).await;
    eventually("later ones are done too", || async {
        (count(&client, "select count(*) from reacted").await == 19).then_some(())
    })
    .await;
    client.batch_execute("delete from fault").await.expect("mended");
    wait_until_empty(&client).await;
    shares(&client).await;
    service.finish().await;
}

#[tokio::test]
async fn after_the_database_was_cut_off_everything_is_reacted_to() {
    let database = Database::new().await;
    let client = database.client().await;
    note_reactions(&client).await;
    let (cable, database_url) = Proxy::before(&database.url()).await;
    let service = Service::start_with(&database, |settings| settings.database_url = database_url).await;
    for _ in 0..5 {
        commit_batches(&client, 20).await;
        cable.cut();
        commit_batches(&client, 20).await;
        cable.restore();
    }
    wait_until_empty(&client).await;
    assert_eq!(shares(&client).await.values().sum::<usize>(), 200);
    service.finish().await;
}

#[tokio::test]
async fn a_batch_committed_while_nobody_served_is_reacted_to_at_the_start() {
    let database = Database::new().await;
    let client = database.client().await;
    note_reactions(&client).await;
    commit_batches(&client, 200).await;
    // A look in an hour: what is found now is found by the sweep at the start, and more than one claim deep.
    let service = Service::start_with(&database, |settings| settings.poll_interval_ms = 3_600_000).await;
    wait_until_empty(&client).await;
    // And what comes later by being woken.
    commit_batches(&client, 1).await;
    wait_until_empty(&client).await;
    shares(&client).await;
    service.finish().await;
}

#[tokio::test]
async fn many_commits_make_few_notifications() {
    let database = Database::new().await;
    let heard = Arc::new(AtomicU64::new(0));
    let (client, mut connection) =
        tokio_postgres::connect(&database.url(), NoTls).await.expect("PostgreSQL answers");
    let count = Arc::clone(&heard);
    tokio::spawn(async move {
        while let Some(Ok(message)) = poll_fn(|context| connection.poll_message(context)).await {
            if matches!(message, AsyncMessage::Notification(_)) {
                count.fetch_add(1, Ordering::SeqCst);
            }
        }
    });
    client.batch_execute("listen vitals_outbox").await.expect("listening");
    let service = Service::start_with(&database, |settings| {
        settings.notify_interval_ms = 100;
        settings.linger_ms = 0;
    })
    .await;
    let began = Instant::now();
    for n in 0..300_u32 {
        let item = json!({ "deviceSn": "NOTIFIED", "heart_rate": 70, "timestamp": 1_760_000_000 + n });
        service.upload(&json!({ "data": item })).await;
    }
    service.drained().await;
    let intervals = began.elapsed().div_duration_f64(Duration::from_millis(100)).ceil();
    let (heard, most) = (heard.load(Ordering::SeqCst), intervals as u64 + 1);
    assert!(heard >= 1, "nobody was told");
    assert!(heard <= most, "{heard} notifications in {intervals} intervals");
    let commits = crate::relay::count(&client, "select count(distinct batch_id) from health_data").await;
    assert!(commits > 250, "one commit each: {commits}");
    service.finish().await;
}

#[tokio::test]
async fn an_instance_listens_to_all_subjects_on_one_connection() {
    let database = Database::new().await;
    let client = database.client().await;
    let service =
        Service::start_with(&database, |settings| settings.authentication = Authentication::Keys).await;
    // The last statement of a session that has begun to listen, until it is asked for a sign of life.
    let listening = "select count(*) from pg_stat_activity where datname = current_database()
                     and application_name like 'vitals %' and (query ilike 'listen %' or query like '%owners.version%')";
    eventually("it listens", || async { (count(&client, listening).await > 0).then_some(()) }).await;
    assert_eq!(count(&client, listening).await, 1);
    service.finish().await;
}

#[tokio::test]
async fn a_long_reaction_keeps_its_lease() {
    let database = Database::new().await;
    let client = database.client().await;
    note_reactions(&client).await;
    commit_batches(&client, 1).await;
    // As long as this lasts, the batch cannot be read back.
    let obstacle = database.client().await;
    obstacle.batch_execute("begin; lock table health_data in access exclusive mode").await.expect("locked");
    let mut services = Vec::new();
    for name in ["one", "other"] {
        let service = Service::start_with(&database, |settings| {
            settings.instance = name.to_owned();
            settings.lease_seconds = 3;
            settings.poll_interval_ms = 100;
        });
        services.push(service.await);
    }
    let ends = eventually("it is claimed", || async {
        client.query_one("select leased_until from outbox", &[]).await.expect("a row").get(0)
    })
    .await;
    let ends: jiff::Timestamp = ends;
    eventually("the first lease has run out long ago", || async {
        let row = client
            .query_one("select now() > $1::timestamptz + interval '4 s'", &[&ends])
            .await
            .expect("a row");
        row.get::<_, bool>(0).then_some(())
    })
    .await;
    let claims = count(&client, "select attempts::bigint from outbox").await;
    assert_eq!(claims, 1, "the other one left it alone");
    obstacle.batch_execute("commit").await.expect("unlocked");
    wait_until_empty(&client).await;
    assert_eq!(shares(&client).await.values().sum::<usize>(), 1);
    for service in services {
        service.finish().await;
    }
}

/// What Redis shows of a device, but for the version of the read.
async fn redis_hash(database: &Database, device_sn: &str) -> BTreeMap<String, String> {
    let mut redis = database.redis().await;
    let mut shown: BTreeMap<String, String> =
        redis.hgetall(format!("health_data:{device_sn}")).await.expect("a hash");
    shown.remove("readVersion");
    shown
}

#[tokio::test]
async fn what_an_instance_committed_itself_is_shown_as_it_is_stored_without_being_read_back() {
    let database = Database::new().await;
    // A process, whose statements are counted for it alone.
    let service = Process::serve(&database, &[]).await;
    let http = reqwest::Client::new();
    let upload = async |data: Value| {
        let body = json!({ "data": data }).to_string();
        let sent = http.post(format!("{}/upload_health_data", service.url)).body(body).send().await;
        assert_eq!(sent.expect("an answer").status(), 200);
    };
    let client = database.client().await;
    let now = jiff::Timestamp::now();
    let at = |seconds: i64| (now + jiff::SignedDuration::from_secs(seconds)).to_string();
    let items = json!([
        { "deviceSn": "HANDED", "heart_rate": 70, "timestamp": at(-60) },
        { "deviceSn": "HANDED", "heart_rate": "71", "temperature": "36.50", "blood_oxygen": 98, "step": 1200,
          "distance": "812.25", "latitude": "31.2304", "longitude": 121.4737, "blood_glucose": 5.6,
          "upload_method": "wifi", "customerId": 7, "orgId": 8, "userId": "9", "timestamp": at(-5) },
        { "deviceSn": "AHEAD", "heart_rate": 72, "timestamp": at(3600) },
        { "deviceSn": "AHEAD", "heart_rate": 73, "timestamp": at(7200) },
    ]);
    upload(items).await;
    wait_until_empty(&client).await;
    let metrics = http.get(format!("{}/metrics", service.url)).send().await.expect("an answer");
    let metrics = metrics.text().await.expect("text");
    assert!(metrics.contains("outbox.finish"));
    assert!(!metrics.contains("health_data.newest_of_batches"), "they were read back");
    let mut redis = database.redis().await;
    for device_sn in ["HANDED", "AHEAD"] {
        let handed_over = redis_hash(&database, device_sn).await;
        assert!(handed_over["heartRate"].starts_with('7'), "{handed_over:?}");
        let _: () = redis.del(format!("health_data:{device_sn}")).await.expect("deleted");
        let sql = "update vitals.latest_view set generation = generation + 1";
        client.batch_execute(sql).await.expect("the view is built anew");
        eventually("it is read back", || async {
            (redis_hash(&database, device_sn).await == handed_over).then_some(())
        })
        .await;
    }
    // What a repeat changed is known by the database alone.
    let filled = json!({ "deviceSn": "HANDED", "stress": 33, "timestamp": at(-5) });
    upload(filled).await;
    eventually("the whole row is shown", || async {
        let shown = redis_hash(&database, "HANDED").await;
        (shown.get("stress")? == "33" && shown.get("heartRate")? == "71").then_some(())
    })
    .await;
    service.signal("TERM");
    assert!(service.ended().await.success());
}

/// Blocks of the primary keys of all chunks that anybody read, once every session that read them has told.
async fn primary_key_blocks(client: &Client) -> i64 {
    client.batch_execute("select pg_stat_force_next_flush()").await.expect("told");
    client.batch_execute("select pg_stat_clear_snapshot()").await.expect("looked at anew");
    let blocks = "select sum(idx_blks_hit + idx_blks_read)::bigint from pg_statio_all_indexes
                  where schemaname = '_timescaledb_internal' and indexrelname like '%health_data_pkey'";
    count(client, blocks).await
}

#[tokio::test]
async fn many_small_batches_in_a_large_chunk_nobody_analysed_are_found_without_reading_it() {
    let database = Database::new().await;
    let client = database.client().await;
    client
        .batch_execute(
            "insert into health_data (device_sn, ts, heart_rate)
             select 'RELAY-' || d, timestamptz '2026-01-02Z' + s * interval '1 s', 70
             from generate_series(4, 23) d, generate_series(0, 9999) s;
             delete from outbox",
        )
        .await
        .expect("a chunk of 200 000 rows");
    // The service would make the rollups of them beside the reactions.
    client.batch_execute("call refresh_rollups()").await.expect("rolled up");
    commit_batches(&client, 64).await;
    client
        .batch_execute("update outbox set last_ts = timestamptz '2026-01-02Z' + interval '9999 s'")
        .await
        .expect("wide");
    let pages: i64 = count(
        &client,
        "select sum(pg_relation_size(indexrelid) / 8192)::bigint from pg_stat_all_indexes
         where schemaname = '_timescaledb_internal' and indexrelname like '%health_data_pkey'",
    )
    .await;
    let before = primary_key_blocks(&client).await;
    let service = Service::start(&database).await;
    wait_until_empty(&client).await;
    service.finish().await;
    let read = primary_key_blocks(&client).await - before;
    assert!(read < pages, "{read} blocks were read of {pages}");
}

#[tokio::test]
async fn values_are_shown_while_the_alerts_of_earlier_batches_are_evaluated() {
    let database = Database::new().await;
    let client = database.client().await;
    client
        .batch_execute(
            "create table public.gate (opened_at timestamptz);
             grant select on public.gate to public;
             create or replace function vitals.evaluate_alerts(
                 batch_ids bigint[], devices text[], partitions bigint, is_slice boolean, first_ts timestamptz, last_ts timestamptz,
                 event_from timestamptz, event_to timestamptz
             ) returns boolean language plpgsql volatile as $$
             begin
                 while not exists (select from public.gate) loop perform pg_sleep(0.01); end loop;
                 return false;
             end $$",
        )
        .await
        .expect("the function is replaced");
    let service = Service::start(&database).await;
    let commit = async |device_sn: &str| {
        let upload = json!({ "data": { "deviceSn": device_sn, "heart_rate": 70 } });
        assert_eq!(service.post("/upload_health_data", upload.to_string()).await.status, 200);
    };
    commit("FIRST").await;
    let evaluating =
        "select count(*) from pg_stat_activity where wait_event = 'PgSleep' and datname = current_database()";
    eventually("it is evaluated", || async { (count(&client, evaluating).await > 0).then_some(()) }).await;
    commit("SECOND").await;
    eventually("it is shown", || async {
        redis_hash(&database, "SECOND").await.contains_key("heartRate").then_some(())
    })
    .await;
    let first =
        client.query_one("select attempts::bigint, sliced from outbox order by batch_id limit 1", &[]).await;
    let first = first.expect("a row");
    assert_eq!((first.get::<_, i64>(0), first.get::<_, bool>(1)), (1, false), "its evaluation goes on");
    client.batch_execute("insert into public.gate values (now())").await.expect("opened");
    wait_until_empty(&client).await;
    service.finish().await;
}

#[tokio::test]
async fn the_batches_of_different_shards_are_evaluated_at_the_same_time() {
    let database = Database::new().await;
    let client = database.client().await;
    // Each evaluation waits until both are at work. These locks last as long as their connections.
    client
        .batch_execute(
            "create or replace function vitals.evaluate_alerts(
                 batch_ids bigint[], devices text[], partitions bigint, is_slice boolean, first_ts timestamptz, last_ts timestamptz,
                 event_from timestamptz, event_to timestamptz
             ) returns boolean language plpgsql as $$
             begin
                 perform pg_advisory_lock_shared(4711, vitals.alert_partition(min(h.device_sn)))
                 from health_data h where h.batch_id = any (evaluate_alerts.batch_ids);
                 for n in 1 .. 500 loop
                     if (select count(distinct objid) from pg_locks where locktype = 'advisory' and classid = 4711
                         and database = (select oid from pg_database where datname = current_database())) = 2
                     then
                         return false;
                     end if;
                     perform pg_sleep(0.01);
                 end loop;
                 raise exception 'it is evaluated alone';
             end $$",
        )
        .await
        .expect("the function is replaced");
    // In one transaction each, and claimed together.
    for shard in 0..2 {
        client
            .batch_execute(&format!(
                "begin;
                 create temporary table batch on commit drop as
                 select device_sn, now() as ts, 70 as heart_rate from (select 'LANE-' || generate_series(1, 20) as device_sn) as d
                 where vitals.alert_partition(device_sn) % 2 = {shard};
                 insert into outbox (first_ts, last_ts, rows, partitions)
                 select now(), now(), count(*), bit_or(1::bigint << vitals.alert_partition(device_sn)) from batch;
                 insert into health_data (device_sn, ts, heart_rate) select * from batch;
                 commit"
            ))
            .await
            .expect("committed");
    }
    let service = Service::start_with(&database, |settings| settings.shards = 2).await;
    wait_until_empty(&client).await;
    service.finish().await;
}

#[tokio::test]
async fn the_writers_of_different_shards_write_devices_of_different_partitions() {
    let database = Database::new().await;
    let client = database.client().await;
    client
        .batch_execute(
            "create table public.written (batch_id bigint, partitions bigint);
             grant all on public.written to public;
             create function public.note() returns trigger language plpgsql as $$ begin
                 insert into public.written values (new.batch_id, new.partitions);
                 return new;
             end $$;
             create trigger note after insert on outbox for each row execute function public.note()",
        )
        .await
        .expect("a trigger");
    let service = Service::start_with(&database, |settings| settings.shards = 3).await;
    let now = jiff::Timestamp::now().as_second();
    let items: Vec<Value> = (0..200)
        .map(|n| json!({ "deviceSn": format!("LANE-{n}"), "heart_rate": 70, "timestamp": now }))
        .collect();
    assert_eq!(service.upload(&json!({ "data": items })).await, (200, 0, 0));
    let wrong = "select count(*) from written w where partitions is distinct from (
        select bit_or(1::bigint << vitals.alert_partition(device_sn)) from health_data h where h.batch_id = w.batch_id)";
    assert_eq!(count(&client, wrong).await, 0);
    let mixed = "select count(*) from written where partitions & (select bit_or(1::bigint << n)
        from generate_series(0, 63) n where n % 3 = 0) not in (0, partitions)";
    assert_eq!(count(&client, mixed).await, 0);
    assert!(count(&client, "select count(distinct partitions) from written").await >= 3, "a batch each");
    service.finish().await;
}
