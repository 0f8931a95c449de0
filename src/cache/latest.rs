//! The latest value of each device, as dashboards read it: hash `health_data:{sn}`, channel
//! `health_data_channel:{sn}` (the wire contract, section 6).
//!
//! Before: `react` hands over rows read back from the database. After: dashboards. Promise: an older value never
//! overwrites a newer one, whatever the order of calls; a hash holds the fields of exactly one row. A row dated ahead counts as
//! of its receipt, so that it does not keep out those after it.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::newest::{self, LatestEntry, Shown, local, text};
use super::{Cache, CacheError};
use crate::metric::Metric;
use crate::model::LatestValue;

/// Shows values, read at `read_version`, in as few round trips as they need.
///
/// # Errors
/// Redis did not answer; any part of the values may have been written. The call can be repeated.
pub async fn show(cache: &Cache, values: &[LatestValue], read_version: i64) -> Result<Shown, CacheError> {
    newest::show(cache, values, read_version).await
}

impl LatestEntry for LatestValue {
    const NAME: &'static str = "health_data";

    fn device_sn(&self) -> &str {
        &self.device_sn
    }

    fn effective_ts(&self) -> Timestamp {
        self.effective_ts
    }

    fn is_bound(&self) -> bool {
        self.owner.user_id.is_some()
    }

    fn encode(&self, zone: &TimeZone, fields: &mut Vec<(&'static str, String)>) {
        encode(self, zone, fields);
    }
}

/// The fields after the first three. What was not measured is absent; an unknown tenant is 0.
fn encode(value: &LatestValue, zone: &TimeZone, fields: &mut Vec<(&'static str, String)>) {
    let mut field = |name, text: Option<String>| fields.extend(text.map(|text| (name, text)));
    field("uploadMethod", value.upload_method.clone());
    for (metric, measured) in Metric::ALL.into_iter().zip(value.measured.values()) {
        field(metric.definition().redis_field, text(measured));
    }
    field("timestamp", Some(local(value.ts, zone)));
    field("customerId", text(value.owner.customer_id.or(Some(0))));
    field("orgId", text(value.owner.org_id));
    field("userId", text(value.owner.user_id));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::Measurements;
    use crate::model::Owner;

    fn value() -> LatestValue {
        LatestValue {
            device_sn: "A5GTQ24B26000732".into(),
            ts: "2025-05-18T10:00:00.5Z".parse().expect("time"),
            owner: Owner { customer_id: Some(1_939_964_806_110_937_090), org_id: None, user_id: Some(7) },
            measured: Measurements {
                heart_rate: Some(84),
                temperature: Some("36.50".parse().expect("decimal")),
                pressure_high: Some(120),
                pressure_low: Some(80),
                step: Some(0),
                distance: Some("0.0".parse().expect("decimal")),
                calorie: Some("45678.9".parse().expect("decimal")),
                latitude: Some(22.540_367_96),
                longitude: Some(114.0),
                altitude: Some(-0.000_000_1),
                ..Measurements::default()
            },
            upload_method: Some("wifi".into()),
            effective_ts: "2025-05-18T10:00:00.5Z".parse().expect("time"),
            received_at: None,
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
}
