//! `/admin/contacts`: who can be notified, at which addresses; `routes` has by which routes.
//!
//! Before: `store` has read them. After: `http::page::admin::contacts` reads the forms.
//! Promise: of an address that is a password only its end is shown.

use maud::{Markup, html};

use super::{channel, delivery, switch, words};
use crate::language::text;
use crate::model::{AddressSummary, AddressTest, Channel, ContactSummary};
use crate::page::record_tables::table;
use crate::page::{Frame, when};

/// The section; `routes`: its lower half.
pub fn body(
    frame: &Frame,
    contacts: &[ContactSummary],
    addresses: &[AddressSummary],
    routes: &Markup,
) -> Markup {
    let address_rows: Vec<Markup> = addresses.iter().map(|address| address_row(frame, address)).collect();
    html! {
        section.panel {
            h2 { (words(frame, "addresses")) }
            (table(frame, &["contact", "channel", "address", "state", "tested", "action"], &address_rows))
            details { summary { (words(frame, "new-address")) } (address_form(frame, contacts)) }
        }
        (routes)
    }
}

fn address_row(frame: &Frame, address: &AddressSummary) -> Markup {
    let value = if address.enabled { "on" } else { "off" };
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
                    (switch(frame, address.enabled)) " "
                    button type="submit" name="action" value="remove" { (words(frame, "remove")) }
                }
            }
        }
    }
}

fn last_test(frame: &Frame, test: &AddressTest) -> Markup {
    html! {
        (delivery(frame, test.error.as_deref()))
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
