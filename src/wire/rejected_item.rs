//! A stored reject, read once more by the rules of its route.
//!
//! Before: a replay has the text of an item and what the item inherited from its wrappers. After: as for `health`.
//! Promise: the text is read as one record, because the records inside a wrapper were read when the upload came. With the same
//! context the result is the same.

use bytes::Bytes;

use super::gather::{RecordCollector, RecordPosition};
use super::item::Inherited;
use super::{Context, JSON_SPACE, batch, buffered, device_info, event, health, text_of};
use crate::model::{Source, Upload};

/// Reads a rejected item: the result is one record or one reject, and for an event also its sample. `context.received_at` is when
/// the item was first received: a sample without a time gets that time, and a time ahead of it stays ahead. An upload of the buffer may
/// have many records.
pub fn read(source: Source, text: &Bytes, inherited: Option<&str>, context: &Context) -> Upload {
    let inherited = inherited.map(Inherited::from_text).unwrap_or_default();
    // Text that cannot be a body cannot be a record either.
    let record = text_of(text).map_or("", |text| text.trim_start_matches(JSON_SPACE));
    // Depth 1: a whole body without fields would be an error, and a record is not a whole body.
    let place = RecordPosition { source: text, inherited: &inherited, depth: 1 };
    let rules = match source {
        Source::Health => health::RULES,
        Source::HealthBatch => batch::RULES,
        Source::DeviceInfo => return device_info::read_reject(record, place, context),
        Source::Event => return event::read_reject(record, place, context),
        Source::Buffer => return buffered::read_reject(text, context),
    };
    let mut collector = RecordCollector::new(context, rules);
    collector.add_single(record, RecordPosition { depth: 0, ..place });
    collector.finish()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use jiff::tz::TimeZone;

    use super::*;
    use crate::model::{Item, RejectReason};

    fn context(oldest: Option<&str>) -> Context {
        Context {
            received_at: "2025-05-17T10:00:00Z".parse().unwrap(),
            device_zone: TimeZone::get("Asia/Shanghai").unwrap(),
            oldest: oldest.map(|time| time.parse().unwrap()),
            key_customer_id: None,
        }
    }

    fn bytes(text: &str) -> Bytes {
        Bytes::copy_from_slice(text.as_bytes())
    }

    /// Every item of `body`, refused for its age and read again without that bound.
    fn replayed(body: &str) -> Vec<Item> {
        let refused = health::parse(&bytes(body), &context(Some("2025-05-17T09:00:00Z"))).unwrap();
        assert!(refused.items.is_empty(), "{body}");
        let read = |reject: &crate::model::Reject| {
            let upload = read(reject.source, &reject.text, reject.inherited.as_deref(), &context(None));
            assert_eq!((upload.items.len(), upload.rejects.len()), (1, 0), "{reject:?}");
            upload.items.into_iter().next().unwrap()
        };
        refused.rejects.iter().map(read).collect()
    }

    #[test]
    fn an_item_read_again_is_what_it_was_in_its_body() {
        for body in [
            r#"{"deviceSn":"A","heart_rate":70,"timestamp":"2025-05-17 12:00:00"}"#,
            r#"{"data":[{"deviceSn":"A","timestamp":1747454400,"step":5},{"deviceSn":"B","timestamp":1747454400,"step":5}]}"#,
            r#"{"customerId":"7","org_id":8,"data":{"deviceSn":"A","timestamp":1747454400,"step":5}}"#,
            r#"{"userId":"9","deviceSn":"W\"","data":{"org_id":1,"data":[{"xlv":70,"cjsj":1747454400}]}}"#,
            r#"{"customerId":"7","data":"{\"data\":[{\"id\":\"A\",\"timestamp\":1747454400,\"bs\":5}]}"}"#,
            r#"{"deviceSn":"A","xlv":7,"timestamp":1747454400,"data":[{"id":"B","timestamp":1747454400,"bs":5}]}"#,
        ] {
            let taken = health::parse(&bytes(body), &context(None)).unwrap();
            assert!(taken.rejects.is_empty(), "{body}");
            let replayed = replayed(body);
            assert_eq!(replayed.len(), taken.items.len(), "{body}");
            for (second, first) in replayed.iter().zip(&taken.items) {
                assert_eq!(second.reading, first.reading, "{body}");
                assert_eq!(second.received_at, first.received_at);
                assert_eq!(second.text, first.text);
                assert_eq!(second.inherited, first.inherited);
            }
        }
    }

    #[test]
    fn an_id_that_could_not_be_read_around_it_refuses_it_again() {
        let body = r#"{"customerId":"seven","data":{"deviceSn":"A"}}"#;
        let refused = health::parse(&bytes(body), &context(None)).unwrap().rejects.remove(0);
        let again = read(refused.source, &refused.text, refused.inherited.as_deref(), &context(None));
        assert_eq!(again.rejects, [refused]);
    }

    #[test]
    fn a_record_of_the_batch_route_keeps_its_rules() {
        let text = bytes(r#"{"deviceSn":"A","timestamp":1747454400,"step":5}"#);
        let reason = |source| {
            read(source, &text, None, &context(None)).rejects.first().map(|reject| reject.refusal.reason)
        };
        assert_eq!(reason(Source::Health), None);
        assert_eq!(reason(Source::HealthBatch), Some(RejectReason::BadSerial));
    }

    #[test]
    fn what_is_no_object_stays_refused() {
        for text in ["5", "\"x\"", "[{\"deviceSn\":\"A\"}]", "", "{", "{}{}", "null", "\u{0}"] {
            let upload = read(Source::Health, &bytes(text), None, &context(None));
            let reasons: Vec<_> = upload.rejects.iter().map(|reject| reject.refusal.reason).collect();
            assert_eq!((reasons, upload.items), (vec![RejectReason::NotAnObject], vec![]), "{text}");
        }
    }

    #[test]
    fn a_sample_without_a_time_was_taken_when_it_was_received() {
        let upload = read(Source::Health, &bytes(r#"{"deviceSn":"A","step":5}"#), None, &context(None));
        assert_eq!(upload.items[0].reading.ts, context(None).received_at);
    }
}
