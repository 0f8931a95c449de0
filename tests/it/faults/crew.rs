//! Services as processes, each with cables and a clock of its own, and a supervisor that starts again what has died.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::harness::{Database, Process, Proxy, START_TIMEOUT, eventually_within};

use super::load::Doors;

/// How long a service waits for a connection, and `/readyz` for an answer.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// A place in which a service runs, or is to run again.
pub struct Post {
    pub database: Proxy,
    pub redis: Proxy,
    pub clock: Clock,
    variables: Vec<(&'static str, String)>,
    pub process: Option<Process>,
}

/// The instances, and where they listen.
pub struct Crew {
    pub posts: Vec<Post>,
    pub doors: Doors,
}

impl Crew {
    pub async fn create(database: &Database, instances: usize) -> Self {
        Self::create_with(database, instances, &[]).await
    }

    /// The same, of instances with further variables.
    pub async fn create_with(
        database: &Database,
        instances: usize,
        variables: &[(&'static str, String)],
    ) -> Self {
        let mut posts = Vec::new();
        for _ in 0..instances {
            let mut post = Post::new(database).await;
            post.variables.extend(variables.iter().cloned());
            posts.push(post);
        }
        Self { posts, doors: Arc::default() }
    }

    /// Starts what does not run, as a supervisor does: again and again until it serves.
    pub async fn start(&mut self, number: usize, database: &Database) {
        let post = &mut self.posts[number];
        if post.process.is_some() {
            return;
        }
        let variables: Vec<(&str, &str)> =
            post.variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let started = eventually_within(START_TIMEOUT, "a service starts", || async {
            Process::try_serve(database, &variables).await.ok()
        });
        post.process = Some(started.await);
        self.open_doors();
    }

    /// Ends one by a signal; what it said is held against it. `Err`: it did not end as it should have.
    pub async fn end(&mut self, number: usize, signal: &str) -> Result<(), String> {
        let Some(process) = self.posts[number].process.take() else { return Ok(()) };
        self.open_doors();
        process.signal(signal);
        let faults = faults(&process);
        let status = process.ended().await;
        match faults {
            Some(words) => Err(words),
            None if signal == "TERM" && !status.success() => Err(format!("SIGTERM ended with {status}")),
            None => Ok(()),
        }
    }

    /// Whether every process that should run does, and none has said that a task of it failed.
    pub fn check(&mut self) -> Result<(), String> {
        for process in self.posts.iter_mut().filter_map(|post| post.process.as_mut()) {
            if let Some(status) = process.has_ended() {
                return Err(format!("ended by itself with {status}: {}", process.log_lines().join("\n")));
            }
            if let Some(words) = faults(process) {
                return Err(words);
            }
        }
        Ok(())
    }

    /// The last lines that each process logged.
    pub fn log_tail(&self, lines: usize) -> String {
        let mut tail = Vec::new();
        for process in self.posts.iter().filter_map(|post| post.process.as_ref()) {
            let logged = process.log_lines();
            tail.push(format!("{}:", process.url));
            tail.extend(logged[logged.len().saturating_sub(lines)..].iter().cloned());
        }
        tail.join("\n")
    }

    fn open_doors(&self) {
        let running = self.posts.iter().filter_map(|post| post.process.as_ref());
        *self.doors.lock().expect("whole") = running.map(|process| process.url.clone()).collect();
    }
}

/// Words of a process that speak of a task that is dead.
fn faults(process: &Process) -> Option<String> {
    let said = process.log_lines();
    said.into_iter()
        .find(|line| ["panicked", "ended by itself", "broke off"].iter().any(|word| line.contains(word)))
}

impl Post {
    async fn new(database: &Database) -> Self {
        let (database_cable, database_url) = Proxy::before(&database.url()).await;
        let (redis_cable, redis_url) = Proxy::before(&database.redis_url()).await;
        let clock = Clock::new();
        let mut variables = vec![
            ("VITALS_DATABASE_URL", database_url),
            ("VITALS_REDIS_URL", redis_url),
            // As in containers, where each is process 1 and nobody named it.
            ("VITALS_INSTANCE", "pid-1".to_owned()),
            ("VITALS_NOTIFY_WEBHOOK_ALLOW_PRIVATE", "true".to_owned()),
        ];
        // Short, so that a round has time for what follows from them.
        for (name, value) in [
            ("VITALS_CONNECT_TIMEOUT_MS", CONNECT_TIMEOUT.as_millis()),
            ("VITALS_STATEMENT_TIMEOUT_MS", 4000),
            ("VITALS_COMMIT_DEADLINE_MS", 3000),
            ("VITALS_LEASE_SECONDS", 1),
            ("VITALS_POLL_INTERVAL_MS", 100),
            ("VITALS_VIEW_CHECK_INTERVAL_MS", 200),
            ("VITALS_NOTIFY_TIMEOUT_MS", 1000),
        ] {
            variables.push((name, value.to_string()));
        }
        variables.extend(clock.variables());
        Self { database: database_cable, redis: redis_cable, clock, variables, process: None }
    }
}

/// The wall clock of one process, which can be put forward and back; timers go on as they were. Needs libfaketime.
pub struct Clock {
    file: PathBuf,
    library: Option<PathBuf>,
}

impl Clock {
    pub fn new() -> Self {
        let name = format!("vitals-test-clock-{}-{:x}", std::process::id(), rand::random::<u64>());
        let clock = Self { file: std::env::temp_dir().join(name), library: library() };
        clock.set(0);
        clock
    }

    pub fn can_be_set(&self) -> bool {
        self.library.is_some()
    }

    /// So many seconds ahead of the true time.
    pub fn set(&self, seconds: i64) {
        // Renamed into place: it is read at any moment.
        let new = self.file.with_extension("new");
        std::fs::write(&new, format!("{seconds:+}")).expect("written");
        std::fs::rename(&new, &self.file).expect("renamed");
    }

    pub fn variables(&self) -> Vec<(&'static str, String)> {
        let Some(library) = &self.library else { return Vec::new() };
        vec![
            ("LD_PRELOAD", library.display().to_string()),
            ("FAKETIME_TIMESTAMP_FILE", self.file.display().to_string()),
            ("FAKETIME_NO_CACHE", "1".to_owned()),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
            ("DONT_FAKE_MONOTONIC", "1".to_owned()),
        ]
    }
}

impl Drop for Clock {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.file);
    }
}

/// Where Debian's package `libfaketime` puts it.
fn library() -> Option<PathBuf> {
    let machines = std::fs::read_dir("/usr/lib").ok()?;
    let places = machines.flatten().map(|machine| machine.path().join("faketime/libfaketime.so.1"));
    places.into_iter().find(|place| place.exists())
}
