//! The wall: what it shows of whom, in both languages, and what it hides on a private screen.

use jiff::{SignedDuration, Timestamp};

use super::*;
use crate::language::Language;
use crate::metric::Measurements;
use crate::model::latest_sample::MeasuredValues;
use crate::model::overview::{
    AlertHour, AlertTypeCount, BatteryStep, Counters, OpenAlerts, Position, UnitPresence, WearCounts,
};
use crate::model::wall::{self, Need, OpenAlert, PersonInNeed};
use crate::model::{Alert, Latest, Overview, Severity};
use crate::page::layout::tests::frame;

fn now() -> Timestamp {
    "2026-01-05T10:00:00Z".parse().expect("a time")
}

fn ago(seconds: i64) -> Timestamp {
    now() - SignedDuration::from_secs(seconds)
}

fn empty() -> Wall {
    let overview = Overview {
        as_of: now(),
        time_zone: "UTC".to_owned(),
        counters: Counters::default(),
        units: Vec::new(),
        open_alerts: Vec::new(),
        alerts_by_hour: Vec::new(),
        alerts_by_type: Vec::new(),
        batteries: Vec::new(),
        wear: WearCounts::default(),
        latest: Vec::new(),
        positions: Vec::new(),
    };
    Wall { overview, in_need: Vec::new(), in_need_total: 0 }
}

/// As the database has it.
fn alert(number: i64, severity: &str, name: &str) -> Alert {
    let mut row = serde_json::json!({
        "alert_id": number, "device_sn": "SERIAL-1", "rule_id": 1, "rule_version": 1, "rule_name": "Limits of Person 305",
        "kind": "threshold", "severity": severity, "peak_severity": "critical", "metric": "blood_oxygen", "event_type": null,
        "customer_id": 7, "org_id": 8, "user_id": 4_711, "user_name": name, "org_name": "Cardiology", "room": "R-17", "status": "firing",
        "historical": false, "started_ts": ago(60), "fired_ts": ago(42), "last_ts": ago(5), "breach_count": 14,
        "last_value": 83, "peak_value": 82, "message": "SERIAL-1: oxygen saturation 83 %", "fired_at": ago(42), "updated_at": ago(5),
    });
    for empty in [
        "ended_ts",
        "last_text",
        "latitude",
        "longitude",
        "altitude",
        "acknowledged_at",
        "acknowledged_by",
        "assigned_to",
        "assigned_at",
        "assigned_by",
        "resolved_at",
        "resolved_by",
        "resolution",
        "muted_until",
    ] {
        row[empty] = serde_json::Value::Null;
    }
    serde_json::from_value(row).expect("an alert")
}

fn position(step: u32, severity: Option<Severity>, name: &str) -> Position {
    Position {
        device_sn: format!("SERIAL-{step}"),
        ts: ago(30),
        latitude: 31.2 + f64::from(step % 71) * 1e-4,
        longitude: 121.4 + f64::from(step % 113) * 1e-4,
        user_id: Some(Id64(4_711)),
        user_name: Some(name.to_owned()),
        org_id: Some(Id64(8)),
        org_name: Some("Cardiology".to_owned()),
        online: !step.is_multiple_of(9),
        severity,
    }
}

/// A house in which something of everything is going on.
fn busy(name: &str) -> Wall {
    let mut wall = empty();
    let overview = &mut wall.overview;
    overview.counters = Counters {
        devices_online: 412,
        devices_online_yesterday: 409,
        samples_today: 1_284_301,
        samples_yesterday: 1_232_000,
        alerts_today: 31,
        alerts_yesterday: 34,
        active_users_today: 400,
        active_users_yesterday: 401,
        devices: 430,
    };
    overview.open_alerts = vec![
        OpenAlerts { severity: Severity::Critical, firing: 2, acknowledged: 0 },
        OpenAlerts { severity: Severity::Minor, firing: 1, acknowledged: 4 },
    ];
    overview.units = vec![
        UnitPresence {
            org_id: Some(Id64(8)),
            org_name: Some("Cardiology".to_owned()),
            people: 120,
            online: 116,
        },
        UnitPresence { org_id: None, org_name: None, people: 3, online: 0 },
    ];
    overview.alerts_by_hour = (0..24)
        .map(|hour| AlertHour {
            ts: ago((23 - hour) * 3_600),
            critical: hour % 3,
            major: 1,
            minor: 2,
            info: 0,
        })
        .collect();
    overview.alerts_by_type = vec![
        AlertTypeCount { alert_type: "heart_rate".to_owned(), alerts: 40 },
        AlertTypeCount { alert_type: "OTHER_<b>".to_owned(), alerts: 2 },
    ];
    overview.batteries = vec![
        BatteryStep { from_percent: 0, devices: 9, charging: 1 },
        BatteryStep { from_percent: 90, devices: 305, charging: 0 },
    ];
    overview.wear = WearCounts { worn: 417, not_worn: 9, unknown: 4 };
    overview.latest = vec![Latest {
        device_sn: "SERIAL-1".to_owned(),
        ts: ago(1),
        user_id: Some(Id64(4_711)),
        user_name: Some(name.to_owned()),
        org_id: Some(Id64(8)),
        org_name: Some("Cardiology".to_owned()),
        customer_id: Some(Id64(7)),
        values: MeasuredValues(Measurements { heart_rate: Some(112), ..Measurements::default() }),
    }];
    overview.positions =
        (0..60).map(|step| position(step, (step == 7).then_some(Severity::Critical), name)).collect();
    wall.in_need = vec![
        in_need(name, Need::Silent { since: Some(ago(1_080)) }),
        in_need(name, Need::LowBattery { percent: 6 }),
        in_need(name, Need::NotWorn),
    ];
    wall.in_need_total = 3;
    wall
}

fn in_need(name: &str, need: Need) -> PersonInNeed {
    PersonInNeed {
        user_id: Id64(4_711),
        user_name: Some(name.to_owned()),
        room: Some("R-17".to_owned()),
        org_name: Some("Cardiology".to_owned()),
        device_sn: "SERIAL-1".to_owned(),
        need,
    }
}

/// The whole wall, of somebody's house or of an empty one.
fn drawn(frame: &Frame, name: Option<&str>) -> String {
    let wall = name.map_or_else(empty, busy);
    let shown = name.map(|name| OpenAlert {
        alert: alert(41, "critical", name),
        min_value: Some(85.0),
        max_value: None,
    });
    let total = if shown.is_some() { 7 } else { 0 };
    let alerts = wall::OpenAlerts { as_of: now(), total, shown: shown.into_iter().collect() };
    body(frame, &open_alerts(frame, &alerts), |part| part.render(frame, &wall, None)).into_string()
}

fn private(language: Language) -> Frame {
    let mut frame = frame(language);
    if let Some(viewer) = &mut frame.viewer {
        (viewer.is_kiosk, viewer.is_private, viewer.can_respond) = (true, true, false);
    }
    frame
}

#[test]
fn every_part_is_there_in_both_languages_and_says_what_is_missing() {
    for (language, none) in [(Language::En, "No open alerts."), (Language::Zh, "没有未结束的告警。")]
    {
        let page = drawn(&frame(language), None);
        for part in Part::ALL {
            assert!(page.contains(&format!("data-live=\"{}\"", part.name())), "{}", part.name());
            assert_eq!(Part::of_name(part.name()), Some(part));
        }
        assert!(page.contains("data-live=\"alerts\""));
        assert!(page.contains(none) && !page.contains("page-"), "{page}");
        assert_eq!(page.matches("<h1").count(), 1);
    }
}

#[test]
fn words_of_devices_and_people_are_escaped() {
    for language in Language::ALL {
        let page = drawn(&frame(language), Some("<script>alert(1)</script> \"'&"));
        assert!(!page.contains("<script") && !page.contains("OTHER_<b>"), "{page}");
        assert!(page.contains("&lt;script&gt;"), "{page}");
    }
}

#[test]
fn an_alert_shows_who_what_since_when_and_who_has_it() {
    let page = drawn(&frame(Language::En), Some("Person 305"));
    for shown in [
        "<a class=\"subject\" href=\"/people/4711\">Person 305</a>",
        "Cardiology · room R-17",
        "oxygen saturation 83 %",
        "limit 85",
        "14 readings · peak 82",
        "data-elapsed",
        ">00:42<",
        "nobody yet",
        "action=\"/alerts/41/acknowledge\"",
        "data-announce=\"critical: Person 305, oxygen saturation 83 %\"",
        "1,284,301",
        "116 / 120",
        "silent <time",
        "battery 6 %",
    ] {
        assert!(page.contains(shown), "{shown}\n{page}");
    }
    let mut reader = frame(Language::En);
    if let Some(viewer) = &mut reader.viewer {
        viewer.can_respond = false;
    }
    assert!(!drawn(&reader, Some("Person 305")).contains("<form"));
}

#[test]
fn a_private_screen_shows_initials_and_no_number_serial_room_rule_or_position() {
    for language in Language::ALL {
        let page = drawn(&private(language), Some("Person 305"));
        assert!(page.contains("P 3"), "{page}");
        for hidden in [
            "Person 305",
            "SERIAL",
            "4711",
            "R-17",
            "data-alert=\"",
            "/people",
            "/alerts",
            "Limits of",
            "<circle",
        ] {
            assert!(!page.contains(hidden), "{hidden}\n{page}");
        }
    }
}

#[test]
fn a_kiosk_that_is_not_private_has_names_but_nothing_to_open_or_change() {
    let mut kiosk = private(Language::En);
    if let Some(viewer) = &mut kiosk.viewer {
        viewer.is_private = false;
    }
    let page = drawn(&kiosk, Some("Person 305"));
    assert!(page.contains("Person 305") && page.contains("<circle"), "{page}");
    assert!(!page.contains("<a ") && !page.contains("<form"), "{page}");
}

#[test]
fn thousands_of_positions_are_few_circles_and_the_one_in_danger_stands_out() {
    let mut wall = empty();
    wall.overview.positions = (0..5_000).map(|step| position(step, None, "Person 1")).collect();
    wall.overview.positions.push(position(42, Some(Severity::Critical), "Person 305"));
    let began = std::time::Instant::now();
    let map = Part::Map.render(&frame(Language::En), &wall, None).into_string();
    assert!(map.matches("<circle").count() < 320, "{}", map.matches("<circle").count());
    assert!(map.len() < 80_000, "{} bytes", map.len());
    assert!(map.contains("*** Person 305") && map.contains("newest position, 5,001 people"), "{map}");
    // Unoptimised; it is a few milliseconds.
    assert!(began.elapsed().as_millis() < 2_000, "{:?}", began.elapsed());
}

#[test]
fn an_alert_outside_of_the_drawing_stands_at_its_edge() {
    let mut wall = empty();
    wall.overview.positions = (0..60).map(|step| position(step, None, "Person 1")).collect();
    let far =
        Position { latitude: 39.9, longitude: 116.4, ..position(61, Some(Severity::Major), "Person 9") };
    wall.overview.positions.push(far);
    wall.overview.positions.push(Position {
        latitude: 22.5,
        longitude: 114.0,
        ..position(62, None, "Person 8")
    });
    let map = Part::Map.render(&frame(Language::En), &wall, None).into_string();
    assert!(map.contains("** Person 9 ↗"), "{map}");
    assert!(map.contains("1 person is outside of the drawing."), "{map}");
}

#[test]
fn tiles_of_the_settings_lie_under_the_positions() {
    let tiles = Tiles {
        url: "https://tiles.example.org/{z}/{x}/{y}.png".to_owned(),
        is_gcj02: true,
        attribution: "© <Maps>".to_owned(),
    };
    let wall = busy("Person 305");
    let map = Part::Map.render(&frame(Language::En), &wall, Some(&tiles)).into_string();
    assert!(map.contains("<image href=\"https://tiles.example.org/"), "{map}");
    assert!(map.contains("© &lt;Maps&gt;"), "{map}");
    assert!(!Part::Map.render(&frame(Language::En), &wall, None).into_string().contains("<image"));
}

#[test]
fn the_hours_are_a_table_for_whoever_does_not_see_the_bars() {
    let part = Part::AlertHours.render(&frame(Language::En), &busy("Person 305"), None).into_string();
    assert_eq!(part.matches("<th scope=\"row\"").count(), 24, "{part}");
    assert!(part.contains("*** ") && part.contains("critical <b>24</b>"), "{part}");
    assert!(part.contains("heart rate") && part.contains("OTHER_&lt;b&gt;"), "{part}");
}

#[test]
fn nothing_of_a_part_is_a_style_or_a_script() {
    for language in Language::ALL {
        let page = drawn(&frame(language), Some("Person 305"));
        for inline in [" style=", "<style", "<script", " onclick", "javascript:"] {
            assert!(!page.contains(inline), "{inline}");
        }
    }
}
