//! `vitals demo --cluster`: two instances behind a balancer, on a cluster; the fleet uploads while servers and an instance fail.
//!
//! Before: `mod` has brought the cluster up. After: a person who reads the timeline and the account.
//! Promise: what happens is told when it happens; the account compares what was answered 200 with the table, and fails if any of it is
//! missing; the instances are stopped in order, whatever happens.

mod account;
mod faults;
mod instances;
mod run_log;

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use jiff::Timestamp;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use vitals_fleet::{Report, Show, UploadLog};

use super::table::{print_line, title};
use super::{Demo, Interrupted, first_failure, or_interrupted, print_account, secs};
use crate::command::interrupt::interrupted;
use crate::store::Store;
use faults::Faults;
use instances::Instances;
use run_log::RunLog;

/// Of the watches that upload, the most that get a connection of their own.
const MAX_CONNECTIONS: u32 = 500;
/// Share of uploads that are sent twice, percent.
const DUPLICATES_PERCENT: f64 = 2.0;
/// Share of the time in which hearts race, percent.
const BREACHES_PERCENT: f64 = 3.0;
/// How long everything works before the first fault.
const BEFORE_FAULTS: Duration = Duration::from_secs(5);

/// Shows it, on the cluster of the demo.
///
/// # Errors
/// A step failed, or the account does not hold.
pub(super) async fn run(demo: &Demo<'_>) -> anyhow::Result<()> {
    let store = demo.migrate().await?;
    let since = Instant::now();
    let mut instances = Instances::new(demo.stack, &demo.settings).context("instances")?;
    let outcome = async {
        or_interrupted(demo.stop, instances.start()).await.context("instances")?;
        let listening = instances.addresses().join(" and ");
        print_account("instances", &format!("{listening}, ready in {:.1} s", secs(since)));
        print_account("balancer", demo.stack.variable(BALANCER)?);
        Box::pin(show(demo, &store, &mut instances)).await
    }
    .await;
    let stopped = instances.stop().await.context("instances");
    store.close();
    first_failure(outcome, stopped)
}

/// The variable of the stack with the URL of HAProxy, which finds out by itself which instance is ready.
const BALANCER: &str = "VITALS_STACK_HAPROXY_URL";

async fn show(demo: &Demo<'_>, store: &Store, instances: &mut Instances) -> anyhow::Result<()> {
    let (upload_log, live_since) = (Arc::new(UploadLog::default()), Timestamp::now());
    let fleet = vitals_fleet::Options {
        url: demo.stack.variable(BALANCER)?.to_owned(),
        // The addresses of the cluster are of this machine alone.
        allow_remote: true,
        authorization: Some(instances.create_key().await?),
        devices: demo.options.devices,
        connections: demo.options.devices.min(MAX_CONNECTIONS),
        batch: 1,
        rate: Some(f64::from(demo.options.devices)),
        duplicates: DUPLICATES_PERCENT,
        breaches: BREACHES_PERCENT,
        first_serial: Some(vitals_fleet::serial_of_now(live_since)),
        ..vitals_fleet::Options::default()
    };
    let devices = demo.options.devices;
    print_line!(
        "{}",
        title(&format!("{devices} watches, a sample a second each, through HAProxy to two instances"))
    );
    let live = upload(demo, &fleet, &upload_log, instances).await?;
    let uploaded =
        account::Uploaded { fleet: &fleet, upload_log: &upload_log, live: &live, since: live_since };
    tokio::select! {
        shown = account::show(store, &uploaded) => shown.context("account"),
        // A Ctrl-C before has ended the uploads; this one is for whoever does not want to wait for the account.
        () = interrupted() => Err(Interrupted.into()),
    }
}

/// Lets the fleet upload while things fail, until the time is over or a Ctrl-C.
async fn upload(
    demo: &Demo<'_>,
    fleet: &vitals_fleet::Options,
    upload_log: &Arc<UploadLog>,
    instances: &mut Instances,
) -> anyhow::Result<Report> {
    let log = RunLog::begin();
    let over_at = demo.options.seconds.map(|seconds| log.began() + Duration::from_secs(seconds));
    let over = CancellationToken::new();
    let uploading = async {
        let uploaded =
            vitals_fleet::run_with_log(fleet, &over, Show::Nothing, Some(Arc::clone(upload_log))).await;
        // Nothing fails any more when nobody uploads.
        over.cancel();
        uploaded
    };
    let failing = async {
        let mut faults = Faults { stack: demo.stack, instances, upload_log, log: &log };
        let all = async {
            faults.wait(BEFORE_FAULTS).await?;
            faults.cause_all().await?;
            match over_at {
                Some(over_at) => sleep_until(over_at).await,
                None => {
                    eprintln!("Ctrl-C ends the uploads and shows the account.");
                    std::future::pending().await
                }
            }
            anyhow::Ok(())
        };
        let ended = tokio::select! {
            ended = all => ended,
            () = demo.stop.cancelled() => Ok(()),
            () = over.cancelled() => Ok(()),
        };
        over.cancel();
        ended
    };
    let (uploaded, ended) = tokio::join!(uploading, failing);
    ended?;
    let uploaded = uploaded.context("uploads")?;
    log.note("uploads end")?;
    Ok(uploaded)
}
