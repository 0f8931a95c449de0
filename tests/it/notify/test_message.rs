//! `vitals alerts test-message`, and tests over HTTP: one message, and the answer of the provider in words.

use serde_json::json;

use super::house::House;
use crate::harness::{Browser, Receiver, Reply, vitals_with};

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

/// Contacts in two languages: the robot of the nurse takes messages, that of the ward is gone.
async fn two_contacts(house: &House) -> (i64, i64) {
    house
        .run(
            "with people as (
                 insert into contact (name, language) values ('Nurse', 'zh'), ('Ward', 'en') returning contact_id, name
             )
             insert into contact_address (contact_id, channel, address)
             select contact_id, 'feishu_robot', 'KEY-' || name from people",
        )
        .await;
    let id = async |address: &str| -> i64 {
        let sql = format!("select address_id from contact_address where address = '{address}'");
        house.sql.query_one(&sql, &[]).await.expect("an address").get(0)
    };
    (id("KEY-Nurse").await, id("KEY-Ward").await)
}

async fn robots() -> Receiver {
    Receiver::start(|seen| match seen.path.ends_with("KEY-Ward") {
        true => Reply::Json(json!({ "code": 19_001, "msg": "bot not found" })),
        false => Reply::Json(json!({ "code": 0, "msg": "success" })),
    })
    .await
}

#[tokio::test]
async fn a_test_over_http_tells_whether_it_arrived_is_recorded_and_touches_no_alert() {
    let house = House::new().await;
    let robots = robots().await;
    let service = house.serve(|settings| settings.notify.feishu_base_url = robots.url()).await;
    let (nurse, ward) = two_contacts(&house).await;
    let test = async |id: i64| service.send("POST", &format!("/api/contact_addresses/{id}/test"), None).await;

    let arrived = test(nurse).await;
    assert_eq!(arrived.status, 200, "{arrived:?}");
    assert_eq!((&arrived.body["delivered"], &arrived.body["error"]), (&json!(true), &json!(null)));
    assert_eq!(arrived.body["tested_by"], "local");
    let seen = robots.requests();
    assert!(seen[0].text.contains("测试消息"), "in the language of the contact: {}", seen[0].text);
    let failed = test(ward).await;
    assert_eq!((failed.status, &failed.body["delivered"]), (200, &json!(false)), "{failed:?}");
    assert!(failed.body["error"].as_str().expect("a reason").contains("bot not found"), "{failed:?}");
    assert!(robots.requests()[1].text.contains("test message"), "in English");

    let twice = test(nurse).await;
    assert_eq!(twice.status, 429, "{twice:?}");
    assert!(twice.header("retry-after").is_some());
    // The same robot under another name is the same robot.
    house
        .run("insert into contact_address (contact_id, channel, address) select contact_id, 'feishu_robot', 'KEY-Nurse' from contact where name = 'Ward'")
        .await;
    let shared: i64 = house
        .sql
        .query_one("select max(address_id) from contact_address", &[])
        .await
        .expect("the newest")
        .get(0);
    assert_eq!(test(shared).await.status, 429);
    assert_eq!(test(987_654_321).await.status, 404);
    assert_eq!(robots.requests().len(), 2, "what is refused is not sent");

    let listed = service.get("/api/contact_addresses").await;
    let of = |id: i64| {
        let id = json!(id.to_string());
        let all = listed.body["addresses"].as_array().expect("addresses");
        all.iter().find(|each| each["address_id"] == id).expect("listed")["last_test"].clone()
    };
    assert_eq!(
        (&of(nurse)["delivered"], &of(ward)["delivered"]),
        (&json!(true), &json!(false)),
        "{listed:?}"
    );
    assert_eq!(of(shared), json!(null));
    let changed = json!({ "address": "KEY-other" });
    let changed = service.send("PATCH", &format!("/api/contact_addresses/{ward}"), Some(&changed)).await;
    assert_eq!(changed.body["last_test"], json!(null), "another address was not tested: {changed:?}");
    for table in ["notification", "alert", "alert_action"] {
        assert_eq!(house.value(&format!("select count(*) from {table}")).await, 0, "{table}");
    }
    service.finish().await;
}

#[tokio::test]
async fn a_test_from_the_page_shows_the_words_of_the_channel() {
    let house = House::new().await;
    let robots = robots().await;
    let service = house.serve(|settings| settings.notify.feishu_base_url = robots.url()).await;
    let (nurse, ward) = two_contacts(&house).await;
    let browser = Browser::new(&service);
    let test = async |id: i64, language: &str| {
        browser.get(&format!("/admin/contacts?lang={language}")).await;
        let path = format!("/admin/contacts/addresses/{id}");
        let sent = browser.submit(&path, &[("action", "test")]).await;
        assert_eq!(sent.status, 303, "{sent:?}");
        browser.get(&sent.location).await.text
    };
    let page = test(ward, "en").await;
    assert!(page.contains("The test message is not delivered") && page.contains("bot not found"), "{page}");
    let page = test(nurse, "en").await;
    assert!(page.contains("The test message is delivered") && page.contains("local"), "{page}");
    let page = test(nurse, "zh").await;
    assert!(page.contains("此地址刚刚测试过") && page.contains("未送达"), "{page}");
    let path = format!("/admin/contacts/addresses/{nurse}");
    let foreign =
        browser.submit_from(&path, &[("action", "test")], &[("sec-fetch-site", "cross-site")]).await;
    assert_eq!(foreign.status, 403, "{foreign:?}");
    assert_eq!(robots.requests().len(), 2);
    service.finish().await;
}
