//! `vitals alerts silence`, `silences`, `end-silence`.

use std::process::ExitCode;

use anyhow::{Context, bail};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

use super::show::local;
use super::{Actor, account, json_line};
use crate::command::text::{aligned, confirm, escape_control, print};
use crate::command::time_option;
use crate::config::Settings;
use crate::model::{AlertSilence, Id64, SilenceDraft};
use crate::store::Store;
use crate::store::alert_silence::{self, SilenceOutcome};

/// Options of `silence`.
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("what").required(true).multiple(true).args(["device", "rule", "customer", "org"]))]
#[command(group = clap::ArgGroup::new("until_when").required(true).args(["for_", "until"]))]
pub struct Options {
    /// Of this device (serial)
    #[arg(long, value_name = "SERIAL")]
    device: Option<String>,
    /// Of this rule
    #[arg(long, value_name = "ID")]
    rule: Option<i64>,
    /// Of this tenant
    #[arg(long, value_name = "ID")]
    customer: Option<i64>,
    /// Of this organisation unit and its sub-units
    #[arg(long, value_name = "ID")]
    org: Option<i64>,
    /// For so long: 2h, 90m, 3d
    #[arg(long = "for", value_name = "TIME")]
    for_: Option<String>,
    /// Until then: a time (2026-01-31, "2026-01-31 08:00", in the device time zone; RFC 3339)
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// Why
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    /// Do not ask, though nobody knows the device, unit or tenant
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    actor: Actor,
}

/// Options of `silences`.
#[derive(Debug, clap::Args)]
pub struct ListOptions {
    /// Those that are over, too
    #[arg(long)]
    all: bool,
    /// Most that are listed
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
}

/// Options of `end-silence`.
#[derive(Debug, clap::Args)]
pub struct EndOptions {
    /// Numbers, as `silences` tells them
    #[arg(value_name = "ID", required = true)]
    ids: Vec<i64>,
}

pub(super) async fn add(options: Options, settings: &Settings, store: &Store) -> anyhow::Result<ExitCode> {
    let now = Timestamp::now().to_zoned(settings.device_zone());
    let ends_at = match &options.for_ {
        Some(text) => {
            let span: Span = text.parse().context("--for is no time such as 2h")?;
            Some(now.checked_add(span)?.timestamp())
        }
        None => time_option::parse(options.until.as_deref(), "--until", &now)?,
    };
    let draft = SilenceDraft {
        customer_id: options.customer.map(Id64),
        org_id: options.org.map(Id64),
        device_sn: options.device,
        rule_id: options.rule.map(Id64),
        starts_at: None,
        ends_at,
        for_seconds: None,
        actor: options.actor.name()?,
        note: options.note,
    };
    if let Some(reason) = draft.refusal() {
        bail!("{reason}");
    }
    let unknown = alert_silence::unknown(store, &draft).await?;
    if !unknown.is_empty() {
        eprintln!("vitals: nobody knows {}: is it spelled right?", escape_control(&unknown.join(", ")));
        if !options.yes && !confirm("Keep the silence all the same? [y/N] ")? {
            eprintln!("vitals: no silence was kept");
            return Ok(ExitCode::FAILURE);
        }
    }
    match alert_silence::add(store, &draft).await? {
        SilenceOutcome::Created(silence) => {
            let until = local(silence.ends_at, &settings.device_zone());
            print(&format!("silence {}: {} until {until}\n", silence.silence_id, what(&silence)))?;
            Ok(ExitCode::SUCCESS)
        }
        SilenceOutcome::Invalid(reason) => bail!("{reason}"),
    }
}

pub(super) async fn list(
    options: &ListOptions,
    settings: &Settings,
    store: &Store,
) -> anyhow::Result<ExitCode> {
    let silences = alert_silence::list(store, options.all, options.limit.into()).await?;
    let text = if options.json {
        silences.iter().map(json_line).collect()
    } else {
        table(&silences, &settings.device_zone())
    };
    print(&text)?;
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn end(options: &EndOptions, store: &Store) -> anyhow::Result<ExitCode> {
    let mut refused = Vec::new();
    for id in &options.ids {
        match alert_silence::stop(store, *id).await? {
            true => print(&format!("silence {id} is over\n"))?,
            false => refused.push(format!("there is no silence {id}")),
        }
    }
    Ok(account(options.ids.len() - refused.len(), &refused))
}

fn table(silences: &[AlertSilence], zone: &TimeZone) -> String {
    if silences.is_empty() {
        return "no silence is in force or to come\n".to_owned();
    }
    let mut lines = vec![["id", "what", "from", "until", "by", "note"].map(str::to_owned)];
    lines.extend(silences.iter().map(|silence| {
        [
            silence.silence_id.to_string(),
            what(silence),
            local(silence.starts_at, zone),
            local(silence.ends_at, zone),
            escape_control(&silence.actor),
            escape_control(silence.note.as_deref().unwrap_or("-")),
        ]
    }));
    aligned(&lines)
}

fn what(silence: &AlertSilence) -> String {
    let named = [
        ("device", silence.device_sn.as_deref().map(escape_control)),
        ("rule", silence.rule_id.map(|id| id.to_string())),
        ("unit", silence.org_id.map(|id| id.to_string())),
        ("tenant", silence.customer_id.map(|id| id.to_string())),
    ];
    let named = named.into_iter().filter_map(|(name, value)| Some(format!("{name} {}", value?)));
    named.collect::<Vec<_>>().join(", ")
}
