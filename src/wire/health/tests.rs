//! What an upload becomes, claim by claim.

#![allow(clippy::unwrap_used)]

mod documents;
mod names;
mod properties;
mod rejects;
mod shapes;
mod speed;
mod times;
mod values;

use std::str::FromStr;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::*;
use crate::model::{Reading, RejectReason};

/// 2025-05-17 18:00 in Shanghai; raw readings kept for ever.
fn context() -> Context {
    Context {
        received_at: instant("2025-05-17T10:00:00.123456789Z"),
        device_zone: TimeZone::get("Asia/Shanghai").unwrap(),
        oldest: None,
        key_customer_id: None,
    }
}

fn instant(text: &str) -> Timestamp {
    Timestamp::from_str(text).unwrap()
}

fn try_parse(body: impl Into<Vec<u8>>) -> Result<Upload, BodyError> {
    parse(&Bytes::from(body.into()), &context())
}

fn upload(body: &str) -> Upload {
    try_parse(body).unwrap_or_else(|error| panic!("{error}: {body}"))
}

fn readings(body: &str) -> Vec<Reading> {
    let upload = upload(body);
    assert_eq!(upload.rejects, [], "{body}");
    upload.items.into_iter().map(|item| item.reading).collect()
}

fn only(body: &str) -> Reading {
    let mut readings = readings(body);
    assert_eq!(readings.len(), 1, "{body}");
    readings.remove(0)
}

/// A body with one sample of `WATCH-1` that has these fields besides. Without a field that could hold a value it is none.
fn sample(fields: &str) -> String {
    format!(
        r#"{{"data":{{"deviceSn":"WATCH-1","timestamp":"2025-05-17 14:30:05","workoutData":"null",{fields}}}}}"#
    )
}

/// The reading of such a sample.
fn reading(fields: &str) -> Reading {
    only(&sample(fields))
}

fn refusal(body: &str) -> (RejectReason, String) {
    let mut upload = upload(body);
    assert_eq!((upload.items.len(), upload.rejects.len()), (0, 1), "{body}");
    let refusal = upload.rejects.remove(0).refusal;
    (refusal.reason, refusal.detail)
}

/// Why a sample with these fields is refused.
fn reason(fields: &str) -> RejectReason {
    refusal(&sample(fields)).0
}
