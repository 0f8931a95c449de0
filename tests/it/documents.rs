//! The documents of the tree are true: every command in them runs or is checked, every link leads somewhere, every setting, metric,
//! route, file and alarm that they name is there, and README.md says the same in both languages.

mod markdown;
mod reader;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use serde_json::json;
use vitals::model::SystemCondition;

use crate::harness::Service;
use markdown::{Block, Document, Marker, ROOT, anchor, documents};
use reader::{Reader, not_run};

/// Blocks that say themselves that they cannot run here. One more is a change of this number, and of the mind of whoever reviews it.
const NOT_RUN: usize = 3;

/// What a document takes for granted: units and people of the reader.
const GIVEN: [(&str, &str); 1] = [(
    "src/notify/README.md",
    "insert into org_unit (org_id, name) values (7, 'Home'), (300, 'Ward 3');
     insert into app_user (user_id, org_id) values (42, 300);",
)];

/// Reads a document from its beginning to its end and does what it says.
async fn follow(path: &str) -> Reader {
    let document = Document::read(path);
    let mut reader = Reader::of(&document).await;
    for (_, sql) in GIVEN.iter().filter(|(of, _)| *of == path) {
        reader.database.client().await.batch_execute(sql).await.expect("given");
    }
    for block in document.blocks() {
        reader.follow(block).await;
    }
    reader
}

#[tokio::test]
async fn the_first_upload_query_and_alert_of_the_readme_work() {
    let reader = follow("README.md").await;
    let alert = reader.service.get("/api/alerts/1").await.body["alert"].clone();
    assert_eq!(
        (&alert["status"], &alert["acknowledged_note"]),
        (&"resolved".into(), &alert["acknowledged_note"])
    );
    let client = reader.database.client().await;
    let samples: i64 =
        client.query_one("select count(*) from health_data", &[]).await.expect("a count").get(0);
    assert_eq!(samples, 1);
    assert_eq!(reader.ran, 10);
    reader.finish().await;
}

#[tokio::test]
async fn the_manual_of_operators_can_be_followed() {
    let reader = follow("docker/README.md").await;
    assert!(reader.ran > 8, "{}", reader.ran);
    reader.finish().await;
}

#[tokio::test]
async fn the_manual_of_dashboards_and_dbas_can_be_followed_and_a_dashboard_sees_its_tenant_alone() {
    let document = Document::read("sql/README.md");
    let mut reader = Reader::of(&document).await;
    for (device, tenant) in [("CRFTQ23409001890", "1939964806110937090"), ("ELSEWHERE", "7")] {
        let upload = json!({ "data": { "deviceSn": device, "heart_rate": 80, "customerId": tenant } });
        assert_eq!(reader.service.upload(&upload).await, (1, 0, 0));
    }
    // The alert that the examples are about.
    let help = json!({ "eventType": "SOS_EVENT", "deviceSn": "CRFTQ23409001890" });
    assert_eq!(reader.service.post("/upload_common_event", help.to_string()).await.status, 200);
    reader.service.drained().await;
    for section in &document.sections {
        for block in &section.blocks {
            reader.follow(block).await;
        }
        if section.title == "Dashboards and their tenants" {
            assert_eq!(devices_of_the_clinic(&reader).await, ["CRFTQ23409001890"]);
        }
    }
    assert!(reader.ran > 12, "{}", reader.ran);
    reader.finish().await;
}

/// What the login of the document sees.
async fn devices_of_the_clinic(reader: &Reader) -> Vec<String> {
    let url = reader.database.url();
    let (_, server) = url.rsplit_once('@').expect("a user");
    let board = format!("postgres://clinic_board:%E2%80%A6@{server}");
    let (board, connection) = tokio_postgres::connect(&board, tokio_postgres::NoTls).await.expect("logs in");
    let connection = tokio::spawn(connection);
    let query = "select distinct device_sn from dashboard.health_daily order by 1";
    let rows = board.query(query, &[]).await.expect("rows");
    drop(board);
    connection.await.expect("ends").expect("in order");
    rows.iter().map(|row| row.get(0)).collect()
}

/// Whatever else has commands.
#[tokio::test]
async fn the_other_documents_can_be_followed() {
    let others: Vec<Document> = documents()
        .into_iter()
        .filter(|document| {
            // The first three have tests of their own; what is in Chinese is held against what is not.
            !matches!(
                document.path.as_str(),
                "README.md" | "README.zh-CN.md" | "docker/README.md" | "sql/README.md"
            ) && document.blocks().any(|block| matches!(block.language.as_str(), "sh" | "sql"))
        })
        .collect();
    assert!(others.iter().any(|document| document.path == "src/notify/README.md"));
    for document in others {
        follow(&document.path).await.finish().await;
    }
}

#[test]
fn every_block_has_a_language_and_an_end_and_says_why_if_nobody_runs_it() {
    let mut unread = Vec::new();
    for document in documents() {
        assert!(document.headless_tables().is_empty(), "{}: {:?}", document.path, document.headless_tables());
        for line in document.prose().filter(|line| line.starts_with("<!--")) {
            let known = ["not run: ", "runs in: ", "roles: ", "generated: ", "end "];
            let name = line.strip_prefix("<!-- ").unwrap_or_default();
            assert!(known.iter().any(|known| name.starts_with(known)), "{}: {line}", document.path);
        }
        unread.extend(not_run(&document).map(|(place, reason)| format!("{place}: {reason}")));
        for block in document.blocks() {
            let known = ["sh", "sql", "json", "toml", "text", "mermaid"];
            assert!(known.contains(&block.language.as_str()), "{}: {}", block.place, block.language);
            if let Some(Marker::RunsIn(test)) = &block.marker {
                let text = std::fs::read_to_string(Path::new(ROOT).join(test)).unwrap_or_default();
                assert!(text.contains(&document.path), "{}: {test} does not read it", block.place);
            }
            match block.language.as_str() {
                "mermaid" => check_diagram(block),
                "json" => drop(serde_json::from_str::<serde_json::Value>(&block.text).expect(&block.place)),
                _ => {}
            }
        }
    }
    assert_eq!(unread.len(), NOT_RUN, "{unread:#?}");
}

/// Whoever speaks in a sequence diagram was introduced.
fn check_diagram(block: &Block) {
    let mut lines = block.text.lines().map(str::trim);
    let kind = lines.next().expect("a first line");
    if kind != "sequenceDiagram" {
        assert!(kind.starts_with("flowchart "), "{}: {kind}", block.place);
        return;
    }
    let mut participants = BTreeSet::new();
    for line in lines {
        if let Some(name) = line.strip_prefix("participant ").or(line.strip_prefix("actor ")) {
            participants.insert(name.split_whitespace().next().expect("a name"));
        } else if let Some((arrow, _)) = line.split_once(':').filter(|_| !line.starts_with("Note ")) {
            let ends: Vec<&str> = arrow.split(['-', '>', ')']).filter(|part| !part.is_empty()).collect();
            for end in ends {
                assert!(participants.contains(end), "{}: {line}", block.place);
            }
        }
    }
}

#[test]
fn every_link_leads_somewhere() {
    let documents: BTreeMap<String, Document> =
        documents().into_iter().map(|document| (document.path.clone(), document)).collect();
    let mut links = 0;
    for (path, document) in &documents {
        let folder = Path::new(path).parent().expect("a folder");
        for link in document.links().iter().filter(|link| !link.contains("://") && !link.starts_with('<')) {
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() { path.clone() } else { normal(&folder.join(file)) };
            assert!(Path::new(ROOT).join(&target).exists(), "{path}: {link}");
            if !heading.is_empty() && target.ends_with(".md") {
                assert!(documents[&target].anchors().contains(heading), "{path}: {link}");
            }
            links += 1;
        }
    }
    assert!(links > 100, "{links}");
}

/// A path without `..`.
fn normal(path: &Path) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.to_str().expect("text").split('/') {
        match part {
            ".." => drop(parts.pop()),
            "." | "" => {}
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[test]
fn files_that_are_named_are_there() {
    let mut named = 0;
    for document in documents().iter().filter(|document| document.path != "CHANGELOG.md") {
        let folder = Path::new(&document.path).parent().expect("a folder");
        for code in document.code() {
            let is_file = code.chars().all(|c| c.is_ascii_alphanumeric() || "_-./".contains(c))
                && !code.starts_with('/')
                && code.contains('/')
                && [".rs", ".sql", ".md", ".yml", ".toml", ".lua", ".py", ".json", ".conf", ".sh"]
                    .iter()
                    .any(|ending| code.ends_with(ending));
            if is_file {
                let places = [Path::new(ROOT).join(&code), Path::new(ROOT).join(folder).join(&code)];
                assert!(places.iter().any(|place| place.exists()), "{} names {code}", document.path);
                named += 1;
            }
        }
    }
    assert!(named > 60, "{named}");
}

#[test]
fn every_file_of_the_tests_is_in_their_table() {
    let codes: BTreeSet<String> = Document::read("tests/README.md").code().into_iter().collect();
    for entry in std::fs::read_dir(Path::new(ROOT).join("tests/it")).expect("a folder") {
        let entry = entry.expect("an entry");
        let name = entry.file_name().into_string().expect("text");
        let is_folder = entry.file_type().expect("a kind").is_dir();
        let folder = format!("it/{}/", name.trim_end_matches(".rs"));
        let is_named = codes.contains(&format!("it/{name}")) || codes.contains(&folder) || name == "main.rs";
        // The parts of a test stand in a folder beside it.
        let is_test = name.ends_with(".rs");
        assert!(is_named || is_folder || !is_test, "tests/README.md does not name it/{name}");
    }
}

/// Sub-commands and options in sentences; those in blocks are run.
#[test]
fn commands_in_sentences_are_known_to_the_program() {
    let mut helps: BTreeMap<Vec<String>, String> = BTreeMap::new();
    let mut checked = 0;
    for document in documents().iter().filter(|document| document.path != "CHANGELOG.md") {
        for code in document.code().iter().filter(|code| code.starts_with("vitals ")) {
            let words: Vec<&str> = code.split_whitespace().skip(1).collect();
            let mut command = Vec::new();
            for word in &words {
                let help = help(&mut helps, &command);
                let Some((_, commands)) = help.split_once("\nCommands:\n") else { break };
                let known = commands.split("\n\n").next().expect("a part").lines();
                let mut known = known.filter_map(|line| line.split_whitespace().next());
                // `vitals … | head` and `vitals policy show | plan` say nothing of one command.
                if !word.chars().all(|c| c.is_ascii_lowercase() || c == '-') {
                    break;
                }
                assert!(known.any(|name| name == *word), "{}: `{code}`: {word}", document.path);
                command.push((*word).to_owned());
            }
            let help = help(&mut helps, &command);
            for option in words.iter().filter(|word| word.starts_with("--")) {
                let option = option.split(['=', ',', ';']).next().expect("a word");
                assert!(help.contains(option), "{}: `{code}`: {option}", document.path);
            }
            checked += 1;
        }
    }
    assert!(checked > 60, "{checked}");
}

fn help(known: &mut BTreeMap<Vec<String>, String>, command: &[String]) -> String {
    let ask = || {
        let mut vitals = Command::new(env!("CARGO_BIN_EXE_vitals"));
        let output = vitals.args(command).arg("--help").output().expect("it can be run");
        assert!(output.status.success(), "{command:?}");
        String::from_utf8(output.stdout).expect("text")
    };
    known.entry(command.to_vec()).or_insert_with(ask).clone()
}

#[test]
fn settings_that_are_named_are_settings() {
    let output = Command::new(env!("CARGO_BIN_EXE_vitals")).arg("settings").output().expect("it can be run");
    let printed = String::from_utf8(output.stdout).expect("text");
    let compose = std::fs::read_to_string(Path::new(ROOT).join("docker/compose.yml")).expect("text");
    let stack = std::fs::read_to_string(Path::new(ROOT).join("docker/stack")).expect("text");
    let is_known = |variable: &str| {
        printed.contains(&format!("`{variable}`"))
            || matches!(variable, "VITALS_CONFIG" | "VITALS_" | "VITALS_…" | "VITALS_*")
            // The name of before, which still works.
            || variable == "VITALS_WEBHOOK_ALLOW_PRIVATE"
            || (variable.starts_with("VITALS_STACK_") && (stack.contains(variable) || compose.contains(variable)))
    };
    for document in documents() {
        for code in document.code() {
            let variable = code.split(['=', ' ']).next().expect("a word");
            assert!(!variable.starts_with("VITALS_") || is_known(variable), "{} names {code}", document.path);
        }
    }
    // The table of those asked for most.
    let operators = Document::read("docker/README.md");
    let table = operators.section("Settings").prose.iter().filter(|line| line.starts_with("| `"));
    let mut settings = 0;
    for name in table.flat_map(|line| line.split('|').nth(1).expect("a cell").split('`').skip(1).step_by(2)) {
        let variable = format!("VITALS_{}", name.replace('.', "_").to_uppercase());
        assert!(is_known(&variable), "docker/README.md names {name}");
        settings += 1;
    }
    assert!(settings > 25, "{settings}");
}

#[test]
fn every_metric_is_explained_once_and_no_other() {
    let names = std::fs::read_to_string(Path::new(ROOT).join("src/telemetry/names.rs")).expect("text");
    let there: BTreeSet<&str> =
        names.split('"').skip(1).step_by(2).filter(|word| word.starts_with("vitals_")).collect();
    let operators = Document::read("docker/README.md");
    let table = operators
        .section("Figures, and when they are bad")
        .prose
        .iter()
        .filter(|line| line.starts_with("| `"));
    let cells: Vec<&str> = table.map(|line| line.split('|').nth(1).expect("a cell")).collect();
    let explained: Vec<&str> = cells.iter().flat_map(|cell| cell.split('`').skip(1).step_by(2)).collect();
    assert_eq!(explained.iter().copied().collect::<BTreeSet<_>>(), there);
    assert_eq!(explained.len(), there.len(), "one is explained twice");
}

#[tokio::test]
async fn routes_that_are_named_are_routes() {
    let database = crate::harness::Database::new().await;
    let service = Service::start(&database).await;
    let openapi = service.get("/openapi.json").await.body;
    let mut routes: BTreeSet<String> = openapi["paths"].as_object().expect("paths").keys().cloned().collect();
    routes.extend(["/", "/docs", "/openapi.json", "/api/"].map(str::to_owned));
    for document in documents() {
        for code in document.code().iter().filter(|code| code.starts_with('/') && !code.contains(' ')) {
            let path = code.split(['?', '…']).next().expect("a path");
            let is_unit = code == "/min";
            assert!(
                is_unit
                    || path.starts_with("/etc/")
                    || path.starts_with("/usr/share/")
                    || path.starts_with("/var/lib/")
                    || routes.contains(path),
                "{} names {code}",
                document.path
            );
        }
    }
    service.finish().await;
}

#[test]
fn every_alarm_has_a_section_that_says_what_to_do() {
    let rules = std::fs::read_to_string(Path::new(ROOT).join("docker/prometheus/rules.yml")).expect("text");
    let operators = Document::read("docker/README.md");
    let alarms: Vec<&str> = rules.split("- alert: ").skip(1).collect();
    assert!(alarms.len() > 10);
    for alarm in alarms {
        let name = alarm.lines().next().expect("a name").trim();
        let section = operators.section(name);
        let severity = alarm.split("severity: ").nth(1).and_then(|rest| rest.split('}').next());
        let first = section.prose.iter().find(|line| !line.is_empty()).expect("a text");
        assert!(first.starts_with(&format!("*{}.*", severity.expect("a severity"))), "{name}: {first}");
        let runbook = format!("runbook: docker/README.md#{}\n", anchor(name));
        assert!(alarm.contains(&runbook), "{name} has no {runbook}");
    }
    for condition in SystemCondition::ALL.map(SystemCondition::name) {
        let sections = operators.sections.iter().filter(|section| {
            section.prose.iter().any(|line| line.contains(&format!("System alert `{condition}`")))
        });
        assert_eq!(sections.count(), 1, "{condition} has one section");
    }
}

#[test]
fn the_readme_is_short_and_says_the_same_in_both_languages() {
    let lines = std::fs::read_to_string(Path::new(ROOT).join("README.md")).expect("text").lines().count();
    assert!(lines <= 150, "README.md has {lines} lines");
    let [english, chinese] = ["README.md", "README.zh-CN.md"].map(Document::read);
    let levels = |of: &Document| of.sections.iter().map(|section| section.level).collect::<Vec<_>>();
    assert_eq!(levels(&english), levels(&chinese));
    for (ours, theirs) in english.sections.iter().zip(&chinese.sections) {
        let commands = |blocks: &[Block]| blocks.iter().map(without_comments).collect::<Vec<_>>();
        assert_eq!(commands(&ours.blocks), commands(&theirs.blocks), "{}", ours.title);
        let rows = |prose: &[String]| prose.iter().filter(|line| line.starts_with('|')).count();
        assert_eq!(rows(&ours.prose), rows(&theirs.prose), "{}", ours.title);
    }
    let links = |of: &Document| {
        let links = of.links().into_iter().filter(|link| !link.starts_with("README"));
        links.collect::<BTreeSet<_>>()
    };
    assert_eq!(links(&english), links(&chinese));
}

/// The lines of a block without what they say to a person.
fn without_comments(block: &Block) -> (String, Vec<String>) {
    let mark = if block.language == "sql" { "  --" } else { "  #" };
    let lines = block.text.lines().map(|line| line.split(mark).next().expect("a part").trim_end().to_owned());
    (block.language.clone(), lines.collect())
}

/// A rename that forgets the documents is found by the words between backticks.
#[test]
fn names_in_sentences_are_names_of_the_tree() {
    let mut words = BTreeSet::new();
    let kinds = ["rs", "sql", "yml", "toml", "lua", "conf", "sh", "json", "ftl", "py", "bash"];
    for folder in ["src", "sql", "migrations", "docker", "tests", "benches"] {
        for file in files(&Path::new(ROOT).join(folder)) {
            let ending = file.extension().map_or("", |ending| ending.to_str().expect("text"));
            if kinds.contains(&ending) || ending.is_empty() {
                let text = std::fs::read_to_string(&file).expect("text");
                words.extend(names(&text).map(str::to_owned));
            }
        }
    }
    let mut unknown = Vec::new();
    for document in documents().iter().filter(|document| document.path != "CHANGELOG.md") {
        // The tables of another system.
        let ours = document.sections.iter().filter(|section| !section.title.contains("ljwx"));
        let of_others =
            |line: &str| line.starts_with("| ") && document.path == "sql/README.md" && line.contains("Data`");
        let text: Vec<&str> = ours
            .flat_map(|section| section.prose.iter().map(String::as_str))
            .filter(|line| !of_others(line))
            .collect();
        for code in text.join("\n").split('`').skip(1).step_by(2) {
            let is_known = |name: &str| {
                words.contains(name)
                    || name.starts_with("pg_")
                    || NAMES_OF_OTHERS.contains(&name)
                    // Part of the name of a test.
                    || words.iter().any(|word| word.contains(name))
            };
            let new = names(code).filter(|name| !is_known(name));
            unknown.extend(new.map(|name| format!("{}: {name}", document.path)));
        }
    }
    assert!(unknown.is_empty(), "{unknown:#?}");
}

/// Of PostgreSQL and of an allocator, and a name that SQL puts together.
const NAMES_OF_OTHERS: [&str; 6] = [
    "auto_explain",
    "archive_mode",
    "health_15m_materialised",
    "max_standby_streaming_delay",
    "no_thp",
    "wal_buffers_full",
];

/// Names of more than one word.
fn names(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .map(|word| word.trim_matches('_'))
        .filter(|word| word.contains('_') || word.chars().skip(1).any(|c| c.is_ascii_uppercase()))
        .filter(|word| word.chars().any(|c| c.is_ascii_lowercase()))
}

fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}
