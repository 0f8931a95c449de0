//! Whatever goes wrong, when it is over every acknowledged record is there once, every alert was raised once and told, and
//! meanwhile `/readyz` told the truth.

mod cases;
pub mod crew;
mod driver;
mod fault;
mod ledger;
pub mod load;
pub mod receiver;
pub mod rounds;
pub mod verdict;
mod watch;

use crate::harness::{Database, DisposableServers};
use driver::{Plan, drive};

#[tokio::test(flavor = "multi_thread")]
async fn rounds_of_random_faults_lose_nothing_double_nothing_and_miss_no_alert() {
    let plan = Plan::of_variables();
    match DisposableServers::bring_up().await {
        Some(disposable) => drive(plan, &Database::on(&disposable).await, Some(&disposable)).await,
        // Cables, connections and processes are ours everywhere.
        None => drive(plan, &Database::new().await, None).await,
    }
}
