//! nginx and HAProxy with the files of `docker/`, in front of two real instances: what clients see of a balancer, and of an instance
//! that goes away.

mod load;
mod moving;

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::harness::{
    Balancer, BalancerKind, Behind, Database, Process, Proxy, authority, authorization, eventually, free_port,
};
use load::Load;

const TRUST: (&str, &str) = ("VITALS_LIMITS_TRUSTED_PROXIES", "127.0.0.1");

/// The site of nginx for a fleet that has moved.
fn behind(first: &str, second: &str) -> Behind {
    Behind { instances: [authority(first), authority(second)], edits: Vec::new(), site: "vitals" }
}

async fn requests_of(process: &Process) -> f64 {
    let text = reqwest::get(format!("{}/metrics", process.url))
        .await
        .expect("an answer")
        .text()
        .await
        .expect("text");
    text.lines()
        .filter(|line| line.starts_with("vitals_http_requests_total") && line.contains("upload_health_data"))
        .map(|line| line.rsplit(' ').next().expect("a figure").parse::<f64>().expect("a figure"))
        .sum()
}

async fn takes_uploads(process: &Process) {
    let before = requests_of(process).await;
    eventually("the instance takes uploads", async || (requests_of(process).await > before).then_some(()))
        .await;
}

/// An instance is stopped, started again on the same port, and the other one is killed, all under load.
async fn replace_and_kill(kind: BalancerKind) {
    let database = Database::new().await;
    let listen = format!("127.0.0.1:{}", free_port());
    let at = [("VITALS_LISTEN", listen.as_str())];
    let first = Process::serve(&database, &at).await;
    let second = Process::serve(&database, &[]).await;
    let Some(balancer) = Balancer::start(kind, &behind(&first.url, &second.url)).await else { return };
    let load = Load::start(&balancer.url, 8);
    takes_uploads(&first).await;
    takes_uploads(&second).await;
    first.signal("TERM");
    assert!(first.ended().await.success(), "ends in order");
    load.goes_on().await;
    let again = Process::serve(&database, &at).await;
    takes_uploads(&again).await;
    second.signal("KILL");
    second.ended().await;
    load.goes_on().await;
    let outcome = load.end().await;
    assert_eq!(outcome.unanswered, Vec::<String>::new(), "of {}", outcome.acknowledged);
    let row = database.client().await.query_one("select count(*) from health_data", &[]).await.expect("rows");
    let stored = u64::try_from(row.get::<_, i64>(0)).expect("a count");
    assert_eq!(stored, outcome.acknowledged);
}

#[tokio::test]
async fn behind_nginx_an_instance_that_is_stopped_or_killed_costs_no_client_an_answer() {
    replace_and_kill(BalancerKind::Nginx).await;
}

#[tokio::test]
async fn behind_haproxy_an_instance_that_is_stopped_or_killed_costs_no_client_an_answer() {
    replace_and_kill(BalancerKind::Haproxy).await;
}

/// One instance of two loses its way to PostgreSQL.
async fn lose_the_database(kind: BalancerKind) {
    let database = Database::new().await;
    let (link, url) = Proxy::before(&database.url()).await;
    let variables = [("VITALS_DATABASE_URL", url.as_str()), ("VITALS_COMMIT_DEADLINE_MS", "300")];
    let first = Process::serve(&database, &variables).await;
    let second = Process::serve(&database, &[]).await;
    let Some(balancer) = Balancer::start(kind, &behind(&first.url, &second.url)).await else { return };
    let load = Load::start(&balancer.url, 4);
    takes_uploads(&first).await;
    link.cut();
    eventually("the instance is not ready", async || {
        let answer = reqwest::get(format!("{}/readyz", first.url)).await.expect("an answer");
        (answer.status() == 503).then_some(())
    })
    .await;
    load.goes_on().await;
    link.restore();
    takes_uploads(&first).await;
    let outcome = load.end().await;
    assert_eq!(outcome.unanswered, Vec::<String>::new(), "of {}", outcome.acknowledged);
}

#[tokio::test]
async fn behind_nginx_an_instance_without_a_database_is_passed_over() {
    lose_the_database(BalancerKind::Nginx).await;
}

#[tokio::test]
async fn behind_haproxy_an_instance_without_a_database_is_passed_over() {
    lose_the_database(BalancerKind::Haproxy).await;
}

/// An instance stops answering and keeps its connections.
async fn freeze(kind: BalancerKind) {
    let database = Database::new().await;
    // PostgreSQL ends a transaction that the frozen instance holds open before the upload arrives at the other one, as it does with the
    // defaults.
    let first = Process::serve(&database, &[("VITALS_STATEMENT_TIMEOUT_MS", "2000")]).await;
    let second = Process::serve(&database, &[]).await;
    let mut behind = behind(&first.url, &second.url);
    behind.edits = vec![match kind {
        BalancerKind::Nginx => ("proxy_read_timeout 9s;", "proxy_read_timeout 4s;".to_owned()),
        BalancerKind::Haproxy => ("timeout server 9s", "timeout server 4s".to_owned()),
    }];
    let Some(balancer) = Balancer::start(kind, &behind).await else { return };
    let load = Load::start(&balancer.url, 4);
    takes_uploads(&first).await;
    first.signal("STOP");
    load.goes_on().await;
    first.signal("CONT");
    load.goes_on().await;
    let outcome = load.end().await;
    assert_eq!(outcome.unanswered, Vec::<String>::new(), "of {}", outcome.acknowledged);
}

#[tokio::test]
async fn behind_nginx_a_frozen_instance_costs_its_clients_the_time_out_and_nothing_else() {
    freeze(BalancerKind::Nginx).await;
}

#[tokio::test]
async fn behind_haproxy_a_frozen_instance_costs_its_clients_the_time_out_and_nothing_else() {
    freeze(BalancerKind::Haproxy).await;
}

/// A client with an address of its own.
fn client_at(address: &str) -> reqwest::Client {
    let address: std::net::IpAddr = address.parse().expect("an address");
    reqwest::Client::builder().local_address(address).build().expect("a client")
}

/// The answer to a body of so many bytes, read while the body is still being sent: whoever refuses it need not read it to its end.
async fn refusal(url: &str, key: &str, bytes: usize) -> String {
    let stream = TcpStream::connect(authority(url)).await.expect("connected");
    let (mut answers, mut body) = stream.into_split();
    let head = format!(
        "POST /upload_health_data HTTP/1.1\r\nhost: vitals\r\nauthorization: {key}\r\ncontent-length: {bytes}\r\n\r\n"
    );
    let sending = tokio::spawn(async move {
        let _ = body.write_all(&[head.as_bytes(), &vec![b'x'; bytes]].concat()).await;
        // Not closed before the answer is read.
        body
    });
    let (mut answer, mut part) = (Vec::new(), [0; 4096]);
    while !answer.ends_with(b"}") {
        match answers.read(&mut part).await {
            Ok(length @ 1..) => answer.extend_from_slice(&part[..length]),
            Ok(0) | Err(_) => break,
        }
    }
    drop(sending);
    String::from_utf8(answer).expect("text")
}

/// What the limits of one instance count, and what the balancer itself refuses.
async fn addresses_and_bodies(kind: BalancerKind) {
    let database = Database::new().await;
    let variables = [TRUST, ("VITALS_AUTHENTICATION", "keys"), ("VITALS_LIMITS_FAILURES_PER_MINUTE", "3")];
    let instance = Process::serve(&database, &variables).await;
    let Some(balancer) = Balancer::start(kind, &behind(&instance.url, &instance.url)).await else { return };
    let url = format!("{}/upload_health_data", balancer.url);
    let (guessing, other) = (client_at("127.0.0.2"), client_at("127.0.0.3"));
    let mut statuses = Vec::new();
    for forged in 0..5 {
        let request = guessing.post(&url).header("x-forwarded-for", format!("10.9.9.{forged}")).body("{}");
        statuses.push(request.send().await.expect("an answer").status().as_u16());
    }
    assert_eq!(statuses, [401, 401, 401, 429, 429], "whatever address it claims");
    assert_eq!(other.post(&url).body("{}").send().await.expect("an answer").status(), 401);

    let key = authorization(&database, &["upload"], 0).await;
    for (bytes, status, message) in [(4_000_000, 400, ""), (4_500_000, 413, "larger than 4194304 bytes")] {
        let answer = refusal(&balancer.url, &key, bytes).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")) && answer.contains(message), "{answer}");
        assert!(answer.contains(r#"{"status":"error","message":""#), "{answer}");
    }
    let metrics = other.get(format!("{}/metrics", balancer.url)).send().await.expect("an answer");
    assert_eq!(metrics.status(), 404);

    instance.signal("KILL");
    instance.ended().await;
    let answer = other.post(&url).body("{}").send().await.expect("an answer");
    assert_eq!((answer.status().as_u16(), answer.headers()["retry-after"].as_bytes()), (503, &b"2"[..]));
    let answer: Value = serde_json::from_str(&answer.text().await.expect("text")).expect("JSON");
    assert_eq!(answer["status"], "error");
}

#[tokio::test]
async fn behind_nginx_clients_are_told_apart_and_refusals_say_why() {
    addresses_and_bodies(BalancerKind::Nginx).await;
}

#[tokio::test]
async fn behind_haproxy_clients_are_told_apart_and_refusals_say_why() {
    addresses_and_bodies(BalancerKind::Haproxy).await;
}

#[tokio::test]
async fn behind_another_proxy_nginx_takes_the_address_that_this_proxy_names() {
    let database = Database::new().await;
    let variables = [TRUST, ("VITALS_AUTHENTICATION", "keys"), ("VITALS_LIMITS_FAILURES_PER_MINUTE", "3")];
    let instance = Process::serve(&database, &variables).await;
    let mut behind = behind(&instance.url, &instance.url);
    let included = "include vitals/proxy.conf; include vitals/behind_proxy.conf;".to_owned();
    behind.edits = vec![("include vitals/proxy.conf;", included), ("10.0.0.0/8", "127.0.0.0/8".to_owned())];
    let Some(balancer) = Balancer::start(BalancerKind::Nginx, &behind).await else { return };
    let mut statuses = Vec::new();
    for client in ["198.51.100.7", "198.51.100.7", "198.51.100.7", "198.51.100.7", "198.51.100.8"] {
        let request = reqwest::Client::new().post(format!("{}/upload_health_data", balancer.url)).body("{}");
        let answer = request.header("x-forwarded-for", client).send().await.expect("an answer");
        statuses.push(answer.status().as_u16());
    }
    assert_eq!(statuses, [401, 401, 401, 429, 401]);
}

/// A server that ends a stream of events only after the client has read the first one.
async fn stream_of_events() -> (String, tokio::sync::mpsc::UnboundedSender<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address").to_string();
    let (go_on, mut gone_on) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = [0; 4096];
            let length = stream.read(&mut head).await.unwrap_or(0);
            if !head[..length].windows(7).any(|text| text == b"/events") {
                let ready = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
                let _ = stream.write_all(ready).await;
                continue;
            }
            let first = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n9\r\ndata: 1\n\n\r\n";
            stream.write_all(first.as_bytes()).await.expect("sent");
            gone_on.recv().await;
            stream.write_all(b"9\r\ndata: 2\n\n\r\n0\r\n\r\n").await.expect("sent");
        }
    });
    (format!("http://{address}"), go_on)
}

#[tokio::test]
async fn an_event_arrives_before_its_stream_ends() {
    for kind in [BalancerKind::Nginx, BalancerKind::Haproxy] {
        let (url, go_on) = stream_of_events().await;
        let Some(balancer) = Balancer::start(kind, &behind(&url, &url)).await else { continue };
        let mut answer = reqwest::get(format!("{}/api/events", balancer.url)).await.expect("an answer");
        let first = tokio::time::timeout(Duration::from_secs(10), answer.chunk()).await;
        let first = first.unwrap_or_else(|_| panic!("{kind:?} holds the first event back")).expect("a chunk");
        assert_eq!(first.as_deref(), Some(&b"data: 1\n\n"[..]));
        go_on.send(()).expect("the server waits");
        assert_eq!(answer.chunk().await.expect("a chunk").as_deref(), Some(&b"data: 2\n\n"[..]));
    }
}

/// The status of an upload with TLS to the balancer, and from it to an instance whose certificate names `vitals.internal`, if the balancer
/// expects `expected`. `None`: it is not installed.
async fn upload_with_tls(kind: BalancerKind, expected: &str) -> Option<u16> {
    let database = Database::new().await;
    let made = rcgen::generate_simple_self_signed(["vitals.internal".to_owned()]).expect("a certificate");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let file =
        |what: &str| folder.join(format!("inside-{kind:?}-{expected}-{what}.pem")).display().to_string();
    let (certificate, key) = (file("certificate"), file("key"));
    std::fs::write(&certificate, made.cert.pem()).expect("written");
    std::fs::write(&key, made.signing_key.serialize_pem()).expect("written");
    let variables = [("VITALS_TLS_CERTIFICATE", certificate.as_str()), ("VITALS_TLS_KEY", key.as_str())];
    let instance = Process::serve(&database, &variables).await;
    let mut behind = behind(&instance.url, &instance.url);
    behind.edits = match kind {
        BalancerKind::Nginx => vec![
            ("/etc/vitals/tls/ca.pem", certificate.clone()),
            ("vitals.internal", expected.to_owned()),
            ("proxy_pass http:", "proxy_pass https:".to_owned()),
            (
                "include vitals/proxy.conf;",
                "include vitals/proxy.conf; include vitals/tls_inside.conf;".to_owned(),
            ),
        ],
        BalancerKind::Haproxy => {
            let tls =
                format!("default-server ssl verify required ca-file {certificate} verifyhost {expected}");
            vec![("    server a", format!("    {tls}\n    server a"))]
        }
    };
    let balancer = Balancer::start(kind, &behind).await?;
    let root = reqwest::Certificate::from_pem(balancer.certificate.as_bytes()).expect("a certificate");
    let client = reqwest::Client::builder().tls_certs_only([root]).build().expect("a client");
    let body = json!({ "deviceSn": "ENCRYPTED", "heart_rate": 70 }).to_string();
    let answer = client.post(format!("{}/upload_health_data", balancer.tls_url)).body(body).send().await;
    Some(answer.expect("an answer").status().as_u16())
}

#[tokio::test]
async fn a_balancer_encrypts_on_both_sides_and_sends_nothing_to_an_instance_it_does_not_know() {
    for kind in [BalancerKind::Nginx, BalancerKind::Haproxy] {
        for (expected, status) in [("vitals.internal", 200), ("another.internal", 503)] {
            let answered = upload_with_tls(kind, expected).await;
            assert!(answered.is_none_or(|answered| answered == status), "{kind:?} {expected}: {answered:?}");
        }
    }
}
