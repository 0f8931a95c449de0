//! A database from before levels, steps, clocks, responders and the new channels (version 46), with rules, alerts, contacts, routes,
//! notifications and silences, is migrated to the newest version: every row is what it was, and what is new works on the old rows.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tokio_postgres::Client;
use vitals::store::migrate;

use crate::harness::{Database, Receiver, Reply, Service, eventually, vitals};
use crate::vital_signs::make_as_of;

/// What people and the evaluation wrote. `{hook}` is where a webhook listens.
const DATA: &str = "
    insert into customer (customer_id, name) values (7, 'Sunset');
    insert into org_unit (org_id, ancestors, name) values (7, '{}', 'Sunset'), (71, '{7}', 'Ward 71');
    insert into app_user (user_id, org_id, name) values (1, 71, 'Mr Chen'), (2, 71, 'Mrs Wu');
    insert into device (device_sn) values ('OLD-1'), ('OLD-2');
    insert into device_binding (device_sn, user_id, valid_from) values
        ('OLD-1', 1, now() - interval '1 year'), ('OLD-2', 2, now() - interval '1 year');
    insert into health_data (device_sn, ts, heart_rate, temperature, customer_id, org_id, user_id)
    select sn, now() - age, 130, 39, 7, 71, user_id
    from (values ('OLD-1', 1), ('OLD-2', 2)) as d (sn, user_id), unnest(array['20 minutes', '10 minutes']::interval[]) as age;

    set vitals.actor = 'Dr. Wu';
    update alert_rule set max_value = 38 where rule_id = 5;
    update alert_rule set message = '{wearer}: oxygen alarm of the watch, {value}' where rule_id = 12;
    update alert_rule_text set message = '{wearer}:手表提示心率过高' where rule_id = 10 and language = 'zh';
    insert into alert_rule (name, kind, severity, metric, max_value, customer_id, replaces_rule_id)
    values ('Fever, Sunset', 'threshold', 'major', 'temperature', 38.5, 7, 5);
    insert into alert_rule (name, kind, severity, metric, max_value, message)
    values ('Pressure', 'threshold', 'minor', 'pressure_high', 160, '{device_sn}: {value}');
    insert into alert_rule (name, kind, severity, silent_seconds, enabled) values ('Silent', 'silence', 'minor', 1800, false);
    reset vitals.actor;

    insert into alert (device_sn, rule_id, rule_version, kind, severity, metric, event_type, customer_id, org_id, user_id, status,
        started_ts, fired_ts, last_ts, judged_ts, breach_count, last_value, peak_value, message, historical,
        acknowledged_at, acknowledged_by, resolved_at, resolved_by, resolution, muted_until)
    select a.device_sn, r.rule_id, r.version, r.kind, r.severity, r.metric, r.event_type, 7, 71, a.user_id, a.status,
        t.ts, t.ts, t.ts, t.ts, 2, 39, 39.5, r.name || ' of ' || a.device_sn, a.historical,
        case a.status when 'acknowledged' then t.ts end, case a.status when 'acknowledged' then 'nurse Li' end,
        case a.status when 'resolved' then t.ts end, case a.status when 'resolved' then 'nurse Li' end,
        case a.status when 'resolved' then 'manual' end, case a.status when 'resolved' then t.ts + interval '5 minutes' end
    from (values
        ('OLD-1', 1, 'Heart rate out of range', 'firing', false), ('OLD-2', 2, 'Heart rate out of range', 'acknowledged', false),
        ('OLD-1', 1, 'Fever, Sunset', 'firing', false), ('OLD-2', 2, 'Pressure', 'resolved', false),
        ('OLD-1', 1, 'Pressure', 'firing', true), ('OLD-2', 2, 'Watch says: heart rate high', 'firing', false),
        ('OLD-1', 1, 'SOS', 'firing', false)
    ) as a (device_sn, user_id, rule, status, historical)
    join alert_rule r on r.name = a.rule
    cross join lateral (select now() - interval '10 minutes' as ts) as t;
    insert into alert_action (alert_id, action, actor, note)
    select alert_id, 'fired', null, null from alert
    union all select alert_id, 'noted', 'nurse Li', 'was calm' from alert where status = 'resolved';

    insert into contact (name, language, user_id) values
        ('nurse Li', 'en', null), ('head', 'zh', null), ('group', null, null), ('Mr Chen', null, 1), ('system', null, null);
    insert into contact_address (contact_id, channel, address, secret, enabled)
    select c.contact_id, a.channel, a.address, a.secret, a.enabled
    from contact c
    join (values
        ('nurse Li', 'webhook', '{hook}/li', null, true), ('nurse Li', 'wecom', 'li', null, false),
        ('head', 'webhook', '{hook}/head', null, true), ('group', 'wecom_robot', 'key of a robot / 1', null, true),
        ('Mr Chen', 'wechat', 'openid', null, true), ('Mr Chen', 'email', 'chen@example.org', null, true),
        ('system', 'webhook', '{hook}/system', 'whsec_AAECAwQFBgcICQoLDA0ODw==', true)
    ) as a (name, channel, address, secret, enabled) using (name);
    insert into org_manager select 71, contact_id from contact where name = 'nurse Li';
    insert into notification_route (customer_id, org_id, rule_id, min_severity, channel, audience, contact_id, after_seconds, on_resolved,
        merge_seconds, quiet_from, quiet_until, time_zone, enabled)
    select r.customer_id, r.org_id, (select rule_id from alert_rule where name = r.rule), r.min_severity, r.channel, r.audience,
        (select contact_id from contact where name = r.contact), r.after_seconds, r.on_resolved, r.merge_seconds, r.quiet_from::time,
        r.quiet_until::time, r.time_zone, r.enabled
    from (values
        (7::bigint, null::bigint, null, 'minor', 'webhook', 'managers', null, 0, true, 0, null, null, null, true),
        (null, 71, null, 'minor', 'webhook', 'contact', 'head', 3600, false, null, null, null, null, true),
        (null, null, 'Pressure', 'info', 'wecom_robot', 'contact', 'group', 0, true, 60, '22:00', '07:00', 'Asia/Shanghai', true),
        (null, null, null, 'critical', 'wechat', 'wearer', null, 0, false, null, null, null, null, false)
    ) as r (customer_id, org_id, rule, min_severity, channel, audience, contact, after_seconds, on_resolved, merge_seconds, quiet_from,
        quiet_until, time_zone, enabled);
    insert into notification (alert_id, kind, channel, address, contact_id, route_id, urgent, status, due_at, unless_taken, merge_seconds,
        attempts, message_id, sent_at, error)
    select a.alert_id, n.kind, c.channel, c.address, c.contact_id, n.route_id, n.urgent, n.status, now() + n.due_in, n.unless_taken,
        n.merge_seconds, n.attempts, n.message_id::uuid, case n.status when 'sent' then now() end, n.error
    from (values
        ('Heart rate out of range of OLD-1', 'fired', 'nurse Li', 1, false, 'sent', interval '-10 minutes', false, 0, 1,
         '10000000-0000-4000-8000-000000000001', null),
        ('Heart rate out of range of OLD-1', 'escalated', 'head', 2, false, 'pending', interval '50 minutes', true, null, 0, null, null),
        ('Fever, Sunset of OLD-1', 'fired', 'nurse Li', 1, false, 'pending', interval '-1 minute', false, 0, 2,
         '10000000-0000-4000-8000-000000000002', 'HTTP 503'),
        ('SOS of OLD-1', 'fired', 'nurse Li', 1, true, 'dead', interval '-10 minutes', false, 0, 3,
         '10000000-0000-4000-8000-000000000003', 'HTTP 410'),
        ('Pressure of OLD-2', 'resolved', 'group', 3, false, 'cancelled', interval '-5 minutes', false, 60, 0, null, 'no longer used')
    ) as n (alert, kind, contact, route_id, urgent, status, due_in, unless_taken, merge_seconds, attempts, message_id, error)
    join alert a on a.message = n.alert
    join contact k on k.name = n.contact
    join contact_address c on c.contact_id = k.contact_id and c.enabled;
    insert into alert_silence (customer_id, org_id, device_sn, rule_id, starts_at, ends_at, actor, note) values
        (null, null, 'OLD-2', null, now() - interval '1 hour', now() + interval '1 day', 'nurse Li', 'in the bath'),
        (7, null, null, null, now() - interval '2 days', now() - interval '1 day', 'head', null),
        (null, 71, null, 7, now() - interval '1 hour', now() + interval '1 day', 'head', 'drill');
    -- The readings were evaluated long ago.
    delete from outbox";

/// The tables that people and the evaluation write, with the key of each.
const TABLES: [(&str, &str); 11] = [
    ("alert_rule", "rule_id"),
    ("alert_rule_text", "rule_id, language"),
    ("alert_rule_version", "rule_id, version"),
    ("alert", "alert_id"),
    ("alert_action", "alert_action_id"),
    ("alert_silence", "silence_id"),
    ("contact", "contact_id"),
    ("contact_address", "contact_id, channel, address"),
    ("org_manager", "org_id, contact_id"),
    ("notification_route", "route_id"),
    ("notification", "notification_id"),
];

async fn run(client: &Client, sql: &str) {
    client.batch_execute(sql).await.unwrap_or_else(|error| panic!("{error:?}"));
}

async fn value(client: &Client, query: &str) -> Value {
    client.query_one(query, &[]).await.unwrap_or_else(|error| panic!("{query}: {error:?}")).get(0)
}

async fn texts(client: &Client, query: &str) -> Vec<String> {
    let rows = client.query(query, &[]).await.unwrap_or_else(|error| panic!("{query}: {error:?}"));
    rows.iter().map(|row| row.get(0)).collect()
}

/// Every row of the tables by its key, with all columns that it has.
async fn all_rows(client: &Client) -> BTreeMap<String, Value> {
    let mut all = BTreeMap::new();
    for (table, key) in TABLES {
        let query = format!("select concat_ws('|', '{table}', {key}), to_jsonb(t) from {table} t");
        let rows = client.query(&query, &[]).await.unwrap_or_else(|error| panic!("{query}: {error:?}"));
        all.extend(rows.iter().map(|row| (row.get(0), row.get(1))));
    }
    all
}

/// What became different in the columns that there were, as `row column`; rows that are gone as `row`.
fn differences(before: &BTreeMap<String, Value>, after: &BTreeMap<String, Value>) -> Vec<String> {
    let mut differences = Vec::new();
    for (key, row) in before {
        let Some(now) = after.get(key) else {
            differences.push(key.clone());
            continue;
        };
        let columns = row.as_object().expect("a row").iter();
        differences.extend(
            columns.filter(|(name, was)| now[*name] != **was).map(|(name, _)| format!("{key} {name}")),
        );
    }
    differences
}

/// Migrates a database of version 46 with `DATA`, and checks what the migrations left as it was.
async fn migrated(hook: &str) -> (Database, Client) {
    let database = Database::empty("Asia/Shanghai").await;
    let client = database.client().await;
    make_as_of(&client, 46).await;
    run(&client, &DATA.replace("{hook}", hook)).await;
    let before = all_rows(&client).await;
    let done = migrate::run(&database.settings()).await.expect("migrates");
    assert_eq!(done.applied.first().map(String::as_str), Some("V47__alert_levels"));
    let after = all_rows(&client).await;

    // The seeds of heart rate and oxygen become two with levels, where nobody built on them; their text is untouched.
    let mut expected: Vec<String> = ["alert_rule|2", "alert_rule|4"].map(str::to_owned).into();
    expected.extend(["alert_rule_text|2|zh", "alert_rule_text|4|zh"].map(str::to_owned));
    for rule_id in [1, 3] {
        expected.extend(
            ["changed_at", "changed_by", "version"].map(|name| format!("alert_rule|{rule_id} {name}")),
        );
    }
    // Of the warnings of watches, those with the text of the seeds name the unit.
    for rule_id in [10, 11, 14, 15, 16, 17] {
        expected.extend(
            ["changed_at", "changed_by", "message", "version"]
                .map(|name| format!("alert_rule|{rule_id} {name}")),
        );
        if rule_id != 10 {
            expected.push(format!("alert_rule_text|{rule_id}|zh message"));
        }
    }
    let mut differences = differences(&before, &after);
    differences.sort();
    expected.sort();
    assert_eq!(differences, expected);
    (database, client)
}

#[tokio::test]
async fn every_row_of_an_older_database_is_what_it_was() {
    let (database, client) = migrated("http://192.0.2.1").await;
    assert_eq!(
        texts(&client, "select concat_ws('|', rule_id, name, message) from alert_rule where rule_id in (10, 12, 13) order by rule_id")
            .await,
        [
            "10|Watch says: heart rate high|{wearer}: the watch warns of a high heart rate ({value}/min) at {time}",
            "12|Watch says: oxygen saturation low|{wearer}: oxygen alarm of the watch, {value}",
            "13|Watch says: stress high|{wearer}: the watch warns of high stress ({value}) at {time}",
        ]
    );
    assert_eq!(
        texts(&client, "select message from alert_rule_text where rule_id in (10, 11) and language = 'zh' order by rule_id").await,
        ["{wearer}:手表提示心率过高", "{wearer}:手表预警心率过低({value} 次/分),{time}"],
        "a text that somebody wrote stays"
    );
    // What is new has the value that says nothing new about an old row.
    for (query, expected) in [
        ("select count(*) from alert where peak_severity <> severity or assigned_to is not null", 0),
        ("select count(*) from notification_route where repeat_seconds is not null or on_acknowledged", 0),
        ("select count(*) from notification where sequence <> 1", 0),
        ("select count(*) from alert_silence where key_id is not null", 0),
        ("select count(distinct address_id) from contact_address", 7),
        ("select count(*) from alert_rule where num_nonnulls(org_id, user_id, device_sn) > 0", 0),
        ("select count(*) from vitals.notification_step", 0),
        ("select count(*) from alert_rule r where vitals.alert_rule_refusal(r) is not null", 0),
    ] {
        let count: i64 = client.query_one(query, &[]).await.expect(query).get(0);
        assert_eq!(count, expected, "{query}");
    }
    let again = migrate::run(&database.settings()).await.expect("migrates again");
    assert_eq!(again.applied, [""; 0]);
}

#[tokio::test]
async fn what_is_new_works_on_the_rows_of_an_older_database() {
    let receiver = Receiver::start(|_| Reply::Status(204)).await;
    let (database, client) = migrated(&receiver.url()).await;
    let service = Service::start_with(&database, |settings| {
        settings.poll_interval_ms = 50;
        settings.notify.merge_seconds = 0;
        settings.notify.webhook_allow_private = true;
    })
    .await;
    let alert = |message: &str| {
        let query = format!("select to_jsonb(alert_id) from alert where message = '{message}'");
        let client = &client;
        async move { value(client, &query).await.as_i64().expect("a number") }
    };
    let kinds = |alert_id: i64| {
        let query = format!(
            "select concat_ws(' ', kind, substring(address from '[a-z]+$'), status) from notification where alert_id = {alert_id}
             order by notification_id"
        );
        let client = &client;
        async move { texts(client, &query).await }
    };

    // A message that was waiting is sent under its number, and a dead letter is sent when a person asks for it.
    let heart = alert("Heart rate out of range of OLD-1").await;
    let silenced = alert("Heart rate out of range of OLD-2").await;
    let fever = alert("Fever, Sunset of OLD-1").await;
    let sos = alert("SOS of OLD-1").await;
    let sent = receiver.received("/li", 1).await.remove(0);
    assert_eq!(sent.header("webhook-id"), "10000000-0000-4000-8000-000000000002");
    assert_eq!(sent.body["data"]["alerts"][0]["alert_id"], fever.to_string());
    assert_eq!(sent.body["data"]["alerts"][0]["user_name"], "Mr Chen");
    let resent = vitals(&database, &["alerts", "dead-letters", "resend", "--all"]).await;
    assert_eq!(resent.code, 0, "{resent:?}");
    let sent = receiver.received("/li", 2).await.remove(1);
    assert_eq!(sent.header("webhook-id"), "10000000-0000-4000-8000-000000000003");

    // An open alert of a seed rises to a level of it; those who had it are notified.
    let now = jiff::Timestamp::now().as_second();
    for device_sn in ["OLD-1", "OLD-2"] {
        let item = json!({ "deviceSn": device_sn, "heart_rate": 155, "timestamp": now });
        service.upload(&json!({ "data": item })).await;
    }
    service.drained().await;
    let sent = receiver.received("/li", 3).await.remove(2);
    assert_eq!(
        (&sent.body["type"], &sent.body["data"]["alerts"][0]["severity"]),
        (&json!("alert.raised"), &json!("major"))
    );
    assert_eq!(kinds(silenced).await, [""; 0], "the silence still holds");
    let risen = "select jsonb_agg(concat_ws('|', severity, peak_severity, status) order by device_sn) from alert where rule_id = 1";
    assert_eq!(value(&client, risen).await, json!(["major|major|firing", "major|major|firing"]));

    // An acknowledgement cancels the escalation that was waiting, and tells nobody, as before.
    let answer = service
        .send("POST", &format!("/api/alerts/{heart}/acknowledge"), Some(&json!({ "actor": "nurse Li" })))
        .await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(kinds(heart).await, ["fired li sent", "escalated head cancelled", "raised li sent"]);
    // Assigned and resolved.
    let head =
        value(&client, "select to_jsonb(contact_id) from contact where name = 'head'").await.to_string();
    let assigned =
        vitals(&database, &["alerts", "assign", &sos.to_string(), "--to", &head, "--actor", "nurse Li"])
            .await;
    assert_eq!(assigned.code, 0, "{assigned:?}");
    assert_eq!(receiver.received("/head", 1).await.remove(0).body["type"], "alert.assigned");
    run(&client, &format!("select vitals.resolve_alert({fever}, 'nurse Li')")).await;
    eventually("its end is notified", || async {
        (kinds(fever).await == ["fired li sent", "resolved li sent"]).then_some(())
    })
    .await;

    // A route that was there repeats, by a shift of a contact that was there; an address that was there is changed by its number.
    let repeat = vitals(
        &database,
        &["alerts", "route", "set", "1", "--repeat-seconds", "60", "--audience", "on_duty"],
    )
    .await;
    assert_eq!(repeat.code, 0, "{repeat:?}");
    let shift = json!({ "org_id": "71", "contact_id": head, "ends_at": "2100-01-01T00:00:00Z" });
    assert_eq!(service.send("POST", "/api/shifts", Some(&shift)).await.status, 201);
    run(&client, &format!("select vitals.notify_alerts(array[{sos}], 'fired'); notify vitals_notification"))
        .await;
    receiver.received("/head", 2).await;
    let waiting = "select to_jsonb(count(*)) from notification where status = 'pending'";
    eventually("it is recorded", || async { (value(&client, waiting).await == 0).then_some(()) }).await;
    run(&client, "update vitals.notification_step set due_at = now() where route_id = 1").await;
    let sent = receiver.received("/head", 3).await;
    let types: Vec<&str> = sent.iter().map(|seen| seen.body["type"].as_str().expect("a type")).collect();
    assert_eq!(types, ["alert.assigned", "alert.fired", "alert.repeated"]);
    let robot = service.get("/api/contact_addresses").await.body["addresses"].clone();
    let robot =
        robot.as_array().expect("addresses").iter().find(|each| each["channel"] == "wecom_robot").cloned();
    let robot = robot.expect("a robot")["address_id"].as_str().expect("a number").to_owned();
    let off = json!({ "enabled": false });
    let changed = service.send("PATCH", &format!("/api/contact_addresses/{robot}"), Some(&off)).await;
    assert_eq!((changed.status, &changed.body["contact"]), (200, &json!("group")), "{changed:?}");

    // A rule of before gets a level and is replaced for a person; history is replayed by it.
    let levels = r#"levels=[{"severity":"critical","max":40}]"#;
    let changed =
        vitals(&database, &["alerts", "change-rule", "5", "--set", levels, "--actor", "Dr. Wu"]).await;
    assert_eq!(changed.code, 0, "{changed:?}");
    let replayed = vitals(&database, &["alerts", "replay-rule", "5", "--json"]).await;
    assert_eq!(replayed.code, 0, "{replayed:?}");
    let own = json!({ "name": "Mr Chen", "kind": "threshold", "severity": "minor", "metric": "temperature", "max_value": 39.5,
        "user_id": "1", "replaces_rule_id": "5" });
    assert_eq!(service.send("POST", "/api/alerts/rules", Some(&own)).await.status, 201);
    service.finish().await;
}
