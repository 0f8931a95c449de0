//! Rejects as text: a table of many, the details of one, JSON for programs.
//!
//! Before: rows of `rejected_upload`. After: standard output.
//! Promise: text from a device cannot control a terminal; JSON holds the original text unchanged.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use crate::command::text::{age, aligned, escape_control, grouped};
use crate::model::tenant::OF_DIRECTORY;
use crate::store::rejected_upload::RejectedUpload;

/// One line each, and how many more there are.
pub(super) fn table(rejects: &[RejectedUpload], total: u64) -> String {
    if rejects.is_empty() {
        return "no rejects match\n".to_owned();
    }
    let now = Timestamp::now();
    let mut lines = vec![["id", "age", "device", "source", "reason", "detail"].map(str::to_owned)];
    lines.extend(rejects.iter().map(|reject| {
        [
            reject.id.to_string(),
            age(now.duration_since(reject.received_at)),
            escape_control(reject.device_sn.as_deref().unwrap_or("-")),
            reject.source.name().to_owned(),
            reject.reason.clone(),
            escape_control(&reject.detail),
        ]
    }));
    let mut text = aligned(&lines);
    let more = total.saturating_sub(rejects.len() as u64);
    if more > 0 {
        text.push_str(&format!("{} more are older\n", grouped(more)));
    }
    text
}

/// All data of one.
pub(super) fn details(reject: &RejectedUpload, zone: &TimeZone) -> String {
    let received = reject.received_at.to_zoned(zone.clone());
    let age = age(Timestamp::now().duration_since(reject.received_at));
    let none = || "-".to_owned();
    let lines = [
        ["received".to_owned(), format!("{}, {age} ago", received.strftime("%F %T %:z"))],
        ["times".to_owned(), times(reject, zone)],
        ["source".to_owned(), reject.source.name().to_owned()],
        ["device".to_owned(), reject.device_sn.as_deref().map_or_else(none, escape_control)],
        ["reason".to_owned(), reject.reason.clone()],
        ["detail".to_owned(), escape_control(&reject.detail)],
        ["batch".to_owned(), reject.batch_id.to_string()],
        ["key of".to_owned(), reject.key_customer_id.map_or_else(none, key_label)],
        ["inherited".to_owned(), reject.inherited.as_deref().map_or_else(none, escape_control)],
    ];
    format!("reject {}\n{}{}\n\n", reject.id, aligned(&lines), escape_control(&reject.body))
}

/// How often it came, and when last.
fn times(reject: &RejectedUpload, zone: &TimeZone) -> String {
    let times = grouped(u64::try_from(reject.times).unwrap_or(0));
    match reject.last_received_at {
        Some(last) => format!("{times}, last {}", last.to_zoned(zone.clone()).strftime("%F %T %:z")),
        None => times,
    }
}

/// One JSON object on a line; ids of 64 bits as text.
pub(super) fn json(reject: &RejectedUpload) -> String {
    let inherited: Value =
        reject.inherited.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    let object = json!({
        "id": reject.id.to_string(),
        "received_at": reject.received_at,
        "last_received_at": reject.last_received_at,
        "times": reject.times,
        "batch_id": reject.batch_id.to_string(),
        "source": reject.source.name(),
        "device_sn": reject.device_sn,
        "reason": reject.reason,
        "detail": reject.detail,
        "inherited": inherited,
        "key_customer_id": reject.key_customer_id.map(|id| id.to_string()),
        "body": reject.body,
    });
    format!("{object}\n")
}

fn key_label(customer_id: i64) -> String {
    if customer_id == OF_DIRECTORY { "one device".to_owned() } else { format!("tenant {customer_id}") }
}

#[cfg(test)]
mod tests {
    use console::measure_text_width;
    use jiff::SignedDuration;

    use super::*;
    use crate::model::Source;

    fn reject(id: i64, device_sn: Option<&str>, body: &str) -> RejectedUpload {
        RejectedUpload {
            id,
            received_at: Timestamp::now() - SignedDuration::from_hours(3),
            last_received_at: None,
            times: 1,
            batch_id: 1_939_964_806_110_937_090,
            source: Source::Health,
            device_sn: device_sn.map(str::to_owned),
            reason: "future".to_owned(),
            detail: "timestamp is more than 24 h ahead of the time of receipt".to_owned(),
            body: body.to_owned(),
            key_customer_id: None,
            inherited: Some(r#"{"orgId": "7"}"#.to_owned()),
        }
    }

    #[test]
    fn the_table_is_aligned_and_counts_what_is_left() {
        let text = table(&[reject(7, Some("设备一"), ""), reject(1_234, None, "")], 1_002);
        let lines: Vec<&str> = text.lines().collect();
        let columns: Vec<usize> = lines[..3]
            .iter()
            .map(|line| {
                measure_text_width(&line[..line.find("health").or(line.find("source")).expect("a column")])
            })
            .collect();
        assert_eq!(columns, [columns[0]; 3], "{text}");
        assert!(lines[1].contains("3 h"), "{text}");
        assert_eq!(lines[3], "1 000 more are older");
        assert_eq!(table(&[], 0), "no rejects match\n");
    }

    #[test]
    fn json_holds_the_text_unchanged_and_every_digit() {
        let body = "{\"a\": \"\u{9b}31m\"}";
        let line = json(&reject(7, None, body));
        let object: Value = serde_json::from_str(&line).expect("JSON");
        assert_eq!(object["body"], body);
        assert_eq!(object["batch_id"], "1939964806110937090");
        assert_eq!(object["inherited"]["orgId"], "7");
        assert_eq!(object["device_sn"], Value::Null);
        assert_eq!(line.matches('\n').count(), 1);
    }

    #[test]
    fn text_from_a_device_cannot_control_a_terminal() {
        let text = details(&reject(7, None, "{\"a\":\t\"\u{9b}31m\u{7f}\"}\n{}"), &TimeZone::UTC);
        assert!(text.contains("{\"a\":\t\"\\u{9b}31m\\u{7f}\"}\n{}"), "{text}");
    }
}
