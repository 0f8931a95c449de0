//! The whole service in this process, on a free port.

use std::sync::OnceLock;

use metrics_exporter_prometheus::PrometheusHandle;
use reqwest::header::HeaderMap;
use serde_json::Value;
use vitals::config::Settings;

use super::database::services_have_their_role_only;
use super::{Database, eventually};

/// A running service. [`Service::finish`] at the end of a test checks that no work is left.
pub struct Service {
    inner: vitals::app::Service,
    http: reqwest::Client,
    database_url: String,
}

/// An answer: status, `Retry-After`, body.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub retry_after: Option<String>,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Answer {
    /// A header that is there once and is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().expect("text"))
    }
}

impl Service {
    pub async fn start(database: &Database) -> Self {
        Self::start_with(database, |_| ()).await
    }

    pub async fn start_with(database: &Database, change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = database.settings();
        change(&mut settings);
        // A test that names another login role uses that one.
        if services_have_their_role_only() && settings.database_url == database.url() {
            let separator = if settings.database_url.contains('?') { '&' } else { '?' };
            settings.database_url += &format!("{separator}options=-c%20role%3Dvitals_service");
        }
        let inner = vitals::app::Service::start(settings, recorder()).await.expect("starts");
        Self { inner, http: reqwest::Client::new(), database_url: database.url() }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.inner.address())
    }

    pub async fn get(&self, path: &str) -> Answer {
        answer(self.http.get(format!("{}{path}", self.url())).send().await.expect("an answer")).await
    }

    pub async fn post(&self, path: &str, body: impl Into<reqwest::Body>) -> Answer {
        self.post_with(path, &[], body).await
    }

    pub async fn post_with(
        &self,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<reqwest::Body>,
    ) -> Answer {
        let mut request = self
            .http
            .post(format!("{}{path}", self.url()))
            .header("content-type", "application/json; charset=UTF-8")
            .body(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        answer(request.send().await.expect("an answer")).await
    }

    /// A request of any method, with a body of JSON where one is given.
    pub async fn send(&self, method: &str, path: &str, body: Option<&Value>) -> Answer {
        self.send_as("", method, path, body).await
    }

    /// The same with an `Authorization`; empty: none.
    pub async fn send_as(
        &self,
        authorization: &str,
        method: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Answer {
        let method = method.parse().expect("a method");
        let mut request = self.http.request(method, format!("{}{path}", self.url()));
        if !authorization.is_empty() {
            request = request.header("authorization", authorization);
        }
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        answer(request.send().await.expect("an answer")).await
    }

    /// Uploads a body that must be accepted, and gives (success, duplicate, error).
    pub async fn upload(&self, body: &Value) -> (u64, u64, u64) {
        let answer = self.post("/upload_health_data", body.to_string()).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let count = |name: &str| answer.body["details"][name].as_u64().expect("a count");
        (count("success"), count("duplicate"), count("error"))
    }

    /// Waits until every committed batch was reacted to.
    pub async fn drained(&self) {
        let (client, connection) = tokio_postgres::connect(&self.database_url, tokio_postgres::NoTls)
            .await
            .expect("PostgreSQL answers");
        tokio::spawn(connection);
        eventually("the outbox is empty", || async {
            let left: i64 =
                client.query_one("select count(*) from outbox", &[]).await.expect("a count").get(0);
            (left == 0).then_some(())
        })
        .await;
    }

    /// Waits for the reactions and stops; fails when a task is left or had failed.
    pub async fn finish(self) {
        self.drained().await;
        self.stop().await;
    }

    /// Stops in order, whatever work is left.
    pub async fn stop(self) {
        self.inner.stop().await.expect("stops in order");
    }
}

/// The recorder of metrics is global, so tests that run in parallel share it.
fn recorder() -> PrometheusHandle {
    static RECORDER: OnceLock<PrometheusHandle> = OnceLock::new();
    let start = || {
        // `VITALS_LOG=debug cargo test … -- --nocapture` shows what the services say.
        let filter = tracing_subscriber::EnvFilter::from_env("VITALS_LOG");
        tracing_subscriber::fmt().with_env_filter(filter).with_test_writer().init();
        vitals::telemetry::init_metrics().expect("the only recorder")
    };
    RECORDER.get_or_init(start).clone()
}

async fn answer(response: reqwest::Response) -> Answer {
    let status = response.status().as_u16();
    let retry_after =
        response.headers().get("retry-after").map(|value| value.to_str().expect("text").to_owned());
    let headers = response.headers().clone();
    // A stream of events has no end: `EventStream` reads it.
    if headers.get("content-type").is_some_and(|kind| kind == "text/event-stream") {
        return Answer { status, retry_after, headers, body: Value::Null };
    }
    let text = response.text().await.expect("a body");
    Answer { status, retry_after, headers, body: serde_json::from_str(&text).unwrap_or(Value::String(text)) }
}
