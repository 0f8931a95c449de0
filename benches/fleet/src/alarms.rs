//! Alarms during the uploads: an SOS with its sample now and then, over connections of their own.
//!
//! Before: `mod` says how many a second. After: `report` tells how long they took while everything else went on.
//! Promise: an alarm is due by the clock, whatever answers do, and its latency counts from then; each is another event.

use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::client::{Answer, Connection, Failure, RETRY_AFTER_UNSAID, Target};
use crate::report::{LoadRecorder, PartReport};

/// Before an alarm that was refused or lost is sent again.
const AFTER_FAILURE: Duration = Duration::from_millis(200);

/// Watches that call for help are not each other's: an alarm does not wait for the answer to the one before.
const CONNECTIONS: u32 = 8;

/// Sends `per_second` alarms until `stop`; what is under way then is waited for.
pub(super) async fn run(target: &Target, per_second: f64, stop: &CancellationToken) -> PartReport {
    let (began, every) = (Instant::now(), Duration::from_secs_f64(1.0 / per_second));
    let couriers = (0..CONNECTIONS).map(|first| courier(target, first, began, every, stop));
    let mut sum = LoadRecorder::default();
    for recorder in futures_util::future::join_all(couriers).await {
        sum.add(&recorder);
    }
    PartReport::new(&sum, began.elapsed())
}

/// One connection: every alarm of [`CONNECTIONS`], from the `first` on.
async fn courier(
    target: &Target,
    first: u32,
    began: Instant,
    every: Duration,
    stop: &CancellationToken,
) -> LoadRecorder {
    let (mut recorder, mut connection) = (LoadRecorder::default(), None);
    for number in (first..).step_by(CONNECTIONS as usize) {
        let due = began + every * number;
        let resting = async {
            match &mut connection {
                Some(open) => Connection::rest_until(open, due).await,
                None => tokio::time::sleep_until(due).await,
            }
        };
        tokio::select! {
            () = stop.cancelled() => break,
            () = resting => {}
        }
        deliver(target, &mut connection, &alarm(number), due, &mut recorder, stop).await;
    }
    recorder
}

/// Sends an alarm until it is acknowledged, as a watch does, or until `stop`.
async fn deliver(
    target: &Target,
    connection: &mut Option<Connection>,
    body: &Bytes,
    due: Instant,
    recorder: &mut LoadRecorder,
    stop: &CancellationToken,
) {
    loop {
        recorder.counts.requests += 1;
        recorder.counts.body_bytes += body.len() as u64;
        let wait = match attempt(target, connection, body.clone()).await {
            Ok(Answer::Acknowledged(_)) => {
                recorder.took(due.elapsed());
                recorder.answered(200);
                recorder.counts.acknowledged += 1;
                return;
            }
            Ok(Answer::Refused(wait)) => {
                recorder.refused(wait);
                wait.unwrap_or(RETRY_AFTER_UNSAID)
            }
            Ok(Answer::Other(status)) => {
                recorder.answered(status.as_u16());
                recorder.failed(&format!("status {}", status.as_u16()));
                recorder.counts.abandoned += 1;
                return;
            }
            Err(failure) => {
                *connection = None;
                recorder.failed(&failure.to_string());
                AFTER_FAILURE
            }
        };
        tokio::select! {
            () = stop.cancelled() => {
                recorder.counts.abandoned += 1;
                return;
            }
            () = tokio::time::sleep(wait) => {}
        }
    }
}

async fn attempt(
    target: &Target,
    connection: &mut Option<Connection>,
    body: Bytes,
) -> Result<Answer, Failure> {
    let mut open = match connection.take() {
        Some(open) if open.is_open() => open,
        _ => target.connect().await?,
    };
    let answer = open.upload(target, body).await;
    *connection = Some(open);
    answer
}

/// As a watch sends it when somebody presses the button.
fn alarm(number: u32) -> Bytes {
    let (device_sn, at) = (format!("SOS{:013}", number % 1000), Timestamp::now().as_millisecond());
    format!(
        r#"{{"eventType":"com.tdtech.ohos.action.SOS_EVENT","eventValue":"{device_sn}","deviceSn":"{device_sn}","latitude":22.540363,"longitude":114.015182,"altitude":0.0,"timestamp":{at},"healthData":{{"data":{{"deviceSn":"{device_sn}","heart_rate":118,"blood_oxygen":93,"body_temperature":"36.6","stress":81,"step":1234,"upload_method":"common_event","timestamp":{at}}}}}}}"#
    )
    .into()
}
