//! Texts for people, in English and Chinese: `en.ftl` and `zh.ftl` hold them, and nothing else does.
//!
//! Before: notifications, the command line and the HTTP API name a message by its key. After: a person reads it.
//! Promise: both files have the same messages with the same arguments, and every message is used (tests/it/language.rs); an argument
//! is shown as it is, it is never read as a message.

mod accept;
mod initials;
mod refusal;

use std::fmt::{self, Display, Formatter};
use std::sync::LazyLock;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::memoizer::MemoizerKind;
use fluent_bundle::types::FluentNumber;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use unic_langid::LanguageIdentifier;

pub use accept::negotiate;
pub use initials::initials;
pub use refusal::DatabaseRefusal;

/// A language that texts exist in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// English.
    #[default]
    En,
    /// Chinese, in simplified characters.
    Zh,
}

impl Language {
    /// Every one.
    pub const ALL: [Self; 2] = [Self::En, Self::Zh];

    /// Its tag (BCP 47).
    pub const fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Zh => "zh",
        }
    }

    /// The language of a tag such as `zh-CN` or of a POSIX locale such as `zh_CN.UTF-8`.
    pub fn of_tag(tag: &str) -> Option<Self> {
        let primary = tag.split(['-', '_', '.', '@']).next().unwrap_or_default();
        Self::ALL.into_iter().find(|language| language.tag().eq_ignore_ascii_case(primary))
    }

    const fn messages(self) -> &'static str {
        match self {
            Self::En => include_str!("en.ftl"),
            Self::Zh => include_str!("zh.ftl"),
        }
    }

    fn bundle(self) -> &'static Bundle {
        static BUNDLES: LazyLock<[Bundle; 2]> = LazyLock::new(|| Language::ALL.map(bundle));
        &BUNDLES[self as usize]
    }

    /// The message of a key, filled in. `None`: the files have no such key.
    fn message(self, key: &str, values: &FluentArgs<'_>) -> Option<String> {
        let bundle = self.bundle();
        let pattern = bundle.get_message(key)?.value()?;
        Some(bundle.format_pattern(pattern, Some(values), &mut Vec::new()).into_owned())
    }
}

impl std::str::FromStr for Language {
    type Err = String;

    fn from_str(tag: &str) -> Result<Self, String> {
        let tags = Self::ALL.map(Self::tag).join(", ");
        Self::of_tag(tag).ok_or_else(|| format!("one of: {tags}"))
    }
}

/// The language and the time zone of a reader.
#[derive(Debug, Clone)]
pub struct Locale {
    /// The language of texts.
    pub language: Language,
    /// The zone of times.
    pub zone: TimeZone,
}

impl Locale {
    /// A text in the language.
    pub fn text(&self, text: &Text) -> String {
        text.in_language(self.language)
    }

    /// A date and time, to the second.
    pub fn time(&self, instant: Timestamp) -> String {
        instant.to_zoned(self.zone.clone()).strftime("%F %T").to_string()
    }

    /// A date and time with the offset of the zone from UTC, for readers who may be in another zone.
    pub fn time_with_offset(&self, instant: Timestamp) -> String {
        instant.to_zoned(self.zone.clone()).strftime("%F %T %:z").to_string()
    }
}

/// A text whose language is chosen by whoever shows it.
#[derive(Debug, Clone, PartialEq)]
pub enum Text {
    /// A message of the files, and what fills it in. [`text!`] makes it.
    Message {
        /// Its key in the files.
        key: &'static str,
        /// Names and values.
        arguments: Vec<(&'static str, Argument)>,
    },
    /// What the database refuses, by its code.
    Refusal(Box<DatabaseRefusal>),
    /// Words that come from elsewhere: the database, a parser, a provider.
    Verbatim(String),
}

/// What fills a place in a message.
#[derive(Debug, Clone, PartialEq)]
pub enum Argument {
    /// A number, shown with its thousands apart; it may choose a plural.
    Number(f64),
    /// Words, shown as they are.
    Words(String),
    /// Another text, shown in the same language.
    Text(Text),
}

/// The message of a key: `text!("alert-absent", id = alert_id.to_string())`.
macro_rules! text {
    ($key:literal $(, $name:ident = $value:expr)* $(,)?) => {
        $crate::language::Text::Message {
            key: $key,
            arguments: vec![$((stringify!($name), $crate::language::Argument::from($value))),*],
        }
    };
}

pub(crate) use text;

impl Text {
    /// The text in a language.
    pub fn in_language(&self, language: Language) -> String {
        let mut values = FluentArgs::new();
        match self {
            Self::Verbatim(words) => words.clone(),
            Self::Message { key, arguments } => {
                for (name, argument) in arguments {
                    match argument {
                        Argument::Number(number) => values.set(*name, *number),
                        Argument::Words(words) => values.set(*name, words.as_str()),
                        Argument::Text(text) => values.set(*name, text.in_language(language)),
                    }
                }
                // A key that no file has is refused by a test; its name is all that is left to show.
                language.message(key, &values).unwrap_or_else(|| (*key).to_owned())
            }
            Self::Refusal(refusal) => {
                for (name, value) in refusal.arguments(language) {
                    values.set(name, value);
                }
                language.message(&refusal.code, &values).unwrap_or_else(|| refusal.message.clone())
            }
        }
    }
}

/// In English: for logs, and for devices, whose answers have one language.
impl Display for Text {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.in_language(Language::En))
    }
}

impl From<Text> for Argument {
    fn from(text: Text) -> Self {
        Self::Text(text)
    }
}

impl From<String> for Argument {
    fn from(words: String) -> Self {
        Self::Words(words)
    }
}

impl From<&str> for Argument {
    fn from(words: &str) -> Self {
        Self::Words(words.to_owned())
    }
}

macro_rules! numbers {
    ($($number:ty),+) => {$(
        impl From<$number> for Argument {
            #[expect(clippy::cast_precision_loss, reason = "a count for people")]
            fn from(number: $number) -> Self {
                Self::Number(number as f64)
            }
        }
    )+};
}
numbers!(u64, i64, usize);

impl From<f64> for Argument {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

type Bundle = FluentBundle<FluentResource>;

fn bundle(language: Language) -> Bundle {
    let identifier: LanguageIdentifier = language.tag().parse().expect("a tag of ours");
    let mut bundle = FluentBundle::new_concurrent(vec![identifier]);
    // Marks around arguments would show in mails and on terminals, and count against the limits of providers.
    bundle.set_use_isolating(false);
    bundle.set_formatter(Some(number));
    let messages = FluentResource::try_new(language.messages().to_owned());
    // Whether the files are well formed, the tests say.
    bundle.add_resource_overriding(messages.unwrap_or_else(|(well_formed, _)| well_formed));
    bundle
}

/// Numbers with their thousands apart: 12,345.6 in both languages.
fn number<M: MemoizerKind>(value: &FluentValue<'_>, _: &M) -> Option<String> {
    let FluentValue::Number(FluentNumber { value, .. }) = value else { return None };
    let text = value.to_string();
    let (sign, text) = text.strip_prefix('-').map_or(("", text.as_str()), |rest| ("-", rest));
    let (whole, fraction) = text.find('.').map_or((text, ""), |point| text.split_at(point));
    let mut apart = String::with_capacity(text.len() + whole.len() / 3);
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place).is_multiple_of(3) {
            apart.push(',');
        }
        apart.push(digit);
    }
    Some(format!("{sign}{apart}{fraction}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_is_known_by_its_tag_and_by_a_locale() {
        for (tag, language) in [
            ("zh", Some(Language::Zh)),
            ("zh-Hans-CN", Some(Language::Zh)),
            ("zh_CN.UTF-8", Some(Language::Zh)),
            ("EN-gb", Some(Language::En)),
            ("en_US.UTF-8", Some(Language::En)),
            ("C", None),
            ("C.UTF-8", None),
            ("POSIX", None),
            ("enx", None),
            ("", None),
        ] {
            assert_eq!(Language::of_tag(tag), language, "{tag}");
        }
    }

    #[test]
    fn both_files_are_well_formed() {
        for language in Language::ALL {
            if let Err((_, errors)) = FluentResource::try_new(language.messages().to_owned()) {
                panic!("{}: {errors:?}", language.tag());
            }
        }
    }

    #[test]
    fn a_number_has_its_thousands_apart_and_words_are_shown_as_they_are() {
        let title = |count: usize| text!("alerts-title", count = count, critical = 0_usize);
        assert_eq!(title(1_234).in_language(Language::En), "1,234 alerts");
        assert_eq!(title(1_234).in_language(Language::Zh), "1,234 条告警");
        let words = text!("alert-absent", id = "{ $id } 1234567");
        assert!(words.in_language(Language::Zh).contains("{ $id } 1234567"), "{words}");
    }

    #[test]
    fn a_time_is_that_of_the_readers_zone() {
        let zone = TimeZone::get("Asia/Shanghai").expect("a zone");
        let locale = Locale { language: Language::Zh, zone };
        assert_eq!(locale.time(Timestamp::UNIX_EPOCH), "1970-01-01 08:00:00");
        assert_eq!(locale.time_with_offset(Timestamp::UNIX_EPOCH), "1970-01-01 08:00:00 +08:00");
    }
}
