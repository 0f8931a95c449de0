//! Rules with levels, and rules for a tenant, a unit, a person or a device: through uploads, HTTP, the command line and SQL.

mod migration;

use jiff::{SignedDuration, Timestamp};
use redis::AsyncCommands;
use serde_json::{Value, json};
use tokio_postgres::Client;
use vitals::store::migrate;

use crate::harness::{Database, Service, eventually, vitals};
use crate::vital_signs::make_as_of;

const RULES: &str = "/api/alerts/rules";

/// Uploads a heart rate of a device, `seconds_ago` before `now`, and waits for the reaction.
async fn heart_rate(service: &Service, device_sn: &str, now: Timestamp, seconds_ago: i64, rate: i64) {
    let second = (now - SignedDuration::from_secs(seconds_ago)).as_second();
    service
        .upload(&json!({ "data": { "deviceSn": device_sn, "heart_rate": rate, "timestamp": second } }))
        .await;
    service.drained().await;
}

/// The texts of a query with one column.
async fn texts(client: &Client, query: &str) -> Vec<String> {
    let rows = client.query(query, &[]).await.unwrap_or_else(|error| panic!("{query}: {error:?}"));
    rows.iter().map(|row| row.get(0)).collect()
}

async fn run(client: &Client, sql: &str) {
    client.batch_execute(sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
}

/// The command line, which has to succeed.
async fn command(database: &Database, arguments: &[&str]) -> String {
    let said = vitals(database, &[&["alerts"], arguments].concat()).await;
    assert_eq!(said.code, 0, "{arguments:?} {said:?}");
    said.out
}

/// Somebody who is notified of alerts from a severity on.
async fn subscribe(client: &Client, address: &str, min_severity: &str) {
    let sql = format!(
        "with someone as (insert into contact (name) values ('{address}') returning contact_id),
              reached as (insert into contact_address (contact_id, channel, address)
                          select contact_id, 'wecom_robot', '{address}' from someone)
         insert into notification_route (channel, audience, contact_id, min_severity)
         select 'wecom_robot', 'contact', contact_id, '{min_severity}' from someone"
    );
    run(client, &sql).await;
}

const NOTIFIED: &str =
    "select concat_ws(' ', kind, address) from notification order by notification_id, address";

#[tokio::test]
async fn an_alert_rises_and_falls_with_its_readings_and_people_are_notified_when_it_rises() {
    let database = Database::new().await;
    let client = database.client().await;
    subscribe(&client, "nurse", "minor").await;
    subscribe(&client, "doctor", "major").await;
    let service = Service::start(&database).await;
    let now = Timestamp::now();
    let mut seen = Vec::new();
    for (minutes_ago, rate) in (0..8).rev().zip([130, 150, 130, 130, 130, 90, 90, 90]) {
        heart_rate(&service, "RISES-1", now, minutes_ago * 60, rate).await;
        run(&client, "update notification set status = 'sent', sent_at = now() where status = 'pending'")
            .await;
        let alert = service.get("/api/alerts?device_sn=RISES-1").await.body["alerts"][0].clone();
        seen.push(
            ["status", "severity", "peak_severity"]
                .map(|name| alert[name].as_str().expect("text").to_owned()),
        );
    }
    let expected = [
        ["firing", "minor", "minor"],
        ["firing", "major", "major"],
        ["firing", "major", "major"],
        ["firing", "major", "major"],
        ["firing", "minor", "major"],
        ["firing", "minor", "major"],
        ["firing", "minor", "major"],
        ["resolved", "minor", "major"],
    ];
    assert_eq!(seen, expected.map(|words| words.map(str::to_owned)));
    let actions =
        texts(&client, "select concat_ws('|', action, severity) from alert_action order by alert_action_id")
            .await;
    assert_eq!(actions, ["fired|minor", "raised|major", "lowered|minor", "resolved"], "one alert");
    assert_eq!(texts(&client, NOTIFIED).await, ["fired nurse", "raised doctor", "raised nurse"]);
    let message = texts(&client, "select message from alert").await.remove(0);
    assert!(message.contains("heart rate 150/min (normal 50 to 120)"), "{message}");
    let replayed = command(&database, &["replay-rule", "1", "--json"]).await;
    let replayed: Value = serde_json::from_str(&replayed).expect("JSON");
    assert_eq!(replayed["peak_severities"], json!({ "major": 1 }), "{replayed}");
    let told = |name: &str, fired: i64| {
        json!({ "contact": name, "channel": "wecom_robot", "address": format!("…{}", &name[name.len() - 4..]),
        "fired": fired, "raised": 1, "escalated": 0, "resolved": 0 })
    };
    assert_eq!(replayed["notified"], json!([told("doctor", 0), told("nurse", 1)]), "{replayed}");
    let stricter =
        command(&database, &["replay-rule", "1", "--set", r#"levels=[{"severity":"critical","max":145}]"#])
            .await;
    assert!(stricter.contains("who would have been notified") && stricter.contains("nurse"), "{stricter}");
    let none = command(&database, &["replay-rule", "1", "--set", "levels=null", "--json"]).await;
    assert_eq!(serde_json::from_str::<Value>(&none).expect("JSON")["peak_severities"], json!({ "minor": 1 }));
    let id = texts(&client, "select alert_id::text from alert").await.remove(0);
    let shown = command(&database, &["show", &id]).await;
    assert!(shown.contains("peak_severity") && shown.contains("raised"), "{shown}");
    service.finish().await;
}

#[tokio::test]
async fn who_acknowledged_an_alert_is_asked_once_more_when_it_rises() {
    let database = Database::new().await;
    let client = database.client().await;
    let service = Service::start(&database).await;
    let now = Timestamp::now();
    heart_rate(&service, "RISES-2", now, 180, 130).await;
    run(&client, "select vitals.acknowledge_alert(alert_id, 'nurse Li') from alert").await;
    heart_rate(&service, "RISES-2", now, 120, 131).await;
    let state = "select concat_ws('|', status, severity, acknowledged_by) from alert";
    assert_eq!(texts(&client, state).await, ["acknowledged|minor|nurse Li"], "it did not rise");
    heart_rate(&service, "RISES-2", now, 60, 35).await;
    assert_eq!(texts(&client, state).await, ["firing|major"]);
    eventually("Redis shows it", || async {
        let mut redis = database.redis().await;
        let open: Vec<String> = redis.hvals("alert_info:RISES-2").await.expect("alerts");
        let open: Value = serde_json::from_str(open.first()?).expect("JSON");
        ["severity", "severityLevel", "peakSeverity"].iter().all(|name| open[*name] == "major").then_some(())
    })
    .await;
    service.finish().await;
}

/// Whom the heart rates of a test belong to: tenant 7 with unit 71 and in it 711, tenant 8.
const DIRECTORY: &str = "
    insert into org_unit (org_id, ancestors) values (7, '{}'), (71, '{7}'), (711, '{7,71}'), (8, '{}');
    insert into app_user (user_id, org_id) values (1, 711), (2, 711), (3, 71), (4, 7), (5, 8);
    select bind_device(sn, user_id) from (values ('W-1', 1), ('W-2', 1), ('W-3', 2), ('W-4', 3), ('W-5', 4), ('W-6', 5), ('W-7', 1)) as b (sn, user_id)";

#[tokio::test]
async fn of_the_rules_that_replace_one_the_narrowest_applies() {
    let database = Database::new().await;
    let client = database.client().await;
    run(&client, DIRECTORY).await;
    let service = Service::start(&database).await;
    let rule = |name: &str, scope: Value, max: i32| {
        let mut rule = json!({ "name": name, "kind": "threshold", "severity": "minor", "metric": "heart_rate",
            "max_value": max, "replaces_rule_id": "1" });
        rule.as_object_mut().expect("an object").extend(scope.as_object().expect("an object").clone());
        rule
    };
    for (name, scope, max) in
        [("tenant", json!({ "customer_id": "7" }), 125), ("person", json!({ "user_id": "1" }), 140)]
    {
        let made = service.send("POST", RULES, Some(&rule(name, scope, max))).await;
        assert_eq!(made.status, 201, "{made:?}");
    }
    for (name, column, max) in
        [("unit", "org_id=71", "max_value=130"), ("device", "device_sn=W-1", "max_value=145")]
    {
        let name = format!("name={name}");
        let fixed = [
            "--set",
            "kind=threshold",
            "--set",
            "severity=minor",
            "--set",
            "metric=heart_rate",
            "--set",
            "replaces_rule_id=1",
        ];
        command(
            &database,
            &[&["add-rule", "--set", &name, "--set", column, "--set", max], &fixed[..]].concat(),
        )
        .await;
    }
    run(
        &client,
        "insert into alert_rule (name, kind, severity, metric, max_value, org_id, replaces_rule_id)
         values ('sub-unit', 'threshold', 'minor', 'heart_rate', 135, 711, 1)",
    )
    .await;
    let alerts = async |device_sn: &str| {
        let query = format!(
            "select r.name from alert a join alert_rule r using (rule_id) where a.device_sn = '{device_sn}'"
        );
        texts(&client, &query).await
    };
    let now = Timestamp::now();
    for (device_sn, expected, max) in [
        ("W-1", "device", 145),
        ("W-2", "person", 140),
        ("W-3", "sub-unit", 135),
        ("W-4", "unit", 130),
        ("W-5", "tenant", 125),
        ("W-6", "Heart rate out of range", 120),
    ] {
        heart_rate(&service, device_sn, now, 120, max).await;
        assert_eq!(alerts(device_sn).await, Vec::<String>::new(), "{device_sn}: the bound is normal");
        heart_rate(&service, device_sn, now, 60, max + 1).await;
        assert_eq!(alerts(device_sn).await, [expected], "{device_sn}");
    }

    let listed = command(&database, &["rules"]).await;
    for scope in ["tenant 7", "unit 71", "unit 711", "person 1", "device W-1"] {
        assert!(listed.contains(scope), "{scope}: {listed}");
    }
    for (query, count) in [("user_id=1", 1), ("org_id=711", 1), ("device_sn=W-1", 1), ("customer_id=7", 1)] {
        let found = service.get(&format!("{RULES}?{query}")).await.body["rules"].clone();
        assert_eq!(found.as_array().map(Vec::len), Some(count), "{query} {found}");
    }
    // The open alert of a rule ends when a narrower one replaces it.
    let made =
        service.send("POST", RULES, Some(&rule("of the wearer", json!({ "user_id": "5" }), 150))).await;
    assert_eq!(made.status, 201, "{made:?}");
    let ended = "select concat_ws('|', a.status, a.resolution, c.note) from alert a join alert_action c using (alert_id)
                 where a.device_sn = 'W-6' and c.action = 'resolved'";
    assert_eq!(texts(&client, ended).await, ["resolved|rule_disabled|another rule replaces it"]);
    // A rule that replaces none is applied in addition; one that is disabled replaces all the same.
    run(
        &client,
        "insert into alert_rule (name, kind, severity, metric, max_value, user_id) values ('in addition', 'threshold', 'info', 'heart_rate', 100, 1);
         update alert_rule set enabled = false where name in ('device', 'person')",
    )
    .await;
    heart_rate(&service, "W-7", now, 30, 170).await;
    assert_eq!(alerts("W-7").await, ["in addition"]);
    service.finish().await;
}

/// Devices with alerts of the rules before: `open` on both, `severe` on the graver rule alone, `past`.
const BEFORE: &str = "
    insert into alert (device_sn, rule_id, rule_version, kind, severity, metric, status, started_ts, fired_ts, last_ts, judged_ts, message,
        acknowledged_at, acknowledged_by, resolved_at, resolution, ended_ts)
    select a.device_sn, a.rule_id, 1, 'threshold', r.severity, r.metric, a.status, t.ts, t.ts, t.ts, t.ts, a.device_sn,
        case a.status when 'acknowledged' then now() end, case a.status when 'acknowledged' then 'nurse Li' end,
        case a.status when 'resolved' then now() end, case a.status when 'resolved' then 'recovered' end,
        case a.status when 'resolved' then t.ts end
    from (values ('both', 1, 'firing'), ('both', 2, 'acknowledged'), ('alone', 2, 'firing'), ('past', 1, 'resolved'), ('past', 2, 'resolved'),
        ('oxygen', 3, 'firing'))
        as a (device_sn, rule_id, status)
    join alert_rule r on r.rule_id = a.rule_id, lateral (select now() - interval '10 minutes' as ts) as t;
    insert into alert_action (alert_id, action) select alert_id, 'fired' from alert";

const STATES: &str = "
    select concat_ws('|', device_sn, rule_id, severity, peak_severity, status, acknowledged_by, resolution) from alert order by device_sn, rule_id";

#[tokio::test]
async fn alerts_of_the_rules_before_levels_are_carried_over() {
    let database = Database::empty("Asia/Shanghai").await;
    let client = database.client().await;
    make_as_of(&client, 46).await;
    run(&client, BEFORE).await;
    migrate::run(&database.settings()).await.expect("migrates");
    assert_eq!(
        texts(&client, STATES).await,
        [
            "alone|1|major|major|firing",
            "both|1|major|major|acknowledged|nurse Li",
            "both|2|major|major|resolved|nurse Li|rule_disabled",
            "oxygen|3|major|major|firing",
            "past|1|minor|minor|resolved|recovered",
            "past|2|major|major|resolved|recovered",
        ]
    );
    let rules = "select concat_ws('|', rule_id, enabled, version, levels) from alert_rule where rule_id <= 4 order by rule_id";
    assert_eq!(
        texts(&client, rules).await,
        [
            r#"1|t|2|[{"max": 140, "min": 40, "severity": "major"}]"#,
            "2|f|2",
            r#"3|t|2|[{"min": 85, "severity": "critical"}]"#,
        ],
        "a rule without alerts goes, one with alerts stays readable"
    );
    let versions = "select concat_ws('|', rule_id, version, rule ->> 'levels' is not null, changed_by = 'vitals migrate')
         from alert_rule_version where rule_id in (1, 2, 4) order by rule_id, version";
    assert_eq!(texts(&client, versions).await, ["1|1|f|f", "1|2|t|t", "2|1|f|f", "2|2|f|t", "4|1|f|f"]);
    let history = "select concat_ws('|', a.device_sn, a.rule_id, c.action, c.severity) from alert_action c join alert a using (alert_id)
         where a.device_sn in ('both', 'alone') order by a.device_sn, a.rule_id, c.alert_action_id";
    assert_eq!(
        texts(&client, history).await,
        [
            "alone|1|fired",
            "alone|1|noted",
            "both|1|fired",
            "both|1|raised|major",
            "both|2|fired",
            "both|2|resolved"
        ]
    );

    // They go on as alerts of the rule with levels.
    let service = Service::start(&database).await;
    let now = Timestamp::now();
    for (minutes_ago, rate) in (0..3).rev().zip([130, 130, 130]) {
        heart_rate(&service, "both", now, minutes_ago * 60, rate).await;
    }
    let after = texts(&client, STATES).await;
    assert_eq!(after[1], "both|1|minor|major|acknowledged|nurse Li");
    service.finish().await;
}

#[tokio::test]
async fn rules_that_somebody_changed_or_built_on_stay_as_they_are() {
    let database = Database::empty("Asia/Shanghai").await;
    let client = database.client().await;
    make_as_of(&client, 46).await;
    run(
        &client,
        "update alert_rule set max_value = 135 where rule_id = 2;
         insert into alert_rule (name, kind, severity, customer_id, replaces_rule_id, metric, min_value)
         values ('Of a tenant', 'threshold', 'minor', 7, 3, 'blood_oxygen', 80)",
    )
    .await;
    migrate::run(&database.settings()).await.expect("migrates");
    let rules =
        "select concat_ws('|', rule_id, enabled, levels) from alert_rule where rule_id <= 4 order by rule_id";
    assert_eq!(texts(&client, rules).await, ["1|t", "2|t", "3|t", "4|t"]);
}

#[tokio::test]
async fn a_replay_has_alerts_that_people_resolved_and_shows_no_token_of_a_robot() {
    let database = Database::new().await;
    let client = database.client().await;
    run(&client, DIRECTORY).await;
    run(&client, "update app_user set name = 'Mr Chen' where user_id = 1").await;
    for channel in ["feishu_robot", "dingtalk_robot"] {
        let sql = format!(
            "with someone as (insert into contact (name) values ('{channel}') returning contact_id),
                  reached as (insert into contact_address (contact_id, channel, address)
                              select contact_id, '{channel}', 'token-of-{channel}' from someone)
             insert into notification_route (channel, audience, contact_id, min_severity)
             select '{channel}', 'contact', contact_id, 'minor' from someone"
        );
        run(&client, &sql).await;
    }
    // A rule for some devices replaces it, so that rows are asked one by one.
    run(
        &client,
        "insert into alert_rule (name, kind, severity, metric, max_value, device_sn, replaces_rule_id)
         values ('Own', 'threshold', 'minor', 'heart_rate', 200, 'W-2', 1);
         insert into alert_rule (name, kind, severity, metric, max_value) values ('Fast', 'threshold', 'minor', 'heart_rate', 125)",
    )
    .await;
    let service = Service::start(&database).await;
    let now = Timestamp::now();
    for device_sn in ["W-1", "W-2"] {
        heart_rate(&service, device_sn, now, 60, 130).await;
    }
    let messages = texts(&client, "select message from alert where rule_id > 20 and device_sn = 'W-1'").await;
    assert!(messages[0].contains("Mr Chen"), "a rule without a text names the wearer: {messages:?}");
    run(&client, "select vitals.resolve_alert(alert_id, 'nurse Li') from alert").await;
    let replayed = command(&database, &["replay-rule", "1", "--json"]).await;
    assert!(!replayed.contains("token-of"), "{replayed}");
    let replayed: Value = serde_json::from_str(&replayed).expect("JSON");
    assert_eq!(replayed["stored"], json!({ "alerts": 1, "again": 1, "gone": 0, "new": 0 }), "{replayed}");
    let told: Vec<&Value> =
        replayed["notified"].as_array().expect("people").iter().map(|each| &each["address"]).collect();
    assert_eq!(told, ["…obot", "…obot"]);
    service.finish().await;
}
