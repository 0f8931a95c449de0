//! Previews and receipts of erasures as text.
//!
//! Before: `store::erasure`. After: standard output.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::command::text::{aligned, escape_control, grouped};
use crate::store::erasure::{ErasureReceipt, Subject};

/// What would be erased.
pub(super) fn preview(subject: &Subject, counts: &BTreeMap<String, i64>, as_json: bool) -> String {
    if as_json {
        return format!("{}\n", json!({ "kind": subject.kind(), "counts": counts }));
    }
    let subject = format!("{} {}", subject.kind(), escape_control(&subject.text()));
    if counts.is_empty() {
        return format!("there is nothing of {subject}\n");
    }
    format!("of {subject}:\n{}", table(counts.iter().map(|(table, rows)| (table.clone(), *rows))))
}

/// What was erased.
pub(super) fn text(receipt: &ErasureReceipt, as_json: bool) -> String {
    let counts: Value = serde_json::from_str(&receipt.counts).unwrap_or_default();
    if as_json {
        let object = json!({
            "erasure_id": receipt.id.to_string(),
            "kind": receipt.kind,
            "receipt_number": receipt.number,
            "asked_by": receipt.asked_by,
            "asked_at": receipt.asked_at,
            "erased_at": receipt.erased_at,
            "forgotten_at": receipt.forgotten_at,
            "counts": counts,
        });
        return format!("{object}\n");
    }
    let when = |at: Option<jiff::Timestamp>| at.map_or_else(|| "not yet".to_owned(), |at| at.to_string());
    let head = [
        ["erased".to_owned(), format!("a {}", receipt.kind)],
        ["asked by".to_owned(), escape_control(&receipt.asked_by)],
        ["asked at".to_owned(), receipt.asked_at.to_string()],
        ["erased at".to_owned(), when(receipt.erased_at)],
        ["out of Redis".to_owned(), when(receipt.forgotten_at)],
    ];
    let rows = counts.as_object().into_iter().flatten();
    let rows = rows.map(|(table, rows)| (table.clone(), rows.as_i64().unwrap_or(0)));
    format!("receipt {}\n{}{}", receipt.number, aligned(&head), table(rows))
}

fn table(counts: impl Iterator<Item = (String, i64)>) -> String {
    let lines: Vec<[String; 2]> =
        counts.map(|(table, rows)| [table, grouped(u64::try_from(rows).unwrap_or(0))]).collect();
    aligned(&lines)
}
