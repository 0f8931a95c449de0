//! `vitals clocks`: the watches whose clock is behind or ahead, the farthest first.
//!
//! Before: an operator, or `vitals check` named one. After: `store::device_clock`.

use std::process::ExitCode;

use jiff::{SignedDuration, Timestamp};

use super::text::{age, aligned, escape_control, print};
use crate::app;
use crate::config::Settings;
use crate::model::DeviceClock;
use crate::store::{Store, device_clock};

/// Options of `vitals clocks`.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Seconds beyond which a clock is off; default: the setting `clock_off_seconds`
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(60..))]
    over: Option<u32>,
    /// Only watches of this tenant
    #[arg(long, value_name = "ID")]
    customer: Option<i64>,
    /// Most watches
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
}

/// Prints the list.
///
/// # Errors
/// The database is away.
pub async fn run(options: &Options, settings: &Settings) -> anyhow::Result<ExitCode> {
    let store = Store::new(settings)?;
    app::check_schema(&store).await?;
    let over = options.over.unwrap_or(settings.clock_off_seconds);
    let clocks = device_clock::list(&store, over, options.customer, options.limit.into()).await?;
    if options.json {
        for clock in &clocks {
            print(&format!("{}\n", serde_json::to_string(clock)?))?;
        }
    } else if clocks.is_empty() {
        print(&format!("no clock is known to be off by more than {over} s\n"))?;
    } else {
        print(&table(&clocks))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn table(clocks: &[DeviceClock]) -> String {
    let now = Timestamp::now();
    let mut lines = vec![["device", "clock", "measured", "tenant", "wearer"].map(str::to_owned)];
    lines.extend(clocks.iter().map(|clock| {
        [
            escape_control(&clock.device_sn),
            clock_text(clock.clock_offset_seconds),
            format!("{} ago", age(now.duration_since(clock.clock_measured_at))),
            clock.customer_id.map_or_else(|| "-".to_owned(), |id| id.to_string()),
            escape_control(clock.user_name.as_deref().unwrap_or("-")),
        ]
    }));
    aligned(&lines)
}

/// For `vitals check`, a verdict and its reason: that no clock is known to be off, or how many are. Their alerts are judged by the corrected time; what they show
/// and store is wrong all the same.
///
/// # Errors
/// The database is away.
pub(super) async fn finding(store: &Store, over: u32) -> anyhow::Result<(&'static str, String)> {
    let Some(worst) = device_clock::list(store, over, None, 1).await?.pop() else {
        return Ok(("ok", format!("none is known to be off by more than {over} s")));
    };
    let finding = format!(
        "{} off by more than {over} s (setting clock_off_seconds), {} is {}: `vitals clocks` lists them",
        device_clock::count(store, over).await?,
        escape_control(&worst.device_sn),
        clock_text(worst.clock_offset_seconds)
    );
    Ok(("warn", finding))
}

/// How far a clock is off: "3 d slow", "5 min fast".
fn clock_text(offset_seconds: i32) -> String {
    let word = if offset_seconds < 0 { "fast" } else { "slow" };
    format!("{} {word}", age(SignedDuration::from_secs(offset_seconds.unsigned_abs().into())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offset_is_said_in_its_largest_unit() {
        for (seconds, text) in [(259_200, "3 d slow"), (-7_200, "2 h fast"), (90, "90 s slow")] {
            assert_eq!(clock_text(seconds), text);
        }
    }
}
