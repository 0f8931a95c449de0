//! The exercise of a local day.
//!
//! Before: `store::dashboard::exercise` reads view `dashboard.exercise_day`. After: `…/exercise`, pages.

use jiff::civil::Date;
use serde::Serialize;
use utoipa::ToSchema;

use super::Id64;
use super::decimal::Exact;

/// Exercise of a device on one local day
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct DayOfExercise {
    /// Serial number of the device
    pub device_sn: String,
    /// Local day
    #[schema(value_type = String, format = Date)]
    pub day: Date,
    /// Minutes at medium or high intensity; null: not sent
    pub strength_minutes: Option<Exact>,
    /// Hours with activity; null: not sent
    pub active_hours: Option<Exact>,
    /// Steps; null: not sent
    pub steps: Option<i32>,
    /// Wearer; null: not known, or it changed on that day
    pub user_id: Option<Id64>,
}
