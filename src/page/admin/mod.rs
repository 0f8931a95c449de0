//! `/admin`: what administrators change, a section each.
//!
//! Before: `http::page::admin` has read it. After: the browser; every change is a form.

pub mod accounts;
pub mod contacts;
pub mod health;
pub mod keys;
pub mod policies;
pub mod rejected;
pub mod routes;
pub mod rule_form;
pub mod rules;
pub mod shifts;
pub mod silences;

use maud::{Markup, html};

use super::Frame;
use super::alerts::flash;
use crate::language::{Text, text};
use crate::model::PageViewer;

/// A section of the administration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AdminSection {
    /// The service's own health.
    Health,
    /// What raises alerts.
    Rules,
    /// While who is notified of nothing.
    Silences,
    /// Who is on duty when.
    Shifts,
    /// Who is notified, at which addresses.
    Contacts,
    /// Keys of programs.
    Keys,
    /// People who log in, and screens on walls.
    Accounts,
    /// What could not be stored.
    Rejected,
    /// How long rows are kept.
    Policies,
}

impl AdminSection {
    /// Every one, in the order of the menu.
    pub const ALL: [Self; 9] = [
        Self::Health,
        Self::Rules,
        Self::Silences,
        Self::Shifts,
        Self::Contacts,
        Self::Keys,
        Self::Accounts,
        Self::Rejected,
        Self::Policies,
    ];

    /// Its name in addresses and texts.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Health => "health",
            Self::Rules => "rules",
            Self::Silences => "silences",
            Self::Shifts => "shifts",
            Self::Contacts => "contacts",
            Self::Keys => "keys",
            Self::Accounts => "accounts",
            Self::Rejected => "rejected",
            Self::Policies => "policies",
        }
    }

    /// Its address.
    pub const fn path(self) -> &'static str {
        match self {
            Self::Health => "/admin",
            Self::Rules => "/admin/rules",
            Self::Silences => "/admin/silences",
            Self::Shifts => "/admin/shifts",
            Self::Contacts => "/admin/contacts",
            Self::Keys => "/admin/keys",
            Self::Accounts => "/admin/accounts",
            Self::Rejected => "/admin/rejected",
            Self::Policies => "/admin/policies",
        }
    }

    /// Whether it is shown to this reader: of a tenant, or of a unit of it, only its own parts are.
    const fn is_for(self, viewer: &PageViewer) -> bool {
        match self {
            Self::Silences | Self::Accounts => true,
            Self::Rules | Self::Shifts | Self::Contacts | Self::Keys => viewer.unit_name.is_none(),
            Self::Health | Self::Rejected | Self::Policies => viewer.tenant_name.is_none(),
        }
    }

    /// Its title.
    pub fn title(self) -> Text {
        text!("page-admin-section", name = self.name())
    }
}

/// A section with the menu of all of them. `notice`: what became of the last action.
pub fn section(frame: &Frame, section: AdminSection, notice: Option<&str>, content: &Markup) -> Markup {
    let is_shown = |each: &AdminSection| frame.viewer.as_ref().is_some_and(|viewer| each.is_for(viewer));
    let shown = AdminSection::ALL.into_iter().filter(is_shown);
    html! {
        h1 { (frame.text(&section.title())) }
        nav.tabs aria-label=(frame.text(&text!("page-admin"))) { ul {
            @for each in shown {
                li { a href=(each.path()) aria-current=[(each == section).then_some("page")] { (frame.text(&each.title())) } }
            }
        } }
        (flash(notice))
        (content)
    }
}

/// The button that switches something off that is on, or on.
fn switch(frame: &Frame, is_on: bool) -> Markup {
    let step = if is_on { "disable" } else { "enable" };
    html! { button type="submit" name="action" value=(step) { (words(frame, step)) } }
}

/// The name of a channel.
fn channel(frame: &Frame, name: &str) -> String {
    frame.text(&text!("page-channel", channel = name))
}

/// What became of a test message. `error`: why it was not delivered.
fn delivery(frame: &Frame, error: Option<&str>) -> Markup {
    html! {
        @match error {
            None => span.ok { (words(frame, "delivered")) },
            Some(reason) => { span.critical { (words(frame, "not-delivered")) } ": " (reason) }
        }
    }
}

/// A word of the administration.
pub(super) fn words(frame: &Frame, what: &str) -> String {
    frame.text(&text!("page-admin-words", what = what))
}
