//! A nested document of a sample: its elements, and the parts that could not be read.
//!
//! Before: `wire` reads the text, once for all samples of an upload that repeat it. After: `ingest` folds repeats,
//! `store` writes each element to its table.
//! Promise: nothing of the text is lost: each part is an element, or is kept as sent, or means "no data".

use jiff::Timestamp;

use super::{ExerciseDay, Owner, SleepSegment, Workout};

/// One document.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// Which of the five.
    pub kind: DocumentKind,
    /// Hash of the content: of the text, and of the day where the text has none.
    pub digest: u128,
    /// Its elements, in the order of the document; at least one.
    pub elements: Vec<Element>,
}

impl Document {
    /// Memory it takes, bytes.
    pub fn memory_bytes(&self) -> usize {
        let elements = self.elements.iter().map(|element| match element {
            Element::Kept(kept) => kept.body.capacity() + kept.detail.as_ref().map_or(0, String::capacity),
            // Texts of an element are short.
            Element::Sleep(_) | Element::Exercise(_) | Element::Workout(_) => 64,
        });
        size_of::<Self>() + self.elements.capacity() * size_of::<Element>() + elements.sum::<usize>()
    }
}

/// One element of a document.
#[derive(Debug, Clone, PartialEq)]
pub enum Element {
    /// A row of `sleep_segment`.
    Sleep(SleepSegment),
    /// A row of `exercise_day`.
    Exercise(ExerciseDay),
    /// A row of `workout`.
    Workout(Workout),
    /// A row of `health_document`.
    Kept(KeptDocument),
}

/// A text that could not be read as a row of its kind: the whole document, or one element of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptDocument {
    /// Why.
    pub reason: KeptReason,
    /// What exactly, for a person; `None` for a text of unknown shape, which is no fault.
    pub detail: Option<String>,
    /// The text as sent; without NUL, which PostgreSQL could not hold.
    pub body: String,
}

/// Why a text is kept as sent: `health_document.reason`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeptReason {
    /// The shape of documents of this kind is not known.
    ShapeUnknown,
    /// The text is no document.
    Unreadable,
    /// The document can be read, this element cannot.
    BadElement,
    /// The document has more elements than any device sends.
    TooManyElements,
}

impl KeptReason {
    /// The word in `health_document.reason`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ShapeUnknown => "shape_unknown",
            Self::Unreadable => "unreadable",
            Self::BadElement => "bad_element",
            Self::TooManyElements => "too_many_elements",
        }
    }
}

/// The nested documents a sample may carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DocumentKind {
    /// Sleep segments.
    Sleep,
    /// Exercise of the day.
    ExerciseDaily,
    /// Exercise of the week, an element a day.
    ExerciseWeek,
    /// Scientific sleep; shape unknown.
    ScientificSleep,
    /// Workouts.
    Workout,
}

impl DocumentKind {
    /// How many there are.
    pub const COUNT: usize = 5;

    /// The word in `health_document.kind`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sleep => "sleep",
            Self::ExerciseDaily => "exercise_daily",
            Self::ExerciseWeek => "exercise_week",
            Self::ScientificSleep => "scientific_sleep",
            Self::Workout => "workout",
        }
    }
}

/// A document, and the samples of one device that had it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SampleDocument<'a> {
    /// Serial of the device.
    pub device_sn: &'a str,
    /// The owner, as far as the samples name it.
    pub owner: Owner,
    /// Event time of the first of them.
    pub first_ts: Timestamp,
    /// Event time of the last of them.
    pub last_ts: Timestamp,
    /// When the upload with the last of them was received.
    pub received_at: Timestamp,
    /// The document.
    pub document: &'a Document,
}
