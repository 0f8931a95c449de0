//! A nested document of a sample, read: its elements, and what of it could not be read.
//!
//! Before: `wire` reads the text, once for all samples of an upload that repeat it. After: `ingest` folds repeats,
//! `store` writes each element to its table.
//! Promise: nothing of the text is lost: it is an element, or it is kept as sent, or it said that there is nothing.

use jiff::Timestamp;

use super::{ExerciseDay, Owner, SleepSegment, Workout};

/// What one document says.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// Which of the five.
    pub kind: DocumentKind,
    /// The same for the same content: of the text, and of the day where the text leaves it to the sample.
    pub digest: u128,
    /// What was read, in the order of the document; at least one.
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

/// A text that did not become a row of its own kind; the whole document, or one element of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptDocument {
    /// Why.
    pub reason: KeptReason,
    /// What exactly, for a person; nothing is wrong with a text of unknown shape.
    pub detail: Option<String>,
    /// The text as sent; without NUL, which PostgreSQL could not hold.
    pub body: String,
}

/// Why a text is kept as sent: `health_document.reason`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeptReason {
    /// Nobody knows what documents of the kind hold.
    ShapeUnknown,
    /// The document is none.
    Unreadable,
    /// The document is one, this element is none.
    BadElement,
    /// The document has more elements than any device has to tell.
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

/// A document with the samples that carried it, all of one device.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Carried<'a> {
    /// Serial of the device.
    pub device_sn: &'a str,
    /// Whose it is, as far as the samples say.
    pub owner: Owner,
    /// Event time of the first of them.
    pub first_ts: Timestamp,
    /// Event time of the last of them.
    pub last_ts: Timestamp,
    /// When the upload with the last of them was received.
    pub received_at: Timestamp,
    /// What it says.
    pub document: &'a Document,
}
