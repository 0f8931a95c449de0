//! A reader of a document who does what it says: runs its shell and its SQL, in order, in something that looks like a clone.
//!
//! The folder of a reader has the files of the tree, and programs before those of the machine: `vitals` is the program under test on
//! the database of the reader, `psql`, `redis-cli` and `curl` mean the servers and the service of this test, and what would take minutes
//! or start a second service (`cargo`, `docker`, `vitals serve`) is checked by its arguments.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::Value;

use super::markdown::{Block, Document, Marker, ROOT};
use crate::harness::{Database, Service, TIMEOUT};

/// What a shell finds first. `$1` and so on are the arguments of the program.
const PROGRAMS: [(&str, &str); 10] = [
    ("vitals", include_str!("programs/vitals.sh")),
    ("curl", include_str!("programs/curl.sh")),
    ("psql", include_str!("programs/psql.sh")),
    ("redis-cli", include_str!("programs/redis-cli.sh")),
    ("docker", include_str!("programs/docker.sh")),
    ("cargo", include_str!("programs/cargo.sh")),
    ("promtool", include_str!("programs/promtool.sh")),
    ("apt-get", "[ \"$1\" = install ]"),
    ("stack", include_str!("programs/stack.sh")),
    ("script-of-the-tree", include_str!("programs/script-of-the-tree.sh")),
];

/// Programs of the tree that take minutes.
const SCRIPTS: [&str; 7] = [
    ".ci/run",
    ".ci/dependencies",
    "benches/run",
    "benches/door",
    "tests/soak",
    "tests/upgrade",
    "tests/schemathesis.sh",
];

/// Somebody who has the tree, a database and a running service.
pub(super) struct Reader {
    pub(super) database: Database,
    pub(super) service: Service,
    folder: PathBuf,
    roles: Vec<String>,
    /// Blocks that were run.
    pub(super) ran: usize,
    /// What the last shell block printed.
    printed: String,
}

impl Reader {
    /// Somebody who is about to read a document.
    pub(super) async fn of(document: &Document) -> Self {
        let database = Database::new().await;
        let folder = std::env::temp_dir().join(format!("{}_reader", database.name()));
        clone_into(&folder);
        let roles = document.comments("roles");
        let service = Service::start(&database).await;
        let reader = Self { database, service, folder, roles, ran: 0, printed: String::new() };
        reader.drop_roles().await;
        reader
    }

    /// Does what a block says.
    pub(super) async fn follow(&mut self, block: &Block) {
        if block.marker.is_some() {
            return;
        }
        match block.language.as_str() {
            "sh" => self.printed = self.shell(block, &block.text).await,
            "sql" => {
                std::fs::write(self.folder.join("block.sql"), &block.text).expect("written");
                self.shell(block, "psql \"$VITALS_DATABASE_URL\" -f block.sql").await;
            }
            "json" => {
                let shown: Value = serde_json::from_str(&block.text)
                    .unwrap_or_else(|error| panic!("{}: {error}", block.place));
                // What a command printed just before is what the document shows.
                if let Ok(printed) = serde_json::from_str::<Value>(&self.printed) {
                    assert_eq!(printed, shown, "{}", block.place);
                }
                return;
            }
            "toml" => {
                toml::from_str::<toml::Table>(&block.text)
                    .unwrap_or_else(|error| panic!("{}: {error}", block.place));
                return;
            }
            "text" | "mermaid" => return,
            other => panic!("{}: nobody runs a block of {other}", block.place),
        }
        self.ran += 1;
        // Somebody who types takes longer than the reaction.
        self.service.drained().await;
    }

    /// Runs lines of a shell until one fails; gives what they printed.
    async fn shell(&self, block: &Block, text: &str) -> String {
        let settings = self.database.settings();
        let path = std::env::var("PATH").expect("a PATH");
        let running = tokio::process::Command::new("bash")
            .args(["-euo", "pipefail", "-c", text])
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .env("PATH", format!("{}:{path}", self.folder.join(".programs").display()))
            .env("VITALS_DATABASE_URL", &settings.database_url)
            .env("VITALS_REDIS_URL", &settings.redis_url)
            // Not VITALS_…: the program refuses what it does not know.
            .env("READER_ROOT", ROOT)
            .env("READER_PATH", &path)
            .env("READER_VITALS", env!("CARGO_BIN_EXE_vitals"))
            .env("READER_DATABASE", self.database.name())
            .env("READER_DATABASE_URL", &settings.database_url)
            .env("READER_REDIS_URL", &settings.redis_url)
            .env("READER_SERVICE", self.service.url())
            .env("READER_GIVEN", std::env::var_os("VITALS_DATABASE_URL").map_or("", |_| "given"))
            .output();
        let output =
            tokio::time::timeout(TIMEOUT, running).await.expect("ends in time").expect("bash can be run");
        let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (out, err) = (said(&output.stdout), said(&output.stderr));
        assert!(output.status.success(), "{}\n{}\n{out}\n{err}", block.place, block.text);
        out
    }

    /// Drops the roles that the document has its reader create; they are the server's, not the database's.
    async fn drop_roles(&self) {
        let client = self.database.client().await;
        for role in &self.roles {
            client.batch_execute(&format!("drop role if exists {role}")).await.expect("it owns nothing");
        }
    }

    /// Puts the document away.
    pub(super) async fn finish(self) {
        self.drop_roles().await;
        std::fs::remove_dir_all(&self.folder).expect("removed");
        self.service.finish().await;
    }
}

/// Files of the tree, with programs of ours for those that take minutes.
fn clone_into(folder: &Path) {
    let programs = folder.join(".programs");
    std::fs::create_dir_all(&programs).expect("a folder");
    for (name, text) in PROGRAMS {
        let file = programs.join(name);
        std::fs::write(&file, format!("#!/bin/bash\nset -euo pipefail\n{text}\n")).expect("written");
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).expect("made a program");
    }
    for name in ["sql", "src", "migrations", "Cargo.toml"] {
        symlink(Path::new(ROOT).join(name), folder.join(name)).expect("linked");
    }
    let copied = std::process::Command::new("cp")
        .args(["-R", &format!("{ROOT}/docker"), "."])
        .current_dir(folder)
        .status();
    assert!(copied.expect("cp can be run").success());
    std::fs::remove_file(folder.join("docker/stack")).expect("removed");
    symlink(programs.join("stack"), folder.join("docker/stack")).expect("linked");
    for script in SCRIPTS {
        let place = folder.join(script);
        std::fs::create_dir_all(place.parent().expect("a folder")).expect("a folder");
        symlink(programs.join("script-of-the-tree"), place).expect("linked");
    }
}

/// Blocks that nobody runs, with the reason.
pub(super) fn not_run(document: &Document) -> impl Iterator<Item = (&str, &str)> {
    document.blocks().filter_map(|block| match &block.marker {
        Some(Marker::NotRun(reason)) => Some((block.place.as_str(), reason.as_str())),
        _ => None,
    })
}
