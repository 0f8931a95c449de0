//! `vitals alerts add-rule`, `change-rule`, `delete-rule`.
//!
//! Before: a person, with a file or columns. After: `store::alert_rule`, as over HTTP; the next batch is evaluated by the rule as it is
//! stored.
//! Promise: an impossible rule is refused with the reason, and nothing is changed.

use std::path::PathBuf;
use std::process::ExitCode;

use super::rule::rule_not_found;
use super::{Actor, draft, finish, print_text};
use crate::language::{Locale, text};
use crate::store::Store;
use crate::store::alert_rule::{self, ChangeOutcome, Removal};

/// Options of `add-rule`.
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("rule").required(true).multiple(true).args(["file", "set"]))]
pub struct AddOptions {
    /// Its columns as TOML, or as JSON (*.json)
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// A column: name=Fever, max_value=38.5, user_id=42, levels=[{"severity":"major","max":40}]; several times
    #[arg(long, value_name = "COLUMN=VALUE")]
    set: Vec<String>,
    #[command(flatten)]
    actor: Actor,
}

/// Options of `change-rule`.
#[derive(Debug, clap::Args)]
pub struct ChangeOptions {
    /// Number, as `rules` shows it
    #[arg(value_name = "ID")]
    id: i64,
    /// Another value of a column: min_value=85, levels=[{"severity":"critical","min":80}], max_value=null; several times
    #[arg(long, value_name = "COLUMN=VALUE", required = true)]
    set: Vec<String>,
    #[command(flatten)]
    actor: Actor,
}

/// Options of `delete-rule`.
#[derive(Debug, clap::Args)]
pub struct DeleteOptions {
    /// Number, as `rules` shows it
    #[arg(value_name = "ID")]
    id: i64,
}

pub(super) async fn add(options: &AddOptions, locale: &Locale, store: &Store) -> anyhow::Result<ExitCode> {
    let draft = draft::read(None, options.file.as_deref(), &options.set, locale, store).await?;
    let outcome = alert_rule::add(store, &draft, Some(&options.actor.name()?)).await?;
    stored(0, outcome, locale)
}

pub(super) async fn change(
    options: &ChangeOptions,
    locale: &Locale,
    store: &Store,
) -> anyhow::Result<ExitCode> {
    let draft = draft::read(Some(options.id), None, &options.set, locale, store).await?;
    let outcome = alert_rule::replace(store, options.id, &draft, None, Some(&options.actor.name()?)).await?;
    stored(options.id, outcome, locale)
}

pub(super) async fn delete(
    options: &DeleteOptions,
    locale: &Locale,
    store: &Store,
) -> anyhow::Result<ExitCode> {
    let id = options.id.to_string();
    let refusal = match alert_rule::remove(store, options.id).await? {
        Removal::Done => {
            print_text(locale, &text!("rule-deleted", id = id))?;
            return Ok(ExitCode::SUCCESS);
        }
        Removal::NotFound => rule_not_found(options.id),
        Removal::HasAlerts => text!("rule-has-alerts", id = id),
        Removal::IsReplaced => text!("rule-is-replaced", id = id),
    };
    Ok(finish(locale, 0, &[refusal]))
}

fn stored(id: i64, outcome: ChangeOutcome, locale: &Locale) -> anyhow::Result<ExitCode> {
    let refusal = match outcome {
        ChangeOutcome::Done(rule) => {
            let (id, version) = (rule.rule_id.0.to_string(), rule.version.to_string());
            print_text(locale, &text!("rule-stored", id = id, version = version))?;
            return Ok(ExitCode::SUCCESS);
        }
        ChangeOutcome::NotFound => rule_not_found(id),
        ChangeOutcome::Invalid(reason) | ChangeOutcome::Conflict(reason) => reason,
    };
    Ok(finish(locale, 0, &[refusal]))
}
