//! `vitals refresh`: recomputes the rollups of a time range, or brings all of them up to date.
//!
//! Before: a DBA who restored rows, or does not want to wait for the timer. After: `store::rollups`.
//! Promise: no range reaches into time whose raw rows were dropped; readers see correct rollups at every moment.

use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, bail};
use jiff::Timestamp;

use crate::app;
use crate::command::text::print;
use crate::command::time_option;
use crate::config::Settings;
use crate::store::Store;
use crate::store::rollups;

/// Options of `vitals refresh`.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Start of the range to recompute: an age (3d), or a time in the device time zone
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// End of the range; default: now
    #[arg(long, value_name = "TIME", requires = "from")]
    to: Option<String>,
}

/// Refreshes and prints how long it took.
///
/// # Errors
/// The database is away; rollups that are done are kept.
pub async fn run(options: &Options, settings: &Settings) -> anyhow::Result<ExitCode> {
    let store = Store::new(settings)?;
    app::check_schema(&store).await?;
    let now = Timestamp::now().to_zoned(settings.device_zone());
    let from = time_option::parse(options.from.as_deref(), "--from", &now)?;
    let to = time_option::parse(options.to.as_deref(), "--to", &now)?.unwrap_or_else(|| now.timestamp());
    if from.is_some_and(|from| from >= to) {
        bail!("--from is not before --to");
    }
    let (client, _driver) = store.session().await?;
    let started = Instant::now();
    rollups::refresh(&client, from.map(|from| (from, to))).await.context("rollups that are done are kept")?;
    let mut text = format!("refreshed in {:.1} s\n", started.elapsed().as_secs_f64());
    for rollup in rollups::status(&client).await? {
        let reached = rollup.watermark.map_or_else(|| "-".to_owned(), |at| at.to_string());
        text.push_str(&format!("{:<15} materialised to {reached}\n", rollup.name));
    }
    print(&text)?;
    Ok(ExitCode::SUCCESS)
}
