//! A workout, as readers see it.
//!
//! Before: `store::dashboard::workout` reads view `dashboard.workout`. After: `…/workouts`, pages.

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::Id64;
use super::decimal::Exact;

/// A workout
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct WorkoutEntry {
    /// Serial number of the device
    pub device_sn: String,
    /// Start
    #[schema(value_type = String, format = DateTime)]
    pub start_ts: Timestamp,
    /// End
    #[schema(value_type = String, format = DateTime)]
    pub end_ts: Timestamp,
    /// Type as sent; null: not sent
    pub workout_type: Option<i32>,
    /// Name of the type in English; null: not known
    pub type_name: Option<String>,
    /// Energy as sent, in the unit of the device; null: not sent
    pub calorie: Option<Exact>,
    /// Distance, metres; null: not sent
    pub distance: Option<Exact>,
    /// Wearer at the start; null: nobody
    pub user_id: Option<Id64>,
}
