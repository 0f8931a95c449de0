//! Whose rows, and of what time.

use jiff::Timestamp;

/// Whose rows of those that the viewer may see.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Subject {
    /// Of a device.
    Device(String),
    /// Of a person: what their devices sent while they wore them.
    Person(i64),
    /// Of every device.
    Everyone,
}

/// A time: from then on, and before `to`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Span {
    /// Inclusive.
    pub from: Timestamp,
    /// Exclusive.
    pub to: Timestamp,
}

impl Subject {
    /// As parameters of a statement: the device and the person.
    pub(super) fn parameters(&self) -> (Option<String>, Option<i64>) {
        match self {
            Self::Device(device_sn) => (Some(device_sn.clone()), None),
            Self::Person(user_id) => (None, Some(*user_id)),
            Self::Everyone => (None, None),
        }
    }
}
