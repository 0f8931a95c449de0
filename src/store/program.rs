//! A program: its version, its migrations, and with which schemas it runs.
//!
//! Before: the files of `migrations/`, which refinery embeds, names and numbers. After: `store::migrations` applies them,
//! `store::schema` compares a database with the program, `store::instance` records which programs run.
//! Promise: the files are in order, and the head of each was understood.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use refinery::Migration;

use super::StoreError;

mod files {
    refinery::embed_migrations!("migrations");
}

/// When a file may be applied while instances run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// The programs of the previous release work with the result: applied before the new program is started.
    Expand,
    /// Only programs that have this file work with the result: applied when no older program runs any more.
    Contract,
}

/// A file of `migrations/`. Its head, which are the comment lines at its beginning, may have two lines that are read here:
/// `-- Phase: expand` or `-- Phase: contract` (without it: expand), and `-- Transaction: none` for statements that cannot run in one.
#[derive(Debug, Clone)]
pub struct MigrationFile {
    pub(super) migration: Migration,
    /// When it may be applied.
    pub phase: Phase,
    /// Its statements run one by one, each in a transaction of its own.
    pub is_outside: bool,
}

/// A program, as a schema knows it.
#[derive(Debug, Clone)]
pub struct Program {
    version: String,
    files: Vec<MigrationFile>,
}

impl Program {
    /// This program.
    pub fn this() -> &'static Self {
        static THIS: LazyLock<Program> = LazyLock::new(|| {
            let files = files::migrations::runner().get_migrations().clone();
            Program::with(env!("CARGO_PKG_VERSION"), files).expect("a test reads the head of every file")
        });
        &THIS
    }

    /// A program of this version with these migrations, each with its name (`V1__health_data`) and its text.
    ///
    /// # Errors
    /// The name or the head of a file cannot be read.
    pub fn new<'a>(
        version: &str,
        files: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, StoreError> {
        let files: Result<Vec<Migration>, _> =
            files.into_iter().map(|(name, sql)| Migration::unapplied(name, sql)).collect();
        Self::with(version, files.map_err(|error| StoreError::Migrate(error.to_string()))?)
    }

    fn with(version: &str, migrations: Vec<Migration>) -> Result<Self, StoreError> {
        let files: Result<Vec<MigrationFile>, StoreError> =
            migrations.into_iter().map(MigrationFile::read).collect();
        let mut files = files?;
        files.sort_by_key(MigrationFile::version);
        Ok(Self { version: version.to_owned(), files })
    }

    /// Its version, such as `0.2.0`.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Its migrations in the order of their numbers.
    pub fn files(&self) -> &[MigrationFile] {
        &self.files
    }

    /// The newest migration that it has. Files that contract the schema for later programs have higher numbers.
    pub fn head(&self) -> i32 {
        self.files.last().map_or(0, MigrationFile::version)
    }

    /// The oldest schema it runs with: that of its last file that expands. What is built outside of a transaction, such as an index,
    /// is not needed.
    pub fn oldest_schema(&self) -> i32 {
        let needed = self.files.iter().rev().find(|file| file.phase == Phase::Expand && !file.is_outside);
        needed.map_or(0, MigrationFile::version)
    }

    /// Whether a database to which these files were applied has everything that this program needs.
    pub(super) fn runs_with(&self, applied: &BTreeSet<i32>) -> bool {
        let oldest = self.oldest_schema();
        let mut needed = self.files.iter().filter(|file| !file.is_outside && file.version() <= oldest);
        needed.all(|file| applied.contains(&file.version()))
    }

    /// Its files that were not applied.
    pub(super) fn missing(&self, applied: &BTreeSet<i32>) -> Vec<&MigrationFile> {
        self.files.iter().filter(|file| !applied.contains(&file.version())).collect()
    }

    /// The oldest program that works with a database to which these files were applied, as the newest migration that it has.
    pub(super) fn oldest_program(&self, applied: &BTreeSet<i32>) -> i32 {
        let contracting = self.files.iter().rev().filter(|file| file.phase == Phase::Contract);
        contracting.map(MigrationFile::version).find(|version| applied.contains(version)).unwrap_or(0)
    }

    /// Its release as numbers, which have an order.
    pub(super) fn release(&self) -> Vec<u32> {
        release(&self.version)
    }
}

/// The numbers of a version.
pub(super) fn release(version: &str) -> Vec<u32> {
    version.split(['.', '-']).map_while(|number| number.parse().ok()).collect()
}

impl MigrationFile {
    fn read(migration: Migration) -> Result<Self, StoreError> {
        let head = migration.sql().unwrap_or_default().lines().take_while(|line| line.starts_with("--"));
        let mut file = Self { phase: Phase::Expand, is_outside: false, migration: migration.clone() };
        for line in head {
            let line = line.trim_start_matches('-').trim();
            match line.split_once(':').map(|(name, value)| (name, value.trim())) {
                Some(("Phase", "expand")) => file.phase = Phase::Expand,
                Some(("Phase", "contract")) => file.phase = Phase::Contract,
                Some(("Transaction", "none")) => file.is_outside = true,
                Some((name @ ("Phase" | "Transaction"), value)) => {
                    return Err(StoreError::Migrate(format!("{migration}: {name} cannot be {value:?}")));
                }
                _ => {}
            }
        }
        Ok(file)
    }

    /// Its number.
    pub fn version(&self) -> i32 {
        self.migration.version()
    }

    /// Its text.
    pub fn sql(&self) -> &str {
        self.migration.sql().unwrap_or_default()
    }

    pub(super) fn checksum(&self) -> String {
        self.migration.checksum().to_string()
    }
}

impl std::fmt::Display for MigrationFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.migration.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_of_every_migration_is_understood() {
        assert!(Program::this().head() >= Program::this().oldest_schema());
    }

    #[test]
    fn the_head_of_a_file_sets_when_and_how_it_is_applied() {
        let phase = |sql| {
            let program = Program::new("1.0.0", [("V1__a", sql)]).expect("understood");
            (program.files()[0].phase, program.files()[0].is_outside)
        };
        assert_eq!(phase("-- A table.\n-- Locks: none.\n\ncreate table a ();"), (Phase::Expand, false));
        assert_eq!(phase("-- A table.\n-- Phase: contract\n\ndrop table a;"), (Phase::Contract, false));
        assert_eq!(phase("-- Phase: expand\n-- Transaction: none\nanalyze a;"), (Phase::Expand, true));
        assert_eq!(phase("select 1;\n-- Phase: contract\n"), (Phase::Expand, false), "not in the head");
        for wrong in ["-- Phase: shrink\n", "-- Transaction: one\n"] {
            assert!(Program::new("1.0.0", [("V1__a", wrong)]).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_program_needs_what_expands_and_is_served_until_a_later_contract() {
        let program = Program::new(
            "1.0.0",
            [
                ("V1__a", ""),
                ("V2__b", "-- Phase: contract"),
                ("V3__c", ""),
                ("V4__d", "-- Transaction: none"),
                ("V5__e", "-- Phase: contract"),
            ],
        )
        .expect("understood");
        assert_eq!((program.oldest_schema(), program.head()), (3, 5));
        let applied = |versions: &[i32]| versions.iter().copied().collect::<BTreeSet<i32>>();
        assert!(program.runs_with(&applied(&[1, 2, 3])));
        assert!(!program.runs_with(&applied(&[1, 3])));
        assert_eq!(program.oldest_program(&applied(&[1])), 0);
        assert_eq!(program.oldest_program(&applied(&[1, 2, 3, 4])), 2);
        assert_eq!(program.oldest_program(&applied(&[1, 2, 3, 4, 5])), 5);
    }

    #[test]
    fn releases_have_an_order() {
        assert!(release("0.2.0") < release("0.2.1") && release("0.9.0") < release("0.10.0"));
        assert_eq!(release("1.2.3-rc1"), [1, 2, 3]);
    }
}
