//! The schema as a contract: functions, views and grants are those of the program and as it applied them, or it says so; they
//! change with the tables in one transaction that waits for nobody for long.

use vitals::app;
use vitals::store::migrate;

use crate::harness::{Database, Login, vitals};

/// What the database holds besides what PostgreSQL and TimescaleDB bring.
const THINGS: &str = "select count(*) from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname in ('public', 'vitals', 'dashboard')
        and not exists (select from pg_depend d where d.objid = c.oid and d.deptype = 'e')";

async fn count(database: &Database, sql: &str) -> i64 {
    database.client().await.query_one(sql, &[]).await.expect("a count").get(0)
}

async fn run(database: &Database, sql: &str) {
    database.client().await.batch_execute(sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
}

/// Why the service does not start.
async fn refusal(database: &Database) -> String {
    let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder().handle();
    match app::Service::start(database.settings(), recorder).await {
        Ok(_) => panic!("it serves"),
        Err(error) => format!("{error:#}"),
    }
}

/// The lines of `vitals check` that find something bad.
async fn bad(database: &Database) -> Vec<String> {
    let said = vitals(database, &["check"]).await;
    said.out.lines().filter(|line| line.starts_with("BAD")).map(str::to_owned).collect()
}

#[tokio::test]
async fn a_function_that_was_changed_by_hand_is_told_of_and_mended() {
    let database = Database::new().await;
    assert_eq!(bad(&database).await, [""; 0]);
    run(
        &database,
        "create or replace function vitals.narrowed_tenants(one bigint[], other bigint[]) returns bigint[]
             language sql as 'select null::bigint[]';
         create or replace view dashboard.clock as
             select r.time_zone, now() as today, now() as yesterday, 'main' as cell from vitals.rollup as r where r.name = 'health_daily';
         drop function public.request_refresh(timestamptz, timestamptz)",
    )
    .await;
    let mut told = bad(&database).await;
    // A function takes its grants with it, where roles were applied.
    told.retain(|line| !line.contains("grant vitals_dba on function"));
    assert_eq!(told.len(), 3, "{told:?}");
    for (line, what) in told.iter().zip([
        "function request_refresh(timestamp with time zone,timestamp with time zone) (missing)",
        "function vitals.narrowed_tenants(bigint[],bigint[]) (changed)",
        "view dashboard.clock (changed)",
    ]) {
        assert!(line.contains(what.trim_start_matches("function request")), "{line}: {what}");
    }
    let again = migrate::run(&database.settings()).await.expect("migrates");
    assert!(again.applied_functions && again.applied.is_empty(), "{again:?}");
    assert_eq!(bad(&database).await, [""; 0]);
    assert!(!migrate::run(&database.settings()).await.expect("migrates").applied_functions);
}

/// What a migration made, no migrate makes again: it must not be taken for right because one ran.
#[tokio::test]
async fn a_view_of_a_migration_that_was_changed_by_hand_stays_told_of() {
    let database = Database::new().await;
    run(
        &database,
        "create or replace view vitals.device_period as
        select device_sn, user_id, org_id, customer_id, tstzrange(null, null) as period from device",
    )
    .await;
    for _ in 0..2 {
        let told = bad(&database).await;
        assert!(told.len() == 1 && told[0].contains("view vitals.device_period (changed)"), "{told:?}");
        migrate::run(&database.settings()).await.expect("migrates");
    }
}

#[tokio::test]
async fn a_grant_that_was_given_or_taken_by_hand_is_told_of_and_mended() {
    let database = Database::new().await;
    let _login = Login::of(&database, "vitals_dashboard").await;
    assert_eq!(bad(&database).await, [""; 0]);
    run(
        &database,
        "grant select on health_data to vitals_dashboard;
         revoke insert on health_data from vitals_service;
         grant execute on function vitals.drop_oldest_chunk(text) to public",
    )
    .await;
    let told = bad(&database).await.join("\n");
    for what in [
        "grant vitals_dashboard on table public.health_data (added: SELECT)",
        "grant vitals_service on table public.health_data (SELECT, UPDATE instead of INSERT, SELECT, UPDATE)",
        "grant public on function vitals.drop_oldest_chunk(text) (added: EXECUTE)",
    ] {
        assert!(told.contains(what), "{what}: {told}");
    }
    migrate::run(&database.settings()).await.expect("migrates");
    assert_eq!(bad(&database).await, [""; 0]);
}

/// Roles are of the server: that another database has them opens nothing here.
#[tokio::test]
async fn a_migrate_gives_rights_only_to_roles_that_were_applied_here() {
    let (database, other) = (Database::new().await, Database::new().await);
    let _login = Login::of(&other, "vitals_service").await;
    run(&database, "update vitals.schema_state set program_hash = ''").await;
    migrate::run(&database.settings()).await.expect("migrates");
    let granted = "select count(*) from vitals.schema_objects()
        where kind = 'grant' and name ~ '^vitals_(service|dashboard|dba) '";
    if std::env::var_os("TEST_SERVICE_ROLE").is_none() {
        assert_eq!(count(&database, granted).await, 0);
    }
    assert!(count(&other, granted).await > 100);
}

#[tokio::test]
async fn a_program_whose_functions_are_others_does_not_serve_until_it_has_migrated() {
    let database = Database::new().await;
    run(&database, "update vitals.schema_state set program_hash = 'of another program'").await;
    let refusal = refusal(&database).await;
    assert!(refusal.contains("functions") && refusal.contains("run `vitals migrate`"), "{refusal}");
    let told = bad(&database).await;
    assert!(told.len() == 1 && told[0].contains("run `vitals migrate`"), "{told:?}");
    assert!(migrate::run(&database.settings()).await.expect("migrates").applied_functions);
    let service = crate::harness::Service::start(&database).await;
    service.finish().await;
}

/// The last step fails: midnight comes twice there, so rollups cannot be cut.
#[tokio::test]
async fn a_migrate_that_fails_leaves_the_database_as_it_was() {
    let database = Database::empty("Atlantic/Azores").await;
    let before = count(&database, THINGS).await;
    let error = migrate::run(&database.settings()).await.expect_err("refused").to_string();
    assert!(error.contains("midnight"), "{error}");
    assert_eq!(count(&database, THINGS).await, before);
    assert_eq!(
        count(&database, "select count(*) from pg_namespace where nspname in ('vitals', 'dashboard')").await,
        0
    );
}

#[tokio::test]
async fn a_lock_that_somebody_holds_is_waited_for_briefly_and_the_holder_is_named() {
    let database = Database::new().await;
    run(&database, "update vitals.schema_state set program_hash = 'of another program'").await;
    let reader = database.client().await;
    reader
        .batch_execute("set application_name = 'a long report'; begin; select from dashboard.device")
        .await
        .expect("read");
    let mut settings = database.settings();
    settings.migrate_lock_timeout_ms = 50;
    let error = migrate::run(&settings).await.expect_err("in the way").to_string();
    assert!(error.contains("a long report") && error.contains("nothing was changed"), "{error}");
    assert_eq!(
        count(
            &database,
            "select count(*) from vitals.schema_state where program_hash = 'of another program'"
        )
        .await,
        1
    );
    // Nobody waits behind it any more.
    database.client().await.query("select from dashboard.device", &[]).await.expect("not locked");
    reader.batch_execute("commit").await.expect("ended");
    migrate::run(&settings).await.expect("migrates");
    // What is as it should be takes no lock of a reader.
    reader.batch_execute("begin; select from dashboard.device").await.expect("read");
    migrate::run(&settings).await.expect("nothing is in the way");
}

/// What is not named there would be changed without a word.
#[tokio::test]
async fn the_contract_knows_every_function_and_view_in_schema_public() {
    let database = Database::new().await;
    let unknown = database
        .client()
        .await
        .query(
            "select p.oid::regprocedure::text from pg_proc p
             where p.pronamespace = 'public'::regnamespace
                 and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')
                 and not exists (select from vitals.schema_object o where o.kind = 'function'
                     and o.name in (p.oid::regprocedure::text, 'public.' || p.oid::regprocedure::text))
             union all
             select c.relname from pg_class c
             where c.relnamespace = 'public'::regnamespace and c.relkind = 'v'
                 and not exists (select from pg_depend d where d.objid = c.oid and d.deptype = 'e')
                 and not exists (select from vitals.schema_object o where o.kind = 'view' and o.name = 'public.' || c.relname)",
            &[],
        )
        .await
        .expect("names");
    let unknown: Vec<&str> = unknown.iter().map(|row| row.get(0)).collect();
    assert_eq!(unknown, [""; 0]);
}
