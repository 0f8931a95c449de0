//! `vitals simulate`: the simulated fleet against a service that runs, as a load generator.
//!
//! Before: `main`, with feature `fleet`. After: the crate `vitals_fleet`, which knows the service over HTTP alone.

use std::process::ExitCode;

use tokio_util::sync::CancellationToken;
use vitals_fleet::{Options, Show};

use super::interrupt::until_interrupted;
use super::serve::raise_file_limit;
use super::text::print;

/// Runs until the bounds or Ctrl-C and prints the report on standard output.
///
/// # Errors
/// The options contradict each other, or nobody listens.
pub async fn run(options: Options) -> anyhow::Result<ExitCode> {
    raise_file_limit();
    let stop = CancellationToken::new();
    let running = vitals_fleet::run(&options, &stop, Show::on_standard_error());
    let report = until_interrupted(&stop, running).await?;
    let text = if options.json { serde_json::to_string_pretty(&report)? + "\n" } else { report.to_string() };
    print(&text)?;
    Ok(if report.errors() == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
