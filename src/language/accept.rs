//! `Accept-Language`: which of our languages a client prefers (RFC 9110, 12.5.4; lookup of RFC 4647).
//!
//! Before: the HTTP API has the header. After: it answers in the language. Promise: a header without a known language, or one
//! that cannot be read, is no error: the answer is in the default language.

use super::Language;

/// Highest quality, in thousandths.
const HIGHEST: u16 = 1000;

/// A language range of the header and its quality, in thousandths.
struct Range<'a> {
    tag: &'a str,
    quality: u16,
}

/// The language of ours that `header` prefers; of those it likes equally the default, then the one it names first.
pub fn negotiate(header: &str, default: Language) -> Language {
    let ranges: Vec<Range<'_>> = header.split(',').filter_map(range).collect();
    let mut best = (0, default);
    let named = ranges.iter().filter_map(|range| Language::of_tag(range.tag));
    for language in std::iter::once(default).chain(named).chain(Language::ALL) {
        let quality = quality(language, &ranges);
        if quality > best.0 {
            best = (quality, language);
        }
    }
    best.1
}

/// The quality of a language: that of its own tag, else of the best tag below it (`zh-CN`), else of `*`.
fn quality(language: Language, ranges: &[Range<'_>]) -> u16 {
    let own = ranges.iter().find(|range| range.tag.eq_ignore_ascii_case(language.tag()));
    let below = || ranges.iter().filter(|range| Language::of_tag(range.tag) == Some(language));
    let any = || ranges.iter().find(|range| range.tag == "*");
    own.or_else(|| below().max_by_key(|range| range.quality)).or_else(any).map_or(0, |range| range.quality)
}

/// `zh-CN;q=0.8`; `None`: it is neither a tag nor `*`, or its quality is no quality.
fn range(text: &str) -> Option<Range<'_>> {
    let (tag, parameter) = text.split_once(';').map_or((text, None), |(tag, rest)| (tag, Some(rest)));
    let tag = tag.trim();
    let is_tag = tag
        .split('-')
        .all(|part| (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    let quality = match parameter {
        None => HIGHEST,
        Some(parameter) => {
            let (name, value) = parameter.split_once('=')?;
            name.trim().eq_ignore_ascii_case("q").then(|| weight(value.trim()))??
        }
    };
    (tag == "*" || is_tag).then_some(Range { tag, quality })
}

/// `0`, `1`, or up to three decimals.
fn weight(text: &str) -> Option<u16> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    if decimals.len() > 3 || !decimals.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let thousandths: u16 = format!("{decimals:0<3}").parse().ok()?;
    match (whole, thousandths) {
        ("0", _) => Some(thousandths),
        ("1", 0) => Some(HIGHEST),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_with_the_highest_quality_is_spoken() {
        let (en, zh) = (Language::En, Language::Zh);
        for (header, default, spoken) in [
            ("zh", en, zh),
            ("zh-CN,zh;q=0.9,en;q=0.8", en, zh),
            ("en-US,en;q=0.9,zh;q=0.8", zh, en),
            ("fr, de;q=0.9, zh;q=0.2, en;q=0.1", en, zh),
            ("en;q=0.5, zh-TW", en, zh),
            ("ZH-cn;Q=0.7,en;q=0.600", en, zh),
            ("en;q=0.4,zh;q=0.4", zh, zh),
            ("*", zh, zh),
            ("en;q=0, *", en, zh),
            ("zh;q=0, zh-CN", en, en),
            ("zh;q=0", zh, zh),
            ("fr", zh, zh),
            ("", zh, zh),
        ] {
            assert_eq!(negotiate(header, default), spoken, "{header:?}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_passed_over() {
        for header in ["zh;q=1.1", "zh;q=x", "zh;level=1", "zh;q=0.1234", "z h", "zh;q", ";", "zh_CN"] {
            assert_eq!(negotiate(header, Language::En), Language::En, "{header:?}");
        }
        assert_eq!(negotiate("zh;q=2, zh-CN;q=0.1", Language::En), Language::Zh);
    }
}
