//! What holds for every upload.

use std::ops::RangeInclusive;

use proptest::prelude::*;
use rust_decimal::Decimal;

use super::*;
use crate::metric::Measurements;
use crate::model::{DocumentKind, Element, Owner};
use crate::wire::document;

/// How one value is written.
#[derive(Debug, Clone, Copy)]
enum Written {
    Number,
    Text,
}

/// A reading in the words of one firmware: (meaning, text of the value, whether it may stand as a JSON number).
type Words = Vec<(usize, String, bool)>;

/// Names by meaning: camelCase, snake_case, pinyin (a generation without a name of its own borrows one).
const NAMES: [[&str; 3]; 20] = [
    ["deviceSn", "device_sn", "id"],
    ["customerId", "customer_id", "customer_id"],
    ["orgId", "org_id", "org_id"],
    ["userId", "user_id", "user_id"],
    ["heartRate", "heart_rate", "xlv"],
    ["bloodOxygen", "blood_oxygen", "xy"],
    ["temperature", "body_temperature", "tw"],
    ["pressureHigh", "blood_pressure_systolic", "gxy"],
    ["pressureLow", "pressure_low", "dxy"],
    ["stress", "stress", "yl"],
    ["step", "step", "bs"],
    ["distance", "distance", "jl"],
    ["calorie", "calorie", "rl"],
    ["latitude", "latitude", "wd"],
    ["longitude", "longitude", "jd"],
    ["altitude", "altitude", "hb"],
    ["timestamp", "timestamp", "cjsj"],
    ["uploadMethod", "upload_method", "upload_method"],
    ["sleepData", "sleep", "smData"],
    ["exerciseWeekData", "exerciseDailyWeekData", "ydWeekData"],
];

/// Places in [`NAMES`] of what a device measures, and of its documents.
const VALUES: RangeInclusive<usize> = 4..=15;
const DOCUMENTS: RangeInclusive<usize> = 18..=19;

/// Since 1992 no hour of Shanghai comes twice, and a naive time names one instant; before 2010 none is taken.
const EARLIEST: i64 = 1_262_304_000;

/// One that names a value: a record without any is refused.
fn some_reading() -> impl Strategy<Value = Reading> {
    let id = || proptest::option::of(1..=i64::MAX);
    let vital = |high: i16| proptest::option::of(1..=high);
    let decimal = |low: i64, high: i64, scale: u32| {
        proptest::option::of((low..=high).prop_map(move |m| Decimal::new(m, scale)))
    };
    // No document at all, so that all of it is kept: elements have properties of their own.
    let document = || proptest::option::of("x[0-9a-z\"\\\\ 睡é]{0,20}");
    let who = ("[A-Za-z0-9设][A-Za-z0-9 _备-]{0,14}[A-Za-z0-9]", id(), id(), id(), EARLIEST..1_747_476_000);
    let signs = (vital(300), vital(100), decimal(100, 500, 1), vital(350), vital(250), vital(100));
    let totals =
        (proptest::option::of(0..=300_000_i32), decimal(0, 1_000_000_000, 3), decimal(0, 1_000_000_000, 1));
    let place =
        (proptest::option::of((-90.0..90.0_f64, -180.0..180.0_f64)), proptest::option::of(1.0..20_000.0_f64));
    let rest = (proptest::option::of("(wifi|bluetooth|common_event)"), document(), document());
    (who, signs, totals, place, rest)
        .prop_map(|(who, signs, totals, place, rest)| Reading {
            device_sn: who.0,
            owner: Owner { customer_id: who.1, org_id: who.2, user_id: who.3 },
            ts: Timestamp::from_second(who.4).unwrap(),
            measured: Measurements {
                heart_rate: signs.0,
                blood_oxygen: signs.1,
                temperature: signs.2,
                pressure_high: signs.3,
                pressure_low: signs.4,
                stress: signs.5,
                step: totals.0,
                distance: totals.1,
                calorie: totals.2,
                latitude: place.0.map(|at| at.0),
                longitude: place.0.map(|at| at.1),
                altitude: place.1,
                ..Measurements::default()
            },
            upload_method: rest.0,
            documents: [(DocumentKind::Sleep, rest.1), (DocumentKind::ExerciseWeek, rest.2)]
                .into_iter()
                .filter_map(|(kind, body)| {
                    let raw = serde_json::to_string(&body?).unwrap();
                    document::DocumentReader::new(&context()).read(kind, &raw, Timestamp::UNIX_EPOCH, None)
                })
                .collect(),
        })
        .prop_map(|mut reading| {
            let names_value = |meaning: usize| VALUES.contains(&meaning) || DOCUMENTS.contains(&meaning);
            if !words(&reading, 0).iter().any(|(meaning, ..)| names_value(*meaning)) {
                reading.measured.heart_rate = Some(72);
            }
            reading
        })
}

fn words(reading: &Reading, time: u8) -> Words {
    let document = |kind| {
        let document = reading.documents.iter().find(|document| document.kind == kind)?;
        let Element::Kept(kept) = &document.elements[0] else { panic!("{document:?}") };
        Some(kept.body.clone())
    };
    let shanghai = TimeZone::get("Asia/Shanghai").unwrap();
    let (time, is_number) = match time {
        0 => (reading.ts.to_zoned(shanghai).strftime("%Y-%m-%d %H:%M:%S").to_string(), false),
        1 => (reading.ts.as_second().to_string(), true),
        2 => (reading.ts.as_millisecond().to_string(), true),
        _ => (reading.ts.to_string(), false),
    };
    fn text(value: Option<impl ToString>) -> Option<String> {
        value.map(|value| value.to_string())
    }
    let owner = &reading.owner;
    let values: [(Option<String>, bool); 20] = [
        (Some(reading.device_sn.clone()), false),
        (text(owner.customer_id), true),
        (text(owner.org_id), true),
        (text(owner.user_id), true),
        (text(reading.measured.heart_rate), true),
        (text(reading.measured.blood_oxygen), true),
        (text(reading.measured.temperature), true),
        (text(reading.measured.pressure_high), true),
        (text(reading.measured.pressure_low), true),
        (text(reading.measured.stress), true),
        (text(reading.measured.step), true),
        (text(reading.measured.distance), true),
        (text(reading.measured.calorie), true),
        (text(reading.measured.latitude), true),
        (text(reading.measured.longitude), true),
        (text(reading.measured.altitude), true),
        (Some(time), is_number),
        (reading.upload_method.clone(), false),
        (document(DocumentKind::Sleep), false),
        (document(DocumentKind::ExerciseWeek), false),
    ];
    let present = values.into_iter().enumerate();
    present
        .filter_map(|(meaning, (value, is_number))| value.map(|value| (meaning, value, is_number)))
        .collect()
}

fn render(words: &Words, generation: usize, written: &[Written]) -> String {
    let pairs = words.iter().map(|(meaning, value, is_number)| {
        let name = NAMES[*meaning][generation];
        match written[*meaning] {
            Written::Number if *is_number => format!(r#""{name}":{value}"#),
            _ => format!(r#""{name}":{}"#, serde_json::to_string(value).unwrap()),
        }
    });
    format!("{{{}}}", pairs.collect::<Vec<_>>().join(","))
}

fn wrap(item: &str, shape: usize) -> String {
    let quoted = serde_json::to_string(item).unwrap();
    match shape {
        0 => item.to_owned(),
        1 => format!("[{item}]"),
        2 => format!(r#"{{"data":{item}}}"#),
        3 => format!(r#"{{"data":[{item}]}}"#),
        4 => format!(r#"{{"data":{{"data":{item}}}}}"#),
        5 => format!(r#"{{"data":{{"data":[{item}]}}}}"#),
        6 => format!(r#"{{"type":"health","data":{item}}}"#),
        _ => format!(r#"{{"data":{quoted}}}"#),
    }
}

fn some_json() -> impl Strategy<Value = String> {
    let names = NAMES.concat();
    let scalar = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        Just(r#""null""#.to_owned()),
        Just(r#""2025-05-17 14:30:05""#.to_owned()),
        Just(r#""\ud800\u0000""#.to_owned()),
        any::<f64>()
            .prop_filter("JSON has no others", |value| value.is_finite())
            .prop_map(|value| value.to_string()),
        any::<i64>().prop_map(|value| value.to_string()),
        "[0-9]{1,3}(\\.[0-9])?".prop_map(|text| format!("\"{text}\"")),
        ".{0,5}".prop_map(|text| serde_json::to_string(&text).unwrap()),
    ];
    scalar.prop_recursive(5, 60, 8, move |inner| {
        let name =
            prop_oneof![4 => proptest::sample::select(names.clone()), 2 => Just("data"), 1 => Just("other")];
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6)
                .prop_map(|elements| format!("[{}]", elements.join(" ,"))),
            proptest::collection::vec((name, inner), 0..8).prop_map(|pairs| {
                let pairs = pairs.into_iter().map(|(name, value)| format!("\"{name}\": {value}"));
                format!("{{{}}}", pairs.collect::<Vec<_>>().join(","))
            }),
        ]
    })
}

/// Every record is an item or a reject, numbered without a gap, with a text of its own.
fn check_accounts(upload: &Upload) -> Result<(), TestCaseError> {
    let items = upload.items.iter().map(|item| (item.index, &item.text));
    let mut all = items
        .chain(upload.rejects.iter().map(|reject| (reject.refusal.index, &reject.text)))
        .collect::<Vec<_>>();
    all.sort_by_key(|(index, _)| *index);
    prop_assert_eq!(all.len(), upload.received());
    for (at, (index, text)) in all.into_iter().enumerate() {
        prop_assert_eq!(at, index as usize);
        prop_assert!(serde_json::from_slice::<&RawValue>(text).is_ok());
    }
    for item in &upload.items {
        let serial = &item.reading.device_sn;
        prop_assert!((1..=64).contains(&serial.len()) && serial.trim() == serial && !serial.contains('\0'));
        for element in item.reading.documents.iter().flat_map(|document| &document.elements) {
            prop_assert!(!matches!(element, Element::Kept(kept) if kept.body.contains('\0')));
        }
        prop_assert_eq!(item.reading.ts.subsec_nanosecond() % 1000, 0);
    }
    Ok(())
}

proptest! {
    #[test]
    fn a_reading_is_the_same_in_every_generation_shape_and_order(
        reading in some_reading(),
        generation in 0..3_usize,
        shape in 0..8_usize,
        time in 0..4_u8,
        written in proptest::collection::vec(prop_oneof![Just(Written::Number), Just(Written::Text)], NAMES.len()),
        turn in 0..20_usize,
    ) {
        let mut words = words(&reading, time);
        let turn = turn % words.len();
        words.rotate_left(turn);
        let body = wrap(&render(&words, generation, &written), shape);
        prop_assert_eq!(only(&body), reading, "{}", body);
    }

    #[test]
    fn every_record_of_a_mixed_array_is_accounted_for(
        records in proptest::collection::vec((some_reading(), 0..5_u8), 0..20),
        shape in 0..3_usize,
    ) {
        let texts = records.iter().map(|(reading, fault)| match fault {
            0 => "null".to_owned(),
            1 => r#"{"heart_rate":72}"#.to_owned(),
            2 => format!(r#"{{"deviceSn":{},"heart_rate":"x"}}"#, serde_json::to_string(&reading.device_sn).unwrap()),
            _ => render(&words(reading, 0), 0, &[Written::Text; NAMES.len()]),
        }).collect::<Vec<_>>();
        let array = format!("[{}]", texts.join(", "));
        let body = [array.clone(), format!(r#"{{"data":{array}}}"#), format!(r#"{{"type":"health","data":{array}}}"#)][shape].clone();
        let upload = upload(&body);
        check_accounts(&upload)?;
        prop_assert_eq!(upload.received(), records.len());
        let expected = records.iter().filter(|(_, fault)| *fault > 2).map(|(reading, _)| reading).collect::<Vec<_>>();
        prop_assert_eq!(upload.items.iter().map(|item| &item.reading).collect::<Vec<_>>(), expected);
        for item in &upload.items {
            prop_assert_eq!(&item.text[..], texts[item.index as usize].as_bytes());
        }
    }

    #[test]
    fn any_json_is_accounted_for(json in some_json()) {
        if let Ok(upload) = try_parse(json.as_str()) {
            check_accounts(&upload)?;
        }
    }

    #[test]
    fn company_beside_data_changes_nothing(json in some_json()) {
        let bare = try_parse(format!(r#"{{"data":{json}}}"#));
        let accompanied = try_parse(format!(r#"{{"x":null,"data":{json}}}"#));
        prop_assert_eq!(bare, accompanied);
    }

    #[test]
    fn a_json_cut_short_or_spoilt_is_read_or_refused(json in some_json(), at in any::<proptest::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = format!(r#"{{"data":{json}}}"#).into_bytes();
        let at = at.index(bytes.len());
        let cut = try_parse(&bytes[..at]);
        prop_assert!(cut.is_err());
        bytes[at] = byte;
        let is_json = serde_json::from_slice::<&RawValue>(&bytes).is_ok();
        match try_parse(bytes) {
            Ok(upload) => check_accounts(&upload)?,
            Err(BodyError::NotJson(_) | BodyError::NotUtf8 { .. }) => prop_assert!(!is_json),
            Err(_) => {}
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = try_parse(bytes);
    }
}
