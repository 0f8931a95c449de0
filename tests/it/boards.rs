//! What operators and care staff look at: the panels of Grafana hold the queries of `sql/dashboards`, and run; panels and alarms
//! name metrics there are; the alarms ring when they should.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use vitals::metric::{Kind, Metric};

use crate::dashboards::{self, queries};
use crate::harness::Login;

/// A parameter in `sql/dashboards`, in a panel, and as Grafana fills it in.
const PARAMETERS: [(&str, &str, &str); 3] = [
    (":'device'", "${device:sqlstring}", "'D3'"),
    (":'from'", "$__timeFrom()", "'2026-01-05T00:00:00Z'"),
    (":'to'", "$__timeTo()", "'2026-01-12T00:00:00.5Z'"),
];

fn file(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn text(path: &str) -> String {
    std::fs::read_to_string(file(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Every string under a key, wherever it stands.
fn strings<'a>(value: &'a mut Value, key: &str) -> Vec<&'a mut Value> {
    match value {
        Value::Array(items) => items.iter_mut().flat_map(|item| strings(item, key)).collect(),
        Value::Object(fields) => fields
            .iter_mut()
            .flat_map(
                |(name, value)| {
                    if name == key && value.is_string() { vec![value] } else { strings(value, key) }
                },
            )
            .collect(),
        _ => Vec::new(),
    }
}

/// The SQL of every panel and of every variable of the health dashboard.
fn panels(board: &mut Value) -> Vec<&mut Value> {
    let fields = board.as_object_mut().expect("a dashboard");
    fields
        .iter_mut()
        .flat_map(|(name, part)| match name.as_str() {
            "panels" => strings(part, "rawSql"),
            "templating" => strings(part, "query"),
            _ => Vec::new(),
        })
        .collect()
}

#[test]
fn every_panel_holds_the_query_it_names_and_every_query_is_shown() {
    let path = "docker/grafana/dashboards/health.json";
    let mut board: Value = serde_json::from_str(&text(path)).expect("JSON");
    let queries = queries();
    let mut shown = BTreeSet::new();
    for sql in panels(&mut board) {
        let found = sql.as_str().expect("text").to_owned();
        let first = found.lines().next().expect("a line");
        let name = first.strip_prefix("-- dashboards.").unwrap_or_else(|| panic!("{first} is no name"));
        let mut wanted = queries.get(name).unwrap_or_else(|| panic!("there is no {name}")).clone();
        for (ours, theirs, _) in PARAMETERS {
            wanted = wanted.replace(ours, theirs);
        }
        if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
            *sql = wanted.into();
        } else {
            assert_eq!(found, wanted, "UPDATE_SNAPSHOTS=1 writes {name}.sql into the panel");
        }
        shown.insert(name.to_owned());
    }
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        let written = serde_json::to_string_pretty(&board).expect("JSON") + "\n";
        std::fs::write(file(path), written).expect("written");
    }
    assert_eq!(shown, queries.keys().cloned().collect());
}

/// The panels of one person each choose some of the columns of their query.
#[test]
fn every_vital_sign_and_total_of_a_person_is_in_one_panel_by_hours_and_one_by_days() {
    let path = "docker/grafana/dashboards/health.json";
    let board: Value = serde_json::from_str(&text(path)).expect("JSON");
    for query in ["-- dashboards.person_day\n", "-- dashboards.person_week\n"] {
        let shown: Vec<&str> = board["panels"]
            .as_array()
            .expect("panels")
            .iter()
            .filter(|panel| panel["targets"][0]["rawSql"].as_str().is_some_and(|sql| sql.starts_with(query)))
            .inspect(|panel| {
                assert_eq!(
                    panel["targets"][0]["format"], "table",
                    "Grafana renames the time column of time series"
                );
            })
            .flat_map(|panel| {
                panel["transformations"][0]["options"]["include"]["names"].as_array().expect("names")
            })
            .map(|name| name.as_str().expect("a name"))
            .filter(|name| *name != "time")
            .collect();
        let wanted: BTreeSet<String> = Metric::ALL
            .into_iter()
            .flat_map(|metric| {
                let parts: &[&str] = match metric.kind() {
                    Kind::VitalSign => &["min", "avg", "max"],
                    Kind::DayTotal => &["max"],
                    Kind::Position => &[],
                };
                parts.iter().map(move |part| format!("{}_{part}", metric.column()))
            })
            .collect();
        assert_eq!(shown.len(), wanted.len(), "a panel of {path} repeats or omits a column of {query}");
        assert_eq!(shown.into_iter().map(str::to_owned).collect::<BTreeSet<_>>(), wanted, "{path}: {query}");
    }
}

#[tokio::test]
async fn every_panel_runs_as_grafana_fills_it_in() {
    let (database, _admin) = dashboards::fleet().await;
    let board = Login::of(&database, "vitals_dashboard").await.sees_all_tenants(&database).await;
    let client = board.client().await;
    let mut health: Value =
        serde_json::from_str(&text("docker/grafana/dashboards/health.json")).expect("JSON");
    for sql in panels(&mut health) {
        let mut filled = sql.as_str().expect("text").to_owned();
        for (_, theirs, value) in PARAMETERS {
            filled = filled.replace(theirs, value);
        }
        assert!(!filled.contains('$'), "{filled}");
        client.simple_query(&filled).await.unwrap_or_else(|error| panic!("{filled}\n{error:?}"));
    }
}

/// The dashboards in Chinese are those in English with other texts and names: `docker/grafana/zh.json` holds the texts.
#[test]
fn the_dashboards_in_chinese_differ_from_the_english_ones_by_their_texts_alone() {
    let texts: Value = serde_json::from_str(&text("docker/grafana/zh.json")).expect("JSON");
    let mut used = BTreeSet::new();
    for name in ["health", "operations"] {
        let mut board: Value =
            serde_json::from_str(&text(&format!("docker/grafana/dashboards/{name}.json"))).expect("JSON");
        for key in ["title", "label", "legendFormat"] {
            for english in strings(&mut board, key) {
                let key = english.as_str().expect("text").to_owned();
                if let Some(chinese) = texts[&key].as_str() {
                    *english = chinese.into();
                    used.insert(key);
                } else {
                    // A figure or the value of a label has no language.
                    let rest = key.replace(|sign: char| !sign.is_ascii_alphabetic(), "");
                    assert!(key.contains("{{") || rest.is_empty(), "zh.json does not have {key:?}");
                }
            }
        }
        board["uid"] = format!("{}-zh", board["uid"].as_str().expect("a uid")).into();
        let path = format!("docker/grafana/dashboards.zh/{name}.json");
        let wanted = serde_json::to_string_pretty(&board).expect("JSON") + "\n";
        if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
            std::fs::write(file(&path), &wanted).expect("written");
        }
        assert_eq!(text(&path), wanted, "UPDATE_SNAPSHOTS=1 writes {path}");
    }
    let known = texts.as_object().expect("an object").keys().cloned().collect();
    assert_eq!(used, known, "zh.json has texts that no dashboard shows");
}

#[test]
fn panels_and_alarms_name_metrics_there_are() {
    let telemetry = text("src/telemetry/names.rs");
    let quoted = telemetry.split('"').skip(1).step_by(2);
    let known: BTreeSet<&str> = quoted.filter(|word| word.starts_with("vitals_")).collect();
    let mut named = 0;
    for path in [
        "docker/grafana/dashboards/operations.json",
        "docker/prometheus/rules.yml",
        "docker/prometheus/tests.yml",
    ] {
        let text = text(path);
        let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        for word in words.filter(|word| word.starts_with("vitals_")) {
            let parts = ["_bucket", "_count", "_sum"];
            let of_histogram = parts.iter().find_map(|part| word.strip_suffix(part));
            let is_known = known.contains(word) || of_histogram.is_some_and(|name| known.contains(name));
            assert!(is_known, "{path} names {word}");
            named += 1;
        }
    }
    assert!(named > 60, "{named}");
}

/// With promtool, which Debian has in the package `prometheus`; without it there is nothing to ask.
#[test]
fn the_alarms_ring_when_they_should() {
    if Command::new("promtool").arg("--version").output().is_err() {
        eprintln!("skipped: promtool is not installed (Debian: apt-get install prometheus)");
        return;
    }
    // Whether the key is there is a matter of the machine.
    let config = ["check", "config", "--syntax-only", "prometheus.yml"];
    for arguments in [&config[..], &["test", "rules", "tests.yml"]] {
        let output = Command::new("promtool")
            .args(arguments)
            .current_dir(file("docker/prometheus"))
            .output()
            .expect("promtool runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}
