//! Lists of the API from a standby: which server is read, and that nobody misses what was just changed.

use serde_json::json;

use crate::harness::{Database, DisposableServers, Service, Standby, eventually};

const RULES: &str = "/api/alerts/rules";

async fn start(database: &Database, standby: &Standby) -> Service {
    let url = standby.url(database);
    Service::start_with(database, |settings| {
        settings.connect_timeout_ms = 3_000;
        settings.read.database_url = url;
    })
    .await
}

/// The names of the rules that this instance lists.
async fn names(service: &Service) -> Vec<String> {
    let answer = service.get(RULES).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let rules = answer.body["rules"].as_array().expect("a list");
    rules.iter().map(|rule| rule["name"].as_str().expect("a name").to_owned()).collect()
}

async fn add_rule(service: &Service, name: &str) {
    let rule = json!({ "name": name, "kind": "threshold", "severity": "minor", "metric": "heart_rate", "min_value": 50 });
    let answer = service.send("POST", RULES, Some(&rule)).await;
    assert_eq!(answer.status, 201, "{answer:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_are_read_from_a_standby_and_everybody_reads_what_was_just_changed() {
    let Some(victims) = DisposableServers::bring_up().await else { return };
    let database = Database::on(&victims).await;
    let standby = Standby::of(&victims, &database).await;
    let copy = standby.client(&database).await;
    let (one, other) = (start(&database, &standby).await, start(&database, &standby).await);
    let sessions = "select count(*) from pg_stat_activity where application_name like 'vitals vitals_test%'";
    eventually("a list is read from the standby", async || {
        names(&one).await;
        names(&other).await;
        let sessions: i64 = copy.query_one(sessions, &[]).await.expect("a count").get(0);
        (sessions >= 2).then_some(())
    })
    .await;
    for number in 0..20 {
        let (writer, reader) = if number % 2 == 0 { (&one, &other) } else { (&other, &one) };
        let name = format!("changed {number}");
        add_rule(writer, &name).await;
        assert!(names(writer).await.contains(&name), "who changed it reads it");
        eventually("another instance shows it", async || names(reader).await.contains(&name).then_some(()))
            .await;
    }

    // Behind by more than the limit: the primary is read.
    copy.batch_execute("select pg_wal_replay_pause()").await.expect("paused");
    let insert = "insert into alert_rule (name, kind, severity, metric, min_value)
        values ('by hand', 'threshold', 'minor', 'heart_rate', 50)";
    database.client().await.batch_execute(insert).await.expect("inserted");
    eventually("what the standby does not have is shown", async || {
        names(&one).await.iter().any(|name| name == "by hand").then_some(())
    })
    .await;
    copy.batch_execute("select pg_wal_replay_resume()").await.expect("resumed");

    // Away: the primary is read, and no read fails.
    drop(copy);
    drop(standby);
    for _ in 0..20 {
        assert!(names(&one).await.contains(&"changed 19".to_owned()));
    }
    one.finish().await;
    other.finish().await;
}
