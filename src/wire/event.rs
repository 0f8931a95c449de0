//! `POST /upload_common_event`: an event, and the sample it may carry.
//!
//! Before: `http::event` has the body. After: `ingest` takes the upload, `http::event` answers.
//! Promise: see [`super`]. An event of a device with a type is never refused: a time that cannot be its time, or none, is
//! replaced by that of its receipt, a position that is none is left out, a sample that cannot be stored is a reject of its own.
//! What is refused is kept with the text of the whole event. A text that is no event, be it torn, is a reject as well: an
//! error would block the queue of a watch.

use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::value::RawValue;

use super::fault::{self, Fault, refuse};
use super::gather::{self, Content, RecordPosition};
use super::item::{self, Inherited, Rules};
use super::records::{self, Reader};
use super::{BodyError, Context, name, time};
use crate::metric::Metric;
use crate::model::event::MAX_EVENT_TYPE_BYTES;
use crate::model::{Event, EventItem, Item, NameKind, Refusal, Reject, RejectReason, Source, Upload};
use fields::Fields;

mod fields;
mod queue;
#[cfg(test)]
mod tests;

const SAMPLE_RULES: Rules = Rules { source: Source::Event, min_serial_chars: 1, time_required: false };

/// Channel of a sample that names none.
const UPLOAD_METHOD: &str = "common_event";

/// What an event body held.
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
    let mut gathering = Gathering::new(context);
    match records::read(body, &mut gathering) {
        Ok(()) => Ok(gathering.found),
        Err(error @ (BodyError::Empty | BodyError::Null | BodyError::TooManyRecords { .. })) => Err(error),
        Err(_) => {
            // What was found before the error is found once more.
            let mut gathering = Gathering::new(context);
            queue::read(body, &mut gathering);
            Ok(gathering.found)
        }
    }
}

/// Reads one event by itself, as it, or its sample, was rejected.
pub(super) fn read_reject(record: &str, place: RecordPosition<'_>, context: &Context) -> Upload {
    let mut gathering = Gathering::new(context);
    if gathering.object(record, place).is_err() {
        gathering.no_object(record, place);
    }
    gathering.found.upload
}

struct Gathering<'c> {
    context: &'c Context,
    found: EventUpload,
    taken: u32,
    /// An object was taken: it gives the upload its type and serial.
    named: bool,
}

impl<'c> Gathering<'c> {
    fn new(context: &'c Context) -> Self {
        Self { context, found: EventUpload::default(), taken: 0, named: false }
    }
}

impl Reader for Gathering<'_> {
    fn is_record(&self, text: &str) -> bool {
        Fields::read(text).is_ok_and(|fields| fields.action.get().is_some())
    }

    fn object(&mut self, text: &str, place: RecordPosition<'_>) -> Result<(), BodyError> {
        let fields = Fields::read(text)?;
        if place.depth == 0 && fields.is_empty() {
            return Err(BodyError::NoItem);
        }
        let index = self.taken;
        self.taken += 1;
        let whole = Whole::of(index, text, place);
        for name in &fields.unknown {
            let device_sn = fields.device_sn.get().and_then(|held| held.serial());
            self.found.upload.unknown.add(NameKind::Event, name, device_sn);
        }
        let named = read_event(&fields, place, self.context, &mut self.found.upload, whole);
        if !std::mem::replace(&mut self.named, true) {
            (self.found.event_type, self.found.device_sn) = named;
        }
        Ok(())
    }

    fn no_object(&mut self, text: &str, place: RecordPosition<'_>) {
        let fault = match serde_json::from_str::<&RawValue>(text) {
            Ok(_) => (RejectReason::NotAnObject, "the event is not a JSON object".to_owned()),
            Err(error) => {
                (RejectReason::NotJson, format!("the event is not JSON, or only part of it: {error}"))
            }
        };
        let whole = Whole::of(self.taken, text, place);
        self.found.upload.rejects.push(reject(fault, None, whole, self.context));
        self.taken += 1;
    }

    fn taken(&self) -> usize {
        self.taken as usize
    }
}

/// An event as it was sent: place in its upload, text, and what the objects around it said for it.
#[derive(Debug, Clone)]
struct Whole {
    index: u32,
    text: Bytes,
    inherited: Option<Arc<str>>,
}

impl Whole {
    fn of(index: u32, text: &str, place: RecordPosition<'_>) -> Self {
        Self { index, text: place.source.slice_ref(text.as_bytes()), inherited: place.inherited.text() }
    }
}

/// Adds the event of `fields` and its sample to `upload`; gives its type and its serial, as far as they can be read.
fn read_event(
    fields: &Fields<'_>,
    place: RecordPosition<'_>,
    context: &Context,
    upload: &mut Upload,
    whole: Whole,
) -> (Option<String>, Option<String>) {
    let named = fields.device_sn.get().map_or(place.inherited.device_sn(), |held| held.serial());
    let given = given_time(fields, context);
    let inherited = place.inherited.within_event(named, fields.ids.each_ref(), given.used);
    let items = sample(fields, &inherited, context, upload, &whole);
    let first = items.first().map(|item| &item.reading);
    let device_sn = named.or(first.map(|reading| reading.device_sn.as_str())).map(str::to_owned);
    // Never the time of its sample: that one was cached, and several events may carry it.
    let ts = given.used.unwrap_or_else(|| time::to_microsecond(context.received_at));
    let event_type = event_type(fields);
    let named = (event_type.as_ref().ok().map(|(name, _)| name.clone()), device_sn.clone());
    upload.items.extend(items);

    let (event_type, action, device_sn) = match (event_type, device_sn) {
        (Ok((event_type, action)), Some(device_sn)) => (event_type, action, device_sn),
        (Err(fault), device_sn) => {
            upload.rejects.push(reject(fault, device_sn, whole, context));
            return named;
        }
        (Ok(_), None) => {
            let fault = fault::no_serial(&fields.device_sn, &name::DEVICE_SN);
            upload.rejects.push(reject(fault, None, whole, context));
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
    let Whole { index, text, inherited } = whole;
    let &Context { received_at, key_customer_id, .. } = context;
    upload.events.push(EventItem { index, event, text, inherited, received_at, key_customer_id });
    named
}

/// The time an event names.
struct GivenTime {
    /// That of the event and, if it names none, of its sample.
    used: Option<Timestamp>,
    /// What it wrote in place of a time that could be its own.
    unusable: Option<String>,
}

/// A clock that is wrong must not cost an alarm: a time that cannot be is replaced by that of the receipt.
fn given_time(fields: &Fields<'_>, context: &Context) -> GivenTime {
    let Some((held, raw)) = fields.timestamp.get() else { return GivenTime { used: None, unusable: None } };
    match item::instant(held, "timestamp", context) {
        Ok(instant) => GivenTime { used: Some(instant), unusable: None },
        Err(_) => GivenTime {
            used: Some(time::to_microsecond(context.received_at)),
            unusable: Some(held.word().unwrap_or_else(|| (*raw).to_owned())),
        },
    }
}

/// The type, and the whole name where it is more than that.
fn event_type(fields: &Fields<'_>) -> Result<(String, Option<String>), Fault> {
    let Some(held) = fields.action.get() else {
        return refuse(RejectReason::BadValue, "eventType is missing".to_owned());
    };
    let action = held.word().unwrap_or_default();
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

/// What lies outside the Earth is left out.
fn position(fields: &Fields<'_>) -> [Option<f64>; 3] {
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
    fields: &Fields<'_>,
    inherited: &Inherited,
    context: &Context,
    upload: &mut Upload,
    whole: &Whole,
) -> Vec<Item> {
    let Some(held) = fields.sample.get() else { return Vec::new() };
    let Some(content) = Content::of(held) else {
        let fault = (RejectReason::BadValue, "healthData holds no sample, nor JSON text of one".to_owned());
        let device_sn = inherited.device_sn().map(str::to_owned);
        upload.rejects.push(reject(fault, device_sn, whole.clone(), context));
        return Vec::new();
    };
    let source = match &content {
        Content::Inline(_) => &whole.text,
        Content::Quoted(source) => source,
    };
    let mut gathering = gather::Gathering::new(context, SAMPLE_RULES);
    if let Err(error) = gathering.content(&content, RecordPosition { source, inherited, depth: 1 }) {
        let device_sn = inherited.device_sn().map(str::to_owned);
        upload.rejects.push(reject(
            (RejectReason::BadValue, format!("healthData: {error}")),
            device_sn,
            whole.clone(),
            context,
        ));
        return Vec::new();
    }
    let mut found = gathering.finish();
    upload.unknown.append(found.unknown);
    found.rejects.retain(|refused| !is_blank(&refused.text));
    upload.rejects.extend(found.rejects.drain(..).map(|refused| {
        let fault = (refused.refusal.reason, format!("healthData: {}", refused.refusal.detail));
        reject(fault, refused.device_sn, whole.clone(), context)
    }));
    for item in &mut found.items {
        (item.index, item.text) = (whole.index, whole.text.clone());
        item.inherited.clone_from(&whole.inherited);
        item.reading.upload_method.get_or_insert_with(|| UPLOAD_METHOD.to_owned());
    }
    found.items
}

/// A sample that says nothing at all, and is no loss.
fn is_blank(sample: &[u8]) -> bool {
    let fields = std::str::from_utf8(sample).ok().and_then(|text| super::fields::Fields::read(text).ok());
    fields.is_some_and(|fields| !fields.names_value() && fields.unknown().is_empty())
}

fn reject(
    (reason, detail): Fault,
    device_sn: Option<String>,
    Whole { index, text, inherited }: Whole,
    context: &Context,
) -> Reject {
    Reject {
        refusal: Refusal { index, reason, detail },
        device_sn,
        text,
        inherited,
        source: Source::Event,
        received_at: context.received_at,
        key_customer_id: context.key_customer_id,
    }
}
