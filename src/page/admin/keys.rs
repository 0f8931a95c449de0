//! `/admin/keys`: keys of programs; one that is made is shown once.
//!
//! Before: `store::api_key` has read them. After: `http::page::admin::keys` reads the forms.

use maud::{Markup, html};

use super::words;
use crate::language::text;
use crate::model::Id64;
use crate::model::api_key::{ApiKey, Scope};
use crate::page::record_tables::table;
use crate::page::{Frame, when};

/// The section. `made`: a key that was just made, with its secret.
pub fn body(frame: &Frame, keys: &[ApiKey], made: Option<&str>) -> Markup {
    let rows: Vec<Markup> = keys.iter().map(|key| row(frame, key)).collect();
    html! {
        @if let Some(made) = made {
            section.panel role="status" {
                h2 { (words(frame, "key-made")) }
                p { code { (made) } }
                p.quiet { (words(frame, "key-once")) }
            }
        }
        section.panel { (table(frame, &["name", "scope", "tenant", "person", "created", "used", "until", "action"], &rows)) }
        section.panel { h2 { (words(frame, "new-key")) } (form(frame)) }
    }
}

fn row(frame: &Frame, key: &ApiKey) -> Markup {
    let at = |instant: Option<jiff::Timestamp>| {
        instant.map(|instant| when::moment(instant, &frame.zone, frame.language)).unwrap_or_default()
    };
    let scopes: Vec<&str> = key.scopes.iter().map(|scope| scope.name()).collect();
    html! {
        tr {
            th scope="row" { (key.name) br; span.quiet { (key.key_id) } }
            td { (scopes.join(", ")) }
            td { (key.customer_id.map(|Id64(id)| id.to_string()).unwrap_or_default()) }
            td { (key.actor.as_deref().unwrap_or_default()) }
            td { (at(Some(key.created_at))) br; span.quiet { (key.created_by) } }
            td { (at(key.last_used_at)) }
            td { (at(key.expires_at)) }
            td {
                form.inline method="post" action={ "/admin/keys/" (key.key_id) } {
                    button type="submit" { (words(frame, "revoke")) }
                }
            }
        }
    }
}

fn form(frame: &Frame) -> Markup {
    let is_of_all = frame.viewer.as_ref().is_none_or(|viewer| viewer.tenant_name.is_none());
    html! {
        form.stacked method="post" action="/admin/keys" {
            label for="name" { (words(frame, "name")) }
            input #name type="text" name="name" maxlength="100" required;
            fieldset.filters {
                legend { (words(frame, "scopes")) }
                @for scope in [Scope::Upload, Scope::Read, Scope::Respond, Scope::Admin].into_iter().filter(|scope| *scope != Scope::Admin || is_of_all) {
                    label { input type="checkbox" name="scope" value=(scope.name()); (frame.text(&text!("page-scope-of-key", scope = scope.name()))) }
                }
            }
            @if is_of_all {
                label for="tenant" { (words(frame, "tenant")) }
                input #tenant type="text" name="customer_id" inputmode="numeric" pattern="[0-9]*";
            }
            label for="person" { (words(frame, "person")) }
            input #person type="text" name="person" maxlength="200";
            label for="days" { (words(frame, "valid-days")) }
            input #days type="number" name="days" min="1" max="3650";
            button.primary type="submit" { (words(frame, "make")) }
        }
    }
}
