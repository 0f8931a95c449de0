//! How many rounds of faults there are, which, and until when: what `tests/soak` says by variables.

use std::time::{Duration, Instant};

/// The rounds of a run.
#[derive(Debug)]
pub struct Rounds {
    pub count: u64,
    pub seed: u64,
    /// No round begins that would end later than this after the begin, if it were as long as the longest so far. `None`: no limit.
    limit: Option<Duration>,
    began: Instant,
    round_began: Instant,
    done: u64,
    longest: Duration,
}

impl Rounds {
    /// So many; until `SOAK_MINUTES` are over, if it is set.
    pub fn new(count: u64, seed: u64) -> Self {
        let (minutes, now) = (number("SOAK_MINUTES", 0), Instant::now());
        let limit = (minutes > 0).then(|| Duration::from_secs(minutes * 60));
        Self { count, seed, limit, began: now, round_began: now, done: 0, longest: Duration::ZERO }
    }

    /// `<kind>_ROUNDS` from the seed `<kind>_SEED`, or these.
    pub fn of(kind: &str, count: u64, seed: u64) -> Self {
        let rounds =
            Self::new(number(&format!("{kind}_ROUNDS"), count), number(&format!("{kind}_SEED"), seed));
        println!("{kind}_ROUNDS={} {kind}_SEED={}", rounds.count, rounds.seed);
        rounds
    }

    /// The number of the next round, from 1; `None`: that was the last one.
    pub fn begin_next(&mut self) -> Option<u64> {
        if self.done > 0 {
            self.longest = self.longest.max(self.round_began.elapsed());
        }
        if self.done == self.count {
            return None;
        }
        if self.limit.is_some_and(|limit| self.began.elapsed() + self.longest > limit) {
            println!("the time is up after {} rounds of {}", self.done, self.count);
            return None;
        }
        self.round_began = Instant::now();
        self.done += 1;
        Some(self.done)
    }

    /// What a round has its moments and values from.
    pub fn seed_of(&self, round: u64) -> u64 {
        self.seed.wrapping_add(round)
    }

    /// Rounds that have begun.
    pub fn done(&self) -> u64 {
        self.done
    }

    /// Prints how the round was, and how far the run is.
    pub fn report(&self, text: &str) {
        let (round, all) = (self.round_began.elapsed().as_secs_f64(), self.began.elapsed().as_secs());
        println!(
            "round {} of {}: {text}; well after {round:.1} s, {} min {} s in all",
            self.done,
            self.count,
            all / 60,
            all % 60
        );
    }
}

/// A variable, or this.
pub fn number(name: &str, default: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name} is not a number: {text}")),
        Err(_) => default,
    }
}
