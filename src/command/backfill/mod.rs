//! `vitals backfill`: history from files, by the rules of an upload.
//!
//! Before: an operator with an export or a log of uploads. After: `ingest::backfill` commits batch after batch; the relay reacts as
//! to any upload.
//! Promise: it works with and without a running service, and disturbs none; records that cannot be stored are kept as rejects; an
//! interrupted import of the same file continues where it stopped; memory does not grow with the file.

mod lines;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Context;
use jiff::Timestamp;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::app;
use crate::command::encoding::Encoding;
use crate::command::interrupt::until_interrupted;
use crate::command::progress::Progress;
use crate::command::text::{escape_control, grouped, print};
use crate::command::{DONE_IN_PART, INTERRUPTED};
use crate::config::Settings;
use crate::http::retention::RawRetention;
use crate::ingest::backfill::Backfill;
use crate::model::{UnknownName, UnknownNames};
use crate::schedule::heartbeat;
use crate::store::Store;
use crate::store::backfill::{self, Counts, FileRange, Journal};
use crate::store::instance::Instance;
use crate::store::unknown_name;
use crate::{tasks, wire};
use lines::{Format, LineBatch, Lines};

/// Options of `vitals backfill`.
///
/// CSV: a line of column names, those of an upload or of `health_data` (`device_sn`, `ts`, `heart_rate`, …); an empty field is a value
/// that was not measured. NDJSON: each line is a record, or a complete body of an upload. Every record needs a time; times without
/// a zone are in `device_time_zone`.
///
/// Exit code: 0 every record is stored, 3 some are in `rejected_upload`, 1 failed, 130 interrupted. After a failure or an interrupt,
/// run the command once more to continue.
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Options {
    /// Files, imported one after the other
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// Format of the files; default: CSV if the name ends in .csv, else NDJSON
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Character set of the files
    #[arg(long, value_enum, default_value_t, value_name = "NAME")]
    encoding: Encoding,
    /// Lines in one transaction
    #[arg(long, value_name = "N", default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    batch_lines: u32,
    /// Print the result of each file as a JSON object
    #[arg(long)]
    json: bool,
}

/// Imports the files and prints the result of each.
///
/// # Errors
/// A file cannot be read, or the database is away; a second run continues.
pub async fn run(options: Options, settings: &Settings) -> anyhow::Result<ExitCode> {
    let store = Store::new(settings)?;
    app::check_schema(&store).await?;
    // An import takes long; the schema is not contracted under it.
    let is_over = CancellationToken::new();
    let heartbeat = heartbeat::run(store.clone(), Instance::new(settings), is_over.clone());
    let heartbeat = tasks::spawn_abort_on_drop(heartbeat);
    let imported = import(&options, settings, &store).await;
    is_over.cancel();
    heartbeat.await?;
    imported
}

/// Imports one file after the other.
async fn import(options: &Options, settings: &Settings, store: &Store) -> anyhow::Result<ExitCode> {
    let retention = RawRetention::read(store).await?;
    let now = Timestamp::now();
    let context = wire::Context {
        received_at: now,
        device_zone: settings.device_zone(),
        oldest: retention.oldest(now),
        key_customer_id: None,
    };
    let stop = CancellationToken::new();
    let mut rejected = 0;
    for file in &options.files {
        let mut work = FileImport::begin(store, settings, options, file, &context).await?;
        let imported = Box::pin(until_interrupted(&stop, work.import(&stop))).await;
        rejected += work.report(options)?;
        imported.with_context(|| format!("{}: failed; run it once more to continue", file.display()))?;
        if stop.is_cancelled() {
            return Ok(ExitCode::from(INTERRUPTED));
        }
    }
    Ok(if rejected > 0 { ExitCode::from(DONE_IN_PART) } else { ExitCode::SUCCESS })
}

/// One file.
struct FileImport {
    name: String,
    journal: Journal,
    bytes: u64,
    lines: Option<Lines>,
    backfill: Backfill,
    store: Store,
    context: wire::Context,
    batch_lines: usize,
    counts: Counts,
    /// Unknown names of columns or fields in this run.
    unknown: UnknownNames,
    started: Instant,
}

impl FileImport {
    async fn begin(
        store: &Store,
        settings: &Settings,
        options: &Options,
        file: &Path,
        context: &wire::Context,
    ) -> anyhow::Result<Self> {
        let name = file.display().to_string();
        let format = options.format.unwrap_or_else(|| Format::of(file));
        let (path, encoding) = (file.to_owned(), options.encoding);
        let (hash, bytes) =
            tasks::run_blocking(move || lines::hash(&path, encoding)).await.with_context(|| name.clone())?;
        let journal = backfill::begin(store, &hash, bytes).await?;
        let lines =
            Lines::open(file, encoding, format, journal.offset, bytes).with_context(|| name.clone())?;
        Ok(Self {
            name,
            journal,
            bytes,
            lines: Some(lines),
            backfill: Backfill::new(store, settings),
            store: store.clone(),
            context: context.clone(),
            batch_lines: usize::try_from(options.batch_lines)?,
            counts: Counts::default(),
            unknown: UnknownNames::default(),
            started: Instant::now(),
        })
    }

    /// While one batch is committed, the next one is read on another thread.
    async fn import(&mut self, stop: &CancellationToken) -> anyhow::Result<()> {
        let mut progress = Progress::of_bytes("importing", self.bytes);
        progress.advance(self.journal.offset);
        let mut at = self.journal.offset;
        let mut batch = self.read().await?;
        while let Some(mut current) = batch {
            self.unknown.append(std::mem::take(&mut current.upload.unknown));
            let range = FileRange { id: self.journal.id, from: at, to: current.end };
            let (lines, next) = (self.lines.take(), &self.context);
            let reading = read_ahead(lines, next, self.batch_lines);
            let storing = self.backfill.store(current.upload, range, current.lines);
            let (stored, (lines, ahead)) = tokio::join!(storing, reading);
            self.lines = lines;
            self.counts.add(&stored?);
            progress.advance(range.to - at);
            at = range.to;
            if stop.is_cancelled() {
                break;
            }
            batch = ahead?;
        }
        progress.end();
        if !self.unknown.is_empty() {
            let names: Vec<UnknownName> = self.unknown.iter().cloned().collect();
            unknown_name::add(&self.store, &names, self.context.received_at).await?;
        }
        Ok(())
    }

    async fn read(&mut self) -> anyhow::Result<Option<LineBatch>> {
        let (lines, batch) = read_ahead(self.lines.take(), &self.context, self.batch_lines).await;
        self.lines = lines;
        batch
    }

    /// Prints the result of the file; gives the number of rejected records.
    fn report(&self, options: &Options) -> anyhow::Result<u64> {
        let mut all = self.journal.counts;
        all.add(&self.counts);
        let seconds = self.started.elapsed().as_secs_f64();
        let records = self.counts.stored + self.counts.duplicate + self.counts.rejected;
        #[expect(clippy::cast_precision_loss, reason = "a rate")]
        let rate = records as f64 / seconds.max(0.001);
        if options.json {
            let object = json!({
                "file": self.name, "lines": all.lines, "stored": all.stored, "duplicate": all.duplicate,
                "rejected": all.rejected, "lines_now": self.counts.lines, "seconds": seconds, "records_per_second": rate,
                "ignored": self.unknown.iter().map(|name| name.name.as_str()).collect::<Vec<_>>(),
            });
            print(&format!("{object}\n"))?;
            return Ok(all.rejected);
        }
        let before = match (self.journal.ended, self.journal.counts.lines) {
            (true, _) => " (it was imported before)".to_owned(),
            (false, 0) => String::new(),
            (false, lines) => format!(" ({} of them before)", grouped(lines)),
        };
        print(&format!(
            "{}: {} lines{before}: {} stored, {} were duplicates, {} rejected; {seconds:.1} s, {rate:.0} records/s\n",
            self.name,
            grouped(all.lines),
            grouped(all.stored),
            grouped(all.duplicate),
            grouped(all.rejected)
        ))?;
        if !self.unknown.is_empty() {
            let names =
                self.unknown.iter().map(|name| escape_control(&name.name)).collect::<Vec<_>>().join(", ");
            print(&format!("{}: unknown names, ignored: {names}\n", self.name))?;
        }
        Ok(all.rejected)
    }
}

/// Reads and parses a batch on a thread for blocking work; gives the reader back.
async fn read_ahead(
    lines: Option<Lines>,
    context: &wire::Context,
    max_lines: usize,
) -> (Option<Lines>, anyhow::Result<Option<LineBatch>>) {
    let Some(mut lines) = lines else { return (None, Ok(None)) };
    let context = context.clone();
    tasks::run_blocking(move || {
        let batch = lines.batch(&context, max_lines);
        (Some(lines), batch)
    })
    .await
}
