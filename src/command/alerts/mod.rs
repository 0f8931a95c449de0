//! `vitals alerts`: alerts, and what people do about them; rules, silences, what could not be delivered.
//!
//! Before: care staff and operators. After: `store::alert` and its kin: the same tables and functions as over HTTP.
//! Promise: no service has to run; a change is in force when the command ends.

mod dead_letters;
mod list;
mod replay;
mod rule;
mod show;
mod silence;
mod step;

use std::process::ExitCode;

use crate::app;
use crate::command::actor::Actor;
use crate::config::Settings;
use crate::store::Store;

/// What to do.
#[derive(Debug, clap::Subcommand)]
pub enum Action {
    /// List alerts, newest first
    List(list::Options),
    /// Show alerts with everything known of them: what happened, who was told
    Show(show::Options),
    /// Take alerts on
    Acknowledge(step::Options),
    /// End alerts; until their rule has cooled down it does not judge the device
    Resolve(step::Options),
    /// Say something about an alert, open or not
    Note(step::NoteOptions),
    /// For a while, tell nobody of alerts that match all that is named
    Silence(silence::Options),
    /// List silences, those that end last first
    Silences(silence::ListOptions),
    /// End silences now
    EndSilence(silence::EndOptions),
    /// List rules
    Rules(rule::ListOptions),
    /// Show a rule: all its columns, and what was changed when by whom
    Rule(rule::ShowOptions),
    /// Switch rules on
    Enable(rule::SwitchOptions),
    /// Switch rules off, and resolve their open alerts
    Disable(rule::SwitchOptions),
    /// What could not be delivered
    #[command(subcommand)]
    DeadLetters(dead_letters::Action),
    /// What would a rule have done? Runs it over stored history and changes nothing
    ReplayRule(replay::Options),
}

/// Some of what was asked was done, the rest was refused.
const IN_PART: u8 = 3;

/// Does what was asked.
///
/// # Errors
/// The database is away or not migrated, or nothing of what was asked could be done.
pub async fn run(action: Action, settings: &Settings) -> anyhow::Result<ExitCode> {
    let store = Store::new(settings)?;
    app::check_schema(&store).await?;
    let store = &store;
    match action {
        Action::List(options) => list::run(&options, settings, store).await,
        Action::Show(options) => show::run(&options, settings, store).await,
        Action::Acknowledge(options) => step::acknowledge(&options, store).await,
        Action::Resolve(options) => step::resolve(&options, store).await,
        Action::Note(options) => step::note(&options, store).await,
        Action::Silence(options) => silence::add(options, settings, store).await,
        Action::Silences(options) => silence::list(&options, settings, store).await,
        Action::EndSilence(options) => silence::end(&options, store).await,
        Action::Rules(options) => rule::list(&options, store).await,
        Action::Rule(options) => rule::show(&options, settings, store).await,
        Action::Enable(options) => rule::switch(&options, true, store).await,
        Action::Disable(options) => rule::switch(&options, false, store).await,
        Action::DeadLetters(action) => dead_letters::run(&action, store).await,
        Action::ReplayRule(options) => replay::run(options, settings, store).await,
    }
}

/// Tells what was refused, and ends with the code that says how much was.
fn account(done: usize, refused: &[String]) -> ExitCode {
    for reason in refused {
        eprintln!("vitals: {reason}");
    }
    match (done, refused.len()) {
        (_, 0) => ExitCode::SUCCESS,
        (0, _) => ExitCode::FAILURE,
        _ => ExitCode::from(IN_PART),
    }
}

/// A line of JSON.
fn json_line(value: &impl serde::Serialize) -> String {
    let text = serde_json::to_string(value).expect("it has text for keys");
    text + "\n"
}
