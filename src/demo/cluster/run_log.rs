//! What happens, with the seconds since the uploads began.
//!
//! Before: `faults`. After: standard output.

use anyhow::Result;
use tokio::time::Instant;
use vitals_fleet::Span;

use crate::command::text::grouped;
use crate::demo::table::print_line;

/// When the uploads began.
#[derive(Debug, Clone, Copy)]
pub(super) struct RunLog {
    began: Instant,
}

impl RunLog {
    pub(super) fn begin() -> Self {
        Self { began: Instant::now() }
    }

    pub(super) fn began(self) -> Instant {
        self.began
    }

    /// Prints what has just happened.
    ///
    /// # Errors
    /// It cannot be written.
    pub(super) fn note(self, what: &str) -> Result<()> {
        print_line!("{:>6.1} s  {what}", self.began.elapsed().as_secs_f64());
        Ok(())
    }

    /// Prints what happens now; gives when.
    ///
    /// # Errors
    /// It cannot be written.
    pub(super) fn note_fault(self, what: &str) -> Result<Instant> {
        self.note(what)?;
        Ok(Instant::now())
    }

    /// Prints what the watches have seen of it.
    ///
    /// # Errors
    /// It cannot be written.
    pub(super) fn watches_saw(self, span: Span) -> Result<()> {
        self.note(&format!("  the watches: {}", in_words(span)))
    }
}

fn in_words(span: Span) -> String {
    let gap = span.longest_gap.as_secs_f64();
    let repeated = match span.resent {
        0 => "none was sent again".to_owned(),
        1 => "1 was sent again".to_owned(),
        uploads => format!("{} were sent again", grouped(uploads)),
    };
    let late = span.longest_delay.as_secs_f64();
    format!("no upload accepted for {gap:.1} s, {repeated}, the latest {late:.1} s late")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_span_is_told_in_words() {
        let span = |resent| Span {
            longest_gap: Duration::from_millis(22_810),
            resent,
            longest_delay: Duration::from_millis(23_400),
        };
        let text = in_words(span(3_120));
        assert_eq!(text, "no upload accepted for 22.8 s, 3 120 were sent again, the latest 23.4 s late");
        assert!(in_words(span(1)).contains("1 was sent again"));
        assert!(in_words(span(0)).contains("none was sent again"));
    }
}
