//! A document of the tree: its sections, fenced blocks, tables, links and words of code.
//!
//! Promise: what is written wrongly (a fence without an end or a language, a table without a head) fails the test that reads it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The root of the tree.
pub(super) const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// A document, by its path from the root.
#[derive(Debug)]
pub(super) struct Document {
    pub(super) path: String,
    pub(super) sections: Vec<Section>,
}

/// A heading and what stands below it, up to the next heading.
#[derive(Debug)]
pub(super) struct Section {
    pub(super) level: usize,
    pub(super) title: String,
    pub(super) blocks: Vec<Block>,
    /// What is no fenced block.
    pub(super) prose: Vec<String>,
}

/// A fenced block.
#[derive(Debug)]
pub(super) struct Block {
    /// Document and line.
    pub(super) place: String,
    pub(super) language: String,
    pub(super) text: String,
    pub(super) marker: Option<Marker>,
}

/// What a comment before a block says of it.
#[derive(Debug, PartialEq)]
pub(super) enum Marker {
    /// It cannot run here, for this reason.
    NotRun(String),
    /// A test of its own runs it.
    RunsIn(String),
}

/// Every document of the tree.
pub(super) fn documents() -> Vec<Document> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(Path::new(ROOT).join(&folder)).expect("a folder") {
            let entry = entry.expect("an entry");
            let name = entry.file_name().into_string().expect("text");
            let path = folder.join(&name);
            if entry.file_type().expect("a kind").is_dir() {
                // A folder that Git does not keep has documents of others.
                let is_ours = !matches!(name.as_str(), "target" | ".git" | "node_modules");
                folders.extend(is_ours.then_some(path));
            } else if name.ends_with(".md") {
                found.push(Document::read(path.to_str().expect("text")));
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

impl Document {
    pub(super) fn read(path: &str) -> Self {
        let text = std::fs::read_to_string(Path::new(ROOT).join(path))
            .unwrap_or_else(|error| panic!("{path}: {error}"));
        let mut sections =
            vec![Section { level: 0, title: String::new(), blocks: Vec::new(), prose: Vec::new() }];
        let mut marker = None;
        let mut lines = text.lines().enumerate();
        while let Some((number, line)) = lines.next() {
            let section = sections.last_mut().expect("there is one");
            let place = format!("{path}:{}", number + 1);
            if let Some(language) = line.trim_start().strip_prefix("```") {
                let body: Vec<&str> =
                    lines.by_ref().map(|(_, line)| line).take_while(|line| line.trim() != "```").collect();
                assert!(!language.is_empty(), "{place}: a block without a language");
                assert!(!body.iter().any(|line| line.contains("```")), "{place}: a block without an end");
                let (language, text) = (language.to_owned(), body.join("\n") + "\n");
                section.blocks.push(Block { place, language, text, marker: marker.take() });
            } else if let Some((level, title)) = heading(line) {
                let title = title.to_owned();
                sections.push(Section { level, title, blocks: Vec::new(), prose: Vec::new() });
            } else {
                marker = Marker::of(line).or(marker.take().filter(|_| line.is_empty()));
                section.prose.push(line.to_owned());
            }
        }
        Self { path: path.to_owned(), sections }
    }

    pub(super) fn blocks(&self) -> impl Iterator<Item = &Block> {
        self.sections.iter().flat_map(|section| &section.blocks)
    }

    pub(super) fn prose(&self) -> impl Iterator<Item = &str> {
        self.sections.iter().flat_map(|section| &section.prose).map(String::as_str)
    }

    /// The section of a title.
    pub(super) fn section(&self, title: &str) -> &Section {
        let found = self.sections.iter().find(|section| section.title == title);
        found.unwrap_or_else(|| panic!("{} has no section \"{title}\"", self.path))
    }

    /// What its headings can be linked by.
    pub(super) fn anchors(&self) -> BTreeSet<String> {
        self.sections.iter().map(|section| anchor(&section.title)).collect()
    }

    /// Where its links lead, with the text that names them.
    pub(super) fn links(&self) -> Vec<String> {
        let prose: Vec<&str> =
            self.prose().chain(self.sections.iter().map(|section| section.title.as_str())).collect();
        let targets = prose.iter().flat_map(|line| line.split("](").skip(1));
        targets.filter_map(|rest| Some(rest.split_once(')')?.0.to_owned())).collect()
    }

    /// What stands between backticks.
    pub(super) fn code(&self) -> Vec<String> {
        let text = self.prose().collect::<Vec<_>>().join("\n");
        text.split('`').skip(1).step_by(2).map(|code| code.replace('\n', " ")).collect()
    }

    /// Values of a comment such as `<!-- roles: one, two -->`.
    pub(super) fn comments(&self, name: &str) -> Vec<String> {
        let values = self.prose().filter_map(|line| comment(line, name));
        values.flat_map(|value| value.split(", ").map(str::to_owned).collect::<Vec<_>>()).collect()
    }

    /// Lines of tables that have no head.
    pub(super) fn headless_tables(&self) -> Vec<&str> {
        let is_row = |line: &&str| line.starts_with('|');
        let is_rule = |line: &str| line.chars().all(|c| "|-: ".contains(c));
        let mut wrong = Vec::new();
        for section in &self.sections {
            let mut lines = section.prose.iter().map(String::as_str).peekable();
            let mut before = "";
            while let Some(line) = lines.next() {
                if is_row(&line) && !is_row(&before) {
                    let starts = before.is_empty() || before.starts_with("<!--");
                    let is_table = starts && lines.peek().is_some_and(|next| is_rule(next));
                    wrong.extend((!is_table).then_some(line));
                }
                before = line;
            }
        }
        wrong
    }
}

impl Marker {
    fn of(line: &str) -> Option<Self> {
        let not_run = comment(line, "not run").map(|reason| Self::NotRun(reason.to_owned()));
        not_run.or_else(|| comment(line, "runs in").map(|file| Self::RunsIn(file.to_owned())))
    }
}

fn comment<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    line.strip_prefix("<!-- ")?.strip_suffix(" -->")?.strip_prefix(name)?.strip_prefix(": ")
}

fn heading(line: &str) -> Option<(usize, &str)> {
    let level = line.chars().take_while(|&c| c == '#').count();
    Some((level, line[level..].strip_prefix(' ')?)).filter(|_| level > 0)
}

/// How a heading is linked.
pub(super) fn anchor(title: &str) -> String {
    let kept = title.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}
