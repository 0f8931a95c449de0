//! Navigation, and the menus of the header: the look of the page, and the account.
//!
//! Before: `layout`. After: the browser; every menu is a `details`, every change a link or a form, so none needs the module.

use maud::{Markup, html};

use super::layout::{Frame, scope};
use super::link;
use super::preferences::Theme;
use crate::language::{Language, Text, text};
use crate::model::account::Role;
use crate::model::page_viewer::PageViewer;

/// The pages that the reader may open.
pub(super) fn pages(frame: &Frame, viewer: &PageViewer) -> Markup {
    if viewer.is_kiosk {
        return html! {};
    }
    let pages = [
        ("/wall", text!("page-wall"), true),
        ("/alerts", text!("page-alerts"), true),
        ("/people", text!("page-people"), true),
        ("/admin", text!("page-admin"), viewer.can_admin),
    ];
    html! {
        nav.pages aria-label=(frame.text(&text!("page-pages"))) {
            ul {
                @for (path, title, _) in pages.iter().filter(|(.., is_shown)| *is_shown) {
                    li { a href=(path) aria-current=[is_below(frame.route(), path).then_some("page")] { (frame.text(title)) } }
                }
            }
        }
    }
}

fn is_below(route: &str, page: &str) -> bool {
    route.strip_prefix(page).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Language and theme.
pub(super) fn appearance(frame: &Frame) -> Markup {
    let languages =
        [(Language::Zh, "zh-Hans", text!("page-in-chinese")), (Language::En, "en", text!("page-in-english"))];
    html! {
        ul.switch aria-label=(frame.text(&text!("page-language"))) {
            @for (language, tag, name) in languages {
                li { a href=(link::with(&frame.path, &[("lang", Some(language.tag()))])) lang=(tag) hreflang=(tag)
                    aria-current=[(language == frame.language).then_some("true")] { (frame.text(&name)) } }
            }
        }
        details.menu {
            summary { (frame.text(&text!("page-theme"))) }
            ul {
                @for theme in Theme::ALL {
                    li { a href=(link::with(&frame.path, &[("theme", Some(theme.name()))]))
                        aria-current=[(theme == frame.theme).then_some("true")] { (frame.text(&theme_title(theme))) } }
                }
            }
        }
    }
}

fn theme_title(theme: Theme) -> Text {
    match theme {
        Theme::System => text!("page-theme-system"),
        Theme::Dark => text!("page-theme-dark"),
        Theme::Light => text!("page-theme-light"),
    }
}

/// Who is logged in, what else the person may work as, and the way out.
pub(super) fn account(frame: &Frame, viewer: &PageViewer) -> Markup {
    html! {
        details.menu.account {
            summary { span.visually-hidden { (frame.text(&text!("page-account"))) " " } (viewer.name) }
            div {
                p.quiet { (frame.text(&role_title(viewer.role))) }
                @if viewer.grants.len() > 1 {
                    form method="post" action="/session/grant" {
                        input type="hidden" name="next" value=(frame.route());
                        label for="grant" { (frame.text(&text!("page-work-as"))) }
                        select #grant name="grant_id" {
                            @for grant in &viewer.grants {
                                option value=(grant.grant_id) selected[grant.is_current] {
                                    (scope(frame, grant.tenant_name.as_deref(), grant.unit_name.as_deref()))
                                    " · " (frame.text(&role_title(grant.role)))
                                }
                            }
                        }
                        button type="submit" { (frame.text(&text!("page-switch"))) }
                    }
                }
                @if viewer.has_session {
                    form method="post" action="/logout" {
                        button type="submit" { (frame.text(&text!("page-log-out"))) }
                    }
                }
            }
        }
    }
}

fn role_title(role: Role) -> Text {
    match role {
        Role::Viewer => text!("page-role-viewer"),
        Role::Responder => text!("page-role-responder"),
        Role::Admin => text!("page-role-admin"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::layout::tests::frame;
    use super::*;

    #[test]
    fn the_page_that_is_open_is_marked_and_admin_is_for_admins() {
        let mut frame = frame(Language::En);
        frame.path = "/people/7?lang=zh".to_owned();
        let viewer = frame.viewer.clone().expect("a viewer");
        let shown = pages(&frame, &viewer).into_string();
        assert!(shown.contains("<a href=\"/people\" aria-current=\"page\">"), "{shown}");
        assert!(!shown.contains("/admin"), "{shown}");
        assert!(pages(&frame, &PageViewer { can_admin: true, ..viewer }).into_string().contains("/admin"));
    }
}
