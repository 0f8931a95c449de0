//! What the rounds of a run were like, by kind of fault.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use crate::faults::verdict::Count;

/// The sums of all rounds so far.
#[derive(Debug, Default)]
pub struct Account {
    pub rounds: u64,
    pub whole: Count,
    /// The longest time without an accepted upload, of each round, by kind of fault.
    gaps: BTreeMap<String, Vec<Duration>>,
}

impl Account {
    /// Adds a fault, and the longest time without an accepted upload while it was there, or when it ended.
    pub fn add(&mut self, fault: String, gap: Duration) {
        self.gaps.entry(fault).or_default().push(gap);
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "without an accepted upload, by kind of fault (with others at the same time):")?;
        writeln!(f, "{:<22} {:>6} {:>9} {:>9}", "fault", "rounds", "usually", "at most")?;
        for (fault, gaps) in &self.gaps {
            let mut gaps = gaps.clone();
            gaps.sort();
            let (usual, longest) = (gaps[gaps.len() / 2].as_secs_f64(), gaps[gaps.len() - 1].as_secs_f64());
            writeln!(f, "{fault:<22} {:>6} {usual:>7.1} s {longest:>7.1} s", gaps.len())?;
        }
        let faults: usize = self.gaps.values().map(Vec::len).sum();
        write!(f, "verdict: {faults} faults in {} rounds, {}", self.rounds, self.whole)
    }
}
