//! `vitals rejected replay`: processes rejects as if they were uploaded once more.
//!
//! Before: a filter. After: `wire::rejected_item` reads each by the rules of its route, `ingest::replay` stores those that can be
//! stored now.
//! Promise: see `ingest::replay`. A future time is checked against the time of receipt, because waiting does not make it true; a
//! sample without a time gets the time of receipt. A time that is too old is checked against the present: raw rows of that age are
//! dropped. Ctrl-C ends it after the transaction under way.

use std::process::ExitCode;

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::filter::Selection;
use crate::command::INTERRUPTED;
use crate::command::interrupt::until_interrupted;
use crate::command::progress::Progress;
use crate::command::text::{grouped, print};
use crate::config::Settings;
use crate::http::retention::RawRetention;
use crate::ingest::replay::{Replay, ReplayCounts};
use crate::model::Upload;
use crate::store::rejected_upload::{self, Filter, RejectedUpload};
use crate::store::{Store, StoreError};
use crate::wire::{self, Context};

/// Rejects in one transaction. Larger ones are hardly faster and hold their rows longer.
const PAGE: u64 = 1_000;

pub(super) async fn run(
    selection: &Selection,
    as_json: bool,
    settings: &Settings,
    store: &Store,
) -> anyhow::Result<ExitCode> {
    let filter = selection.filter(&settings.device_zone())?;
    // Only rejects that exist at the start are replayed.
    let extent = rejected_upload::measure(store, &filter).await?;
    let wanted = extent.rejects.min(selection.limit.unwrap_or(u64::MAX));
    let retention = RawRetention::read(store).await?;
    let read = reader(settings, &retention);
    let mut run = Run {
        store,
        filter,
        last_id: extent.last_id,
        wanted,
        replay: Replay::new(store, settings),
        counts: ReplayCounts::default(),
        progress: Progress::new("replaying", wanted),
    };
    let stop = CancellationToken::new();
    let ended = until_interrupted(&stop, Box::pin(run.pages(&read, &stop))).await;
    run.progress.end();
    print(&if as_json { result_json(&run.counts) } else { result_text(&run.counts) })?;
    ended.map_err(|error| {
        anyhow::Error::from(error)
            .context("failed; what is printed above is done, the rest is unchanged: run it once more")
    })?;
    Ok(if stop.is_cancelled() { ExitCode::from(INTERRUPTED) } else { ExitCode::SUCCESS })
}

/// Reads a reject by the rules of the route it came by.
fn reader(settings: &Settings, retention: &RawRetention) -> impl Fn(&RejectedUpload) -> Upload + Send + Sync {
    let device_zone = settings.device_zone();
    let oldest = retention.oldest(Timestamp::now());
    move |rejected| {
        let context = Context {
            received_at: rejected.received_at,
            device_zone: device_zone.clone(),
            oldest,
            key_customer_id: rejected.key_customer_id,
        };
        let text = Bytes::copy_from_slice(rejected.body.as_bytes());
        wire::rejected_item::read(rejected.source, &text, rejected.inherited.as_deref(), &context)
    }
}

struct Run<'s> {
    store: &'s Store,
    filter: Filter,
    last_id: i64,
    wanted: u64,
    replay: Replay,
    counts: ReplayCounts,
    progress: Progress,
}

impl Run<'_> {
    async fn pages(
        &mut self,
        read: &crate::ingest::replay::ReadRejected<'_>,
        stop: &CancellationToken,
    ) -> Result<(), StoreError> {
        let mut after = i64::MIN;
        let mut left = self.wanted;
        while left > 0 && !stop.is_cancelled() {
            let limit = i64::try_from(left.min(PAGE)).expect("a page is small");
            let ids = rejected_upload::page(self.store, &self.filter, after, self.last_id, limit).await?;
            let Some(last) = ids.last() else { break };
            after = *last;
            self.counts.add(&self.replay.replay(&ids, read).await?);
            left -= ids.len() as u64;
            self.progress.advance(ids.len() as u64);
        }
        Ok(())
    }
}

fn result_text(counts: &ReplayCounts) -> String {
    let mut text = format!(
        "{} stored, {} were duplicates, {} refused once more",
        grouped(counts.stored),
        grouped(counts.duplicate),
        grouped(counts.refused())
    );
    if !counts.refused.is_empty() {
        let reasons = counts.refused.iter().map(|(reason, items)| format!("{reason} {}", grouped(*items)));
        text.push_str(&format!(" ({})", reasons.collect::<Vec<_>>().join(", ")));
    }
    if counts.passed_over > 0 {
        text.push_str(&format!(
            ", {} skipped (deleted meanwhile, or held by another replay)",
            grouped(counts.passed_over)
        ));
    }
    text.push('\n');
    text
}

fn result_json(counts: &ReplayCounts) -> String {
    let account = json!({
        "stored": counts.stored,
        "duplicate": counts.duplicate,
        "refused": counts.refused,
        "passed_over": counts.passed_over,
    });
    format!("{account}\n")
}
