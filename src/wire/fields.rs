//! The fields of a sample, whichever firmware named them.
//!
//! Before: `gather` has an object. After: `item` makes a reading of the fields, and `gather` asks whether the object is a wrapper.
//! Promise: the bytes are read once, no tree is built, and values are borrowed from the document. Of several names of one field, the
//! first in the order of the wire contract that has a value wins, wherever it stands. Of one name written twice, the later value
//! wins. Reading fails only where the text is not JSON.

use std::borrow::Cow;

use super::document;
use super::name::{RANK_OF_ID, SampleField, SampleName};
use super::number::{Number, NumberFault};
use super::object::{self, Member};
use super::value::{Id, JsonValue};
use crate::metric::{Kind, Metric};
use crate::model::DocumentKind;

/// The fields of one object.
#[derive(Debug, Default)]
pub(super) struct SampleFields<'a> {
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
    /// Is a quantity or a document named, whatever its value?
    names_value: bool,
    unknown: Vec<Cow<'a, [u8]>>,
}

/// Most unknown names that are kept of one object.
const MAX_UNKNOWN: usize = 16;

impl<'a> SampleFields<'a> {
    /// Reads `text`, which is an object and nothing else.
    pub(super) fn read(text: &'a str) -> serde_json::Result<Self> {
        let mut fields = Self::default();
        object::read(text, SampleName::of, |member| fields.add_member(member))?;
        Ok(fields)
    }

    /// Reads the object `text` begins with; also says how many bytes it takes.
    pub(super) fn read_first(text: &'a str) -> serde_json::Result<(Self, usize)> {
        let mut fields = Self::default();
        let length = object::read_first(text, SampleName::of, |member| fields.add_member(member))?;
        Ok((fields, length))
    }

    /// The number sent for a quantity.
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

    /// Is there a quantity or a document?
    pub(super) fn holds_measurement(&self) -> bool {
        self.quantities.iter().any(|slot| slot.get().is_some())
            || self.documents.iter().any(|slot| slot.get().is_some())
    }

    /// Is there a quantity other than zero, or a document? A zero means "not measured", and a position may be that of the phone.
    pub(super) fn holds_more_than_filler(&self) -> bool {
        let is_measured = |metric: Metric| {
            metric.kind() != Kind::Position
                && self.quantity(metric).is_ok_and(|sent| sent.is_some_and(|number| !number.is_zero()))
        };
        Metric::ALL.into_iter().any(is_measured) || self.documents.iter().any(|slot| slot.get().is_some())
    }

    /// Is a quantity or a document named, even if it was not measured?
    pub(super) const fn names_value(&self) -> bool {
        self.names_value
    }

    /// Names that are not known, at most [`MAX_UNKNOWN`].
    pub(super) fn unknown(&self) -> &[Cow<'a, [u8]>] {
        &self.unknown
    }

    /// The name under which a quantity was sent.
    pub(super) fn quantity_name(&self, metric: Metric) -> &'static str {
        metric.name(self.quantities[metric as usize].rank)
    }

    /// The serial, if its name can only be that of a serial; `id` may also be the id of a message or of a row.
    pub(super) fn named_serial(&self) -> Option<&JsonValue<'a>> {
        self.device_sn.get().filter(|_| self.device_sn.rank < RANK_OF_ID)
    }

    /// Is there a field that only a record has?
    pub(super) fn holds_record_field(&self) -> bool {
        self.named_serial().is_some() || self.timestamp.get().is_some() || self.holds_measurement()
    }

    fn add_member(&mut self, member: Member<'a, SampleName>) {
        match member {
            Member::Known(key, raw) => self.set(key, raw),
            Member::Unknown(name) if self.unknown.len() < MAX_UNKNOWN => self.unknown.push(name),
            Member::Unknown(_) => {}
        }
    }

    fn set(&mut self, SampleName { field, rank }: SampleName, raw: &'a str) {
        self.names_value |= matches!(field, SampleField::Quantity(_) | SampleField::Document(_));
        if let SampleField::Document(kind) = field {
            if document::has_content(raw) {
                self.documents[kind as usize].set_if_preferred(rank, raw);
            }
            return;
        }
        let Some(value) = JsonValue::from_raw(raw) else { return };
        match field {
            SampleField::DeviceSn => self.device_sn.set_if_preferred(rank, value),
            SampleField::CustomerId => set_id_if_preferred(&mut self.customer_id, rank, &value),
            SampleField::OrgId => set_id_if_preferred(&mut self.org_id, rank, &value),
            SampleField::UserId => set_id_if_preferred(&mut self.user_id, rank, &value),
            SampleField::Timestamp => self.timestamp.set_if_preferred(rank, value),
            SampleField::UploadMethod => self.upload_method.set_if_preferred(rank, value),
            SampleField::Data => self.data.set_if_preferred(rank, value),
            SampleField::BatchId => self.batch_id.set_if_preferred(rank, value),
            SampleField::Quantity(metric) => {
                self.quantities[metric as usize].set_if_preferred(rank, value.number())
            }
            SampleField::Document(_) | SampleField::Unused => {}
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

/// The value of a field, under the name with the lowest rank so far.
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
    /// Takes `value` unless there is one under a name of lower rank.
    pub(super) fn set_if_preferred(&mut self, rank: u8, value: T) {
        if rank <= self.rank {
            *self = Self { rank, value: Some(value) };
        }
    }

    /// The value.
    pub(super) const fn get(&self) -> Option<&T> {
        self.value.as_ref()
    }

    /// Rank of the name it was sent under; `u8::MAX` without a value.
    pub(super) const fn rank(&self) -> u8 {
        self.rank
    }

    /// The one of `names`, which are in the order of their ranks, under which it was sent.
    pub(super) fn name_in(&self, names: &[&'static str]) -> &'static str {
        names.get(usize::from(self.rank)).or(names.first()).copied().unwrap_or_default()
    }
}

/// As [`Slot::set_if_preferred`]. An id of 0 is no value, like an empty one, so the next name counts.
pub(super) fn set_id_if_preferred(slot: &mut Slot<Id>, rank: u8, value: &JsonValue<'_>) {
    match value.id() {
        Id::Unknown => {}
        id => slot.set_if_preferred(rank, id),
    }
}
