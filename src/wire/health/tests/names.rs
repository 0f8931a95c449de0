//! The names of a field, one test per row of the table of the wire contract, section 1.

use super::*;
use crate::model::{DocumentKind, Element};

/// Each name alone is read; of two, the earlier of the table wins in both orders; an earlier one that holds nothing
/// leaves it to the later.
fn names_are_ranked<T: PartialEq + std::fmt::Debug>(
    names: &[&str],
    get: impl Fn(&Reading) -> T,
    values: [(&str, T); 2],
) {
    let [(first, expect_first), (second, expect_second)] = values;
    let read = |fields: &str| {
        get(&only(&format!(r#"{{"data":{{"deviceSn":"WATCH-1","workoutData":"null",{fields}}}}}"#)))
    };
    for (at, name) in names.iter().enumerate() {
        assert_eq!(read(&format!(r#""{name}":{first}"#)), expect_first, "{name}");
        for later in &names[at + 1..] {
            assert_eq!(
                read(&format!(r#""{name}":{first},"{later}":{second}"#)),
                expect_first,
                "{name} {later}"
            );
            assert_eq!(
                read(&format!(r#""{later}":{second},"{name}":{first}"#)),
                expect_first,
                "{later} {name}"
            );
            for nothing in ["null", r#""""#, r#"" ""#, r#""null""#, r#"" NULL ""#, r#""\u0020\t""#] {
                assert_eq!(
                    read(&format!(r#""{name}":{nothing},"{later}":{second}"#)),
                    expect_second,
                    "{name} {nothing}"
                );
                assert_eq!(
                    read(&format!(r#""{later}":{second},"{name}":{nothing}"#)),
                    expect_second,
                    "{name} {nothing}"
                );
            }
        }
    }
}

#[test]
fn the_serial_has_three_names() {
    let names = ["deviceSn", "device_sn", "id"];
    let serial = |fields: &str| only(&format!(r#"{{"data":{{"step":1,{fields}}}}}"#)).device_sn;
    for (at, name) in names.iter().enumerate() {
        assert_eq!(serial(&format!(r#""{name}":"FIRST""#)), "FIRST");
        for later in &names[at + 1..] {
            assert_eq!(serial(&format!(r#""{later}":"SECOND","{name}":"FIRST""#)), "FIRST");
            assert_eq!(serial(&format!(r#""{name}":"null","{later}":"SECOND""#)), "SECOND");
        }
    }
}

#[test]
fn ids_have_two_names_each() {
    let values = || [(r#""1939964806110937090""#, Some(1_939_964_806_110_937_090)), ("8", Some(8))];
    names_are_ranked(&["customerId", "customer_id"], |reading| reading.owner.customer_id, values());
    names_are_ranked(&["orgId", "org_id"], |reading| reading.owner.org_id, values());
    names_are_ranked(&["userId", "user_id"], |reading| reading.owner.user_id, values());
}

#[test]
fn an_unknown_id_leaves_it_to_the_other_name() {
    for unknown in ["0", r#""0""#, r#""""#, r#""000""#] {
        let owner = reading(&format!(r#""customerId":{unknown},"customer_id":"8""#)).owner;
        assert_eq!(owner.customer_id, Some(8));
    }
}

#[test]
fn vital_signs_have_their_names() {
    let values = || [("72", Some(72)), (r#""80""#, Some(80))];
    names_are_ranked(&["heart_rate", "heartRate", "xlv"], |reading| reading.measured.heart_rate, values());
    names_are_ranked(
        &["blood_oxygen", "bloodOxygen", "xy"],
        |reading| reading.measured.blood_oxygen,
        values(),
    );
    let high = ["blood_pressure_systolic", "pressureHigh", "pressure_high", "gxy"];
    names_are_ranked(&high, |reading| reading.measured.pressure_high, values());
    let low = ["blood_pressure_diastolic", "pressureLow", "pressure_low", "dxy"];
    names_are_ranked(&low, |reading| reading.measured.pressure_low, values());
    names_are_ranked(&["stress", "yl"], |reading| reading.measured.stress, values());
    let temperature = |reading: &Reading| reading.measured.temperature.map(|value| value.to_string());
    let values = [("36.6", Some("36.6".to_owned())), (r#""37.1""#, Some("37.1".to_owned()))];
    names_are_ranked(&["body_temperature", "temperature", "tw"], temperature, values);
}

#[test]
fn totals_of_the_day_have_their_names() {
    names_are_ranked(
        &["step", "bs"],
        |reading| reading.measured.step,
        [("0", Some(0)), (r#""80""#, Some(80))],
    );
    let values = || [(r#""0.0""#, Some("0.0".to_owned())), ("1640.5", Some("1640.5".to_owned()))];
    names_are_ranked(
        &["distance", "jl"],
        |reading| reading.measured.distance.map(|value| value.to_string()),
        values(),
    );
    names_are_ranked(
        &["calorie", "rl"],
        |reading| reading.measured.calorie.map(|value| value.to_string()),
        values(),
    );
}

#[test]
fn positions_have_their_names() {
    let values = || [(r#""22.543721""#, Some(22.543_721)), ("-3.5", Some(-3.5))];
    names_are_ranked(&["latitude", "wd"], |reading| reading.measured.latitude, values());
    names_are_ranked(&["longitude", "jd"], |reading| reading.measured.longitude, values());
    names_are_ranked(&["altitude", "hb"], |reading| reading.measured.altitude, values());
}

#[test]
fn the_time_has_two_names() {
    let values = [
        (r#""2025-05-17 14:30:05""#, instant("2025-05-17T06:30:05Z")),
        ("1747463406", instant("2025-05-17T06:30:06Z")),
    ];
    names_are_ranked(&["timestamp", "cjsj"], |reading| reading.ts, values);
}

#[test]
fn the_channel_has_two_names() {
    let values = [(r#""wifi""#, Some("wifi".to_owned())), (r#""bluetooth""#, Some("bluetooth".to_owned()))];
    names_are_ranked(&["upload_method", "uploadMethod"], |reading| reading.upload_method.clone(), values);
}

#[test]
fn documents_have_their_names() {
    let rows: [(DocumentKind, &[&str]); 5] = [
        (DocumentKind::Sleep, &["sleepData", "smData", "sleep"]),
        (DocumentKind::ExerciseDaily, &["exerciseDailyData", "ydData"]),
        (DocumentKind::ExerciseWeek, &["exerciseWeekData", "exerciseDailyWeekData", "ydWeekData"]),
        (DocumentKind::ScientificSleep, &["scientificSleepData", "kxsmData"]),
        (DocumentKind::Workout, &["workoutData"]),
    ];
    for (kind, names) in rows {
        let document = |body: &str| vec![(kind, body.to_owned())];
        let values = [
            (r#""{\"code\":5}""#, document(r#"{"code":5}"#)),
            (r#"{"code": 6}"#, document(r#"{"code": 6}"#)),
        ];
        let kept = |reading: &Reading| {
            let documents = reading.documents.iter().map(|document| match &document.elements[..] {
                [Element::Kept(kept)] => (document.kind, kept.body.clone()),
                other => panic!("{other:?}"),
            });
            documents.collect::<Vec<_>>()
        };
        names_are_ranked(names, kept, values);
    }
}

#[test]
fn pinyin_and_english_name_the_same_reading() {
    let english = only(include_str!("../../../../tests/fixtures/watch_single.json"));
    let pinyin = only(include_str!("../../../../tests/fixtures/pinyin.json"));
    assert_eq!(english.documents[..3], pinyin.documents[..]);
    let alike = Reading {
        documents: english.documents.clone(),
        upload_method: english.upload_method.clone(),
        owner: english.owner,
        ..pinyin.clone()
    };
    assert_eq!(alike, english);
    assert_eq!(pinyin.owner.user_id, None);
    assert_eq!(pinyin.owner.org_id, english.owner.org_id);
}
