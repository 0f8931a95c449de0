//! The layers, held against the `use` lines and paths of the sources.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Who may know whom. `config`, `tasks` and `telemetry` are for all but `wire` and `model`, `metric` and `language` are for all.
const ALLOWED: &[(&str, &[&str])] = &[
    ("language", &[]),
    ("metric", &[]),
    ("model", &[]),
    ("wire", &["model"]),
    ("store", &["model"]),
    ("cache", &["model"]),
    ("timeline", &["store", "cache"]),
    ("owners", &["model", "store", "cache", "lookup_cache", "timeline"]),
    ("keys", &["model", "store", "lookup_cache"]),
    ("ingest", &["model", "store"]),
    ("react", &["model", "store", "cache", "timeline"]),
    ("relay", &["model", "store", "react"]),
    ("notify", &["model", "store"]),
    ("schedule", &["model", "store"]),
    ("monitor", &["model", "ingest", "store", "cache"]),
    ("http", &["model", "wire", "ingest", "monitor", "owners", "keys", "store", "cache"]),
];

const FOR_ALL: &[&str] = &["config", "tasks", "telemetry"];

/// Who may be known to all: the registry of metrics, and the texts for people.
const FOR_EVERYONE: &[&str] = &["metric", "language"];

/// Who alone may name what.
const OWNED: &[(&str, &str)] = &[
    ("tokio_postgres::", "store"),
    ("deadpool_postgres::", "store"),
    ("redis::", "cache"),
    ("axum::", "http"),
    ("reqwest::", "notify"),
    ("lettre::", "notify"),
    ("opentelemetry", "telemetry"),
    ("sysinfo::", "monitor"),
    ("std::env::", "config"),
    ("env::var", "config"),
    ("tokio::spawn", "tasks"),
    ("spawn_blocking", "tasks"),
];

#[test]
fn each_stage_knows_only_the_stages_it_may() {
    let mut breaches = Vec::new();
    for (stage, allowed) in ALLOWED {
        for (file, text) in sources(stage) {
            for known in crate_modules(&text) {
                let pure = matches!(*stage, "model" | "wire");
                let common =
                    FOR_EVERYONE.contains(&known.as_str()) || !pure && FOR_ALL.contains(&known.as_str());
                if known != *stage && !allowed.contains(&known.as_str()) && !common {
                    breaches.push(format!("{} knows {known}", file.display()));
                }
            }
        }
    }
    assert!(breaches.is_empty(), "{breaches:#?}");
}

#[test]
fn each_outside_library_has_one_door() {
    let mut breaches = Vec::new();
    for (file, text) in sources("") {
        for (name, owner) in OWNED {
            let stage = stage_of(&file);
            if stage != *owner && code(&text).any(|line| mentions(line, name)) {
                breaches.push(format!("{} names {name}", file.display()));
            }
        }
    }
    assert!(breaches.is_empty(), "{breaches:#?}");
}

#[test]
fn every_file_says_where_it_stands() {
    for (file, text) in sources("") {
        assert!(text.starts_with("//! "), "{} does not open with what it does", file.display());
    }
}

#[test]
fn no_file_is_too_long_to_read_in_one_sitting() {
    for (file, text) in sources("") {
        let is_test = file.components().any(|part| part.as_os_str() == "tests") || file.ends_with("tests.rs");
        let lines = text.lines().take_while(|line| !line.starts_with("#[cfg(test)]")).count();
        assert!(is_test || lines <= 320, "{} has {lines} lines", file.display());
    }
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
    let mut found = BTreeSet::new();
    for line in code(text) {
        for (at, _) in line.match_indices("crate::") {
            let rest = &line[at + "crate::".len()..];
            match rest.strip_prefix('{') {
                Some(list) => found.extend(list.split(',').map(first_name)),
                None => drop(found.insert(first_name(rest))),
            }
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
