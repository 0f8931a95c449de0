//! Which files a migrate applies, and what of them in one transaction. Pure.
//!
//! Before: `store::migrate` has read which files were applied and which programs run. After: it runs the parts in order.
//! Promise: files are applied in the order of their numbers, and none that an instance that runs cannot work with; what is built
//! outside of a transaction comes after the transaction, but before a later file that contracts the schema, which may need it.

use std::collections::BTreeSet;

use crate::store::StoreError;
use crate::store::instance::RunningInstance;
use crate::store::program::{MigrationFile, Phase, Program};

/// Which phases a migrate applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phases {
    /// What the new program needs, and what older ones work with.
    Expand,
    /// What only the new program works with; refused while an older one runs.
    Contract,
    /// Both; refused while a program runs that is older than a file that contracts.
    Both,
    /// Both; while an older program runs, only what it works with.
    Allowed,
}

/// A part of a plan.
#[derive(Debug)]
pub(in crate::store) enum Part<'a> {
    /// Files that are applied in one transaction.
    Transaction(Vec<&'a MigrationFile>),
    /// A file whose statements run one by one.
    Outside(&'a MigrationFile),
}

/// What a migrate is to do.
#[derive(Debug)]
pub(in crate::store) struct Plan<'a> {
    /// In order. The last transaction also applies functions, views and grants.
    pub(in crate::store) parts: Vec<Part<'a>>,
    /// Files that are left for later.
    pub(in crate::store) left: Vec<&'a MigrationFile>,
}

impl Plan<'_> {
    /// The newest file that it applies and that contracts the schema.
    pub(in crate::store) fn newest_contract(&self) -> Option<i32> {
        let files = self.parts.iter().flat_map(|part| match part {
            Part::Transaction(files) => files.as_slice(),
            Part::Outside(file) => std::slice::from_ref(file),
        });
        newest_contract(files.copied())
    }
}

/// The newest of these files that contracts the schema.
pub(in crate::store) fn newest_contract<'a>(
    files: impl IntoIterator<Item = &'a MigrationFile>,
) -> Option<i32> {
    let contracting = files.into_iter().filter(|file| file.phase == Phase::Contract);
    contracting.map(MigrationFile::version).max()
}

/// Plans a migrate of a database to which these files were applied, while these instances run.
///
/// # Errors
/// An instance is older than a file that has to be applied; or the schema has to be expanded first.
pub(in crate::store) fn plan<'a>(
    program: &'a Program,
    applied: &BTreeSet<i32>,
    running: &[RunningInstance],
    phases: Phases,
) -> Result<Plan<'a>, StoreError> {
    let mut files = program.missing(applied);
    let after_last_expand =
        files.iter().rposition(|file| file.phase == Phase::Expand).map_or(0, |last| last + 1);
    let end = match phases {
        Phases::Both => files.len(),
        Phases::Contract => {
            let to_expand = files.iter().find(|file| file.phase == Phase::Expand && !file.is_outside);
            if let Some(file) = to_expand {
                return Err(StoreError::Migrate(format!(
                    "nothing was done: {file} expands the schema: run `vitals migrate --expand`, then replace every instance by \
                     this program, then run this"
                )));
            }
            files.len()
        }
        Phases::Allowed if check(&files, running).is_ok() => files.len(),
        Phases::Expand | Phases::Allowed => after_last_expand,
    };
    let left = files.split_off(end);
    check(&files, running)?;
    Ok(Plan { parts: parts(files), left })
}

/// Refuses files that an instance that runs cannot work with.
///
/// # Errors
/// The first file, and the instances that are older.
pub(in crate::store) fn check(
    files: &[&MigrationFile],
    running: &[RunningInstance],
) -> Result<(), StoreError> {
    for file in files.iter().filter(|file| file.phase == Phase::Contract) {
        let older: Vec<String> = running
            .iter()
            .filter(|instance| instance.head < file.version())
            .map(ToString::to_string)
            .collect();
        if !older.is_empty() {
            return Err(StoreError::Migrate(format!(
                "nothing was done: {file} contracts the schema, and older programs run: {}. Replace them by a program that has this \
                 file (before that: `vitals migrate --expand`), or stop them. An instance that was killed counts for {} s",
                older.join(", "),
                RunningInstance::COUNTS_SECONDS
            )));
        }
    }
    Ok(())
}

fn parts(files: Vec<&MigrationFile>) -> Vec<Part<'_>> {
    let (mut parts, mut transaction, mut outside) = (Vec::new(), Vec::new(), Vec::new());
    for file in files {
        if file.is_outside {
            outside.push(file);
            continue;
        }
        if file.phase == Phase::Contract && !outside.is_empty() {
            parts.push(Part::Transaction(std::mem::take(&mut transaction)));
            parts.extend(outside.drain(..).map(Part::Outside));
        }
        transaction.push(file);
    }
    parts.push(Part::Transaction(transaction));
    parts.extend(outside.into_iter().map(Part::Outside));
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Five files: 2 contracts an earlier release, 4 is an index, 5 contracts.
    fn program() -> Program {
        let files = [
            ("V1__a", ""),
            ("V2__b", "-- Phase: contract"),
            ("V3__c", ""),
            ("V4__d", "-- Transaction: none"),
            ("V5__e", "-- Phase: contract"),
        ];
        Program::new("0.3.0", files).expect("understood")
    }

    fn instance(head: i32) -> RunningInstance {
        RunningInstance { name: "a".into(), version: "0.1.0".into(), oldest_schema: head, head, seconds: 1.0 }
    }

    /// The parts, as numbers of files: those of a transaction joined by `+`, those outside of one with `!`; what is left behind `|`.
    fn planned(applied: i32, running: &[i32], phases: Phases) -> Result<String, String> {
        let program = program();
        let running: Vec<_> = running.iter().map(|head| instance(*head)).collect();
        let plan = plan(&program, &(1..=applied).collect(), &running, phases).map_err(|e| e.to_string())?;
        let numbers = |files: &[&MigrationFile]| {
            files.iter().map(|file| file.version().to_string()).collect::<Vec<_>>().join("+")
        };
        let parts = plan.parts.iter().map(|part| match part {
            Part::Transaction(files) => format!("({})", numbers(files)),
            Part::Outside(file) => format!("!{}", file.version()),
        });
        Ok(format!("{}|{}", parts.collect::<String>(), numbers(&plan.left)))
    }

    #[test]
    fn an_expand_stops_before_the_last_contract() {
        assert_eq!(planned(2, &[2], Phases::Expand), Ok("(3)!4|5".into()));
        assert_eq!(planned(0, &[], Phases::Expand), Ok("(1+2+3)!4|5".into()));
        assert_eq!(planned(4, &[2], Phases::Expand), Ok("()|5".into()));
    }

    #[test]
    fn a_contract_waits_for_older_programs_and_for_the_expand() {
        assert_eq!(planned(4, &[5], Phases::Contract), Ok("(5)|".into()));
        assert!(
            planned(4, &[5, 4], Phases::Contract).is_err_and(|error| error.contains("older programs run: a"))
        );
        assert!(planned(2, &[], Phases::Contract).is_err_and(|error| error.contains("--expand")));
        // The index failed.
        assert_eq!(planned(3, &[5], Phases::Contract), Ok("()!4(5)|".into()));
    }

    #[test]
    fn a_release_that_contracts_cannot_be_skipped_while_its_predecessor_runs() {
        assert!(planned(1, &[1], Phases::Expand).is_err_and(|error| error.contains("V2__b")));
        assert_eq!(planned(1, &[2], Phases::Expand), Ok("(2+3)!4|5".into()));
    }

    #[test]
    fn both_phases_have_what_is_built_outside_between_them() {
        assert_eq!(planned(0, &[], Phases::Both), Ok("(1+2+3)!4(5)|".into()));
        assert!(planned(4, &[4], Phases::Both).is_err());
        assert_eq!(planned(5, &[1], Phases::Both), Ok("()|".into()));
    }

    #[test]
    fn a_plan_knows_its_newest_file_that_contracts() {
        let newest = |applied: i32, phases| {
            plan(&program(), &(1..=applied).collect(), &[], phases).map(|plan| plan.newest_contract()).ok()
        };
        assert_eq!(newest(2, Phases::Expand), Some(None), "an expand does not wait for heartbeats");
        assert_eq!(newest(1, Phases::Expand), Some(Some(2)));
        assert_eq!(newest(0, Phases::Both), Some(Some(5)));
        assert_eq!(newest(4, Phases::Contract), Some(Some(5)));
        assert_eq!(newest(5, Phases::Both), Some(None));
    }

    #[test]
    fn what_is_allowed_depends_on_what_runs() {
        assert_eq!(planned(4, &[4], Phases::Allowed), Ok("()|5".into()));
        assert_eq!(planned(4, &[], Phases::Allowed), Ok("(5)|".into()));
    }
}
