//! What a record holds, by meaning, whichever firmware named it.
//!
//! Before: `gather` points at an object. After: `item` makes a reading of the fields, `gather` asks whether it wraps others.
//! Promise: one walk over the bytes, no tree in between, values borrowed from the document. Of several names of one
//! meaning the first in the order of the wire contract that holds a value wins, wherever it stands; of one name written twice
//! the later. Reading fails only where the text is not JSON.

use std::borrow::Cow;

use super::document;
use super::name::{Key, Meaning, RANK_OF_ID};
use super::number::{Number, NumberFault};
use super::object::{self, Member};
use super::value::{Id, JsonValue};
use crate::metric::{Kind, Metric};
use crate::model::DocumentKind;

/// What one object holds, by meaning.
#[derive(Debug, Default)]
pub(super) struct Fields<'a> {
    pub(super) device_sn: Slot<JsonValue<'a>>,
    pub(super) customer_id: Slot<Id>,
    pub(super) org_id: Slot<Id>,
    pub(super) user_id: Slot<Id>,
    pub(super) timestamp: Slot<JsonValue<'a>>,
    pub(super) upload_method: Slot<JsonValue<'a>>,
    pub(super) data: Slot<JsonValue<'a>>,
    pub(super) batch_id: Slot<JsonValue<'a>>,
    quantities: [Slot<Result<Number, NumberFault>>; Metric::ALL.len()],
    /// The JSON value of each nested document, unread: samples of one upload repeat them.
    documents: [Slot<&'a str>; DocumentKind::COUNT],
    /// Is a quantity or a document named, whatever it holds?
    names_value: bool,
    unknown: Vec<Cow<'a, [u8]>>,
}

/// Most unknown names that are kept of one object.
const MAX_UNKNOWN: usize = 16;

impl<'a> Fields<'a> {
    /// Reads `text`, which is an object and nothing else.
    pub(super) fn read(text: &'a str) -> serde_json::Result<Self> {
        let mut fields = Self::default();
        object::read(text, Key::of, |member| fields.member(member))?;
        Ok(fields)
    }

    /// Reads the object `text` begins with; also says how many bytes it takes.
    pub(super) fn read_first(text: &'a str) -> serde_json::Result<(Self, usize)> {
        let mut fields = Self::default();
        let length = object::read_first(text, Key::of, |member| fields.member(member))?;
        Ok((fields, length))
    }

    /// What was sent for a quantity.
    pub(super) fn quantity(&self, metric: Metric) -> Result<Option<Number>, NumberFault> {
        self.quantities[metric as usize].get().copied().transpose()
    }

    /// The nested documents, in a fixed order, each as the JSON value it was sent as.
    pub(super) fn documents(&self) -> impl Iterator<Item = (DocumentKind, &'a str)> {
        DOCUMENT_KINDS
            .into_iter()
            .zip(&self.documents)
            .filter_map(|(kind, slot)| slot.get().map(|raw| (kind, *raw)))
    }

    /// Is anything measured here, or a document?
    pub(super) fn holds_measurement(&self) -> bool {
        self.quantities.iter().any(|slot| slot.get().is_some())
            || self.documents.iter().any(|slot| slot.get().is_some())
    }

    /// Is something measured here, or a document? A zero says that nothing was measured, and a position is the
    /// sender's as well as the wearer's.
    pub(super) fn holds_more_than_filler(&self) -> bool {
        let is_measured = |metric: Metric| {
            metric.kind() != Kind::Position
                && self.quantity(metric).is_ok_and(|sent| sent.is_some_and(|number| !number.is_zero()))
        };
        Metric::ALL.into_iter().any(is_measured) || self.documents.iter().any(|slot| slot.get().is_some())
    }

    /// Is a quantity or a document named here, be it as not measured?
    pub(super) const fn names_value(&self) -> bool {
        self.names_value
    }

    /// Names that have no meaning, at most [`MAX_UNKNOWN`].
    pub(super) fn unknown(&self) -> &[Cow<'a, [u8]>] {
        &self.unknown
    }

    /// The name under which a quantity was sent.
    pub(super) fn quantity_name(&self, metric: Metric) -> &'static str {
        metric.name(self.quantities[metric as usize].rank)
    }

    /// The serial, if it stands under a name that means nothing else; `id` may be anybody's (a message's, a row's).
    pub(super) fn named_serial(&self) -> Option<&JsonValue<'a>> {
        self.device_sn.get().filter(|_| self.device_sn.rank < RANK_OF_ID)
    }

    /// Is there a field that only a record has?
    pub(super) fn holds_record_field(&self) -> bool {
        self.named_serial().is_some() || self.timestamp.get().is_some() || self.holds_measurement()
    }

    fn member(&mut self, member: Member<'a, Key>) {
        match member {
            Member::Known(key, raw) => self.offer(key, raw),
            Member::Unknown(name) if self.unknown.len() < MAX_UNKNOWN => self.unknown.push(name),
            Member::Unknown(_) => {}
        }
    }

    fn offer(&mut self, Key { meaning, rank }: Key, raw: &'a str) {
        self.names_value |= matches!(meaning, Meaning::Quantity(_) | Meaning::Document(_));
        if let Meaning::Document(kind) = meaning {
            if document::is_there(raw) {
                self.documents[kind as usize].offer(rank, raw);
            }
            return;
        }
        let Some(held) = JsonValue::from_raw(raw) else { return };
        match meaning {
            Meaning::DeviceSn => self.device_sn.offer(rank, held),
            Meaning::CustomerId => offer_id(&mut self.customer_id, rank, &held),
            Meaning::OrgId => offer_id(&mut self.org_id, rank, &held),
            Meaning::UserId => offer_id(&mut self.user_id, rank, &held),
            Meaning::Timestamp => self.timestamp.offer(rank, held),
            Meaning::UploadMethod => self.upload_method.offer(rank, held),
            Meaning::Data => self.data.offer(rank, held),
            Meaning::BatchId => self.batch_id.offer(rank, held),
            Meaning::Quantity(metric) => self.quantities[metric as usize].offer(rank, held.number()),
            Meaning::Document(_) | Meaning::Unused => {}
        }
    }
}

const DOCUMENT_KINDS: [DocumentKind; DocumentKind::COUNT] = [
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
    /// Takes `value` unless a better name holds one.
    pub(super) fn offer(&mut self, rank: u8, value: T) {
        if rank <= self.rank {
            *self = Self { rank, value: Some(value) };
        }
    }

    /// What it holds.
    pub(super) const fn get(&self) -> Option<&T> {
        self.value.as_ref()
    }

    /// RecordPosition of the name it was sent under; that of no name, if it holds nothing.
    pub(super) const fn rank(&self) -> u8 {
        self.rank
    }

    /// Of the names of its meaning, in the order of their ranks, the one it was sent under.
    pub(super) fn name_in(&self, names: &[&'static str]) -> &'static str {
        names.get(usize::from(self.rank)).or(names.first()).copied().unwrap_or_default()
    }
}

/// An id of 0 is unknown, as an empty one is: it holds no value, and the next name is asked.
pub(super) fn offer_id(slot: &mut Slot<Id>, rank: u8, held: &JsonValue<'_>) {
    match held.id() {
        Id::Unknown => {}
        id => slot.offer(rank, id),
    }
}
