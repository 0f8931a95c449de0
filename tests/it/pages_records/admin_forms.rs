//! The forms of rules and routes: every column has its field, and what was typed is still there where it is refused.

use serde_json::{Value, json};
use tokio_postgres::Client;

use super::homes;
use crate::harness::{Browser, form_of};

type Fields = Vec<(String, String)>;

async fn send(browser: &Browser, path: &str, fields: &Fields, action: &str) -> (u16, String) {
    let mut fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (&**name, &**value)).collect();
    fields.push(("action", action));
    let answer = browser.submit(path, &fields).await;
    let page = if answer.status == 303 { browser.get(&answer.location).await.text } else { answer.text };
    (answer.status, page)
}

fn typed(mut fields: Fields, name: &str, value: &str) -> Fields {
    fields.retain(|(each, _)| each != name);
    fields.push((name.to_owned(), value.to_owned()));
    fields
}

async fn row(client: &Client, sql: &str) -> Value {
    client.query_one(sql, &[]).await.unwrap_or_else(|error| panic!("{sql}: {error:?}")).get(0)
}

/// A rule of each kind with all that its kind can have; one replaces a rule for everybody.
fn rules(replaced: &Value) -> [Value; 4] {
    let common = json!({
        "severity": "minor", "consecutive": 2, "window_seconds": 90, "cooldown_seconds": 0, "recovery_count": 4,
        "expire_seconds": 86_401, "late_after_seconds": 3600, "effective_from": "22:00:30", "effective_until": "24:00",
        "effective_days": [1, 7], "time_zone": "Asia/Shanghai", "message": "{wearer}:\n\"{rule}\" <{value}>", "enabled": false
    });
    let rule = |more: Value| {
        let mut rule = common.clone();
        rule.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        rule
    };
    [
        rule(json!({
            "name": "T <b>", "kind": "threshold", "metric": "temperature", "min_value": 35.10, "max_value": 38.25, "replaces_rule_id": replaced,
            "customer_id": "5", "recovery_min_value": 35.5, "recovery_max_value": 38.0,
            "levels": [{ "severity": "major", "min": 34.5, "max": 39.0 }, { "severity": "critical", "min": 34.0, "max": 40 }]
        })),
        rule(json!({
            "name": "C", "kind": "composite", "combine": "any", "org_id": "50", "conditions": [
                { "metric": "heart_rate", "max": 120, "duration_seconds": 75 }, { "metric": "blood_oxygen", "min": 90 },
                { "metric": "temperature", "min": 35, "max": 39 }
            ]
        })),
        rule(json!({
            "name": "E", "kind": "event", "event_type": "DOOR_EVENT", "user_id": "501",
            "event_values": ["open", " two\nlines ", "a,b"], "recovery_values": ["shut"]
        })),
        rule(json!({
            "name": "S", "kind": "silence", "silent_seconds": 5400, "device_sn": "SUN-1", "consecutive": 1, "window_seconds": 600
        })),
    ]
}

#[tokio::test]
async fn a_rule_that_is_saved_as_it_is_shown_stays_as_it_is() {
    let (_database, service, client) = homes(false).await;
    let browser = Browser::new(&service);
    browser.get("/admin?lang=en").await;
    let replaced = "select to_jsonb(rule_id) from alert_rule where name = 'Body temperature out of range'";
    for rule in rules(&row(&client, replaced).await) {
        let made = service.send("POST", "/api/alerts/rules", Some(&rule)).await;
        assert_eq!(made.status, 201, "{rule}: {made:?}");
        let rule_id = made.body["rule_id"].as_str().expect("a number").to_owned();
        let stored = format!(
            "select to_jsonb(r) - array['version', 'changed_at', 'changed_by'] from alert_rule r where rule_id = {rule_id}"
        );
        let before = row(&client, &stored).await;
        let path = format!("/admin/rules/{rule_id}");
        let fields = form_of(&browser.get(&path).await.text, &path, "message");
        let (status, page) = send(&browser, &path, &fields, "save").await;
        assert_eq!(status, 303, "{rule}: {page}");
        assert!(page.contains("is stored, version 1"), "nothing has changed: {page}");
        assert_eq!(row(&client, &stored).await, before, "{fields:?}");
        let (_, page) = send(&browser, &path, &typed(fields.clone(), "message", "{rule}"), "save").await;
        assert!(page.contains("is stored, version 2"), "{page}");
        let mut changed = before;
        changed["message"] = json!("{rule}");
        assert_eq!(row(&client, &stored).await, changed, "the rest stays");
        let (_, page) = send(&browser, &path, &fields, "save").await;
        assert!(page.contains("was changed meanwhile"), "an older version changes nothing: {page}");

        let fields = form_of(&browser.get(&path).await.text, &path, "message");
        let wrong = typed(typed(fields, "name", "Typed <i>"), "time_zone", "Nowhere/At_All");
        let (status, page) = send(&browser, &path, &wrong, "save").await;
        assert_eq!(status, 200, "{page}");
        assert!(page.contains("there is no time zone") && page.contains("Nowhere/At_All"), "{page}");
        assert!(page.contains("value=\"Typed &lt;i&gt;\""), "{page}");
        assert_eq!(row(&client, &stored).await, changed);
    }
    service.finish().await;
}

#[tokio::test]
async fn a_rule_of_each_kind_is_made_by_its_fields() {
    let (_database, service, client) = homes(false).await;
    let browser = Browser::new(&service);
    let list = browser.get("/admin/rules?lang=en").await.text;
    for (kind, field, more, columns) in [
        (
            "threshold",
            "min_value",
            &[
                ("metric", "temperature"),
                ("max_value", "38.5"),
                ("level_0_severity", "critical"),
                ("level_0_max", "40"),
            ][..],
            json!({ "metric": "temperature", "max_value": 38.5, "levels": [{ "severity": "critical", "max": 40 }] }),
        ),
        (
            "composite",
            "combine",
            &[
                ("combine", "all"),
                ("condition_0_metric", "heart_rate"),
                ("condition_0_max", "120"),
                ("condition_1_metric", "stress"),
                ("condition_1_max", "90"),
            ],
            json!({ "combine": "all", "conditions": [{ "metric": "heart_rate", "max": 120 }, { "metric": "stress", "max": 90 }] }),
        ),
        (
            "event",
            "event_type",
            &[
                ("event_type", "DOOR_EVENT"),
                ("event_values", "open\r\nbroken"),
                ("scope", "device"),
                ("scope_id", "SUN-1"),
            ],
            json!({ "event_type": "DOOR_EVENT", "event_values": ["open", "broken"], "device_sn": "SUN-1" }),
        ),
        (
            "silence",
            "silent_seconds",
            &[
                ("silent_seconds", "2"),
                ("silent_seconds_unit", "3600"),
                ("scope", "unit"),
                ("scope_id", "50"),
            ],
            json!({ "silent_seconds": 7200, "org_id": 50 }),
        ),
    ] {
        let mut fields = typed(form_of(&list, "/admin/rules", field), "name", kind);
        for (name, value) in more {
            fields = typed(fields, name, value);
        }
        let (status, page) = send(&browser, "/admin/rules", &fields, "save").await;
        assert_eq!(status, 303, "{kind}: {page}");
        let stored =
            row(&client, &format!("select to_jsonb(r) from alert_rule r where name = '{kind}'")).await;
        assert_eq!(
            (&stored["kind"], &stored["severity"], &stored["enabled"]),
            (&json!(kind), &json!("major"), &json!(true))
        );
        for (column, value) in columns.as_object().expect("columns") {
            assert_eq!(&stored[column], value, "{kind}: {stored}");
        }
    }
    let fields = typed(form_of(&list, "/admin/rules", "min_value"), "name", "unclear");
    let fields = typed(typed(fields, "max_value", "38"), "level_1_max", "40");
    let (_, page) = send(&browser, "/admin/rules", &fields, "save").await;
    assert!(page.contains("Graver level 2 needs a severity"), "{page}");
    // A number without its scope is not a rule for everybody.
    let fields = typed(form_of(&list, "/admin/rules", "min_value"), "name", "forgotten");
    for (scope, id) in [("everybody", "501"), ("person", ""), ("tenant", "")] {
        let fields = typed(typed(typed(fields.clone(), "max_value", "120"), "scope", scope), "scope_id", id);
        let (status, page) = send(&browser, "/admin/rules", &fields, "save").await;
        assert!(status == 200 && page.contains("needs its number or serial"), "{scope} {id}: {page}");
    }
    service.finish().await;
}

#[tokio::test]
async fn a_route_is_made_changed_switched_and_removed_by_its_form() {
    let (_database, service, client) = homes(false).await;
    client
        .batch_execute(
            "insert into contact (contact_id, name) overriding system value values (5, 'Nurse <i>')",
        )
        .await
        .expect("a contact");
    let browser = Browser::new(&service);
    let page = browser.get("/admin/contacts?lang=en").await.text;
    let mut fields = form_of(&page, "/admin/contacts/routes", "repeat_times");
    for (name, value) in [
        ("channel", "sms"),
        ("audience", "managers"),
        ("contact_id", "5"),
        ("org_id", "50"),
        ("after_seconds", "5"),
        ("after_seconds_unit", "60"),
        ("repeat_seconds", "90"),
        ("repeat_seconds_unit", "1"),
        ("repeat_times", "7"),
        ("quiet_from", "22:00"),
        ("quiet_until", "06:00"),
        ("on_resolved", "true"),
    ] {
        fields = typed(fields, name, value);
    }
    let (status, page) = send(&browser, "/admin/contacts/routes", &fields, "save").await;
    assert!(status == 200 && page.contains("no other audience has one"), "{page}");
    let shown = form_of(&page, "/admin/contacts/routes", "repeat_times");
    for field in ["contact_id", "repeat_seconds", "repeat_seconds_unit", "quiet_from", "on_resolved"] {
        let held = |fields: &Fields| fields.iter().find(|(name, _)| name == field).cloned();
        assert_eq!(held(&shown), held(&fields), "what was typed is still there");
    }
    let fields = typed(fields, "audience", "contact");
    let (status, page) = send(&browser, "/admin/contacts/routes", &fields, "save").await;
    assert_eq!(status, 303, "{page}");
    for words in [
        "one contact: Nurse &lt;i&gt;",
        "major or graver · unit 50",
        "after 5 minutes",
        "every 90 seconds, at most 7 times",
        "from 22:00 to 06:00",
        "and of its end",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
    let sql = "select to_jsonb(r) from notification_route r";
    let before = row(&client, sql).await;
    let id = before["route_id"].to_string();
    let path = format!("/admin/contacts/routes/{id}");
    let fields =
        form_of(&browser.get(&format!("/admin/contacts?route={id}")).await.text, &path, "repeat_times");
    let (status, page) = send(&browser, &path, &fields, "save").await;
    assert_eq!(status, 303, "{page}");
    assert_eq!(row(&client, sql).await, before, "saved as it is shown: {fields:?}");
    for (action, enabled) in [("disable", false), ("enable", true)] {
        let (_, page) = send(&browser, &path, &Vec::new(), action).await;
        assert!(page.contains(&format!("Route {id}: ")), "{page}");
        let mut expected = before.clone();
        expected["enabled"] = json!(enabled);
        assert_eq!(row(&client, sql).await, expected, "the rest stays");
    }
    let (_, page) = send(&browser, &path, &typed(fields, "repeat_seconds", "5"), "save").await;
    assert!(page.contains("every 30 s to 24 hours") && page.contains("Change the route"), "{page}");
    let (_, page) = send(&browser, &path, &Vec::new(), "remove").await;
    assert!(page.contains(&format!("route {id} is deleted")), "{page}");
    let chinese = browser.get("/admin/contacts?lang=zh").await.text;
    assert!(chinese.contains("通知对象") && chinese.contains("值班人员"), "{chinese}");
    service.finish().await;
}
