//! Which settings are invalid, by themselves or in combination.

use jiff::tz::TimeZone;

use super::{Authentication, Enrolment, LimitSettings, Settings, SettingsError, buffer, login, public_url};

impl Settings {
    /// Which devices are handed a key, by the present or the old name of the setting.
    pub fn enrolment(&self) -> Enrolment {
        if self.config_without_key == Some(false) { Enrolment::Closed } else { self.enrolment }
    }

    /// Refuses invalid settings, with the reason.
    ///
    /// # Errors
    /// The first invalid setting or combination.
    pub fn check(&self) -> Result<(), SettingsError> {
        let refuse = |reason: String| Err(SettingsError::Invalid(reason));
        if !self.listen.ip().is_loopback() && self.authentication == Authentication::Off {
            return refuse(format!(
                "listen = {} is reachable from other machines and no request needs a key; \
                 set authentication = \"keys\" and make a key with `vitals keys create`, or listen on loopback",
                self.listen
            ));
        }
        if self.config_without_key == Some(false) && self.enrolment == Enrolment::Open {
            return refuse(
                "config_without_key = false is enrolment = \"closed\" by its old name, and enrolment is \"open\": \
                 remove config_without_key"
                    .to_owned(),
            );
        }
        if self.has_tls() == self.tls_key.as_os_str().is_empty() {
            return refuse(
                "tls_certificate and tls_key go together: both are files, or neither is".to_owned(),
            );
        }
        if let Some(reason) = self.read.invalid_reason() {
            return refuse(reason);
        }
        if let Some(reason) = self.redis.invalid_reason(&self.redis_url) {
            return refuse(reason.to_owned());
        }
        if let Some(reason) = buffer::invalid_reason(self).or_else(|| login::invalid_reason(self)) {
            return refuse(reason);
        }
        if let Some(reason) = self.page.invalid_reason() {
            return refuse(reason);
        }
        if let Some(reason) = self.cors.invalid_reason() {
            return refuse(reason);
        }
        for (name, zone) in
            [("device_time_zone", &self.device_time_zone), ("rollup_time_zone", &self.rollup_time_zone)]
        {
            if TimeZone::get(zone).is_err() {
                return refuse(format!("{name} = \"{zone}\" is no IANA time zone such as Asia/Shanghai"));
            }
        }
        for (name, value) in [
            ("max_body_bytes", self.max_body_bytes),
            ("max_batch_rows", self.max_batch_rows),
            ("newest_devices", self.newest_devices),
            ("database_pool_size", self.database_pool_size),
            ("owner_cache_seconds", self.owner_cache_seconds as usize),
            ("claim_batches", self.claim_batches as usize),
            ("lease_seconds", self.lease_seconds as usize),
            ("alert_sweep_interval_ms", self.alert_sweep_interval_ms as usize),
            ("monitor.interval_ms", usize::try_from(self.monitor.interval_ms).unwrap_or(usize::MAX)),
            ("policy_interval_seconds", usize::try_from(self.policy_interval_seconds).unwrap_or(usize::MAX)),
            ("limits.max_connections", self.limits.max_connections),
            ("limits.failures_per_minute", self.limits.failures_per_minute as usize),
            (
                "stream.check_interval_ms",
                usize::try_from(self.stream.check_interval_ms).unwrap_or(usize::MAX),
            ),
            ("notify.attempts", self.notify.attempts.into()),
            ("notify.timeout_ms", usize::try_from(self.notify.timeout_ms).unwrap_or(usize::MAX)),
        ] {
            if value == 0 {
                return refuse(format!("{name} must be at least 1"));
            }
        }
        if !(0.0..=1.0).contains(&self.monitor.trace_sample_ratio) {
            return refuse(format!(
                "monitor.trace_sample_ratio = {} is not from 0 to 1",
                self.monitor.trace_sample_ratio
            ));
        }
        if let Err(reason) = self.monitor.operators() {
            return refuse(format!("monitor.operators: {reason}"));
        }
        if self.limits.max_header_bytes < LimitSettings::MIN_HEADER_BYTES {
            return refuse(format!(
                "limits.max_header_bytes = {} is less than {}, the size of one read",
                self.limits.max_header_bytes,
                LimitSettings::MIN_HEADER_BYTES
            ));
        }
        if let Some(reason) = public_url::invalid_reason(&self.public_base_url) {
            return refuse(reason);
        }
        if self.queue_rows < self.max_batch_rows {
            return refuse(format!(
                "queue_rows = {} is less than max_batch_rows = {}: a batch could never fill",
                self.queue_rows, self.max_batch_rows
            ));
        }
        if self.max_decompressed_bytes < self.max_body_bytes {
            return refuse(format!(
                "max_decompressed_bytes = {} is less than max_body_bytes = {}",
                self.max_decompressed_bytes, self.max_body_bytes
            ));
        }
        let largest = self.largest_body_bytes();
        if self.shared_bodies_bytes() <= largest {
            return refuse(format!(
                "max_bodies_bytes = {}, less the sixteenth that is reserved for events, is not more than max_body_bytes and \
                 max_decompressed_bytes together ({largest}): the largest body could never be accepted",
                self.max_bodies_bytes
            ));
        }
        Ok(())
    }
}
