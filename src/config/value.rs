//! Settings that are one of a few words.

use serde::Deserialize;

/// Who may ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Authentication {
    /// Everybody.
    Off,
    /// Whoever has a key.
    Keys,
}

/// Who is handed the key of a device with its configuration, without showing a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Enrolment {
    /// Whoever names a serial.
    Open,
    /// Whoever names the serial of a device that the directory knows.
    Known,
    /// Nobody.
    Closed,
}

/// What a repeat of (device_sn, ts) does to the row that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Duplicates {
    /// Fills what was NULL; nothing else changes.
    Fill,
    /// Changes nothing.
    Keep,
    /// The last one wins, whole.
    Replace,
}

/// Form of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}
