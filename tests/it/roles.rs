//! The roles of `sql/roles`: what each may do, what it may not, and that a dashboard sees its own tenants only, whatever it
//! tries. Everything is tried over connections that logged in as the role.

use serde_json::json;
use tokio_postgres::{Client, SimpleQueryMessage};

use crate::harness::{Database, Login, Service, command, eventually};

/// Serials of two homes, tenants 41 and 42; a device that went from one to the other three days ago at noon; one of nobody.
const FLEET: &str = "
    insert into org_unit (org_id, name) values (41, 'Sunset'), (42, 'Harbour');
    insert into app_user (user_id, org_id, name) values (1, 41, 'Ann'), (2, 42, 'Bob');
    select bind_device(device_sn, user_id, since) from (values
        ('SUNSET', 1, now() - interval '30 days'), ('HARBOUR', 2, now() - interval '30 days'),
        ('MOVED', 1, now() - interval '30 days'),
        ('MOVED', 2, date_trunc('day', now(), 'Asia/Shanghai') - interval '60 hours')
    ) as bindings (device_sn, user_id, since);
    insert into device (device_sn) values ('SUNSET'), ('HARBOUR'), ('MOVED'), ('NOBODY');
    insert into health_data (device_sn, ts, heart_rate)
    select device_sn, at, 70 from device, generate_series(now() - interval '9 days', now(), interval '20 minutes') as at;
    insert into sleep_segment (device_sn, start_ts, end_ts, type_code, end_day, customer_id, ts, received_at)
    select device_sn, now() - interval '9 hours', now() - interval '1 hour', 1, current_date, customer_id, now(), now()
    from (values ('SUNSET', 41), ('HARBOUR', 42)) as nights (device_sn, customer_id);
    insert into alert (device_sn, rule_id, rule_version, kind, severity, customer_id, started_ts, fired_ts, last_ts,
        judged_ts, message)
    select device_sn, 1, 1, 'threshold', 'minor', customer_id, now(), now(), now(), now(), ''
    from (values ('SUNSET', 41), ('HARBOUR', 42)) as alerts (device_sn, customer_id);";

const VIEWS: [&str; 9] = [
    "device",
    "latest",
    "alert",
    "sleep_night",
    "health_15m",
    "health_hourly",
    "health_daily",
    "health_weekly",
    "health_monthly",
];

async fn fleet() -> Database {
    let database = Database::new().await;
    let client = database.client().await;
    client.batch_execute(FLEET).await.expect("a fleet");
    client.batch_execute("call refresh_rollups(now() - interval '10 days', now())").await.expect("refreshed");
    database
}

async fn bind(database: &Database, role: &str, tenants: &[i64]) {
    for tenant in tenants {
        let sql = format!("insert into vitals.dashboard_tenant values ('{role}', {tenant})");
        database.client().await.batch_execute(&sql).await.expect("bound");
    }
}

/// Serials a view shows, in order.
async fn serials(client: &Client, view: &str) -> Vec<String> {
    let sql = format!("select distinct device_sn from dashboard.{view} order by device_sn");
    let rows = client.query(&sql, &[]).await.unwrap_or_else(|error| panic!("{view}: {error:?}"));
    rows.iter().map(|row| row.get(0)).collect()
}

/// Fails unless the statement is refused for want of a privilege.
async fn assert_denied(client: &Client, sql: &str) {
    let error = client.batch_execute(sql).await.expect_err(sql);
    assert_eq!(error.code().map(|code| code.code()), Some("42501"), "{sql}: {error:?}");
}

#[tokio::test]
async fn a_dashboard_sees_nothing_until_it_is_bound_and_then_its_own() {
    let database = fleet().await;
    let board = Login::of(&database, "vitals_dashboard").await;
    let client = board.client().await;
    for view in VIEWS {
        assert_eq!(serials(&client, view).await, [""; 0], "{view}");
    }
    bind(&database, &board.name, &[42]).await;
    for view in VIEWS {
        let seen = serials(&client, view).await;
        let has_moved = seen.contains(&"MOVED".to_owned());
        assert!(seen.contains(&"HARBOUR".to_owned()), "{view}: {seen:?}");
        assert_eq!(seen.len(), 1 + usize::from(has_moved), "{view}: {seen:?}");
    }
    bind(&database, &board.name, &[41]).await;
    assert_eq!(serials(&client, "device").await, ["HARBOUR", "MOVED", "SUNSET"]);
}

#[tokio::test]
async fn all_tenants_is_a_row_that_says_so_and_nothing_else_means_it() {
    let database = fleet().await;
    let admin = database.client().await;
    let board = Login::of(&database, "vitals_dashboard").await.sees_all_tenants(&database).await;
    let client = board.client().await;
    assert_eq!(serials(&client, "device").await, ["HARBOUR", "MOVED", "NOBODY", "SUNSET"]);
    assert_eq!(serials(&client, "health_daily").await, ["HARBOUR", "MOVED", "NOBODY", "SUNSET"]);
    for odd in
        ["(role_name) values ('{}')", "values ('{}', null)", "values ('{}', 41, true)", "values ('{}', 0)"]
    {
        let sql = format!("insert into vitals.dashboard_tenant {}", odd.replace("{}", &board.name));
        let error = admin.batch_execute(&sql).await.expect_err(&sql);
        assert_eq!(error.code().map(|code| code.code()), Some("23514"), "{sql}: {error:?}");
    }
    admin
        .batch_execute("insert into vitals.dashboard_tenant values ('nobody_at_all', 41)")
        .await
        .expect_err("no role");
}

#[tokio::test]
async fn a_binding_that_is_deleted_or_a_role_that_is_made_again_widens_nothing() {
    let database = fleet().await;
    let admin = database.client().await;
    let board = Login::of(&database, "vitals_dashboard").await;
    bind(&database, &board.name, &[41, 42]).await;
    let delete = async |which: &str| {
        let sql = format!(
            "delete from vitals.dashboard_tenant where role_name = '{}'::regrole {which}",
            board.name
        );
        admin.batch_execute(&sql).await.expect("deleted");
    };
    delete("and customer_id = 42").await;
    assert_eq!(serials(&board.client().await, "device").await, ["SUNSET"]);
    delete("").await;
    assert_eq!(serials(&board.client().await, "device").await, [""; 0]);
    let board = board.sees_all_tenants(&database).await;
    assert_eq!(serials(&board.client().await, "device").await.len(), 4);
    let name = &board.name;
    let again =
        format!("drop role {name}; create role {name} login password '{name}' in role vitals_dashboard");
    admin.batch_execute(&again).await.expect("made again");
    assert_eq!(serials(&board.client().await, "device").await, [""; 0]);
}

#[tokio::test]
async fn bindings_of_before_stay_and_a_role_that_had_none_sees_nothing() {
    const MIGRATION: &str = include_str!("../../migrations/V26__dashboard_tenant_explicit.sql");
    const FUNCTIONS: &str = include_str!("../../sql/functions/dashboard/dashboard_tenants.sql");
    let database = fleet().await;
    let admin = database.client().await;
    let (bound, unbound) =
        (Login::of(&database, "vitals_dashboard").await, Login::of(&database, "vitals_dashboard").await);
    admin
        .batch_execute(&format!(
            "drop table vitals.dashboard_tenant;
             drop function vitals.dashboard_tenant_bound();
             create table vitals.dashboard_tenant (
                 role_name regrole not null, customer_id bigint not null,
                 constraint dashboard_tenant_pkey primary key (role_name, customer_id),
                 constraint dashboard_tenant_customer_id_check check (customer_id > 0)
             );
             insert into vitals.dashboard_tenant values ('{}', 41), (4000000000::oid, 42);
             {MIGRATION} {FUNCTIONS}",
            bound.name
        ))
        .await
        .expect("migrated");
    assert_eq!(serials(&bound.client().await, "device").await, ["SUNSET"]);
    assert_eq!(serials(&unbound.client().await, "device").await, [""; 0]);
    let rows = admin.query_one("select count(*) from vitals.dashboard_tenant", &[]).await.expect("a count");
    assert_eq!(rows.get::<_, i64>(0), 1);
}

/// A dump names roles, those that are gone by their number, which another server may have given to somebody else.
#[tokio::test]
async fn on_another_server_a_binding_counts_for_a_role_of_its_name_only() {
    let database = fleet().await;
    let admin = database.client().await;
    let (same, other) =
        (Login::of(&database, "vitals_dashboard").await, Login::of(&database, "vitals_dashboard").await);
    bind(&database, &same.name, &[41]).await;
    bind(&database, &other.name, &[41]).await;
    // As the rows come out of a dump: before there is a trigger.
    admin
        .batch_execute(&format!(
            "alter table vitals.dashboard_tenant disable trigger dashboard_tenant_bound;
             update vitals.dashboard_tenant set bound_server = bound_server + 1;
             update vitals.dashboard_tenant set bound_name = 'gone' where role_name = '{}'::regrole;
             alter table vitals.dashboard_tenant enable trigger dashboard_tenant_bound;",
            other.name
        ))
        .await
        .expect("as if restored");
    assert_eq!(serials(&same.client().await, "device").await, ["SUNSET"]);
    assert_eq!(serials(&other.client().await, "device").await, [""; 0]);
}

#[tokio::test]
async fn a_device_that_changes_hands_leaves_its_history_behind() {
    let database = fleet().await;
    let (before, after) =
        (Login::of(&database, "vitals_dashboard").await, Login::of(&database, "vitals_dashboard").await);
    bind(&database, &before.name, &[41]).await;
    bind(&database, &after.name, &[42]).await;
    let seen = "select count(*) filter (where last_ts < handed_over) as earlier,
            count(*) filter (where first_ts >= handed_over) as later,
            count(*) filter (where first_ts < handed_over and last_ts >= handed_over) as both
        from dashboard.health_daily,
            (select date_trunc('day', now(), 'Asia/Shanghai') - interval '60 hours' as handed_over) as at
        where device_sn = 'MOVED'";
    let count = async |client: &Client| {
        let row = client.query_one(seen, &[]).await.expect("a count");
        (row.get::<_, i64>(0), row.get::<_, i64>(1), row.get::<_, i64>(2))
    };
    let all = count(&database.client().await).await;
    assert!(all.0 > 0 && all.1 > 0 && all.2 == 1, "{all:?}");
    assert_eq!(count(&before.client().await).await, (all.0, 0, 0));
    assert_eq!(count(&after.client().await).await, (0, all.1, 0));
}

#[tokio::test]
async fn a_transaction_narrows_itself_and_never_widens() {
    let database = fleet().await;
    let board = Login::of(&database, "vitals_dashboard").await;
    let client = board.client().await;
    let seen_as = async |tenants: &str| {
        client.batch_execute(&format!("begin; select dashboard.use_tenant({tenants})")).await.expect("begun");
        let seen = serials(&client, "device").await;
        client.batch_execute("commit").await.expect("ended");
        seen
    };
    assert_eq!(seen_as("42").await, [""; 0]);
    bind(&database, &board.name, &[41]).await;
    assert_eq!(seen_as("42").await, [""; 0]);
    assert_eq!(seen_as("41, 42").await, ["SUNSET"]);
    bind(&database, &board.name, &[42]).await;
    assert_eq!(seen_as("42").await, ["HARBOUR", "MOVED"]);
    assert_eq!(seen_as("41").await, ["SUNSET"]);

    let role = format!("alter role {} set vitals.tenant = '42'", board.name);
    database.client().await.batch_execute(&role).await.expect("a setting of the role");
    let client = board.client().await;
    for reset in ["", "reset vitals.tenant", "set vitals.tenant = ''", "discard all"] {
        client.batch_execute(reset).await.expect("anybody's to reset");
        assert_eq!(serials(&client, "device").await, ["HARBOUR", "MOVED"], "{reset}");
    }
    client.batch_execute("begin; select dashboard.use_tenant(41)").await.expect("begun");
    assert_eq!(serials(&client, "device").await, [""; 0]);
}

#[tokio::test]
async fn a_pooled_login_is_not_left_with_the_tenant_of_another() {
    let database = fleet().await;
    let board = Login::of(&database, "vitals_dashboard").await;
    bind(&database, &board.name, &[41, 42]).await;
    let client = board.client().await;
    client.batch_execute("begin; select dashboard.use_tenant(42)").await.expect("one");
    assert_eq!(serials(&client, "device").await, ["HARBOUR", "MOVED"]);
    client.batch_execute("commit").await.expect("and back to the pool");
    assert_eq!(serials(&client, "device").await, ["HARBOUR", "MOVED", "SUNSET"]);
    // Whatever stays with the session is refused, not taken for what the next one asks for.
    client
        .batch_execute(
            "begin; select dashboard.use_tenant(42); select set_config('vitals.tenant', current_setting('vitals.tenant'), false); commit",
        )
        .await
        .expect("kept by a trick");
    client.query("select from dashboard.device", &[]).await.expect_err("refused");
    for left in ["42", "41, 42", "all", "41 or true", "{41}", "41,,42", "null"] {
        client.batch_execute(&format!("set vitals.tenant = '{left}'")).await.expect("anybody's to set");
        for view in VIEWS {
            let error =
                client.query(&format!("select from dashboard.{view}"), &[]).await.expect_err("refused");
            assert_eq!(error.code().map(|code| code.code()), Some("55000"), "{left}: {error:?}");
        }
    }
    client.batch_execute("reset vitals.tenant").await.expect("reset");
    assert_eq!(serials(&client, "device").await, ["HARBOUR", "MOVED", "SUNSET"]);
}

#[tokio::test]
async fn a_bound_dashboard_stays_bound_whatever_role_it_takes() {
    let database = fleet().await;
    let group = Login::of(&database, "vitals_dashboard").await;
    let board = Login::of(&database, &group.name).await;
    bind(&database, &group.name, &[41]).await;
    let client = board.client().await;
    // What both are bound to is seen; vitals_dashboard itself is bound nowhere.
    for (role, seen) in
        [(group.name.as_str(), &["SUNSET"][..]), ("vitals_dashboard", &[]), ("none", &["SUNSET"])]
    {
        client.batch_execute(&format!("set role {role}")).await.expect("a role it is a member of");
        assert_eq!(serials(&client, "device").await, seen, "{role}");
    }
    for sql in [
        "set role vitals_dba",
        "set role vitals_service",
        "set session authorization vitals_dashboard",
        "insert into vitals.dashboard_tenant values (current_user::regrole, 42)",
        "delete from vitals.dashboard_tenant",
        "grant vitals_dba to current_user",
        "alter role vitals_dashboard bypassrls",
    ] {
        assert_denied(&client, sql).await;
    }
    // Who takes the role of another sees what both may.
    let free = Login::of(&database, &board.name).await;
    let client = free.client().await;
    assert_eq!(serials(&client, "device").await, ["SUNSET"]);
    let admin = database.client().await;
    assert_eq!(serials(&admin, "device").await.len(), 4);
    admin.batch_execute(&format!("set role {}", board.name)).await.expect("a superuser may");
    assert_eq!(serials(&admin, "device").await, ["SUNSET"]);
}

#[tokio::test]
async fn a_role_that_is_renamed_stays_bound() {
    let database = fleet().await;
    let mut board = Login::of(&database, "vitals_dashboard").await;
    bind(&database, &board.name, &[41]).await;
    let client = board.client().await;
    let renamed = format!("{}_renamed", board.name);
    let sql = format!("alter role {} rename to {renamed}", board.name);
    database.client().await.batch_execute(&sql).await.expect("renamed");
    board.name = renamed;
    assert_eq!(serials(&client, "device").await, ["SUNSET"]);
}

#[tokio::test]
async fn a_dashboard_reads_nothing_but_its_schema() {
    let database = fleet().await;
    let board = Login::of(&database, "vitals_dashboard").await;
    let client = board.client().await;
    // Everything that holds rows, whatever schema TimescaleDB keeps it in.
    let admin = database.client().await;
    let tables = admin.query(
        "select format('%I.%I', n.nspname, c.relname)
         from pg_class c join pg_namespace n on n.oid = c.relnamespace
         where c.relkind in ('r', 'v', 'm', 'p') and (n.nspname in ('public', 'vitals')
                or c.relname ~ '^(_hyper|_materialized_hyper|_partial|_direct)')
           and not exists (select from pg_depend d where d.objid = c.oid and d.deptype = 'e')",
        &[],
    );
    let tables = tables.await.expect("tables");
    assert!(tables.len() > 60, "{}", tables.len());
    for row in tables {
        assert_denied(&client, &format!("select from {}", row.get::<_, &str>(0))).await;
    }
    for view in VIEWS {
        // Not one of them can be written through, whoever asks.
        let delete = format!("delete from dashboard.{view}");
        database.client().await.batch_execute(&delete).await.expect_err(&delete);
        assert_denied(&client, &format!("drop view dashboard.{view}")).await;
        assert_denied(&client, &format!("create or replace view dashboard.{view} as select 1 as device_sn"))
            .await;
    }
    for sql in [
        "create table dashboard.mine (device_sn text)",
        "create function public.now() returns timestamptz language sql as 'select null::timestamptz'",
        "select request_refresh(now() - interval '1 day', now())",
        "select vitals.publish_live_from()",
        "copy (select 1) to program 'true'",
    ] {
        assert_denied(&client, sql).await;
    }
}

/// What the reader brings along is run after the views have chosen, and is never run by them.
#[tokio::test]
async fn functions_and_search_paths_of_the_reader_show_nothing_more() {
    let database = fleet().await;
    let board = Login::of(&database, "vitals_dashboard").await;
    bind(&database, &board.name, &[41]).await;
    let client = board.client().await;
    client
        .batch_execute(
            "create function pg_temp.peek(text) returns boolean language plpgsql cost 0.0000001 as
                 $f$ begin raise exception 'seen %', $1; end $f$;
             create function pg_temp.current_setting(text, boolean) returns text language sql as $f$ select '42' $f$;
             create function pg_temp.dashboard_tenants(name) returns bigint[] language sql as $f$ select null::bigint[] $f$;
             create function pg_temp.bound_tenants(name) returns bigint[] language sql as $f$ select null::bigint[] $f$;
             create temporary table dashboard_tenant (role_name regrole, customer_id bigint);
             create temporary table pg_roles as select oid, 'postgres'::name as rolname from pg_catalog.pg_roles;
             create temporary table device_period as
                 select 'HARBOUR' as device_sn, 41::bigint as customer_id, tstzrange(null, null) as period;
             create operator pg_temp.= (leftarg = bigint, rightarg = bigint, function = pg_catalog.int8ne);
             set search_path = pg_temp, dashboard, pg_catalog;
             set session row_security = off;",
        )
        .await
        .expect("its own schema is its own");
    for view in VIEWS {
        let seen = serials(&client, view).await;
        assert!(!seen.contains(&"HARBOUR".to_owned()), "{view}: {seen:?}");
        let sql =
            format!("select from dashboard.{view} where device_sn = 'HARBOUR' and pg_temp.peek(device_sn)");
        let messages =
            client.simple_query(&sql).await.unwrap_or_else(|error| panic!("{view} shows {error:?}"));
        assert!(messages.iter().all(|message| !matches!(message, SimpleQueryMessage::Row(_))), "{view}");
    }
    for level in ["15m", "hourly", "daily", "weekly", "monthly"] {
        let ask = async |device: &str| {
            let sql = format!(
                "select count(*) from dashboard.device_{level}('{device}', now() - interval '40 days', now())"
            );
            client.query_one(&sql, &[]).await.expect("a count").get::<_, i64>(0)
        };
        assert_eq!(ask("HARBOUR").await, 0, "{level}");
        assert!(ask("SUNSET").await > 0, "{level}");
    }
}

#[tokio::test]
async fn the_dba_reads_everything_and_changes_policies_only() {
    let database = fleet().await;
    let dba = Login::of(&database, "vitals_dba").await;
    let client = dba.client().await;
    for sql in [
        "select * from health_data limit 1",
        "select * from vitals.ingest_batch",
        "select * from alert",
        "update policy set refresh_every = interval '1 second'",
        "insert into vitals.dashboard_tenant values (current_user::regrole, 41)",
        "delete from vitals.dashboard_tenant",
    ] {
        client.batch_execute(sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    }
    for sql in [
        "update health_data set heart_rate = 1",
        "delete from health_data",
        "truncate health_data",
        "insert into health_data (device_sn, ts) values ('X', now())",
        "update alert set status = 'resolved'",
        "update device set model = 'X'",
        "delete from rejected_upload",
        "delete from device_binding",
        "update vitals.ingest_batch set stored = 0",
        "drop table health_data",
        "alter table health_data add column x integer",
        "set role vitals_service",
    ] {
        let error = client.batch_execute(sql).await.expect_err(sql);
        assert_eq!(error.code().map(|code| code.code()), Some("42501"), "{sql}: {error:?}");
    }
}

/// A range that is known to nobody as changed is computed anew all the same, by whoever refreshes.
#[tokio::test]
async fn a_refresh_the_dba_asks_for_is_made() {
    let database = fleet().await;
    let admin = database.client().await;
    admin
        .batch_execute(
            "insert into health_data (device_sn, ts, heart_rate) values ('SUNSET', now() - interval '7 days', 99);
             delete from outbox",
        )
        .await
        .expect("nobody hears of it");
    let dba = Login::of(&database, "vitals_dba").await;
    dba.client()
        .await
        .batch_execute("select request_refresh(now() - interval '8 days', now() - interval '6 days')")
        .await
        .expect("asked");
    let asked_by: String =
        admin.query_one("select requested_by from vitals.refresh_request", &[]).await.expect("one").get(0);
    assert_eq!(asked_by, dba.name);
    let keeper: String =
        admin.query_one("select max(kept_by) from vitals.rollup", &[]).await.expect("one").get(0);
    let refresh = match keeper.as_str() {
        "vitals" => "call refresh_rollups()",
        _ => "call vitals.refresh_rollups_job(0, '{}')",
    };
    admin.batch_execute(refresh).await.expect("refreshed");
    eventually("the request is done", async || {
        let left =
            admin.query_one("select count(*) from vitals.refresh_request", &[]).await.expect("a count");
        (left.get::<_, i64>(0) == 0).then_some(())
    })
    .await;
    let row = admin
        .query_one(
            "select (select sum(samples)::bigint from health_daily), (select count(*) from health_data)",
            &[],
        )
        .await
        .expect("two counts");
    assert_eq!(row.get::<_, i64>(0), row.get::<_, i64>(1));
}

/// The whole way of an upload, of events, alerts and configurations, and the refresh of the rollups, as the role.
#[tokio::test]
async fn the_service_works_with_its_role_alone() {
    let database = Database::new().await;
    let login = Login::of(&database, "vitals_service").await;
    let admin = database.client().await;
    admin.batch_execute("update policy set refresh_every = interval '1 second'").await.expect("impatient");
    let url = login.url().to_owned();
    let service = Service::start_with(&database, |settings| settings.database_url = url).await;
    let sample = |minute: u32, rate: u32| {
        json!({ "data": { "deviceSn": "CRFTQ23409001890", "heart_rate": rate, "timestamp": format!("2026-01-05 08:{minute:02}:00"),
            "sleepData": "{\"code\":0,\"data\":[{\"endTimeStamp\":1767567600000,\"startTimeStamp\":1767553200000,\"type\":2}]}" } })
    };
    assert_eq!(service.upload(&sample(0, 70)).await, (1, 0, 0));
    assert_eq!(service.upload(&sample(0, 70)).await, (0, 1, 0));
    assert_eq!(service.upload(&sample(1, 200)).await, (1, 0, 0));
    assert_eq!(service.upload(&json!({ "data": { "deviceSn": "", "heart_rate": 7 } })).await, (0, 0, 1));
    let event = json!({ "deviceSn": "CRFTQ23409001890", "eventType": "a.b.SOS_EVENT" });
    assert_eq!(service.post("/upload_common_event", event.to_string()).await.status, 200);
    let info = json!({ "SerialNumber": "CRFTQ23409001890", "batteryLevel": "55" });
    assert_eq!(service.post("/upload_device_info", info.to_string()).await.status, 200);
    let config = "/fetch_health_data_config?customer_id=0&deviceSn=CRFTQ23409001890";
    assert_eq!(service.get(config).await.status, 200);
    service.drained().await;
    let alerts = service.get("/api/alerts").await;
    let id = alerts.body["alerts"][0]["alert_id"].as_str().expect("an alert").to_owned();
    let act = json!({ "actor": "Ann" });
    let acknowledged = service.send("POST", &format!("/api/alerts/{id}/acknowledge"), Some(&act)).await;
    assert_eq!(acknowledged.status, 200, "{acknowledged:?}");
    eventually("the rollups were refreshed", async || {
        let sql = "select count(*) from vitals.rollup where refreshed_at is not null";
        (admin.query_one(sql, &[]).await.expect("a count").get::<_, i64>(0) == 5).then_some(())
    })
    .await;
    service.finish().await;
    let check = command(&database, &["check"]).env("VITALS_DATABASE_URL", login.url()).output().await;
    let said = String::from_utf8(check.expect("it can be run").stdout).expect("text");
    assert!(said.contains("ok    erasures: the role may not see"), "{said}");
    assert!(!said.contains("permission denied"), "{said}");

    let client = login.client().await;
    for sql in [
        "delete from health_data",
        "truncate health_data",
        "drop table health_data",
        "create table mine (x integer)",
        "update device_binding set user_id = 1",
        "update policy set keep_for = interval '1 day'",
        "delete from vitals.ingest_batch",
        "delete from rejected_upload",
        "delete from alert",
        "insert into vitals.dashboard_tenant values (current_user::regrole, 1)",
        "set role vitals_dba",
    ] {
        assert_denied(&client, sql).await;
    }
}

/// What a role was given by hand is taken back; what it is meant to have is there again.
#[tokio::test]
async fn applying_the_roles_again_restores_them() {
    let database = fleet().await;
    let board = Login::of(&database, "vitals_dashboard").await;
    let admin = database.client().await;
    admin.batch_execute("grant select on health_data to vitals_dashboard; revoke select on dashboard.device from vitals_dashboard")
        .await
        .expect("granted");
    let client = board.client().await;
    client.batch_execute("select * from health_data").await.expect("granted by hand");
    assert_denied(&client, "select * from dashboard.device").await;
    let _again = Login::of(&database, "vitals_dashboard").await;
    assert_denied(&client, "select * from health_data").await;
    client.batch_execute("select * from dashboard.device").await.expect("there again");
}

/// The steps run as the owner of the tables; what they may do is what policy says.
#[tokio::test]
async fn the_service_and_the_dba_enforce_policy_and_nobody_else_does() {
    const OLD: &str = "select count(*) from health_data where ts < now() - interval '30 days'";
    let database = fleet().await;
    let admin = database.client().await;
    let old = async || admin.query_one(OLD, &[]).await.expect("a count").get::<_, i64>(0);
    for role in ["vitals_service", "vitals_dba"] {
        for sql in [
            "update policy set keep_for = '3 years' where relation = 'health_data'",
            "insert into health_data (device_sn, ts, heart_rate)
             select 'SUNSET', now() - interval '100 days' - n * interval '1 hour', 70 from generate_series(1, 50) n",
            "delete from outbox",
            "call refresh_rollups(now() - interval '110 days', now())",
            "update policy set keep_for = '60 days' where relation = 'health_data'",
        ] {
            admin.batch_execute(sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
        }
        assert_eq!(old().await, 50);
        let login = Login::of(&database, role).await;
        login
            .client()
            .await
            .batch_execute("call apply_policies()")
            .await
            .unwrap_or_else(|error| panic!("{role}: {error:?}"));
        assert_eq!(old().await, 0, "{role}");
    }
    let board = Login::of(&database, "vitals_dashboard").await;
    for sql in [
        "select vitals.drop_oldest_chunk('health_data')",
        "select vitals.delete_old_rows('workout', 1)",
        "select vitals.compress_oldest_chunk('health_data')",
        "select vitals.record_policy_run('workout', 0, 0, 0, null)",
    ] {
        assert_denied(&board.client().await, sql).await;
    }
}

/// Every table is somebody's matter: a new one that the service cannot use, or a DBA cannot read, is noticed here.
#[tokio::test]
async fn every_table_is_named_for_the_service_or_known_to_be_none_of_its_business() {
    // Work of the owner: reading who looked at whose data, erasures, histories that are loaded, dashboards' tenants, moved devices.
    const NOT_FOR_THE_SERVICE: [&str; 5] = [
        "public.access_log",
        "public.erasure",
        "vitals.backfill",
        "vitals.dashboard_tenant",
        "vitals.sent_device",
    ];
    // Hashes of passwords, and secrets from which the key of any device follows.
    const NOT_FOR_A_DBA: [&str; 3] =
        ["vitals.account_password", "vitals.accepted_device_key_secret", "vitals.device_key_secret"];
    let database = Database::new().await;
    let _login = Login::of(&database, "vitals_service").await;
    let admin = database.client().await;
    let rows = admin
        .query(
            "select n.nspname || '.' || c.relname,
                 has_table_privilege('vitals_service', c.oid, 'select') or has_any_column_privilege('vitals_service', c.oid, 'select'),
                 has_table_privilege('vitals_dba', c.oid, 'select')
             from pg_class c join pg_namespace n on n.oid = c.relnamespace
             where n.nspname in ('public', 'vitals') and c.relkind in ('r', 'p', 'v', 'm')
               and not exists (select from pg_depend d where d.objid = c.oid and d.deptype = 'e')
             order by 1",
            &[],
        )
        .await
        .expect("tables");
    assert!(rows.len() > 40, "{}", rows.len());
    let mut unnamed = Vec::new();
    for row in rows {
        let (table, service, dba): (String, bool, bool) = (row.get(0), row.get(1), row.get(2));
        let is_readable = !NOT_FOR_A_DBA.contains(&table.as_str());
        assert_eq!(dba, is_readable, "whether {table} is readable by vitals_dba");
        if !service {
            unnamed.push(table);
        }
    }
    assert_eq!(unnamed, NOT_FOR_THE_SERVICE);
}
