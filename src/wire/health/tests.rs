//! What an upload becomes, claim by claim.

mod speed;

use std::str::FromStr;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::*;

/// 2025-05-17 18:00 in Shanghai; raw readings kept for ever.
pub(crate) fn context() -> Context {
    Context {
        received_at: Timestamp::from_str("2025-05-17T10:00:00.123456789Z").unwrap(),
        device_zone: TimeZone::get("Asia/Shanghai").unwrap(),
        oldest: None,
    }
}
