//! Settings with a fixed list of values.

use serde::Deserialize;

/// Who may send requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Authentication {
    /// Everybody.
    Off,
    /// Whoever has a key.
    Keys,
}

/// Which devices are handed a key with their configuration, without presenting one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Enrolment {
    /// Any serial.
    Open,
    /// Devices that the directory knows.
    Known,
    /// None.
    Closed,
}

/// Which uploads go to the buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BufferMode {
    /// None: there is no buffer.
    Off,
    /// Those that PostgreSQL cannot store now.
    Outage,
    /// All of them.
    Always,
}

/// What a repeat of (device_sn, ts) does to the row that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Duplicates {
    /// Fills what was NULL; nothing else changes.
    Fill,
    /// Changes nothing.
    Keep,
    /// Replaces the row by the last one.
    Replace,
}

/// Format of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}
