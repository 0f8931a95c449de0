//! One trace joins the request, its batch, the COPY, the reaction and the notification.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::routing::post;
use jiff::{SignedDuration, Timestamp};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;
use serde_json::json;
use tokio::net::TcpListener;

use crate::harness::{Database, Process, Receiver, Reply, eventually, notify_of_all};

#[derive(Debug, Clone)]
struct Span {
    name: String,
    trace: String,
    id: String,
    parent: String,
}

type Spans = Arc<Mutex<Vec<Span>>>;

/// A collector that keeps what it is sent; gives its address.
async fn collector() -> (String, Spans) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let spans = Spans::default();
    let router = Router::new().route("/v1/traces", post(take)).with_state(Arc::clone(&spans));
    tokio::spawn(async move { axum::serve(listener, router).await.expect("serves") });
    (format!("http://{address}"), spans)
}

async fn take(State(spans): State<Spans>, body: Bytes) {
    let hex = |id: &[u8]| id.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let request = ExportTraceServiceRequest::decode(body).expect("OTLP");
    let sent = request.resource_spans.into_iter().flat_map(|of| of.scope_spans).flat_map(|of| of.spans);
    spans.lock().expect("whole").extend(sent.map(|span| Span {
        trace: hex(&span.trace_id),
        id: hex(&span.span_id),
        parent: hex(&span.parent_span_id),
        name: span.name,
    }));
}

async fn upload(url: &str, device: &str, heart_rate: i64, traceparent: Option<&str>) {
    let at = (Timestamp::now() - SignedDuration::from_secs(1)).to_string();
    let body = json!({ "deviceSn": device, "heart_rate": heart_rate, "timestamp": at });
    let mut request = reqwest::Client::new().post(format!("{url}/upload_health_data")).body(body.to_string());
    if let Some(traceparent) = traceparent {
        request = request.header("traceparent", traceparent);
    }
    assert_eq!(request.send().await.expect("an answer").status(), 200);
}

async fn tell_of_everything(database: &Database, receiver: &Receiver) {
    let client = database.client().await;
    notify_of_all(&client, receiver).await;
    client.batch_execute("update notification_route set min_severity = 'info'").await.expect("updated");
}

#[tokio::test]
async fn one_trace_leads_from_the_request_to_the_notification() {
    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    const SENDER: &str = "00f067aa0ba902b7";
    let database = Database::new().await;
    let receiver = Receiver::start(|_| Reply::Status(204)).await;
    tell_of_everything(&database, &receiver).await;
    let (endpoint, spans) = collector().await;
    let variables = [
        ("VITALS_MONITOR_OTLP_ENDPOINT", endpoint.as_str()),
        // What does not say otherwise is not traced.
        ("VITALS_MONITOR_TRACE_SAMPLE_RATIO", "0"),
        ("VITALS_NOTIFY_WEBHOOK_ALLOW_PRIVATE", "true"),
    ];
    let process = Process::serve(&database, &variables).await;
    upload(&process.url, "UNTRACED", 200, None).await;
    upload(&process.url, "TRACED", 200, Some(&format!("00-{TRACE}-{SENDER}-01"))).await;
    receiver.received("/", 2).await;
    // The last spans are sent when it ends.
    process.signal("TERM");
    assert!(process.ended().await.success());

    let spans = spans.lock().expect("whole").clone();
    assert!(spans.iter().all(|span| span.trace == TRACE), "{spans:?}");
    let by_name = |name: &str| {
        let found: Vec<&Span> = spans.iter().filter(|span| span.name == name).collect();
        assert_eq!(found.len(), 1, "{name} in {spans:?}");
        found[0]
    };
    let by_id: HashMap<&str, &str> =
        spans.iter().map(|span| (span.id.as_str(), span.name.as_str())).collect();
    let parent_of = |name: &str| by_id.get(by_name(name).parent.as_str()).copied();
    assert_eq!(by_name("/upload_health_data").parent, SENDER);
    for (name, parent) in [
        ("batch", "/upload_health_data"),
        ("batch.copy_fresh", "batch"),
        ("batch.commit", "batch"),
        ("react", "batch"),
        ("show_latest", "react"),
        ("outbox.finish", "react"),
        ("notify", "batch"),
    ] {
        assert_eq!(parent_of(name), Some(parent), "{name}");
    }
}

#[tokio::test]
async fn a_collector_that_is_away_costs_nothing_but_the_traces() {
    let database = Database::new().await;
    let closed =
        TcpListener::bind("127.0.0.1:0").await.expect("a free port").local_addr().expect("an address");
    let endpoint = format!("http://{closed}");
    let variables =
        [("VITALS_MONITOR_OTLP_ENDPOINT", endpoint.as_str()), ("VITALS_MONITOR_TRACE_SAMPLE_RATIO", "1")];
    let process = Process::serve(&database, &variables).await;
    for _ in 0..10 {
        upload(&process.url, "GOES-ON", 70, None).await;
    }
    process.signal("TERM");
    assert!(process.ended().await.success());
    let client = database.client().await;
    eventually("the sample is there", async || {
        let row = client.query_one("select count(*) from health_data", &[]).await.expect("a count");
        (row.get::<_, i64>(0) >= 1).then_some(())
    })
    .await;
}
