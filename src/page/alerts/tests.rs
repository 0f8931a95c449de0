//! The list of alerts: who may act, who has what, names that are markup.

use serde_json::json;

use super::*;
use crate::language::Language;
use crate::page::layout::tests::frame;

fn alert(change: &serde_json::Value) -> Alert {
    let mut columns = json!({
        "alert_id": 17, "device_sn": "SN-1", "rule_id": 3, "rule_version": 1, "rule_name": "Oxygen low", "kind": "threshold",
        "severity": "critical", "peak_severity": "critical", "metric": "blood_oxygen", "user_id": 42, "user_name": "<b>李娜</b>",
        "org_name": "心内科", "room": "305", "status": "firing", "historical": false, "breach_count": 3,
        "started_ts": "2026-01-05T09:50:00Z", "fired_ts": "2026-01-05T09:58:00Z", "last_ts": "2026-01-05T09:59:00Z",
        "ended_ts": null, "acknowledged_at": null, "assigned_at": null, "resolved_at": null, "muted_until": null,
        "message": "SpO2 83 %", "fired_at": "2026-01-05T09:58:01Z", "updated_at": "2026-01-05T09:58:01Z",
    });
    let changes = change.as_object().expect("an object").clone();
    columns.as_object_mut().expect("an object").extend(changes);
    serde_json::from_value(columns).expect("an alert")
}

fn listing(alerts: Vec<Alert>) -> AlertListing {
    AlertListing {
        choice: AlertChoice::default(),
        alerts,
        cursor: None,
        units: Vec::new(),
        contacts: Vec::new(),
        flash: None,
    }
}

#[test]
fn whoever_may_act_has_forms_and_whoever_may_not_has_none() {
    let mut frame = frame(Language::En);
    let listing = listing(vec![alert(&json!({}))]);
    let page = body(&frame, &listing).into_string();
    for expected in [
        "action=\"/alerts/actions\"",
        "formaction=\"/alerts/17/acknowledge\"",
        "value=\"resolve\"",
        "type=\"checkbox\" name=\"alert\" value=\"17\"",
    ] {
        assert!(page.contains(expected), "{expected}: {page}");
    }
    if let Some(viewer) = &mut frame.viewer {
        viewer.can_respond = false;
    }
    let page = body(&frame, &listing).into_string();
    for unwanted in ["formaction", "name=\"alert\"", "value=\"resolve\""] {
        assert!(!page.contains(unwanted), "{unwanted}: {page}");
    }
}

#[test]
fn names_are_escaped_and_a_severity_is_more_than_a_colour() {
    let page = body(&frame(Language::Zh), &listing(vec![alert(&json!({}))])).into_string();
    assert!(!page.contains("<b>") && page.contains("&lt;b&gt;李娜"), "{page}");
    assert!(page.contains("***") && page.contains("305"), "{page}");
}

#[test]
fn who_has_an_alert_is_said() {
    let frame = frame(Language::En);
    for (change, words) in [
        (json!({}), "nobody yet"),
        (
            json!({ "status": "acknowledged", "acknowledged_by": "nurse Li", "acknowledged_at": "2026-01-05T09:59:00Z",
                "assigned_name": "Dr. Wu" }),
            "acknowledged by nurse Li, 5 Jan 09:59:00 · assigned to Dr. Wu",
        ),
        (
            json!({ "status": "resolved", "resolution": "recovered", "resolved_at": "2026-01-05T09:59:00Z" }),
            "resolved: recovered, 5 Jan 09:59:00",
        ),
    ] {
        assert_eq!(state(&frame, &alert(&change)), words);
    }
}
