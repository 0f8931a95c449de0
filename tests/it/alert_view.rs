//! Alerts in Redis, as dashboards read them.

use std::collections::HashMap;

use futures_util::StreamExt;
use serde_json::Value;
use tokio_postgres::Client;

use crate::harness::{Database, Proxy, Service, eventually};

async fn raise(sql: &Client, device: &str) -> i64 {
    let alert_id = sql
        .query_one(
            "insert into alert (device_sn, rule_id, rule_version, kind, severity, metric, customer_id, user_id,
                                started_ts, fired_ts, last_ts, judged_ts, last_value, message)
             values ($1, 1, 1, 'threshold', 'major', 'heart_rate', 7, 9007199254740993,
                     '2026-01-05 02:00+00', '2026-01-05 02:00+00', '2026-01-05 02:00+00', '2026-01-05 02:00+00', 150, 'fast')
             returning alert_id",
            &[&device],
        )
        .await
        .expect("an alert")
        .get(0);
    show(sql, alert_id).await;
    alert_id
}

async fn change(sql: &Client, alert_id: i64, set: &str) {
    let statement =
        format!("update alert set {set}, updated_at = clock_timestamp() where alert_id = {alert_id}");
    sql.batch_execute(&statement).await.expect("changed");
    show(sql, alert_id).await;
}

async fn show(sql: &Client, alert_id: i64) {
    sql.execute("select vitals.show_alerts(array[$1::bigint])", &[&alert_id]).await.expect("noted");
    sql.batch_execute("notify vitals_notification").await.expect("told");
}

const RESOLVED: &str = "status = 'resolved', resolved_at = now(), resolution = 'recovered'";

async fn redis_alerts(database: &Database, device: &str) -> HashMap<String, Value> {
    let mut redis = database.redis().await;
    let fields: HashMap<String, String> = redis::cmd("HGETALL")
        .arg(format!("alert_info:{device}"))
        .query_async(&mut redis)
        .await
        .expect("a hash");
    fields.into_iter().map(|(id, json)| (id, serde_json::from_str(&json).expect("JSON"))).collect()
}

/// Waits until a device shows exactly these alerts.
async fn until_shown(database: &Database, device: &str, expected: &[i64]) -> HashMap<String, Value> {
    let mut expected: Vec<String> = expected.iter().map(ToString::to_string).collect();
    expected.sort();
    eventually(&format!("{device} shows {expected:?}"), || async {
        let shown = redis_alerts(database, device).await;
        let mut ids: Vec<String> = shown.keys().cloned().collect();
        ids.sort();
        (ids == expected).then_some(shown)
    })
    .await
}

#[tokio::test]
async fn an_open_alert_is_shown_and_one_that_is_over_is_not() {
    let database = Database::new().await;
    let sql = database.client().await;
    let service = Service::start(&database).await;
    let alert_id = raise(&sql, "SN-1").await;
    let alert = &until_shown(&database, "SN-1", &[alert_id]).await[&alert_id.to_string()];
    assert_eq!(alert["alertId"], alert_id.to_string());
    assert_eq!(alert["userId"], "9007199254740993");
    assert_eq!(alert["value"], 150.0);
    assert_eq!(alert["firedAt"], "2026-01-05 10:00:00", "in the zone of the devices");
    change(&sql, alert_id, "status = 'acknowledged', acknowledged_at = now(), acknowledged_by = 'a nurse'")
        .await;
    eventually("shown as acknowledged", || async {
        let shown = redis_alerts(&database, "SN-1").await;
        (shown[&alert_id.to_string()]["acknowledgedBy"] == "a nurse").then_some(())
    })
    .await;
    change(&sql, alert_id, RESOLVED).await;
    until_shown(&database, "SN-1", &[]).await;
    let deleted = raise(&sql, "SN-2").await;
    until_shown(&database, "SN-2", &[deleted]).await;
    sql.batch_execute("delete from alert; notify vitals_notification").await.expect("deleted");
    until_shown(&database, "SN-2", &[]).await;
    let left: i64 =
        sql.query_one("select count(*) from vitals.alert_change", &[]).await.expect("a count").get(0);
    assert!(left <= 1, "shown changes go");
    service.finish().await;
}

#[tokio::test]
async fn every_change_is_published_on_both_channels() {
    let database = Database::new().await;
    let sql = database.client().await;
    let client = redis::Client::open(database.redis_url()).expect("a URL");
    let mut channels = client.get_async_pubsub().await.expect("subscribes");
    // Channels are those of the server: other tests have other serials.
    let device = format!("SN-{}", database.url().rsplit('/').next().expect("a name"));
    channels.subscribe(format!("alert_info_channel:{device}")).await.expect("subscribed");
    channels.subscribe("alert_info_channel").await.expect("subscribed");
    let service = Service::start(&database).await;
    let alert_id = raise(&sql, &device).await;
    let mut heard = Vec::new();
    let mut messages = channels.on_message();
    while heard.len() < 2 {
        let message = messages.next().await.expect("open");
        let payload: String = message.get_payload().expect("text");
        let alert: Value = serde_json::from_str(&payload).expect("JSON");
        if alert["deviceSn"] == device {
            assert_eq!(alert["id"], alert_id.to_string());
            heard.push(message.get_channel_name().to_owned());
        }
    }
    heard.sort();
    assert_eq!(heard, ["alert_info_channel".to_owned(), format!("alert_info_channel:{device}")]);
    drop(messages);
    service.finish().await;
}

#[tokio::test]
async fn the_newest_state_wins_whatever_the_order() {
    use vitals::cache::{Cache, alert};
    use vitals::model::AlertUpdate;
    use vitals::store::{Store, alert_change};

    let database = Database::new().await;
    let sql = database.client().await;
    let (store, cache) = (
        Store::new(&database.settings()).expect("a store"),
        Cache::new(&database.settings()).expect("a cache"),
    );
    vitals::timeline::resolve(&store, &cache).await.expect("connected");
    let alert_id = raise(&sql, "SN-1").await;
    let at = [(alert_id, "SN-1".to_owned())];
    let read = || alert_change::now(&store, &at);
    let open = read().await.expect("open");
    change(&sql, alert_id, "breach_count = 2").await;
    let later = read().await.expect("later");
    change(&sql, alert_id, RESOLVED).await;
    let over = read().await.expect("over");

    alert::show(&cache, &later).await.expect("shown");
    let done = alert::show(&cache, &open).await.expect("answered");
    assert_eq!((done.written, done.older), (0, 1));
    assert_eq!(redis_alerts(&database, "SN-1").await[&alert_id.to_string()]["count"], 2);
    alert::show(&cache, &over).await.expect("shown");
    alert::show(&cache, &later).await.expect("answered");
    until_shown(&database, "SN-1", &[]).await;

    let gone = AlertUpdate { alert_id, device_sn: "SN-1".into(), state: None };
    alert::show(&cache, &[gone]).await.expect("shown");
    alert::show(&cache, &over).await.expect("answered");
    until_shown(&database, "SN-1", &[]).await;
}

#[tokio::test]
async fn a_flushed_redis_is_filled_with_all_open_alerts_and_nothing_that_is_over() {
    let database = Database::new().await;
    let sql = database.client().await;
    let service = Service::start_with(&database, |settings| settings.view_check_interval_ms = 50).await;
    let (open, over) = (raise(&sql, "SN-1").await, raise(&sql, "SN-2").await);
    change(&sql, over, RESOLVED).await;
    until_shown(&database, "SN-1", &[open]).await;
    let mut redis = database.redis().await;
    let mut fill = redis::pipe();
    // As a copy of older data would have it.
    fill.cmd("FLUSHDB").cmd("HSET").arg("alert_info:SN-2").arg(over).arg("{}");
    fill.cmd("HSET").arg("alert_info:SN-3").arg(999_999).arg("{}");
    let _: () = fill.query_async(&mut redis).await.expect("flushed");
    until_shown(&database, "SN-1", &[open]).await;
    until_shown(&database, "SN-2", &[]).await;
    until_shown(&database, "SN-3", &[]).await;
    service.finish().await;
}

#[tokio::test]
async fn a_redis_that_was_away_shows_what_changed_meanwhile() {
    let database = Database::new().await;
    let sql = database.client().await;
    let (cable, through) = Proxy::before(&database.redis_url()).await;
    let service = Service::start_with(&database, |settings| {
        settings.redis_url = through;
        settings.view_check_interval_ms = 50;
    })
    .await;
    let first = raise(&sql, "SN-1").await;
    until_shown(&database, "SN-1", &[first]).await;
    cable.cut();
    change(&sql, first, RESOLVED).await;
    let second = raise(&sql, "SN-2").await;
    eventually("nothing piles up", || async {
        let row = sql.query_one("select count(*) from vitals.alert_change", &[]).await.expect("a count");
        (row.get::<_, i64>(0) == 0).then_some(())
    })
    .await;
    cable.restore();
    until_shown(&database, "SN-1", &[]).await;
    until_shown(&database, "SN-2", &[second]).await;
    service.finish().await;
}
