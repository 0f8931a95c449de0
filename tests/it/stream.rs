//! The events of open pages: to whom they go, how soon, in which order; what becomes of a stream that was cut, and when it ends.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio_postgres::Client;
use vitals::config::{Authentication, Settings};

use crate::harness::{
    Database, EventStream, Proxy, Service, StreamEvent, add_alert, authorization, eventually, key, vitals,
};

/// Two tenants, 5 with the wards 50 and 51, and 52 below 51; 6 with 60. A person with a watch in each unit.
const DIRECTORY: &str = "
    insert into customer (customer_id, name) values (5, 'Sunset'), (6, 'Harbour');
    insert into org_unit (org_id, ancestors, name)
    values (50, '{0,5}', 'Ward 50'), (51, '{0,5}', 'Ward 51'), (52, '{0,5,51}', 'Room 52'), (60, '{0,6}', 'Ward 60');
    insert into app_user (user_id, org_id, name) select org_id + 1000, org_id, 'Person ' || org_id from org_unit;
    insert into device_binding (device_sn, user_id) select 'WATCH-' || org_id, org_id + 1000 from org_unit;
";

fn with_keys(settings: &mut Settings) {
    settings.authentication = Authentication::Keys;
    settings.stream.check_interval_ms = 100;
}

async fn clinics(database: &Database) -> Client {
    let client = database.client().await;
    client.batch_execute(DIRECTORY).await.expect("a directory");
    client
}

/// An alert of a person of a unit, as if a rule had raised it now.
async fn raise(client: &Client, tenant: i64, unit: i64) -> String {
    let columns = json!({ "customer_id": tenant, "org_id": unit, "user_id": unit + 1000 });
    add_alert(client, 1, &format!("WATCH-{unit}"), 0, &columns).await.to_string()
}

fn sample(unit: i64, heart_rate: i64) -> Value {
    json!({ "deviceSn": format!("WATCH-{unit}"), "heart_rate": heart_rate })
}

async fn upload_as(service: &Service, authorization: &str, body: &Value) {
    let answer = service.send_as(authorization, "POST", "/upload_health_data", Some(body)).await;
    assert_eq!(answer.status, 200, "{answer:?}");
}

fn is_alert(event: &StreamEvent, alert_id: &str) -> bool {
    event.name == "alert" && event.data["alert_id"] == alert_id
}

fn has_value(event: &StreamEvent, device_sn: &str, heart_rate: i64) -> bool {
    let of = |row: &Value| row["device_sn"] == device_sn && row["heart_rate"] == heart_rate;
    event.name == "latest" && event.data["devices"].as_array().is_some_and(|rows| rows.iter().any(of))
}

/// The units whose watches are in the events, each once.
fn units(events: &[StreamEvent]) -> Vec<String> {
    let text =
        serde_json::to_string(&events.iter().map(|event| &event.data).collect::<Vec<_>>()).expect("JSON");
    let named = ["50", "51", "52", "60"].into_iter().filter(|unit| text.contains(&format!("WATCH-{unit}")));
    named.map(str::to_owned).collect()
}

#[tokio::test]
async fn each_stream_has_its_own_tenant_and_unit_alone() {
    let database = Database::new().await;
    let client = clinics(&database).await;
    let service = Service::start_with(&database, with_keys).await;
    let upload = authorization(&database, &["upload"], 0).await;
    let [every, sunset, harbour] = [
        authorization(&database, &["read"], 0).await,
        authorization(&database, &["read"], 5).await,
        authorization(&database, &["read"], 6).await,
    ];
    let unit_key =
        ["ward", "--tenant", "5", "--unit", "51", "--person", "ward 51", "--scope", "read", "--as", "bearer"];
    let ward = key(&database, &unit_key).await;
    let cases = [
        (&every, "", vec!["50", "51", "52", "60"]),
        (&sunset, "", vec!["50", "51", "52"]),
        (&harbour, "", vec!["60"]),
        (&ward, "", vec!["51", "52"]),
        (&sunset, "?user_id=1052", vec!["52"]),
        (&sunset, "?device_sn=WATCH-60", vec![]),
        (&every, "?customer_id=6", vec!["60"]),
    ];
    let mut streams = Vec::new();
    for (authorization, query, _) in &cases {
        let mut stream =
            EventStream::open(&service.url(), &format!("/api/stream{query}"), authorization).await;
        assert_eq!(stream.next().await.expect("an event").name, "hello");
        streams.push(stream);
    }
    for (unit, tenant) in [(50, 5), (51, 5), (52, 5), (60, 6)] {
        upload_as(&service, &upload, &sample(unit, 70)).await;
        raise(&client, tenant, unit).await;
    }
    // Who sees everything shows when all of it was sent.
    let is_complete = |events: &[StreamEvent]| {
        ["50", "51", "52", "60"].iter().all(|unit| {
            let sn = format!("WATCH-{unit}");
            events.iter().any(|event| has_value(event, &sn, 70))
                && events.iter().any(|event| event.name == "alert" && event.data["device_sn"] == sn.as_str())
        })
    };
    let mut all = Vec::new();
    while !is_complete(&all) {
        all.push(streams[0].next().await.expect("the stream goes on"));
    }
    // Something behind it that each stream receives.
    for (stream, (_, _, expected)) in streams.iter_mut().zip(&cases).skip(1) {
        let Some(last) = expected.last() else { continue };
        let sn = format!("WATCH-{last}");
        let alerts = expected.len();
        let mut seen = Vec::new();
        while seen.iter().filter(|event: &&StreamEvent| event.name == "alert").count() < alerts
            || !seen.iter().any(|event| has_value(event, &sn, 70))
        {
            seen.push(stream.next().await.expect("the stream goes on"));
        }
        assert_eq!(&units(&seen), expected);
    }
    let refused = service.send_as(&sunset, "GET", "/api/stream?customer_id=6", None).await;
    assert_eq!(refused.status, 403, "{refused:?}");
    assert_eq!(service.send_as("", "GET", "/api/stream", None).await.status, 401);
    drop(streams);
    service.finish().await;
}

#[tokio::test]
async fn a_key_that_may_only_respond_receives_alerts_and_nothing_that_was_measured() {
    let database = Database::new().await;
    let client = clinics(&database).await;
    let service = Service::start_with(&database, with_keys).await;
    let upload = authorization(&database, &["upload"], 0).await;
    let reads = authorization(&database, &["read"], 5).await;
    let name = ["li", "--tenant", "5", "--person", "nurse Li", "--scope", "respond", "--as", "bearer"];
    let responds = key(&database, &name).await;
    let mut reading = EventStream::open(&service.url(), "/api/stream", &reads).await;
    let mut responding = EventStream::open(&service.url(), "/api/stream", &responds).await;
    let hello = responding.next().await.expect("an event");
    assert_eq!(hello.name, "hello");
    upload_as(&service, &upload, &sample(51, 71)).await;
    let info = json!({ "deviceSn": "WATCH-51", "batteryLevel": 41 });
    assert_eq!(service.send_as(&upload, "POST", "/upload_device_info", Some(&info)).await.status, 200);
    // In either order.
    let seen = reading.until(|event| has_value(event, "WATCH-51", 71)).await;
    if !seen.iter().any(|event| event.name == "device") {
        reading.until(|event| event.name == "device").await;
    }
    let alert_id = raise(&client, 5, 51).await;
    let seen = responding.until(|event| is_alert(event, &alert_id)).await;
    assert_eq!(seen.len(), 1, "{seen:?}");
    // Nor anything of what was missed.
    let missed = format!("/api/stream?last_event_id={}", hello.id);
    let mut resumed = EventStream::open(&service.url(), &missed, &responds).await;
    let seen = resumed.until(|event| is_alert(event, &alert_id)).await;
    assert!(seen.iter().all(|event| ["hello", "alert"].contains(&event.name.as_str())), "{seen:?}");
    assert!(seen.iter().all(|event| event.data["latitude"].is_null()), "{seen:?}");
    drop((reading, responding, resumed));
    service.finish().await;
}

#[tokio::test]
async fn an_upload_is_on_its_way_to_open_pages_at_once_while_redis_is_away() {
    let database = Database::new().await;
    clinics(&database).await;
    let (redis, redis_url) = Proxy::before(&database.settings().redis_url).await;
    let service = Service::start_with(&database, |settings| settings.redis_url = redis_url).await;
    let mut stream = EventStream::open(&service.url(), "/api/stream", "").await;
    let hello = stream.next().await.expect("an event");
    assert_eq!((hello.name.as_str(), &hello.data["version"]), ("hello", &json!(env!("CARGO_PKG_VERSION"))));
    for (heart_rate, is_away) in [(71, false), (72, true)] {
        if is_away {
            redis.cut();
        }
        let committed_at = Instant::now();
        service.upload(&sample(51, heart_rate)).await;
        let events = stream.until(|event| has_value(event, "WATCH-51", heart_rate)).await;
        let took = committed_at.elapsed();
        // Half a second alone; other tests run at the same time.
        assert!(took < Duration::from_secs(5), "{took:?}");
        let latest = &events.last().expect("one").data["devices"][0];
        assert_eq!((&latest["user_name"], &latest["org_name"]), (&json!("Person 51"), &json!("Ward 51")));
        assert_eq!(latest["customer_id"], "5", "numbers of 64 bits are text");
    }
    let body = json!({ "deviceSn": "WATCH-51", "batteryLevel": 41, "wearState": 1 });
    assert_eq!(service.post("/upload_device_info", body.to_string()).await.status, 200);
    let events = stream.until(|event| event.name == "device").await;
    let device = &events.last().expect("one").data["devices"][0];
    assert_eq!((&device["battery_level"], &device["online"]), (&json!(41), &json!(true)));
    redis.restore();
    drop(stream);
    service.finish().await;
}

#[tokio::test]
async fn the_life_of_an_alert_is_in_order_on_each_of_two_instances() {
    let database = Database::new().await;
    let client = clinics(&database).await;
    let [one, other] = [Service::start(&database).await, Service::start(&database).await];
    let mut streams = Vec::new();
    for service in [&one, &other] {
        let mut stream = EventStream::open(&service.url(), "/api/stream", "").await;
        stream.next().await;
        streams.push(stream);
    }
    let alert_id = raise(&client, 5, 51).await;
    let steps = [(&one, "acknowledge"), (&other, "resolve")];
    let mut lives = [Vec::new(), Vec::new()];
    for step in [None, Some(steps[0]), Some(steps[1])] {
        if let Some((service, step)) = step {
            let body = json!({ "actor": "nurse Li" });
            let answer = service.send("POST", &format!("/api/alerts/{alert_id}/{step}"), Some(&body)).await;
            assert_eq!(answer.status, 200, "{answer:?}");
        }
        for (stream, life) in streams.iter_mut().zip(&mut lives) {
            let events = stream.until(|event| is_alert(event, &alert_id)).await;
            let alert = events.last().expect("one").data.clone();
            life.push((alert["status"].clone(), alert["changes"].clone()));
        }
    }
    let expected = [("firing", "fired"), ("acknowledged", "acknowledged"), ("resolved", "resolved")];
    let expected = expected.map(|(status, change)| (json!(status), json!([change])));
    for life in lives {
        assert_eq!(life, expected);
    }
    drop(streams);
    one.finish().await;
    other.finish().await;
}

#[tokio::test]
async fn what_was_missed_is_made_up_for_at_another_instance_too_or_everything_is_read_anew() {
    let database = Database::new().await;
    let client = clinics(&database).await;
    let [one, other] = [Service::start(&database).await, Service::start(&database).await];
    // The other instance reads for somebody else all the while.
    let mut listener = EventStream::open(&other.url(), "/api/stream", "").await;
    listener.next().await;
    raise(&client, 5, 50).await;
    let mut stream = EventStream::open(&one.url(), "/api/stream", "").await;
    let hello = stream.next().await.expect("an event");
    assert_eq!(hello.data["resumed"], false);
    drop(stream);
    let missed = [raise(&client, 5, 51).await, raise(&client, 6, 60).await];
    listener.until(|event| is_alert(event, &missed[1])).await;
    for (service, in_header) in [(&one, true), (&other, false), (&other, true)] {
        let query = format!("/api/stream?last_event_id={}", hello.id);
        let headers = [("last-event-id", hello.id.as_str())];
        let mut resumed = if in_header {
            EventStream::open_with(&service.url(), "/api/stream", &headers).await
        } else {
            EventStream::open(&service.url(), &query, "").await
        };
        assert_eq!(resumed.next().await.expect("an event").data["resumed"], true);
        let events = resumed.until(|event| is_alert(event, &missed[1])).await;
        assert!(events.iter().any(|event| is_alert(event, &missed[0])), "{events:?}");
    }
    for id in ["1-00000000-00000000", "of another program"] {
        let headers = [("last-event-id", id)];
        let mut stream = EventStream::open_with(&other.url(), "/api/stream", &headers).await;
        assert_eq!(stream.next().await.expect("an event").data["resumed"], false);
        assert_eq!(stream.next().await.expect("an event").name, "reset", "{id}");
    }
    drop(listener);
    one.finish().await;
    other.finish().await;
}

#[tokio::test]
async fn a_stream_ends_with_its_key_and_every_stream_when_the_service_stops() {
    let database = Database::new().await;
    let service = Service::start_with(&database, |settings| {
        with_keys(settings);
        settings.stream.max_open = 2;
    })
    .await;
    let name = ["wall", "--scope", "read", "--as", "bearer"];
    let revoked = key(&database, &name).await;
    let reader = authorization(&database, &["read"], 0).await;
    let mut ending = EventStream::open(&service.url(), "/api/stream", &revoked).await;
    let mut lasting = EventStream::open(&service.url(), "/api/stream", &reader).await;
    assert_eq!(ending.next().await.expect("an event").name, "hello");
    let third = service.send_as(&reader, "GET", "/api/stream", None).await;
    assert_eq!((third.status, third.retry_after.is_some()), (503, true), "{third:?}");

    assert_eq!(vitals(&database, &["keys", "revoke", "wall"]).await.code, 0);
    ending.end().await;
    // There is room once more.
    let third = eventually("room for a stream", || async {
        let request = reqwest::Client::new().get(format!("{}/api/stream", service.url()));
        let answer = request.header("authorization", &reader).send().await.expect("an answer");
        (answer.status() == 200).then_some(answer)
    })
    .await;
    assert_eq!(lasting.next().await.expect("an event").name, "hello");

    let stopping_since = Instant::now();
    service.stop().await;
    assert!(stopping_since.elapsed() < Duration::from_secs(10), "open streams delay nothing");
    lasting.end().await;
    drop(third);
}
