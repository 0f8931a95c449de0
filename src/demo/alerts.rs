//! The alerts of a demo: how many were raised, what the newest say, and what Redis shows of one that is open.
//!
//! Before: `account`. After: standard output.
//! Promise: read from where a user would read it.

use jiff::Timestamp;

use super::table::{Table, print_line, title};
use crate::cache;
use crate::command::text::print;
use crate::config::Settings;
use crate::model::AlertStatus;
use crate::store::Store;
use crate::store::alert::{self, Filter};

/// Newest alerts shown.
const SHOWN: i64 = 5;

/// Prints what was raised since then.
///
/// # Errors
/// PostgreSQL or Redis cannot be asked.
pub(super) async fn show(settings: &Settings, store: &Store, since: Timestamp) -> anyhow::Result<()> {
    print_line!("{}", title("Alerts: hearts that raced during the live uploads"));
    let filter = Filter { from: Some(since), ..Filter::default() };
    let tallies = alert::summary(store, &filter).await?;
    if tallies.is_empty() {
        print_line!("  none was raised");
        return Ok(());
    }
    let counts: Vec<String> = tallies
        .iter()
        .map(|tally| format!("{} {} {}", tally.alerts, tally.severity.name(), tally.status.name()))
        .collect();
    print_line!("  {}", counts.join(", "));
    let newest = alert::list(store, &filter, None, SHOWN).await?;
    let mut table = Table::new(&["newest", "breaches", "status"]);
    for alert in &newest {
        table.row(vec![
            alert.message.clone(),
            alert.breach_count.to_string(),
            alert.status.name().to_owned(),
        ]);
    }
    print(&table.to_string())?;
    let Some(open) = newest.iter().find(|alert| alert.status != AlertStatus::Resolved) else {
        return Ok(());
    };
    let shown = cache::overview::alerts(settings, &open.device_sn).await?;
    print_line!("  Redis  alert_info:{}  shows {} open", open.device_sn, shown.len());
    Ok(())
}
