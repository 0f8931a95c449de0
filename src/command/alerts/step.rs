//! `vitals alerts acknowledge`, `resolve`, `note`: what a person does about alerts.

use std::process::ExitCode;

use super::{Actor, account};
use crate::command::text::print;
use crate::store::alert::{self, ActionOutcome};
use crate::store::{Store, StoreError};

/// Options of `acknowledge` and `resolve`.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Numbers, as `list` tells them
    #[arg(value_name = "ID", required = true)]
    ids: Vec<i64>,
    /// What you say, or why
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    #[command(flatten)]
    actor: Actor,
}

/// Options of `note`.
#[derive(Debug, clap::Args)]
pub struct NoteOptions {
    /// Number, as `list` tells it
    #[arg(value_name = "ID")]
    id: i64,
    /// What you say
    #[arg(value_name = "TEXT")]
    text: String,
    #[command(flatten)]
    actor: Actor,
}

pub(super) async fn acknowledge(options: &Options, store: &Store) -> anyhow::Result<ExitCode> {
    let actor = options.actor.name()?;
    each(&options.ids, "acknowledged", async |id| {
        alert::acknowledge(store, id, &actor, options.note.as_deref()).await
    })
    .await
}

pub(super) async fn resolve(options: &Options, store: &Store) -> anyhow::Result<ExitCode> {
    let actor = options.actor.name()?;
    each(&options.ids, "resolved", async |id| {
        alert::resolve(store, id, &actor, options.note.as_deref()).await
    })
    .await
}

pub(super) async fn note(options: &NoteOptions, store: &Store) -> anyhow::Result<ExitCode> {
    let actor = options.actor.name()?;
    each(&[options.id], "noted", async |id| alert::note(store, id, &actor, &options.text).await).await
}

/// One after the other: one that is refused does not stop its neighbours.
async fn each(
    ids: &[i64],
    done: &str,
    step: impl AsyncFn(i64) -> Result<ActionOutcome, StoreError>,
) -> anyhow::Result<ExitCode> {
    let mut refused = Vec::new();
    for id in ids {
        match step(*id).await? {
            ActionOutcome::Done => print(&format!("alert {id} {done}\n"))?,
            ActionOutcome::NotFound => refused.push(format!("there is no alert {id}")),
            ActionOutcome::Conflict(reason) => refused.push(reason),
        }
    }
    Ok(account(ids.len() - refused.len(), &refused))
}
