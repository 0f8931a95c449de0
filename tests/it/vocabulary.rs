//! The vocabulary, held against the names and comments of the tree: words of the field, one word for one thing.
//!
//! A name is split into words at underscores and capitals. None of the words may be in [`BANNED_WORDS`]; no type may be called as in
//! [`BANNED_TYPES`]; no comment and no document may hold one of [`BANNED_PHRASES`]. The terms themselves are in the glossary of
//! src/README.md.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// What is checked: folders from the root of the repository.
const CHECKED: &[&str] = &["src", "sql", "benches", "tests/it/harness"];

/// Words that no name holds, and what to say instead.
const BANNED_WORDS: &[(&str, &str)] = &[
    ("again", "retry, repeat or the name of the second step"),
    ("aside", "park (a row), or run_blocking (work)"),
    ("asked", "requested, or the name of the answer"),
    ("beside", "alongside, or the name of the relation"),
    ("chance", "random or entropy"),
    ("crosswise", "in opposite orders"),
    ("deaf", "suspended"),
    ("deafen", "suspend"),
    ("desk", "session"),
    ("dispel", "clear"),
    ("drawn", "with_jitter, or random"),
    ("forgotten", "erased or removed"),
    ("gathering", "collector, with what it collects"),
    ("glance", "peek"),
    ("harmless", "escape_control"),
    ("hear", "receive, or listen to"),
    ("heard", "received"),
    ("joint", "separator"),
    ("judge", "evaluate"),
    ("judged", "evaluated"),
    ("look", "poll, probe, read, sample or scan"),
    ("manner", "mode"),
    ("means", "context, or the name of what it is"),
    ("mend", "fix"),
    ("mended", "fixed"),
    ("news", "changes"),
    ("outlook", "health"),
    ("patience", "deadline or timeout"),
    ("patient", "with a timeout"),
    ("patiently", "wait_until"),
    ("remembered", "entry, or cached"),
    ("said", "output, result or reported"),
    ("say", "report, log, describe or send"),
    ("says", "reports, logs or describes"),
    ("speaks", "sends or renews"),
    ("stretch", "range"),
    ("suspect", "candidate, or what is suspected"),
    ("suspects", "candidates, or what is suspected"),
    ("tell", "report, notify or log"),
    ("tells", "reports, notifies or logs"),
    ("told", "reported, notified or logged"),
    ("torn", "truncated"),
    ("turn", "lock, lease or step"),
    ("unfit", "invalid"),
    ("unheard", "silent"),
    ("victims", "DisposableServers"),
    ("void", "stale"),
    ("whom", "the name of the person or the thing"),
    ("whose", "owner"),
    ("witness", "source, or what it proves"),
];

/// Names that no type has: a type is called by a noun that says which one.
const BANNED_TYPES: &[&str] = &[
    "Again",
    "Asked",
    "At",
    "Begin",
    "Breach",
    "Carried",
    "Choice",
    "Counted",
    "Decoded",
    "Desk",
    "End",
    "Extent",
    "Fault",
    "FineThings",
    "Found",
    "Gathered",
    "Gathering",
    "Given",
    "Held",
    "Holding",
    "How",
    "Kept",
    "Key",
    "Lane",
    "Last",
    "Manner",
    "Meaning",
    "Means",
    "Measure",
    "Merged",
    "Migrated",
    "Moved",
    "Name",
    "Newest",
    "NoKey",
    "Notice",
    "Of",
    "Open",
    "Outlook",
    "Owned",
    "Packing",
    "Parsed",
    "Parts",
    "Patience",
    "Pending",
    "Piece",
    "Place",
    "Presented",
    "Raw",
    "Reader",
    "Replayed",
    "Revoked",
    "RolledUp",
    "Rules",
    "Said",
    "Seen",
    "Since",
    "Stored",
    "Stretch",
    "Tally",
    "Thing",
    "Turn",
    "UnderWay",
    "Unknown",
    "Which",
    "Whole",
    "Words",
];

/// Phrases that no comment, text or document holds, and what to say instead. Letters are compared in lower case.
const BANNED_PHRASES: &[(&str, &str)] = &[
    ("be content when", "name the case that is no error"),
    ("bits of chance", "bits of entropy"),
    ("broke off", "was interrupted"),
    ("broken off", "interrupted"),
    ("does for a while", "works for a while"),
    ("does no longer", "no longer works"),
    ("does until", "works until"),
    ("for good and all", "permanently"),
    ("given up", "abandoned"),
    ("goes on where it was", "continues where it stopped"),
    ("has a say", "name the right or the condition"),
    ("is dear", "is expensive"),
    ("is no failure", "is not an error"),
    ("is nobody's", "is ignored, or belongs to no one"),
    ("is to be told", "is to be notified"),
    ("mend the", "fix the"),
    ("not well", "unhealthy"),
    ("put aside", "parked"),
    ("said so", "reported"),
    ("the same again", "running it again"),
    ("to be told", "to be notified or reported"),
    ("told of", "notified of, or informed of"),
    ("what is far", "late data"),
    ("whom a device belongs to", "who owns a device"),
    ("whose a device is", "who owns a device"),
    ("with a live rest", "plus a live tail"),
];

/// Types of the same name in several rooms, and why they may be.
const SHARED_NAMES: &[(&str, &str)] = &[
    ("Kind", "of a metric, and of an error of the store: each is named together with its room"),
    ("Kind", "of a metric, and of an error of the store: each is named together with its room"),
    (
        "Metric",
        "one describes a vital sign, the other is what a rule may name: its name is in the OpenAPI document",
    ),
    ("Options", "each sub-command has its options in its file"),
    ("State", "the one of axum's handlers, and the one of the schema of a database"),
];

#[test]
fn names_are_made_of_words_of_the_field() {
    let mut faults = Vec::new();
    for (file, text) in checked() {
        let place = shown(&file);
        let stem = file.file_stem().expect("a file has a name").to_string_lossy();
        faults.extend(banned_words(&stem).map(|fault| format!("{place}: file {fault}")));
        for Name { kind, name } in names(&file, &text) {
            faults.extend(banned_words(&name).map(|fault| format!("{place}: {kind} {name}: {fault}")));
            if kind.is_type() && BANNED_TYPES.contains(&name.as_str()) {
                faults.push(format!("{place}: {kind} {name}: say which one, by a noun"));
            }
        }
    }
    assert!(faults.is_empty(), "{} names:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn comments_and_texts_are_plain_english() {
    let mut faults = Vec::new();
    for (file, text) in checked().into_iter().chain(documents()) {
        for (number, line) in text.lines().enumerate() {
            let line = line.to_lowercase();
            for (phrase, instead) in BANNED_PHRASES.iter().filter(|(phrase, _)| line.contains(phrase)) {
                faults.push(format!("{}:{}: \"{phrase}\": say {instead}", shown(&file), number + 1));
            }
        }
    }
    assert!(faults.is_empty(), "{} phrases:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn one_type_name_stands_for_one_thing() {
    let mut rooms: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (file, text) in checked() {
        let Ok(below) = file.strip_prefix(root().join("src")) else { continue };
        let room = below.components().next().expect("a room").as_os_str().to_string_lossy();
        let room = room.trim_end_matches(".rs").to_owned();
        let types = names(&file, &text).into_iter().filter(|name| name.kind == Kind::PublicType);
        for Name { name, .. } in types {
            rooms.entry(name).or_default().insert(room.clone());
        }
    }
    let shared: BTreeMap<&String, &BTreeSet<String>> =
        rooms.iter().filter(|(_, rooms)| rooms.len() > 1).collect();
    let unknown: Vec<_> =
        shared.iter().filter(|(name, _)| !SHARED_NAMES.iter().any(|(known, _)| known == *name)).collect();
    assert!(unknown.is_empty(), "one name, several things: {unknown:#?}");
    let idle: Vec<_> =
        SHARED_NAMES.iter().filter(|(name, _)| !shared.contains_key(&(*name).to_owned())).collect();
    assert!(idle.is_empty(), "these exceptions are not needed: {idle:?}");
}

#[test]
fn every_name_of_the_glossary_is_in_the_tree() {
    let document = std::fs::read_to_string(root().join("src/README.md")).expect("text");
    let (_, glossary) = document.split_once("\n## Glossary\n").expect("a glossary");
    let glossary = glossary.split_once("\n## ").map_or(glossary, |(glossary, _)| glossary);
    let mut known = BTreeSet::new();
    for folder in ["src", "sql", "migrations", "tests/it"] {
        for (file, text) in files(&root().join(folder), &["rs", "sql", "lua", "toml"]) {
            known.extend(identifiers(&text).map(str::to_owned));
            known.extend(file.file_stem().map(|stem| stem.to_string_lossy().into_owned()));
        }
    }
    let mut unknown = Vec::new();
    for line in glossary.lines().filter(|line| line.starts_with("- **")) {
        let code = line.split('`').skip(1).step_by(2);
        let (_, term) = line.split_once("**").expect("a term");
        let term = term.split("**").next().expect("a term");
        let is_name = |word: &&str| word.contains('_') || word.chars().skip(1).any(char::is_uppercase);
        let names = code.flat_map(identifiers).chain(identifiers(term).filter(is_name));
        unknown.extend(names.filter(|name| !known.contains(*name)).map(|name| format!("{name}: {line}")));
    }
    assert!(unknown.is_empty(), "not in the tree: {unknown:#?}");
}

#[test]
fn a_name_is_split_at_underscores_and_capitals() {
    assert_eq!(words("told_if_any"), ["told", "if", "any"]);
    assert_eq!(words("RecallEvenVoid"), ["recall", "even", "void"]);
    assert_eq!(words("HTTPStatus"), ["http", "status"]);
    assert_eq!(words("NEVER_LATE"), ["never", "late"]);
    let text = "pub enum Found<T> {\n    /// a\n    SomeSaid(T),\n    Last,\n}\n\npub(super) fn told<'a>() {\n    \
                let mut said = 1;\n}\n#[cfg(test)]\nmod tests {\n    fn again() {}\n}\n";
    let found: Vec<String> = names(Path::new("a.rs"), text).into_iter().map(|name| name.name).collect();
    assert_eq!(found, ["Found", "SomeSaid", "Last", "told", "said"]);
    let sql = "create or replace function vitals.judge_alerts(a int) returns void\n";
    assert_eq!(names(Path::new("a.sql"), sql)[0].name, "judge_alerts");
}

/// What a name is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    PublicType,
    Type,
    Variant,
    Function,
    Constant,
    Module,
    Local,
    SqlFunction,
}

impl Kind {
    fn is_type(self) -> bool {
        matches!(self, Self::PublicType | Self::Type)
    }
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::PublicType | Self::Type => "type",
            Self::Variant => "variant",
            Self::Function => "fn",
            Self::Constant => "const",
            Self::Module => "mod",
            Self::Local => "let",
            Self::SqlFunction => "function",
        })
    }
}

#[derive(Debug)]
struct Name {
    kind: Kind,
    name: String,
}

/// The names a file defines. Rust is laid out by rustfmt, so a definition begins its line, and a variant of an enum is one step further
/// in than the enum. Tests inside a source are left out: their names are sentences.
fn names(file: &Path, text: &str) -> Vec<Name> {
    if file.extension().is_some_and(|extension| extension == "sql") {
        return sql_names(text);
    }
    let mut found = Vec::new();
    let mut variants_at: Option<usize> = None;
    for line in text.lines().take_while(|line| !line.starts_with("#[cfg(test)]")) {
        let inner = line.trim_start();
        let depth = line.len() - inner.len();
        if let Some(at) = variants_at {
            if depth + 4 == at && inner.starts_with('}') {
                variants_at = None;
            } else if depth == at && inner.starts_with(char::is_uppercase) {
                found.push(Name { kind: Kind::Variant, name: identifier(inner) });
            }
            continue;
        }
        let Some((kind, name)) = definition(inner) else { continue };
        if inner.contains("enum ") && inner.ends_with('{') {
            variants_at = Some(depth + 4);
        }
        found.push(Name { kind, name });
    }
    found
}

/// What a line defines.
fn definition(line: &str) -> Option<(Kind, String)> {
    let is_public = line.starts_with("pub ");
    let bare = match line.strip_prefix("pub(") {
        Some(rest) => rest.split_once(") ")?.1,
        None => line.strip_prefix("pub ").unwrap_or(line),
    };
    let bare = ["async ", "const fn ", "unsafe "].iter().fold(bare, |bare, word| match *word {
        "const fn " => bare.strip_prefix("const fn ").map_or(bare, |_| &bare["const ".len()..]),
        word => bare.strip_prefix(word).unwrap_or(bare),
    });
    let (keyword, rest) = bare.split_once(' ')?;
    let kind = match keyword {
        "struct" | "enum" | "trait" | "type" if is_public => Kind::PublicType,
        "struct" | "enum" | "trait" | "type" => Kind::Type,
        "fn" => Kind::Function,
        "const" | "static" => Kind::Constant,
        "mod" => Kind::Module,
        "let" => Kind::Local,
        _ => return None,
    };
    Some((kind, identifier(rest.strip_prefix("mut ").unwrap_or(rest)))).filter(|(_, name)| !name.is_empty())
}

/// Functions and views that a file of SQL makes.
fn sql_names(text: &str) -> Vec<Name> {
    let made = text.lines().filter_map(|line| {
        let rest = line.strip_prefix("create ")?;
        let rest = rest.strip_prefix("or replace ").unwrap_or(rest);
        let name =
            ["function ", "procedure ", "view ", "type "].iter().find_map(|kind| rest.strip_prefix(kind))?;
        let name =
            name.rsplit_once('.').filter(|(schema, _)| !schema.contains('(')).map_or(name, |(_, name)| name);
        Some(Name { kind: Kind::SqlFunction, name: identifier(name) })
    });
    made.collect()
}

fn identifiers(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_')
        .filter(|word| word.starts_with(char::is_alphabetic))
}

fn identifier(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

/// The words of a name, in lower case.
fn words(name: &str) -> Vec<String> {
    let letters: Vec<char> = name.chars().collect();
    let mut words = vec![String::new()];
    for (at, letter) in letters.iter().enumerate() {
        let after_lower = at > 0 && letters[at - 1].is_lowercase();
        let before_lower = letters.get(at + 1).is_some_and(|next| next.is_lowercase());
        let begins = letter.is_uppercase()
            && (after_lower || at > 0 && letters[at - 1].is_uppercase() && before_lower);
        if *letter == '_' || begins {
            words.push(String::new());
        }
        if *letter != '_' {
            words.last_mut().expect("there is one").extend(letter.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// `"told": say report, notify or log` for each banned word of a name.
fn banned_words(name: &str) -> impl Iterator<Item = String> {
    let name = name.replace("look_up", "lookup");
    words(&name).into_iter().filter_map(|word| {
        let (_, instead) = BANNED_WORDS.iter().find(|(banned, _)| *banned == word)?;
        Some(format!("\"{word}\": say {instead}"))
    })
}

/// Sources that are checked, with their text.
fn checked() -> Vec<(PathBuf, String)> {
    let found = CHECKED.iter().flat_map(|folder| files(&root().join(folder), &["rs", "sql", "lua"]));
    let found: Vec<_> = found.filter(|(file, _)| !is_test(file)).collect();
    assert!(found.len() > 50, "{} files", found.len());
    found
}

/// Tests inside the sources, whose names are sentences.
fn is_test(file: &Path) -> bool {
    let below = file.strip_prefix(root().join("src")).unwrap_or(Path::new(""));
    below.ends_with("tests.rs") || below.components().any(|part| part.as_os_str() == "tests")
}

/// Documents of the folders that are checked.
fn documents() -> Vec<(PathBuf, String)> {
    CHECKED.iter().flat_map(|folder| files(&root().join(folder), &["md"])).collect()
}

fn files(place: &Path, extensions: &[&str]) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut waiting = vec![place.to_owned()];
    while let Some(path) = waiting.pop() {
        if path.is_dir() {
            let entries = std::fs::read_dir(&path).expect("a folder");
            waiting.extend(entries.map(|entry| entry.expect("an entry").path()));
        } else if path.extension().is_some_and(|given| extensions.iter().any(|wanted| given == *wanted)) {
            found.push((path.clone(), std::fs::read_to_string(&path).expect("text")));
        }
    }
    found.sort();
    found
}

fn shown(file: &Path) -> String {
    file.strip_prefix(root()).unwrap_or(file).display().to_string()
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}
