//! The servers tests run against: those the environment names, else those of `docker/stack`.
//!
//! A stack that was brought up here is taken down when the test process has ended.

use std::process::{Command, Stdio};
use std::sync::OnceLock;

const STACK: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docker/stack");

#[derive(Debug)]
pub struct Servers {
    pub database_url: String,
    pub redis_url: String,
}

/// The servers, brought up on first use.
pub fn servers() -> &'static Servers {
    static SERVERS: OnceLock<Servers> = OnceLock::new();
    SERVERS.get_or_init(|| {
        let was_up = run("status").is_some();
        let environment = run("up").expect("docker/stack up failed; its words are above");
        if !was_up {
            take_down_afterwards();
        }
        Servers {
            database_url: value(&environment, "VITALS_DATABASE_URL"),
            redis_url: value(&environment, "VITALS_REDIS_URL"),
        }
    })
}

fn run(verb: &str) -> Option<String> {
    let mut command = Command::new(STACK);
    command.arg(verb).stdin(Stdio::null());
    if verb == "status" {
        command.stderr(Stdio::null());
    }
    let output = command.stderr(Stdio::inherit()).output().expect("docker/stack can be run");
    output.status.success().then(|| String::from_utf8(output.stdout).expect("text"))
}

fn take_down_afterwards() {
    let wait = format!("tail --pid={} -f /dev/null; exec '{STACK}' down", std::process::id());
    let watching = Command::new("setsid")
        .args(["--fork", "bash", "-c", &wait])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    assert!(watching.is_ok_and(|status| status.success()), "a watcher takes the stack down");
}

fn value(environment: &str, name: &str) -> String {
    environment
        .lines()
        .filter_map(|line| line.trim().strip_prefix("export "))
        .filter_map(|line| line.split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value.trim_matches(['\'', '"']).to_owned())
        .unwrap_or_else(|| panic!("docker/stack up says nothing of {name}: {environment}"))
}
