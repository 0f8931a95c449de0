//! Messages and lists say who: names and room of the directory, the value with its bounds, since when, and the last vital signs.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::house::House;
use crate::harness::{Receiver, Reply, Service, vitals};

/// Li Wei, who wears LI-1 since an hour and whose unit and room are known; before, somebody else wore it.
async fn ward(house: &House) {
    house
        .run(
            "insert into org_unit (org_id, name, ancestors) values (300, '3 North', '{7}');
             insert into app_user (user_id, org_id, name, room) values (42, 300, 'Li Wei', '12'), (43, 300, 'Wang Fang', null);
             insert into device_binding (device_sn, user_id, valid_from, valid_until)
             values ('LI-1', 43, now() - interval '2 days', now() - interval '1 hour');
             insert into device_binding (device_sn, user_id, valid_from) values ('LI-1', 42, now() - interval '1 hour');
             insert into contact (name, language) values ('Nurse', 'en'), ('护士', 'zh');
             insert into contact_address (contact_id, channel, address) values
                 (1, 'dingtalk_robot', 'EN'), (2, 'dingtalk_robot', 'ZH'), (1, 'sms', '+8613800138000');
             insert into notification_route (channel, audience, contact_id, min_severity)
             values ('dingtalk_robot', 'contact', 1, 'info'), ('dingtalk_robot', 'contact', 2, 'info'), ('sms', 'contact', 1, 'info')",
        )
        .await;
}

fn provider(seen: &crate::harness::ReceivedRequest) -> Reply {
    match seen.path.as_str() {
        "/robot/send" => Reply::Json(json!({ "errcode": 0, "errmsg": "ok" })),
        _ => Reply::Status(200),
    }
}

async fn service(house: &House, receiver: &Receiver) -> Service {
    house
        .serve(|settings| {
            settings.notify.dingtalk_base_url = receiver.url();
            settings.notify.sms_url = format!("{}/sms", receiver.url());
            (settings.notify.dingtalk_robot_interval_ms, settings.notify.sms_interval_ms) = (0, 0);
        })
        .await
}

/// Uploads samples of LI-1, each so many minutes ago.
async fn upload(service: &Service, samples: &[(i64, Value)]) {
    let now = Timestamp::now();
    let items: Vec<Value> = samples
        .iter()
        .map(|(minutes_ago, fields)| {
            let at = now - SignedDuration::from_mins(*minutes_ago);
            let mut item = json!({ "deviceSn": "LI-1", "timestamp": at.as_millisecond() });
            for (name, value) in fields.as_object().expect("fields") {
                item[name] = value.clone();
            }
            item
        })
        .collect();
    service.upload(&json!({ "data": items })).await;
    service.drained().await;
}

fn text_to(receiver: &Receiver, robot: &str) -> String {
    let seen = receiver
        .requests()
        .into_iter()
        .find(|seen| seen.query.get("access_token").is_some_and(|key| key == robot));
    seen.expect("a message").body["markdown"]["text"].as_str().expect("text").to_owned()
}

#[tokio::test]
async fn a_message_names_person_unit_and_room_and_their_last_values_in_the_language_of_the_reader() {
    let house = House::new().await;
    ward(&house).await;
    let receiver = Receiver::start(provider).await;
    let service = service(&house, &receiver).await;
    upload(
        &service,
        &[
            (90, json!({ "blood_oxygen": 97, "heart_rate": 61 })),
            (20, json!({ "pressureHigh": 135, "pressureLow": 85, "heart_rate": 88 })),
            (1, json!({ "temperature": 36.8 })),
            (0, json!({ "heart_rate": 130 })),
        ],
    )
    .await;
    house.until("sent", 3).await;
    let en = text_to(&receiver, "EN");
    assert!(en.contains("Li Wei, 3 North (LI-1): heart rate 130/min"), "{en}");
    assert_eq!(en.matches("Li Wei").count(), 1, "once is enough: {en}");
    for part in [
        "room 12",
        "last values: heart rate 130/min",
        "blood pressure 135/85 mmHg",
        "body temperature 36.8 °C",
    ] {
        assert!(en.contains(part), "{part}: {en}");
    }
    assert!(!en.contains("oxygen") && !en.contains("61/min"), "values of who wore it before: {en}");
    let zh = text_to(&receiver, "ZH");
    for part in ["Li Wei, 3 North (LI-1):心率 130 次/分", "房间 12", "血压 135/85 mmHg", "体温 36.8 ℃"]
    {
        assert!(zh.contains(part), "{part}: {zh}");
    }
    let sms = receiver.requests().into_iter().find(|seen| seen.path == "/sms").expect("an SMS");
    let sms = sms.body["text"].as_str().expect("text");
    assert!(sms.contains("Li Wei") && sms.contains("room 12"), "{sms}");
    service.finish().await;
}

#[tokio::test]
async fn a_warning_of_a_watch_has_its_unit_and_a_rule_may_name_the_room() {
    let house = House::new().await;
    ward(&house).await;
    house.run("update alert_rule set message = 'Room {room}: {user} called' where name = 'Call'").await;
    let receiver = Receiver::start(provider).await;
    let service = service(&house, &receiver).await;
    for (kind, value) in [("TEMPERATURE_HIGH_ALERT", "38.4"), ("CALL_STATE", "1")] {
        let event = json!({ "eventType": kind, "eventValue": value, "deviceSn": "LI-1" });
        assert_eq!(service.post("/upload_common_event", event.to_string()).await.status, 200);
    }
    house.until("sent", 6).await;
    let messages = "select jsonb_agg(message order by rule_id) from alert";
    let messages = house.value(messages).await;
    let warning = messages[0].as_str().expect("text");
    assert!(
        warning.starts_with(
            "Li Wei, 3 North (LI-1): the watch warns of a high body temperature (38.4 °C) at 20"
        ),
        "{warning}"
    );
    assert_eq!(messages[1], "Room 12: Li Wei called");
    let translated =
        house.value("select translations #>> '{zh,message}' from alert order by rule_id limit 1").await;
    let translated = translated.as_str().expect("text");
    assert!(translated.contains("手表预警体温过高(38.4 ℃)"), "{translated}");
    service.finish().await;
}

#[tokio::test]
async fn a_repeat_says_the_value_of_now_its_bounds_and_since_when() {
    let house = House::new().await;
    ward(&house).await;
    let receiver = Receiver::start(provider).await;
    let service = service(&house, &receiver).await;
    let alert = house
        .sql
        .query_one(
            "insert into alert (device_sn, rule_id, rule_version, kind, severity, metric, customer_id, org_id, user_id,
                                started_ts, fired_ts, last_ts, judged_ts, breach_count, last_value, peak_value, message)
             select 'LI-1', rule_id, version, kind, severity, metric, 7, 300, 42, now() - interval '9 minutes',
                    now() - interval '9 minutes', now(), now(), 4, 153, 153, 'LI-1: heart rate 130'
             from alert_rule where name = 'Heart rate out of range' returning alert_id",
            &[],
        )
        .await
        .expect("an alert");
    let alert_id: i64 = alert.get(0);
    house.notify(&[alert_id], "raised").await;
    house.until("sent", 3).await;
    let text = text_to(&receiver, "EN");
    assert!(text.contains("Li Wei, 3 North, room 12; heart rate 153/min (50 to 120)"), "{text}");
    assert!(text.contains("since 20"), "{text}");
    service.finish().await;
}

#[tokio::test]
async fn lists_name_the_person_and_the_unit_next_to_the_serial() {
    let house = House::new().await;
    ward(&house).await;
    let receiver = Receiver::start(provider).await;
    let service = service(&house, &receiver).await;
    upload(&service, &[(0, json!({ "heart_rate": 130 }))]).await;
    house.until("sent", 3).await;
    let listed = service.get("/api/alerts").await.body["alerts"][0].clone();
    assert_eq!(
        (&listed["device_sn"], &listed["user_name"], &listed["org_name"], &listed["room"]),
        (&json!("LI-1"), &json!("Li Wei"), &json!("3 North"), &json!("12"))
    );
    let list = vitals(&house.database, &["alerts", "list"]).await.out;
    let (header, row) = list.split_once('\n').expect("lines");
    assert!(header.contains("person") && header.contains("unit"), "{header}");
    assert!(row.contains("LI-1") && row.contains("Li Wei") && row.contains("3 North"), "{row}");
    service.finish().await;
}

#[tokio::test]
async fn a_message_goes_without_details_when_these_cannot_be_read() {
    let house = House::new().await;
    ward(&house).await;
    let receiver = Receiver::start(provider).await;
    let service = service(&house, &receiver).await;
    house.run("begin; lock table app_user").await;
    let other = house.database.client().await;
    other
        .batch_execute(
            "set lock_timeout = '5s';
             insert into alert (device_sn, rule_id, rule_version, kind, severity, event_type, started_ts, fired_ts, last_ts, judged_ts, message)
             values ('LI-1', 1, 1, 'event', 'critical', 'SOS_EVENT', now(), now(), now(), now(), 'LI-1: SOS');
             insert into notification (alert_id, kind, channel, address, contact_id, route_id, urgent)
             select alert_id, 'fired', 'dingtalk_robot', 'EN', 1, 1, true from alert;
             notify vitals_notification",
        )
        .await
        .expect("a notification");
    crate::harness::eventually("a message", async || {
        Some(receiver.requests()).filter(|requests| !requests.is_empty())
    })
    .await;
    assert!(text_to(&receiver, "EN").starts_with("[critical] LI-1: SOS  \n  message no. "));
    house.run("rollback").await;
    house.until("sent", 1).await;
    service.finish().await;
}
