//! `vitals alerts show`: everything known of alerts.

use std::process::ExitCode;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;

use super::{account, json_line};
use crate::command::text::{aligned, escape_control, print};
use crate::config::Settings;
use crate::model::{AlertDetail, AlertNotification};
use crate::store::{Store, alert};

/// Options of `show`.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Numbers, as `list` tells them
    #[arg(value_name = "ID", required = true)]
    ids: Vec<i64>,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(options: &Options, settings: &Settings, store: &Store) -> anyhow::Result<ExitCode> {
    let zone = settings.device_zone();
    let mut missing = Vec::new();
    for id in &options.ids {
        match alert::read(store, *id).await? {
            Some(detail) if options.json => print(&json_line(&detail))?,
            Some(detail) => print(&whole(&detail, &zone))?,
            None => missing.push(format!("there is no alert {id}")),
        }
    }
    Ok(account(options.ids.len() - missing.len(), &missing))
}

/// Its columns that hold something, what happened, who was told.
fn whole(detail: &AlertDetail, zone: &TimeZone) -> String {
    let alert = &detail.alert;
    let mut text = format!("alert {}: {}\n", alert.alert_id, escape_control(&alert.message));
    text.push_str(&columns(alert, &["alert_id", "message"], zone));
    if !detail.actions.is_empty() {
        let lines: Vec<[String; 4]> = detail
            .actions
            .iter()
            .map(|action| {
                let or_dash =
                    |text: &Option<String>| text.as_deref().map_or_else(|| "-".to_owned(), escape_control);
                [
                    local(action.acted_at, zone),
                    action.action.clone(),
                    or_dash(&action.actor),
                    or_dash(&action.note),
                ]
            })
            .collect();
        text.push_str(&format!("\nwhat happened\n{}", indented(&aligned(&lines))));
    }
    if !detail.notifications.is_empty() {
        let lines: Vec<[String; 6]> =
            detail.notifications.iter().map(|told| notification(told, zone)).collect();
        text.push_str(&format!("\nwho was told\n{}", indented(&aligned(&lines))));
    }
    text.push('\n');
    text
}

fn notification(told: &AlertNotification, zone: &TimeZone) -> [String; 6] {
    let state = match told.sent_at {
        Some(sent_at) => format!("sent {}", local(sent_at, zone)),
        None => format!("{} (due {})", told.status, local(told.due_at, zone)),
    };
    [
        told.kind.clone(),
        told.channel.clone(),
        escape_control(&told.address),
        escape_control(told.contact.as_deref().unwrap_or("-")),
        state,
        escape_control(told.error.as_deref().unwrap_or("")),
    ]
}

/// What holds something of a row, by its column; times in `zone`.
pub(super) fn columns(row: &impl serde::Serialize, but: &[&str], zone: &TimeZone) -> String {
    let value = serde_json::to_value(row).unwrap_or_default();
    let said = value.as_object().into_iter().flatten();
    let lines: Vec<[String; 2]> = said
        .filter(|(name, value)| !value.is_null() && !but.contains(&name.as_str()))
        .map(|(name, value)| [name.clone(), shown(name, value, zone)])
        .collect();
    indented(&aligned(&lines))
}

fn shown(name: &str, value: &Value, zone: &TimeZone) -> String {
    let is_time = name.ends_with("_ts") || name.ends_with("_at") || name == "muted_until";
    match value {
        Value::String(text) => match text.parse::<Timestamp>() {
            Ok(instant) if is_time => local(instant, zone),
            _ => escape_control(text),
        },
        other => escape_control(&other.to_string()),
    }
}

/// A time for people.
pub(super) fn local(instant: Timestamp, zone: &TimeZone) -> String {
    instant.to_zoned(zone.clone()).strftime("%F %T").to_string()
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {line}\n")).collect()
}
