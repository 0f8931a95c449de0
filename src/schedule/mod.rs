//! Work that runs on a timer.
//!
//! Before: `app` starts each task. After: the database, through `store`.

pub mod alerts;
pub mod heartbeat;
pub mod policies;
pub mod reception;
pub mod rollups;
