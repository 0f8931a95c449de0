//! The language and the theme that a reader prefers: of the query, else of a cookie, else of the account or the browser.
//!
//! Before: the request. After: the frame of the page; a choice of the query is kept in a cookie.

use axum::http::{HeaderMap, Uri, header};

use super::super::error::preferred_language;
use crate::language::Language;
use crate::page::Theme;

/// The cookie of the language.
pub(super) const LANGUAGE: &str = "vitals_language";
/// The cookie of the theme.
pub(super) const THEME: &str = "vitals_theme";

/// What a reader prefers.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Preferences {
    /// The language of the page.
    pub(super) language: Language,
    /// The theme of the page.
    pub(super) theme: Theme,
    /// The language, if this request chooses it.
    pub(super) chosen_language: Option<Language>,
    /// The theme, if this request chooses it.
    pub(super) chosen_theme: Option<Theme>,
}

impl Preferences {
    /// Those of a request; `own` is the language of the account.
    pub(super) fn of(uri: &Uri, headers: &HeaderMap, own: Option<Language>, default: Language) -> Self {
        let chosen_language = parameter(uri, "lang").and_then(Language::of_tag);
        let chosen_theme = parameter(uri, "theme").and_then(Theme::of_name);
        let kept_language = cookie(headers, LANGUAGE).and_then(Language::of_tag);
        let kept_theme = cookie(headers, THEME).and_then(Theme::of_name);
        Self {
            language: chosen_language
                .or(kept_language)
                .or(own)
                .unwrap_or_else(|| preferred_language(headers, default)),
            theme: chosen_theme.or(kept_theme).unwrap_or_default(),
            chosen_language,
            chosen_theme,
        }
    }
}

/// A parameter of the query; names and values of ours need no decoding.
pub(super) fn parameter<'a>(uri: &'a Uri, name: &str) -> Option<&'a str> {
    let pairs = uri.query().unwrap_or_default().split('&').filter_map(|pair| pair.split_once('='));
    pairs.filter(|(each, _)| *each == name).map(|(_, value)| value).next_back()
}

pub(super) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.filter(|(each, _)| *each == name).map(|(_, value)| value).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(uri: &str, cookies: &str, accept: &str, own: Option<Language>) -> Preferences {
        let mut headers = HeaderMap::new();
        for (name, value) in [(header::COOKIE, cookies), (header::ACCEPT_LANGUAGE, accept)] {
            if !value.is_empty() {
                headers.insert(name, value.parse().expect("a header"));
            }
        }
        Preferences::of(&uri.parse().expect("a URI"), &headers, own, Language::En)
    }

    #[test]
    fn the_query_wins_over_the_cookie_the_account_and_the_browser() {
        let (en, zh) = (Language::En, Language::Zh);
        for (uri, cookies, accept, own, shown) in [
            ("/wall", "", "", None, en),
            ("/wall", "", "zh-CN", None, zh),
            ("/wall", "", "zh-CN", Some(en), en),
            ("/wall", "a=b; vitals_language=zh", "en", Some(en), zh),
            ("/wall?lang=en", "vitals_language=zh", "zh", Some(zh), en),
            ("/wall?lang=xx", "vitals_language=zh", "en", None, zh),
        ] {
            assert_eq!(of(uri, cookies, accept, own).language, shown, "{uri} {cookies}");
        }
    }

    #[test]
    fn only_a_choice_of_the_query_is_kept() {
        let kept = of("/wall", "vitals_theme=dark; vitals_language=zh", "", None);
        assert_eq!((kept.theme, kept.cookies(false)), (Theme::Dark, Vec::new()));
        let chosen = of("/wall?theme=light&lang=zh", "vitals_theme=dark", "", None);
        let cookies: Vec<_> =
            chosen.cookies(true).iter().map(|cookie| cookie.to_str().expect("text").to_owned()).collect();
        assert!(
            cookies[0].starts_with("vitals_language=zh; Path=/") && cookies[0].ends_with("; Secure"),
            "{cookies:?}"
        );
        assert!(cookies[1].starts_with("vitals_theme=light;"), "{cookies:?}");
    }
}
