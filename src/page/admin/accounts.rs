//! `/admin/accounts`: people who log in with what they may do, and the links of screens on walls.
//!
//! Before: `store` has read them. After: `http::page::admin::accounts` reads the forms; `vitals people` makes accounts.

use maud::{Markup, html};

use super::words;
use crate::language::text;
use crate::model::{Account, Grant, KioskLink};
use crate::page::record_tables::table;
use crate::page::{Frame, when};

/// The section. `made`: the address of a link that was just made.
pub fn body(frame: &Frame, accounts: &[Account], links: &[KioskLink], made: Option<&str>) -> Markup {
    let account_rows: Vec<Markup> = accounts.iter().map(|account| account_row(frame, account)).collect();
    let link_rows: Vec<Markup> = links.iter().map(|link| link_row(frame, link)).collect();
    html! {
        @if let Some(made) = made {
            section.panel role="status" {
                h2 { (words(frame, "link-made")) }
                p { code { (made) } }
                p.quiet { (words(frame, "key-once")) }
            }
        }
        section.panel {
            h2 { (words(frame, "accounts")) }
            (table(frame, &["name", "scope", "created", "used", "state", "action"], &account_rows))
            p.quiet { code { "vitals people create" } }
        }
        section.panel {
            h2 { (words(frame, "links")) }
            (table(frame, &["name", "scope", "created", "used", "until", "action"], &link_rows))
            details { summary { (words(frame, "new-link")) } (link_form(frame)) }
        }
    }
}

fn account_row(frame: &Frame, account: &Account) -> Markup {
    let (value, step) = if account.disabled_at.is_none() { ("on", "disable") } else { ("off", "enable") };
    html! {
        tr {
            th scope="row" { (account.name) br; span.quiet { (account.login) } }
            td { @for grant in &account.grants { (granted(frame, grant)) br; } }
            td { (when::at(account.created_at, &frame.zone, frame.language)) br; span.quiet { (account.created_by) } }
            td { @if let Some(at) = account.logged_in_at { (when::at(at, &frame.zone, frame.language)) } }
            td { (frame.text(&text!("on-off", value = value))) }
            td {
                form.inline method="post" action="/admin/accounts" {
                    input type="hidden" name="login" value=(account.login);
                    button type="submit" name="action" value=(step) { (words(frame, step)) }
                }
            }
        }
    }
}

fn granted(frame: &Frame, grant: &Grant) -> String {
    let role = frame.text(&text!("page-role", role = grant.role.name()));
    let tenant = grant.shown_tenant().unwrap_or_else(|| frame.text(&text!("page-every-tenant")));
    [Some(role), Some(tenant), grant.shown_unit()].into_iter().flatten().collect::<Vec<_>>().join(" · ")
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

fn link_form(frame: &Frame) -> Markup {
    html! {
        form.stacked method="post" action="/admin/kiosks" {
            label for="link-name" { (words(frame, "name")) }
            input #link-name type="text" name="name" maxlength="100" required;
            label for="tenant" { (words(frame, "tenant-number")) }
            input #tenant type="text" name="customer_id" inputmode="numeric" pattern="[0-9]+" required;
            label for="unit" { (words(frame, "unit-number")) }
            input #unit type="text" name="org_id" inputmode="numeric" pattern="[0-9]*";
            label { input type="checkbox" name="private" value="true"; " " (words(frame, "private")) }
            button.primary type="submit" { (words(frame, "make")) }
        }
    }
}
