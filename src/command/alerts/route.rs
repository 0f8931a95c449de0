//! `vitals alerts route`: who is notified of which alerts, how often.

use std::num::ParseIntError;
use std::process::ExitCode;
use std::str::FromStr;

use anyhow::bail;
use serde_json::{Map, Value, json};

use super::{each, header, json_line, or_dash, print_text, severity, warn};
use crate::command::text::{aligned, print};
use crate::language::{Locale, text};
use crate::model::{NotificationRoute, RouteDraft, Severity};
use crate::store::Store;
use crate::store::notification_route::{self, RouteFilter, RouteOutcome};

/// What to do with routes.
#[derive(Debug, clap::Subcommand)]
pub enum Action {
    /// List routes
    List(ListOptions),
    /// Add a route
    Add(Box<Columns>),
    /// Change some columns of a route
    Set(Box<SetOptions>),
    /// Delete routes
    Remove(RemoveOptions),
}

/// Options of `list`.
#[derive(Debug, clap::Args)]
pub struct ListOptions {
    /// For the alerts of this tenant
    #[arg(long, value_name = "ID")]
    customer: Option<i64>,
    /// For the alerts of this organisation unit
    #[arg(long, value_name = "ID")]
    org: Option<i64>,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
}

/// Options of `set`.
#[derive(Debug, clap::Args)]
pub struct SetOptions {
    /// Number, as `list` shows it
    #[arg(value_name = "ID")]
    id: i64,
    #[command(flatten)]
    columns: Columns,
}

/// Options of `remove`.
#[derive(Debug, clap::Args)]
pub struct RemoveOptions {
    /// Numbers, as `list` shows them
    #[arg(value_name = "ID", required = true)]
    ids: Vec<i64>,
}

/// The columns of a route. `none` takes a value away.
#[derive(Debug, clap::Args)]
pub struct Columns {
    /// Channel: webhook, wecom, wecom_robot, wechat, email …
    #[arg(long, value_name = "CHANNEL")]
    channel: Option<String>,
    /// Who: wearer, managers, on_duty, contact
    #[arg(long, value_name = "WHO")]
    audience: Option<String>,
    /// The contact of the audience contact
    #[arg(long, value_name = "ID")]
    contact: Option<String>,
    /// Alerts of this tenant
    #[arg(long, value_name = "ID")]
    customer: Option<String>,
    /// Alerts of this organisation unit and its sub-units
    #[arg(long, value_name = "ID")]
    org: Option<String>,
    /// Alerts of this rule
    #[arg(long, value_name = "ID")]
    rule: Option<String>,
    /// Alerts of this severity or higher; default: minor
    #[arg(long, value_name = "SEVERITY")]
    min_severity: Option<Severity>,
    /// Escalation: only if the alert is still firing after so many seconds
    #[arg(long, value_name = "SECONDS")]
    after_seconds: Option<i32>,
    /// Notified once more every so many seconds, until somebody acknowledges the alert
    #[arg(long, value_name = "SECONDS")]
    repeat_seconds: Option<SecondsOrNone>,
    /// So many repeats at most; default: 100
    #[arg(long, value_name = "N")]
    repeat_times: Option<i32>,
    /// Whether those who were notified are told who has acknowledged the alert; default: true
    #[arg(long, value_name = "BOOL")]
    on_acknowledged: Option<bool>,
    /// Whether they are notified of its end; default: false
    #[arg(long, value_name = "BOOL")]
    on_resolved: Option<bool>,
    /// After a message to an address, further ones wait so long and are merged
    #[arg(long, value_name = "SECONDS")]
    merge_seconds: Option<SecondsOrNone>,
    /// Messages that are not critical wait from this local time: 22:00
    #[arg(long, value_name = "HH:MM")]
    quiet_from: Option<String>,
    /// Until this one
    #[arg(long, value_name = "HH:MM")]
    quiet_until: Option<String>,
    /// Zone of the quiet hours
    #[arg(long, value_name = "ZONE")]
    time_zone: Option<String>,
    /// Whether it is used; default: true
    #[arg(long, value_name = "BOOL")]
    enabled: Option<bool>,
}

/// A number of seconds, or `none`.
#[derive(Debug, Clone, Copy)]
struct SecondsOrNone(Option<i32>);

impl FromStr for SecondsOrNone {
    type Err = ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "none" { Ok(Self(None)) } else { text.parse().map(|seconds| Self(Some(seconds))) }
    }
}

impl Columns {
    /// Those that are named, as JSON.
    fn named(&self) -> Map<String, Value> {
        let mut named = Map::new();
        for (column, text) in [
            ("channel", &self.channel),
            ("audience", &self.audience),
            ("contact_id", &self.contact),
            ("customer_id", &self.customer),
            ("org_id", &self.org),
            ("rule_id", &self.rule),
            ("quiet_from", &self.quiet_from),
            ("quiet_until", &self.quiet_until),
            ("time_zone", &self.time_zone),
        ] {
            if let Some(text) = text {
                named.insert(column.to_owned(), if text == "none" { Value::Null } else { json!(text) });
            }
        }
        for (column, value) in [
            ("min_severity", self.min_severity.map(|severity| json!(severity))),
            ("after_seconds", self.after_seconds.map(|seconds| json!(seconds))),
            ("repeat_seconds", self.repeat_seconds.map(|SecondsOrNone(seconds)| json!(seconds))),
            ("merge_seconds", self.merge_seconds.map(|SecondsOrNone(seconds)| json!(seconds))),
            ("repeat_times", self.repeat_times.map(|times| json!(times))),
            ("on_acknowledged", self.on_acknowledged.map(|on| json!(on))),
            ("on_resolved", self.on_resolved.map(|on| json!(on))),
            ("enabled", self.enabled.map(|on| json!(on))),
        ] {
            named.extend(value.map(|value| (column.to_owned(), value)));
        }
        named
    }
}

pub(super) async fn run(action: Action, locale: &Locale, store: &Store) -> anyhow::Result<ExitCode> {
    match action {
        Action::List(options) => list(&options, locale, store).await,
        Action::Add(columns) => {
            if columns.channel.is_none() || columns.audience.is_none() {
                bail!(locale.text(&text!("route-incomplete")));
            }
            let draft: RouteDraft = serde_json::from_value(columns.named().into())?;
            stored(notification_route::add(store, &draft).await?, 0, locale)
        }
        Action::Set(options) => set(&options, locale, store).await,
        Action::Remove(options) => remove(&options, locale, store).await,
    }
}

async fn set(options: &SetOptions, locale: &Locale, store: &Store) -> anyhow::Result<ExitCode> {
    let filter = RouteFilter { route_id: Some(options.id), ..RouteFilter::default() };
    let Some(found) = notification_route::list(store, &filter, 1).await?.pop() else {
        return stored(RouteOutcome::NotFound, options.id, locale);
    };
    let mut columns = serde_json::to_value(found.route)?.as_object().cloned().unwrap_or_default();
    columns.extend(options.columns.named());
    let draft: RouteDraft = serde_json::from_value(columns.into())?;
    stored(notification_route::replace(store, options.id, &draft).await?, options.id, locale)
}

fn stored(outcome: RouteOutcome, id: i64, locale: &Locale) -> anyhow::Result<ExitCode> {
    match outcome {
        RouteOutcome::Stored(route) => {
            print_text(locale, &text!("route-kept", id = route.route_id.to_string()))?;
            Ok(ExitCode::SUCCESS)
        }
        RouteOutcome::NotFound => {
            warn(locale, &text!("route-absent", id = id.to_string()));
            Ok(ExitCode::FAILURE)
        }
        RouteOutcome::Invalid(reason) => bail!(locale.text(&reason)),
    }
}

async fn list(options: &ListOptions, locale: &Locale, store: &Store) -> anyhow::Result<ExitCode> {
    let filter = RouteFilter { customer_id: options.customer, org_id: options.org, route_id: None };
    let routes = notification_route::list(store, &filter, i64::MAX).await?;
    if routes.is_empty() && !options.json {
        print_text(locale, &text!("routes-none"))?;
        return Ok(ExitCode::SUCCESS);
    }
    print(&if options.json { routes.iter().map(json_line).collect() } else { table(&routes, locale) })?;
    Ok(ExitCode::SUCCESS)
}

async fn remove(options: &RemoveOptions, locale: &Locale, store: &Store) -> anyhow::Result<ExitCode> {
    let remove = |id| notification_route::remove(store, id);
    let removed = |id| text!("route-removed", id = id);
    each(&options.ids, locale, remove, removed, |id| text!("route-absent", id = id)).await
}

fn table(routes: &[NotificationRoute], locale: &Locale) -> String {
    let mut lines = vec![header(locale, ["id", "what", "channel", "audience", "after", "repeat", "status"])];
    lines.extend(routes.iter().map(|NotificationRoute { route_id, contact, route }| {
        let audience = serde_json::to_value(route.audience).ok();
        let audience = audience.as_ref().and_then(Value::as_str).unwrap_or_default();
        let seconds = |seconds: i32| if seconds > 0 { format!("{seconds} s") } else { "-".to_owned() };
        [
            route_id.to_string(),
            matched(route, locale),
            route.channel.clone(),
            contact.as_deref().map_or_else(|| audience.to_owned(), |name| or_dash(Some(name))),
            seconds(route.after_seconds),
            route
                .repeat_seconds
                .map_or_else(|| "-".to_owned(), |every| format!("{every} s ×{}", route.repeat_times)),
            locale.text(&text!("on-off", value = if route.enabled { "on" } else { "off" })),
        ]
    }));
    aligned(&lines)
}

fn matched(route: &RouteDraft, locale: &Locale) -> String {
    let ids = [("rule", route.rule_id), ("unit", route.org_id), ("tenant", route.customer_id)];
    let named = ids
        .into_iter()
        .filter_map(|(name, id)| Some(format!("{} {}", locale.text(&text!("column", name = name)), id?)));
    let named: Vec<String> =
        std::iter::once(severity(locale, route.min_severity.name())).chain(named).collect();
    named.join(", ")
}
