//! Access to PostgreSQL. No other module uses the driver.
//!
//! Before: `ingest`, `relay`, `react`, `schedule`, `http` and the commands call it. After: the database.
//! One file per table or concern; the hot statements are files of `sql/queries`, named as their function.
//! Promise: every failure is a [`StoreError`] whose [`StoreError::kind`] says what to do; every await has a deadline.

mod abandoned;
pub mod access_log;
pub mod account;
pub mod account_grant;
pub mod account_session;
pub mod accounting;
pub mod alert;
pub mod alert_change;
pub mod alert_replay;
pub mod alert_rule;
pub mod alert_silence;
pub mod alert_sweep;
pub mod api_key;
pub mod backfill;
pub mod backlog;
pub mod batch;
pub mod clock;
pub mod connect;
pub mod contact;
pub mod contact_address;
pub mod copy;
pub mod dashboard;
#[cfg(feature = "fleet")]
pub mod database;
pub mod device_clock;
pub mod device_config;
mod device_event;
pub mod device_info;
pub mod device_key;
pub mod directory;
pub mod erasure;
pub mod error;
mod exercise_day;
mod functions;
pub mod handover;
pub mod health;
pub mod health_data;
mod health_document;
mod hosts;
pub mod instance;
pub mod job;
pub mod kiosk_link;
pub mod latest_view;
pub mod lease;
pub mod locks;
pub mod migrate;
pub mod migrations;
pub mod notification;
pub mod notification_route;
pub mod notification_step;
pub mod notifier;
pub mod outbox;
#[cfg(feature = "fleet")]
pub mod overview;
pub mod owners;
mod pipeline;
pub mod placement;
pub mod policy;
pub mod pooler;
pub mod program;
mod public_schema;
mod read_horizon;
pub mod reads;
pub mod reception;
mod recycle;
pub mod rejected_upload;
pub mod replay;
pub mod roles;
mod rollup_columns;
pub mod rollups;
pub mod schema;
mod schema_transaction;
pub mod server_versions;
pub mod shadow;
pub mod shift;
mod sleep_segment;
mod statement;
pub mod stats;
pub mod timeline;
mod tls;
pub mod unknown_name;
mod url;
pub mod wake;
pub mod watch_log;
mod workout;

pub use connect::{Driver, Store, outage_delays};
pub use error::{Kind, StoreError};
pub use health::health_check;
pub use statement::StatementTimeout;
pub(crate) use statement::{Statement, statement};
