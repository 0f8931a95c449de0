//! The load against a scripted service: a plain HTTP server that knows which samples it has seen.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;

use super::{Options, Report, Show, run};

/// What the scripted service does with a request.
#[derive(Clone, Copy)]
enum Reply {
    /// Counts the samples and says so.
    Count,
    /// The same, after a while.
    CountAfter(Duration),
    /// This status.
    Status(u16),
    /// 503, and not when to come again.
    Unsaid,
    /// Says that it stored one record more than there were.
    Miscount,
    /// Hangs up.
    HangUp,
}

/// A service on loopback; `script` is asked what to do with request number n, from 0.
struct Service {
    url: String,
    seen: Arc<Mutex<ReceivedUploads>>,
    stop: CancellationToken,
    serving: JoinHandle<()>,
}

#[derive(Default)]
struct ReceivedUploads {
    requests: usize,
    keys: HashSet<(String, String)>,
}

impl Service {
    async fn start(script: impl Fn(usize) -> Reply + Send + Sync + Clone + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("bound"));
        let seen = Arc::new(Mutex::new(ReceivedUploads::default()));
        let stop = CancellationToken::new();
        let (stopping, shared) = (stop.clone(), seen.clone());
        let serving = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Some(Ok((stream, _))) = stopping.run_until_cancelled(listener.accept()).await {
                let (script, seen, stopping) = (script.clone(), shared.clone(), stopping.clone());
                connections.spawn(async move {
                    let service = service_fn(|request| answer(request, script.clone(), seen.clone()));
                    let serving = hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service);
                    stopping.run_until_cancelled(serving).await;
                });
            }
            connections.join_all().await;
        });
        Self { url, seen, stop, serving }
    }

    async fn stop(self) -> ReceivedUploads {
        self.stop.cancel();
        self.serving.await.expect("no request failed the script's expectations");
        std::mem::take(&mut *self.seen.lock().expect("lock"))
    }
}

async fn answer(
    request: Request<Incoming>,
    script: impl Fn(usize) -> Reply,
    seen: Arc<Mutex<ReceivedUploads>>,
) -> Result<Response<Full<Bytes>>, Box<dyn std::error::Error + Send + Sync>> {
    let path = request.uri().path().to_owned();
    let body = request.into_body().collect().await?.to_bytes();
    if path == "/upload_common_event" {
        let event: Value = serde_json::from_slice(&body).expect("valid JSON");
        assert!(event["eventType"].as_str().expect("a type").ends_with(".SOS_EVENT"));
        assert_eq!(event["healthData"]["data"]["deviceSn"], event["deviceSn"]);
        seen.lock().expect("lock").requests += 1;
        return Ok(Response::new(Full::new(Bytes::from_static(br#"{"status":"success"}"#))));
    }
    assert_eq!(path, "/upload_health_data");
    let number = {
        let mut seen = seen.lock().expect("lock");
        seen.requests += 1;
        seen.requests - 1
    };
    let reply = script(number);
    match reply {
        Reply::CountAfter(wait) => tokio::time::sleep(wait).await,
        Reply::HangUp => return Err("hangs up".into()),
        Reply::Status(status) => {
            let refusal = Response::builder().status(status).header("retry-after", "0");
            return Ok(refusal.body(Full::default()).expect("well formed"));
        }
        Reply::Unsaid => {
            return Ok(Response::builder().status(503).body(Full::default()).expect("well formed"));
        }
        Reply::Count | Reply::Miscount => {}
    }
    let (mut success, duplicate) = count(&body, &mut seen.lock().expect("lock"));
    if matches!(reply, Reply::Miscount) {
        success += 1;
    }
    let text =
        json!({"status": "success", "details": {"success": success, "duplicate": duplicate, "error": 0}});
    Ok(Response::new(Full::new(Bytes::from(text.to_string()))))
}

/// New samples and known ones.
fn count(body: &[u8], seen: &mut ReceivedUploads) -> (usize, usize) {
    let body: Value = serde_json::from_slice(body).expect("valid JSON");
    let items = body["data"].as_array().cloned().unwrap_or_else(|| vec![body["data"].clone()]);
    let key = |item: &Value| (item["deviceSn"].to_string(), item["timestamp"].to_string());
    let new = items.iter().filter(|item| seen.keys.insert(key(item))).count();
    (new, items.len() - new)
}

fn options(service: &Service) -> Options {
    Options { url: service.url.clone(), devices: 20, connections: 4, batch: 10, ..Options::default() }
}

async fn run_quietly(options: &Options) -> Report {
    run(options, &CancellationToken::new(), Show::Nothing).await.expect("a report")
}

#[tokio::test]
async fn acknowledged_records_are_stored_or_duplicate_and_the_bound_is_met() {
    let service = Service::start(|_| Reply::Count).await;
    let options = Options { records: Some(10_007), duplicates: 20.0, late: 5.0, ..options(&service) };
    let report = run_quietly(&options).await;
    let counts = report.live.as_ref().expect("live").counts.clone();
    assert_eq!((counts.acknowledged, counts.rejected, report.errors()), (10_007, 0, 0));
    assert_eq!(counts.acknowledged, counts.stored + counts.duplicate);
    assert_eq!(counts.duplicate, counts.repeated, "only what was repeated on purpose is a duplicate");
    assert!(counts.repeated > 1_000 && counts.late > 100, "{counts:?}");
    assert_eq!(counts.stored, service.stop().await.keys.len() as u64);
}

#[tokio::test]
async fn history_comes_first_and_whole() {
    let service = Service::start(|_| Reply::Count).await;
    let options =
        Options { history_days: 2, history_interval_seconds: 600, records: Some(100), ..options(&service) };
    let report = run_quietly(&options).await;
    assert_eq!(report.history.expect("history").counts.stored, 20 * 2 * 144);
    assert_eq!(report.live.expect("live").counts.stored, 100);
    assert_eq!(service.stop().await.keys.len(), 20 * 2 * 144 + 100);
}

#[tokio::test]
async fn a_refused_upload_is_resent_and_is_no_error() {
    let service =
        Service::start(|number| if number % 3 == 0 { Reply::Status(503) } else { Reply::Count }).await;
    let report = run_quietly(&Options { records: Some(300), ..options(&service) }).await;
    let live = report.live.as_ref().expect("live");
    assert_eq!((live.counts.stored, live.counts.abandoned, report.errors()), (300, 0, 0));
    assert!(live.counts.refused >= 10);
    assert_eq!(live.counts.statuses[&503], live.counts.refused);
}

#[tokio::test]
async fn a_lost_connection_is_an_error_and_the_upload_is_resent() {
    let service = Service::start(|number| if number % 5 == 2 { Reply::HangUp } else { Reply::Count }).await;
    let report = run_quietly(&Options { records: Some(300), ..options(&service) }).await;
    let counts = &report.live.as_ref().expect("live").counts;
    assert_eq!((counts.stored, counts.abandoned), (300, 0));
    assert_eq!(counts.errors["connection lost"], report.errors());
    assert!(counts.reconnects >= report.errors() && report.errors() >= 5, "{counts:?}");
}

#[tokio::test]
async fn any_other_status_and_an_answer_that_does_not_add_up_are_errors() {
    let service =
        Service::start(|number| if number == 0 { Reply::Status(500) } else { Reply::Miscount }).await;
    let report = run_quietly(&Options { records: Some(80), ..options(&service) }).await;
    let counts = &report.live.as_ref().expect("live").counts;
    assert_eq!((counts.errors["status 500"], counts.abandoned), (1, 10));
    assert_eq!(counts.errors["unbalanced answer"], 7);
}

#[tokio::test]
async fn a_rate_is_kept() {
    let service = Service::start(|_| Reply::Count).await;
    let options = Options { rate: Some(1_000.0), seconds: Some(2), ..options(&service) };
    let report = run_quietly(&options).await;
    let live = report.live.expect("live");
    assert_eq!(live.counts.acknowledged, 2_000);
    assert!((1.9..3.0).contains(&live.seconds), "{}", live.seconds);
}

#[tokio::test]
async fn an_impatient_load_is_the_same_however_much_of_it_is_refused() {
    let service =
        Service::start(|number| if number % 4 == 0 { Reply::Count } else { Reply::Status(503) }).await;
    let options =
        Options { rate: Some(1_000.0), seconds: Some(2), batch: 5, impatient: true, ..options(&service) };
    let report = run_quietly(&options).await;
    let counts = &report.live.as_ref().expect("live").counts;
    assert_eq!((counts.requests, counts.refused, report.errors()), (400, 300, 0));
    assert_eq!((counts.stored, counts.duplicate), (500, 0), "what was refused is sent again, and once");
    assert_eq!(service.stop().await.keys.len(), 500);
}

#[tokio::test]
async fn a_refusal_without_retry_after_is_an_error() {
    let service = Service::start(|number| if number == 0 { Reply::Unsaid } else { Reply::Count }).await;
    let report = run_quietly(&Options { records: Some(40), ..options(&service) }).await;
    let counts = &report.live.as_ref().expect("live").counts;
    assert_eq!((counts.stored, counts.errors["refused without Retry-After"], report.errors()), (40, 1, 1));
}

#[tokio::test]
async fn with_a_rate_latency_counts_from_when_an_upload_was_due() {
    // Due every 50 ms on a connection, answered after 100 ms: each waits longer than the one before.
    let service = Service::start(|_| Reply::CountAfter(Duration::from_millis(100))).await;
    let options = Options {
        devices: 1,
        connections: 1,
        rate: Some(200.0),
        seconds: Some(1),
        records: Some(200),
        ..options(&service)
    };
    let report = run_quietly(&options).await;
    let latency = report.live.expect("live").latency;
    assert!(latency.max_ms > 400.0, "{latency:?}");
    let closed = Options { rate: None, records: Some(50), ..options };
    let latency = run_quietly(&closed).await.live.expect("live").latency;
    assert!((100.0..400.0).contains(&latency.max_ms), "{latency:?}");
}

#[tokio::test]
async fn a_stop_waits_for_what_was_sent() {
    let service = Service::start(|_| Reply::CountAfter(Duration::from_millis(50))).await;
    let stop = CancellationToken::new();
    let options = options(&service);
    let running = run(&options, &stop, Show::Nothing);
    let seen = service.seen.clone();
    let stopping = async {
        while seen.lock().expect("lock").requests < 8 {
            tokio::task::yield_now().await;
        }
        stop.cancel();
    };
    let (report, ()) = tokio::join!(running, stopping);
    let report = report.expect("a report");
    let counts = &report.live.as_ref().expect("live").counts;
    assert_eq!((counts.requests * 10, report.errors()), (counts.acknowledged, 0));
    assert_eq!(counts.requests as usize, service.stop().await.requests);
}

#[tokio::test]
async fn alarms_are_reported_apart_from_the_uploads() {
    let service = Service::start(|_| Reply::Count).await;
    let options = Options { seconds: Some(1), rate: Some(100.0), alarms: Some(50.0), ..options(&service) };
    let report = run_quietly(&options).await;
    let (live, alarms) = (report.live.as_ref().expect("live"), report.alarms.as_ref().expect("alarms"));
    assert_eq!(report.errors(), 0, "{report}");
    assert!((10..60).contains(&alarms.counts.acknowledged), "{alarms}");
    assert_eq!(alarms.counts.acknowledged, alarms.counts.requests);
    assert!(alarms.latency.p99_ms > 0.0);
    let requests = live.counts.requests + alarms.counts.requests;
    assert_eq!(requests as usize, service.stop().await.requests);
}

#[tokio::test]
async fn fewer_devices_than_connections_are_refused() {
    let options = Options { devices: 3, connections: 4, ..Options::default() };
    let refusal =
        run(&options, &CancellationToken::new(), Show::Nothing).await.expect_err("refused").to_string();
    assert!(refusal.contains("--devices"), "{refusal}");
}

#[test]
fn a_report_is_text_for_people_and_json_for_machines() {
    let mut recorder = crate::report::LoadRecorder::default();
    recorder.answered(200);
    recorder.took(Duration::from_millis(3));
    let part = crate::PartReport::new(&recorder, Duration::from_secs(2));
    let report = Report {
        first_serial: crate::serial(7),
        devices: 1_000,
        connections: 64,
        batch: 100,
        history: None,
        live: Some(part),
        alarms: None,
    };
    let value: Value = serde_json::to_value(&report).expect("JSON");
    assert_eq!(value["live"]["statuses"]["200"], 1);
    assert_eq!(value["live"]["requests"], 0);
    assert!(value["live"]["latency"]["p99_ms"].as_f64().expect("a number") > 2.9);
    let text = report.to_string();
    assert!(text.contains("SIM0000000000007") && text.contains("p99 3.0"), "{text}");
}
