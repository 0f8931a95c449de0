//! FileProgress and refused lines of an import: on standard error while it runs, on standard output at its end.
//!
//! Before: `lines` and the database refuse lines. After: a person, or a file with every refusal.
//! Promise: the first [`SHOWN`] refusals of a file are shown, all are counted, all are in the file of `--refused`.

use std::cell::{Cell, RefCell};
use std::fs::File;
use std::io::{IsTerminal, stderr};
use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, Instant};

use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};

use crate::command::text::{escape_control, print};
use crate::store::StoreError;
use crate::store::directory::{MergeCounts, Mode};

/// Refusals of a file that are shown; more would fill the screen.
const SHOWN: u64 = 20;

/// How often a line is written where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(1);

/// Lines between two updates of the progress.
const LINES_PER_UPDATE: u64 = 2000;

/// The file of `--refused`.
type Refusals = Rc<RefCell<Option<csv::Writer<File>>>>;

/// The result of all files.
pub(super) struct Report {
    refusals: Refusals,
    refused: u64,
}

impl Report {
    /// Opens the file of refusals, if one is wanted.
    pub(super) fn new(refusals: Option<&Path>) -> anyhow::Result<Self> {
        let open = |path: &Path| -> anyhow::Result<_> {
            let mut writer = csv::Writer::from_path(path).with_context(|| path.display().to_string())?;
            writer.write_record(["file", "line", "reason"])?;
            Ok(writer)
        };
        Ok(Self { refusals: Rc::new(RefCell::new(refusals.map(open).transpose()?)), refused: 0 })
    }

    /// Reports unknown columns of a file: one of them may be misspelled.
    pub(super) fn ignored(&self, file: &Path, columns: &[String]) {
        if !columns.is_empty() {
            let columns = columns.iter().map(|name| escape_control(name)).collect::<Vec<_>>().join(", ");
            eprintln!("{}: unknown columns, ignored: {columns}", file.display());
        }
    }

    /// Starts the report of a file.
    pub(super) fn begin(&self, what: &'static str, file: &Path, bytes: u64) -> FileProgress {
        let bar = stderr().is_terminal().then(|| {
            let template = "{prefix:9} {bar:24} {elapsed:>4}  {msg}";
            let style = ProgressStyle::with_template(template).expect("the template is well formed");
            ProgressBar::new(bytes.max(1)).with_style(style).with_prefix(what)
        });
        FileProgress {
            what,
            file: file.display().to_string(),
            bytes,
            bar,
            lines: Cell::new(0),
            refused: Cell::new(0),
            begun_at: Instant::now(),
            shown_at: Cell::new(Instant::now()),
            failure: RefCell::new(None),
            refusals: Rc::clone(&self.refusals),
        }
    }

    /// Ends the report of a file that is done or failed.
    ///
    /// # Errors
    /// The file failed.
    pub(super) fn finish(
        &mut self,
        progress: FileProgress,
        merged: Result<MergeCounts, StoreError>,
        mode: Mode,
    ) -> anyhow::Result<()> {
        if let Some(bar) = &progress.bar {
            bar.finish_and_clear();
        }
        let refused = progress.refused.get();
        self.refused += refused;
        if refused > SHOWN {
            eprintln!("{}: {} more lines refused", progress.file, refused - SHOWN);
        }
        let merged = merged.with_context(|| format!("{}: nothing of it was imported", progress.file))?;
        let MergeCounts { added, changed, ended, .. } = merged;
        let mut text = format!(
            "{:9} {} lines in {:.1} s: {added} added, {changed} changed",
            progress.what,
            progress.lines.get(),
            progress.begun_at.elapsed().as_secs_f64()
        );
        if ended > 0 {
            text += &format!(", {ended} bindings ended");
        }
        text += &format!(", {refused} refused\n");
        if mode == Mode::DryRun {
            let MergeCounts { first_added, first_changed, first_ended, .. } = &merged;
            for (what, first, all) in [
                ("new", first_added, added),
                ("changed", first_changed, changed),
                ("ended", first_ended, ended),
            ] {
                text.extend(first.iter().map(|example| format!("  {what}: {}\n", escape_control(example))));
                let more = all - i64::try_from(first.len()).unwrap_or(all);
                if more > 0 {
                    text += &format!("  {what}: {more} more\n");
                }
            }
        }
        print(&text)?;
        Ok(())
    }

    /// How many lines were refused in all.
    ///
    /// # Errors
    /// The file of refusals cannot be written.
    pub(super) fn end(&self) -> anyhow::Result<u64> {
        if let Some(writer) = self.refusals.borrow_mut().as_mut() {
            writer.flush().context("--refused")?;
        }
        Ok(self.refused)
    }
}

/// The progress of one file.
pub(super) struct FileProgress {
    what: &'static str,
    file: String,
    bytes: u64,
    bar: Option<ProgressBar>,
    lines: Cell<u64>,
    refused: Cell<u64>,
    begun_at: Instant,
    shown_at: Cell<Instant>,
    failure: RefCell<Option<String>>,
    refusals: Refusals,
}

impl FileProgress {
    /// Counts one more line; `bytes` of the file were read in all.
    pub(super) fn read(&self, bytes: u64) {
        let lines = self.lines.get() + 1;
        self.lines.set(lines);
        if !lines.is_multiple_of(LINES_PER_UPDATE) {
            return;
        }
        let refused = self.refused.get();
        match &self.bar {
            Some(bar) => {
                bar.set_position(bytes);
                bar.set_message(format!("{lines} lines, {refused} refused"));
            }
            None if self.shown_at.get().elapsed() >= LINE_EVERY => {
                self.shown_at.set(Instant::now());
                let percent = bytes * 100 / self.bytes.max(1);
                eprintln!("{:9} {percent:>3} % {lines} lines, {refused} refused", self.what);
            }
            None => {}
        }
    }

    /// Reports a refused line.
    pub(super) fn refused(&self, line: i64, reason: &str) {
        self.refused.set(self.refused.get() + 1);
        if self.refused.get() <= SHOWN {
            let text = format!("{}:{line}: {reason}", self.file);
            match &self.bar {
                Some(bar) => bar.suspend(|| eprintln!("{text}")),
                None => eprintln!("{text}"),
            }
        }
        let mut refusals = self.refusals.borrow_mut();
        let Some(writer) = refusals.as_mut() else { return };
        if let Err(error) = writer.write_record([self.file.as_str(), &line.to_string(), reason]) {
            self.fail(&error);
        }
    }

    /// Records that a file cannot be read or written any further.
    pub(super) fn fail(&self, error: &csv::Error) {
        self.failure.borrow_mut().get_or_insert_with(|| error.to_string());
    }

    /// Reports that every line was sent to the server, which then checks and merges them.
    ///
    /// # Errors
    /// Not all lines could be sent.
    pub(super) fn staged(&self) -> Result<(), String> {
        if let Some(failure) = self.failure.borrow().as_ref() {
            return Err(failure.clone());
        }
        let text = format!("{} lines, merging", self.lines.get());
        match &self.bar {
            Some(bar) => {
                bar.set_position(self.bytes);
                bar.set_message(text);
                bar.enable_steady_tick(Duration::from_millis(200));
            }
            None => eprintln!("{:9} 100 % {text}", self.what),
        }
        Ok(())
    }
}
