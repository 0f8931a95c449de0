//! A real Prometheus asks a real service: everything the dashboard of operators shows, every alarm, and an alarm that rings.

use std::path::Path;
use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::harness::{Database, Process, Proxy, authorization, eventually};

struct Prometheus {
    url: String,
    _child: Child,
    folder: std::path::PathBuf,
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn file(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

impl Prometheus {
    /// One that asks `target` with `key` twice a second by the rules of `docker/prometheus`, and waits for nothing before it rings.
    /// `None`: it is not installed.
    async fn start(target: &str, key: &str) -> Option<Self> {
        if Command::new("prometheus").arg("--version").output().await.is_err() {
            eprintln!("skipped: prometheus is not installed (Debian: apt-get install prometheus)");
            return None;
        }
        let folder = std::env::temp_dir().join(format!("vitals-prometheus-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        let hastier = |line: &&str| !line.trim_start().starts_with("for: ");
        let rules: String = file("docker/prometheus/rules.yml")
            .lines()
            .filter(hastier)
            .map(|line| format!("{line}\n"))
            .collect();
        std::fs::write(folder.join("rules.yml"), rules).expect("written");
        std::fs::write(folder.join("vitals.key"), key).expect("written");
        let config = file("docker/prometheus/prometheus.yml")
            .replace("scrape_interval: 15s", "scrape_interval: 500ms")
            .replace("evaluation_interval: 15s", "evaluation_interval: 500ms")
            .replace("scrape_timeout: 10s", "scrape_timeout: 500ms")
            .replace("vitals:8080", target);
        assert!(config.contains(target) && config.contains("interval: 500ms"), "{config}");
        std::fs::write(folder.join("prometheus.yml"), config).expect("written");
        let mut child = Command::new("prometheus")
            .arg(format!("--config.file={}", folder.join("prometheus.yml").display()))
            .arg(format!("--storage.tsdb.path={}", folder.join("data").display()))
            .args(["--web.listen-address=127.0.0.1:0", "--log.format=logfmt"])
            .stderr(Stdio::piped())
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("prometheus runs");
        let mut log = BufReader::new(child.stderr.take().expect("piped")).lines();
        let address = loop {
            let line = log.next_line().await.expect("text").expect("it says where it listens");
            if let Some((_, address)) = line.split_once("msg=\"Listening on\" address=") {
                break address.trim().to_owned();
            }
        };
        // The pipe must not fill.
        tokio::spawn(async move { while let Ok(Some(_)) = log.next_line().await {} });
        Some(Self { url: format!("http://{address}"), _child: child, folder })
    }

    async fn ask(&self, path: &str, query: &[(&str, &str)]) -> Value {
        let mut url = reqwest::Url::parse(&format!("{}/api/v1/{path}", self.url)).expect("a URL");
        url.query_pairs_mut().extend_pairs(query);
        let text = reqwest::get(url).await.expect("an answer").text().await.expect("text");
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    async fn firing(&self) -> Vec<String> {
        let alerts = self.ask("alerts", &[]).await;
        let alerts = alerts["data"]["alerts"].as_array().expect("alerts").clone();
        let rings = alerts.iter().filter(|alert| alert["state"] == "firing");
        rings.map(|alert| alert["labels"]["alertname"].as_str().expect("a name").to_owned()).collect()
    }

    async fn wait_for_alarm(&self, name: &str) {
        eventually(&format!("{name} rings"), async || {
            self.firing().await.contains(&name.to_owned()).then_some(())
        })
        .await;
    }
}

/// Every query of the dashboard, as Grafana fills it in.
fn queries(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| queries(item, found)),
        Value::Object(fields) => {
            if let Some(Value::String(query)) = fields.get("expr") {
                found.push(query.replace("$__rate_interval", "1m"));
            }
            fields.values().for_each(|field| queries(field, found));
        }
        _ => {}
    }
}

#[tokio::test]
async fn a_prometheus_reads_the_service_and_rings_when_a_part_is_away() {
    let database = Database::new().await;
    let (postgres, database_url) = Proxy::before(&database.url()).await;
    let (redis, redis_url) = Proxy::before(&database.redis_url()).await;
    let variables = [
        ("VITALS_DATABASE_URL", database_url.as_str()),
        ("VITALS_REDIS_URL", redis_url.as_str()),
        ("VITALS_AUTHENTICATION", "keys"),
    ];
    let process = Process::serve(&database, &variables).await;
    let target = process.url.trim_start_matches("http://").to_owned();
    let reading = authorization(&database, &["read"], 0).await;
    let key = reading.strip_prefix("Bearer ").expect("a key");
    let Some(prometheus) = Prometheus::start(&target, key).await else { return };
    eventually("it is ready", async || {
        let answer = reqwest::get(format!("{}/-/ready", prometheus.url)).await;
        answer.is_ok_and(|answer| answer.status().is_success()).then_some(())
    })
    .await;
    eventually("it is scraped", async || {
        let answer = prometheus.ask("query", &[("query", "up{job=\"vitals\"}")]).await;
        (answer["data"]["result"][0]["value"][1] == "1").then_some(())
    })
    .await;
    let body = json!({ "deviceSn": "SCRAPED", "heart_rate": 70 }).to_string();
    let posted = reqwest::Client::new()
        .post(format!("{}/upload_health_data", process.url))
        .header("authorization", authorization(&database, &["upload"], 0).await)
        .body(body)
        .send()
        .await;
    assert_eq!(posted.expect("an answer").status(), 200);

    let mut all = Vec::new();
    let board: Value =
        serde_json::from_str(&file("docker/grafana/dashboards/operations.json")).expect("JSON");
    queries(&board, &mut all);
    assert!(all.len() > 30, "{}", all.len());
    for query in &all {
        let answer = prometheus.ask("query", &[("query", query)]).await;
        assert_eq!(answer["status"], "success", "{query}: {answer}");
    }
    // What was uploaded is seen.
    eventually("the record is counted", async || {
        let query = "sum(vitals_ingest_records_total{outcome=\"stored\"})";
        let answer = prometheus.ask("query", &[("query", query)]).await;
        (answer["data"]["result"][0]["value"][1] == "1").then_some(())
    })
    .await;

    let rules = eventually("every rule was evaluated", async || {
        let answer = prometheus.ask("rules", &[]).await;
        let rules = answer["data"]["groups"][0]["rules"].as_array().cloned().unwrap_or_default();
        let is_done = !rules.is_empty() && rules.iter().all(|rule| rule["health"] != "unknown");
        is_done.then_some(rules)
    })
    .await;
    assert!(rules.len() >= 11, "{}", rules.len());
    for rule in &rules {
        assert_eq!(rule["health"], "ok", "{rule}");
    }
    let quiet =
        ["VitalsDown", "VitalsPostgresAway", "VitalsRedisAway", "VitalsMemory", "VitalsQueueNearOverflow"];
    let firing = prometheus.firing().await;
    assert!(!firing.iter().any(|name| quiet.contains(&name.as_str())), "{firing:?}");

    redis.cut();
    prometheus.wait_for_alarm("VitalsRedisAway").await;
    postgres.cut();
    prometheus.wait_for_alarm("VitalsPostgresAway").await;
    postgres.restore();
    redis.restore();
    eventually("all is well again", async || {
        let firing = prometheus.firing().await;
        (!firing.iter().any(|name| quiet.contains(&name.as_str()))).then_some(())
    })
    .await;
    process.signal("KILL");
    prometheus.wait_for_alarm("VitalsDown").await;
    process.ended().await;
}
