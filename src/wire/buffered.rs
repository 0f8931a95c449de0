//! An upload as the buffer keeps it: what came, with everything that reading it depends on.
//!
//! Before: `buffer` makes one of a request. After: `buffer` reads it once more when PostgreSQL can store it; the result is what it was when
//! it came.
//! Promise: a field is only ever added, and may be absent, so that the program of the release before or after can read it.

use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{BodyError, Context, batch, device_info, event, health, rejected_item};
use crate::model::{Refusal, Reject, RejectReason, Source, Upload};

/// An upload, or the part of one that concerns some of its devices.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BufferedUpload {
    /// The route it came by.
    pub source: Source,
    /// When it was received: a sample without a time has this one, and lateness is evaluated by it.
    pub received_at: Timestamp,
    /// Tenant of the key of the request: see [`Context::key_customer_id`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_customer_id: Option<i64>,
    /// The only device that the key may write.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_device_sn: Option<String>,
    /// `X-Request-Id` of the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// The trace of the request, as W3C `traceparent`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
    /// It is stored already, and only to be compared with that. A program that does not know this stores it, which changes nothing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub shadow: bool,
    /// What was sent.
    pub content: BufferedContent,
}

/// What was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BufferedContent {
    /// The whole body, unpacked.
    Body(String),
    /// Some records of a body.
    Items(Vec<BufferedItem>),
}

/// A record of a body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BufferedItem {
    /// As it was sent.
    pub text: String,
    /// What it inherits from its wrappers: see [`Reject::inherited`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inherited: Option<String>,
}

impl BufferedUpload {
    /// Reads it. `context` is for the same time of receipt and the same key.
    ///
    /// # Errors
    /// The body is no upload, as this program sees it.
    pub fn read(&self, context: &Context) -> Result<Upload, BodyError> {
        let mut upload = match &self.content {
            BufferedContent::Body(body) => {
                let body = Bytes::copy_from_slice(body.as_bytes());
                match self.source {
                    Source::Health => health::parse(&body, context)?,
                    Source::HealthBatch => batch::parse(&body, context)?.upload,
                    Source::DeviceInfo => device_info::parse(&body, context)?,
                    Source::Event => event::parse(&body, context)?.upload,
                    Source::Buffer => return Err(BodyError::NotAnUpload("what was buffered before")),
                }
            }
            BufferedContent::Items(items) => self.read_items(items, context),
        };
        if let Some(device_sn) = &self.key_device_sn {
            upload.keep_device(device_sn);
        }
        Ok(upload)
    }

    fn read_items(&self, items: &[BufferedItem], context: &Context) -> Upload {
        let mut upload = Upload::default();
        for item in items {
            let text = Bytes::copy_from_slice(item.text.as_bytes());
            upload.append(rejected_item::read(self.source, &text, item.inherited.as_deref(), context));
        }
        upload
    }

    /// The whole as a reject, with the reason why it cannot be stored.
    pub fn reject(&self, reason: RejectReason, detail: String) -> Reject {
        let text = serde_json::to_string(self).expect("it has no maps with odd keys");
        Reject {
            refusal: Refusal { index: 0, reason, detail },
            device_sn: self.key_device_sn.clone(),
            text: text.into(),
            inherited: None,
            source: Source::Buffer,
            received_at: self.received_at,
            key_customer_id: self.key_customer_id,
        }
    }
}

/// Reads a buffered upload that was rejected as a whole.
pub(super) fn read_reject(text: &Bytes, context: &Context) -> Upload {
    let buffered = serde_json::from_slice::<BufferedUpload>(text).map_err(BodyError::from);
    buffered.and_then(|buffered| buffered.read(context)).unwrap_or_else(|error| Upload {
        rejects: vec![Reject {
            refusal: Refusal { index: 0, reason: RejectReason::NotJson, detail: error.to_string() },
            device_sn: None,
            text: text.clone(),
            inherited: None,
            source: Source::Buffer,
            received_at: context.received_at,
            key_customer_id: context.key_customer_id,
        }],
        ..Upload::default()
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use jiff::tz::TimeZone;

    use super::*;

    fn context() -> Context {
        Context {
            received_at: "2025-05-17T10:00:00Z".parse().unwrap(),
            device_zone: TimeZone::get("Asia/Shanghai").unwrap(),
            oldest: None,
            key_customer_id: Some(7),
        }
    }

    fn buffered(source: Source, content: BufferedContent) -> BufferedUpload {
        BufferedUpload {
            source,
            received_at: context().received_at,
            key_customer_id: Some(7),
            key_device_sn: None,
            request_id: None,
            traceparent: None,
            shadow: false,
            content,
        }
    }

    const BODY: &str = r#"{"customerId":"7","data":[{"deviceSn":"WATCH-A","timestamp":1747454400,"step":5},
        {"deviceSn":"WATCH-B","heart_rate":70,"timestamp":1747454401},{"timestamp":1747454400}]}"#;

    #[test]
    fn a_body_and_its_records_are_read_as_when_they_came() {
        for source in [Source::Health, Source::HealthBatch] {
            let whole = buffered(source, BufferedContent::Body(BODY.to_owned()));
            let upload = whole.read(&context()).unwrap();
            assert_eq!((upload.items.len(), upload.rejects.len()), (2, 1));
            let items = upload.items.iter().map(|item| (&item.text, &item.inherited));
            let texts = items.chain(upload.rejects.iter().map(|reject| (&reject.text, &reject.inherited)));
            let items = texts.map(|(text, inherited)| BufferedItem {
                text: String::from_utf8(text.to_vec()).unwrap(),
                inherited: inherited.as_deref().map(str::to_owned),
            });
            let parts = buffered(source, BufferedContent::Items(items.collect()));
            let parts = parts.read(&context()).unwrap();
            let readings = |upload: &Upload| {
                upload.items.iter().map(|item| (item.reading.clone(), item.received_at)).collect::<Vec<_>>()
            };
            assert_eq!(readings(&parts), readings(&upload));
            assert_eq!(parts.rejects[0].refusal.reason, upload.rejects[0].refusal.reason);
        }
    }

    #[test]
    fn records_of_other_devices_than_that_of_the_key_stay_rejected() {
        let mut whole = buffered(Source::Health, BufferedContent::Body(BODY.to_owned()));
        whole.key_device_sn = Some("WATCH-A".to_owned());
        let upload = whole.read(&context()).unwrap();
        let reasons: Vec<_> = upload.rejects.iter().map(|reject| reject.refusal.reason).collect();
        assert_eq!(upload.items.len(), 1);
        assert!(reasons.contains(&RejectReason::OtherDevice), "{reasons:?}");
    }

    #[test]
    fn what_a_later_release_adds_is_ignored_and_what_it_leaves_out_is_absent() {
        let later =
            r#"{"source":"event","received_at":"2025-05-17T10:00:00Z","content":{"body":"{}"},"added":[1]}"#;
        let read: BufferedUpload = serde_json::from_str(later).unwrap();
        assert_eq!((read.source, read.key_customer_id, read.traceparent), (Source::Event, None, None));
    }

    #[test]
    fn a_rejected_upload_of_the_buffer_can_be_replayed() {
        let whole = buffered(Source::Health, BufferedContent::Body(BODY.to_owned()));
        let reject = whole.reject(RejectReason::RefusedByDatabase, "why".to_owned());
        let upload = rejected_item::read(Source::Buffer, &reject.text, None, &context());
        assert_eq!(upload.items.len(), 2);
        let unreadable = rejected_item::read(Source::Buffer, &Bytes::from_static(b"\\x00"), None, &context());
        assert_eq!(unreadable.rejects[0].refusal.reason, RejectReason::NotJson);
    }
}
