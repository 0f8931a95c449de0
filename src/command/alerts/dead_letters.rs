//! `vitals alerts dead-letters`: what could not be delivered, and having it tried again where its contact is reached now.

use std::process::ExitCode;

use jiff::Timestamp;
use serde_json::json;

use super::json_line;
use crate::command::text::{age, aligned, escape_control, grouped, print};
use crate::store::Store;
use crate::store::notification::{self, DeadLetter};

/// What to do with them.
#[derive(Debug, clap::Subcommand)]
pub enum Action {
    /// List what could not be delivered, oldest first
    List(List),
    /// Have it tried again, from the first attempt on, at the address its contact has now
    Resend(Resend),
}

/// Options of `list`.
#[derive(Debug, clap::Args)]
pub struct List {
    /// Those with larger numbers
    #[arg(long, value_name = "ID", default_value_t = 0)]
    after: i64,
    /// Most that are listed
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
}

/// Options of `resend`.
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("which").required(true).args(["ids", "all"]))]
pub struct Resend {
    /// Numbers, as `list` tells them
    #[arg(value_name = "ID")]
    ids: Vec<i64>,
    /// All there are
    #[arg(long)]
    all: bool,
}

pub(super) async fn run(action: &Action, store: &Store) -> anyhow::Result<ExitCode> {
    match action {
        Action::List(list) => {
            let letters = notification::dead_letters(store, list.after, list.limit).await?;
            print(&if list.json { letters.iter().map(as_json).collect() } else { table(&letters) })?;
            Ok(ExitCode::SUCCESS)
        }
        Action::Resend(resend) => {
            let ids = (!resend.all).then_some(resend.ids.as_slice());
            let resent = notification::resend(store, ids).await?;
            let elsewhere = match resent.moved {
                0 => String::new(),
                moved => format!(", {} of them at another address", grouped(moved as u64)),
            };
            print(&format!("{} will be tried again{elsewhere}\n", grouped(resent.tried_again as u64)))?;
            for (id, reason) in &resent.refused {
                eprintln!("vitals: {id} is not: {}", escape_control(reason));
            }
            let found = resent.tried_again + resent.refused.len();
            if !resend.all && found < resend.ids.len() {
                eprintln!("vitals: the others are no dead letters");
            }
            let all_are = resent.refused.is_empty() && (resend.all || found == resend.ids.len());
            Ok(match (all_are, found) {
                (true, _) => ExitCode::SUCCESS,
                (false, 0) => ExitCode::FAILURE,
                (false, _) => ExitCode::from(super::IN_PART),
            })
        }
    }
}

fn table(letters: &[DeadLetter]) -> String {
    if letters.is_empty() {
        return "no dead letters\n".to_owned();
    }
    let now = Timestamp::now();
    let mut lines = vec![
        ["id", "age", "alert", "device", "what", "channel", "to", "attempts", "error"].map(str::to_owned),
    ];
    lines.extend(letters.iter().map(|letter| {
        [
            letter.notification_id.to_string(),
            age(now.duration_since(letter.created_at)),
            letter.alert_id.to_string(),
            escape_control(&letter.device_sn),
            letter.kind.clone(),
            letter.channel.clone(),
            escape_control(letter.contact.as_deref().unwrap_or(&letter.address)),
            letter.attempts.to_string(),
            escape_control(letter.error.as_deref().unwrap_or("-")),
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
