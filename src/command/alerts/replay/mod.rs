//! `vitals alerts replay-rule`: what would a rule have done?
//!
//! Before: a rule that is stored, a changed one, or one from a file. After: `store::alert_replay`, device by device, and the
//! `summary`.
//! Promise: nothing is changed. Ctrl-C ends it after the current page and prints the result so far.

mod summary;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail};
use jiff::Timestamp;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::draft;
use crate::command::interrupt::until_interrupted;
use crate::command::progress::Progress;
use crate::command::text::print;
use crate::command::time_option;
use crate::language::{Locale, text};
use crate::store::alert_replay::ReplayDevices;
use crate::store::{Store, alert_replay, alert_rule};
use summary::{ReplayOptions, ReplaySummary};

/// Devices evaluated in one transaction: enough to hide the round trip, few enough to show progress.
const PAGE: i64 = 300;

/// What a shell expects of a command that was interrupted.
const INTERRUPTED: u8 = 130;

/// Options of `replay-rule`.
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("rule").required(true).args(["id", "file"]))]
pub struct Options {
    /// A stored rule, as `rules` shows it
    #[arg(value_name = "RULE_ID")]
    id: Option<i64>,
    /// A rule that is not stored: its columns as TOML, or as JSON (*.json)
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// With another value of this column: min_value=85, effective_days=[6,7], max_value=null; several times
    #[arg(long, value_name = "COLUMN=VALUE")]
    set: Vec<String>,
    /// Since: an age (7d, 12h) or a time (2026-01-31, "2026-01-31 08:00", in the device time zone; RFC 3339)
    #[arg(long, visible_alias = "since", value_name = "TIME", default_value = "7d")]
    from: String,
    /// Until: as --from; without it, until now
    #[arg(long, value_name = "TIME")]
    to: Option<String>,
    /// Only this device (serial); several times: any of them
    #[arg(long, value_name = "SERIAL")]
    device: Vec<String>,
    /// Only samples of this tenant
    #[arg(long, value_name = "ID")]
    customer: Option<i64>,
    /// The result as a JSON object
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(options: Options, locale: &Locale, store: &Store) -> anyhow::Result<ExitCode> {
    let now = Timestamp::now().to_zoned(locale.zone.clone());
    let from = time_option::parse(Some(&options.from), "--from", &now)?.unwrap_or(now.timestamp());
    let to = time_option::parse(options.to.as_deref(), "--to", &now)?.unwrap_or(now.timestamp());
    if from >= to {
        bail!(locale.text(&text!("replay-range")));
    }
    let columns = draft::columns(options.id, options.file.as_deref(), &options.set, locale, store).await?;
    let (rule, refusal) =
        alert_rule::try_out(store, &columns).await.with_context(|| locale.text(&text!("replay-rule")))?;
    if let Some(reason) = refusal {
        bail!(locale.text(&text!("rule-impossible", reason = reason)));
    }
    let rule = of_tenant(rule, options.customer, locale)?;
    let serials = (!options.device.is_empty()).then_some(options.device.as_slice());
    let devices = ReplayDevices { serials, ..ReplayDevices::default() };
    let there_are = alert_replay::measure(store, serials).await?;
    let mut run = Run {
        store,
        rule: &rule,
        rule_id: options.id,
        customer_id: options.customer,
        devices,
        from,
        to,
        summary: ReplaySummary::new(locale.zone.clone()),
        progress: Progress::new("replaying", there_are),
    };
    let stop = CancellationToken::new();
    let ended = until_interrupted(&stop, run.pages(&stop)).await;
    run.progress.end();
    let ran =
        ReplayOptions { rule: &rule, set: &options.set, is_kept: options.id.is_some(), from, to, locale };
    print(&if options.json { run.summary.json(&ran) } else { run.summary.text(&ran) })?;
    ended.with_context(|| locale.text(&text!("replay-broke-off")))?;
    Ok(if stop.is_cancelled() { ExitCode::from(INTERRUPTED) } else { ExitCode::SUCCESS })
}

/// As if the rule were for this tenant only.
fn of_tenant(mut rule: Value, customer: Option<i64>, locale: &Locale) -> anyhow::Result<Value> {
    // What is switched off is tried out all the same.
    rule["enabled"] = true.into();
    let Some(customer) = customer else { return Ok(rule) };
    let own = rule["customer_id"].as_i64();
    if ["org_id", "user_id", "device_sn"].iter().any(|scope| !rule[*scope].is_null()) {
        bail!(locale.text(&text!("rule-other-scope")));
    }
    if own.is_some_and(|own| own != customer) {
        let id = own.unwrap_or_default().to_string();
        bail!(locale.text(&text!("rule-of-tenant", id = id)));
    }
    rule["customer_id"] = customer.into();
    Ok(rule)
}

struct Run<'a> {
    store: &'a Store,
    rule: &'a Value,
    rule_id: Option<i64>,
    customer_id: Option<i64>,
    devices: ReplayDevices<'a>,
    from: Timestamp,
    to: Timestamp,
    summary: ReplaySummary,
    progress: Progress,
}

impl Run<'_> {
    async fn pages(&mut self, stop: &CancellationToken) -> anyhow::Result<()> {
        let mut after = String::new();
        while !stop.is_cancelled() {
            let page = alert_replay::devices(self.store, self.devices, &after, PAGE).await?;
            let Some(last) = page.last() else { break };
            after.clone_from(last);
            let (from, to) = (self.from, self.to);
            let replayed = alert_replay::replay(self.store, self.rule, &page, from, to).await?;
            let stored = match self.rule_id {
                Some(rule_id) => {
                    alert_replay::stored(self.store, rule_id, &page, from, to, self.customer_id).await?
                }
                None => Vec::new(),
            };
            self.summary.add(page.len(), &replayed, &stored);
            if replayed.iter().any(|episode| !episode.historical) {
                let notified = alert_replay::notifications(self.store, self.rule, &page, from, to).await?;
                self.summary.add_notifications(notified);
            }
            self.progress.advance(page.len() as u64);
        }
        Ok(())
    }
}
