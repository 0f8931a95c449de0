//! `watch_log`: lines of the logs of watches.
//!
//! Before: `http::watch_log` has read them. After: an operator reads them in SQL, until the policy ends them.
//! Promise: all of an upload or nothing; a line that is there already stays as it is.

use jiff::Timestamp;

use super::{Statement, Store, StoreError, statement};
use crate::model::WatchLogLine;

const ADD: Statement = statement!("watch_log", "add");

/// Keeps lines that were received then; gives how many are new.
///
/// # Errors
/// Nothing was kept, or (when the connection broke) it may have been: it may be called again.
pub async fn add(store: &Store, lines: &[WatchLogLine], received_at: Timestamp) -> Result<u64, StoreError> {
    let device_sn: Vec<Option<&str>> = lines.iter().map(|line| line.device_sn.as_deref()).collect();
    let ts: Vec<Timestamp> = lines.iter().map(|line| line.ts).collect();
    let level: Vec<Option<&str>> = lines.iter().map(|line| line.level.as_deref()).collect();
    let content: Vec<&str> = lines.iter().map(|line| line.content.as_str()).collect();
    let customer_id: Vec<Option<i64>> = lines.iter().map(|line| line.customer_id).collect();
    let client = store.client().await?;
    ADD.execute(&client, &[&device_sn, &ts, &level, &content, &customer_id, &received_at]).await
}
