//! A receiver of all notifications, and what it received.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use tokio_postgres::Client;

use crate::harness::{Receiver, Reply, notify_of_all};

/// What was received of an alert.
#[derive(Debug, Clone, Default)]
pub struct ReceivedAlert {
    pub device: String,
    /// Under which numbers.
    pub ids: BTreeSet<String>,
    /// How far the time of a signature was off, seconds at most.
    pub off_seconds: i64,
}

/// By the number of the alert.
pub type ReceivedAlerts = Arc<Mutex<BTreeMap<i64, ReceivedAlert>>>;

/// Starts a webhook that every alert is sent to, at an address of this machine.
pub async fn receive_alerts(client: &Client, address: &str) -> (Receiver, ReceivedAlerts) {
    let received_alerts = ReceivedAlerts::default();
    let received = Arc::clone(&received_alerts);
    let receiver = Receiver::start_at(address, move |seen| {
        let mut received = received.lock().expect("whole");
        for alert in seen.body["data"]["alerts"].as_array().expect("alerts") {
            let text = |name: &str| alert[name].as_str().expect("text").to_owned();
            let alert_id = text("alert_id").parse().expect("a number");
            let received = received.entry(alert_id).or_default();
            received.device = text("device_sn");
            received.ids.insert(seen.header("webhook-id").to_owned());
            let signed: i64 = seen.header("webhook-timestamp").parse().expect("seconds");
            received.off_seconds = received.off_seconds.max((Timestamp::now().as_second() - signed).abs());
        }
        Reply::Status(204)
    })
    .await;
    notify_of_all(client, &receiver).await;
    (receiver, received_alerts)
}
