//! The page on which people log in.
//!
//! Before: `GET /login`. After: the browser sends the form to `POST /login`, or follows the link to the OIDC provider.

use maud::{Markup, html};

use super::layout::Frame;
use super::link;
use crate::language::{Text, text};

/// What the form begins with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Where to go afterwards.
    pub next: String,
    /// Why the last attempt failed; `None`: this is the first.
    pub failure: Option<Failure>,
    /// An OIDC provider can vouch for people.
    pub has_provider: bool,
}

/// Why an attempt to log in failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// The login, the password or the account is not valid; which of them is not said.
    Wrong,
    /// The person is known, and may see nothing.
    NothingGranted,
    /// There were too many attempts.
    Limited,
    /// The database, or the provider, does not answer.
    Unavailable,
    /// The kiosk link does not work.
    Kiosk,
}

impl Failure {
    const ALL: [Self; 5] = [Self::Wrong, Self::NothingGranted, Self::Limited, Self::Unavailable, Self::Kiosk];

    /// Its name in the query.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Wrong => "wrong",
            Self::NothingGranted => "nothing_granted",
            Self::Limited => "limited",
            Self::Unavailable => "unavailable",
            Self::Kiosk => "kiosk",
        }
    }

    /// The failure of a name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|failure| failure.name() == name)
    }

    fn text(self) -> Text {
        match self {
            Self::Wrong => text!("page-login-wrong"),
            Self::NothingGranted => text!("page-login-nothing-granted"),
            Self::Limited => text!("page-login-limited"),
            Self::Unavailable => text!("page-login-unavailable"),
            Self::Kiosk => text!("page-login-kiosk"),
        }
    }
}

/// The title of the page.
pub fn title() -> Text {
    text!("page-login")
}

/// The form.
pub fn body(frame: &Frame, attempt: &Attempt) -> Markup {
    html! {
        section.panel.narrow {
            h1 { (frame.text(&title())) }
            @if let Some(failure) = attempt.failure {
                p #login-failure .failure role="alert" { (frame.text(&failure.text())) }
            }
            form.stacked method="post" action="/login" {
                input type="hidden" name="next" value=(attempt.next);
                label for="login" { (frame.text(&text!("page-login-name"))) }
                input #login name="login" type="text" autocomplete="username" autocapitalize="none" spellcheck="false" required
                    autofocus aria-describedby=[attempt.failure.is_some().then_some("login-failure")];
                label for="password" { (frame.text(&text!("page-login-password"))) }
                input #password name="password" type="password" autocomplete="current-password" required;
                button.primary type="submit" { (frame.text(&title())) }
            }
            @if attempt.has_provider {
                p { a.button href=(link::with("/login/oidc", &[("next", Some(&attempt.next))])) { (frame.text(&text!("page-login-oidc"))) } }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::layout::tests::frame;
    use super::*;
    use crate::language::Language;

    #[test]
    fn the_form_works_without_the_module_and_says_what_failed() {
        let mut attempt =
            Attempt { next: "/alerts?a=\"><script>&b=c".to_owned(), failure: None, has_provider: false };
        let first = body(&frame(Language::En), &attempt).into_string();
        assert!(
            first.contains("method=\"post\" action=\"/login\"") && !first.contains("role=\"alert\""),
            "{first}"
        );
        assert!(!first.contains("<script>") && !first.contains("/login/oidc"), "{first}");
        attempt.failure = Failure::of_name("wrong");
        attempt.has_provider = true;
        let second = body(&frame(Language::Zh), &attempt).into_string();
        assert!(
            second.contains("role=\"alert\"")
                && second.contains("/login/oidc?next=%2Falerts%3Fa%3D%22%3E%3Cscript%3E%26b%3Dc"),
            "{second}"
        );
    }
}
