//! Why an item cannot be stored: the words of `rejected_upload.reason`, of metrics and of answers.

/// Kinds of refusal: `rejected_upload.reason`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RejectReason {
    /// No serial.
    NoSerial,
    /// A serial that cannot be one: too long, too short, no text.
    BadSerial,
    /// A time that cannot be read.
    BadTime,
    /// More than a day ahead of the clock.
    Future,
    /// Older than raw rows are kept.
    TooOld,
    /// A value that is impossible for a body or a sensor.
    OutOfRange,
    /// A value of a wrong kind (text in place of a number).
    BadValue,
    /// No field with a value is known.
    NothingKnown,
    /// The item is not a JSON object.
    NotAnObject,
    /// The text of an event is not JSON: it was cut, or joined with others.
    NotJson,
    /// It is of another tenant than the key it came with.
    OtherTenant,
    /// It is of another device than the key it came with.
    OtherDevice,
    /// PostgreSQL refused the row.
    RefusedByDatabase,
}

impl RejectReason {
    /// The word in `rejected_upload.reason`, in metrics and in answers.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoSerial => "no_serial",
            Self::BadSerial => "bad_serial",
            Self::BadTime => "bad_time",
            Self::Future => "future",
            Self::TooOld => "too_old",
            Self::OutOfRange => "out_of_range",
            Self::BadValue => "bad_value",
            Self::NothingKnown => "nothing_known",
            Self::NotAnObject => "not_an_object",
            Self::NotJson => "not_json",
            Self::OtherTenant => "other_tenant",
            Self::OtherDevice => "other_device",
            Self::RefusedByDatabase => "refused_by_database",
        }
    }
}
