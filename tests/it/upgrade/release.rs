//! The contract with the programs of the previous release: the functions that they call with their results, the columns, and the grants of
//! their role. `tests/snapshots/releases` has them as they were at each release.
//!
//! A function that has to change its parameters or its result gets a new name; the old one stays until a later release. The file of the
//! version in Cargo.toml, which is not released yet, is written anew by UPDATE_SNAPSHOTS=1; the others never change.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use vitals::store::migrate::Phases;
use vitals::store::program::Program;
use vitals::store::roles;

use super::{ROOT, migrate};
use crate::harness::Database;

const DESCRIBE: &str = include_str!("release.sql");
const THIS: &str = env!("CARGO_PKG_VERSION");

/// A file of `tests/snapshots/releases`.
struct RecordedRelease {
    version: Vec<u32>,
    /// The newest migration of its program.
    head: i32,
    lines: BTreeSet<String>,
}

fn numbers(version: &str) -> Vec<u32> {
    version.split('.').map(|number| number.parse().expect("a number")).collect()
}

fn folder() -> PathBuf {
    Path::new(ROOT).join("tests/snapshots/releases")
}

/// The releases, the oldest first.
fn recorded() -> Vec<RecordedRelease> {
    let mut releases: Vec<_> = std::fs::read_dir(folder())
        .expect("a folder")
        .map(|file| {
            let path = file.expect("a file").path();
            let text = std::fs::read_to_string(&path).expect("text");
            let (first, lines) = text.split_once('\n').expect("lines");
            RecordedRelease {
                version: numbers(&path.file_stem().expect("a name").to_string_lossy()),
                head: first.rsplit('V').next().expect("a number").parse().expect("a number"),
                lines: lines.lines().map(str::to_owned).collect(),
            }
        })
        .collect();
    releases.sort_by(|a, b| a.version.cmp(&b.version));
    releases
}

/// The newest migration of the last release before the version of Cargo.toml. 0: none.
pub(super) fn last_released() -> i32 {
    let before = recorded().into_iter().rfind(|release| release.version < numbers(THIS));
    before.map_or(0, |release| release.head)
}

/// The texts of a folder in which statements are, without comments.
fn code_in(folder: &Path, code: &mut String) {
    for file in std::fs::read_dir(folder).expect("a folder") {
        let path = file.expect("a file").path();
        if path.is_dir() {
            code_in(&path, code);
        } else if path.extension().is_some_and(|kind| kind == "sql" || kind == "rs") {
            let text = std::fs::read_to_string(&path).expect("text");
            for line in text.lines().filter(|line| !line.trim_start().starts_with(['-', '/'])) {
                code.push_str(line);
                code.push('\n');
            }
        }
    }
}

/// Whether a statement of the program calls the function.
fn is_called(code: &str, space: &str, name: &str) -> bool {
    let qualified = code.contains(&format!("{space}.{name}("));
    let is_inside_a_name = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
    let alone =
        || code.match_indices(&format!("{name}(")).any(|(at, _)| !code[..at].ends_with(is_inside_a_name));
    qualified || space == "public" && alone()
}

/// What this program uses of a schema that was expanded and not contracted.
async fn used() -> BTreeSet<String> {
    let database = Database::empty("Asia/Shanghai").await;
    migrate(&database, Program::this(), Phases::Expand).await.expect("migrates");
    roles::apply(&database.settings()).await.expect("roles");
    let mut code = String::new();
    for folder in ["sql/queries", "sql/dashboards", "src"] {
        code_in(&Path::new(ROOT).join(folder), &mut code);
    }
    let rows = database.client().await.query(DESCRIBE, &[]).await.expect("a description");
    rows.iter()
        .filter(|row| {
            row.get::<_, &str>("kind") != "function" || is_called(&code, row.get("space"), row.get("name"))
        })
        .map(|row| row.get("line"))
        .collect()
}

#[tokio::test]
async fn what_the_previous_release_uses_is_still_there() {
    let used = used().await;
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        let lines: Vec<&str> = used.iter().map(String::as_str).collect();
        let text =
            format!("vitals {THIS}, migrations up to V{}\n{}\n", Program::this().head(), lines.join("\n"));
        std::fs::write(folder().join(format!("{THIS}.txt")), text).expect("written");
    }
    let releases = recorded();
    let before = releases.iter().rfind(|release| release.version < numbers(THIS));
    let own = releases.iter().find(|release| release.version == numbers(THIS));
    if let Some(release) = before {
        let lost: Vec<&String> = release.lines.difference(&used).collect();
        assert!(
            lost.is_empty(),
            "programs of {:?} use {lost:#?}: keep it, and add the new one",
            release.version
        );
    }
    if let Some(release) = own {
        let lost: Vec<&String> = release.lines.difference(&used).collect();
        assert!(
            lost.is_empty(),
            "{lost:#?}; {THIS} is not released: UPDATE_SNAPSHOTS=1 writes its file for review"
        );
    }
    assert!(before.or(own).is_some(), "UPDATE_SNAPSHOTS=1 writes the first release");
}
