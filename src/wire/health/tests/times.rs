//! The time of a sample.

use super::*;

fn ts(sent: &str) -> Timestamp {
    only(&format!(r#"{{"deviceSn":"WATCH-1","step":1,"timestamp":{sent}}}"#)).ts
}

fn time_refusal(sent: &str) -> RejectReason {
    refusal(&format!(r#"{{"deviceSn":"WATCH-1","timestamp":{sent}}}"#)).0
}

#[test]
fn every_form_names_the_same_instant() {
    for sent in [
        r#""2025-05-17 14:30:05""#,
        r#"" 2025-05-17 14:30:05 ""#,
        r#""2025-05-17T14:30:05""#,
        r#""2025-05-17 14:30:05.000""#,
        r#""2025-05-17T06:30:05Z""#,
        r#""2025-05-17T06:30:05.000000Z""#,
        r#""2025-05-17 06:30:05Z""#,
        r#""2025-05-17T08:30:05+02:00""#,
        r#""2025-05-17T08:30:05+0200""#,
        r#""2025-05-17T01:30:05-05:00""#,
        "1747463405",
        r#""1747463405""#,
        "1747463405000",
        r#""1747463405000""#,
        "1747463405.0",
        "1.747463405e9",
        "1.747463405e12",
    ] {
        assert_eq!(ts(sent), instant("2025-05-17T06:30:05Z"), "{sent}");
    }
}

#[test]
fn epoch_numbers_are_seconds_up_to_ten_digits_and_milliseconds_above() {
    let late = Context { received_at: instant("2286-11-20T17:46:39Z"), ..context() };
    let read = |sent: &str| {
        let body = Bytes::from(format!(r#"{{"deviceSn":"A","step":1,"timestamp":{sent}}}"#));
        parse(&body, &late).unwrap().items[0].reading.ts
    };
    assert_eq!(read("9999999999"), instant("2286-11-20T17:46:39Z"));
    assert_eq!(read("9999999999.75"), instant("2286-11-20T17:46:39.75Z"));
    assert_eq!(read("1262304000000"), instant("2010-01-01T00:00:00Z"));
    assert_eq!(read("1262304000"), instant("2010-01-01T00:00:00Z"));
    for sent in ["1", "10000000000", "1262303999", "1262303999999"] {
        assert_eq!(time_refusal(sent), RejectReason::TooOld, "{sent}");
    }
}

#[test]
fn fractions_are_cut_to_microseconds() {
    for sent in [
        r#""2025-05-17 14:30:05.1234569""#,
        r#""2025-05-17T06:30:05.123456999Z""#,
        "1747463405.1234569",
        "1747463405123.4569",
    ] {
        assert_eq!(ts(sent), instant("2025-05-17T06:30:05.123456Z"), "{sent}");
    }
    assert_eq!(ts("1747463405123"), instant("2025-05-17T06:30:05.123Z"));
}

#[test]
fn without_a_time_it_is_the_time_of_receipt_to_the_microsecond() {
    for sent in ["null", r#""""#, r#"" ""#, r#""null""#] {
        assert_eq!(ts(sent), instant("2025-05-17T10:00:00.123456Z"));
    }
}

#[test]
fn what_is_no_time_is_refused() {
    for sent in [
        "true",
        "[]",
        "{}",
        "0",
        r#""0""#,
        "-5",
        r#""-1747463405""#,
        r#""yesterday""#,
        r#""2025-05-17""#,
        r#""14:30:05""#,
        r#""2025-13-01 00:00:00""#,
        r#""2025-02-30 00:00:00""#,
        r#""2025-05-17 25:00:00""#,
        r#""2025-05-17 14:30:05 Z x""#,
        r#""2025-05-17 14:30:05[Asia/Shanghai]""#,
        "1e400",
        "9999999999999999999",
        r#""99999999999999999999999999999999""#,
        r#""1.2.3""#,
        r#""-002025-05-17 14:30:05""#,
        r#""\ud800""#,
        r#""NaN""#,
    ] {
        assert_eq!(time_refusal(sent), RejectReason::BadTime, "{sent}");
    }
}

#[test]
fn a_day_ahead_is_allowed_and_no_more() {
    assert_eq!(ts(r#""2025-05-18T10:00:00.123456Z""#), instant("2025-05-18T10:00:00.123456Z"));
    assert_eq!(time_refusal(r#""2025-05-18T10:00:00.123457Z""#), RejectReason::Future);
    assert_eq!(time_refusal(r#""2030-01-01 00:00:00""#), RejectReason::Future);
    assert_eq!(time_refusal(r#""9999-12-30 00:00:00""#), RejectReason::Future);
}

#[test]
fn what_is_older_than_raw_readings_are_kept_is_refused() {
    let kept = Context { oldest: Some(instant("2025-04-01T00:00:00Z")), ..context() };
    let body = Bytes::from(
        r#"[{"deviceSn":"A","step":1,"timestamp":"2025-04-01T00:00:00Z"},{"deviceSn":"A","timestamp":"2025-03-31T23:59:59.999999Z"}]"#,
    );
    let upload = parse(&body, &kept).unwrap();
    assert_eq!((upload.items.len(), upload.rejects.len()), (1, 1));
    assert_eq!(upload.rejects[0].refusal.reason, RejectReason::TooOld);
    assert!(upload.rejects[0].refusal.detail.contains("2025-04-01T00:00:00Z"));
    assert_eq!(ts(r#""2010-01-01 08:00:00""#), instant("2010-01-01T00:00:00Z"));
    assert_eq!(time_refusal(r#""2010-01-01 07:59:59""#), RejectReason::TooOld, "whatever is kept");
}

#[test]
fn a_naive_time_is_one_of_the_device_zone() {
    let read = |zone: &str, sent: &str| {
        let context = Context { device_zone: TimeZone::get(zone).unwrap(), ..context() };
        let body = Bytes::from(format!(r#"{{"deviceSn":"A","step":1,"timestamp":"{sent}"}}"#));
        parse(&body, &context).unwrap().items[0].reading.ts
    };
    assert_eq!(read("Asia/Kolkata", "2025-05-17 14:30:05"), instant("2025-05-17T09:00:05Z"));
    assert_eq!(read("Europe/Berlin", "2025-03-30 01:59:59"), instant("2025-03-30T00:59:59Z"));
    // The hour that does not exist: read with the offset from before the change.
    assert_eq!(read("Europe/Berlin", "2025-03-30 02:30:00"), instant("2025-03-30T01:30:00Z"));
    assert_eq!(read("Europe/Berlin", "2025-03-30 03:00:00"), instant("2025-03-30T01:00:00Z"));
    // The hour that exists twice, long ago: the second, which is nearer to the receipt.
    assert_eq!(read("Europe/Berlin", "2024-10-27 02:30:00"), instant("2024-10-27T01:30:00Z"));
    assert_eq!(read("Europe/Berlin", "2024-10-27 03:00:00"), instant("2024-10-27T02:00:00Z"));
}

#[test]
fn of_an_hour_that_comes_twice_the_reading_next_to_the_receipt_and_not_after_it_counts() {
    let zone = TimeZone::get("Europe/Berlin").unwrap();
    // Clocks show 02:00 to 03:00 from 00:00 to 01:00 UTC, and again from 01:00 to 02:00 UTC.
    for (received_at, sent, expected) in [
        ("2024-10-27T00:30:10Z", "2024-10-27 02:30:05", "2024-10-27T00:30:05Z"),
        ("2024-10-27T01:30:10Z", "2024-10-27 02:30:05", "2024-10-27T01:30:05Z"),
        // A cached sample of the first pass that comes in the second, before clocks show its time again.
        ("2024-10-27T01:10:00Z", "2024-10-27 02:40:00", "2024-10-27T00:40:00Z"),
        // A clock that runs a little ahead is no reason to take the hour before.
        ("2024-10-27T01:30:00Z", "2024-10-27 02:34:00", "2024-10-27T01:34:00Z"),
        ("2024-10-27T01:30:00Z", "2024-10-27 02:36:00", "2024-10-27T00:36:00Z"),
        ("2024-10-28T12:00:00Z", "2024-10-27 02:30:00", "2024-10-27T01:30:00Z"),
        // Outside the hour nothing has two readings.
        ("2024-10-27T00:30:00Z", "2024-10-27 01:59:59", "2024-10-26T23:59:59Z"),
        ("2024-10-27T00:30:00Z", "2024-10-27 03:00:00", "2024-10-27T02:00:00Z"),
    ] {
        let context = Context { device_zone: zone.clone(), received_at: instant(received_at), ..context() };
        let body = Bytes::from(format!(r#"{{"deviceSn":"A","step":1,"timestamp":"{sent}"}}"#));
        let ts = parse(&body, &context).unwrap().items[0].reading.ts;
        assert_eq!(ts, instant(expected), "{sent}, received {received_at}");
    }
}
