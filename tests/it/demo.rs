//! `vitals demo` stays out of databases that hold anything but its own; with `--cluster` it shows that faults lose nothing.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::Command;
use tokio::time::timeout;

use crate::harness::{Cluster, CommandOutput, Database, vitals};

/// A lease of a primary ends, a standby that comes back is rewound; the machine is busy with other tests.
const SHOWN_WITHIN: Duration = Duration::from_secs(180);

async fn demo(database: &Database) -> CommandOutput {
    vitals(database, &["demo", "--seconds", "1", "--devices", "1", "--history-days", "0"]).await
}

// One test: of a clone only one demo runs at a time.
#[tokio::test]
async fn a_database_with_anything_of_somebody_elses_is_refused_before_it_is_touched() {
    let foreign = Database::empty("Asia/Shanghai").await;
    let client = foreign.client().await;
    client.batch_execute("create table invoice (id integer)").await.expect("a table");
    let said = demo(&foreign).await;
    assert_eq!(said.code, 1, "{said:?}");
    assert!(said.err.contains("public.invoice") && said.err.contains("VITALS_DATABASE_URL"), "{}", said.err);
    let tables =
        "select count(*) from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace";
    let tables: i64 = client.query_one(tables, &[]).await.expect("a count").get(0);
    assert_eq!(tables, 1, "nothing was migrated into it");

    for (what, sql) in [
        ("health_data", "insert into health_data (device_sn, ts) values ('CRFTQ23409001890', now())"),
        ("customer", "insert into customer (customer_id, name) values (7, 'Clinic')"),
        ("contact", "insert into contact (name) values ('Nurse Li')"),
    ] {
        let database = Database::new().await;
        database.client().await.batch_execute(sql).await.expect("a row");
        let said = demo(&database).await;
        assert_eq!(said.code, 1, "{what}: {said:?}");
        assert!(said.err.contains(what) && said.err.contains("--among-real-data"), "{what}: {}", said.err);
    }

    let simulated = Database::new().await;
    let client = simulated.client().await;
    client
        .batch_execute("insert into health_data (device_sn, ts) values ('SIM0000000000001', now())")
        .await
        .expect("a row of an earlier demo");
    for what in ["an earlier demo's", "and then one more, whose people and account are there already"] {
        let said = demo(&simulated).await;
        assert_eq!(said.code, 0, "{what}: {said:?}");
        assert!(said.err.contains("/ and log in as demo, password "), "{}", said.err);
    }
    let shown = client.query_one(
        "select (select count(*) from app_user where name like 'Person %'), (select count(*) from api_key where revoked_at is null)",
        &[],
    );
    let row = shown.await.expect("counts");
    assert_eq!(
        (row.get::<_, i64>(0), row.get::<_, i64>(1)),
        (2, 0),
        "two fleets of one, and no key that lets others in"
    );
}

#[tokio::test]
async fn a_demo_of_a_cluster_shows_faults_that_lose_nothing_and_ends_in_order_on_ctrl_c() {
    let Some(_cluster) = Cluster::bring_up().await else { return };
    // What other tests have left on the cluster is somebody's.
    let words = ["demo", "--cluster", "--seconds", "600", "--devices", "20", "--among-real-data"];
    let mut demo = Command::new(env!("CARGO_BIN_EXE_vitals"))
        .args(words)
        .env("LC_ALL", "C")
        .env_remove("VITALS_DATABASE_URL")
        .env_remove("VITALS_REDIS_URL")
        .envs(Cluster::environment())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("the binary can be run");
    let mut output = BufReader::new(demo.stdout.take().expect("piped"));
    let shown = async {
        let mut text = String::new();
        while !text.contains("is started again, and ready") {
            assert_ne!(output.read_line(&mut text).await.expect("text"), 0, "it has ended: {text}");
        }
        let id = demo.id().expect("it runs").to_string();
        let sent = std::process::Command::new("kill").args(["-INT", &id]).status();
        assert!(sent.expect("kill can be run").success());
        output.read_to_string(&mut text).await.expect("text");
        (demo.wait().await.expect("a status"), text)
    };
    let (status, text) = timeout(SHOWN_WITHIN, shown).await.expect("ends in time");
    assert!(status.success(), "{status}: {text}");
    for shown in
        ["is the new primary", "is a master in its place", "it has ended in order", "were sent again"]
    {
        assert!(text.contains(shown), "{shown}: {text}");
    }
    let (_, account) = text.split_once("\nAccount\n").expect("an account");
    let figures = |line: &str| {
        let line = account.lines().find(|shown| shown.trim_start().starts_with(line)).expect(line);
        let mut words = line.split_whitespace().rev();
        (words.next().map(str::to_owned), words.next().map(str::to_owned))
    };
    let none = || (Some("0".to_owned()), Some("0".to_owned()));
    assert_eq!((figures("records"), figures("alerts")), (none(), none()), "{text}");
}
