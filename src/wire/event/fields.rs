//! The fields of an event, and their names.
//!
//! Before: `records` found the event. After: `event` makes a value of each field.
//! Promise: as for the fields of a sample: the first name of a field that has a value wins, and no value makes an event
//! unreadable.

use std::borrow::Cow;

use crate::wire::fields::{Slot, set_id_if_preferred};
use crate::wire::number::Number;
use crate::wire::object::{self, Member};
use crate::wire::value::{Id, JsonValue};

#[derive(Debug, Clone, Copy)]
enum EventField {
    Action,
    Value,
    DeviceSn,
    Timestamp,
    /// 0 tenant, 1 organisation unit, 2 wearer.
    Id(usize),
    /// 0 latitude, 1 longitude, 2 altitude.
    Position(usize),
    Sample,
    /// Known and not used.
    Unused,
}

/// The names of the wire contract, section 3: those of the watch, then those of the phone. The number is the rank of a name among the
/// names of its field.
fn field_of_name(name: &[u8]) -> Option<(EventField, u8)> {
    use EventField::{Action, DeviceSn, Id, Position, Sample, Timestamp, Unused, Value};
    Some(match name {
        b"eventType" => (Action, 0),
        b"event_type" => (Action, 1),
        b"action" => (Action, 2),
        b"eventValue" => (Value, 0),
        b"event_value" => (Value, 1),
        b"value" => (Value, 2),
        b"deviceSn" => (DeviceSn, 0),
        b"device_sn" => (DeviceSn, 1),
        b"id" => (DeviceSn, 2),
        b"timestamp" => (Timestamp, 0),
        b"cjsj" => (Timestamp, 1),
        b"customerId" => (Id(0), 0),
        b"customer_id" => (Id(0), 1),
        b"orgId" => (Id(1), 0),
        b"org_id" => (Id(1), 1),
        b"userId" => (Id(2), 0),
        b"user_id" => (Id(2), 1),
        b"latitude" => (Position(0), 0),
        b"wd" => (Position(0), 1),
        b"longitude" => (Position(1), 0),
        b"jd" => (Position(1), 1),
        b"altitude" => (Position(2), 0),
        b"hb" => (Position(2), 1),
        b"healthData" => (Sample, 0),
        b"heatlhData" => (Sample, 1),
        b"health_data" => (Sample, 2),
        // Of the envelope of the phone app.
        b"type" => (Unused, 0),
        _ => return None,
    })
}

/// The fields of one event.
#[derive(Debug, Default)]
pub(super) struct EventFields<'a> {
    pub(super) action: Slot<JsonValue<'a>>,
    pub(super) value: Slot<Cow<'a, str>>,
    pub(super) device_sn: Slot<JsonValue<'a>>,
    pub(super) timestamp: Slot<(JsonValue<'a>, &'a str)>,
    /// Tenant, organisation unit, wearer.
    pub(super) ids: [Slot<Id>; 3],
    /// Latitude, longitude, altitude; a value that is no number is left out.
    position: [Slot<Number>; 3],
    pub(super) sample: Slot<JsonValue<'a>>,
    /// Names that are not known, at most [`MAX_UNKNOWN`].
    pub(super) unknown: Vec<Cow<'a, [u8]>>,
}

/// Most unknown names that are kept of one event.
const MAX_UNKNOWN: usize = 16;

impl<'a> EventFields<'a> {
    /// Reads `text`, which is an object and nothing else.
    pub(super) fn read(text: &'a str) -> serde_json::Result<Self> {
        let mut fields = Self::default();
        object::read(text, field_of_name, |member| match member {
            Member::Known((field, rank), raw) => {
                if let Some(value) = JsonValue::from_raw(raw) {
                    fields.set(field, rank, value, raw);
                }
            }
            Member::Unknown(name) if fields.unknown.len() < MAX_UNKNOWN => fields.unknown.push(name),
            Member::Unknown(_) => {}
        })?;
        Ok(fields)
    }

    fn set(&mut self, field: EventField, rank: u8, value: JsonValue<'a>, raw: &'a str) {
        match field {
            EventField::Action => self.action.set_if_preferred(rank, value),
            EventField::Value => self.value.set_if_preferred(rank, value.document(raw)),
            EventField::DeviceSn => self.device_sn.set_if_preferred(rank, value),
            EventField::Timestamp => self.timestamp.set_if_preferred(rank, (value, raw)),
            EventField::Id(which) => set_id_if_preferred(&mut self.ids[which], rank, &value),
            EventField::Position(which) => {
                if let Ok(number) = value.number() {
                    self.position[which].set_if_preferred(rank, number);
                }
            }
            EventField::Sample => self.sample.set_if_preferred(rank, value),
            EventField::Unused => {}
        }
    }

    /// Is there no field that only an event has?
    pub(super) fn is_empty(&self) -> bool {
        self.action.get().is_none()
            && self.value.get().is_none()
            && self.device_sn.get().is_none()
            && self.sample.get().is_none()
    }

    /// Latitude, longitude, altitude.
    pub(super) fn position(&self) -> [Option<Number>; 3] {
        self.position.each_ref().map(|slot| slot.get().copied())
    }
}
