//! What a message says of an alert besides the text of its rule.
//!
//! Before: `store::notification` reads it. After: `notify` writes it. Nothing of it decides whether somebody is notified.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Who and where, what is normal, and how the wearer was.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
pub struct AlertContext {
    /// Name of the wearer; `None`: the directory has none.
    pub person: Option<String>,
    /// Name of their organisation unit.
    pub unit: Option<String>,
    /// Their room.
    pub room: Option<String>,
    /// Lower bound of the severity that the alert has; `None`: none, or the kind is not threshold.
    pub min_value: Option<f64>,
    /// Upper bound.
    pub max_value: Option<f64>,
    /// The last reading of each vital sign.
    pub readings: Vec<LastReading>,
}

impl AlertContext {
    /// Name, unit and room, as far as they are known.
    pub fn wearer(&self) -> Option<String> {
        let known: Vec<&str> =
            [&self.person, &self.unit, &self.room].into_iter().filter_map(Option::as_deref).collect();
        if known.is_empty() { None } else { Some(known.join(", ")) }
    }
}

/// The last reading of a vital sign.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LastReading {
    /// Which.
    pub metric: String,
    /// In the unit of the metric.
    pub value: f64,
    /// Event time.
    pub ts: Timestamp,
}
