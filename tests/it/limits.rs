//! What nobody may overdo: requests, connections, heads, time; and what every answer says to browsers.

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use vitals::config::{Authentication, Settings};

use crate::harness::{Database, Service, TIMEOUT, authorization, eventually, vitals};

async fn start(database: &Database, change: impl FnOnce(&mut Settings)) -> Service {
    Service::start_with(database, change).await
}

async fn connect(service: &Service) -> TcpStream {
    TcpStream::connect(service.url().trim_start_matches("http://")).await.expect("connects")
}

const LIVEZ: &str = "GET /livez HTTP/1.1\r\nhost: x\r\n\r\n";

/// Sends it and reads until `end` is there or the other side has closed.
async fn exchange(stream: &mut TcpStream, text: &str, end: &str) -> String {
    let exchanging = async {
        // Whoever is refused at once may be gone before all is sent.
        let _ = stream.write_all(text.as_bytes()).await;
        let mut answer = Vec::new();
        let mut piece = [0; 4096];
        loop {
            match stream.read(&mut piece).await {
                Ok(0) | Err(_) => break,
                Ok(read) => answer.extend_from_slice(&piece[..read]),
            }
            if !end.is_empty() && String::from_utf8_lossy(&answer).contains(end) {
                break;
            }
        }
        String::from_utf8_lossy(&answer).into_owned()
    };
    tokio::time::timeout(TIMEOUT, exchanging).await.expect("an answer or an end in time")
}

#[tokio::test]
async fn failures_are_limited_by_address_and_who_has_the_key_is_answered_all_the_while() {
    let database = Database::new().await;
    let service = start(&database, |settings| {
        settings.authentication = Authentication::Keys;
        settings.limits.failures_per_minute = 3;
    })
    .await;
    let reader = authorization(&database, &["read"], 0).await;
    let other = authorization(&database, &["read", "admin"], 0).await;
    let status = async |key: &str, path: &str| {
        let answer = service.send_as(key, "GET", path, None).await;
        assert_eq!(answer.retry_after.is_some(), answer.status == 429, "{answer:?}");
        answer.status
    };
    assert_eq!(status(&other, "/api/alerts").await, 200);
    assert_eq!(status("", "/api/alerts").await, 401);
    assert_eq!(status("Bearer nonsense", "/api/alerts").await, 401);
    let missing = service.send_as(&reader, "DELETE", "/api/alerts/rules/1", None).await;
    assert_eq!(missing.status, 403);
    for path in ["/api/alerts", "/metrics", "/fetch_health_data_config?deviceSn=GUESS-1"] {
        assert_eq!(status("", path).await, 429, "{path}");
    }
    // A key nobody has, which would have the database asked.
    let invented = format!("Bearer vk_0123456789ab_{}", "0".repeat(64));
    assert_eq!(status(&invented, "/api/alerts").await, 429);
    assert_eq!(status(&reader, "/api/alerts").await, 200, "it is known");
    // Keys change: every one has to be looked up again, those that were known before those of nobody.
    assert!(vitals(&database, &["keys", "revoke", "read-admin-0"]).await.code == 0);
    eventually("the change is heard of", async || (status(&other, "/api/alerts").await == 429).then_some(()))
        .await;
    assert_eq!(status(&reader, "/api/alerts").await, 200, "it was known");
    assert_eq!(status("", "/livez").await, 200, "what needs no key fails nobody");
    service.finish().await;
}

#[tokio::test]
async fn an_address_has_its_rate_and_events_are_not_counted() {
    let database = Database::new().await;
    let service = start(&database, |settings| {
        settings.limits.address_requests_per_second = 1;
        settings.limits.address_burst = 3;
        settings.limits.trusted_proxies = vec!["127.0.0.0/8".parse().expect("a network")];
    })
    .await;
    let http = reqwest::Client::new();
    let ask = async |address: &str| {
        let request = http.get(format!("{}/livez", service.url())).header("x-forwarded-for", address);
        request.send().await.expect("an answer")
    };
    let mut answers = Vec::new();
    for _ in 0..6 {
        answers.push(ask("192.0.2.1").await);
    }
    assert!(answers[..3].iter().all(|answer| answer.status() == 200));
    let refused = answers.last().expect("six");
    assert_eq!(refused.status(), 429);
    assert_eq!(refused.headers()["retry-after"], "1");
    assert_eq!(ask("192.0.2.2").await.status(), 200, "another address");
    assert_eq!(ask("2001:db8::1").await.status(), 200);
    let event = json!({ "deviceSn": "LIMIT-1", "eventType": "a.b.SOS_EVENT", "timestamp": 1_767_294_245 });
    for _ in 0..6 {
        let request = http.post(format!("{}/upload_common_event", service.url()));
        let request = request.header("x-forwarded-for", "192.0.2.1").body(event.to_string());
        assert_eq!(request.send().await.expect("an answer").status(), 200);
    }
    service.finish().await;

    let service = start(&database, |settings| {
        settings.limits.address_requests_per_second = 1;
    })
    .await;
    let mut refused = 0;
    for number in 0..4 {
        let request = http.get(format!("{}/livez", service.url()));
        let request = request.header("x-forwarded-for", format!("192.0.2.{number}"));
        refused += u16::from(request.send().await.expect("an answer").status() == 429);
    }
    assert!(refused > 0, "nobody but a trusted proxy says where it comes from");
    service.finish().await;
}

#[tokio::test]
async fn a_key_has_its_rate() {
    let database = Database::new().await;
    let service = start(&database, |settings| {
        settings.authentication = Authentication::Keys;
        settings.limits.key_requests_per_second = 1;
        settings.limits.key_burst = 2;
    })
    .await;
    let (upload, other) =
        (authorization(&database, &["upload"], 0).await, authorization(&database, &["upload"], 7).await);
    let item = json!({ "data": { "deviceSn": "LIMIT-1", "heart_rate": 70, "timestamp": 1_767_294_245 } });
    let event = json!({ "deviceSn": "LIMIT-1", "eventType": "a.b.SOS_EVENT", "timestamp": 1_767_294_245 });
    let post = async |key: &str, path: &str, body| service.send_as(key, "POST", path, Some(body)).await;
    let mut answers = Vec::new();
    for _ in 0..6 {
        answers.push(post(&upload, "/upload_health_data", &item).await);
    }
    assert!(answers[..2].iter().all(|answer| answer.status == 200), "{answers:?}");
    let refused = answers.iter().find(|answer| answer.status == 429).expect("too many");
    assert_eq!(refused.retry_after.as_deref(), Some("1"));
    assert_eq!(post(&other, "/upload_health_data", &item).await.status, 200, "another key");
    for _ in 0..4 {
        assert_eq!(post(&upload, "/upload_common_event", &event).await.status, 200, "an alarm is not late");
    }
    service.finish().await;
}

#[tokio::test]
async fn one_connection_too_many_is_closed_at_once_and_counted() {
    let database = Database::new().await;
    let service = start(&database, |settings| {
        settings.limits.max_connections = 2;
        settings.limits.address_connections = 2;
    })
    .await;
    let (mut first, mut second) = (connect(&service).await, connect(&service).await);
    for stream in [&mut first, &mut second] {
        assert!(exchange(stream, LIVEZ, "ok").await.starts_with("HTTP/1.1 200"));
    }
    let mut third = connect(&service).await;
    assert_eq!(exchange(&mut third, LIVEZ, "ok").await, "");
    let metrics = exchange(&mut first, "GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n", "resident_bytes ").await;
    assert!(metrics.contains("vitals_http_turned_away_total{reason=\"connections\"}"), "{metrics}");
    drop((first, second));
    eventually("there is a place again", async || {
        let answer = exchange(&mut connect(&service).await, LIVEZ, "ok").await;
        answer.starts_with("HTTP/1.1 200").then_some(())
    })
    .await;
    service.finish().await;
}

/// A connection from this address of the machine.
async fn connect_from(service: &Service, address: &str) -> TcpStream {
    let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
    socket.bind(format!("{address}:0").parse().expect("an address")).expect("bound");
    let to = service.url().trim_start_matches("http://").parse().expect("an address");
    socket.connect(to).await.expect("connects")
}

#[tokio::test]
async fn one_address_and_one_network_cannot_hold_all_connections_and_it_is_told_who_does() {
    let database = Database::new().await;
    let service = start(&database, |settings| settings.limits.max_connections = 8).await;
    let (mut held, mut turned_away) = (Vec::new(), Vec::new());
    // Half of them an address, three quarters a network.
    for address in ["127.0.0.1"; 6].into_iter().chain(["127.0.0.2"; 3]).chain(["127.0.1.1"]) {
        let mut stream = connect_from(&service, address).await;
        match exchange(&mut stream, LIVEZ, "ok").await.starts_with("HTTP/1.1 200") {
            true => held.push(stream),
            false => turned_away.push(address),
        }
    }
    assert_eq!(turned_away, ["127.0.0.1", "127.0.0.1", "127.0.0.2"]);
    let report = exchange(&mut held[6], "GET /api/connections HTTP/1.1\r\nhost: x\r\n\r\n", "]}").await;
    let (_, body) = report.split_once("\r\n\r\n").expect("a body");
    let report: serde_json::Value = serde_json::from_str(body).expect("JSON");
    let figures = ["open", "limit", "address_limit", "network_limit"].map(|name| report[name].as_u64());
    assert_eq!(figures, [Some(7), Some(8), Some(4), Some(6)], "{report}");
    assert_eq!(report["states"], json!({ "handshake": 0, "waiting": 6, "answering": 1 }));
    let holders = |of: &str| {
        let holders = report[of].as_array().expect("a list");
        let holders = holders.iter().map(|each| (each["of"].clone(), each["connections"].clone()));
        holders.collect::<Vec<_>>()
    };
    let (four, two, one) = (json!(4), json!(2), json!(1));
    let expected = [(json!("127.0.0.1"), four), (json!("127.0.0.2"), two), (json!("127.0.1.1"), one.clone())];
    assert_eq!(holders("addresses"), expected);
    assert_eq!(holders("networks"), [(json!("127.0.0.0/24"), json!(6)), (json!("127.0.1.0/24"), one)]);
    let ask = "GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n";
    let metrics = exchange(&mut held[6], ask, "resident_bytes ").await;
    for reason in ["address_connections", "network_connections"] {
        assert!(metrics.contains(&format!("turned_away_total{{reason=\"{reason}\"}}")), "{metrics}");
    }
    drop(held);
    service.finish().await;

    let behind = start(&database, |settings| {
        settings.limits.max_connections = 8;
        settings.limits.trusted_proxies = vec!["127.0.0.1".parse().expect("an address")];
    })
    .await;
    let mut held = Vec::new();
    for _ in 0..7 {
        held.push(connect(&behind).await);
        let answer = exchange(held.last_mut().expect("one"), LIVEZ, "ok").await;
        assert!(answer.starts_with("HTTP/1.1 200"), "a proxy's connections are its own matter");
    }
    drop(held);
    behind.finish().await;
}

#[tokio::test]
async fn a_head_that_is_too_large_is_refused() {
    let database = Database::new().await;
    let service = start(&database, |settings| {
        settings.limits.max_header_bytes = 8192;
        settings.limits.max_headers = 20;
    })
    .await;
    let long = format!("GET /livez HTTP/1.1\r\nhost: x\r\nx-long: {}\r\n\r\n", "l".repeat(10_000));
    let many: String = (0..30).map(|number| format!("x-{number}: 1\r\n")).collect();
    let many = format!("GET /livez HTTP/1.1\r\nhost: x\r\n{many}\r\n");
    for head in [long, many] {
        let answer = exchange(&mut connect(&service).await, &head, "").await;
        assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
    }
    let usual: String = (0..15).map(|number| format!("x-{number}: {}\r\n", "u".repeat(400))).collect();
    let usual = format!("GET /livez HTTP/1.1\r\nhost: x\r\n{usual}\r\n");
    assert!(exchange(&mut connect(&service).await, &usual, "ok").await.starts_with("HTTP/1.1 200"));
    service.finish().await;
}

#[tokio::test]
async fn who_is_too_slow_is_cut_off() {
    let database = Database::new().await;
    let service = start(&database, |settings| {
        settings.idle_timeout_ms = 300;
        settings.read_timeout_ms = 300;
        settings.limits.write_timeout_ms = 300;
    })
    .await;
    // A head that never ends.
    let answer = exchange(&mut connect(&service).await, "GET /livez HTTP/1.1\r\nhost:", "").await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408"), "{answer}");
    // A body that never comes.
    let head = "POST /upload_health_data HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{";
    let answer = exchange(&mut connect(&service).await, head, "").await;
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    // Answers that nobody takes: the service waits, and then does not.
    let mut greedy = connect(&service).await;
    let asking = async {
        let request = "GET /openapi.json HTTP/1.1\r\nhost: x\r\n\r\n".repeat(100);
        while greedy.write_all(request.as_bytes()).await.is_ok() {}
    };
    tokio::time::timeout(TIMEOUT, asking).await.expect("cut off in time");
    service.finish().await;
}

#[tokio::test]
async fn every_answer_tells_browsers_what_it_is_not() {
    let database = Database::new().await;
    let service = start(&database, |settings| settings.authentication = Authentication::Keys).await;
    for (path, status) in [
        ("/livez", 200),
        ("/api/alerts", 401),
        ("/nothing", 404),
        ("/upload_health_data", 405),
        ("/openapi.json", 200),
        ("/docs", 200),
    ] {
        let answer = service.get(path).await;
        assert_eq!(answer.status, status, "{path}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(answer.header("x-frame-options"), Some("DENY"), "{path}");
        assert_eq!(answer.header("referrer-policy"), Some("no-referrer"), "{path}");
        let policy = answer.header("content-security-policy").expect("a policy");
        assert!(policy.contains("frame-ancestors 'none'"), "{path} {policy}");
        assert_eq!(policy.contains("default-src 'none'"), path != "/docs", "{path} {policy}");
        let is_page = ["/docs", "/openapi.json"].contains(&path);
        assert_eq!(answer.header("cache-control"), (!is_page).then_some("no-store"), "{path}");
        assert_eq!(answer.header("strict-transport-security"), None, "there is no TLS");
    }
    service.finish().await;
}
