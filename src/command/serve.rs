//! `vitals serve`: takes uploads until SIGTERM or Ctrl-C.

use std::process::ExitCode;

use tokio::signal::unix::{SignalKind, signal};

use crate::app::Service;
use crate::config::Settings;
use crate::store::migrate;
use crate::telemetry;

/// Options of `vitals serve`.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Bring the schema to head first
    #[arg(long)]
    migrate: bool,
}

/// Serves until it is told to stop, or until a task fails.
///
/// # Errors
/// Something the service needs is not there, or a task failed.
pub async fn run(options: Options, settings: Settings) -> anyhow::Result<ExitCode> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    if options.migrate {
        let migrated = migrate::run(&settings).await?;
        tracing::info!(version = migrated.version, applied = migrated.applied.len(), "schema is at head");
    }
    let service = Service::start(settings, telemetry::init_metrics()?).await?;
    let failed = tokio::select! {
        _ = terminate.recv() => None,
        _ = interrupt.recv() => None,
        what = service.failed() => Some(what),
    };
    tracing::info!("stopping");
    service.stop().await?;
    match failed {
        Some(what) => Err(anyhow::anyhow!("stopped because {what}")),
        None => Ok(ExitCode::SUCCESS),
    }
}
