//! Rules: made, changed, numbered, refused with the reason, whether they come by SQL or by HTTP.

use serde_json::{Value, json};
use tokio_postgres::Client;
use vitals::metric::{Kind, Metric};

use crate::harness::{Answer, Database, Service, add_alert, vitals};

const RULES: &str = "/api/alerts/rules";

/// A rule that is possible, with changes.
fn rule(changes: &Value) -> Value {
    let mut rule = json!({ "name": "R", "kind": "threshold", "severity": "minor", "metric": "heart_rate", "min_value": 50 });
    let columns = rule.as_object_mut().expect("an object");
    for (name, value) in changes.as_object().expect("an object") {
        columns.insert(name.clone(), value.clone());
    }
    columns.retain(|_, value| !value.is_null());
    rule
}

fn levels(levels: &Value) -> Value {
    rule(&json!({ "levels": levels }))
}

fn event(changes: &Value) -> Value {
    let mut all = json!({ "kind": "event", "metric": null, "min_value": null, "event_type": "SOS_EVENT" });
    all.as_object_mut().expect("an object").extend(changes.as_object().expect("an object").clone());
    rule(&all)
}

fn composite(conditions: &Value) -> Value {
    rule(
        &json!({ "kind": "composite", "metric": null, "min_value": null, "combine": "all", "conditions": conditions }),
    )
}

fn silence(changes: &Value) -> Value {
    let mut all = json!({ "kind": "silence", "metric": null, "min_value": null, "silent_seconds": 600 });
    all.as_object_mut().expect("an object").extend(changes.as_object().expect("an object").clone());
    rule(&all)
}

fn message(answer: &Answer) -> &str {
    answer.body["message"].as_str().unwrap_or_else(|| panic!("{answer:?}"))
}

async fn by_sql(client: &Client, rule: &Value) -> Result<(), String> {
    let sql = "insert into alert_rule overriding user value
               select (jsonb_populate_record(null::alert_rule, vitals.alert_rule_defaults() || $1)).*";
    match client.execute(sql, &[rule]).await {
        Ok(_) => Ok(()),
        Err(error) => Err(error.as_db_error().expect("a refusal").message().to_owned()),
    }
}

/// Rules that are impossible, and a part of the reason.
fn impossible() -> Vec<(Value, &'static str)> {
    vec![
        (rule(&json!({ "min_value": null })), "min_value or max_value is needed"),
        (rule(&json!({ "metric": null })), "metric is missing"),
        (rule(&json!({ "min_value": 150, "max_value": 120 })), "min_value 150 is not below max_value 120"),
        (
            rule(&json!({ "max_value": 420 })),
            "max_value 420 is outside what is ever stored of heart_rate, 1 to 300",
        ),
        (rule(&json!({ "recovery_min_value": 45 })), "it would recover while it breaches"),
        (
            rule(&json!({ "max_value": 120, "recovery_max_value": 125.5 })),
            "recovery_max_value 125.5 is above",
        ),
        (rule(&json!({ "max_value": 120, "recovery_max_value": 49 })), "it would never recover"),
        (rule(&json!({ "recovery_max_value": 100 })), "recovery_max_value needs max_value"),
        (rule(&json!({ "silent_seconds": 600 })), "silent_seconds means nothing to a rule of kind threshold"),
        (rule(&json!({ "consecutive": 20, "window_seconds": 10 })), "do not fit into window_seconds 10"),
        (rule(&json!({ "consecutive": 0 })), "consecutive has to be from 1 to 100"),
        (rule(&json!({ "name": " " })), "it has no name"),
        (rule(&json!({ "customer_id": -1 })), "customer_id has to be"),
        (rule(&json!({ "message": "{device_sn} {pulse}" })), "the message knows no {pulse}"),
        (rule(&json!({ "message": "" })), "it has no message"),
        (rule(&json!({ "time_zone": "Asia/Atlantis" })), "there is no time zone \"Asia/Atlantis\""),
        (rule(&json!({ "time_zone": "CST" })), "there is no time zone \"CST\""),
        (rule(&json!({ "effective_from": "22:00" })), "need each other"),
        (rule(&json!({ "effective_from": "22:00", "effective_until": "22:00:00" })), "are the same"),
        (rule(&json!({ "effective_days": [1, 8] })), "1 Monday to 7 Sunday"),
        (rule(&json!({ "effective_days": [] })), "1 Monday to 7 Sunday"),
        (rule(&json!({ "replaces_rule_id": 1 })), "only a rule of one tenant"),
        (rule(&json!({ "customer_id": 7, "user_id": 1 })), "one scope at most"),
        (rule(&json!({ "org_id": 0 })), "org_id has to be the number of an organisation unit"),
        (rule(&json!({ "user_id": -1 })), "user_id has to be the number of a person"),
        (rule(&json!({ "device_sn": "" })), "device_sn has to be a serial"),
        (rule(&json!({ "levels": [] })), "levels has to be an array of 1 to 3 objects"),
        (levels(&json!([{ "severity": "minor", "min": 40 }])), "level 1: minor is not graver than minor"),
        (
            levels(&json!([{ "severity": "major", "min": 55 }])),
            "level 1: min 55 is above that of the level before (50)",
        ),
        (
            levels(&json!([{ "severity": "major", "min": 40, "max": 110 }])),
            "max 110 is below that of the level before (none)",
        ),
        (levels(&json!([{ "severity": "major", "min": 50 }])), "its bounds are those of the level before"),
        (levels(&json!([{ "severity": "major" }])), "level 1: min or max is needed"),
        (levels(&json!([{ "severity": "major", "min": 0 }])), "level 1: min 0 is outside"),
        (
            levels(&json!([{ "severity": "critical", "min": 40 }, { "severity": "major", "min": 30 }])),
            "level 2: major is not graver than critical",
        ),
        (silence(&json!({ "levels": [{ "severity": "major", "min": 40 }] })), "levels means nothing"),
        (
            rule(&json!({ "replaces_rule_id": 3, "customer_id": 7 })),
            "rule 3 judges something else (threshold blood_oxygen)",
        ),
        (rule(&json!({ "replaces_rule_id": 404, "customer_id": 7 })), "there is no rule 404 to replace"),
        (event(&json!({ "event_type": null })), "event_type is missing"),
        (event(&json!({ "event_type": "Sos_Event" })), "upper case: SOS_EVENT"),
        (event(&json!({ "event_values": [] })), "event_values holds no value"),
        (event(&json!({ "recovery_values": ["1"] })), "recovery_values need event_values"),
        (
            event(&json!({ "event_values": ["0", "1"], "recovery_values": ["1"] })),
            "both raises it and resolves it",
        ),
        (silence(&json!({ "silent_seconds": null })), "silent_seconds is missing"),
        (silence(&json!({ "silent_seconds": 59 })), "silent_seconds has to be from 60"),
        (silence(&json!({ "consecutive": 2 })), "consecutive means nothing"),
        (composite(&Value::Null), "array of 1 to 10 objects"),
        (composite(&json!([])), "array of 1 to 10 objects"),
        (
            composite(&json!([{ "metric": "heart_rate", "max": 100 }, { "metric": "stress" }])),
            "condition 2: min or max",
        ),
        (
            composite(&json!([{ "metric": "heart_rate", "max": 100, "duration_seconds": 86_401 }])),
            "from 0 to 86400",
        ),
        (composite(&json!([{ "metric": "temperature", "min": 9 }])), "condition 1: min 9 is outside"),
    ]
}

#[tokio::test]
async fn an_impossible_rule_is_refused_with_the_reason_by_sql_and_by_http() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    let client = database.client().await;
    for (rule, reason) in impossible() {
        let told = by_sql(&client, &rule).await.expect_err(&rule.to_string());
        assert!(told.contains(reason), "{rule} {told}");
        let answer = service.send("POST", RULES, Some(&rule)).await;
        assert_eq!(answer.status, 400, "{rule} {answer:?}");
        assert_eq!(message(&answer), told, "the same words for everybody");
    }
    // What has the wrong shape HTTP refuses by itself, and SQL in words, too.
    for (rule, by_http, words) in [
        (
            composite(&json!([{ "metric": "pulse", "max": 100 }])),
            "unknown variant `pulse`",
            "\"pulse\" is none that rules judge",
        ),
        (composite(&json!([{ "metric": "stress", "max": 9, "x": 1 }])), "unknown field `x`", "but not x"),
        (
            composite(&json!([{ "metric": "stress", "max": "9" }])),
            "expected a JSON number",
            "max is no number",
        ),
        (
            composite(&json!([{ "metric": "stress", "max": 9, "duration_seconds": 1.5 }])),
            "expected i32",
            "a whole number",
        ),
        (composite(&json!([1])), "expected struct Condition", "it is no object"),
        (
            levels(&json!([{ "severity": "high", "min": 40 }])),
            "unknown variant `high`",
            "level 1: severity has to be",
        ),
        (levels(&json!([{ "severity": "major", "min": 40, "x": 1 }])), "unknown field `x`", "but not x"),
        (levels(&json!([7])), "expected struct Level", "it is no object"),
        (rule(&json!({ "severity": "high" })), "unknown variant `high`", "severity has to be critical"),
        (rule(&json!({ "kind": "odd" })), "unknown variant `odd`", "kind has to be threshold"),
    ] {
        let answer = service.send("POST", RULES, Some(&rule)).await;
        assert_eq!(answer.status, 400, "{answer:?}");
        assert!(message(&answer).contains(by_http), "{rule} {answer:?}");
        let told = by_sql(&client, &rule).await.expect_err("refused");
        assert!(told.contains(words), "{rule} {told}");
    }
    let count: i64 = client
        .query_one("select count(*) from alert_rule where name = 'R'", &[])
        .await
        .expect("a count")
        .get(0);
    assert_eq!(count, 0);
    service.finish().await;
}

#[tokio::test]
async fn every_kind_of_rule_is_kept_as_it_was_told() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    for told in [
        rule(
            &json!({ "min_value": 45.5, "max_value": 120, "recovery_min_value": 50, "recovery_max_value": 110, "consecutive": 3,
            "window_seconds": 300, "effective_from": "22:00:00", "effective_until": "06:00:00", "effective_days": [6, 7],
            "time_zone": "Asia/Shanghai", "customer_id": "1939964806110937090", "message": "{user}: {value}" }),
        ),
        rule(&json!({ "replaces_rule_id": "1", "customer_id": "7", "enabled": false })),
        rule(
            &json!({ "user_id": "42", "levels": [{ "severity": "major", "min": 40 }, { "severity": "critical", "min": 30.5 }] }),
        ),
        composite(
            &json!([{ "metric": "heart_rate", "max": 100, "duration_seconds": 600 }, { "metric": "stress", "min": 20 }]),
        ),
        event(&json!({ "event_values": ["0"], "recovery_values": ["1"], "expire_seconds": 3600 })),
        silence(&json!({})),
    ] {
        let made = service.send("POST", RULES, Some(&told)).await;
        assert_eq!(made.status, 201, "{told} {made:?}");
        for (name, value) in told.as_object().expect("an object") {
            assert_eq!(&made.body[name], value, "{name}");
        }
        assert_eq!(made.body["version"], 1);
        let id = made.body["rule_id"].as_str().expect("text");
        assert_eq!(service.get(&format!("{RULES}/{id}")).await.body, made.body);
    }
    let count = async |query: &str| {
        let rules = service.get(&format!("{RULES}{query}")).await.body["rules"].clone();
        rules.as_array().expect("rules").len()
    };
    let seeded = count("?customer_id=0").await - 3;
    assert_eq!(count("").await, seeded + 6);
    assert_eq!((count("?customer_id=7").await, count("?enabled=false").await), (1, 1));
    assert_eq!((count("?kind=silence").await, count("?kind=silence&kind=composite").await), (1, 2));
    service.finish().await;
}

#[tokio::test]
async fn nobody_overwrites_what_they_have_not_seen() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    let path = format!("{RULES}/3");
    let mut seen = service.get(&path).await.body;
    assert_eq!((&seen["min_value"], &seen["version"]), (&json!(90), &json!(1)));

    // What was answered may be sent back changed.
    seen["min_value"] = json!(91);
    seen["actor"] = json!("Dr. Wu");
    let changed = service.send("PUT", &path, Some(&seen)).await;
    assert_eq!(changed.status, 200, "{changed:?}");
    assert_eq!((&changed.body["version"], &changed.body["changed_by"]), (&json!(2), &json!("Dr. Wu")));
    seen["min_value"] = json!(92);
    let late = service.send("PUT", &path, Some(&seen)).await;
    assert_eq!(late.status, 409, "{late:?}");
    assert!(message(&late).contains("by Dr. Wu") && message(&late).contains("its version is 2"), "{late:?}");
    // Without a version the last one wins; the same again is no version.
    seen.as_object_mut().expect("an object").remove("version");
    for _ in 0..2 {
        assert_eq!(service.send("PUT", &path, Some(&seen)).await.body["version"], 3);
    }

    let versions = service.get(&format!("{path}/versions")).await.body["versions"].clone();
    let bounds: Vec<&Value> =
        versions.as_array().expect("versions").iter().map(|each| &each["min_value"]).collect();
    assert_eq!(bounds, [92, 91, 90]);
    for (id, body, status) in [
        ("404", rule(&json!({})), 404),
        ("3", rule(&json!({ "rule_id": "4" })), 400),
        ("3", event(&json!({})), 400),
        ("3", json!({ "name": "R" }), 400),
        ("3", rule(&json!({ "colour": "red" })), 400),
        ("3", rule(&json!({ "actor": " " })), 400),
        ("3", json!([]), 400),
    ] {
        let refused = service.send("PUT", &format!("{RULES}/{id}"), Some(&body)).await;
        assert_eq!(refused.status, status, "{body} {refused:?}");
    }
    service.finish().await;
}

#[tokio::test]
async fn a_tenant_replaces_a_rule_once_and_the_replaced_one_stays_for_everybody() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    let own = rule(&json!({ "replaces_rule_id": "1", "customer_id": "7", "min_value": 45 }));
    assert_eq!(service.send("POST", RULES, Some(&own)).await.status, 201);
    let again = service.send("POST", RULES, Some(&own)).await;
    assert_eq!(again.status, 409, "{again:?}");
    let path = format!("{RULES}/1");
    let general = service.get(&path).await.body;
    for (column, value, reason) in [
        ("customer_id", json!("7"), "it has to be for everybody"),
        ("metric", json!("stress"), "replaces it for some and judges heart_rate"),
    ] {
        let mut changed = general.clone();
        changed[column] = value;
        changed["max_value"] = json!(99);
        changed["levels"] = Value::Null;
        let refused = service.send("PUT", &path, Some(&changed)).await;
        assert_eq!(refused.status, 400, "{refused:?}");
        assert!(message(&refused).contains(reason), "{refused:?}");
    }
    // Nobody loses their own bounds because somebody deletes the rule for everybody.
    let kept = service.send("DELETE", &path, None).await;
    assert_eq!(kept.status, 409, "{kept:?}");
    assert!(message(&kept).contains("other rules replace rule 1"), "{kept:?}");
    let kept = vitals(&database, &["alerts", "delete-rule", "1"]).await;
    assert!(kept.code == 1 && kept.err.contains("other rules replace rule 1"), "{kept:?}");
    assert_eq!(service.get(&format!("{RULES}?customer_id=7")).await.body["rules"][0]["min_value"], 45);
    service.finish().await;
}

#[tokio::test]
async fn a_rule_names_any_vital_sign_and_is_read_whoever_wrote_it() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    let client = database.client().await;
    for metric in Metric::ALL.into_iter().filter(|metric| metric.kind() == Kind::VitalSign) {
        let (name, bound) = (metric.column(), metric.range().end() - 1);
        let made = rule(&json!({ "metric": name, "min_value": null, "max_value": bound }));
        let made = service.send("POST", RULES, Some(&made)).await;
        assert_eq!((made.status, &made.body["metric"]), (201, &json!(name)), "{made:?}");
        let sql = format!(
            "insert into alert_rule (name, kind, severity, combine, conditions)
             values ('{name}', 'composite', 'minor', 'all', '[{{\"metric\": \"{name}\", \"max\": {bound}}}]')"
        );
        client.batch_execute(&sql).await.expect("a rule");
    }
    let listed = service.get(RULES).await;
    assert_eq!(listed.status, 200, "{listed:?}");
    let listed = vitals(&database, &["alerts", "rules"]).await;
    assert!(listed.code == 0 && listed.out.contains("blood_glucose >"), "{listed:?}");
    let refused = service.send("POST", RULES, Some(&rule(&json!({ "metric": "step" })))).await;
    assert!(refused.status == 400 && message(&refused).contains("blood_glucose"), "{refused:?}");
    service.finish().await;
}

#[tokio::test]
async fn a_rule_that_is_switched_off_leaves_no_alert_open_and_one_with_alerts_is_not_deleted() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    let client = database.client().await;
    let a = add_alert(&client, 1, "OFF-1", 5, &json!({})).await;
    let b = add_alert(&client, 1, "OFF-2", 5, &json!({ "historical": true })).await;
    let other = add_alert(&client, 5, "OFF-1", 5, &json!({})).await;
    let path = format!("{RULES}/1");

    let kept = service.send("DELETE", &path, None).await;
    assert_eq!(kept.status, 409, "{kept:?}");
    assert!(message(&kept).contains("switch it off"), "{kept:?}");
    let mut rule = service.get(&path).await.body;
    rule["enabled"] = json!(false);
    rule["actor"] = json!("Dr. Wu");
    assert_eq!(service.send("PUT", &path, Some(&rule)).await.status, 200);
    for id in [a, b] {
        let detail = service.get(&format!("/api/alerts/{id}")).await.body;
        let alert = &detail["alert"];
        assert_eq!((&alert["status"], &alert["resolution"]), (&json!("resolved"), &json!("rule_disabled")));
        assert_eq!(
            (&alert["resolved_by"], &detail["actions"][0]["actor"]),
            (&json!("Dr. Wu"), &json!("Dr. Wu"))
        );
        assert_eq!(detail["actions"][0]["note"], "the rule was disabled");
    }
    assert_eq!(service.get(&format!("/api/alerts/{other}")).await.body["alert"]["status"], "firing");

    let made = service.send("POST", RULES, Some(&silence(&json!({})))).await;
    let path = format!("{RULES}/{}", made.body["rule_id"].as_str().expect("text"));
    assert_eq!(service.send("DELETE", &path, None).await.status, 200);
    assert_eq!(service.send("DELETE", &path, None).await.status, 404);
    assert_eq!(service.get(&path).await.status, 404);
    let versions = service.get(&format!("{path}/versions")).await;
    assert_eq!(versions.body["versions"].as_array().map(Vec::len), Some(1), "what it was is still known");
    assert_eq!(service.get(&format!("{RULES}/404/versions")).await.status, 404);
    service.finish().await;
}

#[tokio::test]
async fn rules_know_the_same_ranges_as_uploads() {
    let database = Database::new().await;
    let client = database.client().await;
    for metric in Metric::ALL.into_iter().filter(|metric| metric.kind() == Kind::VitalSign) {
        let sql = "select lower(range)::integer, upper(range)::integer, upper_inc(range) from vitals.metric_range($1) as range";
        let row = client.query_one(sql, &[&metric.column()]).await.expect("a range");
        let range = row.get::<_, i32>(0)..=row.get::<_, i32>(1);
        assert_eq!((range, row.get::<_, bool>(2)), (metric.range(), true), "{metric:?}");
    }
}

#[tokio::test]
async fn a_zone_is_known_by_its_whole_name() {
    let database = Database::new().await;
    let client = database.client().await;
    for (zone, exists) in [
        ("Asia/Shanghai", true),
        ("UTC", true),
        ("Etc/GMT-8", true),
        ("America/Port-au-Prince", true),
        ("CST", false),
        ("UTC+8", false),
        ("+08:00", false),
        ("Asia/Foo+3", false),
        ("", false),
    ] {
        let row = client.query_one("select vitals.is_time_zone($1)", &[&zone]).await.expect("an answer");
        assert_eq!(row.get::<_, bool>(0), exists, "{zone}");
    }
}

#[tokio::test]
async fn the_rules_of_the_manual_are_possible() {
    let database = Database::new().await;
    let manual = include_str!("../../sql/README.md");
    let part = manual.split("\n## ").find(|part| part.starts_with("Alert rules")).expect("a part on rules");
    let sql = part.split("```sql\n").nth(1).and_then(|rest| rest.split("```").next()).expect("examples");
    let client = database.client().await;
    client.batch_execute(sql).await.expect("possible rules");
    let query = "select count(*), count(distinct kind) from alert_rule where rule_id > (select max(rule_id) from alert_rule) - 8";
    let row = client.query_one(query, &[]).await.expect("rules");
    assert_eq!((row.get::<_, i64>(0), row.get::<_, i64>(1)), (8, 4));
}
