//! What devices and people wrote is text in every channel: no link, no mention, no header, no placeholder.

use serde_json::{Value, json};
use vitals::config::Settings;

use super::email::Mailbox;
use super::house::House;
use crate::harness::{Receiver, Reply, Service, eventually};

/// What whoever has a watch's serial can send as the value of an event.
const VALUE: &str =
    "[tap](http://evil.example) **b** `c` <a href=\"http://evil.example\">d</a> <@all> {user} {rule} {count}";
const SERIAL: &str = "[SN](http://e) {value}";
const NAME: &str = "{severity} [n](http://e)";

/// A rule that says all of it, a person of whom the directory knows an odd name, and somebody in every channel.
async fn service_with_contacts(mailbox: &Mailbox) -> (House, Receiver, Service) {
    let house = House::new().await;
    let receiver = Receiver::start(|seen| match seen.path.as_str() {
        "/cgi-bin/gettoken" | "/cgi-bin/token" => {
            Reply::Json(json!({ "errcode": 0, "access_token": "T", "expires_in": 7200 }))
        }
        _ => Reply::Json(json!({ "errcode": 0, "errmsg": "ok" })),
    })
    .await;
    house
        .run(&format!(
            "insert into org_unit (org_id, name, ancestors) values (300, 'ward', '{{}}');
             insert into app_user (user_id, org_id, name) values (42, 300, '{NAME}');
             update alert_rule set enabled = false;
             insert into alert_rule (name, kind, severity, event_type, message)
             values (E'[rule](http://e)\\r\\nBcc: evil@example.org', 'event', 'critical', 'TYPED',
                     '{{device_sn}} said {{value}} to {{user}}')"
        ))
        .await;
    for (channel, address) in
        [("wecom_robot", "KEY"), ("wecom", "zhang"), ("wechat", "openid"), ("email", "nurse@example.org")]
    {
        house.subscribe(channel, address).await;
    }
    house.subscribe("webhook", &format!("{}/hook", receiver.url())).await;
    let port = mailbox.serve(mailin_embedded::SslConfig::None);
    let accounts = |settings: &mut Settings| {
        let notify = &mut settings.notify;
        (notify.wecom_base_url, notify.wechat_base_url) = (receiver.url(), receiver.url());
        (notify.wecom_corp_id, notify.wecom_secret, notify.wecom_agent_id) = ("ww".into(), "s".into(), 1);
        (notify.wechat_app_id, notify.wechat_app_secret) = ("wx".into(), "s".into());
        notify.wechat_template_id = "T".into();
        notify.smtp_url = format!("smtp://127.0.0.1:{port}");
        notify.smtp_from = "alerts@example.org".into();
    };
    let service = house.serve(accounts).await;
    (house, receiver, service)
}

#[tokio::test]
async fn what_a_device_sends_is_text_in_every_channel_and_placeholders_in_it_stay_as_they_are() {
    let mailbox = Mailbox::default();
    let (house, receiver, service) = service_with_contacts(&mailbox).await;
    let event = json!({ "eventType": "TYPED", "eventValue": VALUE, "deviceSn": SERIAL, "userId": "42" });
    assert_eq!(service.post("/upload_common_event", event.to_string()).await.status, 200);
    house.until("sent", 5).await;
    let whole = format!("{SERIAL} said {VALUE} to {NAME}");

    let robot = &receiver.received("/cgi-bin/webhook/send", 1).await[0].body["markdown"]["content"];
    let robot = robot.as_str().expect("text").strip_prefix("[critical] ").expect("our own sign");
    for sign in ["[", "]", "<", ">", "*", "`"] {
        assert!(!robot.contains(sign), "{sign} in {robot}");
    }
    assert!(robot.contains("{value}") && robot.contains("{user} {rule} {count}"), "{robot}");

    let sent = receiver.received("/cgi-bin/message/send", 1).await;
    let application = sent[0].body["text"]["content"].as_str().expect("text");
    assert!(!application.contains(['<', '>']), "no link of theirs: {application}");
    assert!(
        application.contains("[tap](http://evil.example)") && application.contains("{user}"),
        "{application}"
    );

    let fields = &receiver.received("/cgi-bin/message/template", 1).await[0].body["data"];
    assert_eq!(fields["remark"]["value"], format!("[critical] {whole}"));
    assert_eq!(fields["keyword1"]["value"], SERIAL);
    assert_eq!(fields["keyword2"]["value"], "[rule](http://e)  Bcc: evil@example.org", "one line");

    let hook = &receiver.received("/hook", 1).await[0].body["data"]["alerts"][0];
    assert_eq!(
        (&hook["message"], &hook["device_sn"]),
        (&json!(whole), &json!(SERIAL)),
        "data is not escaped"
    );

    let mails = eventually("a mail", async || Some(mailbox.mails()).filter(|mails| !mails.is_empty())).await;
    let (head, _) = mails[0].split_once("\r\n\r\n").expect("a head and a body");
    assert!(!head.lines().any(|line| line.to_ascii_lowercase().starts_with("bcc:")), "{head}");
    assert!(head.contains("Content-Type: text/plain"), "{head}");
    let message: Value = house.value("select message from alert").await;
    assert_eq!(message, whole, "filled in once");
    service.finish().await;
}
