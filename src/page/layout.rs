//! The shell of every page: head, header with navigation, the state of the live stream, sound, account; and the place of the content.
//!
//! Before: a page has drawn its content. After: `http::page` sends the document.
//! Promise: one `h1` a page, landmarks, a skip link first; it works without the module, which only makes it live.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use maud::{DOCTYPE, Markup, html};

use super::nav;
use super::preferences::Theme;
use super::{assets, format, shortcuts};
use crate::language::{Language, Text, text};
use crate::model::page_viewer::PageViewer;

/// What the shell knows about the reader and the request.
#[derive(Debug, Clone)]
pub struct Frame {
    /// Who looks; `None`: nobody is logged in.
    pub viewer: Option<PageViewer>,
    /// The language of the texts.
    pub language: Language,
    /// Path and query of the request, for links that lead back to it.
    pub path: String,
    /// Version of the program.
    pub version: &'static str,
    /// The theme that the reader has chosen.
    pub theme: Theme,
    /// The zone of the times.
    pub zone: TimeZone,
    /// When the values were read, by the clock of the database.
    pub now: Timestamp,
}

impl Frame {
    /// A text in the language of the page.
    pub fn text(&self, text: &Text) -> String {
        text.in_language(self.language)
    }

    /// It is a screen on a wall.
    pub fn is_kiosk(&self) -> bool {
        self.viewer.as_ref().is_some_and(|viewer| viewer.is_kiosk)
    }

    /// Names are shown as initials, and no positions.
    pub fn is_private(&self) -> bool {
        self.viewer.as_ref().is_some_and(|viewer| viewer.is_private)
    }

    /// The reader may act on alerts.
    pub fn can_respond(&self) -> bool {
        self.viewer.as_ref().is_some_and(|viewer| viewer.can_respond)
    }

    /// The path without its query.
    pub fn route(&self) -> &str {
        self.path.split_once('?').map_or(self.path.as_str(), |(route, _)| route)
    }

    /// The tag of the language for the attribute `lang`; browsers choose the shapes of Chinese letters by it.
    pub const fn html_lang(&self) -> &'static str {
        match self.language {
            Language::En => "en",
            Language::Zh => "zh-Hans",
        }
    }
}

/// A whole page. `title` is that of the window; `body` begins with the `h1` of the page.
pub fn document(frame: &Frame, title: &str, body: &Markup) -> Markup {
    let kiosk = frame.is_kiosk().then_some("");
    html! {
        (DOCTYPE)
        html lang=(frame.html_lang()) data-theme=(frame.theme.name()) data-page=(page_name(frame.route())) {
            (head(frame, title))
            body data-stream=[frame.viewer.is_some().then_some("/api/stream")] data-version=(frame.version)
                data-kiosk=[kiosk] {
                a.skip href="#main" { (frame.text(&text!("page-skip"))) }
                (header(frame))
                // Shown by the module: the stream is lost, the browser keeps sound silent.
                div.notices {
                    p #stale-notice .notice role="status" hidden data-stale-text=(frame.text(&text!("page-stale-notice"))) {}
                    p #sound-notice .notice role="status" hidden { (frame.text(&text!("page-sound-blocked"))) }
                }
                main #main tabindex="-1" { (body) }
                @if frame.viewer.is_some() { (shortcuts::dialog(frame)) }
                div #announce-polite .visually-hidden role="status" aria-live="polite" {}
                div #announce-urgent .visually-hidden role="alert" aria-live="assertive" {}
            }
        }
    }
}

fn head(frame: &Frame, title: &str) -> Markup {
    html! {
        head {
            meta charset="utf-8";
            meta name="viewport" content="width=device-width, initial-scale=1";
            meta name="color-scheme" content=(match frame.theme {
                Theme::System => "dark light",
                Theme::Dark => "dark",
                Theme::Light => "light",
            });
            title { (title) " · vitals" }
            link rel="icon" type="image/svg+xml" href=(assets::address("icon.svg"));
            @for style in assets::styles() {
                link rel="stylesheet" href=(style);
            }
            script type="module" src=(assets::address("page.js")) {}
        }
    }
}

fn header(frame: &Frame) -> Markup {
    html! {
        header.top {
            a.brand href=(if frame.viewer.is_some() { "/wall" } else { "/login" }) { "vitals" }
            @if let Some(viewer) = &frame.viewer {
                p.scope { (scope(frame, viewer.tenant_name.as_deref(), viewer.unit_name.as_deref())) }
                (nav::pages(frame, viewer))
            }
            div.top-end {
                @if frame.viewer.is_some() {
                    (sound(frame))
                }
                (nav::appearance(frame))
                @if let Some(viewer) = frame.viewer.as_ref().filter(|viewer| !viewer.is_kiosk) {
                    (nav::account(frame, viewer))
                }
                @if frame.viewer.is_some() {
                    (live_badge(frame))
                }
            }
        }
    }
}

/// The title of [`refusal`].
pub fn refusal_title() -> Text {
    text!("page-error")
}

/// What is shown in place of a page, and the way on.
pub fn refusal(frame: &Frame, status: u16, reason: &Text) -> Markup {
    // In a moment it may work.
    let passes = status == 429 || status >= 500;
    let (address, title) = match frame.viewer {
        Some(_) => ("/wall", text!("page-wall")),
        None => ("/login", text!("page-login")),
    };
    html! {
        section.panel.narrow {
            h1 { (frame.text(&refusal_title())) }
            p { (frame.text(reason)) }
            p.quiet { "HTTP " (status) }
            p {
                @if passes { a.button href=(frame.path) { (frame.text(&text!("page-try-again"))) } " " }
                a.button href=(address) { (frame.text(&title)) }
            }
        }
    }
}

/// The tenant and the unit in words.
pub(super) fn scope(frame: &Frame, tenant: Option<&str>, unit: Option<&str>) -> String {
    match (tenant, unit) {
        (None, _) => frame.text(&text!("page-every-tenant")),
        (Some(tenant), None) => {
            frame.text(&text!("page-scope", tenant = tenant, unit = frame.text(&text!("page-every-unit"))))
        }
        (Some(tenant), Some(unit)) => frame.text(&text!("page-scope", tenant = tenant, unit = unit)),
    }
}

/// Whether the page is live, or as of when its values are. Without the module it says when the page was made.
fn live_badge(frame: &Frame) -> Markup {
    html! {
        p #live .live data-state="waiting" data-live-text=(frame.text(&text!("page-live")))
            data-as-of-text=(frame.text(&text!("page-as-of"))) {
            span.live-dot aria-hidden="true" {}
            span #live-text role="status" { (frame.text(&text!("page-as-of"))) }
            " "
            time #clock datetime=(frame.now) { (format::clock(frame.now, &frame.zone)) }
        }
    }
}

/// Sound on critical alerts: the module shows it, because nothing sounds without it.
fn sound(frame: &Frame) -> Markup {
    html! {
        div #sound .sound role="group" aria-label=(frame.text(&text!("page-sound"))) hidden
            data-on-text=(frame.text(&text!("page-sound-on"))) data-off-text=(frame.text(&text!("page-sound-off")))
            data-paused-text=(frame.text(&text!("page-sound-paused"))) {
            button #sound-toggle .plain type="button" aria-pressed="true" { (frame.text(&text!("page-sound-on"))) }
            button #sound-test .plain type="button" { (frame.text(&text!("page-sound-test"))) }
            button #sound-pause .plain type="button" aria-pressed="false" { (frame.text(&text!("page-sound-pause"))) }
        }
    }
}

fn page_name(route: &str) -> &str {
    route.trim_start_matches('/').split('/').next().unwrap_or_default()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::model::account::Role;
    use crate::model::page_viewer::GrantChoice;

    /// A responder of a tenant, in a language.
    pub(crate) fn frame(language: Language) -> Frame {
        let viewer = PageViewer {
            name: "Person 7".to_owned(),
            language: None,
            role: Role::Responder,
            tenant_name: Some("Example clinic".to_owned()),
            unit_name: None,
            can_respond: true,
            can_admin: false,
            is_kiosk: false,
            is_private: false,
            has_session: true,
            grants: Vec::new(),
        };
        Frame {
            viewer: Some(viewer),
            language,
            path: "/wall".to_owned(),
            version: "0",
            theme: Theme::System,
            zone: TimeZone::UTC,
            now: "2026-01-05T10:00:00Z".parse().expect("a time"),
        }
    }

    #[test]
    fn names_are_escaped_and_the_page_is_in_its_language() {
        let mut frame = frame(Language::Zh);
        if let Some(viewer) = &mut frame.viewer {
            viewer.name = "<script>alert(1)</script>".to_owned();
            viewer.tenant_name = Some("A & B \"<i>\"".to_owned());
        }
        let page = document(&frame, "</title><script>", &html! { h1 { "x" } }).into_string();
        assert!(!page.contains("<script>") && !page.contains("<i>"), "{page}");
        assert!(
            page.contains("A &amp; B &quot;&lt;i&gt;&quot;") && page.contains("lang=\"zh-Hans\""),
            "{page}"
        );
    }

    #[test]
    fn a_kiosk_has_no_navigation_and_no_account() {
        let mut frame = frame(Language::En);
        let page = |frame: &Frame| document(frame, "Wall", &html! {}).into_string();
        assert!(page(&frame).contains("/logout") && page(&frame).contains("<nav"));
        if let Some(viewer) = &mut frame.viewer {
            (viewer.is_kiosk, viewer.has_session) = (true, false);
        }
        let kiosk = page(&frame);
        assert!(!kiosk.contains("/logout") && !kiosk.contains("<nav"), "{kiosk}");
        assert!(kiosk.contains("data-kiosk") && kiosk.contains("data-stream=\"/api/stream\""), "{kiosk}");
    }

    #[test]
    fn without_a_reader_nothing_is_streamed() {
        let frame = Frame { viewer: None, ..frame(Language::En) };
        let page = document(&frame, "Log in", &html! {}).into_string();
        assert!(!page.contains("data-stream") && !page.contains("/logout"), "{page}");
    }

    #[test]
    fn grants_can_be_switched_where_there_are_several() {
        let mut frame = frame(Language::En);
        let choice = |grant_id, tenant: Option<&str>| GrantChoice {
            grant_id,
            role: Role::Viewer,
            tenant_name: tenant.map(str::to_owned),
            unit_name: None,
            is_current: grant_id == 1,
        };
        let page = |frame: &Frame| document(frame, "Wall", &html! {}).into_string();
        if let Some(viewer) = &mut frame.viewer {
            viewer.grants = vec![choice(1, Some("North <1>"))];
        }
        assert!(!page(&frame).contains("grant_id"));
        if let Some(viewer) = &mut frame.viewer {
            viewer.grants.push(choice(2, None));
        }
        let two = page(&frame);
        assert!(two.contains("North &lt;1&gt;") && two.matches("name=\"grant_id\"").count() == 1, "{two}");
    }
}
