//! `vitals serve`: takes uploads until SIGTERM or Ctrl-C.

use std::process::ExitCode;

use super::interrupt::interrupted;
use crate::app::Service;
use crate::config::Settings;
use crate::store::migrate::{self, Phases};
use crate::store::program::Program;
use crate::telemetry;

/// Options of `vitals serve`.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Bring the schema to what this version needs first; while older programs run, only as far as they work with it
    #[arg(long)]
    migrate: bool,
}

/// Serves until a signal to stop, or until a task fails.
///
/// # Errors
/// The service cannot start, or a task failed.
pub async fn run(options: Options, settings: Settings) -> anyhow::Result<ExitCode> {
    let stop_requested = interrupted();
    raise_file_limit();
    if options.migrate {
        let migrated = migrate::run_phases(&settings, Program::this(), Phases::Allowed).await?;
        tracing::info!(version = migrated.version, applied = migrated.applied.len(), "schema is up to date");
    }
    let service = Service::start(settings, telemetry::init_metrics()?).await?;
    let failed = tokio::select! {
        () = stop_requested => None,
        what = service.failed() => Some(what),
    };
    tracing::info!("stopping");
    service.stop().await?;
    match failed {
        Some(what) => Err(anyhow::anyhow!("stopped because {what}")),
        None => Ok(ExitCode::SUCCESS),
    }
}

/// Each connection is an open file, and the usual soft limit of 1 024 is far below what a fleet opens.
pub(crate) fn raise_file_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    // Best effort: without it, connections beyond the limit cannot be accepted, which is logged.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
}
