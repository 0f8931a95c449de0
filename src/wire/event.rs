//! `POST /upload_common_event`: an event, and the sample it may carry.
//!
//! Before: `http::event` has the body. After: `ingest` takes the upload, `http::event` answers.
//! Promise: see [`super`]. An event with a serial and a type is never refused: a missing or impossible time is replaced by the time of
//! receipt, an impossible position is left out, and a sample that cannot be stored becomes a reject of its own. A reject has the
//! text of the whole event. Text that is no event, even a part of one, is a reject too: an error would block the queue of a watch.

use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::value::RawValue;

use super::gather::{self, Content, RecordPosition};
use super::item::{self, Inherited, RouteRules};
use super::records::{self, RecordReader};
use super::refusal::{self, RecordRefusal, refuse};
use super::{BodyError, Context, name, time};
use crate::metric::Metric;
use crate::model::event::MAX_EVENT_TYPE_BYTES;
use crate::model::{Event, EventItem, Item, NameKind, Reject, RejectReason, Source, Upload};
use fields::EventFields;

mod fields;
mod queue;
#[cfg(test)]
mod tests;

const SAMPLE_RULES: RouteRules =
    RouteRules { source: Source::Event, min_serial_chars: 1, time_required: false };

/// Channel of a sample that names none.
const UPLOAD_METHOD: &str = "common_event";

/// The content of an event body.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct EventUpload {
    /// Its events and their samples.
    pub upload: Upload,
    /// Type of the first event, if it can be read.
    pub event_type: Option<String>,
    /// Serial the first event names, if it can be read.
    pub device_sn: Option<String>,
}

/// Reads an upload.
///
/// # Errors
/// There is nothing in the body, or too much. What cannot be stored of it is no error but a reject of the upload.
pub fn parse(body: &Bytes, context: &Context) -> Result<EventUpload, BodyError> {
    let mut collector = EventCollector::new(context);
    match records::read(body, &mut collector) {
        Ok(()) => Ok(collector.found),
        Err(error @ (BodyError::Empty | BodyError::Null | BodyError::TooManyRecords { .. })) => Err(error),
        Err(_) => {
            // The queue reader starts from the beginning of the body.
            let mut collector = EventCollector::new(context);
            queue::read(body, &mut collector);
            Ok(collector.found)
        }
    }
}

/// Reads one event that was rejected, or whose sample was.
pub(super) fn read_reject(record: &str, place: RecordPosition<'_>, context: &Context) -> Upload {
    let mut collector = EventCollector::new(context);
    if collector.add_object(record, place).is_err() {
        collector.add_non_object(record, place);
    }
    collector.found.upload
}

struct EventCollector<'c> {
    context: &'c Context,
    found: EventUpload,
    taken: u32,
    /// The first object was read: it gives the upload its type and serial.
    named: bool,
}

impl<'c> EventCollector<'c> {
    fn new(context: &'c Context) -> Self {
        Self { context, found: EventUpload::default(), taken: 0, named: false }
    }
}

impl RecordReader for EventCollector<'_> {
    fn is_record(&self, text: &str) -> bool {
        EventFields::read(text).is_ok_and(|fields| fields.action.get().is_some())
    }

    fn add_object(&mut self, text: &str, place: RecordPosition<'_>) -> Result<(), BodyError> {
        let fields = EventFields::read(text)?;
        if place.depth == 0 && fields.is_empty() {
            return Err(BodyError::NoItem);
        }
        let index = self.taken;
        self.taken += 1;
        let sent = SentEvent::new(index, text, place);
        for name in &fields.unknown {
            let device_sn = fields.device_sn.get().and_then(|value| value.serial());
            self.found.upload.unknown.add(NameKind::Event, name, device_sn);
        }
        let named = read_event(&fields, place, self.context, &mut self.found.upload, sent);
        if !std::mem::replace(&mut self.named, true) {
            (self.found.event_type, self.found.device_sn) = named;
        }
        Ok(())
    }

    fn add_non_object(&mut self, text: &str, place: RecordPosition<'_>) {
        let refusal = match serde_json::from_str::<&RawValue>(text) {
            Ok(_) => {
                RecordRefusal::new(RejectReason::NotAnObject, "the event is not a JSON object".to_owned())
            }
            Err(error) => RecordRefusal::new(
                RejectReason::NotJson,
                format!("the event is not JSON, or only part of it: {error}"),
            ),
        };
        let sent = SentEvent::new(self.taken, text, place);
        self.found.upload.rejects.push(reject(refusal, None, sent, self.context));
        self.taken += 1;
    }

    fn record_count(&self) -> usize {
        self.taken as usize
    }
}

/// An event as it was sent: its index in the upload, its text, and what it inherits from its wrappers.
#[derive(Debug, Clone)]
struct SentEvent {
    index: u32,
    text: Bytes,
    inherited: Option<Arc<str>>,
}

impl SentEvent {
    fn new(index: u32, text: &str, place: RecordPosition<'_>) -> Self {
        Self { index, text: place.source.slice_ref(text.as_bytes()), inherited: place.inherited.text() }
    }
}

/// Adds the event of `fields` and its sample to `upload`; gives its type and its serial, as far as they can be read.
fn read_event(
    fields: &EventFields<'_>,
    place: RecordPosition<'_>,
    context: &Context,
    upload: &mut Upload,
    sent: SentEvent,
) -> (Option<String>, Option<String>) {
    let named = fields.device_sn.get().map_or(place.inherited.device_sn(), |value| value.serial());
    let given = given_time(fields, context);
    let inherited = place.inherited.within_event(named, fields.ids.each_ref(), given.used);
    let items = sample(fields, &inherited, context, upload, &sent);
    let first = items.first().map(|item| &item.reading);
    let device_sn = named.or(first.map(|reading| reading.device_sn.as_str())).map(str::to_owned);
    // Not the time of its sample, which the watch may have cached for several events.
    let ts = given.used.unwrap_or_else(|| time::to_microsecond(context.received_at));
    let event_type = event_type(fields);
    let named = (event_type.as_ref().ok().map(|(name, _)| name.clone()), device_sn.clone());
    upload.items.extend(items);

    let (event_type, action, device_sn) = match (event_type, device_sn) {
        (Ok((event_type, action)), Some(device_sn)) => (event_type, action, device_sn),
        (Err(refusal), device_sn) => {
            upload.rejects.push(reject(refusal, device_sn, sent, context));
            return named;
        }
        (Ok(_), None) => {
            let refusal = refusal::no_serial(&fields.device_sn, &name::DEVICE_SN);
            upload.rejects.push(reject(refusal, None, sent, context));
            return named;
        }
    };
    let [latitude, longitude, altitude] = position(fields);
    let event = Event {
        device_sn,
        event_type,
        ts,
        sent_ts: given.unusable,
        action,
        value: fields.value.get().map(|value| value.to_string()),
        owner: inherited.owner(),
        latitude,
        longitude,
        altitude,
    };
    let SentEvent { index, text, inherited } = sent;
    let &Context { received_at, key_customer_id, .. } = context;
    upload.events.push(EventItem { index, event, text, inherited, received_at, key_customer_id });
    named
}

/// The time an event names.
struct GivenTime {
    /// The time of the event, and of its sample if that has none.
    used: Option<Timestamp>,
    /// A time as sent that cannot be right.
    unusable: Option<String>,
}

/// A wrong clock must not cost an alarm: an impossible time is replaced by the time of receipt.
fn given_time(fields: &EventFields<'_>, context: &Context) -> GivenTime {
    let Some((value, raw)) = fields.timestamp.get() else { return GivenTime { used: None, unusable: None } };
    match item::instant(value, "timestamp", context) {
        Ok(instant) => GivenTime { used: Some(instant), unusable: None },
        Err(_) => GivenTime {
            used: Some(time::to_microsecond(context.received_at)),
            unusable: Some(value.scalar_text().unwrap_or_else(|| (*raw).to_owned())),
        },
    }
}

/// The type, and the whole name where it is more than that.
fn event_type(fields: &EventFields<'_>) -> Result<(String, Option<String>), RecordRefusal> {
    let Some(value) = fields.action.get() else {
        return refuse(RejectReason::BadValue, "eventType is missing".to_owned());
    };
    let action = value.scalar_text().unwrap_or_default();
    let short = action.rsplit('.').next().unwrap_or_default().trim().to_uppercase();
    if short.is_empty() || short.len() > MAX_EVENT_TYPE_BYTES || short.chars().any(char::is_control) {
        return refuse(
            RejectReason::BadValue,
            format!("eventType does not end in a name of 1 to {MAX_EVENT_TYPE_BYTES} bytes"),
        );
    }
    let action = Some(action).filter(|action| *action != short);
    Ok((short, action))
}

/// Coordinates that no place has are left out.
fn position(fields: &EventFields<'_>) -> [Option<f64>; 3] {
    let [latitude, longitude, altitude] = fields.position();
    let within = |number: Option<super::number::Number>, metric: Metric| {
        number.filter(|number| number.is_in(&metric.range()))
    };
    item::position([
        within(latitude, Metric::Latitude),
        within(longitude, Metric::Longitude),
        within(altitude, Metric::Altitude),
    ])
}

/// The sample an event carries; what cannot be stored of it goes to the rejects of `upload`.
fn sample(
    fields: &EventFields<'_>,
    inherited: &Inherited,
    context: &Context,
    upload: &mut Upload,
    sent: &SentEvent,
) -> Vec<Item> {
    let Some(value) = fields.sample.get() else { return Vec::new() };
    let Some(content) = Content::of(value) else {
        let refusal = RecordRefusal::new(
            RejectReason::BadValue,
            "healthData holds no sample, nor JSON text of one".to_owned(),
        );
        let device_sn = inherited.device_sn().map(str::to_owned);
        upload.rejects.push(reject(refusal, device_sn, sent.clone(), context));
        return Vec::new();
    };
    let source = match &content {
        Content::Inline(_) => &sent.text,
        Content::Quoted(source) => source,
    };
    let mut collector = gather::RecordCollector::new(context, SAMPLE_RULES);
    if let Err(error) = collector.add_content(&content, RecordPosition { source, inherited, depth: 1 }) {
        let device_sn = inherited.device_sn().map(str::to_owned);
        upload.rejects.push(reject(
            RecordRefusal::new(RejectReason::BadValue, format!("healthData: {error}")),
            device_sn,
            sent.clone(),
            context,
        ));
        return Vec::new();
    }
    let mut found = collector.finish();
    upload.unknown.append(found.unknown);
    found.rejects.retain(|refused| !is_blank(&refused.text));
    upload.rejects.extend(found.rejects.drain(..).map(|refused| {
        let detail = format!("healthData: {}", refused.refusal.detail);
        let refusal = RecordRefusal::new(refused.refusal.reason, detail);
        reject(refusal, refused.device_sn, sent.clone(), context)
    }));
    for item in &mut found.items {
        (item.index, item.text) = (sent.index, sent.text.clone());
        item.inherited.clone_from(&sent.inherited);
        item.reading.upload_method.get_or_insert_with(|| UPLOAD_METHOD.to_owned());
    }
    found.items
}

/// A sample without any field, which is no loss.
fn is_blank(sample: &[u8]) -> bool {
    let fields =
        std::str::from_utf8(sample).ok().and_then(|text| super::fields::SampleFields::read(text).ok());
    fields.is_some_and(|fields| !fields.names_value() && fields.unknown().is_empty())
}

fn reject(
    refusal: RecordRefusal,
    device_sn: Option<String>,
    SentEvent { index, text, inherited }: SentEvent,
    context: &Context,
) -> Reject {
    Reject {
        refusal: refusal.of_record(index),
        device_sn,
        text,
        inherited,
        source: Source::Event,
        received_at: context.received_at,
        key_customer_id: context.key_customer_id,
    }
}
