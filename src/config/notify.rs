//! Notifications, section `[notify]` of the file: attempts, timeouts, and the access data of each channel.

use std::time::Duration;

use confique::Config;

/// Settings of notifications; an empty text turns a channel off.
#[derive(Clone, Config)]
pub struct NotifySettings {
    /// Attempts to send a notification before it becomes a dead letter; an attempt that meets a rate limit of the provider does not count.
    #[config(env = "VITALS_NOTIFY_ATTEMPTS", default = 3)]
    pub attempts: u16,

    /// Longest time of one attempt, milliseconds.
    #[config(env = "VITALS_NOTIFY_TIMEOUT_MS", default = 10000)]
    pub timeout_ms: u64,

    /// How long after a message to a contact (WeChat, WeCom, e-mail) further ones are merged into one message, seconds, unless the
    /// route says otherwise. Critical alerts do not wait.
    #[config(env = "VITALS_NOTIFY_MERGE_SECONDS", default = 60)]
    pub merge_seconds: u32,

    /// Allow webhooks to loopback, private and link-local addresses. Off by default: whoever may enter a URL could otherwise make
    /// the service send requests to machines behind the firewall.
    #[config(env = "VITALS_NOTIFY_WEBHOOK_ALLOW_PRIVATE", default = false)]
    pub webhook_allow_private: bool,

    /// Base URL of the WeChat API; change it to use a proxy.
    #[config(env = "VITALS_NOTIFY_WECHAT_BASE_URL", default = "https://api.weixin.qq.com")]
    pub wechat_base_url: String,

    /// AppID of the WeChat official account. Empty: its notifications are refused.
    #[config(env = "VITALS_NOTIFY_WECHAT_APP_ID", default = "")]
    pub wechat_app_id: String,

    /// AppSecret of the WeChat official account.
    #[config(env = "VITALS_NOTIFY_WECHAT_APP_SECRET", default = "")]
    pub wechat_app_secret: String,

    /// Template of the WeChat messages.
    #[config(env = "VITALS_NOTIFY_WECHAT_TEMPLATE_ID", default = "")]
    pub wechat_template_id: String,

    /// Contents of the template's fields: `field={placeholder}`, separated by commas, with `{title}`, `{device_sn}`,
    /// `{rule}`, `{severity}`, `{time}`, `{message}`, `{count}`.
    #[config(
        env = "VITALS_NOTIFY_WECHAT_TEMPLATE_FIELDS",
        default = "first={title},keyword1={device_sn},keyword2={rule},keyword3={time},remark={message}"
    )]
    pub wechat_template_fields: String,

    /// Base URL of the WeCom API, for application messages and group robots.
    #[config(env = "VITALS_NOTIFY_WECOM_BASE_URL", default = "https://qyapi.weixin.qq.com")]
    pub wecom_base_url: String,

    /// Id of the WeCom corporation. Empty: its application messages are refused.
    #[config(env = "VITALS_NOTIFY_WECOM_CORP_ID", default = "")]
    pub wecom_corp_id: String,

    /// Secret of the WeCom application.
    #[config(env = "VITALS_NOTIFY_WECOM_SECRET", default = "")]
    pub wecom_secret: String,

    /// Agent id of the WeCom application. 0: not set.
    #[config(env = "VITALS_NOTIFY_WECOM_AGENT_ID", default = 0)]
    pub wecom_agent_id: u64,

    /// Shortest time between two messages to one WeCom group robot, milliseconds: WeCom takes 20 a minute.
    #[config(env = "VITALS_NOTIFY_WECOM_ROBOT_INTERVAL_MS", default = 3000)]
    pub wecom_robot_interval_ms: u64,

    /// Mail server: `smtps://user:password@host` or `smtp://user:password@host:587?tls=required`; without `tls` it is not encrypted.
    /// Empty: e-mails are refused.
    #[config(env = "VITALS_NOTIFY_SMTP_URL", default = "")]
    pub smtp_url: String,

    /// Sender of e-mails: `vitals <alerts@example.org>`.
    #[config(env = "VITALS_NOTIFY_SMTP_FROM", default = "")]
    pub smtp_from: String,
}

impl std::fmt::Debug for NotifySettings {
    /// Without secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NotifySettings").field("attempts", &self.attempts).finish_non_exhaustive()
    }
}

impl NotifySettings {
    /// `timeout_ms` as a duration.
    pub fn timeout(&self) -> Duration {
        Duration::from_millis(self.timeout_ms)
    }
}
