//! `vitals alerts test-message`: one message, and the answer of the provider in words.

use serde_json::json;

use super::house::House;
use crate::harness::{Receiver, Reply, vitals_with};

#[tokio::test]
async fn a_contact_gets_a_test_message_at_every_address_and_whoever_asks_is_shown_the_answers() {
    let house = House::new().await;
    let provider = Receiver::start(|seen| match seen.path.as_str() {
        "/robot/send" => Reply::Json(json!({ "errcode": 400_102, "errmsg": "bot is stopped" })),
        "/open-apis/bot/v2/hook/KEY-0123456789" => Reply::Json(json!({ "code": 0, "msg": "success" })),
        _ => Reply::Status(202),
    })
    .await;
    house
        .run(
            "with nurse as (insert into contact (name, language) values ('Nurse', 'zh') returning contact_id)
             insert into contact_address (contact_id, channel, address)
             select contact_id, channel, address
             from nurse, (values ('dingtalk_robot', 'KEY-0123456789'), ('feishu_robot', 'KEY-0123456789')) as a (channel, address)",
        )
        .await;
    let url = provider.url();
    let variables = [
        ("VITALS_NOTIFY_DINGTALK_BASE_URL", url.as_str()),
        ("VITALS_NOTIFY_FEISHU_BASE_URL", url.as_str()),
        ("VITALS_NOTIFY_SMS_URL", url.as_str()),
    ];
    let run = async |arguments: &[&str]| {
        let arguments = [&["alerts", "test-message"], arguments].concat();
        vitals_with(&house.database, &arguments, &variables).await
    };
    let both = run(&["--contact", "Nurse"]).await;
    assert_eq!(both.code, 3, "{both:?}");
    assert_eq!(both.out, "feishu_robot …6789: sent\n");
    assert!(
        both.err.contains("dingtalk_robot …6789: the robot is gone: 400102 bot is stopped"),
        "{}",
        both.err
    );
    let seen = provider.requests();
    let feishu = seen.iter().find(|seen| seen.path.starts_with("/open-apis")).expect("one");
    assert!(feishu.text.contains("vitals 测试消息"), "in the language of the contact: {}", feishu.text);

    let sms = run(&["--channel", "sms", "--address", "+8613800138000"]).await;
    assert_eq!((sms.code, sms.out.as_str()), (0, "sms +8613800138000: sent\n"), "{sms:?}");
    let unset = run(&["--channel", "email", "--address", "a@example.org"]).await;
    assert!(unset.code == 1 && unset.err.contains("smtp_url is not set"), "{unset:?}");
    let nobody = run(&["--contact", "Nobody"]).await;
    assert!(nobody.code == 1 && nobody.err.contains("nobody to send to"), "{nobody:?}");
    assert_eq!(house.value("select count(*) from notification").await, 0);
}
