//! Upgrades without a stop: which program starts with which schema, what a migrate refuses while an older program runs, and what runs
//! outside of its transaction. The release after this one is `tests/fixtures/next_release`; `rolling` upgrades real programs.

mod contract;
mod lint;
mod release;
mod rolling;

use std::ops::Range;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use tokio_postgres::Client;
use vitals::store::instance;
use vitals::store::migrate::{self, MigrateResult, Phases};
use vitals::store::program::Program;
use vitals::store::schema;

use crate::harness::{Database, Service, eventually, vitals};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Names and texts of the migrations in a folder, in order.
fn migrations_in(folder: &str) -> Vec<(String, String)> {
    let folder = std::fs::read_dir(Path::new(ROOT).join(folder)).expect("a folder");
    let mut files: Vec<_> = folder
        .map(|file| file.expect("a file").path())
        .filter(|path| path.extension().is_some_and(|kind| kind == "sql"))
        .map(|path| {
            let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
            (name, std::fs::read_to_string(path).expect("text"))
        })
        .collect();
    files.sort_by_key(|(name, _)| {
        name[1..].split('_').next().expect("a number").parse::<i32>().expect("a number")
    });
    files
}

/// A program of version 0.3.0 that has these files besides those of this program.
fn next_program(further: &[(String, String)]) -> Program {
    let files = migrations_in("migrations");
    let files = files.iter().chain(further).map(|(name, sql)| (name.as_str(), sql.as_str()));
    Program::new("0.3.0", files).expect("understood")
}

fn next_release() -> Program {
    next_program(&migrations_in("tests/fixtures/next_release"))
}

/// A sample of one device for each of these seconds.
fn samples(seconds: Range<i64>) -> Value {
    let samples: Vec<Value> = seconds
        .map(|second| json!({ "deviceSn": "UPGRADED", "heart_rate": 70, "timestamp": second }))
        .collect();
    json!({ "data": samples })
}

async fn migrate(database: &Database, program: &Program, phases: Phases) -> Result<MigrateResult, String> {
    migrate::run_phases(&database.settings(), program, phases).await.map_err(|error| error.to_string())
}

async fn run(client: &Client, sql: &str) {
    client.batch_execute(sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
}

async fn texts(client: &Client, sql: &str) -> Vec<String> {
    let rows = client.query(sql, &[]).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    rows.iter().map(|row| row.get(0)).collect()
}

/// An instance that runs a program of version 0.1.9 with all migrations of this one, seen so many seconds ago.
async fn instance_seen(client: &Client, seconds_ago: i32) {
    let sql = "insert into vitals.instance (instance_id, name, program_version, oldest_schema, head, last_seen_at)
               select gen_random_uuid(), 'ward', '0.1.9', max(version), max(version), now() - make_interval(secs => $1)
               from refinery_schema_history";
    client.execute(sql, &[&f64::from(seconds_ago)]).await.expect("inserted");
}

#[tokio::test]
async fn an_older_schema_is_refused_with_the_command_that_expands_it() {
    let database = Database::new().await;
    let client = database.client().await;
    let next = next_release();
    let state = schema::state_of(&client, &next).await.expect("a state");
    let problem = state.problem(&next).expect("too old");
    assert!(problem.contains("this program needs 9001: run `vitals migrate --expand`"), "{problem}");

    let oldest = Program::this().oldest_schema();
    run(&client, &format!("delete from refinery_schema_history where version >= {oldest}")).await;
    let refused = vitals(&database, &["serve"]).await;
    assert_eq!(refused.code, 1, "{refused:?}");
    assert!(refused.err.contains("run `vitals migrate --expand`"), "{}", refused.err);
    let check = vitals(&database, &["check"]).await;
    assert!(check.out.contains("BAD   schema: the schema is at version"), "{}", check.out);
}

#[tokio::test]
async fn this_program_serves_beside_the_next_one_until_the_schema_is_contracted() {
    let database = Database::new().await;
    let client = database.client().await;
    let next = next_release();
    let service = Service::start(&database).await;
    let expanded = migrate(&database, &next, Phases::Expand).await.expect("expanded");
    assert_eq!(expanded.applied, ["V9001__review", "V9002__review_index"]);
    assert_eq!((expanded.version, expanded.left), (9002, vec!["V9003__no_origin".to_owned()]));
    let now = Timestamp::now().as_second();
    assert_eq!(service.upload(&samples(now - 3..now)).await, (3, 0, 0));

    // Another instance of this program starts, whatever texts the functions of the next one have.
    run(&client, "update vitals.schema_state set program_hash = 'of the next program'").await;
    let second = Service::start(&database).await;
    assert_eq!(second.upload(&samples(now - 5..now)).await, (2, 3, 0));
    second.drained().await;
    let check = vitals(&database, &["check"]).await;
    let expected = "warn  schema: version 9002 of vitals 0.3.0, which serves this older program";
    assert!(check.code == 0 && check.out.contains(expected), "{check:?}");
    let done = vitals(&database, &["migrate"]).await;
    let expected = "nothing to do: the schema is at version 9002 of vitals 0.3.0, and serves this program\n";
    assert_eq!((done.code, done.out.as_str()), (0, expected));
    assert_eq!(texts(&client, "select program_hash from vitals.schema_state").await, ["of the next program"]);

    for phases in [Phases::Contract, Phases::Both] {
        let refusal = migrate(&database, &next, phases).await.expect_err("this program runs");
        assert!(
            refusal.contains("V9003__no_origin contracts the schema, and older programs run"),
            "{refusal}"
        );
        assert!(refusal.contains(&format!("{} (vitals {}", database.name(), env!("CARGO_PKG_VERSION"))));
    }
    assert_eq!(migrate(&database, &next, Phases::Allowed).await.expect("nothing").left.len(), 1);
    second.finish().await;
    service.finish().await;
    let contracted = migrate(&database, &next, Phases::Contract).await.expect("nobody runs");
    assert_eq!((contracted.applied, contracted.left), (vec!["V9003__no_origin".to_owned()], Vec::new()));
    assert_eq!(migrate(&database, &next, Phases::Both).await.expect("done").applied, [""; 0]);

    for command in ["serve", "migrate"] {
        let refused = vitals(&database, &[command]).await;
        assert!(refused.code == 1 && refused.err.contains("no longer serves this program"), "{refused:?}");
    }
}

#[tokio::test]
async fn an_instance_that_was_killed_counts_for_a_minute() {
    let database = Database::new().await;
    let client = database.client().await;
    let next = next_release();
    migrate(&database, &next, Phases::Expand).await.expect("expanded");
    instance_seen(&client, 50).await;
    let refusal = migrate(&database, &next, Phases::Contract).await.expect_err("seen just now");
    assert!(refusal.contains("ward (vitals 0.1.9"), "{refusal}");
    let left_after_the_wait = async || {
        instance::delete_ended(&client, next.head(), Duration::ZERO).await.expect("done");
        texts(&client, "select name from vitals.instance").await
    };
    assert_eq!(left_after_the_wait().await, ["ward"]);
    run(&client, "update vitals.instance set last_seen_at = now() - interval '61 seconds'").await;
    assert_eq!(left_after_the_wait().await, [""; 0]);
    migrate(&database, &next, Phases::Contract).await.expect("long gone");
}

/// As after an outage of the database: no heartbeat is recent, although the instance runs.
#[tokio::test]
async fn a_contract_waits_for_the_next_heartbeat_of_an_instance_that_seems_to_have_ended() {
    let database = Database::new().await;
    let client = database.client().await;
    let next = next_release();
    instance_seen(&client, 600).await;
    migrate(&database, &next, Phases::Expand).await.expect("expanded");
    let instances = texts(&client, "select name from vitals.instance").await;
    assert_eq!(instances, ["ward"], "an expand does not wait to see whether it has ended");

    for phases in [Phases::Contract, Phases::Allowed] {
        run(&client, "update vitals.instance set last_seen_at = now() - interval '10 minutes'").await;
        let (migrated, ()) = tokio::join!(migrate(&database, &next, phases), async {
            let waiting = "select 1 from pg_stat_activity
                where datname = current_database() and query like '-- instance.silent%'";
            eventually("the migrate waits", async || {
                (!client.query(waiting, &[]).await.expect("sessions").is_empty()).then_some(())
            })
            .await;
            run(&client, "update vitals.instance set last_seen_at = now()").await;
        });
        match migrated {
            Ok(migrated) => assert_eq!(migrated.left, ["V9003__no_origin"]),
            Err(refusal) => assert!(refusal.contains("ward (vitals 0.1.9"), "{refusal}"),
        }
    }
}

#[tokio::test]
async fn an_index_that_a_failed_build_left_invalid_is_built_again() {
    const VALID: &str =
        "select indisvalid::text from pg_index where indexrelid = to_regclass('app_user_room_idx')";
    let database = Database::new().await;
    let client = database.client().await;
    run(
        &client,
        "insert into org_unit (org_id, name) values (41, 'Sunset');
         insert into app_user (user_id, org_id, room) values (1, 41, 'A'), (2, 41, 'A'), (3, 41, 'B');
         insert into health_data (device_sn, ts, heart_rate) values ('CHUNK', now(), 70), ('CHUNK', now() - interval '3 days', 70)",
    )
    .await;
    let rooms = "-- One person a room.\n-- Phase: expand\n-- Transaction: none\n
        create unique index concurrently app_user_room_idx\n    on public.app_user (room);\n
        create index health_data_steps_idx on public.health_data (step)\n    with (timescaledb.transaction_per_chunk);\n";
    let next = next_program(&[("V9001__rooms".to_owned(), rooms.to_owned())]);
    let failure = migrate(&database, &next, Phases::Expand).await.expect_err("two in a room");
    assert!(failure.contains("V9001__rooms") && failure.contains("run the command once more"), "{failure}");
    assert_eq!(texts(&client, VALID).await, ["false"]);
    // The program does not need an index: it serves without it.
    let state = schema::state_of(&client, &next).await.expect("a state");
    assert_eq!(state, schema::State::Current { left: vec!["V9001__rooms".to_owned()] });

    run(&client, "update app_user set room = 'C' where user_id = 2").await;
    // Of two at once one builds, while the other waits without a snapshot that would stop the build.
    let (one, other) =
        tokio::join!(migrate(&database, &next, Phases::Expand), migrate(&database, &next, Phases::Expand));
    let applied = [one.expect("done").applied, other.expect("done").applied].concat();
    assert_eq!(applied, ["V9001__rooms"]);
    assert_eq!(texts(&client, VALID).await, ["true"]);

    // As an interruption leaves the index of a hypertable.
    run(
        &client,
        "update pg_index set indisvalid = false where indexrelid = 'health_data_steps_idx'::regclass;
         delete from refinery_schema_history where version = 9001",
    )
    .await;
    migrate(&database, &next, Phases::Expand).await.expect("built again");
    let chunks = "select count(*)::text from pg_index i join pg_inherits c on c.inhrelid = i.indrelid
        where c.inhparent = 'health_data'::regclass and i.indisvalid and pg_get_indexdef(i.indexrelid) like '%(step)%'";
    assert_eq!(texts(&client, chunks).await, ["2"]);
    let valid = "select indisvalid::text from pg_index where indexrelid = 'health_data_steps_idx'::regclass";
    assert_eq!(texts(&client, valid).await, ["true"]);
}
