//! The instances of a demo of a cluster: processes of this program, each where the balancer looks for one.
//!
//! Before: `mod`, with a schema. After: `faults` stops one and starts it again.
//! Promise: an instance that ends by itself is a failure, with the end of its log; Ctrl-C does not reach them, they are stopped in order
//! when the uploads have ended, and killed if the demo ends before that.

use std::fs::File;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout};

use crate::config::{self, Settings};
use crate::demo::stack::Stack;

const INSTANCES: usize = 2;
/// Addresses that the balancer looks at.
const ADDRESSES: &str = "VITALS_STACK_LISTEN";
const READY_WITHIN: Duration = Duration::from_secs(60);
const ENDS_WITHIN: Duration = Duration::from_secs(60);
const CHECK_EVERY: Duration = Duration::from_millis(50);
/// Of the log of an instance that has ended by itself.
const LINES_SHOWN: usize = 5;

/// All of them.
#[derive(Debug)]
pub(super) struct Instances {
    addresses: Vec<String>,
    children: Vec<Option<Child>>,
    program: PathBuf,
    variables: Vec<(String, String)>,
    logs: PathBuf,
    name: String,
}

impl Instances {
    /// None runs yet.
    ///
    /// # Errors
    /// The stack has too few addresses for them, or there is no place for their logs.
    pub(super) fn new(stack: &Stack, settings: &Settings) -> Result<Self> {
        let addresses: Vec<String> =
            stack.variable(ADDRESSES)?.split(',').take(INSTANCES).map(str::to_owned).collect();
        if addresses.len() < INSTANCES {
            bail!("the stack has addresses for {} instances only", addresses.len());
        }
        let mut variables: Vec<(String, String)> = stack.settings().cloned().collect();
        for (name, value) in [
            // The addresses are not loopback.
            ("VITALS_AUTHENTICATION", "keys"),
            ("VITALS_DEVICE_TIME_ZONE", settings.device_time_zone.as_str()),
            ("VITALS_LOG", settings.log.as_str()),
        ] {
            variables.push((name.to_owned(), value.to_owned()));
        }
        let logs = stack.folder()?;
        let children = addresses.iter().map(|_| None).collect();
        let (program, name) = (config::program()?, settings.instance_name());
        Ok(Self { addresses, children, program, variables, logs, name })
    }

    /// Where they listen.
    pub(super) fn addresses(&self) -> &[String] {
        &self.addresses
    }

    /// Starts all, and waits until they are ready.
    ///
    /// # Errors
    /// One does not become ready.
    pub(super) async fn start(&mut self) -> Result<()> {
        for number in 0..self.addresses.len() {
            self.spawn(number)?;
        }
        for number in 0..self.addresses.len() {
            self.until_ready(number).await?;
        }
        Ok(())
    }

    /// Starts one, and waits until it is ready.
    ///
    /// # Errors
    /// It does not become ready.
    pub(super) async fn start_one(&mut self, number: usize) -> Result<()> {
        self.spawn(number)?;
        self.until_ready(number).await
    }

    /// A key for uploads, as the value of an `Authorization` header.
    ///
    /// # Errors
    /// It cannot be created.
    pub(super) async fn create_key(&self) -> Result<String> {
        let mut command = self.command();
        command.args(["keys", "create", &self.name, "--scope", "upload", "--as", "bearer"]);
        let output = command.stdout(Stdio::piped()).stderr(Stdio::piped()).output().await?;
        if !output.status.success() {
            bail!("no key can be created: {}", String::from_utf8_lossy(&output.stderr).trim());
        }
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    /// Fails if one has ended by itself.
    ///
    /// # Errors
    /// Which one, and what it logged last.
    pub(super) fn check(&mut self) -> Result<()> {
        for (number, child) in self.children.iter_mut().enumerate() {
            if let Some(child) = child
                && let Some(status) = child.try_wait()?
            {
                bail!("{} has ended by itself ({status}): {}", self.addresses[number], self.log_tail(number));
            }
        }
        Ok(())
    }

    /// Stops one with SIGTERM, and waits until it has ended.
    ///
    /// # Errors
    /// It does not end in order.
    pub(super) async fn stop_one(&mut self, number: usize) -> Result<()> {
        let Some(mut child) = self.children[number].take() else { return Ok(()) };
        let address = &self.addresses[number];
        if let Some(pid) = child.id().and_then(|id| rustix::process::Pid::from_raw(id.cast_signed())) {
            rustix::process::kill_process(pid, rustix::process::Signal::TERM)?;
        }
        let ended = timeout(ENDS_WITHIN, child.wait()).await;
        let status = ended.with_context(|| format!("{address} has not ended"))??;
        if !status.success() {
            bail!("{address} has ended with {status}: {}", self.log_tail(number));
        }
        Ok(())
    }

    /// Stops all that run.
    ///
    /// # Errors
    /// One does not end in order; the others are stopped all the same.
    pub(super) async fn stop(mut self) -> Result<()> {
        let mut stopped = Ok(());
        for number in 0..self.addresses.len() {
            let one = self.stop_one(number).await;
            stopped = stopped.and(one);
        }
        stopped
    }

    fn spawn(&mut self, number: usize) -> Result<()> {
        let log = self.log(number);
        let log = File::create(&log).with_context(|| format!("create {}", log.display()))?;
        let mut command = self.command();
        command.arg("serve").env("VITALS_LISTEN", &self.addresses[number]).stderr(log);
        self.children[number] = Some(command.spawn()?);
        Ok(())
    }

    /// This program, on the servers of the cluster.
    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            // The fleet sends plain HTTP.
            .env_remove("VITALS_TLS_CERTIFICATE")
            .env_remove("VITALS_TLS_KEY")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .process_group(0)
            .kill_on_drop(true);
        command
    }

    async fn until_ready(&mut self, number: usize) -> Result<()> {
        let deadline = Instant::now() + READY_WITHIN;
        while !is_ready(&self.addresses[number]).await.unwrap_or(false) {
            self.check()?;
            if Instant::now() > deadline {
                let (address, log) = (&self.addresses[number], self.log_tail(number));
                bail!("{address} is not ready after {} s: {log}", READY_WITHIN.as_secs());
            }
            sleep(CHECK_EVERY).await;
        }
        Ok(())
    }

    fn log(&self, number: usize) -> PathBuf {
        self.logs.join(format!("demo.instance{}.log", number + 1))
    }

    fn log_tail(&self, number: usize) -> String {
        let log = std::fs::read_to_string(self.log(number)).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(LINES_SHOWN)..].join("\n")
    }
}

/// What `/readyz` answers.
async fn is_ready(address: &str) -> Result<bool> {
    let asking = async {
        let mut stream = TcpStream::connect(address).await?;
        let request = format!("GET /readyz HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        anyhow::Ok(answer.starts_with("HTTP/1.1 200 "))
    };
    timeout(Duration::from_secs(5), asking).await?
}
