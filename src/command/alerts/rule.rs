//! `vitals alerts rules`, `rule`, `enable`, `disable`.

use std::process::ExitCode;

use anyhow::bail;
use serde_json::Value;

use super::show::columns;
use super::{Actor, finish, header, json_line, print_text, severity};
use crate::command::text::{aligned, escape_control, print};
use crate::language::{Locale, Text, text};
use crate::model::{AlertKind, AlertRule};
use crate::store::Store;
use crate::store::alert_rule::{self, ChangeOutcome, Filter};

/// Options of `rules`.
#[derive(Debug, clap::Args)]
pub struct ListOptions {
    /// Of this tenant; 0: rules for everybody
    #[arg(long, value_name = "ID")]
    customer: Option<i64>,
    /// Of this organisation unit
    #[arg(long, value_name = "ID")]
    unit: Option<i64>,
    /// Of this wearer
    #[arg(long, value_name = "ID")]
    user: Option<i64>,
    /// Of this device (serial)
    #[arg(long, value_name = "SERIAL")]
    device: Option<String>,
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
    /// Number, as `rules` shows it
    #[arg(value_name = "ID")]
    id: i64,
    /// One JSON object a version, newest first
    #[arg(long)]
    json: bool,
}

/// Options of `enable` and `disable`.
#[derive(Debug, clap::Args)]
pub struct SwitchOptions {
    /// Numbers, as `rules` shows them
    #[arg(value_name = "ID", required = true)]
    ids: Vec<i64>,
    #[command(flatten)]
    actor: Actor,
}

pub(super) async fn list(options: &ListOptions, locale: &Locale, store: &Store) -> anyhow::Result<ExitCode> {
    let filter = Filter {
        ids: None,
        customer_id: options.customer,
        org_id: options.unit,
        user_id: options.user,
        device_sn: options.device.clone(),
        kinds: (!options.kind.is_empty()).then(|| options.kind.clone()),
        enabled: options.enabled,
        concerns: None,
    };
    let rules = alert_rule::list(store, &filter).await?;
    if rules.is_empty() && !options.json {
        print_text(locale, &text!("rules-none"))?;
        return Ok(ExitCode::SUCCESS);
    }
    print(&if options.json { rules.iter().map(json_line).collect() } else { table(&rules, locale) })?;
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn show(options: &ShowOptions, locale: &Locale, store: &Store) -> anyhow::Result<ExitCode> {
    let versions = alert_rule::versions(store, options.id).await?;
    if versions.is_empty() {
        bail!(locale.text(&rule_not_found(options.id)));
    }
    if options.json {
        print(&versions.iter().map(json_line).collect::<String>())?;
        return Ok(ExitCode::SUCCESS);
    }
    let id = options.id.to_string();
    match alert_rule::read(store, options.id).await? {
        Some(rule) => {
            print_text(locale, &text!("rule-heading", id = id, name = escape_control(&rule.name)))?;
            print(&columns(&rule, &["rule_id", "name"], locale))?;
        }
        None => print_text(locale, &text!("rule-deleted", id = id))?,
    }
    print(&format!("\n{}\n{}", locale.text(&text!("rule-versions")), history(&versions, locale)))?;
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn switch(
    options: &SwitchOptions,
    on: bool,
    locale: &Locale,
    store: &Store,
) -> anyhow::Result<ExitCode> {
    let actor = options.actor.name()?;
    let mut refused = Vec::new();
    for id in &options.ids {
        match alert_rule::set_enabled(store, *id, on, Some(&actor)).await? {
            ChangeOutcome::Done(rule) => {
                let state = if on { "on" } else { "off" };
                let version = rule.version.to_string();
                print_text(
                    locale,
                    &text!("rule-switched", id = id.to_string(), state = state, version = version),
                )?;
            }
            ChangeOutcome::NotFound => refused.push(rule_not_found(*id)),
            ChangeOutcome::Invalid(reason) | ChangeOutcome::Conflict(reason) => refused.push(reason),
        }
    }
    Ok(finish(locale, options.ids.len() - refused.len(), &refused))
}

pub(super) fn rule_not_found(id: i64) -> Text {
    text!("rule-absent", id = id.to_string())
}

fn table(rules: &[AlertRule], locale: &Locale) -> String {
    let mut lines = vec![header(locale, ["id", "on", "severity", "scope", "version", "when", "name"])];
    lines.extend(rules.iter().map(|rule| {
        [
            rule.rule_id.to_string(),
            locale.text(&text!("yes-or-no", answer = if rule.enabled { "yes" } else { "no" })),
            severity(locale, rule.severity.name()),
            scope(rule, locale),
            rule.version.to_string(),
            when(rule, locale),
            escape_control(&rule.name),
        ]
    }));
    aligned(&lines)
}

/// For whom it is; a dash for everybody.
fn scope(rule: &AlertRule, locale: &Locale) -> String {
    let ids = [("tenant", rule.customer_id), ("unit", rule.org_id), ("person", rule.user_id)];
    let numbered = ids.into_iter().find_map(|(kind, id)| id.map(|id| (kind, id.to_string())));
    let device = rule.device_sn.as_deref().map(|serial| ("device", escape_control(serial)));
    numbered.or(device).map_or_else(
        || "-".to_owned(),
        |(kind, id)| format!("{} {id}", locale.text(&text!("column", name = kind))),
    )
}

/// When it raises an alert, in short.
fn when(rule: &AlertRule, locale: &Locale) -> String {
    let or = locale.text(&text!("or"));
    let value = serde_json::to_value(rule).unwrap_or_default();
    let bounds = |of: &Value, metric: &str, min: &str, max: &str| {
        let bound = |name: &str, sign| (!of[name].is_null()).then(|| format!("{sign} {}", of[name]));
        let bounds: Vec<String> = [bound(min, "<"), bound(max, ">")].into_iter().flatten().collect();
        format!("{} {}", of[metric].as_str().unwrap_or_default(), bounds.join(&format!(" {or} ")))
    };
    match rule.kind {
        AlertKind::Threshold => {
            let levels = value["levels"].as_array().into_iter().flatten();
            let graver = levels.map(|level| {
                let name = severity(locale, level["severity"].as_str().unwrap_or("?"));
                format!("; {name}{}", bounds(level, "", "min", "max"))
            });
            bounds(&value, "metric", "min_value", "max_value") + &graver.collect::<String>()
        }
        AlertKind::Composite => {
            let conditions = value["conditions"].as_array().into_iter().flatten();
            let each: Vec<String> = conditions.map(|one| bounds(one, "metric", "min", "max")).collect();
            format!("{}: {}", value["combine"].as_str().unwrap_or("?"), each.join("; "))
        }
        AlertKind::Event => {
            let of = rule.event_values.as_ref().map(|values| format!(" {}", values.join(&format!(" {or} "))));
            escape_control(&format!(
                "{}{}",
                rule.event_type.as_deref().unwrap_or("?"),
                of.unwrap_or_default()
            ))
        }
        AlertKind::Silence => {
            locale.text(&text!("rule-silence", seconds = i64::from(rule.silent_seconds.unwrap_or(0))))
        }
    }
}

/// The differences of each version from the one before it.
fn history(versions: &[AlertRule], locale: &Locale) -> String {
    let mut text = String::new();
    for (place, version) in versions.iter().enumerate() {
        let at = locale.time(version.changed_at);
        let by = escape_control(&version.changed_by);
        let number = version.version.to_string();
        let line = match versions.get(place + 1) {
            Some(before) => {
                let changes = escape_control(&difference(before, version).join(", "));
                text!("rule-version", version = number, at = at, by = by, changes = changes)
            }
            None => text!("rule-first-version", version = number, at = at, by = by),
        };
        text.push_str(&format!("  {}\n", locale.text(&line)));
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
