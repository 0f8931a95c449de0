//! The account of a demo of a cluster: what was answered 200, and what the table and the alerts hold of it.
//!
//! Before: the uploads have ended. After: standard output, and a failure if something acknowledged is missing, or anything is there
//! twice.
//! Promise: it waits for a cluster that is still looking for a primary, and for reactions that are not finished.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Context, bail};
use jiff::{SignedDuration, Timestamp};
use tokio::time::{Instant, sleep};
use vitals_fleet::{Report, UploadLog};

use crate::command::text::{grouped, print};
use crate::demo::table::{Table, print_line, title, verdict};
use crate::store::overview::{self, AlertCounts};
use crate::store::{Store, StoreError};

/// How long the cluster may take to answer, and the relay to react.
const ANSWERS_WITHIN: Duration = Duration::from_secs(60);
const DRAINED_WITHIN: Duration = Duration::from_secs(60);
const CHECK_EVERY: Duration = Duration::from_millis(250);
/// The first samples are older than the first upload by less than this.
const OLDEST_SAMPLE: SignedDuration = SignedDuration::from_mins(10);

/// What was uploaded.
pub(super) struct Uploaded<'a> {
    pub(super) fleet: &'a vitals_fleet::Options,
    pub(super) upload_log: &'a UploadLog,
    pub(super) live: &'a Report,
    /// When the uploads began.
    pub(super) since: Timestamp,
}

/// What was found of it.
struct Findings {
    acknowledged: u64,
    stored: u64,
    missing: u64,
    doubled: u64,
    alerts: AlertCounts,
    /// Transactions that were not reacted to.
    waiting: u64,
}

/// Prints it.
///
/// # Errors
/// Something cannot be read, or the account does not hold.
pub(super) async fn show(store: &Store, uploaded: &Uploaded<'_>) -> anyhow::Result<()> {
    let findings = find(store, uploaded).await?;
    print_line!("{}", title("Account"));
    print(&findings.table().to_string())?;
    show_uploads(uploaded)?;
    let broken = findings.broken();
    if !broken.is_empty() {
        bail!("the account does not hold: {}", broken.join("; "));
    }
    Ok(())
}

async fn find(store: &Store, uploaded: &Uploaded<'_>) -> anyhow::Result<Findings> {
    let serials = serials(uploaded.fleet);
    let (first, last) = (&serials[0], &serials[serials.len() - 1]);
    let waiting = drained(store).await?.unsigned_abs();
    let rows = read(|| overview::records(store, first, last)).await?;
    let alerts = read(|| overview::alerts(store, &serials, uploaded.since - OLDEST_SAMPLE)).await?;
    let stored: BTreeSet<(String, Timestamp)> = rows.iter().cloned().collect();
    let acknowledged = uploaded.upload_log.records();
    Ok(Findings {
        acknowledged: acknowledged.len() as u64,
        stored: stored.len() as u64,
        missing: acknowledged.difference(&stored).count() as u64,
        doubled: (rows.len() - stored.len()) as u64,
        alerts,
        waiting,
    })
}

impl Findings {
    fn table(&self) -> Table {
        let figure = |count: u64| verdict(count == 0, &grouped(count), &grouped(count));
        let count = |count: i64| count.unsigned_abs();
        let mut table = Table::new(&["", "", "", "missing", "doubled"]);
        table.row(vec![
            "records".to_owned(),
            format!("{} acknowledged", grouped(self.acknowledged)),
            format!("{} in the table", grouped(self.stored)),
            figure(self.missing),
            figure(self.doubled),
        ]);
        table.row(vec![
            "alerts".to_owned(),
            format!("{} raised", grouped(count(self.alerts.raised))),
            format!("{} follow from the table", grouped(count(self.alerts.expected))),
            figure(count(self.alerts.missing)),
            figure(count(self.alerts.unexpected)),
        ]);
        table
    }

    /// What should not be.
    fn broken(&self) -> Vec<String> {
        let (missing, unexpected) =
            (self.alerts.missing.unsigned_abs(), self.alerts.unexpected.unsigned_abs());
        let mut broken: Vec<String> = [
            ("acknowledged records that are missing", self.missing),
            ("records that are stored twice", self.doubled),
            ("alerts that are missing", missing),
            ("alerts that were raised twice, or follow from no row", unexpected),
            ("transactions without a reaction", self.waiting),
        ]
        .into_iter()
        .filter(|(_, count)| *count > 0)
        .map(|(what, count)| format!("{what}: {}", grouped(count)))
        .collect();
        if self.acknowledged == 0 {
            broken.push("no upload was acknowledged".to_owned());
        }
        broken
    }
}

/// All serials of the fleet, in order.
fn serials(fleet: &vitals_fleet::Options) -> Vec<String> {
    let first = fleet.first_serial.unwrap_or_default();
    (0..u64::from(fleet.devices)).map(|number| vitals_fleet::serial(first + number)).collect()
}

fn show_uploads(uploaded: &Uploaded<'_>) -> anyhow::Result<()> {
    let (accepted, repeated) = (uploaded.upload_log.uploads() as u64, uploaded.upload_log.resent());
    print_line!(
        "  {} uploads were answered 200, {} of them had to be sent again",
        grouped(accepted),
        grouped(repeated)
    );
    let Some(live) = &uploaded.live.live else { return Ok(()) };
    let errors = live.counts.errors.iter().map(|(kind, count)| format!("{kind}: {}", grouped(*count)));
    let mut answers = vec![format!("503: {}", grouped(live.counts.refused))];
    answers.extend(errors);
    print_line!("  other answers, and none: {}", answers.join(", "));
    Ok(())
}

/// Waits until everything committed was reacted to; gives how many transactions were not.
async fn drained(store: &Store) -> anyhow::Result<i64> {
    let deadline = Instant::now() + DRAINED_WITHIN;
    loop {
        let waiting = read(|| overview::waiting(store)).await?;
        if waiting == 0 || Instant::now() > deadline {
            return Ok(waiting);
        }
        sleep(CHECK_EVERY).await;
    }
}

/// Reads, as soon as there is a primary.
async fn read<T, F: Future<Output = Result<T, StoreError>>>(query: impl Fn() -> F) -> anyhow::Result<T> {
    let deadline = Instant::now() + ANSWERS_WITHIN;
    loop {
        match query().await {
            Ok(found) => return Ok(found),
            Err(error) if Instant::now() > deadline => return Err(error).context("the database"),
            Err(_) => sleep(CHECK_EVERY).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_holds_only_if_nothing_is_missing_or_doubled() {
        let alerts = AlertCounts { raised: 2, expected: 2, missing: 0, unexpected: 0 };
        let whole = || Findings { acknowledged: 9, stored: 10, missing: 0, doubled: 0, alerts, waiting: 0 };
        assert!(whole().broken().is_empty(), "a record whose answer was lost may be there");
        assert_eq!(Findings { missing: 1, ..whole() }.broken(), ["acknowledged records that are missing: 1"]);
        assert_eq!(Findings { doubled: 1, ..whole() }.broken(), ["records that are stored twice: 1"]);
        assert_eq!(Findings { acknowledged: 0, ..whole() }.broken(), ["no upload was acknowledged"]);
        let alerts = AlertCounts { raised: 3, expected: 3, missing: 1, unexpected: 1 };
        assert_eq!(Findings { alerts, ..whole() }.broken().len(), 2);
    }

    #[test]
    fn the_serials_of_a_fleet_follow_one_another() {
        let fleet =
            vitals_fleet::Options { devices: 3, first_serial: Some(9), ..vitals_fleet::Options::default() };
        assert_eq!(serials(&fleet), ["SIM0000000000009", "SIM0000000000010", "SIM0000000000011"]);
    }
}
