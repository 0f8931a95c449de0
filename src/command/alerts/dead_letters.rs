//! `vitals alerts dead-letters`: lists notifications that could not be delivered, and sends them again.

use std::process::ExitCode;

use jiff::Timestamp;
use serde_json::json;

use super::{duration, header, json_line, or_dash, print_text, warn};
use crate::command::DONE_IN_PART;
use crate::command::text::{aligned, escape_control, print};
use crate::language::{Locale, text};
use crate::store::Store;
use crate::store::notification::{self, DeadLetter};

/// What to do with dead letters.
#[derive(Debug, clap::Subcommand)]
pub enum Action {
    /// List notifications that could not be delivered, oldest first
    List(List),
    /// Send them again, from the first attempt on, to the address that the contact has now
    Resend(ResendOptions),
}

/// Options of `list`.
#[derive(Debug, clap::Args)]
pub struct List {
    /// Only those with larger numbers
    #[arg(long, value_name = "ID", default_value_t = 0)]
    after: i64,
    /// How many at most
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
}

/// Options of `resend`.
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("which").required(true).args(["ids", "all"]))]
pub struct ResendOptions {
    /// Numbers, as `list` shows them
    #[arg(value_name = "ID")]
    ids: Vec<i64>,
    /// All of them
    #[arg(long)]
    all: bool,
}

pub(super) async fn run(action: &Action, locale: &Locale, store: &Store) -> anyhow::Result<ExitCode> {
    match action {
        Action::List(list) => {
            let letters = notification::dead_letters(store, list.after, list.limit).await?;
            if letters.is_empty() && !list.json {
                print_text(locale, &text!("dead-letters-none"))?;
                return Ok(ExitCode::SUCCESS);
            }
            print(&if list.json { letters.iter().map(as_json).collect() } else { table(&letters, locale) })?;
            Ok(ExitCode::SUCCESS)
        }
        Action::Resend(resend) => {
            let ids = (!resend.all).then_some(resend.ids.as_slice());
            let resent = notification::resend(store, ids).await?;
            print_text(locale, &text!("dead-letters-resent", count = resent.retried, moved = resent.moved))?;
            for (id, reason) in &resent.refused {
                let reason = escape_control(reason);
                warn(locale, &text!("dead-letter-refused", id = id.to_string(), reason = reason));
            }
            let found = resent.retried + resent.refused.len();
            if !resend.all && found < resend.ids.len() {
                warn(locale, &text!("dead-letters-others"));
            }
            let all_are = resent.refused.is_empty() && (resend.all || found == resend.ids.len());
            Ok(match (all_are, found) {
                (true, _) => ExitCode::SUCCESS,
                (false, 0) => ExitCode::FAILURE,
                (false, _) => ExitCode::from(DONE_IN_PART),
            })
        }
    }
}

fn table(letters: &[DeadLetter], locale: &Locale) -> String {
    let now = Timestamp::now();
    let names = ["id", "age", "alert", "device", "what", "channel", "to", "attempts", "error"];
    let mut lines = vec![header(locale, names)];
    lines.extend(letters.iter().map(|letter| {
        [
            letter.notification_id.to_string(),
            locale.text(&duration(now.duration_since(letter.created_at))),
            letter.alert_id.to_string(),
            escape_control(&letter.device_sn),
            locale.text(&text!("alert-action", action = letter.kind.as_str())),
            letter.channel.clone(),
            escape_control(letter.contact.as_deref().unwrap_or(&letter.address)),
            letter.attempts.to_string(),
            or_dash(letter.error.as_deref()),
        ]
    }));
    aligned(&lines)
}

fn as_json(letter: &DeadLetter) -> String {
    json_line(&json!({
        "notification_id": letter.notification_id.to_string(),
        "alert_id": letter.alert_id.to_string(),
        "device_sn": letter.device_sn,
        "kind": letter.kind,
        "channel": letter.channel,
        "address": letter.address,
        "contact": letter.contact,
        "created_at": letter.created_at,
        "attempts": letter.attempts,
        "error": letter.error,
    }))
}
