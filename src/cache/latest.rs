//! The latest value of each device, as dashboards read it: hash `health_data:{sn}`, channel
//! `health_data_channel:{sn}` (WIRE.md 6).
//!
//! Before: `react` hands over rows read back from the database. After: dashboards. Promise: an older value never
//! overwrites a newer one, whatever the order of calls; a hash holds the fields of exactly one row.

use std::sync::LazyLock;

use futures_util::future::try_join;
use jiff::tz::TimeZone;
use redis::{Pipeline, Script};

use super::{Cache, CacheError};
use crate::model::LatestValue;

/// Values in one round trip: about half a megabyte, 5 ms of Redis' time.
const VALUES_PER_PIPELINE: usize = 500;

const NEWEST_WINS: &str = include_str!("newest_wins.lua");
static NEWEST_WINS_HASH: LazyLock<String> = LazyLock::new(|| Script::new(NEWEST_WINS).get_hash().to_owned());

/// What became of some values.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Shown {
    /// Are in Redis now.
    pub written: u64,
    /// Were older than what Redis has.
    pub older: u64,
}

/// Shows values, read at `read_version`, in as few round trips as they need.
///
/// # Errors
/// Redis did not answer; any part of the values may have been written. The same again is harmless.
pub async fn show(cache: &Cache, values: &[LatestValue], read_version: i64) -> Result<Shown, CacheError> {
    let read_version = read_version.to_string();
    let mut written = 0;
    // Two at once: while Redis works on one, the other is put together.
    for pair in values.chunks(2 * VALUES_PER_PIPELINE) {
        let (one, other) = pair.split_at(pair.len().min(VALUES_PER_PIPELINE));
        let (one, other) =
            try_join(send(cache, one, &read_version), send(cache, other, &read_version)).await?;
        written += one + other;
    }
    Ok(Shown { written, older: values.len() as u64 - written })
}

/// One round trip; gives how many were written.
async fn send(cache: &Cache, values: &[LatestValue], read_version: &str) -> Result<u64, CacheError> {
    if values.is_empty() {
        return Ok(0);
    }
    let pipeline = pipeline(values, read_version, &cache.shared.zone);
    let written: Vec<u64> = cache.send(&pipeline).await?;
    Ok(written.iter().sum())
}

/// The first call carries the script, which makes Redis know it; the others name it.
fn pipeline(values: &[LatestValue], read_version: &str, zone: &TimeZone) -> Pipeline {
    let mut pipeline = Pipeline::with_capacity(values.len());
    let mut fields = Vec::with_capacity(20);
    for (index, value) in values.iter().enumerate() {
        if index == 0 {
            pipeline.cmd("EVAL").arg(NEWEST_WINS);
        } else {
            pipeline.cmd("EVALSHA").arg(NEWEST_WINS_HASH.as_str());
        }
        pipeline.arg(1).arg(format!("health_data:{}", value.device_sn));
        encode(value, zone, &mut fields);
        pipeline.arg("eventTimeUs").arg(value.ts.as_microsecond()).arg("readVersion").arg(read_version);
        pipeline.arg("deviceSn").arg(&value.device_sn);
        for (name, text) in fields.drain(..) {
            pipeline.arg(name).arg(text);
        }
    }
    pipeline
}

/// The fields after the first three. What was not measured is absent; an unknown tenant is 0.
fn encode(value: &LatestValue, zone: &TimeZone, fields: &mut Vec<(&'static str, String)>) {
    let mut field = |name, text: Option<String>| fields.extend(text.map(|text| (name, text)));
    field("uploadMethod", value.upload_method.clone());
    field("heartRate", text(value.heart_rate));
    field("bloodOxygen", text(value.blood_oxygen));
    field("temperature", text(value.temperature));
    field("pressureHigh", text(value.pressure_high));
    field("pressureLow", text(value.pressure_low));
    field("stress", text(value.stress));
    field("step", text(value.step));
    field("distance", text(value.distance));
    field("calorie", text(value.calorie));
    // Shortest text that reads back as the same number, never with an exponent.
    field("latitude", text(value.latitude));
    field("longitude", text(value.longitude));
    field("altitude", text(value.altitude));
    let local = value.ts.to_zoned(zone.clone());
    field("timestamp", Some(local.strftime("%Y-%m-%d %H:%M:%S").to_string()));
    field("customerId", text(value.owner.customer_id.or(Some(0))));
    field("orgId", text(value.owner.org_id));
    field("userId", text(value.owner.user_id));
}

fn text(value: Option<impl ToString>) -> Option<String> {
    value.map(|value| value.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Owner;

    fn value() -> LatestValue {
        LatestValue {
            device_sn: "A5GTQ24B26000732".into(),
            ts: "2025-05-18T10:00:00.5Z".parse().expect("time"),
            owner: Owner { customer_id: Some(1_939_964_806_110_937_090), org_id: None, user_id: Some(7) },
            heart_rate: Some(84),
            blood_oxygen: None,
            temperature: Some("36.50".parse().expect("decimal")),
            pressure_high: Some(120),
            pressure_low: Some(80),
            stress: None,
            step: Some(0),
            distance: Some("0.0".parse().expect("decimal")),
            calorie: Some("45678.9".parse().expect("decimal")),
            latitude: Some(22.540_367_96),
            longitude: Some(114.0),
            altitude: Some(-0.000_000_1),
            upload_method: Some("wifi".into()),
        }
    }

    fn encoded(value: &LatestValue) -> Vec<(&'static str, String)> {
        let mut fields = Vec::new();
        encode(value, &TimeZone::get("Asia/Shanghai").expect("zone"), &mut fields);
        fields
    }

    #[test]
    fn a_value_has_the_fields_dashboards_read() {
        let fields = encoded(&value());
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, text)| (*name, text.as_str())).collect();
        assert_eq!(
            fields,
            [
                ("uploadMethod", "wifi"),
                ("heartRate", "84"),
                ("temperature", "36.50"),
                ("pressureHigh", "120"),
                ("pressureLow", "80"),
                ("step", "0"),
                ("distance", "0.0"),
                ("calorie", "45678.9"),
                ("latitude", "22.54036796"),
                ("longitude", "114"),
                ("altitude", "-0.0000001"),
                ("timestamp", "2025-05-18 18:00:00"),
                ("customerId", "1939964806110937090"),
                ("userId", "7"),
            ]
        );
    }

    #[test]
    fn an_unknown_tenant_is_zero_and_other_unknown_ids_are_absent() {
        let fields = encoded(&LatestValue { owner: Owner::default(), ..value() });
        assert!(fields.contains(&("customerId", "0".into())));
        assert!(!fields.iter().any(|(name, _)| ["orgId", "userId"].contains(name)));
    }

    #[test]
    fn a_pipeline_carries_the_script_once() {
        let zone = TimeZone::UTC;
        let packed = pipeline(&[value(), value(), value()], "5", &zone).get_packed_pipeline();
        let packed = String::from_utf8(packed).expect("text");
        assert_eq!(packed.matches("HMGET").count(), 1);
        assert_eq!(packed.matches(NEWEST_WINS_HASH.as_str()).count(), 2);
    }
}
