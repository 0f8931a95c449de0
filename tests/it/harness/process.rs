//! The real binary as a process of its own, for signals and exit codes.

use std::process::{ExitStatus, Stdio};

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStderr, Command};

use super::{Database, PATIENCE};

/// What a command said, and its exit code.
#[derive(Debug)]
pub struct Said {
    pub code: i32,
    pub out: String,
    pub err: String,
}

/// Runs the real binary to its end.
pub async fn vitals(database: &Database, arguments: &[&str]) -> Said {
    let running = command(database, arguments).stdin(Stdio::null()).kill_on_drop(true).output();
    let output = tokio::time::timeout(PATIENCE, running).await.expect("ends in time").expect("it can be run");
    Said {
        code: output.status.code().expect("not by a signal"),
        out: String::from_utf8(output.stdout).expect("text"),
        err: String::from_utf8(output.stderr).expect("text"),
    }
}

/// The real binary on this database.
pub fn command(database: &Database, arguments: &[&str]) -> Command {
    let settings = database.settings();
    let mut command = Command::new(env!("CARGO_BIN_EXE_vitals"));
    command
        .args(arguments)
        .env("VITALS_DATABASE_URL", &settings.database_url)
        .env("VITALS_REDIS_URL", &settings.redis_url);
    command
}

/// A running `vitals serve`.
pub struct Process {
    child: Child,
    log: Lines<BufReader<ChildStderr>>,
    /// Where it listens.
    pub url: String,
}

impl Process {
    /// Starts it and waits until it serves.
    pub async fn serve(database: &Database, variables: &[(&str, &str)]) -> Self {
        let mut child = command(database, &["serve"])
            .env("VITALS_LISTEN", "127.0.0.1:0")
            .env("VITALS_LOG_FORMAT", "json")
            .envs(variables.iter().copied())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the binary can be run");
        let mut log = BufReader::new(child.stderr.take().expect("piped")).lines();
        let waiting = async {
            let mut said = String::new();
            while let Some(line) = log.next_line().await.expect("text") {
                let event: Value = serde_json::from_str(&line).unwrap_or_default();
                if event["fields"]["message"] == "serving" {
                    return format!("http://{}", event["fields"]["address"].as_str().expect("an address"));
                }
                said.push_str(&line);
            }
            panic!("ended before it served: {said}");
        };
        let url = tokio::time::timeout(PATIENCE, waiting).await.expect("serves in time");
        Self { child, log, url }
    }

    /// Sends a signal by name, such as `TERM`.
    pub fn signal(&self, name: &str) {
        let id = self.child.id().expect("it runs").to_string();
        let sent = std::process::Command::new("kill").args([&format!("-{name}"), &id]).status();
        assert!(sent.expect("kill can be run").success());
    }

    /// The most memory it has had in RAM so far.
    pub fn peak_memory_bytes(&self) -> u64 {
        let id = self.child.id().expect("it runs");
        let status = std::fs::read_to_string(format!("/proc/{id}/status")).expect("the system tells");
        let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("the most memory");
        line.split_whitespace().nth(1).expect("a figure").parse::<u64>().expect("kibibytes") * 1024
    }

    /// Waits for its end.
    pub async fn ended(mut self) -> ExitStatus {
        let ending = async {
            // The pipe must not fill while it ends.
            while let Ok(Some(_)) = self.log.next_line().await {}
            self.child.wait().await.expect("a status")
        };
        tokio::time::timeout(PATIENCE, ending).await.expect("ends in time")
    }
}
