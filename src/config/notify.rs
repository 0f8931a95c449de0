//! Notifications, section `[notify]` of the file: attempts, timeouts, and the access data of each channel.

use std::time::Duration;

use confique::Config;

use crate::model::Channel;

/// Settings of notifications; an empty text turns a channel off.
#[derive(Clone, Config)]
pub struct NotifySettings {
    /// Attempts to send a notification before it becomes a dead letter; an attempt that meets a rate limit of the provider does not count.
    #[config(env = "VITALS_NOTIFY_ATTEMPTS", default = 3)]
    pub attempts: u16,

    /// Longest time of one attempt, milliseconds.
    #[config(env = "VITALS_NOTIFY_TIMEOUT_MS", default = 10000)]
    pub timeout_ms: u64,

    /// How long after a message to a contact (WeChat, WeCom, SMS, e-mail) further ones are merged into one message, seconds, unless the
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

    /// Contents of the template's fields: `field={placeholder}`, separated by commas, with `{title}`, `{device_sn}`, `{wearer}`
    /// (name, unit and room, or the serial), `{rule}`, `{severity}`, `{time}`, `{message}`, `{count}`.
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

    /// Base URL of the DingTalk API, for group robots.
    #[config(env = "VITALS_NOTIFY_DINGTALK_BASE_URL", default = "https://oapi.dingtalk.com")]
    pub dingtalk_base_url: String,

    /// Secret (`SEC…`) of DingTalk robots whose address has none. Empty: they do not sign, and are secured by keywords or by the
    /// address of the sender.
    #[config(env = "VITALS_NOTIFY_DINGTALK_ROBOT_SECRET", default = "")]
    pub dingtalk_robot_secret: String,

    /// Shortest time between two messages to one DingTalk group robot, milliseconds: DingTalk takes 20 a minute.
    #[config(env = "VITALS_NOTIFY_DINGTALK_ROBOT_INTERVAL_MS", default = 3000)]
    pub dingtalk_robot_interval_ms: u64,

    /// Base URL of the Feishu API, for group robots; `https://open.larksuite.com` for Lark.
    #[config(env = "VITALS_NOTIFY_FEISHU_BASE_URL", default = "https://open.feishu.cn")]
    pub feishu_base_url: String,

    /// Secret of Feishu robots whose address has none. Empty: they do not sign, and are secured by keywords or by the address of the
    /// sender.
    #[config(env = "VITALS_NOTIFY_FEISHU_ROBOT_SECRET", default = "")]
    pub feishu_robot_secret: String,

    /// Shortest time between two messages to one Feishu group robot, milliseconds: Feishu takes 100 a minute and 5 a second.
    #[config(env = "VITALS_NOTIFY_FEISHU_ROBOT_INTERVAL_MS", default = 600)]
    pub feishu_robot_interval_ms: u64,

    /// URL of the SMS gateway. It and `sms_body` may have `{to}` (the number, `+8613800138000`), `{digits}` (the same without +),
    /// `{text}`, and `{id}` (the same at every attempt). Empty: SMS are refused. It may be at any address, also a private one.
    #[config(env = "VITALS_NOTIFY_SMS_URL", default = "")]
    pub sms_url: String,

    /// Method of the request.
    #[config(env = "VITALS_NOTIFY_SMS_METHOD", default = "POST")]
    pub sms_method: String,

    /// Headers of the request, a JSON object of names and values, such as that of a key. `Content-Type` decides how values are
    /// written into the body: JSON, form, XML or text/plain.
    #[config(env = "VITALS_NOTIFY_SMS_HEADERS", default = "{\"Content-Type\": \"application/json\"}")]
    pub sms_headers: String,

    /// Body of the request. Empty: none.
    #[config(
        env = "VITALS_NOTIFY_SMS_BODY",
        default = "{\"to\": \"{to}\", \"text\": \"{text}\", \"id\": \"{id}\"}"
    )]
    pub sms_body: String,

    /// JSON pointer (RFC 6901) to the field of an answer that says whether the gateway took the message, such as `/result/code`.
    /// Empty: the status alone says it.
    #[config(env = "VITALS_NOTIFY_SMS_OUTCOME_POINTER", default = "")]
    pub sms_outcome_pointer: String,

    /// Value of that field if the gateway took the message.
    #[config(env = "VITALS_NOTIFY_SMS_SUCCESS_VALUE", default = "")]
    pub sms_success_value: String,

    /// Values of that field, separated by commas, that are a rate limit: the message waits.
    #[config(env = "VITALS_NOTIFY_SMS_LIMITED_VALUES", default = "")]
    pub sms_limited_values: String,

    /// Values of that field, separated by commas, that are final, such as that of a wrong number: the message is a dead letter.
    #[config(env = "VITALS_NOTIFY_SMS_REFUSED_VALUES", default = "")]
    pub sms_refused_values: String,

    /// Most segments of an SMS, by which providers charge: 160 characters of English or 70 of Chinese (153 and 67 if there are several).
    #[config(env = "VITALS_NOTIFY_SMS_MAX_SEGMENTS", default = 3)]
    pub sms_max_segments: u16,

    /// Shortest time between two SMS to one number, milliseconds.
    #[config(env = "VITALS_NOTIFY_SMS_INTERVAL_MS", default = 10000)]
    pub sms_interval_ms: u64,

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

    /// Shortest time between two messages to one address of a channel.
    pub fn interval(&self, channel: Channel) -> Duration {
        Duration::from_millis(match channel {
            Channel::WecomRobot => self.wecom_robot_interval_ms,
            Channel::DingtalkRobot => self.dingtalk_robot_interval_ms,
            Channel::FeishuRobot => self.feishu_robot_interval_ms,
            Channel::Sms => self.sms_interval_ms,
            Channel::Wechat | Channel::Wecom | Channel::Email | Channel::Webhook => 0,
        })
    }
}
