//! What fails in a demo of a cluster, one thing after the other: the primary, a Redis master, an instance.
//!
//! Before: the fleet uploads. After: the timeline.
//! Promise: each fault ends before the next begins; what was killed is started again.

use std::time::Duration;

use anyhow::{Result, bail};
use tokio::time::{Instant, sleep};
use vitals_fleet::UploadLog;

use super::instances::Instances;
use super::run_log::RunLog;
use crate::demo::stack::Stack;
use crate::demo::stack_output::Node;

/// How long a cluster may take to heal: the lease of a primary is 20 s, and a standby that comes back is rewound.
const HEALS_WITHIN: Duration = Duration::from_secs(120);
/// How long the watches may take to send what they could not send before.
const CAUGHT_UP_WITHIN: Duration = Duration::from_secs(30);
/// Uploads are late no more when those of so long were all answered within this time.
const QUIET: Duration = Duration::from_secs(1);
/// How long an instance stays away, and how long everything works between two faults.
const PAUSE: Duration = Duration::from_secs(3);
const CHECK_EVERY: Duration = Duration::from_millis(100);

/// Where it happens.
pub(super) struct Faults<'a> {
    pub(super) stack: &'a Stack,
    pub(super) instances: &'a mut Instances,
    pub(super) upload_log: &'a UploadLog,
    pub(super) log: &'a RunLog,
}

impl Faults<'_> {
    /// All of them.
    ///
    /// # Errors
    /// The stack cannot do it, or the cluster does not heal in time.
    pub(super) async fn cause_all(&mut self) -> Result<()> {
        self.kill_primary().await?;
        self.wait(PAUSE).await?;
        self.kill_redis_master().await?;
        self.wait(PAUSE).await?;
        self.stop_instance().await
    }

    /// Lets time pass.
    ///
    /// # Errors
    /// An instance has ended by itself.
    pub(super) async fn wait(&mut self, time: Duration) -> Result<()> {
        sleep(time).await;
        self.instances.check()
    }

    async fn kill_primary(&mut self) -> Result<()> {
        let old = self.node_with("primary").await?;
        let from = self.log.note_fault(&format!("the primary {old} is killed"))?;
        self.stack.run(&["kill", &old]).await?;
        let new = self.node_that("a new primary", |node| node.role == "primary" && node.name != old).await?;
        self.log.note(&format!("{new} is the new primary"))?;
        self.accepted_since(Instant::now()).await?;
        self.caught_up(from).await?;
        self.stack.run(&["start", &old]).await?;
        self.node_that("the old primary as a standby", |node| node.role == "standby" && node.name == old)
            .await?;
        self.log.note(&format!("{old} is started again, as a standby"))
    }

    async fn kill_redis_master(&mut self) -> Result<()> {
        let old = self.node_with("master").await?;
        let masters: Vec<String> = self.nodes_with("master").await?;
        let from = self.log.note_fault(&format!("the Redis master {old} is killed"))?;
        self.stack.run(&["kill", &old]).await?;
        let is_new = |node: &Node| node.role == "master" && !masters.contains(&node.name);
        let new = self.node_that("a new Redis master", is_new).await?;
        self.log.note(&format!("{new} is a master in its place"))?;
        self.caught_up(from).await?;
        self.stack.run(&["start", &old]).await?;
        self.node_that("the old master as a replica", |node| node.role == "replica" && node.name == old)
            .await?;
        self.log.note(&format!("{old} is started again, as a replica"))
    }

    async fn stop_instance(&mut self) -> Result<()> {
        let address = self.instances.addresses()[0].clone();
        let from = self.log.note_fault(&format!("the instance {address} is stopped"))?;
        self.instances.stop_one(0).await?;
        self.log.note(&format!("it has ended in order, in {:.1} s", from.elapsed().as_secs_f64()))?;
        self.wait(PAUSE).await?;
        self.caught_up(from).await?;
        self.instances.start_one(0).await?;
        self.log.note(&format!("the instance {address} is started again, and ready"))
    }

    /// Waits until an upload is accepted.
    async fn accepted_since(&mut self, from: Instant) -> Result<()> {
        let deadline = Instant::now() + HEALS_WITHIN;
        while self.upload_log.newest().is_none_or(|at| at <= from) {
            if Instant::now() > deadline {
                bail!("no upload was accepted for {} s", HEALS_WITHIN.as_secs());
            }
            self.wait(CHECK_EVERY).await?;
        }
        Ok(())
    }

    /// Waits until uploads are not late any more, and prints what the watches have seen since then.
    async fn caught_up(&mut self, from: Instant) -> Result<()> {
        let deadline = Instant::now() + CAUGHT_UP_WITHIN;
        loop {
            let span = self.upload_log.since(Instant::now() - QUIET);
            let is_quiet = span.longest_gap > Duration::ZERO && span.longest_delay < QUIET;
            if is_quiet || Instant::now() > deadline {
                return self.log.watches_saw(self.upload_log.since(from));
            }
            self.wait(CHECK_EVERY).await?;
        }
    }

    async fn nodes_with(&self, role: &str) -> Result<Vec<String>> {
        let nodes = self.stack.nodes().await?.into_iter();
        Ok(nodes.filter(|node| node.role == role && node.state == "running").map(|node| node.name).collect())
    }

    async fn node_with(&self, role: &str) -> Result<String> {
        match self.nodes_with(role).await?.into_iter().next() {
            Some(name) => Ok(name),
            None => bail!("no node of the cluster is a {role}"),
        }
    }

    /// Waits until there is such a node.
    async fn node_that(&mut self, what: &str, is_it: impl Fn(&Node) -> bool) -> Result<String> {
        let deadline = Instant::now() + HEALS_WITHIN;
        loop {
            let nodes = self.stack.nodes().await?;
            if let Some(node) = nodes.into_iter().find(|node| node.state == "running" && is_it(node)) {
                return Ok(node.name);
            }
            if Instant::now() > deadline {
                bail!("the cluster has not had {what} for {} s", HEALS_WITHIN.as_secs());
            }
            self.wait(CHECK_EVERY).await?;
        }
    }
}
