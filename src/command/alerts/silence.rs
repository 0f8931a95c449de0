//! `vitals alerts silence`, `silences`, `end-silence`.

use std::process::ExitCode;

use anyhow::{Context, bail};
use jiff::{Span, Timestamp};

use super::{Actor, each, header, json_line, or_dash, print_text, warn};
use crate::command::text::{aligned, confirm, escape_control, print};
use crate::command::time_option;
use crate::language::{Locale, text};
use crate::model::{AlertSilence, Id64, SilenceDraft};
use crate::store::Store;
use crate::store::alert::{Acting, Reach};
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
    /// For this long: 2h, 90m, 3d
    #[arg(long = "for", value_name = "TIME")]
    for_: Option<String>,
    /// Until this time (2026-01-31, "2026-01-31 08:00", in the device time zone; RFC 3339)
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// Why
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    /// Do not ask, even if the device, unit or tenant is unknown
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    actor: Actor,
}

/// Options of `silences`.
#[derive(Debug, clap::Args)]
pub struct ListOptions {
    /// Also silences that are over
    #[arg(long)]
    all: bool,
    /// How many at most
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
}

/// Options of `end-silence`.
#[derive(Debug, clap::Args)]
pub struct EndOptions {
    /// Numbers, as `silences` shows them
    #[arg(value_name = "ID", required = true)]
    ids: Vec<i64>,
}

pub(super) async fn add(options: Options, locale: &Locale, store: &Store) -> anyhow::Result<ExitCode> {
    let now = Timestamp::now().to_zoned(locale.zone.clone());
    let ends_at = match &options.for_ {
        Some(text) => {
            let span: Span = text.parse().with_context(|| locale.text(&text!("silence-no-duration")))?;
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
        actor: None,
        note: options.note,
    };
    let acting = Acting::from(options.actor.name()?.as_str());
    if let Some(reason) = draft.refusal() {
        bail!(locale.text(&reason));
    }
    let unknown = alert_silence::unknown(store, &draft).await?;
    if !unknown.is_empty() {
        warn(locale, &text!("silence-of-unknown", names = escape_control(&unknown.join(", "))));
        if !options.yes && !confirm(&(locale.text(&text!("silence-question")) + " [y/N] "))? {
            warn(locale, &text!("silence-not-kept"));
            return Ok(ExitCode::FAILURE);
        }
    }
    match alert_silence::add(store, &draft, &acting).await? {
        SilenceOutcome::Created(silence) => {
            let (id, until) = (silence.silence_id.to_string(), locale.time(silence.ends_at));
            print_text(
                locale,
                &text!("silence-kept", id = id, what = matched(&silence, locale), until = until),
            )?;
            Ok(ExitCode::SUCCESS)
        }
        SilenceOutcome::Invalid(reason) => bail!(locale.text(&reason)),
    }
}

pub(super) async fn list(options: &ListOptions, locale: &Locale, store: &Store) -> anyhow::Result<ExitCode> {
    let silences = alert_silence::list(store, Reach::default(), options.all, options.limit.into()).await?;
    if silences.is_empty() && !options.json {
        print_text(locale, &text!("silences-none"))?;
        return Ok(ExitCode::SUCCESS);
    }
    print(&if options.json { silences.iter().map(json_line).collect() } else { table(&silences, locale) })?;
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn end(options: &EndOptions, locale: &Locale, store: &Store) -> anyhow::Result<ExitCode> {
    let end = |id| alert_silence::stop(store, Reach::default(), id);
    let over = |id| text!("silence-over", id = id);
    each(&options.ids, locale, end, over, |id| text!("silence-absent", id = id)).await
}

fn table(silences: &[AlertSilence], locale: &Locale) -> String {
    let mut lines = vec![header(locale, ["id", "what", "from", "until", "by", "note"])];
    lines.extend(silences.iter().map(|silence| {
        [
            silence.silence_id.to_string(),
            matched(silence, locale),
            locale.time(silence.starts_at),
            locale.time(silence.ends_at),
            escape_control(&silence.actor),
            or_dash(silence.note.as_deref()),
        ]
    }));
    aligned(&lines)
}

fn matched(silence: &AlertSilence, locale: &Locale) -> String {
    let named = [
        ("device", silence.device_sn.as_deref().map(escape_control)),
        ("rule", silence.rule_id.map(|id| id.to_string())),
        ("unit", silence.org_id.map(|id| id.to_string())),
        ("tenant", silence.customer_id.map(|id| id.to_string())),
    ];
    let named = named.into_iter().filter_map(|(name, value)| {
        Some(format!("{} {}", locale.text(&text!("column", name = name)), value?))
    });
    named.collect::<Vec<_>>().join(", ")
}
