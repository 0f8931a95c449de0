//! The servers of the demo: `docker/stack up` and `down`.
//!
//! Before: `mod`. After: the service, with the URLs that the script prints.
//! Promise: servers that were up before, or that the settings name, are left up; servers brought up here are taken
//! down again unless they are to be kept; one demo of a clone at a time.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::io::AsyncReadExt;
use tokio::process::{Child, Command};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::Interrupted;
use crate::config::Settings;

/// Variables that name the servers, both for the script and in its output.
const DATABASE: &str = "VITALS_DATABASE_URL";
const REDIS: &str = "VITALS_REDIS_URL";
/// Ctrl-C in a terminal reaches the script, too; it gets this long to end by itself before it gets SIGTERM.
const ENDS_BY_ITSELF: Duration = Duration::from_secs(5);
const STOP_TIMEOUT: Duration = Duration::from_secs(15);
const TAKEN_DOWN: Duration = Duration::from_secs(60);

/// The servers, and who answers for them.
#[derive(Debug)]
pub(super) struct Stack {
    script: Script,
    is_ours: bool,
    _only_demo: Option<File>,
}

/// `docker/stack`, with what the settings name.
#[derive(Debug)]
struct Script {
    path: PathBuf,
    given: Vec<(&'static str, String)>,
}

impl Stack {
    /// Brings up what is not up, and writes the URLs into the settings.
    ///
    /// # Errors
    /// Another demo runs here, the script fails (it has said why), or [`Interrupted`], with everything down again.
    pub(super) async fn up(settings: &mut Settings, stop: &CancellationToken) -> anyhow::Result<Self> {
        let script = Script::find(settings)?;
        let only_demo = only_demo_here(&script.path)?;
        let was_up =
            script.command("status").stdout(Stdio::null()).stderr(Stdio::null()).status().await?.success();
        let stack = Self { script, is_ours: !was_up, _only_demo: only_demo };
        let brought_up = stack.script.up(stop).await;
        let urls = match brought_up.and_then(|output| Urls::read(&output)) {
            Ok(urls) => urls,
            Err(error) => {
                stack.down().await?;
                return Err(error);
            }
        };
        settings.database_url = urls.database;
        settings.redis_url = urls.redis;
        Ok(stack)
    }

    /// True if the servers were not up before.
    pub(super) fn is_ours(&self) -> bool {
        self.is_ours
    }

    /// The script, as a person would call it.
    pub(super) fn script(&self) -> &Path {
        &self.script.path
    }

    /// Takes down what [`Stack::up`] brought up.
    ///
    /// # Errors
    /// The script fails; it has said why.
    pub(super) async fn down(self) -> anyhow::Result<()> {
        if !self.is_ours {
            return Ok(());
        }
        let path = self.script.path.display();
        let status = timeout(TAKEN_DOWN, self.script.command("down").stdout(Stdio::null()).status())
            .await
            .with_context(|| format!("`{path} down` did not end in a minute; say it once more"))??;
        if !status.success() {
            bail!("`{path} down` failed, see above; say it once more when that is mended");
        }
        Ok(())
    }
}

impl Script {
    fn find(settings: &Settings) -> anyhow::Result<Self> {
        let built_at = Path::new(env!("CARGO_MANIFEST_DIR"));
        let places = [PathBuf::from("docker/stack"), built_at.join("docker/stack")];
        let path = places.iter().find(|place| place.is_file()).with_context(|| {
            format!(
                "no docker/stack here nor in {}: run the demo from a clone of the repository",
                built_at.display()
            )
        })?;
        let defaults = Settings::defaults();
        let given = [
            (DATABASE, &settings.database_url, &defaults.database_url),
            (REDIS, &settings.redis_url, &defaults.redis_url),
        ];
        let given = given
            .into_iter()
            .filter(|(_, url, default)| url != default)
            .map(|(name, url, _)| (name, url.clone()));
        Ok(Self { path: path.canonicalize()?, given: given.collect() })
    }

    fn command(&self, what: &str) -> Command {
        let mut command = Command::new(&self.path);
        command.arg(what).stdin(Stdio::null()).envs(self.given.iter().map(|(name, url)| (name, url)));
        command
    }

    /// `up`: what it wrote on standard output.
    async fn up(&self, stop: &CancellationToken) -> anyhow::Result<String> {
        let path = self.path.display();
        let mut child =
            self.command("up").stdout(Stdio::piped()).spawn().with_context(|| format!("run {path}"))?;
        let mut output = child.stdout.take().context("its output was asked for")?;
        let mut text = String::new();
        let running = async {
            let (read, status) = tokio::join!(output.read_to_string(&mut text), child.wait());
            read?;
            anyhow::Ok(status?)
        };
        let status = tokio::select! {
            status = running => status?,
            () = stop.cancelled() => {
                end(&mut child).await;
                return Err(Interrupted.into());
            }
        };
        match status.success() {
            true => Ok(text),
            false => bail!("`{path} up` failed; what it said above tells why and what to do"),
        }
    }
}

/// Waits for the script, which Ctrl-C has reached, too; tells it to end if it does not.
async fn end(child: &mut Child) {
    if timeout(ENDS_BY_ITSELF, child.wait()).await.is_ok() {
        return;
    }
    if let Some(pid) = child.id().and_then(|id| rustix::process::Pid::from_raw(id.cast_signed())) {
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
    }
    if timeout(STOP_TIMEOUT, child.wait()).await.is_err() {
        let _ = child.kill().await;
    }
}

#[derive(Debug, PartialEq, Eq)]
struct Urls {
    database: String,
    redis: String,
}

impl Urls {
    /// Reads the lines `export NAME=URL`.
    fn read(output: &str) -> anyhow::Result<Self> {
        let url = |name: &str| {
            let value = output
                .lines()
                .find_map(|line| line.strip_prefix("export ")?.strip_prefix(name)?.strip_prefix('='));
            value.map(unquoted).with_context(|| format!("`docker/stack up` printed no {name}"))
        };
        Ok(Self { database: url(DATABASE)?, redis: url(REDIS)? })
    }
}

/// A word as bash's `printf %q` writes it, as far as URLs need it: `\&` is `&`.
fn unquoted(word: &str) -> String {
    let mut text = String::with_capacity(word.len());
    let mut letters = word.trim().chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => text.extend(letters.next()),
            other => text.push(other),
        }
    }
    text
}

/// A lock that this process holds until it ends. Without a place for the lock, two demos are not kept apart.
fn only_demo_here(script: &Path) -> anyhow::Result<Option<File>> {
    let Some(clone) = script.parent().and_then(Path::parent) else { return Ok(None) };
    let place = clone.join("target");
    let file = std::fs::create_dir_all(&place).and_then(|()| File::create(place.join("demo.lock")));
    let Ok(file) = file else { return Ok(None) };
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => {
            bail!("another demo runs from {}; end that one first", clone.display())
        }
        _ => Ok(Some(file)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_urls_are_read_among_other_lines() {
        let output = "hello\nexport VITALS_DATABASE_URL=postgres://a:b@127.0.0.1:1/vitals\\?x=1\\&y=2\nexport VITALS_REDIS_URL=redis://127.0.0.1:2/0\n";
        let urls = Urls::read(output).expect("both are there");
        assert_eq!(urls.database, "postgres://a:b@127.0.0.1:1/vitals?x=1&y=2");
        assert_eq!(urls.redis, "redis://127.0.0.1:2/0");
    }

    #[test]
    fn a_missing_url_is_named() {
        let error = Urls::read("export VITALS_DATABASE_URL=x").expect_err("one is missing").to_string();
        assert!(error.contains("VITALS_REDIS_URL"), "{error}");
    }
}
