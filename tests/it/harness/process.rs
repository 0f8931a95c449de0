//! The real binary as a child process, for signals and exit codes.

use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;

use super::{Database, START_TIMEOUT, TIMEOUT};

/// The exit code and the output of a command.
#[derive(Debug)]
pub struct CommandOutput {
    pub code: i32,
    pub out: String,
    pub err: String,
}

/// Runs the real binary to its end.
pub async fn vitals(database: &Database, arguments: &[&str]) -> CommandOutput {
    vitals_with(database, arguments, &[]).await
}

/// The same with further variables.
pub async fn vitals_with(
    database: &Database,
    arguments: &[&str],
    variables: &[(&str, &str)],
) -> CommandOutput {
    let mut command = command(database, arguments);
    let running = command.envs(variables.iter().copied()).stdin(Stdio::null()).kill_on_drop(true).output();
    let output = tokio::time::timeout(TIMEOUT, running).await.expect("ends in time").expect("it can be run");
    CommandOutput {
        code: output.status.code().expect("not by a signal"),
        out: String::from_utf8(output.stdout).expect("text"),
        err: String::from_utf8(output.stderr).expect("text"),
    }
}

/// The real binary on this database.
pub fn command(database: &Database, arguments: &[&str]) -> Command {
    command_of(env!("CARGO_BIN_EXE_vitals"), database, arguments)
}

/// A binary, perhaps that of another release, on this database.
pub fn command_of(program: &str, database: &Database, arguments: &[&str]) -> Command {
    let settings = database.settings();
    let mut command = Command::new(program);
    command
        .args(arguments)
        .env("LC_ALL", "C")
        .env("VITALS_DATABASE_URL", &settings.database_url)
        .env("VITALS_REDIS_URL", &settings.redis_url);
    command
}

/// A running `vitals serve`.
pub struct Process {
    child: Child,
    log: JoinHandle<()>,
    log_lines: Arc<Mutex<Vec<String>>>,
    /// The URL it listens on.
    pub url: String,
}

impl Process {
    /// Starts it and waits until it serves.
    pub async fn serve(database: &Database, variables: &[(&str, &str)]) -> Self {
        let starting = Self::try_serve(database, variables);
        let started = tokio::time::timeout(START_TIMEOUT, starting).await.expect("serves in time");
        started.unwrap_or_else(|log_lines| panic!("ended before it served: {log_lines}"))
    }

    /// Starts it and waits until it serves; if it ends before that, gives its log.
    pub async fn try_serve(database: &Database, variables: &[(&str, &str)]) -> Result<Self, String> {
        Self::try_serve_of(env!("CARGO_BIN_EXE_vitals"), database, variables).await
    }

    /// The same of a binary that may be that of another release.
    pub async fn try_serve_of(
        program: &str,
        database: &Database,
        variables: &[(&str, &str)],
    ) -> Result<Self, String> {
        let mut child = command_of(program, database, &["serve"])
            .env("VITALS_LISTEN", "127.0.0.1:0")
            .env("VITALS_LOG_FORMAT", "json")
            .envs(variables.iter().copied())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the binary can be run");
        let mut log = BufReader::new(child.stderr.take().expect("piped")).lines();
        let log_lines: Arc<Mutex<Vec<String>>> = Arc::default();
        let url = loop {
            let Some(line) = log.next_line().await.expect("text") else {
                return Err(log_lines.lock().expect("whole").join("\n"));
            };
            let event: Value = serde_json::from_str(&line).unwrap_or_default();
            log_lines.lock().expect("whole").push(line);
            if event["fields"]["message"] == "serving" {
                break format!("http://{}", event["fields"]["address"].as_str().expect("an address"));
            }
        };
        // Read continuously: a full pipe would block the service.
        let keep = Arc::clone(&log_lines);
        let log = tokio::spawn(async move {
            while let Ok(Some(line)) = log.next_line().await {
                keep.lock().expect("whole").push(line);
            }
        });
        Ok(Self { child, log, log_lines, url })
    }

    /// Sends a signal by name, such as `TERM`.
    pub fn signal(&self, name: &str) {
        let id = self.child.id().expect("it runs").to_string();
        let sent = std::process::Command::new("kill").args([&format!("-{name}"), &id]).status();
        assert!(sent.expect("kill can be run").success());
    }

    /// Whether it has ended, and how.
    pub fn has_ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("a status")
    }

    /// The lines of its log since the start.
    pub fn log_lines(&self) -> Vec<String> {
        self.log_lines.lock().expect("whole").clone()
    }

    /// The most memory it has had in RAM so far.
    pub fn peak_memory_bytes(&self) -> u64 {
        let id = self.child.id().expect("it runs");
        let status = std::fs::read_to_string(format!("/proc/{id}/status")).expect("the system has it");
        let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("the most memory");
        line.split_whitespace().nth(1).expect("a figure").parse::<u64>().expect("kibibytes") * 1024
    }

    /// Waits for its end.
    pub async fn ended(self) -> ExitStatus {
        self.ended_with_log().await.0
    }

    /// Waits for its end; gives its log, too.
    pub async fn ended_with_log(mut self) -> (ExitStatus, String) {
        let ending = async {
            let status = self.child.wait().await.expect("a status");
            self.log.await.expect("read to its end");
            (status, self.log_lines.lock().expect("whole").join("\n"))
        };
        tokio::time::timeout(TIMEOUT, ending).await.expect("ends in time")
    }
}
