//! Unknown names in uploads, as text and as JSON.
//!
//! Before: `http` and `vitals backfill` counted them. After: standard output.
//! Promise: text from a device cannot control a terminal.

use std::process::ExitCode;

use jiff::Timestamp;
use serde_json::json;

use super::UnknownOptions;
use crate::command::text::{age, aligned, escape_control, grouped, print};
use crate::model::NameKind;
use crate::store::Store;
use crate::store::unknown_name::{self, NameCount};

/// Kinds of fields.
pub(super) const FIELDS: [NameKind; 3] = [NameKind::Sample, NameKind::DeviceInfo, NameKind::Event];

pub(super) async fn list(
    kinds: &[NameKind],
    options: &UnknownOptions,
    store: &Store,
) -> anyhow::Result<ExitCode> {
    let names = unknown_name::list(store, kinds, options.limit.into()).await?;
    if options.json {
        print(&names.iter().map(object).collect::<String>())?;
    } else if names.is_empty() {
        print("every name is known\n")?;
    } else {
        print(&table(&names))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn table(names: &[NameCount]) -> String {
    let now = Timestamp::now();
    let mut lines = vec![["name", "of", "count", "last seen", "first device"].map(str::to_owned)];
    lines.extend(names.iter().map(|counted| {
        let name = &counted.name;
        [
            escape_control(&name.name),
            name.kind.name().to_owned(),
            grouped(name.count),
            format!("{} ago", age(now.duration_since(counted.last_seen_at))),
            escape_control(name.device_sn.as_deref().unwrap_or("-")),
        ]
    }));
    aligned(&lines)
}

fn object(counted: &NameCount) -> String {
    let name = &counted.name;
    let object = json!({
        "name": name.name,
        "kind": name.kind.name(),
        "count": name.count,
        "first_seen_at": counted.first_seen_at,
        "last_seen_at": counted.last_seen_at,
        "device_sn": name.device_sn,
    });
    format!("{object}\n")
}
