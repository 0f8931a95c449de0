//! Cookies: the tokens of sessions and kiosk links, and what a browser keeps while somebody logs in at a provider.
//!
//! Before: a browser sends them with each request. After: `access` finds the session or the link; `http::session` sets them.
//! Promise: scripts cannot read a cookie (`HttpOnly`), other sites cannot have it sent with a change (`SameSite=Lax`), and where people
//! use https it is never sent in plain text (`Secure`, with the prefix `__Host-`, so that no other host can set it).

use axum::http::{HeaderMap, HeaderValue, header};

use crate::config::Settings;
use crate::model::session::{Token, TokenHash};

/// Longest time that browsers keep a cookie, seconds: 400 days.
pub(in crate::http) const LONGEST_SECONDS: u64 = 400 * 86_400;

/// What a cookie is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http) enum CookieKind {
    /// The token of a session.
    Session,
    /// The token of a kiosk link.
    Kiosk,
    /// A login at a provider that has begun.
    Oidc,
}

/// Reads and writes cookies.
#[derive(Debug, Clone, Copy)]
pub(in crate::http) struct Cookies {
    is_secure: bool,
}

impl Cookies {
    pub(super) fn new(settings: &Settings) -> Self {
        Self { is_secure: settings.has_tls() || settings.public_base_url.starts_with("https://") }
    }

    /// The hash of the token of this kind; `None`: there is none, or it is no token.
    pub(in crate::http) fn token(self, headers: &HeaderMap, kind: CookieKind) -> Option<TokenHash> {
        Some(self.value(headers, kind)?.parse::<Token>().ok()?.hash())
    }

    /// The value of a cookie; `None`: there is none, or two, and it would be unclear which of them counts.
    pub(in crate::http) fn value(self, headers: &HeaderMap, kind: CookieKind) -> Option<&str> {
        let name = self.name(kind);
        let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
        let pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
        let mut values = pairs.filter(|(found, _)| *found == name).map(|(_, value)| value);
        let first = values.next()?;
        values.next().is_none().then_some(first)
    }

    /// The header that sets a cookie for so many seconds.
    pub(in crate::http) fn set(self, kind: CookieKind, value: &str, seconds: u64) -> HeaderValue {
        let secure = if self.is_secure { "; Secure" } else { "" };
        let text = format!(
            "{}={value}; Path=/; Max-Age={}; HttpOnly; SameSite=Lax{secure}",
            self.name(kind),
            seconds.min(LONGEST_SECONDS)
        );
        HeaderValue::try_from(text).expect("tokens are base64url")
    }

    /// The header that removes a cookie.
    pub(in crate::http) fn remove(self, kind: CookieKind) -> HeaderValue {
        self.set(kind, "", 0)
    }

    const fn name(self, kind: CookieKind) -> &'static str {
        match (kind, self.is_secure) {
            (CookieKind::Session, true) => "__Host-vitals_session",
            (CookieKind::Session, false) => "vitals_session",
            (CookieKind::Kiosk, true) => "__Host-vitals_kiosk",
            (CookieKind::Kiosk, false) => "vitals_kiosk",
            (CookieKind::Oidc, true) => "__Host-vitals_oidc",
            (CookieKind::Oidc, false) => "vitals_oidc",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Cookies = Cookies { is_secure: false };

    fn session(lines: &[&str]) -> Option<TokenHash> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(header::COOKIE, line.parse().expect("a header"));
        }
        PLAIN.token(&headers, CookieKind::Session)
    }

    #[test]
    fn a_token_is_found_among_other_cookies() {
        let token = Token::of([7; 32]);
        let own = format!("vitals_session={}", token.text());
        for lines in [vec![own.as_str()], vec!["a=b; c", &own], vec![&format!("a=b;{own}; vitals_kiosk=x")]] {
            assert_eq!(session(&lines), Some(token.hash()), "{lines:?}");
        }
        for lines in
            [vec![], vec!["vitals_session="], vec!["vitals_session=abc"], vec![own.as_str(), &own], vec!["x"]]
        {
            assert_eq!(session(&lines), None, "{lines:?}");
        }
    }

    #[test]
    fn a_cookie_under_https_belongs_to_this_host_alone() {
        let cookies = Cookies { is_secure: true };
        let set = cookies.set(CookieKind::Session, "t", 60);
        let text = set.to_str().expect("text");
        assert_eq!(text, "__Host-vitals_session=t; Path=/; Max-Age=60; HttpOnly; SameSite=Lax; Secure");
        assert!(!PLAIN.set(CookieKind::Session, "t", 60).to_str().expect("text").contains("Secure"));
        assert!(cookies.remove(CookieKind::Kiosk).to_str().expect("text").contains("Max-Age=0"));
    }
}
