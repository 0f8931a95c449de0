//! Every metric, whichever it is, from upload to rollup, Redis and rule; and how one is added to a database with data.

use std::path::Path;

use redis::AsyncCommands;
use refinery::Migration;
use serde_json::{Value, json};
use tokio_postgres::Client;
use vitals::metric::{Kind, Metric};
use vitals::store::migrate;
use vitals::store::rollups::{self, Edition};

use crate::harness::{Database, Service, eventually};

const LEVELS: [&str; 5] = ["health_15m", "health_hourly", "health_daily", "health_weekly", "health_monthly"];

/// A whole number in the range of the metric, not zero.
fn some_value(metric: Metric) -> i32 {
    metric.range().end() / 2
}

async fn run(client: &Client, sql: &str) {
    client.batch_execute(sql).await.unwrap_or_else(|error| panic!("{error:?}: {sql}"));
}

async fn number(client: &Client, sql: &str) -> Option<f64> {
    client.query_one(sql, &[]).await.unwrap_or_else(|error| panic!("{error:?}: {sql}")).get(0)
}

#[tokio::test]
async fn every_metric_goes_by_each_of_its_names_from_upload_to_table_redis_rollup_and_rule() {
    let database = Database::new().await;
    let client = database.client().await;
    for metric in Metric::ALL.into_iter().filter(|metric| metric.kind() == Kind::VitalSign) {
        let sql = format!(
            "insert into alert_rule (name, kind, severity, metric, max_value)
             values ('{0}', 'threshold', 'major', '{0}', {1} - 1)",
            metric.column(),
            some_value(metric)
        );
        run(&client, &sql).await;
    }
    let service = Service::start(&database).await;
    let serial = |metric: Metric, name: &str| format!("{}-{name}-{}", database.name(), metric as u8);
    let named = || Metric::ALL.into_iter().flat_map(|metric| metric.names().map(move |name| (metric, name)));
    let items: Vec<Value> = named()
        .map(|(metric, name)| json!({ "deviceSn": serial(metric, name), name: some_value(metric).to_string() }))
        .collect();
    let sent = items.len() as u64;
    assert_eq!(service.upload(&json!({ "data": items })).await, (sent, 0, 0));
    let mut redis = database.redis().await;
    for (metric, name) in named() {
        let serial = serial(metric, name);
        let column = metric.column();
        let expected = Some(f64::from(some_value(metric)));
        let stored = format!("select {column}::float8 from health_data where device_sn = '{serial}'");
        assert_eq!(number(&client, &stored).await, expected, "{name}");
        let key = format!("health_data:{serial}");
        eventually(&format!("{name} is in Redis"), || {
            let (mut redis, key) = (redis.clone(), key.clone());
            async move { redis.exists::<_, bool>(key).await.ok()?.then_some(()) }
        })
        .await;
        let shown: Option<f64> = redis.hget(&key, metric.definition().redis_field).await.expect("a number");
        assert_eq!(shown, expected, "{name}");
        let part = match metric.kind() {
            Kind::VitalSign => "avg",
            Kind::DayTotal => "max",
            Kind::Position => continue,
        };
        for level in LEVELS {
            let rolled_up =
                format!("select {column}_{part}::float8 from {level} where device_sn = '{serial}'");
            assert_eq!(number(&client, &rolled_up).await, expected, "{name} in {level}");
        }
        if metric.kind() == Kind::VitalSign {
            let alerts = format!(
                "select count(*)::float8 from alert where device_sn = '{serial}' and metric = '{column}'"
            );
            eventually(&format!("{name} raises its alert"), || async {
                (number(&client, &alerts).await? > 0.0).then_some(())
            })
            .await;
        }
    }
    service.finish().await;
}

/// The text of a file of the repository.
fn text(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).expect("text")
}

/// The migrations up to a version, in order.
fn migrations(version: i32) -> Vec<Migration> {
    let folder =
        std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations")).expect("a folder");
    let mut found: Vec<Migration> = folder
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .filter_map(|file| Some((file.strip_suffix(".sql")?.to_owned(), text(&format!("migrations/{file}")))))
        .map(|(name, text)| Migration::unapplied(&name, &text).expect("a migration"))
        .filter(|migration| migration.version() <= version)
        .collect();
    found.sort();
    found
}

/// The metrics that later migrations than `version` added.
fn later_than(version: i32) -> impl Iterator<Item = Metric> {
    Metric::ALL.into_iter().filter(move |metric| metric.definition().since > version)
}

/// A text without the lines that name any of these metrics.
fn without(text: &str, metrics: impl Iterator<Item = Metric>) -> String {
    let columns: Vec<&str> = metrics.map(Metric::column).collect();
    let kept: Vec<&str> =
        text.lines().filter(|line| !columns.iter().any(|column| line.contains(column))).collect();
    kept.join("\n")
}

/// A text of today without the table that names the cell (V58).
fn before_cells(text: &str) -> String {
    text.replace("(select c.name from vitals.cell as c)", "null::text")
}

/// Makes the schema as it was at a version before 58, with the rollups and the views that show them.
pub(crate) async fn make_as_of(client: &Client, version: i32) {
    run(
        client,
        "set search_path = public;
         create table refinery_schema_history (
             version int4 primary key, name varchar(255), applied_on varchar(255), checksum varchar(255))",
    )
    .await;
    for migration in migrations(version) {
        run(client, migration.sql().expect("a text")).await;
        client
            .execute(
                "insert into refinery_schema_history values ($1, $2, now()::text, $3)",
                &[&migration.version(), &migration.name(), &migration.checksum().to_string()],
            )
            .await
            .expect("recorded");
    }
    run(
        client,
        "create function vitals.foreign_functions() returns table (name text, owner name)
         language sql stable as $$ select null::text, null::name where false $$",
    )
    .await;
    // The functions of today do for that version what the rollups need of them.
    run(client, "set check_function_bodies = off").await;
    let listed = text("src/store/functions.rs");
    let listed = listed.split("function!(\"").skip(1).filter_map(|rest| rest.split_once("\")"));
    let needed = [
        "schema/",
        "rollups/",
        "policy/",
        "erasure/erase_rollups",
        "dashboard/dashboard_tenants",
        "dashboard/dashboard_rollups",
    ];
    for (function, _) in listed.filter(|(name, _)| needed.iter().any(|needed| name.starts_with(needed))) {
        run(client, &before_cells(&text(&format!("sql/functions/{function}.sql")))).await;
    }
    // Names that later migrations give are still free.
    for later in migrations(i32::MAX).into_iter().filter(|migration| migration.version() > version) {
        let sql = later.sql().expect("a text");
        for line in sql.lines().filter(|line| line.starts_with("alter function vitals.")) {
            if let Some((_, name)) = line.trim_end_matches(';').split_once(" rename to ") {
                run(client, &format!("drop function if exists vitals.{name}")).await;
            }
        }
    }
    let views = text("sql/functions/dashboard/dashboard_views.sql");
    let at = views.find("create or replace view dashboard.latest").expect("the view");
    let latest = views[at..].split(';').next().expect("a statement");
    let latest: Vec<&str> = latest.lines().filter(|line| !line.contains("vitals.cell")).collect();
    run(client, &without(&latest.join("\n"), later_than(version))).await;
    for (position, (name, source, width, zone, chunk)) in (1_i16..).zip([
        ("health_15m", "health_data", "15 minutes", "UTC", "1 day"),
        ("health_hourly", "health_15m", "1 hour", "UTC", "7 days"),
        ("health_daily", "health_15m", "1 day", "Asia/Shanghai", "28 days"),
        ("health_weekly", "health_daily", "7 days", "Asia/Shanghai", "364 days"),
        ("health_monthly", "health_daily", "1 month", "Asia/Shanghai", "1820 days"),
    ]) {
        let text = text(&format!("sql/rollups/{name}.sql"));
        let lines: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with("--")).collect();
        let definition = without(&lines.join("\n"), later_than(version))
            .replace(",\nfrom", "\nfrom")
            .replace(":'time_zone'", &format!("'{zone}'"));
        client
            .execute(
                "select vitals.create_rollup($1, $2, $3, $4::text::interval, $5, $6::text::interval, $7)",
                &[&name, &position, &source, &width, &zone, &chunk, &definition],
            )
            .await
            .unwrap_or_else(|error| panic!("{error:?}: {definition}"));
    }
    run(
        client,
        "select vitals.watch_changes_by_hand(), vitals.add_rollup_keys(), vitals.comment_rollups(), vitals.sync_policies();
         select vitals.create_dashboard_rollups()",
    )
    .await;
}

async fn refresh(client: &Client) {
    run(client, "delete from outbox").await;
    run(client, "call refresh_rollups()").await;
}

/// The rows of every rollup, without the columns of these metrics.
async fn rows(client: &Client, without: &[String]) -> Vec<String> {
    let mut found = Vec::new();
    for level in LEVELS {
        let sql = format!(
            "select '{level} ' || (to_jsonb(r) - $1::text[])::text from public.{level} as r order by device_sn, bucket"
        );
        let rows = client.query(&sql, &[&without]).await.expect("rows");
        found.extend(rows.iter().map(|row| row.get::<_, String>(0)));
    }
    found
}

/// Buckets of `level` whose blood glucose was computed and that differ from what their SELECT gives now.
async fn wrong_buckets(client: &Client, level: &str) -> i64 {
    let definition: String = client
        .query_one("select definition from vitals.rollup where name = $1", &[&level])
        .await
        .expect("a rollup")
        .get(0);
    let sql = format!(
        "with found as (select * from public.{level} where blood_glucose_count is not null),
             wanted as (
                 select w.* from ({definition}) as w
                 where exists (select from found as f where f.device_sn = w.device_sn and f.bucket = w.bucket)
             )
         select count(*) from ((table found except all table wanted) union all (table wanted except all table found)) as x"
    );
    client.query_one(&sql, &[]).await.expect("a comparison").get(0)
}

/// Computes ten materialised days of `level` again from the rollup below it.
async fn recompute(client: &Client, level: &str) {
    let sql = format!(
        "select vitals.recompute_rollup(r, date_trunc('day', now() - interval '60 days'), date_trunc('day', now() - interval '50 days'))
         from vitals.rollup as r where name = '{level}'"
    );
    run(client, &sql).await;
}

#[tokio::test]
async fn vital_signs_are_added_to_a_database_with_data_and_its_history_stays() {
    let database = Database::empty("Asia/Shanghai").await;
    let client = database.client().await;
    make_as_of(&client, 40).await;
    run(
        &client,
        "insert into health_data (device_sn, ts, heart_rate, temperature, step)
         select 'D' || d, at + d * interval '1 minute', 60 + d, 36.5, 100 * d
         from generate_series(1, 5) as d,
             generate_series(now() - interval '70 days', now(), interval '3 hours') as at;
         select vitals.mark_range(now() - interval '71 days', now())",
    )
    .await;
    refresh(&client).await;
    let is_community = rollups::edition(&client).await.expect("an edition") == Edition::Community;
    if is_community {
        // Some of it is in the columnstore.
        run(
            &client,
            "update policy set compress_after = interval '20 days' where relation in ('health_data', 'health_15m', 'health_daily')",
        )
        .await;
        run(&client, "call apply_policies()").await;
        let compressed = "select count(*)::float8 from timescaledb_information.chunks where is_compressed";
        assert!(number(&client, compressed).await > Some(0.0));
    }
    let before = rows(&client, &[]).await;
    assert!(before.len() > 500);

    let migrated = migrate::run(&database.settings()).await.expect("migrates");
    assert!(migrated.applied.iter().any(|name| name == "V41__more_vital_signs"), "{:?}", migrated.applied);

    let added: Vec<String> = later_than(40)
        .flat_map(|metric| {
            ["min", "max", "sum", "count", "avg"].map(|part| format!("{}_{part}", metric.column()))
        })
        .collect();
    assert_eq!(rows(&client, &added).await, before, "history stays as it is");
    for level in LEVELS {
        for column in &added {
            let known = format!(
                "select count({column})::float8 from {level}
                 where bucket < (select vitals.rollup_watermark(r) from vitals.rollup as r where name = '{level}')"
            );
            assert_eq!(number(&client, &known).await, Some(0.0), "{column} of {level}");
            run(&client, &format!("select {column} from dashboard.{level} limit 1")).await;
        }
    }
    let migrated_rows = rows(&client, &[]).await;
    recompute(&client, "health_hourly").await;
    assert_eq!(rows(&client, &[]).await, migrated_rows, "what quarter hours do not know, hours do not know");
    run(&client, "select respiratory_rate, skin_temperature from dashboard.latest").await;
    run(&client, "select blood_glucose_avg from health_by_day('D1', 'UTC', current_date - 5, current_date)")
        .await;

    // Late rows, of long ago and of today, show in every rollup; a second migrate finds nothing to do.
    run(
        &client,
        "insert into health_data (device_sn, ts, heart_rate, respiratory_rate, heart_rate_variability, blood_glucose, skin_temperature)
         select 'D1', now() - age, 70, 14.5, 42.25, 5.6, 33.10
         from unnest(array['60 days', '30 days', '2 days', '1 minute']::interval[]) as age;
         insert into health_data (device_sn, ts, heart_rate) values ('D2', now() - interval '30 days', 71);
         select vitals.mark_range(ts, ts + interval '1 second') from health_data where heart_rate in (70, 71)",
    )
    .await;
    refresh(&client).await;
    for level in LEVELS {
        assert_eq!(wrong_buckets(&client, level).await, 0, "{level}");
        let no_reading = format!("select count(*)::float8 from {level} where blood_glucose_count = 0");
        assert!(number(&client, &no_reading).await > Some(0.0), "{level}");
        let glucose = format!("select sum(blood_glucose_sum)::float8 from {level}");
        let sum = number(&client, &glucose).await.expect("a sum");
        assert!((sum - 4.0 * 5.6).abs() < 1e-9, "{level}: {sum}");
    }
    let again = migrate::run(&database.settings()).await.expect("migrates again");
    assert_eq!(again.applied, Vec::<String>::new());
    assert!(!again.applied_functions);
}
