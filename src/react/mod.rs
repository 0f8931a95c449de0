//! What a committed batch causes outside the database: the latest values and the open alerts in Redis.
//!
//! Before: `relay` reads batches back and passes the newest rows on. After: `cache` writes them to Redis.
//! Promise: idempotent; never waits for a Redis that is away; after Redis has returned, restarted or was flushed, one instance
//! rebuilds the view from the database, while live values go on.
//! What a batch causes inside the database is in `vitals.prepare_batches` and `vitals.finish_batches`.

pub mod alert_publisher;
mod rebuild;
mod rebuild_pace;
pub mod redis_view;

pub use alert_publisher::AlertPublisher;
pub use redis_view::RedisView;
