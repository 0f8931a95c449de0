//! `vitals directory import`: customers, organisation units, users, bindings and contacts from CSV files.
//!
//! Before: an operator with the export of another system. After: `store::directory` merges; running services follow the change.
//! Promise: each file is one transaction; a refused line is reported with its number and the reason, and affects no other line;
//! importing the same files once more changes nothing; memory does not grow with the files.

mod columns;
mod lines;
mod report;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};

use crate::app;
use crate::command::DONE_IN_PART;
use crate::command::encoding::Encoding;
use crate::command::text::print;
use crate::config::Settings;
use crate::store::Store;
use crate::store::directory::{BindingEntry, Contact, Customer, Import, Mode, OrgUnit, User};
use lines::{Lines, Record};
use report::Report;

/// What to do with the directory.
#[derive(Debug, Subcommand)]
pub enum Action {
    /// Import tenants, organisation units, users, device bindings and contacts from CSV files
    ///
    /// Files are UTF-8 (a byte order mark is fine), or what --encoding names, with a line of column
    /// names; the order of columns is free, unknown columns are ignored and reported. Names may be spelled org_id, orgId,
    /// "Org ID".
    ///
    ///   --customers  customer_id, name
    ///   --orgs       org_id, name, ancestors
    ///   --users      user_id, name, org_id [, room]
    ///   --bindings   device_sn, user_id [, valid_from] [, valid_until]
    ///   --contacts   name [, channel, address] [, language] [, user_id] [, org_id]
    ///
    /// Ids are whole numbers of up to 64 bits. ancestors are the ids from the root down to the
    /// parent, separated by commas or spaces, with or without zeros in front:
    /// "0,1939964806110937090"; empty for a root. An empty org_id is a user without organisation
    /// unit; without a column room, all rooms stay as they are; an empty user_id unbinds the device. Times are RFC 3339, or
    /// yyyy-MM-dd [HH:mm:ss] in device_time_zone. A binding without valid_from begins now,
    /// unless the device is bound to that user already; a binding ends when the next one of its device begins.
    ///
    /// A contact is who is notified of alerts, and is known by its name; one with several addresses has
    /// several lines. channel is wechat, wecom, wecom_robot, dingtalk_robot, feishu_robot, sms, email or
    /// webhook; the address of sms is a number such as +8613800138000; language is en or zh; user_id is the wearer that the contact is, org_id a unit that they manage. What is empty or
    /// has no column stays as it is; a new contact without a language is notified in that of the service.
    ///
    /// Files are imported in the order customers, orgs, users, bindings, contacts, each in one transaction.
    /// Nothing is ever deleted. Importing the same files once more changes nothing.
    ///
    /// Exit code: 0 every line was imported, 3 some lines were refused (the others are imported),
    /// 1 a file could not be imported at all.
    #[command(verbatim_doc_comment)]
    Import(ImportOptions),
}

/// The files; at least one.
#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
pub struct Files {
    /// Tenants
    #[arg(long, value_name = "FILE")]
    customers: Option<PathBuf>,
    /// Organisation units
    #[arg(long, value_name = "FILE")]
    orgs: Option<PathBuf>,
    /// Users, who wear devices
    #[arg(long, value_name = "FILE")]
    users: Option<PathBuf>,
    /// Who wears which device
    #[arg(long, value_name = "FILE")]
    bindings: Option<PathBuf>,
    /// Who is notified of alerts, where, and in which language
    #[arg(long, value_name = "FILE")]
    contacts: Option<PathBuf>,
}

/// Options of `vitals directory import`.
#[derive(Debug, Args)]
pub struct ImportOptions {
    #[command(flatten)]
    files: Files,
    /// Character set of the files
    #[arg(long, value_enum, default_value_t, value_name = "NAME")]
    encoding: Encoding,
    /// Write refused lines to this file (CSV: file, line, reason)
    #[arg(long, value_name = "FILE")]
    refused: Option<PathBuf>,
    /// Show what would be new, changed and ended, with examples, and change nothing
    #[arg(long)]
    dry_run: bool,
}

/// Imports the files and prints what was done.
///
/// # Errors
/// A file cannot be read, or the database cannot be changed. The files before it are imported.
pub async fn run(action: Action, settings: &Settings) -> anyhow::Result<ExitCode> {
    let Action::Import(options) = action;
    let mode = if options.dry_run { Mode::DryRun } else { Mode::Apply };
    let store = Store::new(settings)?;
    app::check_schema(&store).await?;
    let mut work = ImportRun {
        import: Import::open(&store, mode).await?,
        report: Report::new(options.refused.as_deref())?,
        settings,
        encoding: options.encoding,
        mode,
    };
    let Files { customers, orgs, users, bindings, contacts } = &options.files;
    work.import::<Customer>("customers", customers.as_deref()).await?;
    work.import::<OrgUnit>("orgs", orgs.as_deref()).await?;
    work.import::<User>("users", users.as_deref()).await?;
    work.import::<BindingEntry>("bindings", bindings.as_deref()).await?;
    work.import::<Contact>("contacts", contacts.as_deref()).await?;
    if mode == Mode::DryRun {
        print("nothing was changed (--dry-run)\n")?;
    }
    Ok(if work.report.end()? > 0 { ExitCode::from(DONE_IN_PART) } else { ExitCode::SUCCESS })
}

struct ImportRun<'a> {
    import: Import,
    report: Report,
    settings: &'a Settings,
    encoding: Encoding,
    mode: Mode,
}

impl ImportRun<'_> {
    async fn import<R: Record>(&mut self, what: &'static str, file: Option<&Path>) -> anyhow::Result<()> {
        let Some(file) = file else { return Ok(()) };
        let lines = Lines::<R>::open(file, self.encoding, self.settings.device_zone())?;
        self.report.ignored(file, lines.unknown());
        let progress = self.report.begin(what, file, lines.bytes());
        let merged = self
            .import
            .load(
                lines.entries(&progress),
                || progress.staged(),
                |line, reason| progress.refused(line, reason),
            )
            .await;
        self.report.finish(progress, merged, self.mode)
    }
}
