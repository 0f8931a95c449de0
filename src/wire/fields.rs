//! The names of a record: which meaning each has in the three generations of firmware, and what it holds.
//!
//! Before: `gather` points at an object. After: `item` makes a reading of the fields, `gather` asks whether it wraps others.
//! Promise: one walk over the bytes, no tree in between, values borrowed from the document. Of several names of one
//! meaning the first in the order of WIRE.md that holds a value wins, wherever it stands; of one name written twice
//! the later. Reading fails only where the text is not JSON.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::number::{Number, NumberFault};
use super::value::{Held, Id};
use crate::model::{DocumentKind, Vital};

/// What one object holds, by meaning.
#[derive(Debug, Default)]
pub(super) struct Fields<'a> {
    pub(super) device_sn: Slot<Held<'a>>,
    pub(super) customer_id: Slot<Id>,
    pub(super) org_id: Slot<Id>,
    pub(super) user_id: Slot<Id>,
    pub(super) timestamp: Slot<Held<'a>>,
    pub(super) upload_method: Slot<Held<'a>>,
    pub(super) data: Slot<Held<'a>>,
    pub(super) batch_id: Slot<Held<'a>>,
    quantities: [Slot<Result<Number, NumberFault>>; Vital::Altitude as usize + 1],
    documents: [Slot<Cow<'a, str>>; DocumentKind::Workout as usize + 1],
}

impl<'a> Fields<'a> {
    /// Reads `text`, which is an object and nothing else.
    pub(super) fn read(text: &'a str) -> serde_json::Result<Self> {
        let mut fields = Self::default();
        let mut json = serde_json::Deserializer::from_str(text);
        json.deserialize_map(FieldsVisitor(&mut fields))?;
        json.end()?;
        Ok(fields)
    }

    /// Reads the object `text` begins with; also says how many bytes it takes.
    pub(super) fn read_first(text: &'a str) -> serde_json::Result<(Self, usize)> {
        let mut fields = Self::default();
        let mut json = serde_json::Deserializer::from_str(text);
        json.deserialize_map(FieldsVisitor(&mut fields))?;
        Ok((fields, json.into_iter::<IgnoredAny>().byte_offset()))
    }

    /// What was sent for a quantity.
    pub(super) fn quantity(&self, vital: Vital) -> Result<Option<Number>, NumberFault> {
        self.quantities[vital as usize].get().copied().transpose()
    }

    /// Takes the nested documents out, in a fixed order.
    pub(super) fn take_documents(&mut self) -> impl Iterator<Item = (DocumentKind, Cow<'a, str>)> {
        DOCUMENT_KINDS
            .into_iter()
            .zip(&mut self.documents)
            .filter_map(|(kind, slot)| slot.take().map(|body| (kind, body)))
    }

    /// Is anything measured here, or a document?
    pub(super) fn holds_measurement(&self) -> bool {
        self.quantities.iter().any(|slot| slot.get().is_some()) || self.documents.iter().any(|slot| slot.get().is_some())
    }

    /// The serial, if it stands under a name that means nothing else; `id` may be anybody's (a message's, a row's).
    pub(super) fn named_serial(&self) -> Option<&Held<'a>> {
        self.device_sn.get().filter(|_| self.device_sn.rank < RANK_OF_ID)
    }

    /// Is there a field that only a record has?
    pub(super) fn holds_record_field(&self) -> bool {
        self.named_serial().is_some() || self.timestamp.get().is_some() || self.holds_measurement()
    }

    fn offer(&mut self, Key { meaning, rank }: Key, raw: &'a str) {
        let Some(held) = Held::from_raw(raw) else { return };
        match meaning {
            Meaning::DeviceSn => self.device_sn.offer(rank, held),
            Meaning::CustomerId => offer_id(&mut self.customer_id, rank, &held),
            Meaning::OrgId => offer_id(&mut self.org_id, rank, &held),
            Meaning::UserId => offer_id(&mut self.user_id, rank, &held),
            Meaning::Timestamp => self.timestamp.offer(rank, held),
            Meaning::UploadMethod => self.upload_method.offer(rank, held),
            Meaning::Data => self.data.offer(rank, held),
            Meaning::BatchId => self.batch_id.offer(rank, held),
            Meaning::Quantity(vital) => self.quantities[vital as usize].offer(rank, held.number()),
            Meaning::Document(kind) => {
                let body = held.document(raw);
                if !is_none_envelope(&body) {
                    self.documents[kind as usize].offer(rank, body);
                }
            }
            Meaning::Unknown => {}
        }
    }
}

const RANK_OF_ID: u8 = 2;

const DOCUMENT_KINDS: [DocumentKind; DocumentKind::Workout as usize + 1] = [
    DocumentKind::Sleep,
    DocumentKind::ExerciseDaily,
    DocumentKind::ExerciseWeek,
    DocumentKind::ScientificSleep,
    DocumentKind::Workout,
];

/// What the best name so far holds.
#[derive(Debug)]
pub(super) struct Slot<T> {
    rank: u8,
    value: Option<T>,
}

impl<T> Default for Slot<T> {
    fn default() -> Self {
        Self { rank: u8::MAX, value: None }
    }
}

impl<T> Slot<T> {
    fn offer(&mut self, rank: u8, value: T) {
        if rank <= self.rank {
            *self = Self { rank, value: Some(value) };
        }
    }

    /// What it holds.
    pub(super) const fn get(&self) -> Option<&T> {
        self.value.as_ref()
    }

    /// What it holds, out of it.
    pub(super) const fn take(&mut self) -> Option<T> {
        self.value.take()
    }
}

/// An id of 0 is unknown, as an empty one is: it holds no value, and the next name is asked.
fn offer_id(slot: &mut Slot<Id>, rank: u8, held: &Held<'_>) {
    match held.id() {
        Id::Unknown => {}
        id => slot.offer(rank, id),
    }
}

/// Is this the envelope by which a watch says that it has no such document: code −1, as number or text? Also read where
/// the comma behind the code is missing.
fn is_none_envelope(body: &str) -> bool {
    if !body.contains("-1") {
        return false;
    }
    let is_minus_one = |raw: &str| {
        Held::from_raw(raw).and_then(|code| code.number().ok()).and_then(Number::whole) == Some(-1)
    };
    let mut json = serde_json::Deserializer::from_str(body);
    match json.deserialize_map(CodeVisitor) {
        Ok(code) => code.is_some_and(|code| is_minus_one(code.get())),
        Err(_) => code_of_broken_envelope(body).is_some_and(is_minus_one),
    }
}

/// The value behind a leading `{"code":`.
fn code_of_broken_envelope(body: &str) -> Option<&str> {
    let after_name = body.trim_start().strip_prefix('{')?.trim_start().strip_prefix("\"code\"")?;
    let value = after_name.trim_start().strip_prefix(':')?;
    let mut values = serde_json::Deserializer::from_str(value).into_iter::<&RawValue>();
    values.next()?.ok().map(RawValue::get)
}

struct CodeVisitor;

impl<'de> Visitor<'de> for CodeVisitor {
    type Value = Option<&'de RawValue>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an envelope")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut code = None;
        while let Some(name) = map.next_key::<Cow<'de, str>>()? {
            if name == "code" {
                code = Some(map.next_value()?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(code)
    }
}

/// Fills fields where they are, rather than handing some hundreds of bytes from function to function.
struct FieldsVisitor<'f, 'de>(&'f mut Fields<'de>);

impl<'de> Visitor<'de> for FieldsVisitor<'_, 'de> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key_seed(KeySeed)? {
            if key.meaning == Meaning::Unknown {
                map.next_value::<IgnoredAny>()?;
            } else {
                // The text of the value, not serde's idea of it: numbers stay decimal, ids keep every digit, and no
                // value (1e400, half a surrogate pair) can make its record unreadable.
                self.0.offer(key, map.next_value::<&RawValue>()?.get());
            }
        }
        Ok(())
    }
}

/// A name, recognised: what it means and its place among the names of that meaning.
#[derive(Debug, Clone, Copy)]
struct Key {
    meaning: Meaning,
    rank: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meaning {
    DeviceSn,
    CustomerId,
    OrgId,
    UserId,
    Timestamp,
    UploadMethod,
    Data,
    BatchId,
    Quantity(Vital),
    Document(DocumentKind),
    Unknown,
}

struct KeySeed;

impl<'de> DeserializeSeed<'de> for KeySeed {
    type Value = Key;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Key, D::Error> {
        // As bytes: a name with half a surrogate pair is an unknown name then, and no error.
        deserializer.deserialize_bytes(self)
    }
}

impl Visitor<'_> for KeySeed {
    type Value = Key;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a name")
    }

    fn visit_bytes<E>(self, name: &[u8]) -> Result<Key, E> {
        Ok(Key::of(name))
    }
}

impl Key {
    /// The table of WIRE.md 1. The second number is the place of the name in its row.
    fn of(name: &[u8]) -> Self {
        use DocumentKind::{ExerciseDaily, ExerciseWeek, ScientificSleep, Sleep, Workout};
        use Meaning::{
            BatchId, CustomerId, Data, DeviceSn, Document, OrgId, Quantity, Timestamp, Unknown, UploadMethod, UserId,
        };
        let (meaning, rank) = match name {
            b"deviceSn" => (DeviceSn, 0),
            b"device_sn" => (DeviceSn, 1),
            b"id" => (DeviceSn, RANK_OF_ID),
            b"customerId" => (CustomerId, 0),
            b"customer_id" => (CustomerId, 1),
            b"orgId" => (OrgId, 0),
            b"org_id" => (OrgId, 1),
            b"userId" => (UserId, 0),
            b"user_id" => (UserId, 1),
            b"heart_rate" => (Quantity(Vital::HeartRate), 0),
            b"heartRate" => (Quantity(Vital::HeartRate), 1),
            b"xlv" => (Quantity(Vital::HeartRate), 2),
            b"blood_oxygen" => (Quantity(Vital::BloodOxygen), 0),
            b"bloodOxygen" => (Quantity(Vital::BloodOxygen), 1),
            b"xy" => (Quantity(Vital::BloodOxygen), 2),
            b"body_temperature" => (Quantity(Vital::Temperature), 0),
            b"temperature" => (Quantity(Vital::Temperature), 1),
            b"tw" => (Quantity(Vital::Temperature), 2),
            b"blood_pressure_systolic" => (Quantity(Vital::PressureHigh), 0),
            b"pressureHigh" => (Quantity(Vital::PressureHigh), 1),
            b"pressure_high" => (Quantity(Vital::PressureHigh), 2),
            b"gxy" => (Quantity(Vital::PressureHigh), 3),
            b"blood_pressure_diastolic" => (Quantity(Vital::PressureLow), 0),
            b"pressureLow" => (Quantity(Vital::PressureLow), 1),
            b"pressure_low" => (Quantity(Vital::PressureLow), 2),
            b"dxy" => (Quantity(Vital::PressureLow), 3),
            b"stress" => (Quantity(Vital::Stress), 0),
            b"yl" => (Quantity(Vital::Stress), 1),
            b"step" => (Quantity(Vital::Step), 0),
            b"bs" => (Quantity(Vital::Step), 1),
            b"distance" => (Quantity(Vital::Distance), 0),
            b"jl" => (Quantity(Vital::Distance), 1),
            b"calorie" => (Quantity(Vital::Calorie), 0),
            b"rl" => (Quantity(Vital::Calorie), 1),
            b"latitude" => (Quantity(Vital::Latitude), 0),
            b"wd" => (Quantity(Vital::Latitude), 1),
            b"longitude" => (Quantity(Vital::Longitude), 0),
            b"jd" => (Quantity(Vital::Longitude), 1),
            b"altitude" => (Quantity(Vital::Altitude), 0),
            b"hb" => (Quantity(Vital::Altitude), 1),
            b"timestamp" => (Timestamp, 0),
            b"cjsj" => (Timestamp, 1),
            b"upload_method" => (UploadMethod, 0),
            b"uploadMethod" => (UploadMethod, 1),
            b"sleepData" => (Document(Sleep), 0),
            b"smData" => (Document(Sleep), 1),
            b"sleep" => (Document(Sleep), 2),
            b"exerciseDailyData" => (Document(ExerciseDaily), 0),
            b"ydData" => (Document(ExerciseDaily), 1),
            b"exerciseWeekData" => (Document(ExerciseWeek), 0),
            b"exerciseDailyWeekData" => (Document(ExerciseWeek), 1),
            b"ydWeekData" => (Document(ExerciseWeek), 2),
            b"scientificSleepData" => (Document(ScientificSleep), 0),
            b"kxsmData" => (Document(ScientificSleep), 1),
            b"workoutData" => (Document(Workout), 0),
            b"data" => (Data, 0),
            b"batchId" => (BatchId, 0),
            b"batch_id" => (BatchId, 1),
            _ => (Unknown, 0),
        };
        Self { meaning, rank }
    }
}
