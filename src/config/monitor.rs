//! How the service monitors itself, section `[monitor]` of the file.
//!
//! Operators are settings, not rows: they must be notified that PostgreSQL is away without reading it.

use confique::Config;

use crate::model::Channel;

/// How often it samples, which operators it notifies, where traces go.
#[derive(Clone, Config)]
pub struct MonitorSettings {
    /// How often the service samples itself: queues, errors, memory, PostgreSQL, Redis; milliseconds.
    #[config(env = "VITALS_MONITOR_INTERVAL_MS", default = 5000)]
    pub interval_ms: u64,

    /// How often a summary of what was done since the last one is logged, seconds. 0: never.
    #[config(env = "VITALS_MONITOR_SUMMARY_INTERVAL_SECONDS", default = 30)]
    pub summary_interval_seconds: u32,

    /// How long a condition has to last before operators are notified, seconds.
    #[config(env = "VITALS_MONITOR_ALERT_AFTER_SECONDS", default = 60)]
    pub alert_after_seconds: u32,

    /// Memory the process may use, bytes; operators are notified at 90 %. 0: the limit of its control group, else of the machine.
    #[config(env = "VITALS_MONITOR_MEMORY_LIMIT_BYTES", default = 0)]
    pub memory_limit_bytes: u64,

    /// Where traces are sent: an OTLP collector over HTTP, such as `http://127.0.0.1:4318`. Empty: no traces.
    #[config(env = "VITALS_MONITOR_OTLP_ENDPOINT", default = "")]
    pub otlp_endpoint: String,

    /// Share of the requests that are traced, 0 to 1; a request with a `traceparent` is traced as that says.
    #[config(env = "VITALS_MONITOR_TRACE_SAMPLE_RATIO", default = 0.01)]
    pub trace_sample_ratio: f64,

    /// Operators who are notified when the service is unhealthy, separated by commas, each a channel and its address:
    /// `email:ops@example.org`, `webhook:https://ops.example.org/vitals`, `wecom_robot:KEY`, `dingtalk_robot:TOKEN`,
    /// `feishu_robot:TOKEN`, `sms:+8613800138000`, `wecom:USER`, `wechat:OPENID`. Empty: nobody; the conditions are in the log and at `/api/system_alerts`.
    #[config(env = "VITALS_MONITOR_OPERATORS", default = "")]
    pub operators: String,

    /// Secret that signs webhooks to operators, `whsec_…` (Standard Webhooks). Empty: they are not signed.
    #[config(env = "VITALS_MONITOR_OPERATORS_WEBHOOK_SECRET", default = "")]
    pub operators_webhook_secret: String,
}

impl std::fmt::Debug for MonitorSettings {
    /// Without addresses: the address of a robot or a webhook may be as good as a password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MonitorSettings").finish_non_exhaustive()
    }
}

impl MonitorSettings {
    /// Channel and address of each operator.
    ///
    /// # Errors
    /// Names the entry that is invalid.
    pub fn operators(&self) -> Result<Vec<(Channel, String)>, String> {
        let all = self.operators.split(',').map(str::trim).filter(|text| !text.is_empty());
        all.map(|text| {
            let (channel, address) = text.split_once(':').unwrap_or((text, ""));
            let channel = Channel::of_name(channel).ok_or_else(|| {
                format!("\"{channel}\" is no channel: {}", Channel::ALL.map(Channel::name).join(", "))
            })?;
            match address.trim() {
                "" => Err(format!("{} has no address", channel.name())),
                address => match channel.address_refusal(address) {
                    Some(refusal) => Err(format!("the address of {} {refusal}", channel.name())),
                    None => Ok((channel, address.to_owned())),
                },
            }
        })
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(addresses: &str) -> Result<Vec<(Channel, String)>, String> {
        let mut settings = crate::config::Settings::defaults().monitor;
        settings.operators = addresses.into();
        settings.operators()
    }

    #[test]
    fn an_address_may_have_colons_of_its_own() {
        let two = read("email:ops@example.org, webhook:https://ops.example.org:8443/a").expect("two");
        assert_eq!(
            two,
            [
                (Channel::Email, "ops@example.org".into()),
                (Channel::Webhook, "https://ops.example.org:8443/a".into())
            ]
        );
        assert!(read("").expect("none").is_empty());
    }

    #[test]
    fn an_unknown_channel_or_a_missing_address_is_refused() {
        for bad in
            ["ops@example.org", "telegram:1", "email:", "email", "sms:13800138000", "feishu_robot:../a"]
        {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
