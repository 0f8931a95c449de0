//! `vitals alerts acknowledge`, `resolve`, `note`: what a person does about alerts.

use std::process::ExitCode;

use super::{Actor, finish, print_text};
use crate::language::{Locale, text};
use crate::store::alert::{self, Acting, ActionOutcome};
use crate::store::{Store, StoreError};

/// Options of `acknowledge` and `resolve`.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Numbers, as `list` shows them
    #[arg(value_name = "ID", required = true)]
    ids: Vec<i64>,
    /// A note, or why
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    #[command(flatten)]
    actor: Actor,
}

/// Options of `note`.
#[derive(Debug, clap::Args)]
pub struct NoteOptions {
    /// Number, as `list` shows it
    #[arg(value_name = "ID")]
    id: i64,
    /// The note
    #[arg(value_name = "TEXT")]
    text: String,
    #[command(flatten)]
    actor: Actor,
}

pub(super) async fn acknowledge(
    options: &Options,
    locale: &Locale,
    store: &Store,
) -> anyhow::Result<ExitCode> {
    let actor = Acting::from(options.actor.name()?.as_str());
    act_on_each(locale, &options.ids, "acknowledged", async |id| {
        alert::acknowledge(store, id, &actor, options.note.as_deref()).await
    })
    .await
}

pub(super) async fn resolve(options: &Options, locale: &Locale, store: &Store) -> anyhow::Result<ExitCode> {
    let actor = Acting::from(options.actor.name()?.as_str());
    act_on_each(locale, &options.ids, "resolved", async |id| {
        alert::resolve(store, id, &actor, options.note.as_deref()).await
    })
    .await
}

pub(super) async fn note(options: &NoteOptions, locale: &Locale, store: &Store) -> anyhow::Result<ExitCode> {
    let actor = Acting::from(options.actor.name()?.as_str());
    act_on_each(locale, &[options.id], "noted", async |id| {
        alert::note(store, id, &actor, &options.text).await
    })
    .await
}

/// One after the other: a refusal does not stop the others.
async fn act_on_each(
    locale: &Locale,
    ids: &[i64],
    done: &str,
    step: impl AsyncFn(i64) -> Result<ActionOutcome, StoreError>,
) -> anyhow::Result<ExitCode> {
    let mut refused = Vec::new();
    for id in ids {
        match step(*id).await? {
            ActionOutcome::Done => {
                print_text(locale, &text!("alert-done", id = id.to_string(), action = done))?
            }
            ActionOutcome::NotFound => refused.push(text!("alert-absent", id = id.to_string())),
            ActionOutcome::Conflict(reason) => refused.push(reason),
        }
    }
    Ok(finish(locale, ids.len() - refused.len(), &refused))
}
