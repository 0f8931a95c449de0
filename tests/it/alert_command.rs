//! `vitals alerts`: what a person does at a terminal, and what a rule would have done.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::harness::{CommandOutput, Database, Service, add_alert, vitals};

async fn alerts(database: &Database, arguments: &[&str]) -> CommandOutput {
    vitals(database, &[&["alerts"], arguments].concat()).await
}

async fn done(database: &Database, arguments: &[&str]) -> String {
    let said = alerts(database, arguments).await;
    assert_eq!(said.code, 0, "{arguments:?} {said:?}");
    said.out
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

#[tokio::test]
async fn alerts_are_listed_shown_taken_on_and_ended() {
    let database = Database::new().await;
    let client = database.client().await;
    let a = add_alert(&client, 1, "CLI-1", 200, &json!({ "customer_id": 7 })).await;
    let b = add_alert(&client, 3, "CLI-2", 30, &json!({ "severity": "critical", "historical": true })).await;
    let c = add_alert(&client, 5, "CLI-1", 5, &json!({ "severity": "major", "status": "resolved" })).await;
    let ids = [a, b, c].map(|id| id.to_string());
    let [a, b, c] = ids.each_ref().map(String::as_str);

    for (options, expected) in [
        (vec![], vec![c, b, a]),
        (vec!["--open"], vec![b, a]),
        (vec!["--status", "resolved"], vec![c]),
        (vec!["--min-severity", "major"], vec![c, b]),
        (vec!["--severity", "minor", "--severity", "critical"], vec![b, a]),
        (vec!["--device", "CLI-1"], vec![c, a]),
        (vec!["--customer", "7"], vec![a]),
        (vec!["--rule", "5"], vec![c]),
        (vec!["--kind", "event"], vec![]),
        (vec!["--historical", "true"], vec![b]),
        (vec!["--since", "1h"], vec![c, b]),
        (vec!["--to", "1h"], vec![a]),
        (vec!["--limit", "1"], vec![c]),
    ] {
        let out = done(&database, &[&["list", "--json"], &options[..]].concat()).await;
        let found: Vec<Value> = lines(&out).into_iter().map(|alert| alert["alert_id"].clone()).collect();
        assert_eq!(found, expected, "{options:?}");
    }
    let table = done(&database, &["list", "--limit", "2"]).await;
    let rows: Vec<&str> = table.lines().collect();
    assert_eq!(
        rows[0].split_whitespace().collect::<Vec<_>>(),
        ["id", "fired", "device", "person", "unit", "severity", "status", "by", "value", "rule"]
    );
    assert!(rows[2].contains("firing (late)") && rows[2].contains("152 ×3"), "{table}");
    assert_eq!(rows[3], "1 more are older");

    let said = alerts(&database, &["acknowledge", a, "404", c, "--actor", "li", "--note", "on my way"]).await;
    assert_eq!((said.code, said.out.as_str()), (3, format!("alert {a} acknowledged\n").as_str()), "{said:?}");
    assert!(
        said.err.contains("there is no alert 404") && said.err.contains("is already resolved"),
        "{said:?}"
    );
    let refused = alerts(&database, &["acknowledge", a, "--actor", "wu"]).await;
    assert_eq!(refused.code, 1, "{refused:?}");
    assert!(refused.err.contains("is already acknowledged (by li"), "{refused:?}");
    done(&database, &["note", a, "all is well", "--actor", "li"]).await;
    done(&database, &["resolve", a, b]).await;

    let shown = done(&database, &["show", a]).await;
    for part in [
        "status",
        "resolved",
        "on my way",
        "all is well",
        "li",
        "resolution",
        "manual",
        "Heart rate out of range",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let detail = lines(&done(&database, &["show", b, "--json"]).await).remove(0);
    let actor = detail["actions"][0]["actor"].as_str().expect("a name");
    assert!(!actor.is_empty() && detail["alert"]["resolved_by"] == actor, "the user of the system: {detail}");
    assert_eq!(alerts(&database, &["show", "404"]).await.code, 1);
    assert_eq!(alerts(&database, &["show", a, "404"]).await.code, 3);
    assert_eq!(alerts(&database, &["list", "--status", "odd"]).await.code, 2);
}

#[tokio::test]
async fn a_silence_names_what_is_silent_and_how_long() {
    let database = Database::new().await;
    let out = done(
        &database,
        &["silence", "--device", "CLI-3", "--rule", "1", "--for", "2h", "--note", "bath", "--yes"],
    )
    .await;
    assert!(out.starts_with("silence 1: device CLI-3, rule 1 until "), "{out}");
    done(&database, &["silence", "--customer", "7", "--until", "2999-01-01", "--actor", "li", "--yes"]).await;
    let silences = lines(&done(&database, &["silences", "--json"]).await);
    assert_eq!(silences.len(), 2);
    assert_eq!(silences[0]["ends_at"], "2998-12-31T16:00:00Z", "in the device time zone");
    let row = database
        .client()
        .await
        .query_one("select ends_at - starts_at between '119 min' and '121 min' from alert_silence where silence_id = 1", &[])
        .await
        .expect("a silence");
    assert!(row.get::<_, bool>(0));
    done(&database, &["end-silence", "1", "2"]).await;
    assert_eq!(done(&database, &["silences"]).await, "no silence is in force or to come\n");
    assert_eq!(done(&database, &["silences", "--all"]).await.lines().count(), 3);
    assert_eq!(alerts(&database, &["end-silence", "404"]).await.code, 1);
    for misused in [
        vec!["silence", "--for", "2h"],
        vec!["silence", "--device", "A"],
        vec!["silence", "--device", "A", "--for", "2h", "--until", "2999-01-01"],
    ] {
        assert_eq!(alerts(&database, &misused).await.code, 2, "{misused:?}");
    }
    for (refused, reason) in [
        (vec!["silence", "--rule", "404", "--for", "2h"], "there is no rule 404"),
        (vec!["silence", "--device", "A", "--until", "2000-01-01"], "ends before it begins"),
        (vec!["silence", "--device", "A", "--for", "soon"], "--for is no time"),
    ] {
        let said = alerts(&database, &refused).await;
        assert!(said.code == 1 && said.err.contains(reason), "{said:?}");
    }
}

#[tokio::test]
async fn rules_are_listed_shown_with_their_versions_and_switched() {
    let database = Database::new().await;
    let client = database.client().await;
    add_alert(&client, 3, "CLI-4", 5, &json!({})).await;
    client.batch_execute("update alert_rule set min_value = 91 where rule_id = 3").await.expect("changed");
    assert_eq!(done(&database, &["disable", "3", "--actor", "wu"]).await, "rule 3 is off (version 3)\n");
    assert_eq!(done(&database, &["list", "--open"]).await, "no alerts match\n");
    let off = done(&database, &["rules", "--enabled", "false"]).await;
    assert!(off.lines().count() == 2 && off.contains("blood_oxygen < 91"), "{off}");
    let all = done(&database, &["rules"]).await;
    for part in ["heart_rate < 50 or > 120; major < 40 or > 140", "WEAR_STATUS_CHANGED 0", "SOS_EVENT"] {
        assert!(all.contains(part), "{part}: {all}");
    }
    let shown = done(&database, &["rule", "3"]).await;
    for part in ["min_value", "min_value 90 → 91", "by wu: enabled true → false", "late_after_seconds"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert_eq!(lines(&done(&database, &["rule", "3", "--json"]).await).len(), 3);
    assert_eq!(done(&database, &["enable", "3"]).await, "rule 3 is on (version 4)\n");
    assert_eq!(alerts(&database, &["rule", "404"]).await.code, 1);
    let in_part = alerts(&database, &["disable", "404", "1"]).await;
    assert_eq!(in_part.code, 3, "{in_part:?}");
}

#[tokio::test]
async fn what_could_not_be_delivered_is_listed_and_tried_again() {
    let database = Database::new().await;
    let client = database.client().await;
    assert_eq!(done(&database, &["dead-letters", "list"]).await, "no dead letters\n");
    let alert_id = add_alert(&client, 1, "CLI-5", 5, &json!({})).await;
    client
        .batch_execute(&format!(
            "insert into contact (name) values ('ward');
             insert into contact_address (contact_id, channel, address)
             select 1, 'email', n || '@example.org' from generate_series(1, 3) n;
             insert into notification (alert_id, kind, channel, address, contact_id, route_id, status, attempts, error)
             select {alert_id}, 'fired', 'email', n || '@example.org', 1, 1, 'dead', 3, 'no such box'
             from generate_series(1, 3) n"
        ))
        .await
        .expect("dead letters");
    let letters = lines(&done(&database, &["dead-letters", "list", "--json", "--limit", "2"]).await);
    assert_eq!(letters.len(), 2);
    assert_eq!((&letters[0]["contact"], &letters[0]["error"]), (&json!("ward"), &json!("no such box")));
    let id = letters[0]["notification_id"].as_str().expect("text");
    assert!(done(&database, &["dead-letters", "list"]).await.contains("no such box"));
    assert_eq!(done(&database, &["dead-letters", "resend", id]).await, "1 will be tried again\n");
    assert_eq!(alerts(&database, &["dead-letters", "resend", id]).await.code, 1);
    assert_eq!(alerts(&database, &["dead-letters", "resend"]).await.code, 2);
    assert_eq!(done(&database, &["dead-letters", "resend", "--all"]).await, "2 will be tried again\n");
}

/// Two devices: one breaches twice, an hour apart, and recovers each time; the other never does.
async fn two_devices(service: &Service) {
    let start = jiff::Timestamp::now().as_second() - 5 * 3_600;
    let reading = |device_sn: &str, minute: i64, heart_rate: i64| json!({ "deviceSn": device_sn, "heart_rate": heart_rate, "timestamp": start + minute * 60 });
    let rates = |minute| if matches!(minute, 10..=14 | 70..=89) { 130 + minute % 10 } else { 80 };
    let mut items: Vec<Value> = (0..120).map(|minute| reading("WHAT-1", minute, rates(minute))).collect();
    items.extend((0..120).map(|minute| reading("WHAT-2", minute, 81)));
    assert_eq!(service.upload(&json!({ "data": items })).await, (240, 0, 0));
    service.drained().await;
}

async fn replayed(database: &Database, options: &[&str]) -> Value {
    lines(&done(database, &[&["replay-rule", "--json"], options].concat()).await).remove(0)
}

#[tokio::test]
async fn a_replay_says_what_a_rule_would_have_done_and_changes_nothing() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    two_devices(&service).await;
    let client = database.client().await;
    let everything = "select jsonb_build_array((select jsonb_agg(a order by alert_id) from alert a),
                          (select jsonb_agg(r order by rule_id) from alert_rule r), (select count(*) from alert_action))";
    let before: Value = client.query_one(everything, &[]).await.expect("all").get(0);

    let same = replayed(&database, &["1"]).await;
    assert_eq!(same["total"], json!({ "alerts": 2, "paged": 0, "historical": 2 }), "they came late: {same}");
    assert_eq!(same["stored"], json!({ "alerts": 2, "again": 2, "gone": 0, "new": 0 }));
    assert_eq!((&same["devices"], &same["devices_affected"]), (&json!(2), &json!(1)));
    assert_eq!(
        (&same["longest"]["device_sn"], &same["longest"]["breach_count"]),
        (&json!("WHAT-1"), &json!(20))
    );

    let patient = replayed(&database, &["1", "--set", "late_after_seconds=86400"]).await;
    assert_eq!(patient["total"], json!({ "alerts": 2, "paged": 2, "historical": 0 }));
    let stricter =
        replayed(&database, &["1", "--set", "consecutive=10", "--set", "window_seconds=900"]).await;
    assert_eq!(stricter["stored"], json!({ "alerts": 2, "again": 1, "gone": 1, "new": 0 }));
    let none = replayed(&database, &["1", "--set", "max_value=200", "--set", "levels=null"]).await;
    assert_eq!(none["stored"], json!({ "alerts": 2, "again": 0, "gone": 2, "new": 0 }));
    assert_eq!((&none["longest"], &none["days"]), (&Value::Null, &json!([])));
    let wider = replayed(&database, &["1", "--set", "max_value=80.5"]).await;
    assert_eq!((&wider["devices_affected"], &wider["stored"]["new"]), (&json!(2), &json!(1)), "{wider}");
    for options in [["--device", "WHAT-2"], ["--customer", "7"], ["--to", "6h"]] {
        let out = replayed(&database, &[&["1"], &options[..]].concat()).await;
        assert_eq!(out["total"]["alerts"], 0, "{options:?}");
    }

    let text = done(&database, &["replay-rule", "1", "--set", "max_value=125"]).await;
    for part in [
        "with max_value=125",
        "devices  1 of 2",
        "longest  WHAT-1 from",
        "2 of them would be raised again, 0 would not",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let after: Value = client.query_one(everything, &[]).await.expect("all").get(0);
    assert_eq!(after, before);
    service.finish().await;
}

#[tokio::test]
async fn a_rule_that_is_not_kept_is_tried_out_from_a_file() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    two_devices(&service).await;
    let folder = std::env::temp_dir().join(format!("vitals_test_rules_{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let file = |name: &str, text: &str| -> PathBuf {
        let path = folder.join(name);
        std::fs::write(&path, text).expect("written");
        path
    };
    let toml = file(
        "rule.toml",
        "name = 'Racing'\nkind = 'composite'\nseverity = 'major'\ncombine = 'all'\nlate_after_seconds = 86400\n\
         [[conditions]]\nmetric = 'heart_rate'\nmax = 120\nduration_seconds = 600\n",
    );
    let out = replayed(&database, &["--file", toml.to_str().expect("a path")]).await;
    assert_eq!((&out["total"]["alerts"], &out["stored"]), (&json!(1), &Value::Null), "{out}");
    let json = json!({ "name": "Quiet", "kind": "silence", "severity": "minor", "silent_seconds": 3600 });
    let json = file("rule.json", &json.to_string());
    let json = json.to_str().expect("a path");
    assert_eq!(replayed(&database, &["--file", json]).await["devices_affected"], 2);

    let odd = file("odd.toml", "name = 'Odd'\nkind = 'silence'\nseverity = 'minor'\ncolour = 'red'\n");
    let odd = odd.to_str().expect("a path");
    for (options, reason) in [
        (
            vec!["--file", json, "--set", "silent_seconds=1"],
            "the rule is impossible: silent_seconds has to be from 60",
        ),
        (vec!["--file", odd], "unknown field `colour`"),
        (vec!["--file", "/nowhere/rule.toml"], "/nowhere/rule.toml"),
        (vec!["404"], "there is no rule 404"),
        (vec!["1", "--set", "pulse=1"], "unknown field `pulse`"),
        (vec!["1", "--set", "pulse"], "COLUMN=VALUE is expected"),
        (vec!["1", "--set", "min_value=high"], "min_value: invalid type"),
        (vec!["1", "--from", "1h", "--to", "2h"], "--from is not before --to"),
        (vec!["1", "--from", "soon"], "--from is neither an age"),
    ] {
        let said = alerts(&database, &[&["replay-rule"], &options[..]].concat()).await;
        assert_eq!(said.code, 1, "{options:?} {said:?}");
        assert!(said.err.contains(reason), "{options:?} {said:?}");
    }
    assert_eq!(alerts(&database, &["replay-rule"]).await.code, 2);
    std::fs::remove_dir_all(&folder).expect("removed");
    service.finish().await;
}

#[tokio::test]
async fn a_replay_of_nothing_is_told_as_nothing() {
    let database = Database::new().await;
    let out = replayed(&database, &["1"]).await;
    assert_eq!((&out["devices"], &out["total"]["alerts"]), (&json!(0), &json!(0)));
    let text = done(&database, &["replay-rule", "7", "--from", "2020-01-01", "--to", "2020-01-02"]).await;
    assert!(text.contains("devices  0 of 0"), "{text}");
}
