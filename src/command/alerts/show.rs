//! `vitals alerts show`: everything about alerts.

use std::process::ExitCode;

use jiff::Timestamp;
use serde_json::Value;

use super::{finish, json_line, or_dash};
use crate::command::text::{aligned, escape_control, print};
use crate::language::{Locale, text};
use crate::model::{AlertDetail, AlertNotification};
use crate::store::{Store, alert};

/// Options of `show`.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Numbers, as `list` shows them
    #[arg(value_name = "ID", required = true)]
    ids: Vec<i64>,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(options: &Options, locale: &Locale, store: &Store) -> anyhow::Result<ExitCode> {
    let mut missing = Vec::new();
    for id in &options.ids {
        match alert::read(store, *id).await? {
            Some(detail) if options.json => print(&json_line(&detail))?,
            Some(detail) => print(&alert_text(detail, locale))?,
            None => missing.push(text!("alert-absent", id = id.to_string())),
        }
    }
    Ok(finish(locale, options.ids.len() - missing.len(), &missing))
}

/// Its columns that are not null, what happened, who was notified.
fn alert_text(detail: AlertDetail, locale: &Locale) -> String {
    let alert = &detail.alert.in_language(locale.language);
    let id = alert.alert_id.to_string();
    let heading = text!("alert-heading", id = id, message = escape_control(&alert.message));
    let mut text = locale.text(&heading) + "\n";
    text.push_str(&columns(alert, &["alert_id", "message"], locale));
    if !detail.actions.is_empty() {
        let lines: Vec<[String; 4]> = detail
            .actions
            .iter()
            .map(|action| {
                let note = action.note_text().map(|note| locale.text(&note));
                [
                    locale.time(action.acted_at),
                    locale.text(&text!("alert-action", action = action.action.as_str())),
                    or_dash(action.actor.as_deref()),
                    or_dash(note.as_deref()),
                ]
            })
            .collect();
        text.push_str(&format!("\n{}\n{}", locale.text(&text!("alert-actions")), indented(&aligned(&lines))));
    }
    if !detail.notifications.is_empty() {
        let lines: Vec<[String; 6]> =
            detail.notifications.iter().map(|each| notification(each, locale)).collect();
        let heading = locale.text(&text!("alert-notifications"));
        text.push_str(&format!("\n{heading}\n{}", indented(&aligned(&lines))));
    }
    text.push('\n');
    text
}

fn notification(notification: &AlertNotification, locale: &Locale) -> [String; 6] {
    let (status, at) = match notification.sent_at {
        Some(sent_at) => ("sent", sent_at),
        None => (notification.status.as_str(), notification.due_at),
    };
    [
        locale.text(&text!("alert-action", action = notification.kind.as_str())),
        notification.channel.clone(),
        escape_control(&notification.address),
        or_dash(notification.contact.as_deref()),
        locale.text(&text!("notification-status", status = status, at = locale.time(at))),
        escape_control(notification.error.as_deref().unwrap_or_default()),
    ]
}

/// The columns of a row that are not null, each with its value.
pub(super) fn columns(row: &impl serde::Serialize, but: &[&str], locale: &Locale) -> String {
    let value = serde_json::to_value(row).unwrap_or_default();
    let row_columns = value.as_object().into_iter().flatten();
    let lines: Vec<[String; 2]> = row_columns
        .filter(|(name, value)| !value.is_null() && !but.contains(&name.as_str()))
        .map(|(name, value)| [name.clone(), cell(name, value, locale)])
        .collect();
    indented(&aligned(&lines))
}

fn cell(name: &str, value: &Value, locale: &Locale) -> String {
    let is_time = name.ends_with("_ts") || name.ends_with("_at") || name == "muted_until";
    match value {
        Value::String(text) => match text.parse::<Timestamp>() {
            Ok(instant) if is_time => locale.time(instant),
            _ => escape_control(text),
        },
        other => escape_control(&other.to_string()),
    }
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {line}\n")).collect()
}
