//! `vitals rejected`: lists, shows, replays and drops rejects, which could not be stored; and lists unknown names.
//!
//! Before: an operator. After: `store::rejected_upload`, and for a replay `wire` and `ingest::replay`.
//! Promise: works with and without a running service, and disturbs none; only `replay` and `drop` change anything.

mod drop;
mod filter;
mod replay;
mod text;
mod unknown;

use std::process::ExitCode;

use anyhow::bail;

use crate::app;
use crate::command::text::print;
use crate::config::Settings;
use crate::model::NameKind;
use crate::store::{Store, rejected_upload};
use filter::{FilterOptions, Selection};

/// Options of `vitals rejected`.
#[derive(Debug, clap::Args)]
pub struct Options {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// List rejects, newest first
    List(List),
    /// Show rejects with all their data, including the original text
    Show(Show),
    /// Replay rejects: store those that can be stored now, once; the others stay, with their new reason
    Replay(Replay),
    /// Delete rejects permanently
    Drop(Drop),
    /// List unknown names of fields, the most frequent first: misspelled, or of a newer firmware
    Names(UnknownOptions),
    /// List types of events that neither `event_type` nor a rule names: such an event is kept, and nobody is alerted
    Events(UnknownOptions),
}

#[derive(Debug, clap::Args)]
struct UnknownOptions {
    /// Most that are listed
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct List {
    #[command(flatten)]
    filter: FilterOptions,
    /// Most that are listed
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    /// One JSON object a line, with the original text
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct Show {
    /// Ids, as `list` shows them
    #[arg(value_name = "ID", required = true)]
    ids: Vec<i64>,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct Replay {
    #[command(flatten)]
    selection: Selection,
    /// Print the result as a JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("named").required(true).multiple(true)
    .args(["ids", "device", "reason", "source", "from", "to", "all"]))]
struct Drop {
    #[command(flatten)]
    selection: Selection,
    /// All rejects, if no other option selects some
    #[arg(long)]
    all: bool,
    /// Do not ask for confirmation
    #[arg(long)]
    yes: bool,
}

/// Runs the action.
///
/// # Errors
/// The database is away or not migrated, an id does not exist, or a deletion was not confirmed.
pub async fn run(options: Options, settings: &Settings) -> anyhow::Result<ExitCode> {
    let store = Store::new(settings)?;
    app::check_schema(&store).await?;
    match options.action {
        Action::List(list) => self::list(&list, settings, &store).await,
        Action::Show(show) => self::show(&show, settings, &store).await,
        Action::Replay(replay) => replay::run(&replay.selection, replay.json, settings, &store).await,
        Action::Drop(drop) => drop::run(&drop.selection, drop.yes, settings, &store).await,
        Action::Names(options) => unknown::list(&unknown::FIELDS, &options, &store).await,
        Action::Events(options) => unknown::list(&[NameKind::EventType], &options, &store).await,
    }
}

async fn list(list: &List, settings: &Settings, store: &Store) -> anyhow::Result<ExitCode> {
    let filter = list.filter.filter(&settings.device_zone())?;
    let rejects = rejected_upload::list(store, &filter, list.limit.into()).await?;
    if list.json {
        print(&rejects.iter().map(text::json).collect::<String>())?;
        return Ok(ExitCode::SUCCESS);
    }
    let total = rejected_upload::measure(store, &filter).await?.rejects;
    print(&text::table(&rejects, total))?;
    Ok(ExitCode::SUCCESS)
}

async fn show(show: &Show, settings: &Settings, store: &Store) -> anyhow::Result<ExitCode> {
    let filter = rejected_upload::Filter::of_ids(show.ids.clone());
    let limit = i64::try_from(show.ids.len())?;
    let mut rejects = rejected_upload::list(store, &filter, limit).await?;
    rejects.sort_by_key(|reject| show.ids.iter().position(|id| *id == reject.id));
    let zone = settings.device_zone();
    let texts = rejects
        .iter()
        .map(|reject| if show.json { text::json(reject) } else { text::details(reject, &zone) });
    print(&texts.collect::<String>())?;
    let missing: Vec<String> = show
        .ids
        .iter()
        .filter(|id| !rejects.iter().any(|reject| reject.id == **id))
        .map(ToString::to_string)
        .collect();
    if !missing.is_empty() {
        bail!("there is no reject {}", missing.join(", "));
    }
    Ok(ExitCode::SUCCESS)
}
