//! `/admin/accounts`: people who log in with what they may do, and the links of screens on walls.
//!
//! Before: `store` has read them. After: `http::page::admin::accounts` and `kiosks` read the forms.
//! Promise: a form offers what its reader may do; the handler decides.

use maud::{Markup, html};

use super::words;
use crate::language::{Language, text};
use crate::model::{Account, Grant, GrantReach, Id64, KioskLink, Role};
use crate::page::record_tables::table;
use crate::page::{Frame, when};

/// What was just made, and is shown this once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Made {
    /// The address of a link.
    Link(String),
    /// The password of an account.
    Password {
        /// What the person types to log in.
        login: String,
        /// The password.
        password: String,
    },
}

/// The section, for an administrator with this reach, who sees these units.
pub fn body(
    frame: &Frame,
    reach: &GrantReach,
    units: &[(Id64, String)],
    accounts: &[Account],
    links: &[KioskLink],
    made: Option<&Made>,
) -> Markup {
    let account_rows: Vec<Markup> =
        accounts.iter().map(|account| account_row(frame, reach, units, account)).collect();
    let link_rows: Vec<Markup> = links.iter().map(|link| link_row(frame, link)).collect();
    html! {
        @if let Some(made) = made { (shown_once(frame, made)) }
        section.panel {
            h2 { (words(frame, "accounts")) }
            (table(frame, &["name", "scope", "created", "logged-in", "state", "action"], &account_rows))
            details { summary { (words(frame, "new-account")) } (account_form(frame, reach, units)) }
        }
        section.panel {
            h2 { (words(frame, "links")) }
            (table(frame, &["name", "scope", "created", "used", "until", "action"], &link_rows))
            details { summary { (words(frame, "new-link")) } (link_form(frame, reach, units)) }
        }
    }
}

fn shown_once(frame: &Frame, made: &Made) -> Markup {
    let (title, secret) = match made {
        Made::Link(address) => (words(frame, "link-made"), address),
        Made::Password { login, password } => {
            (frame.text(&text!("page-account-password", login = login.as_str())), password)
        }
    };
    html! {
        section.panel role="status" {
            h2 { (title) }
            p { code { (secret) } }
            p.quiet { (words(frame, "key-once")) }
        }
    }
}

fn account_row(frame: &Frame, reach: &GrantReach, units: &[(Id64, String)], account: &Account) -> Markup {
    let value = if account.disabled_at.is_none() { "on" } else { "off" };
    let grants = account.grants.iter().filter(|grant| reach.covers(grant.customer_id, grant.org_id));
    html! {
        tr {
            th scope="row" { (account.name) br; span.quiet { (account.login) } }
            td { @for grant in grants { (grant_row(frame, account, grant)) } }
            td { (when::at(account.created_at, &frame.zone, frame.language)) br; span.quiet { (account.created_by) } }
            td { @if let Some(at) = account.logged_in_at { (when::at(at, &frame.zone, frame.language)) } }
            td { (frame.text(&text!("on-off", value = value))) }
            td {
                @if reach.holds(account) {
                    (switches(frame, account))
                } @else {
                    span.quiet { (words(frame, "also-elsewhere")) }
                }
                details {
                    summary { (words(frame, "give-role")) }
                    form.stacked method="post" action={ "/admin/accounts/" (account.account_id) } {
                        (grant_fields(frame, reach, units, account.account_id))
                        button type="submit" name="action" value="grant" { (words(frame, "give-role")) }
                    }
                }
            }
        }
    }
}

fn switches(frame: &Frame, account: &Account) -> Markup {
    let step = if account.disabled_at.is_none() { "disable" } else { "enable" };
    html! {
        form.inline method="post" action={ "/admin/accounts/" (account.account_id) } {
            button type="submit" name="action" value=(step) { (words(frame, step)) } " "
            button type="submit" name="action" value="end" { (words(frame, "end-sessions")) }
        }
    }
}

/// A role, with a button that takes it.
fn grant_row(frame: &Frame, account: &Account, grant: &Grant) -> Markup {
    let name = granted(frame, grant);
    html! {
        form.inline method="post" action={ "/admin/accounts/" (account.account_id) } {
            input type="hidden" name="grant_id" value=(grant.grant_id);
            (name) " "
            button type="submit" name="action" value="revoke" aria-label=(format!("{} {name}", words(frame, "take-role"))) {
                (words(frame, "take-role"))
            }
        }
    }
}

fn granted(frame: &Frame, grant: &Grant) -> String {
    let role = frame.text(&text!("page-role", role = grant.role.name()));
    let tenant = grant.shown_tenant().unwrap_or_else(|| frame.text(&text!("page-every-tenant")));
    [Some(role), Some(tenant), grant.shown_unit()].into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

fn account_form(frame: &Frame, reach: &GrantReach, units: &[(Id64, String)]) -> Markup {
    html! {
        form.stacked method="post" action="/admin/accounts" {
            label for="login" { (words(frame, "login")) }
            input #login type="text" name="login" maxlength="200" required autocomplete="off";
            label for="account-name" { (words(frame, "account-name")) }
            input #account-name type="text" name="name" maxlength="200" autocomplete="off";
            label for="password" { (words(frame, "password")) }
            input #password type="password" name="password" maxlength="1000" autocomplete="new-password";
            label for="language" { (frame.text(&text!("page-language"))) }
            select #language name="language" {
                option value="" { (words(frame, "of-browser")) }
                option value=(Language::Zh.tag()) { (frame.text(&text!("page-in-chinese"))) }
                option value=(Language::En.tag()) { (frame.text(&text!("page-in-english"))) }
            }
            (grant_fields(frame, reach, units, Id64(0)))
            button.primary type="submit" { (words(frame, "make-account")) }
        }
    }
}

/// Which role, and where. `of`: the account, so that no two fields of a page have the same id.
fn grant_fields(frame: &Frame, reach: &GrantReach, units: &[(Id64, String)], of: Id64) -> Markup {
    html! {
        label for={ "role-" (of) } { (words(frame, "role")) }
        select id={ "role-" (of) } name="role" {
            @for role in Role::ALL { option value=(role.name()) { (frame.text(&text!("page-role", role = role.name()))) } }
        }
        @if !reach.is_limited() {
            label for={ "tenant-" (of) } { (words(frame, "tenant")) }
            input id={ "tenant-" (of) } type="text" name="customer_id" inputmode="numeric" pattern="[0-9]*";
        }
        (unit_field(frame, reach, units, &format!("unit-{of}")))
    }
}

/// The units of a reader who is limited to a tenant to choose from; else a number.
fn unit_field(frame: &Frame, reach: &GrantReach, units: &[(Id64, String)], id: &str) -> Markup {
    html! {
        label for=(id) { (words(frame, if reach.is_limited() { "unit" } else { "unit-number" })) }
        @if reach.is_limited() {
            select id=(id) name="org_id" {
                @if reach.org_id.is_none() { option value="" { (frame.text(&text!("page-every-unit"))) } }
                @for (org_id, name) in units { option value=(org_id) { (name) } }
            }
        } @else {
            input id=(id) type="text" name="org_id" inputmode="numeric" pattern="[0-9]*";
        }
    }
}

fn link_row(frame: &Frame, link: &KioskLink) -> Markup {
    let tenant = link.tenant_name.clone().unwrap_or_else(|| link.customer_id.to_string());
    let private = link.is_private.then(|| words(frame, "private"));
    let scope: Vec<String> = [Some(tenant), link.unit_name.clone(), private].into_iter().flatten().collect();
    html! {
        tr {
            th scope="row" { (link.name) }
            td { (scope.join(" · ")) }
            td { (when::at(link.created_at, &frame.zone, frame.language)) br; span.quiet { (link.created_by) } }
            td { @if let Some(at) = link.last_used_at { (when::at(at, &frame.zone, frame.language)) } }
            td { @if let Some(at) = link.expires_at { (when::at(at, &frame.zone, frame.language)) } }
            td {
                form.inline method="post" action={ "/admin/kiosks/" (link.kiosk_link_id) } {
                    button type="submit" { (words(frame, "revoke")) }
                }
            }
        }
    }
}

fn link_form(frame: &Frame, reach: &GrantReach, units: &[(Id64, String)]) -> Markup {
    html! {
        form.stacked method="post" action="/admin/kiosks" {
            label for="link-name" { (words(frame, "name")) }
            input #link-name type="text" name="name" maxlength="100" required;
            @if !reach.is_limited() {
                label for="tenant" { (words(frame, "tenant-number")) }
                input #tenant type="text" name="customer_id" inputmode="numeric" pattern="[0-9]+" required;
            }
            (unit_field(frame, reach, units, "unit"))
            label { input type="checkbox" name="private" value="true"; " " (words(frame, "private")) }
            button.primary type="submit" { (words(frame, "make-link")) }
        }
    }
}
