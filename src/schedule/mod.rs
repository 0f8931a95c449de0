//! What runs by the clock.
//!
//! Before: `app` starts each task in its own stage. After: the database, through `store`.

pub mod alerts;
pub mod policies;
pub mod rollups;
