//! What every command has in common: readers that go away, colours, questions, times.

use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};

use crate::harness::{Database, Process, Service, TIMEOUT, command, eventually, vitals};

/// Runs a command whose reader has gone before it says anything; gives its exit code and standard error.
async fn unheard(database: &Database, arguments: &[&str]) -> (Option<i32>, String) {
    let mut child = command(database, arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("it can be run");
    drop(child.stdout.take());
    let mut errors = String::new();
    let ending = async {
        child.stderr.take().expect("piped").read_to_string(&mut errors).await.expect("text");
        child.wait().await.expect("a status")
    };
    let status = tokio::time::timeout(TIMEOUT, ending).await.expect("ends in time");
    (status.code(), errors)
}

#[tokio::test]
async fn a_reader_that_has_gone_ends_no_command_in_panic() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    let file =
        std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("gone-{}.csv", std::process::id()));
    std::fs::write(&file, "customer_id,name\n7,Clinic\n").expect("written");
    let (file, url) = (file.to_str().expect("text"), service.url());
    for arguments in [
        &["settings"][..],
        &["migrate"],
        &["roles"],
        &["check"],
        &["keys", "list"],
        &["keys", "create", "somebody", "--scope", "read"],
        &["directory", "import", "--customers", file, "--dry-run"],
        &["directory", "import", "--customers", file],
        &["alerts", "list"],
        &["alerts", "rules"],
        &["alerts", "rules", "--json"],
        &["alerts", "dead-letters", "list"],
        &["policy", "show"],
        &["policy", "plan"],
        &["rejected", "list"],
        &["refresh"],
        &["simulate", "--url", &url, "--devices", "1", "--connections", "1", "--records", "1"],
        &["simulate", "--url", &url, "--devices", "1", "--connections", "1", "--records", "1", "--json"],
    ] {
        let (code, errors) = unheard(&database, arguments).await;
        assert_eq!(code, Some(0), "{arguments:?}: {errors}");
        assert!(!errors.contains("panicked"), "{arguments:?}: {errors}");
    }
    std::fs::remove_file(file).expect("removed");
    service.finish().await;
}

#[tokio::test]
async fn a_log_that_no_terminal_shows_has_no_colours() {
    let database = Database::new().await;
    let mut child = command(&database, &["serve"])
        .env("VITALS_LISTEN", "127.0.0.1:0")
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("it can be run");
    let mut log = BufReader::new(child.stderr.take().expect("piped")).lines();
    let mut said = Vec::new();
    let reading = async {
        while let Some(line) = log.next_line().await.expect("text") {
            let serves = line.contains("serving");
            said.push(line);
            if serves {
                return;
            }
        }
    };
    tokio::time::timeout(TIMEOUT, reading).await.expect("serves in time");
    assert!(said.last().expect("lines").contains("serving"), "{said:#?}");
    assert!(!said.iter().any(|line| line.contains('\u{1b}')), "{said:#?}");
}

#[tokio::test]
async fn a_plan_says_its_times_with_their_offset() {
    let database = Database::new().await;
    let client = database.client().await;
    client
        .batch_execute(
            "insert into vitals.ingest_batch (batch_id, committed_at, instance, shard, received, stored, duplicate, rejected)
             values (-1, now() - interval '4 years', 'test', 0, 1, 1, 0, 0)",
        )
        .await
        .expect("an old row");
    let plan = vitals(&database, &["policy", "plan", "vitals.ingest_batch"]).await;
    assert_eq!(plan.code, 0, "{plan:?}");
    assert!(plan.out.contains("+08:00") && !plan.out.contains('%'), "{}", plan.out);
}

#[tokio::test]
async fn a_policy_that_drops_data_is_asked_for_and_not_set_where_nobody_can_be_asked() {
    let database = Database::new().await;
    let client = database.client().await;
    client
        .batch_execute("insert into vitals.ingest_batch (batch_id, committed_at, instance, shard, received, stored, duplicate, rejected)
             select -n, now() - interval '20 days', 'test', 0, 1, 1, 0, 0 from generate_series(1, 3) n")
        .await
        .expect("old rows");
    let keeps = async || -> Option<String> {
        let sql = "select keep_for::text from policy where relation = 'vitals.ingest_batch'";
        client.query_one(sql, &[]).await.expect("a policy").get(0)
    };
    let before = keeps().await;
    let set = ["policy", "set", "vitals.ingest_batch", "--keep-for", "10 days"];
    let refused = vitals(&database, &set).await;
    assert_eq!(refused.code, 1, "{refused:?}");
    assert!(refused.out.contains("vitals.ingest_batch  drop"), "what would go: {}", refused.out);
    assert!(refused.err.contains("--yes"), "{}", refused.err);
    assert_eq!(keeps().await, before, "not set");
    let done = vitals(&database, &[&set[..], &["--yes"]].concat()).await;
    assert_eq!(done.code, 0, "{done:?}");
    assert_eq!(keeps().await.as_deref(), Some("10 days"));
    // What drops nothing more than it did asks nobody.
    let longer = vitals(&database, &["policy", "set", "vitals.ingest_batch", "--keep-for", "11 days"]).await;
    assert_eq!(longer.code, 0, "{longer:?}");
}

#[tokio::test]
async fn erasing_whom_nobody_knows_says_so_and_keeps_no_receipt() {
    let database = Database::new().await;
    let client = database.client().await;
    let receipts = async || -> i64 {
        client.query_one("select count(*) from erasure", &[]).await.expect("a count").get(0)
    };
    for erase in [&["erase", "device", "TYPO-1", "--yes"][..], &["erase", "user", "404", "--yes"]] {
        let said = vitals(&database, erase).await;
        assert_eq!(said.code, 1, "{said:?}");
        assert!(said.err.contains("nothing is known of") && said.err.contains(erase[2]), "{}", said.err);
        let content = vitals(&database, &[erase, &["--if-known"]].concat()).await;
        assert_eq!(content.code, 0, "{content:?}");
        assert!(content.out.contains("nothing is known of"), "{content:?}");
    }
    assert_eq!(vitals(&database, &["erase", "device", "TYPO-1", "--dry-run"]).await.code, 1);
    assert_eq!(receipts().await, 0);
    // What was uploaded of it is known, whoever wears it.
    client
        .batch_execute("insert into health_data (device_sn, ts) values ('KNOWN-1', now())")
        .await
        .expect("a row");
    let known = vitals(&database, &["erase", "device", "KNOWN-1", "--yes"]).await;
    assert_eq!(known.code, 0, "{known:?}");
    assert_eq!(receipts().await, 1);
}

#[tokio::test]
async fn silencing_what_nobody_knows_is_asked_for_by_command_and_told_over_http() {
    let database = Database::new().await;
    let client = database.client().await;
    let service = Service::start(&database).await;
    let silences = async || -> i64 {
        client.query_one("select count(*) from alert_silence", &[]).await.expect("a count").get(0)
    };
    for (what, value) in [("--device", "TYPO-1"), ("--org", "404"), ("--customer", "405")] {
        let silence = ["alerts", "silence", what, value, "--for", "2h", "--actor", "li"];
        let refused = vitals(&database, &silence).await;
        assert_eq!(refused.code, 1, "{refused:?}");
        assert!(refused.err.contains(value) && refused.err.contains("--yes"), "{}", refused.err);
        assert_eq!(silences().await, 0);
    }
    let anyway = ["alerts", "silence", "--device", "TYPO-1", "--for", "2h", "--actor", "li", "--yes"];
    let anyway = vitals(&database, &anyway).await;
    assert_eq!(anyway.code, 0, "{anyway:?}");
    assert!(anyway.err.contains("TYPO-1"), "said all the same: {anyway:?}");

    let sample = json!({ "data": { "deviceSn": "KNOWN-1", "heart_rate": 80 } });
    assert_eq!(service.upload(&sample).await, (1, 0, 0));
    let known = ["alerts", "silence", "--device", "KNOWN-1", "--for", "2h", "--actor", "li"];
    let known = vitals(&database, &known).await;
    assert_eq!((known.code, known.err.as_str()), (0, ""), "{known:?}");

    let ask = async |device: &str| {
        let body = json!({ "device_sn": device, "for_seconds": 60, "actor": "li" });
        service.send("POST", "/api/alerts/silences", Some(&body)).await
    };
    let typo = ask("TYPO-2").await;
    assert_eq!(typo.status, 201, "a nurse is never held up: {typo:?}");
    assert!(typo.body["warning"].as_str().expect("a warning").contains("TYPO-2"), "{}", typo.body);
    assert!(ask("KNOWN-1").await.body.get("warning").is_none_or(Value::is_null));
    service.finish().await;
}

#[tokio::test]
async fn the_summaries_of_a_log_cover_every_record_once() {
    let database = Database::new().await;
    let variables = [("VITALS_MONITOR_SUMMARY_INTERVAL_SECONDS", "1"), ("VITALS_MONITOR_INTERVAL_MS", "50")];
    let process = Process::serve(&database, &variables).await;
    let upload = async |first: i64, samples: i64| {
        let now = jiff::Timestamp::now().as_second() - 3600;
        let sample = |n| json!({ "deviceSn": "SUMMED", "heart_rate": 80, "timestamp": now + first + n });
        let body = json!({ "data": (0..samples).map(sample).collect::<Vec<_>>() }).to_string();
        let posted = reqwest::Client::new()
            .post(format!("{}/upload_health_data", process.url))
            .body(body)
            .send()
            .await;
        assert_eq!(posted.expect("an answer").status(), 200);
    };
    let stored = |log: &str| -> Vec<u64> {
        let fields = |line| Some(serde_json::from_str::<Value>(line).ok()?["fields"].clone());
        let summaries = log.lines().filter_map(fields).filter(|fields| fields["message"] == "summary");
        summaries
            .map(|fields| fields["stored"].as_u64().expect("a count"))
            .filter(|count| *count > 0)
            .collect()
    };
    let until = async |counts: &[u64]| {
        eventually("the summaries", async || {
            (stored(&process.log_lines().join("\n")) == counts).then_some(())
        })
        .await;
    };
    upload(0, 30).await;
    until(&[30]).await;
    upload(100, 5).await;
    until(&[30, 5]).await;
    upload(200, 7).await;
    process.signal("TERM");
    let (status, log) = process.ended_with_log().await;
    assert!(status.success());
    assert_eq!(stored(&log), [30, 5, 7], "the last is written at the stop");
}
