//! Where an upload goes first. Pure.

use std::time::Duration;

use crate::config::BufferMode;

/// Where an upload goes first. If it fails there, it goes to the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Destination {
    /// To PostgreSQL, and after so long to the buffer too. `None`: to PostgreSQL alone, because the buffer takes nothing.
    Database(Option<Duration>),
    /// To the buffer.
    Buffer,
}

/// What is known when an upload comes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Situation {
    /// The buffer takes uploads.
    pub(super) is_usable: bool,
    /// PostgreSQL committed when it was last tried.
    pub(super) can_commit: bool,
    /// Uploads of its devices wait in the buffer, as far as is known.
    pub(super) is_behind: bool,
    /// It has an urgent event, whose rules are to be evaluated at once.
    pub(super) is_urgent: bool,
}

/// Where an upload goes first in this situation.
pub(super) fn first(mode: BufferMode, after: Duration, situation: Situation) -> Destination {
    let Situation { is_usable, can_commit, is_behind, is_urgent } = situation;
    let database_first = match mode {
        BufferMode::Off => return Destination::Database(None),
        BufferMode::Outage => true,
        BufferMode::Always => is_urgent,
    };
    match database_first && can_commit && !is_behind {
        _ if !is_usable => Destination::Database(None),
        true => Destination::Database(Some(after)),
        false => Destination::Buffer,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AFTER: Duration = Duration::from_secs(1);

    fn of(mode: BufferMode, is_usable: bool, can_commit: bool, is_behind: bool) -> Destination {
        first(mode, AFTER, Situation { is_usable, can_commit, is_behind, is_urgent: false })
    }

    #[test]
    fn an_urgent_event_goes_to_the_database_first_while_that_commits() {
        for mode in [BufferMode::Outage, BufferMode::Always] {
            let urgent = |is_usable, can_commit, is_behind| {
                first(mode, AFTER, Situation { is_usable, can_commit, is_behind, is_urgent: true })
            };
            assert_eq!(urgent(true, true, false), Destination::Database(Some(AFTER)));
            assert_eq!(urgent(true, false, false), Destination::Buffer);
            assert_eq!(urgent(true, true, true), Destination::Buffer);
            assert_eq!(urgent(false, true, false), Destination::Database(None));
        }
    }

    #[test]
    fn in_an_outage_uploads_go_to_the_buffer_until_those_of_their_devices_are_drained() {
        use BufferMode::Outage;
        assert_eq!(of(Outage, true, true, false), Destination::Database(Some(AFTER)));
        assert_eq!(of(Outage, true, false, false), Destination::Buffer, "without waiting for a commit");
        assert_eq!(of(Outage, true, true, true), Destination::Buffer, "behind those that came before");
    }

    #[test]
    fn every_upload_goes_to_a_buffer_that_is_always_used() {
        assert_eq!(of(BufferMode::Always, true, true, false), Destination::Buffer);
        assert_eq!(of(BufferMode::Always, true, false, true), Destination::Buffer);
    }

    #[test]
    fn a_buffer_that_takes_nothing_shortens_no_wait_for_the_database() {
        for mode in [BufferMode::Outage, BufferMode::Always] {
            assert_eq!(of(mode, false, false, true), Destination::Database(None));
        }
    }
}
