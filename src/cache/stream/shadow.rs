//! What comparing shadow uploads has found, summed up over all instances: a hash, which `vitals buffer status` reads too.
//!
//! Before: `buffer` has compared uploads. After: `buffer` measures it for health and metrics.

use std::collections::HashMap;

use redis::pipe;

use crate::cache::{Cache, CacheError};
use crate::model::ShadowCounts;

const KEY: &str = "vitals:shadow_records";

/// Adds to the sums.
///
/// # Errors
/// Redis did not answer; it may have added.
pub async fn add(cache: &Cache, counts: &ShadowCounts) -> Result<(), CacheError> {
    let mut pipeline = pipe();
    for (name, count) in ShadowCounts::NAMES.into_iter().zip(counts.figures()).filter(|(_, count)| *count > 0)
    {
        pipeline.cmd("HINCRBY").arg(KEY).arg(name).arg(count);
    }
    if pipeline.is_empty() { Ok(()) } else { cache.send::<Vec<u64>>(&pipeline).await.map(drop) }
}

/// The sums; `None`: nothing was compared yet.
///
/// # Errors
/// Redis did not answer.
pub async fn read(cache: &Cache) -> Result<Option<ShadowCounts>, CacheError> {
    let mut pipeline = pipe();
    pipeline.cmd("HGETALL").arg(KEY);
    let (sums,): (HashMap<String, u64>,) = cache.send(&pipeline).await?;
    let figures = ShadowCounts::NAMES.map(|name| sums.get(name).copied().unwrap_or_default());
    Ok((!sums.is_empty()).then(|| ShadowCounts::of(figures)))
}
