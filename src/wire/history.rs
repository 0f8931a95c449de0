//! A line of history: a record, or a body as it was once uploaded.
//!
//! Before: `command::backfill` has a line of a file. After: as for `health`.
//! Promise: records are read by the rules of [`super::batch`], except that a serial may be short. A record needs a time, because the
//! time of receipt says nothing about when history was measured. Every line becomes an upload or a reject.

use bytes::Bytes;

use super::fields::SampleFields;
use super::gather::{self, RecordCollector, RecordPosition};
use super::item::{Inherited, RouteRules};
use super::{Context, JSON_SPACE, text_of};
use crate::model::{Source, Upload};

/// A replay reads the rejects as those of the batch route.
const RULES: RouteRules =
    RouteRules { source: Source::HealthBatch, min_serial_chars: 1, time_required: true };

/// Reads a line.
pub fn read(line: &Bytes, context: &Context) -> Upload {
    let text = text_of(line).map_or("", |text| text.trim_start_matches(JSON_SPACE));
    let place = RecordPosition { source: line, inherited: &Inherited::default(), depth: 0 };
    let mut collector = RecordCollector::new(context, RULES);
    let outcome = match SampleFields::read(text) {
        Ok(fields) if gather::content_of(&fields).is_some() => collector.add_object(fields, text, place),
        _ => {
            collector.add_single(if text.is_empty() { utf8_prefix(line) } else { text }, place);
            return collector.finish();
        }
    };
    if outcome.is_ok() {
        return collector.finish();
    }
    // A body that is cut off is no upload: all of it is one reject.
    let mut collector = RecordCollector::new(context, RULES);
    collector.add_single(text, place);
    collector.finish()
}

/// The part of a line before the first byte that is not UTF-8.
fn utf8_prefix(line: &Bytes) -> &str {
    match std::str::from_utf8(line) {
        Ok(text) => text,
        Err(error) => std::str::from_utf8(&line[..error.valid_up_to()]).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use jiff::tz::TimeZone;

    use super::*;
    use crate::model::RejectReason;

    fn parse(line: &str) -> Upload {
        let context = Context {
            received_at: "2025-05-17T10:00:00Z".parse().unwrap(),
            device_zone: TimeZone::get("Asia/Shanghai").unwrap(),
            oldest: None,
            key_customer_id: None,
        };
        read(&Bytes::copy_from_slice(line.as_bytes()), &context)
    }

    #[test]
    fn a_line_is_a_record_or_a_body() {
        assert_eq!(parse(r#"{"deviceSn":"A","timestamp":1747454400,"heart_rate":"70"}"#).items.len(), 1);
        let body = r#"{"data":[{"deviceSn":"A","timestamp":1747454400,"step":5},{"deviceSn":"B","timestamp":1747454400,"bs":5}]}"#;
        assert_eq!(parse(body).items.len(), 2);
    }

    #[test]
    fn whatever_is_no_record_is_one_reject_with_its_text() {
        for line in ["5", "nonsense", "{", "[1", r#"{"data":[{"deviceSn":"A","#, "\u{0}"] {
            let upload = parse(line);
            assert_eq!((upload.items.len(), upload.rejects.len()), (0, 1), "{line}");
            assert_eq!(upload.rejects[0].refusal.reason, RejectReason::NotAnObject, "{line}");
        }
    }

    #[test]
    fn without_a_time_it_is_refused() {
        assert_eq!(
            parse(r#"{"deviceSn":"A","heart_rate":70}"#).rejects[0].refusal.reason,
            RejectReason::BadTime
        );
    }
}
