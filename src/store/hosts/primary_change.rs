//! Notices that another host accepts writes.
//!
//! Before: `store::hosts` has connected to it. After: `store::clock` and `store::reads` begin anew.

use std::future::pending;

use tokio::sync::watch;

use super::Address;

/// Changes of the host that accepts writes.
#[derive(Debug)]
pub struct PrimaryChange(pub(super) watch::Receiver<Option<Address>>);

impl PrimaryChange {
    /// Ends at the next change; never, where there is only one host.
    pub async fn changed(&mut self) {
        if self.0.changed().await.is_err() {
            pending::<()>().await;
        }
    }
}
