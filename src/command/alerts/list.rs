//! `vitals alerts list`: a table of alerts, or a JSON object a line.

use std::process::ExitCode;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{age, header, json_line, or_dash, print_text, severity};
use crate::command::text::{aligned, escape_control, print};
use crate::command::time_option;
use crate::language::{Locale, text};
use crate::model::{Alert, AlertKind, AlertStatus, Severity};
use crate::store::Store;
use crate::store::alert::{self, Filter};

/// Which alerts. An option that is given several times matches any of its values.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// In this state: firing, acknowledged, resolved
    #[arg(long, value_name = "STATUS", conflicts_with = "open")]
    status: Vec<AlertStatus>,
    /// Firing or acknowledged
    #[arg(long)]
    open: bool,
    /// Of this severity: critical, major, minor, info
    #[arg(long, value_name = "SEVERITY", conflicts_with = "min_severity")]
    severity: Vec<Severity>,
    /// Of this severity or higher
    #[arg(long, value_name = "SEVERITY")]
    min_severity: Option<Severity>,
    /// Of this device (serial)
    #[arg(long, value_name = "SERIAL")]
    device: Vec<String>,
    /// Of this tenant
    #[arg(long, value_name = "ID")]
    customer: Option<i64>,
    /// Of this organisation unit and its sub-units
    #[arg(long, value_name = "ID")]
    org: Option<i64>,
    /// Of this wearer
    #[arg(long, value_name = "ID")]
    user: Option<i64>,
    /// Raised by this rule
    #[arg(long, value_name = "ID")]
    rule: Option<i64>,
    /// Of this kind: threshold, composite, event, silence
    #[arg(long, value_name = "KIND")]
    kind: Vec<AlertKind>,
    /// Only those of late data (true), or only the others (false)
    #[arg(long, value_name = "BOOL")]
    historical: Option<bool>,
    /// Fired since: an age (2h, 90m, 3d) or a time (2026-01-31, "2026-01-31 08:00", in the device time zone; RFC 3339)
    #[arg(long, visible_alias = "since", value_name = "TIME")]
    from: Option<String>,
    /// Fired before: as --from
    #[arg(long, value_name = "TIME")]
    to: Option<String>,
    /// How many at most
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
}

impl Options {
    fn filter(&self, zone: &TimeZone) -> anyhow::Result<Filter> {
        fn none_if_empty<T: Clone>(named: &[T]) -> Option<Vec<T>> {
            (!named.is_empty()).then(|| named.to_vec())
        }
        let now = Timestamp::now().to_zoned(zone.clone());
        let open = self.open.then(|| vec![AlertStatus::Firing, AlertStatus::Acknowledged]);
        Ok(Filter {
            statuses: open.or_else(|| none_if_empty(&self.status)),
            severities: none_if_empty(&self.severity)
                .or(self.min_severity.map(|lowest| lowest.and_above().to_vec())),
            devices: none_if_empty(&self.device),
            customer_id: self.customer,
            org_id: self.org,
            user_id: self.user,
            rule_id: self.rule,
            kinds: none_if_empty(&self.kind),
            historical: self.historical,
            from: time_option::parse(self.from.as_deref(), "--from", &now)?,
            to: time_option::parse(self.to.as_deref(), "--to", &now)?,
            within_org_id: None,
        })
    }
}

pub(super) async fn run(options: &Options, locale: &Locale, store: &Store) -> anyhow::Result<ExitCode> {
    let filter = options.filter(&locale.zone)?;
    let alerts = alert::list(store, &filter, None, options.limit.into()).await?;
    if options.json {
        print(&alerts.iter().map(json_line).collect::<String>())?;
        return Ok(ExitCode::SUCCESS);
    }
    if alerts.is_empty() {
        print_text(locale, &text!("alerts-none"))?;
        return Ok(ExitCode::SUCCESS);
    }
    let there_are: i64 = alert::summary(store, &filter).await?.iter().map(|tally| tally.alerts).sum();
    let more = u64::try_from(there_are).unwrap_or(0).saturating_sub(alerts.len() as u64);
    let alerts: Vec<Alert> = alerts.into_iter().map(|alert| alert.in_language(locale.language)).collect();
    print(&table(&alerts, locale))?;
    if more > 0 {
        print_text(locale, &text!("alerts-more", count = more))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn table(alerts: &[Alert], locale: &Locale) -> String {
    let now = Timestamp::now();
    let mut lines = vec![header(
        locale,
        ["id", "fired", "device", "person", "unit", "severity", "status", "by", "value", "rule"],
    )];
    lines.extend(alerts.iter().map(|alert| {
        let by = alert.resolved_by.as_ref().or(alert.acknowledged_by.as_ref());
        [
            alert.alert_id.to_string(),
            age(locale, now.duration_since(alert.fired_ts)),
            escape_control(&alert.device_sn),
            or_dash(alert.user_name.as_deref()),
            or_dash(alert.org_name.as_deref()),
            severity(locale, alert.severity.name()),
            status(alert, locale),
            or_dash(by.map(String::as_str)),
            value(alert),
            escape_control(&alert.rule_name),
        ]
    }));
    aligned(&lines)
}

fn status(alert: &Alert, locale: &Locale) -> String {
    let status = match (alert.status, alert.resolution.as_deref()) {
        (AlertStatus::Resolved, Some(resolution)) => resolution,
        (status, _) => status.name(),
    };
    let late = if alert.historical { "yes" } else { "no" };
    locale.text(&text!("alert-status", status = status, late = late))
}

fn value(alert: &Alert) -> String {
    let of_event = || alert.last_text.as_deref().map(escape_control);
    let value = alert.last_value.as_ref().map(ToString::to_string).or_else(of_event);
    let times = if alert.breach_count > 1 { format!(" ×{}", alert.breach_count) } else { String::new() };
    format!("{}{times}", value.as_deref().unwrap_or("-"))
}
