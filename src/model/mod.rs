//! Values that are valid because they exist.
//!
//! `wire` makes them, and every later stage relies on them. This module uses only `metric` and `language`.

pub mod alert;
pub mod alert_context;
pub mod alert_history;
pub mod alert_rule;
pub mod alert_silence;
pub mod alert_state;
pub mod api_key;
pub mod contact;
pub mod device;
pub mod device_key;
pub mod document;
pub mod event;
pub mod exercise;
pub mod id;
pub mod latest;
pub mod notification;
pub mod notification_route;
pub mod ownership;
pub mod reading;
pub mod shift;
pub mod sleep;
pub mod system_alert;
pub mod tenant;
pub mod unknown_name;
pub mod upload;
pub mod watch_log;
pub mod wording;
pub mod workout;

pub use alert::{Alert, AlertDetail, AlertKind, AlertStatus, AlertTally, Severity};
pub use alert_context::{AlertContext, LastReading};
pub use alert_history::{AlertAction, AlertNotification};
pub use alert_rule::{AlertRule, Condition, RuleDraft};
pub use alert_silence::{AlertSilence, SilenceDraft};
pub use alert_state::{AlertState, AlertUpdate};
pub use contact::ContactSummary;
pub use device::{ChargingStatus, DeviceInfo, DeviceInfoItem};
pub use document::{Document, DocumentKind, Element, KeptDocument, KeptReason, SampleDocument};
pub use event::{Event, EventItem};
pub use exercise::{ExerciseDay, ExerciseTotals};
pub use id::Id64;
pub use latest::{LatestValue, effective_ts};
pub use notification::{Channel, Content, Message, MessageAlert, NotificationKind};
pub use notification_route::{Audience, NotificationRoute, RouteDraft};
pub use ownership::{DeviceRecord, OwnerSlot, Tenure};
pub use reading::{Owner, Reading};
pub use shift::{Shift, ShiftDraft, ShiftKind};
pub use sleep::SleepSegment;
pub use system_alert::{SystemAlert, SystemCondition};
pub use unknown_name::{NameKind, UnknownName, UnknownNames};
pub use upload::{Item, Refusal, Reject, RejectReason, Source, Upload, UploadOutcome};
pub use watch_log::WatchLogLine;
pub use wording::{Translations, Wording};
pub use workout::Workout;
