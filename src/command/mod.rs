//! The command line: one file per sub-command.
//!
//! Before: `main`. After: the exit code: 0 done, 1 failed, 2 wrong usage, 3 done in part, 130 interrupted.

pub mod access;
mod actor;
pub mod alerts;
pub mod backfill;
pub mod buffer;
pub mod check;
pub mod clocks;
pub mod directory;
pub mod encoding;
pub mod erase;
pub mod interrupt;
pub mod keys;
pub mod kiosk;
pub mod migrate;
pub mod people;
pub mod policy;
mod progress;
pub mod refresh;
pub mod rejected;
pub mod roles;
pub mod serve;
#[cfg(feature = "fleet")]
pub mod simulate;
pub(crate) mod text;
mod time_option;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::{self, Settings};
use crate::language::Language;
use crate::telemetry;

/// Takes health data from wearables over HTTP and puts it, durably and once, into TimescaleDB.
#[derive(Debug, Parser)]
#[command(version, about)]
pub struct Arguments {
    /// Settings file (TOML); `VITALS_*` variables win over it
    #[arg(long, global = true, env = config::CONFIG_VARIABLE, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Language of what `alerts` prints: en, zh; without it that of the terminal (LC_ALL, LC_MESSAGES, LANG), else the setting
    #[arg(long, global = true, value_name = "LANGUAGE")]
    language: Option<Language>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Take uploads until SIGTERM or Ctrl-C
    Serve(serve::Options),
    /// Bring the schema of the database to what this version needs
    Migrate(migrate::Options),
    /// Make the roles for the service, dashboards and DBAs, or bring them up to date after a migrate
    Roles,
    /// Check whether everything the service needs is there, and describe the edition of TimescaleDB
    Check,
    /// List the watches whose clock is behind or ahead
    Clocks(clocks::Options),
    /// API keys: create, list, rotate and revoke them
    #[command(subcommand)]
    Keys(keys::Action),
    /// People who log in: create and list accounts, grant roles, set passwords, disable accounts
    #[command(subcommand)]
    People(people::Action),
    /// Who looked at whose data
    #[command(subcommand)]
    Access(access::Action),
    /// Links for screens on a wall: create, list and revoke them
    #[command(subcommand)]
    Kiosk(kiosk::Action),
    /// Import who owns which device
    #[command(subcommand)]
    Directory(directory::Action),
    /// Alerts: list, acknowledge and resolve them; rules, silences, dead letters
    #[command(subcommand)]
    Alerts(alerts::Action),
    /// How long rows are kept, when they are compressed, how often rollups are refreshed: show, plan, set and apply policies
    #[command(subcommand)]
    Policy(policy::Action),
    /// Import history from CSV or NDJSON files by the rules of an upload; an interrupted import continues when it is run once more
    Backfill(backfill::Options),
    /// Uploads that wait in the buffer: show how many, drain them, show or delete one
    #[command(subcommand)]
    Buffer(buffer::Action),
    /// Rejected records, which could not be stored: list, show, replay and drop them
    Rejected(rejected::Options),
    /// Erase everything of a device or a user from the database and Redis, and keep a receipt
    #[command(subcommand)]
    Erase(erase::Action),
    /// Recompute the rollups of a time range, as far as raw rows exist; without a range, bring all rollups up to date
    Refresh(refresh::Options),
    /// Print a settings file with every setting, its default and its reason
    Settings,
    /// Bring up servers, serve, let a simulated fleet upload, and show what came of it
    #[cfg(feature = "fleet")]
    Demo(crate::demo::Options),
    /// Load a running service as a fleet of watches would, and report rates and latencies
    #[cfg(feature = "fleet")]
    Simulate(vitals_fleet::Options),
}

/// The exit code of a command that was done in part: some records were rejected, some lines refused, or Redis was away.
const DONE_IN_PART: u8 = 3;

/// The exit code of a command that SIGINT or SIGTERM ended.
const INTERRUPTED: u8 = 130;

/// Runs the command and reports its failure.
pub async fn run(arguments: Arguments) -> ExitCode {
    match Box::pin(dispatch(arguments)).await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("vitals: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn dispatch(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let load = || Settings::load(arguments.config.as_deref());
    match arguments.command {
        Command::Serve(options) => {
            let settings = load()?;
            let _traces = telemetry::init_logs(&settings)?;
            serve::run(options, settings).await
        }
        Command::Migrate(options) => migrate::run(&options, &load()?).await,
        Command::Roles => roles::run(&load()?).await,
        Command::Check => check::run(&load()?).await,
        Command::Clocks(options) => clocks::run(&options, &load()?).await,
        Command::Keys(action) => keys::run(action, &load()?).await,
        Command::People(action) => people::run(action, &load()?).await,
        Command::Access(action) => access::run(&action, &load()?).await,
        Command::Kiosk(action) => kiosk::run(action, &load()?).await,
        Command::Directory(action) => directory::run(action, &load()?).await,
        Command::Alerts(action) => alerts::run(action, arguments.language, &load()?).await,
        Command::Policy(action) => policy::run(action, &load()?).await,
        Command::Backfill(options) => backfill::run(options, &load()?).await,
        Command::Buffer(action) => buffer::run(action, &load()?).await,
        Command::Rejected(options) => rejected::run(options, &load()?).await,
        Command::Erase(action) => erase::run(action, &load()?).await,
        Command::Refresh(options) => refresh::run(&options, &load()?).await,
        Command::Settings => {
            text::print(&config::template())?;
            Ok(ExitCode::SUCCESS)
        }
        #[cfg(feature = "fleet")]
        Command::Demo(options) => crate::demo::run(options, load()?).await,
        #[cfg(feature = "fleet")]
        Command::Simulate(options) => simulate::run(options).await,
    }
}
