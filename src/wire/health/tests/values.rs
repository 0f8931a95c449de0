//! What a value becomes: exactly itself, NULL, or a reason to refuse the sample.

use rust_decimal::Decimal;

use super::*;

#[test]
fn a_sample_of_a_watch_is_stored_to_the_exact_value() {
    let reading = only(include_str!("../../../../tests/fixtures/watch_single.json"));
    assert_eq!(reading.device_sn, "CRFTQ23409001890");
    assert_eq!(reading.ts, instant("2025-05-17T06:30:05Z"));
    assert_eq!(reading.owner.customer_id, Some(1_939_964_806_110_937_090));
    assert_eq!(reading.owner.org_id, Some(1_939_964_806_110_937_091));
    assert_eq!(reading.owner.user_id, Some(1_940_374_479_725_170_690));
    assert_eq!(
        (reading.measured.heart_rate, reading.measured.blood_oxygen, reading.measured.stress),
        (Some(72), Some(98), Some(41))
    );
    assert_eq!((reading.measured.pressure_high, reading.measured.pressure_low), (Some(118), Some(79)));
    assert_eq!(reading.measured.temperature, Some(Decimal::new(366, 1)));
    assert_eq!(
        (reading.measured.step, reading.measured.distance, reading.measured.calorie),
        (Some(2345), Some(Decimal::new(16405, 1)), Some(Decimal::new(960_200, 1)))
    );
    assert_eq!(
        (reading.measured.latitude, reading.measured.longitude, reading.measured.altitude),
        (Some(22.543_721), Some(114.045_801), Some(0.0))
    );
    assert_eq!(reading.upload_method.as_deref(), Some("wifi"));
    assert_eq!(reading.documents.len(), 3, "the workout document is empty");
}

#[test]
fn numbers_and_text_of_numbers_are_one() {
    for sent in ["72", "72.0", r#""72""#, r#""72.0""#, r#"" 72 ""#, "7.2e1", r#""7.2E+1""#, r#""\u00372""#] {
        assert_eq!(reading(&format!(r#""heart_rate":{sent}"#)).measured.heart_rate, Some(72), "{sent}");
    }
    for sent in ["36.6", r#""36.6""#, "3.66e1"] {
        let temperature = reading(&format!(r#""temperature":{sent}"#)).measured.temperature.unwrap();
        assert_eq!(temperature.to_string(), "36.6", "{sent}");
    }
}

#[test]
fn decimals_pick_up_no_binary_noise_and_lose_no_digit() {
    for sent in ["0.1", "1640.5", "36.60", "0.30000000000000004", "123456.123456789012345678"] {
        assert_eq!(reading(&format!(r#""distance":{sent}"#)).measured.distance.unwrap().to_string(), sent);
        assert_eq!(reading(&format!(r#""distance":"{sent}""#)).measured.distance.unwrap().to_string(), sent);
    }
}

#[test]
fn a_vital_sign_of_zero_is_not_measured() {
    for zero in ["0", "0.0", r#""0""#, r#""0.0""#, r#"" 0 ""#, "-0", "-0.0", "0e5", r#""00.00""#] {
        let reading = reading(&format!(
            r#""heart_rate":{zero},"blood_oxygen":{zero},"body_temperature":{zero},"pressureHigh":{zero},"pressureLow":{zero},"stress":{zero}"#
        ));
        let vitals = [
            reading.measured.heart_rate,
            reading.measured.blood_oxygen,
            reading.measured.pressure_high,
            reading.measured.pressure_low,
            reading.measured.stress,
        ];
        assert_eq!((vitals, reading.measured.temperature), ([None; 5], None), "{zero}");
    }
}

#[test]
fn a_zero_under_the_first_name_is_an_answer() {
    assert_eq!(reading(r#""body_temperature":"0.0","temperature":"25.3""#).measured.temperature, None);
}

#[test]
fn totals_of_zero_are_real() {
    for zero in ["0", "0.0", r#""0""#, r#""0.0""#] {
        let reading = reading(&format!(r#""step":{zero},"distance":{zero},"calorie":{zero}"#));
        assert_eq!(
            (reading.measured.step, reading.measured.distance, reading.measured.calorie),
            (Some(0), Some(Decimal::ZERO), Some(Decimal::ZERO))
        );
    }
}

#[test]
fn a_position_of_zero_and_zero_is_none() {
    for (sent, expected) in [
        (r#""latitude":"0","longitude":"0","altitude":"0""#, (None, None, None)),
        (r#""latitude":0.0,"longitude":"-0.0","altitude":0"#, (None, None, None)),
        (r#""latitude":"0","longitude":"0","altitude":"12.5""#, (None, None, Some(12.5))),
        (r#""latitude":"0""#, (None, None, None)),
        (r#""longitude":0,"altitude":0"#, (None, None, None)),
        (r#""altitude":"0""#, (None, None, None)),
        (r#""latitude":"0","longitude":"9.5","altitude":"0""#, (Some(0.0), Some(9.5), Some(0.0))),
        (r#""latitude":51.5,"longitude":0,"altitude":-3"#, (Some(51.5), Some(0.0), Some(-3.0))),
        (r#""latitude":51.5"#, (Some(51.5), None, None)),
    ] {
        let reading = reading(sent);
        assert_eq!(
            (reading.measured.latitude, reading.measured.longitude, reading.measured.altitude),
            expected,
            "{sent}"
        );
    }
}

#[test]
fn nothing_is_null_everywhere() {
    let names = [
        "heart_rate",
        "blood_oxygen",
        "temperature",
        "pressureHigh",
        "pressureLow",
        "stress",
        "step",
        "distance",
        "calorie",
        "latitude",
        "longitude",
        "altitude",
        "customerId",
        "orgId",
        "userId",
        "timestamp",
        "upload_method",
        "sleepData",
        "exerciseDailyData",
        "exerciseWeekData",
        "scientificSleepData",
        "workoutData",
    ];
    let bare = only(r#"{"deviceSn":"WATCH-1","heart_rate":0}"#);
    for nothing in ["null", r#""""#, r#"" ""#, r#""null""#] {
        let fields = names.map(|name| format!(r#","{name}":{nothing}"#)).join("");
        assert_eq!(only(&format!(r#"{{"deviceSn":"WATCH-1"{fields}}}"#)), bare);
    }
    assert_eq!(bare.ts, instant("2025-05-17T10:00:00.123456Z"));
}

#[test]
fn ids_keep_all_their_digits() {
    for (sent, id) in [
        (r#""9223372036854775807""#, Some(i64::MAX)),
        ("9223372036854775807", Some(i64::MAX)),
        ("9007199254740993", Some(9_007_199_254_740_993)),
        (r#"" 1939964806110937090 ""#, Some(1_939_964_806_110_937_090)),
        (r#""0""#, None),
        ("0", None),
        ("-1", Some(-1)),
    ] {
        assert_eq!(reading(&format!(r#""customerId":{sent}"#)).owner.customer_id, id, "{sent}");
    }
}

#[test]
fn what_is_no_64_bit_number_is_no_id() {
    for sent in [
        "9223372036854775808",
        r#""18446744073709551615""#,
        "1.0e18",
        "1.0",
        r#""7.0""#,
        r#""abc""#,
        "true",
        "[1]",
        "{}",
    ] {
        for name in ["customerId", "org_id", "userId"] {
            assert_eq!(reason(&format!(r#""{name}":{sent}"#)), RejectReason::BadValue, "{name} {sent}");
        }
    }
    let body =
        r#"{"customerId":"abc","data":[{"deviceSn":"A","step":1},{"deviceSn":"B","step":1,"customerId":5}]}"#;
    let upload = upload(body);
    assert_eq!(upload.rejects[0].refusal.index, 0);
    assert_eq!(upload.items[0].reading.owner.customer_id, Some(5));
}

#[test]
fn the_channel_4g_is_esim_and_other_words_stay() {
    for (sent, kept) in [
        (r#""4g""#, Some("esim")),
        (r#"" 4G ""#, Some("esim")),
        (r#""wifi""#, Some("wifi")),
        (r#""common_event""#, Some("common_event")),
        (r#"" Lora ""#, Some("Lora")),
        ("5", Some("5")),
        (r#""a\u0000b""#, Some("ab")),
        ("true", None),
        ("[]", None),
    ] {
        assert_eq!(reading(&format!(r#""upload_method":{sent}"#)).upload_method.as_deref(), kept, "{sent}");
    }
}

#[test]
fn a_long_channel_is_cut_between_characters() {
    let kept = reading(&format!(r#""upload_method":"x{}""#, "网".repeat(30))).upload_method.unwrap();
    assert_eq!(kept, format!("x{}", "网".repeat(10)));
}

#[test]
fn a_fraction_of_a_whole_quantity_is_refused_and_not_rounded() {
    for name in ["heart_rate", "bloodOxygen", "gxy", "bs"] {
        let (reason, detail) = refusal(&sample(&format!(r#""{name}":"72.5""#)));
        assert_eq!((reason, detail), (RejectReason::BadValue, format!("{name} 72.5 is not a whole number")));
    }
}

#[test]
fn what_is_no_number_is_a_bad_value() {
    for sent in [
        "true",
        "false",
        "[72]",
        "{}",
        r#""NaN""#,
        r#""Infinity""#,
        r#""-inf""#,
        r#""72bpm""#,
        r#""0x48""#,
        r#""7 2""#,
        r#""--""#,
        r#""\ud800""#,
    ] {
        for name in ["heart_rate", "tw", "step", "distance", "latitude"] {
            assert_eq!(reason(&format!(r#""{name}":{sent}"#)), RejectReason::BadValue, "{name} {sent}");
        }
    }
}

#[test]
fn a_bad_value_behind_a_winning_name_is_never_looked_at() {
    assert_eq!(reading(r#""heart_rate":72,"xlv":"broken""#).measured.heart_rate, Some(72));
}

#[test]
fn what_no_body_or_sensor_shows_is_out_of_range() {
    for (name, low, high) in [
        ("heart_rate", "-1", "301"),
        ("blood_oxygen", "-1", "101"),
        ("temperature", "9.9", "50.1"),
        ("pressureHigh", "-5", "351"),
        ("pressureLow", "-5", "251"),
        ("stress", "-1", "101"),
        ("step", "-1", "300001"),
        ("distance", "-0.1", "1000000.1"),
        ("calorie", "-0.1", "100000000.1"),
        ("latitude", "-90.0001", "90.0001"),
        ("longitude", "-180.0001", "180.0001"),
        ("altitude", "-1000.1", "20000.1"),
    ] {
        for sent in [low, high, "1e400", "-1e400", "99999999999999999999999999999999999999", "2147483648"] {
            assert_eq!(reason(&format!(r#""{name}":{sent}"#)), RejectReason::OutOfRange, "{name} {sent}");
            assert_eq!(reason(&format!(r#""{name}":"{sent}""#)), RejectReason::OutOfRange, "{name} {sent}");
        }
    }
}

#[test]
fn the_ends_of_a_range_are_inside_it() {
    let reading = reading(
        r#""heart_rate":300,"blood_oxygen":100,"temperature":"50.0","pressureHigh":350,"pressureLow":250,"stress":100,
           "step":300000,"distance":1000000,"calorie":"100000000.0","latitude":-90,"longitude":180,"altitude":20000"#,
    );
    assert_eq!(
        (reading.measured.heart_rate, reading.measured.step, reading.measured.latitude),
        (Some(300), Some(300_000), Some(-90.0))
    );
}

#[test]
fn a_refusal_names_the_field_and_its_limit() {
    let (_, detail) = refusal(&sample(r#""xlv":999"#));
    assert_eq!(detail, "xlv 999 is over 300");
    let (_, detail) = refusal(&sample(r#""wd":-91"#));
    assert_eq!(detail, "wd -91 is under -90");
    let (_, detail) = refusal(&sample(r#""heart_rate":1e400"#));
    assert_eq!(detail, "heart_rate is outside 1 to 300");
    let (_, detail) = refusal(&sample(r#""tw":"warm""#));
    assert_eq!(detail, "tw is not a number");
    let (_, detail) = refusal(&sample(r#""org_id":"x""#));
    assert_eq!(detail, "org_id is not a whole number of at most 64 bits");
    let (_, detail) = refusal(r#"{"deviceSn":"A","step":1,"cjsj":"2031-01-01 00:00:00"}"#);
    assert_eq!(detail, "cjsj is more than 24 h ahead of the time of receipt");
}
