//! `vitals alerts rules`, `rule`, `enable`, `disable`: what raises alerts.

use std::process::ExitCode;

use anyhow::bail;
use jiff::tz::TimeZone;
use serde_json::Value;

use super::show::{columns, local};
use super::{Actor, account, json_line};
use crate::command::text::{aligned, escape_control, print};
use crate::config::Settings;
use crate::model::{AlertKind, AlertRule};
use crate::store::Store;
use crate::store::alert_rule::{self, ChangeOutcome, Filter};

/// Options of `rules`.
#[derive(Debug, clap::Args)]
pub struct ListOptions {
    /// Of this tenant; 0: those for everybody
    #[arg(long, value_name = "ID")]
    customer: Option<i64>,
    /// Of this kind: threshold, composite, event, silence; several times: any of them
    #[arg(long, value_name = "KIND")]
    kind: Vec<AlertKind>,
    /// Only those that are switched on (true), or off (false)
    #[arg(long, value_name = "BOOL")]
    enabled: Option<bool>,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
}

/// Options of `rule`.
#[derive(Debug, clap::Args)]
pub struct ShowOptions {
    /// Number, as `rules` tells it
    #[arg(value_name = "ID")]
    id: i64,
    /// One JSON object a version, newest first
    #[arg(long)]
    json: bool,
}

/// Options of `enable` and `disable`.
#[derive(Debug, clap::Args)]
pub struct SwitchOptions {
    /// Numbers, as `rules` tells them
    #[arg(value_name = "ID", required = true)]
    ids: Vec<i64>,
    #[command(flatten)]
    actor: Actor,
}

pub(super) async fn list(options: &ListOptions, store: &Store) -> anyhow::Result<ExitCode> {
    let filter = Filter {
        ids: None,
        customer_id: options.customer,
        kinds: (!options.kind.is_empty()).then(|| options.kind.clone()),
        enabled: options.enabled,
    };
    let rules = alert_rule::list(store, &filter).await?;
    print(&if options.json { rules.iter().map(json_line).collect() } else { table(&rules) })?;
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn show(
    options: &ShowOptions,
    settings: &Settings,
    store: &Store,
) -> anyhow::Result<ExitCode> {
    let versions = alert_rule::versions(store, options.id).await?;
    if versions.is_empty() {
        bail!("there is no rule {}", options.id);
    }
    if options.json {
        print(&versions.iter().map(json_line).collect::<String>())?;
        return Ok(ExitCode::SUCCESS);
    }
    let zone = settings.device_zone();
    let mut text = String::new();
    if let Some(rule) = alert_rule::read(store, options.id).await? {
        text = format!(
            "rule {}: {}\n{}",
            rule.rule_id,
            escape_control(&rule.name),
            columns(&rule, &["rule_id", "name"], &zone)
        );
    } else {
        text.push_str(&format!("rule {} is deleted\n", options.id));
    }
    text.push_str(&format!("\nversions\n{}", history(&versions, &zone)));
    print(&text)?;
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn switch(options: &SwitchOptions, on: bool, store: &Store) -> anyhow::Result<ExitCode> {
    let actor = options.actor.name()?;
    let mut refused = Vec::new();
    for id in &options.ids {
        match alert_rule::set_enabled(store, *id, on, Some(&actor)).await? {
            ChangeOutcome::Done(rule) => {
                let state = if on { "on" } else { "off" };
                print(&format!("rule {id} is {state} (version {})\n", rule.version))?;
            }
            ChangeOutcome::NotFound => refused.push(format!("there is no rule {id}")),
            ChangeOutcome::Invalid(reason) | ChangeOutcome::Conflict(reason) => refused.push(reason),
        }
    }
    Ok(account(options.ids.len() - refused.len(), &refused))
}

fn table(rules: &[AlertRule]) -> String {
    if rules.is_empty() {
        return "no rules match\n".to_owned();
    }
    let mut lines = vec![["id", "on", "severity", "tenant", "version", "when", "name"].map(str::to_owned)];
    lines.extend(rules.iter().map(|rule| {
        let tenant = rule.customer_id.map_or_else(|| "-".to_owned(), |id| id.to_string());
        [
            rule.rule_id.to_string(),
            if rule.enabled { "yes" } else { "no" }.to_owned(),
            rule.severity.name().to_owned(),
            tenant,
            rule.version.to_string(),
            when(rule),
            escape_control(&rule.name),
        ]
    }));
    aligned(&lines)
}

/// When it raises an alert, in a few words.
fn when(rule: &AlertRule) -> String {
    let value = serde_json::to_value(rule).unwrap_or_default();
    let bounds = |of: &Value, metric: &str, min: &str, max: &str| {
        let bound = |name: &str, sign| (!of[name].is_null()).then(|| format!("{sign} {}", of[name]));
        let bounds: Vec<String> = [bound(min, "<"), bound(max, ">")].into_iter().flatten().collect();
        format!("{} {}", of[metric].as_str().unwrap_or("?"), bounds.join(" or "))
    };
    match rule.kind {
        AlertKind::Threshold => bounds(&value, "metric", "min_value", "max_value"),
        AlertKind::Composite => {
            let conditions = value["conditions"].as_array().into_iter().flatten();
            let each: Vec<String> = conditions.map(|one| bounds(one, "metric", "min", "max")).collect();
            format!("{}: {}", value["combine"].as_str().unwrap_or("?"), each.join("; "))
        }
        AlertKind::Event => {
            let of = rule.event_values.as_ref().map(|values| format!(" {}", values.join(" or ")));
            escape_control(&format!(
                "{}{}",
                rule.event_type.as_deref().unwrap_or("?"),
                of.unwrap_or_default()
            ))
        }
        AlertKind::Silence => format!("{} s silent", rule.silent_seconds.unwrap_or(0)),
    }
}

/// What each version changed of the one before it.
fn history(versions: &[AlertRule], zone: &TimeZone) -> String {
    let mut text = String::new();
    for (place, version) in versions.iter().enumerate() {
        let at = local(version.changed_at, zone);
        text.push_str(&format!("  {}  {at} by {}", version.version, escape_control(&version.changed_by)));
        if let Some(before) = versions.get(place + 1) {
            text.push_str(&format!(": {}", escape_control(&difference(before, version).join(", "))));
        }
        text.push('\n');
    }
    text
}

fn difference(before: &AlertRule, after: &AlertRule) -> Vec<String> {
    let (before, after) = (before.columns(), after.columns());
    let columns = after.as_object().into_iter().flatten();
    columns
        .filter(|(name, _)| !matches!(name.as_str(), "version" | "changed_at" | "changed_by"))
        .filter(|(name, now)| before[name.as_str()] != **now)
        .map(|(name, now)| format!("{name} {} → {now}", before[name.as_str()]))
        .collect()
}
