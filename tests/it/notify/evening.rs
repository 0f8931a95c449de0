//! A ward's evening: two people on duty, an alert that rises, nobody answers, the next step, an acknowledgement, a shift change, the end.

use serde_json::{Value, json};

use super::house::House;
use crate::harness::{Receiver, Reply, Service};

/// What WeCom was asked to send: `user: text`, in order, the ones of one moment sorted.
fn sent(receiver: &Receiver, from: usize) -> Vec<String> {
    let messages = receiver.requests();
    let mut sent: Vec<String> = messages
        .iter()
        .filter(|seen| seen.path == "/cgi-bin/message/send")
        .skip(from)
        .map(|seen| {
            let text = |value: &Value| value.as_str().expect("text").to_owned();
            format!("{}: {}", text(&seen.body["touser"]), text(&seen.body["text"]["content"]))
        })
        .collect();
    sent.sort();
    sent
}

struct Evening {
    house: House,
    receiver: Receiver,
    service: Service,
    before: usize,
}

impl Evening {
    /// Ward 300 of tenant 100: Li reads Chinese and Wang English, both on duty; Chen comes later; the head nurse is the manager.
    async fn begins() -> Self {
        let house = House::new().await;
        house
            .run(
                "insert into org_unit (org_id, ancestors) values (100, '{0}'), (300, '{0,100}');
                 insert into app_user (user_id, org_id) values (1, 300);
                 insert into device_binding (device_sn, user_id, valid_from) values ('WARD-1', 1, now() - interval '1 day');
                 insert into contact (name, language)
                 values ('Li', 'zh'), ('Wang', 'en'), ('Chen', 'zh'), ('Head', 'en');
                 insert into contact_address (contact_id, channel, address) select contact_id, 'wecom', lower(name) from contact;
                 insert into org_manager select 300, contact_id from contact where name = 'Head';
                 insert into shift (org_id, contact_id, starts_at, ends_at)
                 select 300, contact_id, now() - interval '4 hours', now() + interval '1 hour' from contact where name in ('Li', 'Wang');
                 insert into shift (org_id, contact_id, starts_at, ends_at)
                 select 300, contact_id, now() + interval '1 hour', now() + interval '9 hours' from contact where name = 'Chen';
                 insert into notification_route (channel, audience, repeat_seconds, on_resolved) values ('wecom', 'on_duty', 300, true);
                 insert into notification_route (channel, audience, min_severity, after_seconds, repeat_seconds, on_resolved)
                 values ('wecom', 'managers', 'major', 300, 300, true);",
            )
            .await;
        let receiver = Receiver::start(|seen| match seen.path.as_str() {
            "/cgi-bin/gettoken" => {
                Reply::Json(json!({ "errcode": 0, "errmsg": "ok", "access_token": "T", "expires_in": 7200 }))
            }
            _ => Reply::Json(json!({ "errcode": 0, "errmsg": "ok", "msgid": "m" })),
        })
        .await;
        let service = house
            .serve(|settings| {
                settings.notify.wecom_base_url = receiver.url();
                settings.notify.wecom_corp_id = "ww1".into();
                settings.notify.wecom_secret = "s3cret".into();
                settings.notify.wecom_agent_id = 1_000_002;
            })
            .await;
        Self { house, receiver, service, before: 0 }
    }

    /// A heart rate of the wearer, measured some seconds ago. Two readings of one second would be one.
    async fn heart_rate(&self, seconds_ago: i64, rate: i32) {
        let time = (jiff::Timestamp::now() - jiff::SignedDuration::from_secs(seconds_ago))
            .in_tz("Asia/Shanghai")
            .expect("a zone")
            .strftime("%Y-%m-%d %H:%M:%S")
            .to_string();
        self.service
            .upload(&json!({ "data": { "deviceSn": "WARD-1", "heart_rate": rate, "timestamp": time } }))
            .await;
        self.service.drained().await;
    }

    /// Whatever was sent since the last call: who got which kind of message, in which language.
    async fn messages(&mut self, count: usize) -> Vec<String> {
        self.receiver.received("/cgi-bin/message/send", self.before + count).await;
        self.house.until_none("pending").await;
        let messages = sent(&self.receiver, self.before);
        self.before += messages.len();
        messages
    }
}

fn assert_messages(messages: &[String], expected: &[(&str, &str)]) {
    assert_eq!(messages.len(), expected.len(), "{messages:#?}");
    for (message, (user, beginning)) in messages.iter().zip(expected) {
        assert!(message.starts_with(&format!("{user}: {beginning}")), "{message} is not {user}: {beginning}");
    }
}

#[tokio::test]
async fn a_wards_evening() {
    let mut evening = Evening::begins().await;
    evening.heart_rate(60, 130).await;
    assert_messages(&evening.messages(2).await, &[("li", "【一般】"), ("wang", "[minor] ")]);

    evening.heart_rate(0, 150).await;
    assert_messages(
        &evening.messages(2).await,
        &[("li", "【严重】级别升高"), ("wang", "[major] more severe: ")],
    );

    // Five minutes pass, and nobody has answered: the next step is the manager.
    evening.house.due_now().await;
    let messages = evening.messages(3).await;
    let expected = [
        ("head", "[major] not acknowledged: "),
        ("li", "【严重】仍未确认"),
        ("wang", "[major] still not acknowledged: "),
    ];
    assert_messages(&messages, &expected);

    evening
        .house
        .run(
            "select vitals.acknowledge_alert(alert_id, 'Li', 'on my way') from alert where status = 'firing'",
        )
        .await;
    let messages = evening.messages(2).await;
    assert_messages(
        &messages,
        &[("head", "[major] acknowledged by Li: "), ("wang", "[major] acknowledged by Li: ")],
    );
    assert_eq!(evening.house.steps().await, [""; 0], "nothing is repeated");

    // The night shift has no message of an alert that somebody has.
    evening
        .house
        .run(
            "update shift set ends_at = now() where ends_at < now() + interval '2 hours';
                       update shift set starts_at = now() where starts_at > now()",
        )
        .await;
    let on_duty = "select json_agg(name) from vitals.contacts_on_duty(clock_timestamp()) join contact using (contact_id)";
    assert_eq!(evening.house.value(on_duty).await, json!(["Chen"]));
    evening.house.due_now().await;

    evening
        .house
        .run("select vitals.resolve_alert(alert_id, 'Chen') from alert where status = 'acknowledged'")
        .await;
    let messages = evening.messages(3).await;
    assert_messages(
        &messages,
        &[
            ("head", "[resolved] (resolved by a person) "),
            ("li", "【已恢复】"),
            ("wang", "[resolved] (resolved by a person) "),
        ],
    );

    let twice = "select count(*) from (select from notification group by address, kind, sequence having count(*) > 1) as twice";
    assert_eq!(evening.house.value(twice).await, 0);
    let numbers = "select count(*) = count(distinct (address, message_id)) and bool_and(attempts = 0 and status = 'sent') from notification";
    assert_eq!(evening.house.value(numbers).await, true, "each message once, under one number");
    assert_eq!(
        evening.receiver.requests().iter().filter(|seen| seen.path == "/cgi-bin/message/send").count(),
        12
    );
    evening.service.finish().await;
}
