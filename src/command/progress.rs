//! Progress of a long command on standard error: a bar on a terminal, else a line from time to time.

use std::io::{IsTerminal, stderr};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use super::text::grouped;

/// How often a line is printed where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(5);

/// Progress towards a number of things.
pub(super) struct Progress {
    bar: Option<ProgressBar>,
    verb: &'static str,
    done: u64,
    of: u64,
    printed_at: Instant,
}

impl Progress {
    pub(super) fn new(verb: &'static str, of: u64) -> Self {
        let style = ProgressStyle::with_template("{prefix} {bar:30} {human_pos} of {human_len}  {eta} left")
            .expect("a well-formed template");
        let bar = stderr().is_terminal().then(|| ProgressBar::new(of).with_style(style).with_prefix(verb));
        Self { bar, verb, done: 0, of, printed_at: Instant::now() }
    }

    /// Progress towards a number of bytes.
    pub(super) fn of_bytes(verb: &'static str, of: u64) -> Self {
        let style = ProgressStyle::with_template(
            "{prefix} {bar:30} {bytes} of {total_bytes}  {bytes_per_sec}  {eta} left",
        )
        .expect("a well-formed template");
        let mut progress = Self::new(verb, of);
        progress.bar = progress.bar.map(|bar| bar.with_style(style));
        progress
    }

    pub(super) fn advance(&mut self, more: u64) {
        self.done += more;
        match &self.bar {
            Some(bar) => bar.inc(more),
            None if self.printed_at.elapsed() >= LINE_EVERY => {
                eprintln!("{} {} of {}", self.verb, grouped(self.done), grouped(self.of));
                self.printed_at = Instant::now();
            }
            None => {}
        }
    }

    /// Clears the bar, to make room for the report.
    pub(super) fn end(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}
