//! What watches report besides samples: device information (battery, wear), and now and then an SOS.
//!
//! Before: `mod` says whose watches. After: the service, over one connection.
//! Promise: the same fleet reports the same at the same time; a report that fails is left out, because the next one replaces it.

use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::client::{Connection, Target};
use crate::device::{owners, serial};
use crate::person::mix;

/// Every watch reports once in this time, and once at the beginning.
const EVERY: Duration = Duration::from_secs(300);

/// The first reports of the whole fleet take so long.
const FIRST_WITHIN: Duration = Duration::from_secs(20);

/// Somebody of the fleet presses the button once in this time.
const SOS_EVERY: Duration = Duration::from_secs(240);
const FIRST_SOS: Duration = Duration::from_secs(12);

/// A battery lasts for two days, and charges in the last part of them.
const BATTERY_SECONDS: i64 = 172_800;
const CHARGING_FROM: i64 = 165_000;

/// The watches that report.
#[derive(Debug, Clone, Copy)]
pub(super) struct Watches {
    pub(super) first_serial: u64,
    pub(super) count: u32,
    pub(super) seed: u64,
}

/// Reports until `stop`.
pub(super) async fn run(target: &Target, watches: Watches, stop: &CancellationToken) {
    let (information, events) = (target.for_device_information(), target.for_events());
    let informing = inform(&information, watches, stop);
    let calling = call(&events, watches, stop);
    futures_util::join!(informing, calling);
}

async fn inform(target: &Target, watches: Watches, stop: &CancellationToken) {
    let mut connection = None;
    for round in 0_u32.. {
        let (began, lasts) = (Instant::now(), if round == 0 { FIRST_WITHIN } else { EVERY });
        for number in 0..watches.count {
            let due = began + lasts * number / watches.count;
            if stop.run_until_cancelled(sleep_until(due)).await.is_none() {
                return;
            }
            send(target, &mut connection, information(watches, number, Timestamp::now())).await;
        }
    }
}

async fn call(target: &Target, watches: Watches, stop: &CancellationToken) {
    let (began, mut connection) = (Instant::now(), None);
    for round in 0_u32.. {
        if stop.run_until_cancelled(sleep_until(began + FIRST_SOS + SOS_EVERY * round)).await.is_none() {
            return;
        }
        let number = (mix(watches.seed ^ 0x505, u64::from(round)) % u64::from(watches.count)) as u32;
        send(target, &mut connection, sos(watches, number, Timestamp::now())).await;
    }
}

async fn send(target: &Target, connection: &mut Option<Connection>, body: Bytes) {
    let open = match connection.take() {
        Some(open) if open.is_open() => Ok(open),
        _ => target.connect().await,
    };
    if let Ok(mut open) = open
        && open.upload(target, body).await.is_ok()
    {
        *connection = Some(open);
    }
}

/// Charge in percent, and whether it charges.
fn battery(seed: u64, at: Timestamp) -> (i64, bool) {
    let into = (at.as_second() + (mix(seed, 3) % BATTERY_SECONDS as u64) as i64) % BATTERY_SECONDS;
    if into < CHARGING_FROM {
        return (100 - into * 97 / CHARGING_FROM, false);
    }
    (3 + (into - CHARGING_FROM) * 97 / (BATTERY_SECONDS - CHARGING_FROM), true)
}

fn information(watches: Watches, number: u32, at: Timestamp) -> Bytes {
    let serial_number = watches.first_serial + u64::from(number);
    let seed = mix(watches.seed, serial_number);
    let (charge, charging) = battery(seed, at);
    let owners = owners(serial_number, number);
    // One in thirty lies on a table for an hour.
    let worn = i32::from(!charging && !mix(seed, (at.as_second() / 3_600) as u64).is_multiple_of(30));
    format!(
        r#"{{"SerialNumber":"{}","Device Name":"SIMULATED WATCH","System Software Version":"SIM 1.0","batteryLevel":{charge},"voltage":{},"chargingStatus":"{}","wearState":{worn},"status":"ACTIVE","Network Access Mode":2,"customer_id":"{}","timestamp":{}}}"#,
        serial(serial_number),
        3_300 + charge * 9,
        if charging { "CHARGING" } else { "NONE" },
        owners.tenant,
        at.as_millisecond(),
    )
    .into()
}

fn sos(watches: Watches, number: u32, at: Timestamp) -> Bytes {
    let serial_number = watches.first_serial + u64::from(number);
    let (device_sn, owners, at) = (serial(serial_number), owners(serial_number, number), at.as_millisecond());
    format!(
        r#"{{"eventType":"com.tdtech.ohos.health.action.SOS_EVENT","eventValue":"{device_sn}","deviceSn":"{device_sn}","customerId":"{}","orgId":"{}","userId":"{}","timestamp":{at}}}"#,
        owners.tenant, owners.org, owners.user
    )
    .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const WATCHES: Watches = Watches { first_serial: 7, count: 3, seed: 1 };

    #[test]
    fn a_report_is_json_with_a_charge_that_a_battery_can_have() {
        for hour in 0..96 {
            let at = Timestamp::from_second(1_700_000_000 + hour * 1_800).expect("a time");
            let report: serde_json::Value =
                serde_json::from_slice(&information(WATCHES, 2, at)).expect("JSON");
            let charge = report["batteryLevel"].as_i64().expect("a number");
            assert!((3..=100).contains(&charge), "{report}");
            assert_eq!(report["SerialNumber"], "SIM0000000000009");
        }
        let alarm: serde_json::Value =
            serde_json::from_slice(&sos(WATCHES, 0, Timestamp::UNIX_EPOCH)).expect("JSON");
        assert_eq!(alarm["deviceSn"], "SIM0000000000007");
    }
}
