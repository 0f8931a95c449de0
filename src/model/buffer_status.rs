//! How the buffer is, and what comparing shadow uploads has found.
//!
//! Before: `buffer` measures and compares. After: `monitor` and `http` show it.

use std::time::Duration;

use serde::Serialize;
use utoipa::ToSchema;

/// How the buffer is, as last measured.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BufferStatus {
    /// Why it takes no uploads; `None`: it takes them.
    pub refusal: Option<String>,
    /// Uploads in all streams.
    pub uploads: u64,
    /// Memory they take.
    pub bytes: u64,
    /// Memory they may take.
    pub max_bytes: u64,
    /// How long the oldest has waited.
    pub oldest: Duration,
    /// What was compared; `None`: nothing yet, and the settings want no comparison.
    pub shadow: Option<ShadowCounts>,
}

impl BufferStatus {
    /// How full it is, 0 to 1.
    #[expect(clippy::cast_precision_loss, reason = "a share")]
    pub fn used(&self) -> f64 {
        if self.max_bytes == 0 { 0.0 } else { self.bytes as f64 / self.max_bytes as f64 }
    }
}

/// Records of shadow uploads, as the buffer would have stored them, compared with what PostgreSQL has
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct ShadowCounts {
    /// Stored, with the values that the buffer has
    pub same: u64,
    /// No row has the key of the record
    pub missing: u64,
    /// The row has another value where the record has one
    pub different: u64,
    /// The record would be rejected, and no such reject is kept
    pub not_rejected: u64,
    /// Uploads that could not be read from the buffer
    pub unreadable: u64,
}

impl ShadowCounts {
    /// The names of the figures, in metrics and in Redis.
    pub const NAMES: [&str; 5] = ["same", "missing", "different", "not_rejected", "unreadable"];

    /// The figures, in the order of [`Self::NAMES`].
    pub const fn figures(&self) -> [u64; 5] {
        [self.same, self.missing, self.different, self.not_rejected, self.unreadable]
    }

    /// Those of figures in the order of [`Self::NAMES`].
    pub const fn of([same, missing, different, not_rejected, unreadable]: [u64; 5]) -> Self {
        Self { same, missing, different, not_rejected, unreadable }
    }

    /// Both together.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self {
            same: self.same + other.same,
            missing: self.missing + other.missing,
            different: self.different + other.different,
            not_rejected: self.not_rejected + other.not_rejected,
            unreadable: self.unreadable + other.unreadable,
        }
    }

    /// How many are not the same.
    pub const fn differences(&self) -> u64 {
        self.missing + self.different + self.not_rejected + self.unreadable
    }

    /// How many were compared.
    pub const fn compared(&self) -> u64 {
        self.same + self.differences()
    }

    /// For a person; `None`: there is no difference.
    pub fn finding(&self) -> Option<String> {
        let figures = Self::NAMES.into_iter().zip(self.figures()).skip(1).filter(|(_, count)| *count > 0);
        let kinds: Vec<String> = figures.map(|(name, count)| format!("{name} {count}")).collect();
        (!kinds.is_empty()).then(|| {
            format!(
                "{} of {} compared records differ: {}",
                self.differences(),
                self.compared(),
                kinds.join(", ")
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_their_names_and_only_differences_are_a_finding() {
        let counts = ShadowCounts::of([1, 2, 3, 4, 5]);
        assert_eq!(counts.figures(), [1, 2, 3, 4, 5]);
        assert_eq!((counts.differences(), counts.compared()), (14, 15));
        assert_eq!(ShadowCounts::of([9, 0, 0, 0, 0]).finding(), None);
        let finding = counts.plus(ShadowCounts::of([1, 0, 0, 0, 0])).finding();
        let expected =
            "14 of 16 compared records differ: missing 2, different 3, not_rejected 4, unreadable 5";
        assert_eq!(finding.as_deref(), Some(expected));
    }
}
