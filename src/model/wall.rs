//! What the page `/wall` shows: the open alerts, which are read at once, and the rest, which is read as often as its cost allows.
//!
//! Before: `store::dashboard::wall` reads it. After: `page::wall`.

use jiff::Timestamp;
use serde::Deserialize;

use super::{Alert, Id64, Overview};

/// What a wall shows besides the open alerts, at about one time.
#[derive(Debug, Clone, PartialEq)]
pub struct Wall {
    /// Counters, units, batteries, newest values, positions.
    pub overview: Overview,
    /// People whose watch needs somebody; not more than a wall can show.
    pub in_need: Vec<PersonInNeed>,
    /// How many such people there are.
    pub in_need_total: i64,
}

/// The open alerts of a wall.
#[derive(Debug, Clone, PartialEq)]
pub struct OpenAlerts {
    /// By the clock of the database.
    pub as_of: Timestamp,
    /// How many there are.
    pub total: i64,
    /// The gravest first; not more than a wall can show.
    pub shown: Vec<OpenAlert>,
}

/// An open alert, and what it is judged by.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct OpenAlert {
    /// The alert.
    pub alert: Alert,
    /// Lower bound of the level that it has, in the unit of the metric; `None`: there is none.
    pub min_value: Option<f64>,
    /// Upper bound.
    pub max_value: Option<f64>,
}

/// A person whose watch needs somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonInNeed {
    /// Number of the person.
    pub user_id: Id64,
    /// Name; `None`: the directory has none.
    pub user_name: Option<String>,
    /// Room; `None`: the directory has none.
    pub room: Option<String>,
    /// Name of the organisation unit; `None`: there is none, or the directory has no name of it.
    pub org_name: Option<String>,
    /// Serial number of the watch.
    pub device_sn: String,
    /// What it needs.
    pub need: Need,
}

/// What the watch of a person needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// It has sent nothing for a quarter of an hour.
    Silent {
        /// Event time of its newest sample; `None`: there is none within a week.
        since: Option<Timestamp>,
    },
    /// Its battery is nearly empty, and is not charging.
    LowBattery {
        /// Charge, percent.
        percent: i16,
    },
    /// It is not worn.
    NotWorn,
}
