//! Moving to another server as docker/README.md says, word for word: a dump, restored on another server (where the stack can bring up one, else into another
//! database), serves as before.

use std::path::PathBuf;

use serde_json::json;

use crate::harness::{
    Database, DisposableServers, Login, Service, add_program, commands_below, run_commands, vitals,
};

const MANUAL: &str = include_str!("../../docker/README.md");
const STACK: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docker/stack");

/// Two devices with twenty days of rows, rolled up, one of them bound; the older rows were dropped and are in the rollups alone.
const LIVED_IN: &str = "
    insert into org_unit (org_id, name) values (41, 'Sunset');
    insert into app_user (user_id, org_id, name) values (1, 41, 'Ann');
    select bind_device('BOUND', 1, now() - interval '30 days');
    insert into device (device_sn) values ('BOUND'), ('FREE');
    insert into health_data (device_sn, ts, heart_rate, step)
    select device_sn, at, 70, 100 from device, generate_series(now() - interval '20 days', now(), interval '30 minutes') as at;
    select vitals.mark_rollups(array_agg(batch_id), '-infinity', 'infinity') from outbox;
    delete from outbox;";

const SUMS: &str =
    "select format('%s %s %s', (select count(*) from health_data), (select sum(samples) from health_daily),
    (select sum(heart_rate_sum) from health_monthly))";

/// A folder with the programs of the section, each of which means the server of a database.
fn programs(database: &Database, is_private: bool, victims: bool) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("{}_programs", database.name()));
    let settings = database.settings();
    let variables = if victims {
        let named = DisposableServers::environment().map(|(name, value)| format!("export {name}={value}\n"));
        format!("unset VITALS_DATABASE_URL VITALS_REDIS_URL\n{}", named.concat())
    } else {
        String::new()
    };
    for name in ["pg_dump", "pg_dumpall", "pg_restore", "createdb", "psql"] {
        let script = if name == "psql" && !is_private {
            let url = settings.database_url.rsplit_once('/').expect("a URL").0;
            format!("PATH=${{PATH#*:}} database=$1; shift; exec psql -X -d \"{url}/$database\" \"$@\"")
        } else {
            format!("{variables}exec '{STACK}' {name} \"$@\"")
        };
        add_program(&folder, name, &script);
    }
    let (url, redis) = (settings.database_url, settings.redis_url);
    let ours = env!("CARGO_BIN_EXE_vitals");
    let script =
        format!("export VITALS_DATABASE_URL='{url}' VITALS_REDIS_URL='{redis}'\nexec '{ours}' \"$@\"");
    add_program(&folder, "vitals", &script);
    folder
}

#[tokio::test]
async fn a_dump_that_is_restored_as_the_manual_says_serves_as_before() {
    let victims = DisposableServers::bring_up().await;
    let (old, new) = (Database::new().await, Database::not_created(victims.as_ref()));
    let admin = old.client().await;
    admin.batch_execute(LIVED_IN).await.expect("lived in");
    admin.batch_execute("call refresh_rollups(now() - interval '21 days', now())").await.expect("refreshed");
    admin.batch_execute("select drop_chunks('health_data', interval '12 days')").await.expect("dropped");
    let board = Login::of(&old, "vitals_dashboard").await;
    let bind = format!("insert into vitals.dashboard_tenant values ('{}', 41)", board.name);
    admin.batch_execute(&bind).await.expect("bound");
    let sums: String = admin.query_one(SUMS, &[]).await.expect("sums").get(0);

    let folder = std::env::temp_dir().join(format!("{}_dump", old.name()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let [dump, restore]: [String; 2] = commands_below(MANUAL, "## Back up and restore");
    let is_private = victims.is_some();
    // Not VITALS_…: `docker/stack` takes a server that is named so for a given one, and `vitals` refuses what it does not know.
    let dump = dump.replace("VITALS_DATABASE_URL", "OLD_DATABASE_URL");
    let of_old = [("OLD_DATABASE_URL", old.url())];
    run_commands(&dump, &folder, &programs(&old, is_private, false), &of_old).await;
    let mut restore = restore
        .replace("createdb vitals", &format!("createdb {}", new.name()))
        .replace("psql vitals", &format!("psql {}", new.name()))
        .replace("-d vitals", &format!("-d {}", new.name()));
    if !is_private {
        restore = restore.replace("psql postgres < roles.sql", "");
    }
    run_commands(&restore, &folder, &programs(&new, is_private, is_private), &[]).await;

    let moved = new.client().await;
    assert_eq!(moved.query_one(SUMS, &[]).await.expect("sums").get::<_, String>(0), sums);
    let board = board.on(&new);
    let seen = board.client().await.query("select device_sn from dashboard.device", &[]).await.expect("seen");
    assert_eq!(seen.iter().map(|row| row.get(0)).collect::<Vec<&str>>(), ["BOUND"]);
    // An upload, a reaction, a refresh; what is older than the raw rows stays.
    let service = Service::start(&new).await;
    assert_eq!(
        service.upload(&json!({ "data": { "deviceSn": "BOUND", "heart_rate": 71 } })).await,
        (1, 0, 0)
    );
    service.drained().await;
    service.finish().await;
    moved
        .batch_execute("call refresh_rollups(now() - interval '30 days', now() + interval '1 day')")
        .await
        .expect("refreshed");
    let samples = "select (select sum(samples)::bigint from health_daily)";
    let (before, after): (i64, i64) = (
        admin.query_one(samples, &[]).await.expect("a sum").get(0),
        moved.query_one(samples, &[]).await.expect("a sum").get(0),
    );
    assert_eq!(after, before + 1);
    let check = vitals(&new, &["check"]).await;
    assert_eq!(check.code, 0, "{}", check.out);
    std::fs::remove_dir_all(&folder).expect("removed");
}
