//! The layers, held against the `use` lines and paths of the sources.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Who may know whom. `config`, `tasks` and `telemetry` are for all but `wire` and `model`, `metric` and `language` are for all.
const ALLOWED: &[(&str, &[&str])] = &[
    ("language", &[]),
    ("metric", &[]),
    ("model", &[]),
    ("page", &["model"]),
    ("wire", &["model"]),
    ("store", &["model"]),
    ("cache", &["model"]),
    ("timeline", &["store", "cache"]),
    ("owners", &["model", "store", "cache", "lookup_cache", "timeline"]),
    ("keys", &["model", "store", "lookup_cache"]),
    ("accounts", &["model", "store", "lookup_cache"]),
    ("cells", &["model", "store"]),
    ("ingest", &["model", "store"]),
    ("queue", &["store"]),
    ("react", &["model", "store", "cache", "timeline", "queue"]),
    ("relay", &["model", "store", "react", "queue"]),
    ("notify", &["model", "store", "queue"]),
    ("schedule", &["model", "store"]),
    ("monitor", &["model", "ingest", "store", "cache"]),
    ("buffer", &["model", "wire", "ingest", "owners", "cache"]),
    ("stream", &["model", "store"]),
    (
        "http",
        &[
            "model", "wire", "accounts", "buffer", "cells", "ingest", "monitor", "owners", "keys", "store",
            "cache", "stream", "page",
        ],
    ),
];

const USED_BY_ALL_BUT_PURE: &[&str] = &["config", "tasks", "telemetry"];

/// Who may be known to all: the registry of metrics, and the texts for people.
const USED_BY_ALL: &[&str] = &["metric", "language"];

/// Calls of the standard library and of tokio that have one door.
const OWNED: &[(&str, &str)] = &[
    ("std::env::", "config"),
    ("env::var", "config"),
    ("tokio::spawn", "tasks"),
    ("spawn_blocking", "tasks"),
];

/// The load generator, from `src`.
const FLEET: &str = "../benches/fleet/src";

/// Outside crates that every room may name, but for the pure ones.
const EVERYDAY: &[&str] = &[
    "bytes",
    "futures_util",
    "jiff",
    "metrics",
    "serde",
    "serde_json",
    "thiserror",
    "tokio",
    "tokio_util",
    "tracing",
];

/// Rooms without a runtime, logs or metrics: they may name what stands beside them in [`CRATES`] alone.
const PURE: &[&str] = &["language", "metric", "model", "page", "wire"];

/// Which other outside crates a room names. A value says itself how it is shown as JSON and in the API's document, so `model` names
/// serde and utoipa.
const CRATES: &[(&str, &[&str])] = &[
    ("accounts", &["argon2", "openidconnect", "rand", "reqwest"]),
    ("app", &["anyhow", "metrics_exporter_prometheus"]),
    ("buffer", &["zstd"]),
    ("cache", &["rand", "redis"]),
    ("cells", &["reqwest"]),
    (
        "command",
        &[
            "anyhow",
            "base64",
            "clap",
            "console",
            "csv",
            "encoding_rs",
            "indicatif",
            "rand",
            "rustix",
            "sha2",
            "toml",
            "vitals_fleet",
            "whoami",
        ],
    ),
    ("config", &["confique", "ipnet", "strsim", "toml"]),
    ("demo", &["anyhow", "clap", "console", "metrics_exporter_prometheus", "rustix", "vitals_fleet"]),
    (
        "http",
        &[
            "axum",
            "base64",
            "flate2",
            "governor",
            "http_body_util",
            "hyper",
            "hyper_util",
            "ipnet",
            "metrics_exporter_prometheus",
            "moka",
            "percent_encoding",
            "rand",
            "rust_decimal",
            "serde_path_to_error",
            "sha2",
            "tokio_io_timeout",
            "tokio_rustls",
            "tower_http",
            "utoipa",
            "utoipa_axum",
            "utoipa_swagger_ui",
            "zstd",
        ],
    ),
    ("ingest", &["lru"]),
    ("keys", &["subtle"]),
    ("language", &["fluent_bundle", "jiff", "serde", "serde_json", "unic_langid"]),
    ("lookup_cache", &["moka"]),
    ("main", &["clap", "mimalloc"]),
    ("metric", &["rust_decimal"]),
    (
        "model",
        &[
            "base64",
            "bytes",
            "hmac",
            "jiff",
            "rust_decimal",
            "serde",
            "serde_json",
            "serde_path_to_error",
            "sha2",
            "thiserror",
            "utoipa",
            "uuid",
        ],
    ),
    ("monitor", &["sysinfo"]),
    (
        "notify",
        &[
            "base64",
            "hmac",
            "ipnet",
            "lettre",
            "percent_encoding",
            "rand",
            "reqwest",
            "sha2",
            "standardwebhooks",
            "uuid",
        ],
    ),
    ("owners", &["moka"]),
    ("page", &["jiff", "maud", "percent_encoding", "rust_decimal", "serde_json", "siphasher"]),
    ("queue", &["backon"]),
    ("relay", &["backon", "rand"]),
    ("schedule", &["backon"]),
    (
        "store",
        &[
            "backon",
            "deadpool_postgres",
            "percent_encoding",
            "rand",
            "refinery",
            "rust_decimal",
            "rustls_native_certs",
            "sha2",
            "tokio_postgres",
            "tokio_postgres_rustls",
            "tokio_rustls",
            "uuid",
        ],
    ),
    (
        "telemetry",
        &[
            "anyhow",
            "console",
            "metrics_exporter_prometheus",
            "opentelemetry",
            "opentelemetry_otlp",
            "opentelemetry_sdk",
            "tracing_opentelemetry",
            "tracing_subscriber",
        ],
    ),
    ("wire", &["bytes", "jiff", "rust_decimal", "serde", "serde_json", "siphasher", "thiserror"]),
];

/// The files of `store` that open connections and send statements. They know no table.
const STORE_BASE: &[&str] = &[
    "abandoned",
    "connect",
    "error",
    "hosts",
    "pipeline",
    "read_horizon",
    "recycle",
    "statement",
    "tls",
    "url",
];

#[test]
fn each_stage_knows_only_the_stages_it_may() {
    let mut breaches = Vec::new();
    for (stage, allowed) in ALLOWED {
        for (file, text) in sources(stage) {
            for known in crate_modules(&text) {
                let pure = matches!(*stage, "model" | "wire");
                let common = USED_BY_ALL.contains(&known.as_str())
                    || !pure && USED_BY_ALL_BUT_PURE.contains(&known.as_str());
                if known != *stage && !allowed.contains(&known.as_str()) && !common {
                    breaches.push(format!("{} knows {known}", file.display()));
                }
            }
        }
    }
    assert!(breaches.is_empty(), "{breaches:#?}");
}

#[test]
fn files_of_store_import_in_one_direction() {
    let mut imports = imports_of_store();
    for base in STORE_BASE {
        for known in &imports[*base] {
            assert!(STORE_BASE.contains(&known.as_str()), "store/{base} knows store/{known}");
        }
    }
    // Files that import nothing that is left are removed until none are left, or only those of a cycle.
    while !imports.is_empty() {
        let files: BTreeSet<String> = imports.keys().cloned().collect();
        imports.retain(|_, known| !known.is_disjoint(&files));
        assert!(imports.len() < files.len(), "files of store import each other in a cycle: {imports:#?}");
    }
}

/// What each file of `store` imports of its siblings; a folder belongs to the file of its name.
fn imports_of_store() -> BTreeMap<String, BTreeSet<String>> {
    let folder = root().join("store");
    let sources = sources("store");
    let exported: BTreeMap<String, String> = sources
        .iter()
        .filter(|(file, _)| file.ends_with("store/mod.rs"))
        .flat_map(|(_, text)| text.split("use ").skip(1).filter_map(|rest| rest.split_once(';')))
        .filter_map(|(path, _)| path.split_once("::"))
        .flat_map(|(file, names)| {
            names.trim_matches(['{', '}']).split(',').map(move |name| (first_name(name), file.to_owned()))
        })
        .collect();
    let mut imports: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (file, text) in sources.iter().filter(|(file, _)| !file.ends_with("store/mod.rs")) {
        let relative = file.strip_prefix(&folder).expect("below store");
        let is_nested = relative.components().count() > 1;
        let name = relative.components().next().expect("a name").as_os_str().to_string_lossy();
        let name = name.trim_end_matches(".rs").to_owned();
        let text: String = code(text).take_while(|line| *line != "#[cfg(test)]").collect();
        let known = names_behind(&text, if is_nested { "crate::store::" } else { "super::" });
        let known = known.into_iter().map(|known| exported.get(&known).cloned().unwrap_or(known));
        imports.entry(name).or_default().extend(known);
    }
    let files: BTreeSet<String> = imports.keys().cloned().collect();
    for (name, known) in &mut imports {
        known.retain(|known| known != name && files.contains(known));
    }
    imports
}

#[test]
fn what_has_one_door_is_named_there_alone() {
    let mut breaches = Vec::new();
    for (file, text) in sources("") {
        for (name, owner) in OWNED {
            if stage_of(&file) != *owner && code(&text).any(|line| mentions(line, name)) {
                breaches.push(format!("{} names {name}", file.display()));
            }
        }
    }
    assert!(breaches.is_empty(), "{breaches:#?}");
}

#[test]
fn each_room_names_the_outside_crates_of_its_row_and_no_others() {
    let crates = dependencies();
    let mut named: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for (file, text) in sources("") {
        let room = stage_of(&file);
        let found = crates.iter().filter(|name| code(&text).any(|line| names_crate(line, name)));
        let found = found
            .map(String::as_str)
            .filter(|name| PURE.contains(&room.as_str()) || !EVERYDAY.contains(name));
        named.entry(room.clone()).or_default().extend(found);
    }
    named.retain(|_, crates| !crates.is_empty());
    let allowed: BTreeMap<String, BTreeSet<&str>> =
        CRATES.iter().map(|(room, crates)| ((*room).to_owned(), crates.iter().copied().collect())).collect();
    for room in named.keys().chain(allowed.keys()) {
        assert_eq!(
            named.get(room),
            allowed.get(room),
            "left: what src/{room} names, right: its row in CRATES"
        );
    }
}

/// The crates of `[dependencies]`, as code names them.
fn dependencies() -> Vec<String> {
    let manifest =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml")).expect("text");
    let manifest: toml::Table = manifest.parse().expect("TOML");
    let dependencies = manifest["dependencies"].as_table().expect("a table");
    dependencies.keys().map(|name| name.replace('-', "_")).collect()
}

fn names_crate(line: &str, name: &str) -> bool {
    mentions(line, &format!("{name}::"))
        || line.trim_start().trim_start_matches("pub ") == format!("use {name};")
}

#[test]
fn every_file_says_where_it_stands() {
    for (file, text) in sources("").into_iter().chain(sources(FLEET)) {
        assert!(text.starts_with("//! "), "{} does not open with what it does", file.display());
    }
}

#[test]
fn no_file_is_too_long_to_read_in_one_sitting() {
    for (file, text) in sources("").into_iter().chain(sources(FLEET)) {
        let is_test = file.components().any(|part| part.as_os_str() == "tests") || file.ends_with("tests.rs");
        let lines = without_tests(&text);
        assert!(is_test || lines <= 320, "{} has {lines} lines", file.display());
    }
}

/// Lines of a file, but for its test module, which may stand anywhere.
fn without_tests(text: &str) -> usize {
    let mut lines = text.lines();
    let mut count = 0;
    while let Some(line) = lines.next() {
        count += 1;
        let is_test_module = line == "#[cfg(test)]";
        let opens = |line: &str| line.contains("mod ") && line.ends_with('{');
        if is_test_module && lines.next().is_some_and(opens) {
            // What is in it is indented.
            lines.by_ref().take_while(|line| *line != "}").for_each(drop);
        }
    }
    count
}

#[test]
fn only_the_test_module_is_not_counted() {
    let before = "use a;\n#[cfg(test)]\nuse b;\n";
    let module = "#[cfg(test)]\npub(crate) mod tests {\n    fn t() {\n    }\n}\n";
    assert_eq!(without_tests(&format!("{before}{module}fn f() {{\n}}\n")), 2 + 1 + 2);
    assert_eq!(without_tests("fn f() {}\n#[cfg(test)]\nmod tests;\nfn g() {}\n"), 3);
}

fn mentions(line: &str, name: &str) -> bool {
    line.match_indices(name).any(|(at, _)| {
        // `cache::redis::` is ours, `redis::` and `::redis::` are the library.
        let before = line[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':')
    })
}

fn stage_of(file: &Path) -> String {
    let relative = file.strip_prefix(root()).expect("below src");
    let first = relative.components().next().expect("a name").as_os_str().to_string_lossy();
    first.trim_end_matches(".rs").to_owned()
}

fn crate_modules(text: &str) -> BTreeSet<String> {
    code(text).flat_map(|line| names_behind(line, "crate::")).collect()
}

/// The names that follow a path, one or a list of them.
fn names_behind(text: &str, path: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (at, _) in text.match_indices(path) {
        let rest = &text[at + path.len()..];
        match rest.strip_prefix('{') {
            Some(list) => found.extend(list.split('}').next().unwrap_or(list).split(',').map(first_name)),
            None => drop(found.insert(first_name(rest))),
        }
    }
    found.remove("");
    found
}

fn first_name(text: &str) -> String {
    text.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

fn code(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| !line.trim_start().starts_with("//"))
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn sources(stage: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(stage)];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        for entry in entries {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push((path.clone(), std::fs::read_to_string(&path).expect("text")));
            }
        }
    }
    let single = root().join(format!("{stage}.rs"));
    if let Ok(text) = std::fs::read_to_string(&single) {
        found.push((single, text));
    }
    assert!(!found.is_empty(), "no sources of {stage}");
    found
}
