//! `vitals alerts contacts`: who can be notified, be on duty, and have alerts assigned.

use std::process::ExitCode;

use super::{header, json_line, or_dash, print_text};
use crate::command::text::{aligned, escape_control, print};
use crate::language::{Locale, text};
use crate::store::alert::Reach;
use crate::store::{Store, contact};

/// Options of `contacts`.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Only contacts of this tenant
    #[arg(long, value_name = "ID")]
    customer: Option<i64>,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
}

pub(super) async fn list(options: &Options, locale: &Locale, store: &Store) -> anyhow::Result<ExitCode> {
    let reach = Reach { customer_id: options.customer, org_id: None };
    let contacts = contact::list(store, reach, 0, i64::MAX).await?;
    if options.json {
        print(&contacts.iter().map(json_line).collect::<String>())?;
        return Ok(ExitCode::SUCCESS);
    }
    if contacts.is_empty() {
        print_text(locale, &text!("contacts-none"))?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut lines = vec![header(locale, ["id", "contact", "channel", "language"])];
    lines.extend(contacts.iter().map(|contact| {
        [
            contact.contact_id.to_string(),
            escape_control(&contact.name),
            or_dash(Some(contact.channels.join(", ").as_str()).filter(|channels| !channels.is_empty())),
            or_dash(contact.language.as_deref()),
        ]
    }));
    print(&aligned(&lines))?;
    Ok(ExitCode::SUCCESS)
}
