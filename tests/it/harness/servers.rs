//! The servers tests run against: those the environment names, else those of `docker/stack`.
//!
//! A stack that was brought up here is taken down when the test process has ended.
//!
//! [`DisposableServers`] are further servers, for the tests alone, that may be stopped, killed and filled up.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use tokio::sync::{Mutex, MutexGuard};
use tokio::task::spawn_blocking;

use super::certificates;

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
        let was_up = status(&mut stack()).is_some();
        let environment = run(stack().arg("up")).expect("docker/stack up failed; its output is above");
        if !was_up {
            take_down_afterwards(&mut stack());
        }
        Servers::named_in(&environment)
    })
}

/// A PostgreSQL and a Redis that one test at a time may do anything to. They are removed when the test process has ended.
pub struct DisposableServers {
    _lock: MutexGuard<'static, ()>,
    pub servers: &'static Servers,
}

/// A command that becomes a further Redis of the stack. `None`, after printing why: only a stack of `docker/stack` itself starts any.
pub(super) fn redis_server() -> Option<Command> {
    servers();
    if !status(&mut stack()).is_some_and(|status| status.contains("private Debian")) {
        eprintln!(
            "skipped: further servers cannot be started (VITALS_STACK_KIND=private brings up a stack that starts some)"
        );
        return None;
    }
    let mut command = stack();
    command.arg("redis-server");
    Some(command)
}

impl DisposableServers {
    /// Waits for their lock and brings both up. `None`, after printing why: only servers of `docker/stack` itself can be brought
    /// up a second time.
    pub async fn bring_up() -> Option<Self> {
        static LOCK: Mutex<()> = Mutex::const_new(());
        static SERVERS: OnceLock<Option<Servers>> = OnceLock::new();
        let lock = LOCK.lock().await;
        let bring = move || {
            let first = status(&mut stack()).filter(|status| status.contains("private Debian"));
            let Some(environment) = first.and_then(|_| run(disposable_stack().arg("up"))) else {
                eprintln!(
                    "skipped: these servers cannot be stopped (VITALS_STACK_KIND=private brings up some that can)"
                );
                return None;
            };
            take_down_afterwards(&mut disposable_stack());
            Some(Servers::named_in(&environment))
        };
        let servers = spawn_blocking(move || {
            servers();
            SERVERS.get_or_init(bring).as_ref()
        });
        let servers = servers.await.expect("no panic")?;
        let disposable = Self { _lock: lock, servers };
        // A test that failed may have left them in any state.
        disposable.free().await;
        disposable.set_clock(0).await;
        disposable.start().await;
        Some(disposable)
    }

    /// The variables that make `docker/stack` manage these servers.
    pub fn environment() -> [(&'static str, String); 3] {
        let name = format!("victims-{}", std::process::id());
        [
            ("VITALS_STACK_NAME", name),
            ("VITALS_STACK_KIND", "private".to_owned()),
            ("VITALS_STACK_DATA_MIB", "512".to_owned()),
        ]
    }

    /// Stops `postgres` or `redis` with a signal: INT is fast, QUIT immediate, KILL a crash. It has ended afterwards.
    pub async fn stop(&self, server: &'static str, signal: &'static str) {
        self.run_stack(vec!["stop", server, signal]).await;
    }

    /// Fills the remaining disk space of PostgreSQL.
    pub async fn fill(&self) {
        self.run_stack(vec!["fill"]).await;
    }

    /// Frees the disk space.
    pub async fn free(&self) {
        self.run_stack(vec!["free"]).await;
    }

    /// Puts PostgreSQL's clock so many seconds ahead of the true time; timers go on as they were. False where libfaketime is
    /// missing.
    pub async fn set_clock(&self, seconds: i64) -> bool {
        let seconds = seconds.to_string();
        let set = move || output(disposable_stack().args(["clock", &seconds]).stderr(Stdio::null()));
        spawn_blocking(set).await.expect("no panic").is_some()
    }

    /// Starts what was stopped, and waits until both answer.
    pub async fn start(&self) {
        self.run_stack(vec!["up"]).await;
    }

    async fn run_stack(&self, words: Vec<&'static str>) {
        let failure = format!("docker/stack {words:?} failed; its output is above");
        let done = spawn_blocking(move || run(disposable_stack().args(words)));
        assert!(done.await.expect("no panic").is_some(), "{failure}");
    }
}

/// A PostgreSQL and a Redis that speak TLS too, under the name `localhost`, with a certificate of a CA that nobody else trusts.
/// They are removed when the test process has ended.
#[derive(Debug)]
pub struct Encrypted {
    /// Plain, for the harness.
    pub servers: Servers,
    /// The same Redis with TLS.
    pub rediss_url: String,
    folder: PathBuf,
}

impl Encrypted {
    /// Brings them up on first use. `None`, after printing why: only servers of `docker/stack` itself get certificates.
    pub async fn bring_up() -> Option<&'static Self> {
        static SERVERS: OnceLock<Option<Encrypted>> = OnceLock::new();
        let bring = || {
            let first = status(&mut stack()).filter(|status| status.contains("private Debian"));
            let folder = certificates::make();
            let Some(environment) = first.and_then(|_| run(encrypted_stack(&folder).arg("up"))) else {
                eprintln!(
                    "skipped: these servers have no certificates (VITALS_STACK_KIND=private brings up some that have)"
                );
                return None;
            };
            take_down_afterwards(&mut encrypted_stack(&folder));
            let rediss_url = value(&environment, "VITALS_STACK_REDIS_TLS_URL");
            Some(Encrypted { servers: Servers::named_in(&environment), rediss_url, folder })
        };
        let up = move || {
            servers();
            SERVERS.get_or_init(bring).as_ref()
        };
        spawn_blocking(up).await.expect("no panic")
    }

    /// A file such as `ca.pem`, `client.pem`, `client.key`; those of another CA begin with `other-`.
    pub fn file(&self, name: &str) -> String {
        self.folder.join(name).to_string_lossy().into_owned()
    }
}

fn encrypted_stack(folder: &Path) -> Command {
    let mut command = disposable_stack();
    command
        .env("VITALS_STACK_NAME", format!("encrypted-{}", std::process::id()))
        .env("VITALS_STACK_TLS", folder)
        .env_remove("VITALS_STACK_DATA_MIB");
    command
}

impl Servers {
    fn named_in(environment: &str) -> Self {
        Self {
            database_url: value(environment, "VITALS_DATABASE_URL"),
            redis_url: value(environment, "VITALS_REDIS_URL"),
        }
    }
}

fn stack() -> Command {
    Command::new(STACK)
}

/// 512 MiB hold some hundred rounds of `tests/soak`, and are filled in a moment.
pub(super) fn disposable_stack() -> Command {
    let mut command = stack();
    command
        .envs(DisposableServers::environment())
        .env_remove("VITALS_DATABASE_URL")
        .env_remove("VITALS_REDIS_URL");
    command
}

fn status(stack: &mut Command) -> Option<String> {
    output(stack.arg("status").stderr(Stdio::null()))
}

fn run(stack: &mut Command) -> Option<String> {
    output(stack.stderr(Stdio::inherit()))
}

fn output(stack: &mut Command) -> Option<String> {
    let output = stack.stdin(Stdio::null()).output().expect("docker/stack can be run");
    output.status.success().then(|| String::from_utf8(output.stdout).expect("text"))
}

fn take_down_afterwards(stack: &mut Command) {
    let wait = format!("tail --pid={} -f /dev/null; exec '{STACK}' down", std::process::id());
    let mut watching = Command::new("setsid");
    for (name, value) in stack.get_envs() {
        match value {
            Some(value) => watching.env(name, value),
            None => watching.env_remove(name),
        };
    }
    let watching = watching
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
        .unwrap_or_else(|| panic!("docker/stack up does not print {name}: {environment}"))
}
