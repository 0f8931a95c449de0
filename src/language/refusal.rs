//! What the database refuses, in the language of its reader.
//!
//! Before: `vitals.refusal()` and `vitals.refuse()` (sql/functions/alerts) give a code, arguments, and a message in English.
//! After: [`Text`], which says the message of the code from the files.
//! Promise: whatever else the database says, and a code that the files lack, is shown in the words of the database.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Language, Text};

/// A refusal of the database.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct DatabaseRefusal {
    /// Key of its message in the files.
    pub(super) code: String,
    /// The message in English.
    #[serde(default)]
    pub(super) message: String,
    #[serde(default)]
    arguments: Map<String, Value>,
}

impl DatabaseRefusal {
    /// What an error of the database says: its message, and DETAIL if that is a refusal as JSON.
    pub fn text_of_error(message: &str, detail: Option<&str>) -> Text {
        match detail.and_then(|detail| serde_json::from_str::<Self>(detail).ok()) {
            Some(refusal) => Text::Refusal(Box::new(Self { message: message.to_owned(), ..refusal })),
            None => Text::Verbatim(message.to_owned()),
        }
    }

    /// The names of its arguments, and their values in a language.
    pub(super) fn arguments(&self, language: Language) -> impl Iterator<Item = (&str, String)> {
        self.arguments.iter().map(move |(name, value)| (name.as_str(), shown(value, language)))
    }
}

fn shown(value: &Value, language: Language) -> String {
    match value {
        Value::String(words) => words.clone(),
        Value::Object(_) => match DatabaseRefusal::deserialize(value) {
            Ok(refusal) => Text::Refusal(Box::new(refusal)).in_language(language),
            Err(_) => value.to_string(),
        },
        value => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_said_in_the_language_of_its_reader() {
        let detail = r#"{"code": "rule-refused", "arguments": {"rule": "Night", "reason":
            {"code": "rule-column-missing", "message": "metric is missing", "arguments": {"column": "metric"}}}}"#;
        let text = DatabaseRefusal::text_of_error("rule \"Night\": metric is missing", Some(detail));
        assert_eq!(text.in_language(Language::En), "rule \"Night\": metric is missing");
        assert_eq!(text.in_language(Language::Zh), "规则“Night”:缺少 metric");
    }

    #[test]
    fn what_has_no_code_or_an_unknown_one_is_shown_in_the_words_of_the_database() {
        for detail in [
            None,
            Some("Key (id)=(1) is not present."),
            Some(r#"{"arguments": {}}"#),
            Some(r#"{"code": "of-a-later-version", "arguments": {"id": 1}}"#),
        ] {
            let text = DatabaseRefusal::text_of_error("no", detail);
            assert_eq!(text.in_language(Language::Zh), "no", "{detail:?}");
        }
    }
}
