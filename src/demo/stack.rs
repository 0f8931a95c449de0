//! The servers of the demo: `docker/stack up` and `down`, of two servers or of a cluster.
//!
//! Before: `mod`. After: the service, with the URLs that the script prints; `cluster`, which has the script do things to nodes.
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
use super::stack_output::{Node, Variables, nodes_in};
use crate::config::{self, Settings};

/// Variables that name the servers, both for the script and in its output.
const DATABASE: &str = "VITALS_DATABASE_URL";
const REDIS: &str = "VITALS_REDIS_URL";
/// Variables with this prefix are for tools; all others that the script prints are settings.
const FOR_TOOLS: &str = "VITALS_STACK_";
const STACK_NAME: &str = "VITALS_STACK_NAME";
/// The name of a demo's cluster, which stands beside the servers of this clone.
const CLUSTER_NAME: &str = "demo-cluster";
/// Ctrl-C in a terminal reaches the script, too; it gets this long to end by itself before it gets SIGTERM.
const ENDS_BY_ITSELF: Duration = Duration::from_secs(5);
const STOP_TIMEOUT: Duration = Duration::from_secs(15);
const TAKEN_DOWN: Duration = Duration::from_secs(60);

/// The servers, and who answers for them.
#[derive(Debug)]
pub(super) struct Stack {
    script: Script,
    is_ours: bool,
    variables: Variables,
    _only_demo: Option<File>,
}

/// `docker/stack`, with what the settings name.
#[derive(Debug)]
struct Script {
    path: PathBuf,
    is_cluster: bool,
    given: Vec<(&'static str, String)>,
}

impl Stack {
    /// Brings up what is not up, a cluster or two servers, and writes the URLs into the settings.
    ///
    /// # Errors
    /// Another demo runs here, the script fails (it has said why), or [`Interrupted`], with everything down again.
    pub(super) async fn up(
        is_cluster: bool,
        settings: &mut Settings,
        stop: &CancellationToken,
    ) -> anyhow::Result<Self> {
        let script = Script::find(is_cluster, settings)?;
        let only_demo = only_demo_here(&script.path, is_cluster)?;
        let was_up =
            script.command(&["status"]).stdout(Stdio::null()).stderr(Stdio::null()).status().await?.success();
        let variables = Variables(Vec::new());
        let mut stack = Self { script, is_ours: !was_up, variables, _only_demo: only_demo };
        let brought_up = stack.script.up(stop).await;
        let urls = brought_up.and_then(|output| {
            let variables = Variables::read(&output);
            Ok((variables.get(DATABASE)?.to_owned(), variables.get(REDIS)?.to_owned(), variables))
        });
        match urls {
            Ok((database, redis, variables)) => {
                (settings.database_url, settings.redis_url) = (database, redis);
                stack.variables = variables;
                Ok(stack)
            }
            Err(error) => {
                stack.down().await?;
                Err(error)
            }
        }
    }

    /// True if the servers were not up before.
    pub(super) fn is_ours(&self) -> bool {
        self.is_ours
    }

    /// The script, as a person would call it.
    pub(super) fn script(&self) -> &Path {
        &self.script.path
    }

    /// A folder of this clone for what may go with the next build.
    ///
    /// # Errors
    /// It cannot be made.
    pub(super) fn folder(&self) -> anyhow::Result<PathBuf> {
        let place = folder_of(&self.script.path).context("the script is in a clone")?;
        std::fs::create_dir_all(&place).with_context(|| format!("create {}", place.display()))?;
        Ok(place)
    }

    /// What stands before the script in a shell, so that it works on this cluster.
    pub(super) fn prefix(&self) -> String {
        let name = self.script.given.iter().find(|(name, _)| *name == STACK_NAME);
        name.map(|(name, value)| format!("{name}={value} ")).unwrap_or_default()
    }

    /// What the script printed: a variable for tools.
    ///
    /// # Errors
    /// It printed no such variable.
    pub(super) fn variable(&self, name: &str) -> anyhow::Result<&str> {
        self.variables.get(name)
    }

    /// What the script printed: the settings of the service.
    pub(super) fn settings(&self) -> impl Iterator<Item = &(String, String)> {
        self.variables.0.iter().filter(|(name, _)| !name.starts_with(FOR_TOOLS))
    }

    /// Does something to a node of the cluster, such as `kill redis1`. Ctrl-C does not reach the script: it ends what it has begun.
    ///
    /// # Errors
    /// The script fails; it has said why.
    pub(super) async fn run(&self, words: &[&str]) -> anyhow::Result<()> {
        let mut command = self.script.command(words);
        let status = command.process_group(0).stdout(Stdio::null()).status().await?;
        if !status.success() {
            bail!("`{} {}` failed, see above", self.script.path.display(), words.join(" "));
        }
        Ok(())
    }

    /// All nodes of the cluster as they are.
    ///
    /// # Errors
    /// The script fails.
    pub(super) async fn nodes(&self) -> anyhow::Result<Vec<Node>> {
        let output = self.script.command(&["nodes"]).process_group(0).stderr(Stdio::null()).output().await?;
        if !output.status.success() {
            bail!("`{} nodes` failed", self.script.path.display());
        }
        Ok(nodes_in(&String::from_utf8_lossy(&output.stdout)))
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
        let status = timeout(TAKEN_DOWN, self.script.command(&["down"]).stdout(Stdio::null()).status())
            .await
            .with_context(|| format!("`{path} down` did not end in a minute; say it once more"))??;
        if !status.success() {
            bail!("`{path} down` failed, see above; say it once more when that is mended");
        }
        Ok(())
    }
}

impl Script {
    fn find(is_cluster: bool, settings: &Settings) -> anyhow::Result<Self> {
        let built_at = Path::new(env!("CARGO_MANIFEST_DIR"));
        let places = [PathBuf::from("docker/stack"), built_at.join("docker/stack")];
        let path = places.iter().find(|place| place.is_file()).with_context(|| {
            format!(
                "no docker/stack here nor in {}: run the demo from a clone of the repository",
                built_at.display()
            )
        })?;
        let path = path.canonicalize()?;
        if is_cluster {
            let name = config::stack_name().unwrap_or_else(|| CLUSTER_NAME.to_owned());
            return Ok(Self { path, is_cluster, given: vec![(STACK_NAME, name)] });
        }
        let defaults = Settings::defaults();
        let given = [
            (DATABASE, &settings.database_url, &defaults.database_url),
            (REDIS, &settings.redis_url, &defaults.redis_url),
        ];
        let given = given
            .into_iter()
            .filter(|(_, url, default)| url != default)
            .map(|(name, url, _)| (name, url.clone()));
        Ok(Self { path, is_cluster, given: given.collect() })
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(&self.path);
        if self.is_cluster {
            // Nothing of a cluster is given.
            command.env_remove(DATABASE).env_remove(REDIS);
        }
        command.args(words).stdin(Stdio::null()).envs(self.given.iter().map(|(name, url)| (name, url)));
        command
    }

    /// `up`: what it wrote on standard output.
    async fn up(&self, stop: &CancellationToken) -> anyhow::Result<String> {
        let path = self.path.display();
        let words: &[&str] = if self.is_cluster { &["up", "--cluster"] } else { &["up"] };
        let mut child =
            self.command(words).stdout(Stdio::piped()).spawn().with_context(|| format!("run {path}"))?;
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

/// The folder `target` of the clone in which the script is.
fn folder_of(script: &Path) -> Option<PathBuf> {
    Some(script.parent()?.parent()?.join("target"))
}

/// A lock that this process holds until it ends. Without a place for the lock, two demos are not kept apart.
fn only_demo_here(script: &Path, is_cluster: bool) -> anyhow::Result<Option<File>> {
    let Some(place) = folder_of(script) else { return Ok(None) };
    let name = if is_cluster { "demo-cluster.lock" } else { "demo.lock" };
    let file = std::fs::create_dir_all(&place).and_then(|()| File::create(place.join(name)));
    let Ok(file) = file else { return Ok(None) };
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => {
            bail!("another demo runs from the clone of {}; end that one first", place.display())
        }
        _ => Ok(Some(file)),
    }
}
