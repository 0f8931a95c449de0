//! The name of a rule and the message of an alert, in the languages that the rule has.
//!
//! Before: the database fills in the texts of the rule when an alert fires, in every language there is one. After: notifications, the
//! HTTP API and the command line show the one of the reader.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::language::Language;

/// The texts of an alert in one language.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Wording {
    /// What the rule is called.
    pub rule: String,
    /// Text of the notification.
    pub message: String,
}

/// The texts of an alert besides those of the rule itself, by the tag of their language.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Translations(BTreeMap<String, Wording>);

impl Translations {
    /// Those in a language; `None`: the rule has none.
    pub fn get(&self, language: Language) -> Option<&Wording> {
        self.0.get(language.tag())
    }
}
