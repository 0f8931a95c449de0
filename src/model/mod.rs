//! Values that are valid because they exist.
//!
//! `wire` makes them, every later stage relies on them. Knows nothing but itself.

pub mod latest;
pub mod ownership;
pub mod reading;
pub mod upload;

pub use latest::LatestValue;
pub use ownership::{Owned, Tenure};
pub use reading::{Document, DocumentKind, Owner, Reading, Vital};
pub use upload::{Item, Refusal, Reject, RejectReason, Source, Upload, UploadOutcome};
