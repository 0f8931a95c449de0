//! Values that are valid because they exist.
//!
//! `wire` makes them, every later stage relies on them. Knows nothing but itself.

pub mod device;
pub mod event;
pub mod latest;
pub mod reading;
pub mod upload;

pub use device::{ChargingStatus, DeviceInfo, DeviceInfoItem};
pub use event::{Event, EventItem};
pub use latest::LatestValue;
pub use reading::{Document, DocumentKind, Owner, Reading, Vital};
pub use upload::{Item, Refusal, Reject, RejectReason, Source, Upload, UploadOutcome};
