//! What a document becomes, claim by claim.

#![allow(clippy::unwrap_used)]

use std::str::FromStr;

use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::*;
use crate::model::{ExerciseDay, ExerciseTotals, SleepSegment, Workout};

/// 2025-05-17 18:00 in Shanghai.
fn context() -> Context {
    Context {
        received_at: instant("2025-05-17T10:00:00Z"),
        device_zone: TimeZone::get("Asia/Shanghai").unwrap(),
        oldest: Some(instant("2025-05-01T00:00:00Z")),
        key_customer_id: None,
    }
}

fn instant(text: &str) -> Timestamp {
    Timestamp::from_str(text).unwrap()
}

/// What is read of `text`, sent as JSON text by a sample of 2025-05-17 14:30 in Shanghai.
fn read(kind: DocumentKind, text: &str) -> Vec<Element> {
    read_by("wifi", kind, text)
}

fn read_by(channel: &str, kind: DocumentKind, text: &str) -> Vec<Element> {
    let raw = serde_json::to_string(text).unwrap();
    let context = context();
    let document =
        DocumentReader::new(&context).read(kind, &raw, instant("2025-05-17T06:30:00Z"), Some(channel));
    document.map_or_else(Vec::new, |document| document.elements.clone())
}

fn segment(start: i64, end: i64, type_code: Option<i32>) -> Element {
    let time = |second| Timestamp::from_second(second).unwrap();
    Element::Sleep(SleepSegment { start: time(start), end: time(end), type_code })
}

/// The one text kept, with the reason.
fn kept_of(elements: &[Element]) -> (KeptReason, &str) {
    match elements {
        [Element::Kept(kept)] => (kept.reason, &kept.body),
        other => panic!("{other:?}"),
    }
}

const ELEMENT: &str = r#"{"endTimeStamp":1747440420000,"startTimeStamp":1747418280000,"type":2}"#;

#[test]
fn every_form_of_the_envelope_holds_the_same() {
    let wanted = [segment(1_747_418_280, 1_747_440_420, Some(2))];
    let quoted = serde_json::to_string(&format!("[{ELEMENT}]")).unwrap();
    let quoted_element = serde_json::to_string(ELEMENT).unwrap();
    for text in [
        format!(r#"{{"code":0,"data":[{ELEMENT}],"name":"sleep","type":"history"}}"#),
        format!(r#"{{"name":"sleep","data":[{ELEMENT}],"code":"0"}}"#),
        format!(r#"{{"data":[{ELEMENT}]}}"#),
        format!(r#"{{"code":"0"data":[{ELEMENT}],"name":"sleep","type":"history"}}"#),
        format!(r#" {{ "code" : "0" data" : [ {ELEMENT} ] }} "#),
        format!(r#"{{"code":"0""data":[{ELEMENT}]}}"#),
        format!(r#"{{"code":0"data":[{ELEMENT}]}}"#),
        format!(r#"{{"code":0data":[{ELEMENT}]}}"#),
        format!(r#"{{"code":1,"data":[{ELEMENT}]}}"#),
        format!(r#"{{"code":0,"data":{ELEMENT}}}"#),
        format!(r#"{{"code":0,"data":{quoted}}}"#),
        format!(r#"{{"code":0,"data":[{quoted_element}]}}"#),
        format!(r#"{{"code":0,"data":{{"code":0,"data":[null,{ELEMENT},{{}}]}}}}"#),
        format!("[{ELEMENT}]"),
        ELEMENT.to_owned(),
        quoted,
    ] {
        assert_eq!(read(DocumentKind::Sleep, &text), wanted, "{text}");
    }
}

#[test]
fn what_says_that_there_is_nothing_becomes_nothing() {
    for text in [
        "",
        " \n ",
        "null",
        "{}",
        "[]",
        "[null]",
        "[{}]",
        r#"{"code":0}"#,
        r#"{"code":0,"data":[]}"#,
        r#"{"code":"0"data":[]}"#,
        r#"{"code":0,"data":null}"#,
        r#"{"code":0,"data":"null"}"#,
        r#"{"code":0,"data":""}"#,
        r#"{"code":"-1","data":[]}"#,
        r#"{"code":0,"data":{"code":-1}}"#,
    ] {
        for kind in [DocumentKind::Sleep, DocumentKind::ExerciseDaily, DocumentKind::Workout] {
            assert_eq!(read(kind, text), [], "{text}");
        }
    }
}

#[test]
fn a_document_of_another_shape_is_kept_whole() {
    let deep = format!("{}{ELEMENT}{}", r#"{"data":"#.repeat(9), "}".repeat(9));
    for text in [
        "0",
        "true",
        "no data",
        "{",
        "[{]",
        "[1,2]",
        r#"{"code":500,"message":"busy"}"#,
        r#"{"code":0,"data":5}"#,
        r#"{"code":0,"data":[{"from":1,"to":2}]}"#,
        r#"[{"startTimeStamp":1747418280000},{"endTimeStamp":1747440420000}]"#,
        r#"{"code":0,"data":[[]]}"#,
        "\"half",
        "{\"a\":\u{1}}",
        &deep,
        &"[".repeat(100_000),
    ] {
        assert_eq!(kept_of(&read(DocumentKind::Sleep, text)), (KeptReason::Unreadable, text));
    }
}

#[test]
fn a_bad_element_is_kept_and_costs_its_neighbours_nothing() {
    let bad = r#"{"startTimeStamp":1747440420000,"endTimeStamp":1747418280000,"type":1}"#;
    let elements = read(DocumentKind::Sleep, &format!(r#"{{"code":0,"data":[{bad},{ELEMENT},7]}}"#));
    assert_eq!(elements[1], segment(1_747_418_280, 1_747_440_420, Some(2)));
    assert_eq!(kept_of(&elements[..1]), (KeptReason::BadElement, bad));
    assert_eq!(kept_of(&elements[2..]), (KeptReason::BadElement, "7"));
    let Element::Kept(kept) = &elements[0] else { panic!() };
    assert_eq!(kept.detail.as_deref(), Some("endTimeStamp is not after startTimeStamp"));
}

#[test]
fn more_elements_than_a_device_has_to_tell_are_kept_whole() {
    let document = |count: usize| format!(r#"{{"code":0,"data":[{}]}}"#, vec![ELEMENT; count].join(","));
    assert_eq!(read(DocumentKind::Sleep, &document(1_000)).len(), 1_000);
    let text = document(1_001);
    assert_eq!(kept_of(&read(DocumentKind::Sleep, &text)), (KeptReason::TooManyElements, text.as_str()));
}

#[test]
fn times_are_milliseconds_or_seconds_as_number_or_text() {
    let wanted = [segment(1_747_418_280, 1_747_440_420, None)];
    for (start, end) in [
        ("1747418280000", "1747440420000"),
        ("1747418280", "1747440420"),
        (r#""1747418280000""#, r#""1747440420""#),
        ("1.74741828e12", "1747440420.0"),
        (r#""2025-05-17 01:58:00""#, r#""2025-05-17T00:07:00Z""#),
    ] {
        let text = format!(r#"[{{"startTimeStamp":{start},"ENDTIMESTAMP":{end},"type":null}}]"#);
        assert_eq!(read(DocumentKind::Sleep, &text), wanted, "{text}");
    }
}

#[test]
fn times_that_cannot_be_are_kept_as_sent() {
    let (early, late) = (1_747_418_280_000_i64, 1_747_440_420_000_i64);
    for (start, end) in [
        (late, early),
        (early, early),
        (0, late),
        (-early, late),
        (3_600_000, 7_200_000),
        (946_684_800_000, 946_688_400_000),
        (32_503_680_000_000, 32_503_690_000_000),
        (early, 1_747_562_401_000),
        (early, early * 1000),
        (early - 86_400_000, late),
        (i64::MIN, i64::MAX),
    ] {
        let text = format!(r#"[{{"startTimeStamp":{start},"endTimeStamp":{end},"type":1}}]"#);
        assert_eq!(kept_of(&read(DocumentKind::Sleep, &text)), (KeptReason::Unreadable, text.as_str()));
    }
}

#[test]
fn sleep_is_read_however_old_it_is() {
    let text = r#"[{"startTimeStamp":1638895500000,"endTimeStamp":1638905820000,"type":"1"}]"#;
    assert_eq!(read(DocumentKind::Sleep, text), [segment(1_638_895_500, 1_638_905_820, Some(1))]);
}

#[test]
fn a_type_is_kept_whatever_it_is_and_refused_only_where_it_is_none() {
    for (sent, code) in [("0", Some(0)), ("7", Some(7)), ("-1", Some(-1)), ("2.0", Some(2)), ("\"\"", None)] {
        let text = format!(r#"[{{"startTimeStamp":1747418280,"endTimeStamp":1747440420,"type":{sent}}}]"#);
        assert_eq!(read(DocumentKind::Sleep, &text), [segment(1_747_418_280, 1_747_440_420, code)]);
    }
    for sent in ["\"deep\"", "1.5", "9999999999", "true", "[1]"] {
        let text = format!(r#"[{{"startTimeStamp":1747418280,"endTimeStamp":1747440420,"type":{sent}}}]"#);
        assert_eq!(kept_of(&read(DocumentKind::Sleep, &text)).1, text);
    }
}

fn exercise(day: &str, strength: &str, hours: &str, steps: Option<i32>) -> Element {
    let decimal = |text: &str| (!text.is_empty()).then(|| text.parse().unwrap());
    let totals = ExerciseTotals { strength_minutes: decimal(strength), active_hours: decimal(hours), steps };
    Element::Exercise(ExerciseDay { day: day.parse().unwrap(), totals })
}

#[test]
fn exercise_of_the_day_is_of_the_day_of_its_sample() {
    let text = r#"{"code":0,"data":[{"strengthTimes":2,"totalTime":"5.5"}],"name":"daily"}"#;
    assert_eq!(read(DocumentKind::ExerciseDaily, text), [exercise("2025-05-17", "2", "5.5", None)]);
    let zero = r#"[{"strengthTimes":0,"totalTime":0}]"#;
    assert_eq!(read(DocumentKind::ExerciseDaily, zero), [exercise("2025-05-17", "0", "0", None)]);
    assert_eq!(read_by("bluetooth", DocumentKind::ExerciseDaily, zero), [], "a phone fills in zeros");
    assert_eq!(
        read_by("bluetooth", DocumentKind::ExerciseDaily, text),
        read(DocumentKind::ExerciseDaily, text)
    );
    let dated = r#"[{"timeStamps":1747238400000,"strengthTimes":3}]"#;
    assert_eq!(read(DocumentKind::ExerciseDaily, dated), [exercise("2025-05-15", "3", "", None)]);
}

#[test]
fn exercise_of_the_week_is_of_the_days_it_names_and_nothing_where_all_is_zero() {
    let text = r#"{"code":0,"data":[
        {"strengthTimes":0,"timeStamps":1747152000000,"totalSteps":0,"totalTime":0},
        {"strengthTimes":0,"timeStamps":0,"totalSteps":"0","totalTime":0.0},
        {"strengthTimes":12,"timeStamps":1747238399,"totalSteps":"8123","totalTime":6},
        {"strengthTimes":0,"timeStamps":"1747238400000","totalSteps":10,"totalTime":0}]}"#;
    assert_eq!(
        read(DocumentKind::ExerciseWeek, text),
        [exercise("2025-05-14", "12", "6", Some(8123)), exercise("2025-05-15", "0", "0", Some(10))]
    );
}

#[test]
fn exercise_that_cannot_be_is_kept_as_sent() {
    for fields in [
        r#""strengthTimes":-1"#,
        r#""strengthTimes":1501"#,
        r#""totalTime":26"#,
        r#""totalSteps":300001"#,
        r#""totalSteps":1.5"#,
        r#""totalSteps":"many""#,
        r#""steps":5"#,
    ] {
        let text = format!(r#"[{{"timeStamps":1747238400000,{fields}}}]"#);
        for kind in [DocumentKind::ExerciseDaily, DocumentKind::ExerciseWeek] {
            assert_eq!(kept_of(&read(kind, &text)), (KeptReason::Unreadable, text.as_str()));
        }
    }
    let undated = r#"[{"totalSteps":5}]"#;
    assert_eq!(kept_of(&read(DocumentKind::ExerciseWeek, undated)).1, undated);
}

#[test]
fn a_workout_is_read_to_the_value() {
    let text = r#"{"code":0,"data":[{"startTimeStamp":1747418280000,"endTimeStamp":1747421880000,"calorie":"120.50",
        "distance":5012.3,"workoutType":1,"recordId":17},{"startTimeStamp":1747428280,"endTimeStamp":1747431880}]}"#;
    let first = Workout {
        start: instant("2025-05-16T17:58:00Z"),
        end: instant("2025-05-16T18:58:00Z"),
        workout_type: Some(1),
        calorie: Some("120.50".parse().unwrap()),
        distance: Some("5012.3".parse().unwrap()),
        record_id: Some("17".to_owned()),
    };
    let second = Workout {
        start: instant("2025-05-16T20:44:40Z"),
        end: instant("2025-05-16T21:44:40Z"),
        workout_type: None,
        calorie: None,
        distance: None,
        record_id: None,
    };
    assert_eq!(read(DocumentKind::Workout, text), [Element::Workout(first), Element::Workout(second)]);
}

#[test]
fn a_workout_that_cannot_be_is_kept_as_sent() {
    for fields in [
        r#""calorie":-1"#,
        r#""distance":1000001"#,
        r#""workoutType":"run""#,
        r#""recordId":"\u0000""#,
        r#""recordId":"0123456789012345678901234567890123456789012345678901234567890123456789""#,
        r#""recordId":{}"#,
    ] {
        let text = format!(r#"[{{"startTimeStamp":1747418280,"endTimeStamp":1747421880,{fields}}}]"#);
        assert_eq!(kept_of(&read(DocumentKind::Workout, &text)), (KeptReason::Unreadable, text.as_str()));
    }
}

/// Times, codes and totals, good and bad.
fn some_value() -> impl Strategy<Value = String> {
    prop_oneof![
        (1_262_000_000_000..1_747_600_000_000_i64).prop_map(|time| time.to_string()),
        (1_747_400_000..1_747_500_000_i64).prop_map(|time| format!("\"{time}\"")),
        any::<i64>().prop_map(|number| number.to_string()),
        (-2..2_000_i32).prop_map(|number| number.to_string()),
        Just("null".to_owned()),
        ".{0,5}".prop_map(|text| serde_json::to_string(&text).unwrap()),
    ]
}

fn some_element() -> impl Strategy<Value = String> {
    let name = proptest::sample::select(vec![
        "startTimeStamp",
        "endTimeStamp",
        "type",
        "timeStamps",
        "strengthTimes",
        "totalTime",
        "totalSteps",
        "workoutType",
        "calorie",
        "recordId",
    ]);
    proptest::collection::vec((name, some_value()), 1..6).prop_map(|pairs| {
        let pairs = pairs.into_iter().map(|(name, value)| format!("\"{name}\":{value}"));
        format!("{{{}}}", pairs.collect::<Vec<_>>().join(","))
    })
}

fn some_kind() -> impl Strategy<Value = DocumentKind> {
    use DocumentKind::{ExerciseDaily, ExerciseWeek, ScientificSleep, Sleep, Workout};
    proptest::sample::select(vec![Sleep, ExerciseDaily, ExerciseWeek, ScientificSleep, Workout])
}

proptest! {
    #[test]
    fn each_element_is_read_or_kept_or_says_nothing(kind in some_kind(), sent in proptest::collection::vec(some_element(), 1..8)) {
        let text = format!(r#"{{"code":0,"data":[{}]}}"#, sent.join(","));
        let alone: Vec<_> = sent.iter().map(|element| read(kind, &format!("[{element}]"))).collect();
        let whole = read(kind, &text);
        if let [Element::Kept(kept)] = &whole[..] && kept.body == text {
            prop_assert!(alone.iter().flatten().all(|element| matches!(element, Element::Kept(_))));
        } else {
            prop_assert_eq!(whole.len(), alone.iter().flatten().count());
            for (element, alone) in whole.iter().zip(alone.iter().flatten()) {
                match (element, alone) {
                    (Element::Kept(kept), Element::Kept(_)) => prop_assert!(sent.contains(&kept.body)),
                    _ => prop_assert_eq!(element, alone),
                }
            }
        }
    }

    #[test]
    fn any_text_is_read_or_kept(kind in some_kind(), text in "[\\[\\]{}:,\"\\\\ a-d0-9-]{0,40}|.{0,20}") {
        for element in read(kind, &text) {
            if let Element::Kept(kept) = element {
                prop_assert!(!kept.body.is_empty());
            }
        }
    }

    #[test]
    fn a_document_cut_short_is_kept_whole(at in 1..400_usize) {
        let text = format!(r#"{{"code":0,"data":[{}]}}"#, [ELEMENT; 6].join(","));
        let text = &text[..at.min(text.len() - 1)];
        let elements = read(DocumentKind::Sleep, text);
        prop_assert_eq!(kept_of(&elements), (KeptReason::Unreadable, text));
    }
}
