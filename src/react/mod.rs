//! What a committed batch causes outside the database: dashboards see the latest values and the open alerts.
//!
//! Before: `relay` reads batches back and hands the newest rows over. After: `cache` writes them to Redis.
//! Promise: idempotent; never waits for a Redis that is away; what Redis missed is made good by a rebuild from the
//! database, after its return, its restart or its flush, by one instance, while live values go on.
//! What a batch causes inside the database is `sql/functions/finish_batches.sql`.

pub mod alert_publisher;
mod rebuild;
pub mod redis_view;

pub use alert_publisher::AlertPublisher;
pub use redis_view::RedisView;
