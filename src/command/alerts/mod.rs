//! `vitals alerts`: alerts and what people do about them, rules, silences, notifications that could not be delivered.
//!
//! Before: care staff and operators. After: `store::alert` and its neighbours: the same tables and functions as over HTTP.
//! Promise: no service has to run; a change is in force when the command ends; text for people is in their language, JSON is not translated.

mod address;
mod contact;
mod dead_letters;
mod draft;
mod list;
mod replay;
mod route;
mod rule;
mod rule_change;
mod shift;
mod show;
mod silence;
mod step;
mod test_message;

use std::process::ExitCode;

use jiff::SignedDuration;

use crate::app;
use crate::command::DONE_IN_PART;
use crate::command::actor::Actor;
use crate::command::text::{escape_control, print};
use crate::config::{self, Settings};
use crate::language::{Language, Locale, Text, text};
use crate::store::{Store, StoreError};

/// What to do.
#[derive(Debug, clap::Subcommand)]
pub enum Action {
    /// List alerts, newest first
    List(list::Options),
    /// Show everything about alerts: what happened, who was notified
    Show(show::Options),
    /// Acknowledge alerts
    Acknowledge(step::Options),
    /// Resolve alerts; the rule ignores the device until its cooldown is over
    Resolve(step::Options),
    /// Add a note to an alert, open or not
    Note(step::NoteOptions),
    /// Assign alerts to a contact, who is notified
    Assign(step::AssignOptions),
    /// List contacts: who can be notified, be on duty, and have alerts assigned
    Contacts(contact::Options),
    /// Where contacts are reached
    #[command(subcommand)]
    Address(address::Action),
    /// Who is on duty when
    #[command(subcommand)]
    Shift(shift::Action),
    /// Who is notified of which alerts, how often
    #[command(subcommand)]
    Route(route::Action),
    /// Notify nobody, for some time, of alerts that match all the options
    Silence(silence::Options),
    /// List silences, those that end last first
    Silences(silence::ListOptions),
    /// End silences now
    EndSilence(silence::EndOptions),
    /// List rules
    Rules(rule::ListOptions),
    /// Show a rule: all its columns, and who changed what when
    Rule(rule::ShowOptions),
    /// Add a rule
    AddRule(rule_change::AddOptions),
    /// Change columns of a rule
    ChangeRule(rule_change::ChangeOptions),
    /// Delete a rule that never raised an alert
    DeleteRule(rule_change::DeleteOptions),
    /// Switch rules on
    Enable(rule::SwitchOptions),
    /// Switch rules off, and resolve their open alerts
    Disable(rule::SwitchOptions),
    /// Notifications that could not be delivered
    #[command(subcommand)]
    DeadLetters(dead_letters::Action),
    /// Send a test message to a contact or an address, and show what its provider answers
    TestMessage(test_message::Options),
    /// What would a rule have done? Evaluates it over stored history and changes nothing
    ReplayRule(replay::Options),
}

/// Runs the sub-command.
///
/// # Errors
/// The database is away or not migrated, or all of it was refused.
pub async fn run(
    action: Action,
    language: Option<Language>,
    settings: &Settings,
) -> anyhow::Result<ExitCode> {
    let store = Store::new(settings)?;
    app::check_schema(&store).await?;
    let store = &store;
    let language = language.or_else(config::terminal_language).unwrap_or(settings.language);
    let locale = &Locale { language, zone: settings.device_zone() };
    match action {
        Action::List(options) => list::run(&options, locale, store).await,
        Action::Show(options) => show::run(&options, locale, store).await,
        Action::Acknowledge(options) => step::acknowledge(&options, locale, store).await,
        Action::Resolve(options) => step::resolve(&options, locale, store).await,
        Action::Note(options) => step::note(&options, locale, store).await,
        Action::Assign(options) => step::assign(&options, locale, store).await,
        Action::Contacts(options) => contact::list(&options, locale, store).await,
        Action::Address(action) => address::run(action, locale, store).await,
        Action::Shift(action) => shift::run(action, locale, store).await,
        Action::Route(action) => route::run(action, locale, store).await,
        Action::Silence(options) => silence::add(options, locale, store).await,
        Action::Silences(options) => silence::list(&options, locale, store).await,
        Action::EndSilence(options) => silence::end(&options, locale, store).await,
        Action::Rules(options) => rule::list(&options, locale, store).await,
        Action::Rule(options) => rule::show(&options, locale, store).await,
        Action::AddRule(options) => rule_change::add(&options, locale, store).await,
        Action::ChangeRule(options) => rule_change::change(&options, locale, store).await,
        Action::DeleteRule(options) => rule_change::delete(&options, locale, store).await,
        Action::Enable(options) => rule::switch(&options, true, locale, store).await,
        Action::Disable(options) => rule::switch(&options, false, locale, store).await,
        Action::DeadLetters(action) => dead_letters::run(&action, locale, store).await,
        Action::TestMessage(options) => test_message::run(options, locale, store, settings).await,
        Action::ReplayRule(options) => replay::run(options, locale, store).await,
    }
}

/// A text on a line of standard output.
fn print_text(locale: &Locale, text: &Text) -> std::io::Result<()> {
    print(&(locale.text(text) + "\n"))
}

/// A text on a line of standard error.
fn warn(locale: &Locale, text: &Text) {
    eprintln!("vitals: {}", escape_control(&locale.text(text)));
}

/// The names of columns.
fn header<const COLUMNS: usize>(locale: &Locale, names: [&str; COLUMNS]) -> [String; COLUMNS] {
    names.map(|name| locale.text(&text!("column", name = name)))
}

/// How long ago something was, in its largest unit.
fn age(locale: &Locale, since: SignedDuration) -> String {
    locale.text(&text!("age", age = duration(since)))
}

/// A time in its largest unit.
fn duration(length: SignedDuration) -> Text {
    let seconds = length.as_secs().max(0);
    match seconds {
        0..=119 => text!("seconds", seconds = seconds),
        120..=7_199 => text!("minutes", minutes = seconds / 60),
        7_200..=172_799 => text!("hours", hours = seconds / 3_600),
        _ => text!("days", days = seconds / 86_400),
    }
}

fn severity(locale: &Locale, severity: &str) -> String {
    locale.text(&text!("severity", severity = severity))
}

/// What others wrote, or a dash where there is nothing.
fn or_dash(words: Option<&str>) -> String {
    words.map_or_else(|| "-".to_owned(), escape_control)
}

/// Does something with each thing of these numbers; `act` returns false where there is none.
async fn each<Act: Future<Output = Result<bool, StoreError>>>(
    ids: &[i64],
    locale: &Locale,
    act: impl Fn(i64) -> Act,
    done: impl Fn(String) -> Text,
    absent: impl Fn(String) -> Text,
) -> anyhow::Result<ExitCode> {
    let mut refused = Vec::new();
    for id in ids {
        match act(*id).await? {
            true => print_text(locale, &done(id.to_string()))?,
            false => refused.push(absent(id.to_string())),
        }
    }
    Ok(finish(locale, ids.len() - refused.len(), &refused))
}

/// Prints refusals, and gives the exit code.
fn finish(locale: &Locale, done: usize, refused: &[Text]) -> ExitCode {
    for reason in refused {
        warn(locale, reason);
    }
    match (done, refused.len()) {
        (_, 0) => ExitCode::SUCCESS,
        (0, _) => ExitCode::FAILURE,
        _ => ExitCode::from(DONE_IN_PART),
    }
}

/// A line of JSON.
fn json_line(value: &impl serde::Serialize) -> String {
    let text = serde_json::to_string(value).expect("it has text for keys");
    text + "\n"
}
