//! `POST /upload_watch_log`: the log of a watch about itself.
//!
//! Before: `http::watch_log` has the body. After: `store::watch_log` keeps the lines.
//! Promise: wrappers are those of [`super::records`]. A line that is too long is cut, not refused. A time that cannot be right is
//! replaced by the time of receipt. A record without content is no line.

use bytes::Bytes;

use super::gather::RecordPosition;
use super::object::{self, Member};
use super::records::{self, RecordReader};
use super::value::JsonValue;
use super::{BodyError, Context, item, time};
use crate::model::WatchLogLine;
use crate::model::watch_log::{MAX_CONTENT_BYTES, MAX_LEVEL_BYTES};

/// What a body held.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WatchLogUpload {
    /// Its lines.
    pub lines: Vec<WatchLogLine>,
    /// Records without content.
    pub empty: usize,
}

/// Reads an upload.
///
/// # Errors
/// The body holds no record.
pub fn parse(body: &Bytes, context: &Context) -> Result<WatchLogUpload, BodyError> {
    let mut collector = LogCollector { context, upload: WatchLogUpload::default() };
    records::read(body, &mut collector)?;
    Ok(collector.upload)
}

struct LogCollector<'c> {
    context: &'c Context,
    upload: WatchLogUpload,
}

impl RecordReader for LogCollector<'_> {
    fn is_record(&self, _text: &str) -> bool {
        false
    }

    fn add_object(&mut self, text: &str, place: RecordPosition<'_>) -> Result<(), BodyError> {
        let mut values: [Option<JsonValue<'_>>; 4] = Default::default();
        let mut content = None;
        object::read(text, field_of_name, |member| {
            if let Member::Known(field, raw) = member
                && let Some(value) = JsonValue::from_raw(raw)
            {
                if field == LogField::Content {
                    content = Some(value.document(raw).replace('\0', ""));
                } else {
                    values[field as usize] = Some(value);
                }
            }
        })?;
        let [device_sn, timestamp, level, _] = &values;
        if place.depth == 0 && content.is_none() && device_sn.is_none() {
            return Err(BodyError::NoItem);
        }
        let Some(content) = content else {
            self.upload.empty += 1;
            return Ok(());
        };
        let received_at = time::to_microsecond(self.context.received_at);
        let named = device_sn.as_ref().map_or(place.inherited.device_sn(), JsonValue::serial);
        self.upload.lines.push(WatchLogLine {
            device_sn: named.map(str::to_owned),
            ts: timestamp
                .as_ref()
                .and_then(|sent| item::instant(sent, "timestamp", self.context).ok())
                .unwrap_or(received_at),
            level: level.as_ref().and_then(JsonValue::scalar_text).map(|word| cut(&word, MAX_LEVEL_BYTES)),
            content: cut(&content, MAX_CONTENT_BYTES),
            customer_id: None,
        });
        Ok(())
    }

    fn add_non_object(&mut self, _text: &str, _place: RecordPosition<'_>) {
        self.upload.empty += 1;
    }

    fn record_count(&self) -> usize {
        self.upload.lines.len() + self.upload.empty
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LogField {
    DeviceSn,
    Timestamp,
    Level,
    Content,
}

fn field_of_name(name: &[u8]) -> Option<LogField> {
    Some(match name {
        b"deviceSn" | b"device_sn" => LogField::DeviceSn,
        b"timestamp" => LogField::Timestamp,
        b"level" => LogField::Level,
        b"content" => LogField::Content,
        _ => return None,
    })
}

fn cut(text: &str, max_bytes: usize) -> String {
    text[..text.floor_char_boundary(max_bytes)].to_owned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use jiff::Timestamp;
    use jiff::tz::TimeZone;

    use super::*;

    fn parse_text(body: &str) -> Result<WatchLogUpload, BodyError> {
        let context = Context {
            received_at: "2025-05-17T10:00:00Z".parse().unwrap(),
            device_zone: TimeZone::get("Asia/Shanghai").unwrap(),
            oldest: None,
            key_customer_id: None,
        };
        parse(&Bytes::copy_from_slice(body.as_bytes()), &context)
    }

    #[test]
    fn a_line_is_read_in_every_wrapper() {
        let line = r#"{"deviceSn":"W","timestamp":"2025-05-17 17:59:00","level":"warn","content":"a\nb"}"#;
        for body in [
            line.to_owned(),
            format!(r#"{{"type":"watch_log","data":{line}}}"#),
            format!(r#"{{"data":[{line}]}}"#),
            format!("[{line}]"),
        ] {
            let lines = parse_text(&body).unwrap().lines;
            let expected = WatchLogLine {
                device_sn: Some("W".into()),
                ts: "2025-05-17T09:59:00Z".parse::<Timestamp>().unwrap(),
                level: Some("warn".into()),
                content: "a\nb".into(),
                customer_id: None,
            };
            assert_eq!(lines, [expected], "{body}");
        }
    }

    #[test]
    fn a_line_is_cut_rather_than_refused_and_one_without_content_is_none() {
        let long = "长".repeat(10_000);
        let body = format!(
            r#"[{{"content":"{long}","level":"{long}","timestamp":"x"}},{{"content":{{"a":1}}}},{{}},5]"#
        );
        let upload = parse_text(&body).unwrap();
        assert_eq!(upload.lines[0].content.len(), 16_383);
        assert_eq!(upload.lines[0].level.as_deref().unwrap().len(), 30);
        assert_eq!(upload.lines[0].ts, "2025-05-17T10:00:00Z".parse().unwrap());
        assert_eq!((upload.lines[1].content.as_str(), upload.empty), (r#"{"a":1}"#, 2));
        assert_eq!(parse_text("{}"), Err(BodyError::NoItem));
    }
}
