//! `vitals alerts shift`: who is on duty when.

use std::process::ExitCode;

use anyhow::bail;
use clap::builder::ArgPredicate;
use jiff::Timestamp;

use super::{each, header, json_line, or_dash, print_text};
use crate::command::text::{aligned, escape_control, print};
use crate::command::time_option;
use crate::language::{Locale, text};
use crate::model::{Id64, Shift, ShiftDraft, ShiftKind};
use crate::store::Store;
use crate::store::shift::{self, ShiftFilter, ShiftOutcome};

/// What to do with shifts.
#[derive(Debug, clap::Subcommand)]
pub enum Action {
    /// List shifts and absences that are not over
    List(ListOptions),
    /// Add a shift: hours that recur each week, or a single period
    Add(Box<AddOptions>),
    /// End shifts or absences now
    End(EndOptions),
}

/// Options of `list`.
#[derive(Debug, clap::Args)]
pub struct ListOptions {
    /// Of this tenant and its units
    #[arg(long, value_name = "ID")]
    customer: Option<i64>,
    /// Of this organisation unit
    #[arg(long, value_name = "ID")]
    org: Option<i64>,
    /// Of this contact
    #[arg(long, value_name = "ID")]
    contact: Option<i64>,
    /// Only those on duty now
    #[arg(long)]
    on_duty: bool,
    /// Also those that are over
    #[arg(long)]
    all: bool,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
}

/// Options of `add`.
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("where").required(true).args(["org", "customer", "absent"]))]
pub struct AddOptions {
    /// Who: number of the contact, as `contacts` shows it
    #[arg(long, value_name = "ID")]
    contact: i64,
    /// On duty for this organisation unit and its sub-units that have no shifts
    #[arg(long, value_name = "ID")]
    org: Option<i64>,
    /// On duty for this tenant
    #[arg(long, value_name = "ID")]
    customer: Option<i64>,
    /// Absent, until --until
    #[arg(long, requires_if(ArgPredicate::IsPresent, "until"))]
    absent: bool,
    /// Local time at which the hours of a day begin: 07:00
    #[arg(long, value_name = "HH:MM", requires = "until_time")]
    from_time: Option<String>,
    /// Local time at which they end; before --from-time: on the next day
    #[arg(long, value_name = "HH:MM", requires = "from_time")]
    until_time: Option<String>,
    /// Days on which the hours begin, 1 Monday to 7 Sunday: 1,2,3,4,5; default: every day
    #[arg(long, value_name = "DAYS", value_delimiter = ',', requires = "from_time")]
    days: Vec<i16>,
    /// Zone of the hours; default: that of the rollups
    #[arg(long, value_name = "ZONE")]
    time_zone: Option<String>,
    /// Begins at this time (2026-01-31, "2026-01-31 08:00", in the device time zone; RFC 3339); default: now
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// Ends at this time; needed without --from-time
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// For people
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
}

/// Options of `end`.
#[derive(Debug, clap::Args)]
pub struct EndOptions {
    /// Numbers, as `list` shows them
    #[arg(value_name = "ID", required = true)]
    ids: Vec<i64>,
}

pub(super) async fn run(action: Action, locale: &Locale, store: &Store) -> anyhow::Result<ExitCode> {
    match action {
        Action::List(options) => list(&options, locale, store).await,
        Action::Add(options) => add(*options, locale, store).await,
        Action::End(options) => end(&options, locale, store).await,
    }
}

async fn list(options: &ListOptions, locale: &Locale, store: &Store) -> anyhow::Result<ExitCode> {
    let filter = ShiftFilter {
        customer_id: options.customer,
        org_id: options.org,
        contact_id: options.contact,
        is_over_too: options.all,
        on_duty_at: options.on_duty.then(Timestamp::now),
    };
    let shifts = shift::list(store, &filter, i64::MAX).await?;
    if shifts.is_empty() && !options.json {
        print_text(locale, &text!("shifts-none"))?;
        return Ok(ExitCode::SUCCESS);
    }
    print(&if options.json { shifts.iter().map(json_line).collect() } else { table(&shifts, locale) })?;
    Ok(ExitCode::SUCCESS)
}

async fn add(options: AddOptions, locale: &Locale, store: &Store) -> anyhow::Result<ExitCode> {
    let now = Timestamp::now().to_zoned(locale.zone.clone());
    let draft = ShiftDraft {
        customer_id: options.customer.map(Id64),
        org_id: options.org.map(Id64),
        contact_id: Id64(options.contact),
        kind: if options.absent { ShiftKind::Absence } else { ShiftKind::Duty },
        starts_at: time_option::parse(options.from.as_deref(), "--from", &now)?,
        ends_at: time_option::parse(options.until.as_deref(), "--until", &now)?,
        weekly_days: (!options.days.is_empty()).then_some(options.days),
        from_time: options.from_time,
        until_time: options.until_time,
        time_zone: options.time_zone,
        note: options.note,
    };
    match shift::add(store, &draft).await? {
        ShiftOutcome::Created(shift) => {
            let name = escape_control(&shift.contact);
            print_text(locale, &text!("shift-kept", id = shift.shift_id.to_string(), name = name))?;
            Ok(ExitCode::SUCCESS)
        }
        ShiftOutcome::Invalid(reason) => bail!(locale.text(&reason)),
    }
}

async fn end(options: &EndOptions, locale: &Locale, store: &Store) -> anyhow::Result<ExitCode> {
    let end = |id| shift::end(store, id);
    let over = |id| text!("shift-over", id = id);
    each(&options.ids, locale, end, over, |id| text!("shift-absent", id = id)).await
}

fn table(shifts: &[Shift], locale: &Locale) -> String {
    let mut lines = vec![header(locale, ["id", "contact", "where", "hours", "from", "until", "on-duty"])];
    lines.extend(shifts.iter().map(|shift| {
        [
            shift.shift_id.to_string(),
            format!("{} {}", shift.contact_id, escape_control(&shift.contact)),
            place(shift, locale),
            hours(shift),
            locale.time(shift.starts_at),
            shift.ends_at.map_or_else(|| "-".to_owned(), |ends_at| locale.time(ends_at)),
            locale.text(&text!("yes-or-no", answer = if shift.on_duty == Some(true) { "yes" } else { "no" })),
        ]
    }));
    aligned(&lines)
}

fn place(shift: &Shift, locale: &Locale) -> String {
    let (name, id) = match (shift.org_id, shift.customer_id) {
        (Some(id), _) => ("unit", id),
        (_, Some(id)) => ("tenant", id),
        _ => return locale.text(&text!("absent")),
    };
    format!("{} {id}", locale.text(&text!("column", name = name)))
}

fn hours(shift: &Shift) -> String {
    let (Some(from), Some(until)) = (&shift.from_time, &shift.until_time) else { return or_dash(None) };
    let days = shift.weekly_days.as_deref().unwrap_or_default();
    let days: Vec<String> = days.iter().map(i16::to_string).collect();
    let minutes = |time: &str| time.get(..5).unwrap_or(time).to_owned();
    format!("{} {}-{}", days.join(","), minutes(from), minutes(until)).trim_start().to_owned()
}
