//! `vitals rejected drop`: deletes rejects permanently, after a confirmation.
//!
//! Before: a filter. After: `store::rejected_upload`.
//! Promise: only rejects that were counted in the question are deleted; without a terminal `--yes` is required.

use std::process::ExitCode;

use jiff::tz::TimeZone;

use super::filter::Selection;
use crate::command::progress::Progress;
use crate::command::text::{confirm, grouped, print};
use crate::config::Settings;
use crate::store::Store;
use crate::store::rejected_upload::{self, MatchSummary};

/// Rejects in one statement.
const PAGE: u64 = 10_000;

pub(super) async fn run(
    selection: &Selection,
    yes: bool,
    settings: &Settings,
    store: &Store,
) -> anyhow::Result<ExitCode> {
    let zone = settings.device_zone();
    let filter = selection.filter(&zone)?;
    let extent = rejected_upload::measure(store, &filter).await?;
    let mut left = extent.rejects.min(selection.limit.unwrap_or(u64::MAX));
    if left == 0 {
        print("no rejects match\n")?;
        return Ok(ExitCode::SUCCESS);
    }
    if !yes && !confirm(&question(left, &extent, &zone))? {
        print("nothing was deleted\n")?;
        return Ok(ExitCode::FAILURE);
    }
    let mut progress = Progress::new("deleting", left);
    let (mut after, mut deleted) = (i64::MIN, 0);
    while left > 0 {
        let limit = i64::try_from(left.min(PAGE))?;
        let ids = rejected_upload::page(store, &filter, after, extent.last_id, limit).await?;
        let Some(last) = ids.last() else { break };
        after = *last;
        deleted += rejected_upload::drop_for_good(store, &ids).await?;
        left -= ids.len() as u64;
        progress.advance(ids.len() as u64);
    }
    progress.end();
    print(&format!("{} deleted\n", grouped(deleted)))?;
    Ok(ExitCode::SUCCESS)
}

fn question(rejects: u64, extent: &MatchSummary, zone: &TimeZone) -> String {
    let day = |at: jiff::Timestamp| at.to_zoned(zone.clone()).strftime("%F %T").to_string();
    let received = extent
        .received
        .map(|(first, last)| format!(" (received {} to {})", day(first), day(last)))
        .unwrap_or_default();
    let what = if rejects == 1 { "reject" } else { "rejects" };
    format!("Delete {} {what}{received} for good? [y/N] ", grouped(rejects))
}
