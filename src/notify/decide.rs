//! The outcome of an attempt to send, and how long the address must wait. Pure.
//!
//! Before: a channel made an attempt. After: `notify::sender_loop` records the outcome. Promise: a delivered or refused message is never
//! retried. After a rate limit the loop waits, and the attempt does not count. Any other failure is retried after growing delays, until
//! the message is a dead letter.

use std::time::Duration;

use crate::store::notification::DeliveryOutcome;

/// What a provider answered to a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Attempt {
    /// Accepted.
    Delivered,
    /// Refused for good, with its error.
    Refused(String),
    /// Rate limit, with its error.
    Limited {
        /// What it said.
        reason: String,
        /// For how long, if it named a time.
        wait: Option<Duration>,
    },
    /// Failed this time, with its error.
    Failed {
        /// What it said, or what went wrong on the way.
        reason: String,
        /// When to retry, if it named a time.
        retry_after: Option<Duration>,
    },
}

impl Attempt {
    /// A failure without a time to try again.
    pub(super) fn failed(reason: impl Into<String>) -> Self {
        Self::Failed { reason: reason.into(), retry_after: None }
    }

    /// A limit without a duration.
    pub(super) fn limited(reason: impl Into<String>) -> Self {
        Self::Limited { reason: reason.into(), wait: None }
    }

    /// The error, if it was not accepted.
    pub(super) fn reason(&self) -> Option<&str> {
        match self {
            Self::Delivered => None,
            Self::Refused(reason) | Self::Limited { reason, .. } | Self::Failed { reason, .. } => {
                Some(reason)
            }
        }
    }
}

/// What a channel allows.
#[derive(Debug, Clone, Copy)]
pub(super) struct SendPolicy {
    /// Failed attempts after which a notification is a dead letter.
    pub(super) attempts: u16,
    /// Shortest time between two messages to one address.
    pub(super) interval: Duration,
}

/// After the first failed attempt; four times as long after each further one.
const FIRST_DELAY: Duration = Duration::from_secs(2);
const FACTOR: u32 = 4;

/// What a provider asks for is taken within these bounds.
const SHORTEST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(3600);

/// A limit that does not say how long it holds: providers limit by the minute.
const LIMIT_WAIT: Duration = Duration::from_secs(60);

/// Delays are longer by up to this share, so that attempts which failed together are not retried together.
const JITTER: f64 = 0.25;

/// The outcome, and how long nothing goes to the address. `failed_before`: failed attempts before this one; `jitter`: from 0
/// to 1.
pub(super) fn decide(
    attempt: &Attempt,
    failed_before: u16,
    policy: SendPolicy,
    jitter: f64,
) -> (DeliveryOutcome, Duration) {
    let (outcome, wait) = match attempt {
        Attempt::Delivered => (DeliveryOutcome::Sent, Duration::ZERO),
        Attempt::Refused(_) => (DeliveryOutcome::Dead, Duration::ZERO),
        Attempt::Limited { wait, .. } => {
            (DeliveryOutcome::Limited, with_jitter(requested_wait(*wait, LIMIT_WAIT), jitter))
        }
        Attempt::Failed { retry_after, .. } => {
            let failed = failed_before.saturating_add(1);
            if failed >= policy.attempts {
                (DeliveryOutcome::Dead, Duration::ZERO)
            } else {
                let delay = back_off(failed);
                (DeliveryOutcome::Failed, with_jitter(requested_wait(*retry_after, delay).max(delay), jitter))
            }
        }
    };
    (outcome, wait.max(policy.interval))
}

/// 2 s, 8 s, 32 s … after the first, second, third … failed attempt, an hour at most.
fn back_off(failed: u16) -> Duration {
    let factor = FACTOR.saturating_pow(u32::from(failed.saturating_sub(1)));
    FIRST_DELAY.saturating_mul(factor).min(LONGEST_WAIT)
}

fn requested_wait(wait: Option<Duration>, default: Duration) -> Duration {
    wait.map_or(default, |wait| wait.clamp(SHORTEST_WAIT, LONGEST_WAIT))
}

fn with_jitter(delay: Duration, jitter: f64) -> Duration {
    delay.mul_f64(1.0 + JITTER * jitter.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const POLICY: SendPolicy = SendPolicy { attempts: 5, interval: Duration::ZERO };

    fn failed(retry_after: Option<u64>) -> Attempt {
        Attempt::Failed { reason: String::new(), retry_after: retry_after.map(Duration::from_secs) }
    }

    #[test]
    fn each_failure_waits_four_times_as_long_as_the_one_before() {
        let waits: Vec<u64> =
            (0..4).map(|before| decide(&failed(None), before, POLICY, 0.0).1.as_secs()).collect();
        assert_eq!(waits, [2, 8, 32, 128]);
    }

    #[test]
    fn the_last_attempt_makes_a_dead_letter() {
        assert_eq!(decide(&failed(None), 3, POLICY, 0.5).0, DeliveryOutcome::Failed);
        assert_eq!(decide(&failed(None), 4, POLICY, 0.5).0, DeliveryOutcome::Dead);
        assert_eq!(decide(&failed(None), u16::MAX, POLICY, 0.5).0, DeliveryOutcome::Dead);
    }

    #[test]
    fn what_a_receiver_asks_for_is_kept_within_bounds() {
        for (asked, granted) in [(0, 2), (1, 2), (20, 20), (86_400, 3600)] {
            assert_eq!(decide(&failed(Some(asked)), 0, POLICY, 0.0).1.as_secs(), granted, "{asked}");
        }
        let limited = |wait| Attempt::Limited { reason: String::new(), wait };
        for (asked, granted) in [(None, 60), (Some(0), 1), (Some(30), 30), (Some(86_400), 3600)] {
            let wait = decide(&limited(asked.map(Duration::from_secs)), 0, POLICY, 0.0).1;
            assert_eq!(wait.as_secs(), granted, "{asked:?}");
        }
    }

    #[test]
    fn a_refusal_is_final_and_a_limit_never_is() {
        assert_eq!(decide(&Attempt::Refused(String::new()), 0, POLICY, 0.0).0, DeliveryOutcome::Dead);
        assert_eq!(decide(&Attempt::limited(""), u16::MAX, POLICY, 0.0).0, DeliveryOutcome::Limited);
    }

    proptest! {
        #[test]
        fn a_wait_is_never_shorter_than_the_interval_of_the_channel_nor_much_longer_than_an_hour(
            kind in 0..4, seconds in proptest::option::of(0u64..1_000_000), before: u16, attempts in 1u16..50,
            interval_ms in 0u64..10_000, jitter in -1.0f64..2.0,
        ) {
            let wait = seconds.map(Duration::from_secs);
            let attempt = match kind {
                0 => Attempt::Delivered,
                1 => Attempt::Refused(String::new()),
                2 => Attempt::Limited { reason: String::new(), wait },
                _ => failed(seconds),
            };
            let policy = SendPolicy { attempts, interval: Duration::from_millis(interval_ms) };
            let (outcome, wait) = decide(&attempt, before, policy, jitter);
            prop_assert!(wait >= policy.interval);
            prop_assert!(wait <= Duration::from_secs(4500));
            prop_assert_eq!(outcome == DeliveryOutcome::Sent, attempt == Attempt::Delivered);
            prop_assert_eq!(outcome == DeliveryOutcome::Limited, kind == 2);
        }

        #[test]
        fn jitter_only_makes_a_delay_longer(before in 0u16..4, jitter in 0.0f64..1.0) {
            let plain = decide(&failed(None), before, POLICY, 0.0).1;
            let drawn = decide(&failed(None), before, POLICY, jitter).1;
            prop_assert!(drawn >= plain && drawn <= plain.mul_f64(1.25));
        }
    }
}
