//! History from files: by the rules of an upload, at any point broken off and gone on with, counted once.

use std::fmt::Write;
use std::path::PathBuf;

use serde_json::Value;
use tokio_postgres::Client;
use vitals::store::rollups;

use crate::harness::{CommandOutput, Database, Service, command, eventually, vitals};

/// A file that goes with the value.
struct File(PathBuf);

impl File {
    fn new(name: &str, text: impl AsRef<[u8]>) -> Self {
        let path = std::env::temp_dir().join(format!("vitals_test_{}_{name}", std::process::id()));
        std::fs::write(&path, text).expect("written");
        Self(path)
    }

    fn name(&self) -> &str {
        self.0.to_str().expect("text")
    }
}

impl Drop for File {
    fn drop(&mut self) {
        // What is left behind in the folder of temporary files harms nobody.
        let _ = std::fs::remove_file(&self.0);
    }
}

async fn count(client: &Client, sql: &str) -> i64 {
    client.query_one(sql, &[]).await.unwrap_or_else(|error| panic!("{sql}: {error:?}")).get(0)
}

/// Stored, there already, rejected.
fn counts(said: &CommandOutput) -> (u64, u64, u64) {
    let account: Value = serde_json::from_str(&said.out).unwrap_or_else(|error| panic!("{error}: {said:?}"));
    let count = |name: &str| account[name].as_u64().expect("a count");
    (count("stored"), count("duplicate"), count("rejected"))
}

/// Samples of ten devices, a minute apart, up to an hour ago.
fn history(lines: u32) -> String {
    let newest = jiff::Timestamp::now().as_second() - 3_600;
    let mut text = String::new();
    for number in 0..lines {
        let at = newest - i64::from(number / 10) * 60;
        let device = number % 10;
        writeln!(
            text,
            r#"{{"deviceSn":"HIST-{device}","timestamp":{at},"heart_rate":{}}}"#,
            60 + number % 40
        )
        .expect("text");
    }
    text
}

/// Everything that came is accounted for, and every reject is kept.
async fn assert_balanced(client: &Client) {
    let row = client
        .query_one(
            "select sum(received)::bigint, sum(stored + duplicate + rejected)::bigint, sum(stored)::bigint,
                 sum(rejected)::bigint, (select count(*) from health_data), (select coalesce(sum(times), 0)::bigint from rejected_upload)
             from vitals.ingest_batch where kind = 'reading'",
            &[],
        )
        .await
        .expect("the account");
    let number = |column: usize| row.get::<_, Option<i64>>(column).unwrap_or(0);
    assert_eq!(number(0), number(1));
    assert_eq!((number(2), number(3)), (number(4), number(5)));
}

#[tokio::test]
async fn csv_and_ndjson_are_read_by_the_rules_of_an_upload() {
    let database = Database::new().await;
    let client = database.client().await;
    client
        .batch_execute(
            "insert into org_unit (org_id, ancestors) values (7, '{0,5}');
             insert into app_user (user_id, org_id) values (8, 7), (9, 7);
             select bind_device('HIST-0', 8, now() - interval '10 days');
             select bind_device('HIST-0', 9, now() - interval '1 day')",
        )
        .await
        .expect("a directory");
    let day = |days: i64| (jiff::Timestamp::now() - jiff::SignedDuration::from_hours(24 * days)).to_string();
    let csv = File::new(
        "history.csv",
        format!(
            "device_sn,ts,heart_rate,temperature,step,note\n\
             HIST-0,{},71,36.5,100,\"a, quoted\nnote\"\n\
             HIST-0,{},72,,,\n\
             HIST-0,{},900,,,\n\
             ,{},70,,,\n\
             HIST-0,yesterday,70,,,\n\
             HIST-0,,70,,,\n\
             HIST-0,2015-01-01 00:00:00,70,,,\n\
             \n",
            day(3),
            day(0),
            day(2),
            day(2)
        ),
    );
    let body = format!(
        "{{\"customerId\":\"5\",\"data\":[{{\"id\":\"HIST-1\",\"cjsj\":\"{0}\",\"xlv\":80}},{{\"id\":\"HIST-2\",\"cjsj\":\"{0}\",\"xlv\":0}}]}}\n\
         \n{{\"deviceSn\":\"HIST-1\",\"timestamp\":\"{0}\",\"xy\":97}}\nnonsense\n{{\"deviceSn\":\"HIST-3\",\"heart_rate\":1}}",
        day(4)
    );
    let ndjson = File::new("history.ndjson", body);

    let said = vitals(&database, &["backfill", csv.name(), "--json"]).await;
    assert_eq!((said.code, counts(&said)), (3, (2, 0, 5)), "{said:?}");
    let said = vitals(&database, &["backfill", ndjson.name(), "--json"]).await;
    assert_eq!((said.code, counts(&said)), (3, (2, 1, 2)), "{said:?}");
    let reasons = client
        .query("select source || ' ' || reason from rejected_upload order by rejected_upload_id", &[])
        .await
        .expect("rejects");
    let reasons: Vec<&str> = reasons.iter().map(|row| row.get(0)).collect();
    let of_csv = ["out_of_range", "no_serial", "bad_time", "bad_time", "too_old"];
    let wanted: Vec<String> = of_csv
        .iter()
        .chain(&["not_an_object", "bad_time"])
        .map(|reason| format!("health_batch {reason}"))
        .collect();
    assert_eq!(reasons, wanted);
    let rows = client
        .query(
            "select concat_ws(' ', device_sn, heart_rate, blood_oxygen, temperature, step, customer_id, user_id)
             from health_data order by device_sn, ts",
            &[],
        )
        .await
        .expect("rows");
    let rows: Vec<&str> = rows.iter().map(|row| row.get(0)).collect();
    // To whom a sample belongs is told by its own time; a repeat fills what was missing.
    assert_eq!(rows, ["HIST-0 71 36.5 100 5 8", "HIST-0 72 5 9", "HIST-1 80 97 5", "HIST-2 5"]);
    assert_balanced(&client).await;
    // What is mended is put through again.
    let replayed = vitals(&database, &["rejected", "replay"]).await;
    assert_eq!(replayed.code, 0, "{replayed:?}");
    let service = Service::start(&database).await;
    service.drained().await;
    rollups::refresh(&client, None).await.expect("refreshed");
    assert_eq!(count(&client, "select count(*) from health_daily").await, 4);
    service.finish().await;
}

#[tokio::test]
async fn the_same_file_again_changes_nothing_whatever_its_name() {
    let database = Database::new().await;
    let client = database.client().await;
    let (file, copy) = (File::new("one.ndjson", history(1_000)), File::new("copy.ndjson", history(1_000)));
    std::fs::copy(&file.0, &copy.0).expect("copied");
    let arguments = ["backfill", file.name(), copy.name(), "--batch-lines", "300"];
    let said = vitals(&database, &arguments).await;
    assert_eq!(said.code, 0, "{said:?}");
    assert!(
        said.out.contains("1 000 lines: 1 000 stored") && said.out.contains("it was imported before"),
        "{said:?}"
    );
    assert_eq!(count(&client, "select count(*) from health_data").await, 1_000);
    assert_eq!(count(&client, "select sum(received)::bigint from vitals.ingest_batch").await, 1_000);
    // The same rows in another file are repeats.
    let more = File::new("more.ndjson", format!("{}\n", std::fs::read_to_string(&file.0).expect("text")));
    let said = vitals(&database, &["backfill", more.name(), "--json"]).await;
    assert_eq!(counts(&said), (0, 1_000, 0));
    assert_balanced(&client).await;
}

#[tokio::test]
async fn a_file_that_was_broken_off_goes_on_where_it_was() {
    let database = Database::new().await;
    let client = database.client().await;
    let ndjson = history(4_000);
    let mut csv = "device_sn,ts,heart_rate\n".to_owned();
    for line in ndjson.lines() {
        let sample: Value = serde_json::from_str(line).expect("JSON");
        let device = sample["deviceSn"].as_str().expect("text").replace("HIST", "CSV");
        writeln!(csv, "{device},{},{}", sample["timestamp"], sample["heart_rate"]).expect("text");
    }
    for (number, file) in (1_i64..).zip([File::new("broken.ndjson", &ndjson), File::new("broken.csv", &csv)])
    {
        let arguments = ["backfill", file.name(), "--batch-lines", "50"];
        let mut running = command(&database, &arguments).kill_on_drop(true).spawn().expect("it can be run");
        let begun = "select coalesce(max(lines), 0)::bigint from vitals.backfill where ended_at is null";
        eventually("some of it is in", || async { (count(&client, begun).await > 0).then_some(()) }).await;
        // Without any chance to tidy up.
        running.kill().await.expect("killed");
        let said = vitals(&database, &["backfill", file.name(), "--json"]).await;
        assert_eq!((said.code, counts(&said)), (0, (4_000, 0, 0)), "{said:?}");
        assert_eq!(count(&client, "select count(*) from health_data").await, 4_000 * number);
        assert_balanced(&client).await;
    }
}

#[tokio::test]
async fn a_row_the_database_refuses_costs_its_neighbours_nothing() {
    let database = Database::new().await;
    let client = database.client().await;
    client
        .batch_execute(
            "alter table health_data add constraint health_data_house_check check (heart_rate <> 77)",
        )
        .await
        .expect("a rule of the house");
    let file = File::new("refused.ndjson", history(400));
    let said = vitals(&database, &["backfill", file.name(), "--json"]).await;
    assert_eq!((said.code, counts(&said)), (3, (390, 0, 10)), "{said:?}");
    let refused =
        "select count(*) from rejected_upload where reason = 'refused_by_database' and body like '%77%'";
    assert_eq!(count(&client, refused).await, 10);
    assert_balanced(&client).await;
}

#[tokio::test]
async fn what_is_no_history_is_told_as_such() {
    let database = Database::new().await;
    let file = File::new("odd.csv", "a,b\n1,2\n");
    let said = vitals(&database, &["backfill", file.name()]).await;
    assert!(said.code == 1 && said.err.contains("device_sn and ts"), "{said:?}");
    let twice = File::new("twice.csv", "device_sn,ts,step,step\nA,1767294245,1,2\n");
    let said = vitals(&database, &["backfill", twice.name()]).await;
    assert!(said.code == 1 && said.err.contains("step"), "{said:?}");
    let said = vitals(&database, &["backfill", "/nowhere/history.csv"]).await;
    assert!(said.code == 1 && said.err.contains("/nowhere/history.csv"), "{said:?}");
    let empty = File::new("empty.ndjson", "");
    let said = vitals(&database, &["backfill", empty.name(), "--json"]).await;
    assert_eq!((said.code, counts(&said)), (0, (0, 0, 0)), "{said:?}");
}
