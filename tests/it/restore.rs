//! Moving to another server as docker/README.md says, word for word: a dump, restored on another server (where the stack can bring up one, else into another
//! database), serves as before.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::json;
use tokio::process::Command;

use crate::harness::{Database, DisposableServers, Login, Service, vitals};

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

/// The commands of the section: on the old server, on the new one.
fn commands() -> [String; 2] {
    let section = MANUAL.split("## Back up and restore\n").nth(1).expect("a section");
    let mut blocks =
        section.split("```sh\n").skip(1).map(|block| block.split("```").next().expect("an end").to_owned());
    [blocks.next().expect("on the old server"), blocks.next().expect("on the new one")]
}

/// A folder with the programs of the section, each of which means the server of a database.
fn programs(database: &Database, is_private: bool, victims: bool) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("{}_programs", database.name()));
    std::fs::create_dir_all(&folder).expect("a folder");
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
        write_script(&folder.join(name), &script);
    }
    let (url, redis) = (settings.database_url, settings.redis_url);
    let ours = env!("CARGO_BIN_EXE_vitals");
    let script =
        format!("export VITALS_DATABASE_URL='{url}' VITALS_REDIS_URL='{redis}'\nexec '{ours}' \"$@\"");
    write_script(&folder.join("vitals"), &script);
    folder
}

fn write_script(file: &Path, script: &str) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::write(file, format!("#!/bin/bash\n{script}\n")).expect("written");
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o755)).expect("made a program");
}

/// Runs commands as a shell does, in a folder, until one fails.
async fn run(commands: &str, programs: &Path, folder: &Path, url: &str) {
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").expect("a path"));
    let output = Command::new("bash")
        .args(["-e", "-o", "pipefail", "-c", commands])
        .current_dir(folder)
        .env("PATH", path)
        .env("OLD_DATABASE_URL", url)
        .stdin(Stdio::null())
        .output()
        .await
        .expect("bash");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{commands}\n{}\n{}", text(&output.stdout), text(&output.stderr));
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
    let [dump, restore] = commands();
    let is_private = victims.is_some();
    // Not VITALS_…: `docker/stack` takes a server that is named so for a given one, and `vitals` refuses what it does not know.
    let dump = dump.replace("VITALS_DATABASE_URL", "OLD_DATABASE_URL");
    run(&dump, &programs(&old, is_private, false), &folder, &old.url()).await;
    let mut restore = restore
        .replace("createdb vitals", &format!("createdb {}", new.name()))
        .replace("psql vitals", &format!("psql {}", new.name()))
        .replace("-d vitals", &format!("-d {}", new.name()));
    if !is_private {
        restore = restore.replace("psql postgres < roles.sql", "");
    }
    run(&restore, &programs(&new, is_private, is_private), &folder, "").await;

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
