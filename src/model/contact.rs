//! A contact: somebody, or something, that can be notified of alerts.
//!
//! Before: `store::contact` reads it. After: `http::api::contact`, `vitals alerts contacts`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Id64;

/// A contact
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ContactSummary {
    /// Number of the contact
    pub contact_id: Id64,
    /// For people
    pub name: String,
    /// The wearer it is; null: not a wearer
    pub user_id: Option<Id64>,
    /// Language of its messages; null: that of the service
    pub language: Option<String>,
    /// Channels by which it can be reached
    pub channels: Vec<String>,
}
