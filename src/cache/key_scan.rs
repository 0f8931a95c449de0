//! A scan over the keys of every master.
//!
//! Before: `alert`, `newest` and `owner`. After: Redis.
//! Promise: a key that is there from the beginning to the end is found, perhaps more than once, unless its slot moves to another
//! master meanwhile.

use std::vec::IntoIter;

use redis::pipe;

use super::master::{self, Master};
use super::view::VIEW_KEY;
use super::{Cache, CacheError};

/// Keys Redis looks at in one step: about a millisecond of its time.
const SCAN_COUNT: u32 = 1000;

/// What is left of a scan.
#[derive(Debug)]
pub struct KeyScan {
    pattern: String,
    /// What keys of the pattern hold.
    kind: &'static str,
    masters: IntoIter<Master>,
    current: Option<(Master, u64)>,
}

impl KeyScan {
    /// Begins a scan over keys of `kind`.
    pub(super) async fn begin(
        cache: &Cache,
        pattern: impl Into<String>,
        kind: &'static str,
    ) -> Result<Self, CacheError> {
        let mut masters = master::all(cache).await?.into_iter();
        let current = masters.next().map(|master| (master, 0));
        Ok(Self { pattern: pattern.into(), kind, masters, current })
    }

    /// The keys of the next step; `None`: that was all.
    pub(super) async fn next(&mut self, cache: &Cache) -> Result<Option<Vec<String>>, CacheError> {
        let Some((master, cursor)) = self.current.take() else { return Ok(None) };
        let mut scan = pipe();
        scan.cmd("EXISTS").arg(master.key(VIEW_KEY));
        scan.cmd("SCAN").arg(cursor).arg("MATCH").arg(&self.pattern).arg("COUNT").arg(SCAN_COUNT);
        scan.arg("TYPE").arg(self.kind);
        let (_, (cursor, keys)): (u64, (u64, Vec<String>)) = cache.send_to(&master, &scan).await?;
        self.current = match cursor {
            0 => self.masters.next().map(|master| (master, 0)),
            cursor => Some((master, cursor)),
        };
        Ok(Some(keys))
    }
}
