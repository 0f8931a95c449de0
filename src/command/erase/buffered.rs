//! Waits until what is in the buffer is stored.
//!
//! Before: an erasure is about to begin, has begun, or is complete. After: everything that was acknowledged before is in PostgreSQL, and is
//! erased there; or, after the begin, is not stored at all (`ingest::erased`), which need not be remembered any longer.
//! Promise: an upload that was buffered before is not stored after the erasure. What comes meanwhile is not waited for: a device that is not
//! stopped goes on sending anyway.

use std::time::Duration;

use anyhow::{Context, bail};
use tokio::time::{Instant, sleep};

use crate::cache::{Cache, stream};
use crate::command::text::grouped;
use crate::config::Settings;

/// How often the streams are read.
const EVERY: Duration = Duration::from_millis(100);

/// How long no upload may be stored.
const MAX_STANDSTILL: Duration = Duration::from_secs(60);

/// Waits, if the settings name a buffer.
///
/// # Errors
/// The buffer does not answer, or nobody drains it.
pub(super) async fn wait_until_stored(settings: &Settings) -> anyhow::Result<()> {
    if settings.buffer_url.is_empty() {
        return Ok(());
    }
    let cache = Cache::of_buffer(settings)?;
    let server = cache.server();
    let unknown = || format!("the buffer at {server}, which may hold uploads of what is to be erased");
    cache.connect().await.with_context(unknown)?;
    let newest = stream::newest(&cache).await.with_context(unknown)?;
    let (mut oldest, mut changed_at) = (Vec::new(), Instant::now());
    let mut is_reported = false;
    loop {
        let left = stream::oldest_until(&cache, &newest).await.with_context(unknown)?;
        if left.is_empty() {
            return Ok(());
        }
        if !is_reported {
            eprintln!("vitals: waiting until the uploads in the buffer are stored");
            is_reported = true;
        }
        if left != oldest {
            (oldest, changed_at) = (left, Instant::now());
        } else if changed_at.elapsed() > MAX_STANDSTILL {
            let streams = grouped(oldest.len() as u64);
            bail!(
                "uploads wait in {streams} streams of the buffer, and nobody stores them: run an instance, or `vitals buffer drain`, then run this once more"
            );
        }
        sleep(EVERY).await;
    }
}
