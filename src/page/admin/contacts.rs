//! `/admin/contacts`: who can be notified, at which addresses, by which routes.
//!
//! Before: `store` has read them. After: `http::page::admin::contacts` reads the forms.
//! Promise: of an address that is a password only its end is shown.

use maud::{Markup, html};

use super::words;
use crate::language::text;
use crate::model::{AddressSummary, AddressTest, Channel, ContactSummary, NotificationRoute};
use crate::page::record_tables::table;
use crate::page::{Frame, when};

/// The section.
pub fn body(
    frame: &Frame,
    contacts: &[ContactSummary],
    addresses: &[AddressSummary],
    routes: &[NotificationRoute],
) -> Markup {
    let address_rows: Vec<Markup> = addresses.iter().map(|address| address_row(frame, address)).collect();
    let route_rows: Vec<Markup> = routes.iter().map(|route| route_row(frame, route)).collect();
    html! {
        section.panel {
            h2 { (words(frame, "addresses")) }
            (table(frame, &["contact", "channel", "address", "state", "tested", "action"], &address_rows))
            details { summary { (words(frame, "new-address")) } (address_form(frame, contacts)) }
        }
        section.panel {
            h2 { (words(frame, "routes")) }
            (table(frame, &["channel", "audience", "severity", "detail", "action"], &route_rows))
            details { summary { (words(frame, "new-route")) } (route_form(frame)) }
        }
    }
}

fn channel(frame: &Frame, name: &str) -> String {
    frame.text(&text!("page-channel", channel = name))
}

fn address_row(frame: &Frame, address: &AddressSummary) -> Markup {
    let (value, step) = if address.enabled { ("on", "disable") } else { ("off", "enable") };
    html! {
        tr {
            th scope="row" { (address.contact) }
            td { (channel(frame, &address.channel)) }
            td { (address.address) }
            td { (frame.text(&text!("on-off", value = value))) }
            td { @if let Some(test) = &address.last_test { (last_test(frame, test)) } }
            td {
                form.inline method="post" action={ "/admin/contacts/addresses/" (address.address_id) } {
                    button type="submit" name="action" value="test" { (words(frame, "test")) } " "
                    button type="submit" name="action" value=(step) { (words(frame, step)) } " "
                    button type="submit" name="action" value="remove" { (words(frame, "remove")) }
                }
            }
        }
    }
}

fn last_test(frame: &Frame, test: &AddressTest) -> Markup {
    html! {
        @match &test.error {
            None => span.ok { (words(frame, "delivered")) },
            Some(reason) => { span.critical { (words(frame, "not-delivered")) } ": " (reason) }
        }
        br;
        span.quiet { (when::at(test.tested_at, &frame.zone, frame.language)) " " (test.tested_by) }
    }
}

fn address_form(frame: &Frame, contacts: &[ContactSummary]) -> Markup {
    html! {
        form.stacked method="post" action="/admin/contacts/addresses" {
            label for="contact" { (words(frame, "contact")) }
            select #contact name="contact_id" {
                @for contact in contacts { option value=(contact.contact_id) { (contact.name) } }
            }
            label for="channel" { (words(frame, "channel")) }
            select #channel name="channel" {
                @for each in Channel::ALL { option value=(each.name()) { (channel(frame, each.name())) } }
            }
            label for="address" { (words(frame, "address")) }
            input #address type="text" name="address" maxlength="2000" required autocomplete="off";
            label for="secret" { (words(frame, "secret")) }
            input #secret type="password" name="secret" maxlength="2000" autocomplete="new-password";
            button.primary type="submit" { (words(frame, "save")) }
        }
    }
}

/// What else a route says, as it is sent and received below `/api/`.
fn route_row(frame: &Frame, route: &NotificationRoute) -> Markup {
    let columns = serde_json::to_value(&route.route).unwrap_or_default();
    let word = |name: &str| columns[name].as_str().unwrap_or_default().to_owned();
    let rest: Vec<String> = columns
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(name, value)| {
            !value.is_null() && !["channel", "audience", "min_severity"].contains(&name.as_str())
        })
        .map(|(name, value)| format!("{name} {value}"))
        .collect();
    html! {
        tr {
            th scope="row" { (channel(frame, &word("channel"))) }
            td { (word("audience")) @if let Some(contact) = &route.contact { " " (contact) } }
            td { (word("min_severity")) }
            td { (rest.join(", ")) }
            td {
                form.inline method="post" action={ "/admin/contacts/routes/" (route.route_id) } {
                    button type="submit" name="action" value="remove" { (words(frame, "remove")) }
                }
            }
        }
    }
}

fn route_form(frame: &Frame) -> Markup {
    html! {
        form.stacked method="post" action="/admin/contacts/routes" {
            label for="route" { (words(frame, "columns")) }
            textarea #route name="columns" rows="6" spellcheck="false" {
                "{\n  \"channel\": \"email\",\n  \"audience\": \"org_managers\",\n  \"min_severity\": \"major\"\n}"
            }
            button.primary type="submit" { (words(frame, "save")) }
        }
    }
}
