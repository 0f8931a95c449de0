//! `POST /upload_health_data_batch`: the batch API of the design documents.
//!
//! Before: `http::health` has the body. After: as for `health`.
//! Promise: records are read by the rules of [`super::health`]. In addition, a serial has at least 5 characters, and a time is required.

use bytes::Bytes;

use super::fields::SampleFields;
use super::gather::{self, Content, RecordCollector, RecordPosition};
use super::item::{Inherited, RouteRules};
use super::{BodyError, Context, JSON_SPACE, refusal_of_scalar, text_of};
use crate::model::{Source, Upload};

pub(super) const RULES: RouteRules =
    RouteRules { source: Source::HealthBatch, min_serial_chars: 5, time_required: true };

/// What a batch body held.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct BatchUpload {
    /// Its records; none, if `data` is an empty array.
    pub upload: Upload,
    /// The sender's own id of it: text as sent, or the digits of a number.
    pub batch_id: Option<String>,
}

/// Reads a batch.
///
/// # Errors
/// The body is no object with an array under `data`. A record that cannot be stored is no error but a reject.
pub fn parse(body: &Bytes, context: &Context) -> Result<BatchUpload, BodyError> {
    let text = text_of(body)?;
    match text.trim_start_matches(JSON_SPACE).as_bytes() {
        [b'{', ..] => {}
        [b'[', ..] => {
            serde_json::from_str::<&serde_json::value::RawValue>(text)?;
            return Err(BodyError::DataIsNoArray);
        }
        _ => return Err(refusal_of_scalar(text)),
    }
    let fields = SampleFields::read(text)?;
    let content: Content<'_> = gather::content_of(&fields)
        .filter(|content| content.text().starts_with('['))
        .ok_or(BodyError::DataIsNoArray)?;
    let inherited = Inherited::default().within(&fields);
    let mut collector = RecordCollector::new(context, RULES);
    collector.add_content(&content, RecordPosition { source: body, inherited: &inherited, depth: 1 })?;
    let batch_id = fields.batch_id.get().and_then(|value| value.label());
    Ok(BatchUpload { upload: collector.finish(), batch_id })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use jiff::tz::TimeZone;

    use super::*;
    use crate::model::RejectReason;

    fn try_parse(body: &str) -> Result<BatchUpload, BodyError> {
        let context = Context {
            received_at: "2025-05-17T10:00:00Z".parse().unwrap(),
            device_zone: TimeZone::get("Asia/Shanghai").unwrap(),
            oldest: None,
            key_customer_id: None,
        };
        parse(&Bytes::copy_from_slice(body.as_bytes()), &context)
    }

    fn reason(record: &str) -> RejectReason {
        let upload = try_parse(&format!(r#"{{"data":[{record}]}}"#)).unwrap().upload;
        assert_eq!((upload.items.len(), upload.rejects.len()), (0, 1), "{record}");
        upload.rejects[0].refusal.reason
    }

    #[test]
    fn a_batch_is_read_by_the_rules_of_every_upload_and_its_own() {
        let batch = try_parse(include_str!("../../tests/fixtures/batch.json")).unwrap();
        assert_eq!(batch.batch_id.as_deref(), Some("b-20250517-1"));
        let stored = batch.upload.items.iter().map(|item| item.index).collect::<Vec<_>>();
        let rejected =
            batch.upload.rejects.iter().map(|reject| (reject.refusal.index, reject.refusal.reason));
        assert_eq!(stored, [0, 1]);
        assert_eq!(rejected.collect::<Vec<_>>(), [(2, RejectReason::BadSerial), (3, RejectReason::BadTime)]);
        let first = &batch.upload.items[0].reading;
        assert_eq!(first.ts, "2025-05-17T06:30:05Z".parse().unwrap());
        assert_eq!(first.measured.temperature.unwrap().to_string(), "36.6");
        assert_eq!(first.upload_method.as_deref(), Some("wifi"));
    }

    #[test]
    fn a_serial_has_at_least_five_characters() {
        assert_eq!(reason(r#"{"deviceSn":"1234","timestamp":1747463405}"#), RejectReason::BadSerial);
        assert_eq!(reason(r#"{"deviceSn":"设备一号","timestamp":1747463405}"#), RejectReason::BadSerial);
        let body = r#"{"data":[{"deviceSn":"12345","timestamp":1747463405,"step":5},{"deviceSn":"设备一二三","timestamp":1747463405,"step":5}]}"#;
        assert_eq!(try_parse(body).unwrap().upload.items.len(), 2);
    }

    #[test]
    fn a_time_is_there_and_positive() {
        for time in [
            r#""#,
            r#","timestamp":null"#,
            r#","timestamp":"""#,
            r#","timestamp":0"#,
            r#","timestamp":-1"#,
            r#","timestamp":"0""#,
        ] {
            assert_eq!(
                reason(&format!(r#"{{"deviceSn":"WATCH-1"{time}}}"#)),
                RejectReason::BadTime,
                "{time}"
            );
        }
    }

    #[test]
    fn the_batch_id_is_returned_as_sent() {
        for (sent, kept) in [
            (r#","batchId":"a b""#, Some("a b")),
            (r#","batchId":1939964806110937090"#, Some("1939964806110937090")),
            (r#","batch_id":"x""#, Some("x")),
            (r#","batchId":null"#, None),
            (r#","batchId":"""#, None),
            ("", None),
        ] {
            assert_eq!(try_parse(&format!(r#"{{"data":[]{sent}}}"#)).unwrap().batch_id.as_deref(), kept);
        }
    }

    #[test]
    fn ids_at_the_top_fill_records_that_lack_them() {
        let body = r#"{"data":[{"deviceSn":"WATCH-1","timestamp":1747463405,"step":5}],"customerId":"7"}"#;
        assert_eq!(try_parse(body).unwrap().upload.items[0].reading.owner.customer_id, Some(7));
    }

    #[test]
    fn no_record_is_an_empty_upload() {
        assert_eq!(try_parse(r#"{"data":[]}"#), Ok(BatchUpload::default()));
    }

    #[test]
    fn without_an_array_it_is_no_batch() {
        for body in [
            "{}",
            "[]",
            r#"{"data":{}}"#,
            r#"{"data":null}"#,
            r#"{"data":5}"#,
            r#"{"deviceSn":"WATCH-1","timestamp":1}"#,
        ] {
            assert_eq!(try_parse(body), Err(BodyError::DataIsNoArray), "{body}");
        }
        assert_eq!(try_parse(""), Err(BodyError::Empty));
        assert_eq!(try_parse("null"), Err(BodyError::Null));
        assert_eq!(try_parse("5"), Err(BodyError::NotAnUpload("a number")));
        for body in ["[", "{", r#"{"data":[}"#, r#"{"data":[]}x"#] {
            assert!(matches!(try_parse(body), Err(BodyError::NotJson(_))), "{body}");
        }
    }
}
