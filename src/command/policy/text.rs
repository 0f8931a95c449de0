//! Policies and plans as text: tables for people, JSON for programs.
//!
//! Before: `store::policy`. After: standard output.

use indicatif::HumanBytes;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::command::text::{age, aligned, grouped};
use crate::config::Settings;
use crate::store::policy::{PlannedStep, Policy, PolicyRun};

/// Every policy.
pub(super) fn policies(policies: &[Policy], as_json: bool) -> String {
    if as_json {
        return lines(policies.iter().map(policy_json));
    }
    let header = ["relation", "keep for", "compress after", "refresh every", "refresh lag", "applied"];
    let mut table = vec![header.map(str::to_owned)];
    table.extend(policies.iter().map(|policy| {
        let refreshed = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
        let or_never = |text: &Option<String>| text.clone().unwrap_or_else(|| "never".to_owned());
        [
            policy.relation.clone(),
            retention(policy),
            if policy.kind.as_deref() == Some("table") {
                "-".to_owned()
            } else {
                or_never(&policy.compress_after)
            },
            refreshed(&policy.refresh_every),
            refreshed(&policy.refresh_lag),
            policy.run.as_ref().map_or_else(|| "-".to_owned(), last_run),
        ]
    }));
    aligned(&table)
}

/// How long rows are kept, and how many bytes.
fn retention(policy: &Policy) -> String {
    let time = policy.keep_for.clone().unwrap_or_else(|| "ever".to_owned());
    let bytes = policy.keep_bytes.and_then(|bytes| u64::try_from(bytes).ok());
    bytes.map_or(time.clone(), |bytes| format!("{time}, {}", HumanBytes(bytes)))
}

/// What would be done; times in the device zone of the settings.
pub(super) fn plan(steps: &[PlannedStep], settings: &Settings, as_json: bool) -> String {
    if as_json {
        return lines(steps.iter().map(step_json));
    }
    let zone = settings.device_zone();
    let mut table = vec![["relation", "", "older than", "chunks", "rows", "bytes", ""].map(str::to_owned)];
    let worth = |step: &&PlannedStep| {
        step.rows > 0 || step.chunks.is_some_and(|chunks| chunks > 0) || step.note.is_some()
    };
    table.extend(steps.iter().filter(worth).map(|step| {
        [
            step.relation.clone(),
            step.action.clone(),
            step.until.map_or_else(
                || "-".to_owned(),
                |until| until.to_zoned(zone.clone()).strftime("%F %T %:z").to_string(),
            ),
            step.chunks.map_or_else(|| "-".to_owned(), count),
            format!("{}{}", if step.chunks.is_some() { "about " } else { "" }, count(step.rows)),
            HumanBytes(u64::try_from(step.bytes).unwrap_or(0)).to_string(),
            step.note.clone().unwrap_or_default(),
        ]
    }));
    if table.len() == 1 { "nothing to do\n".to_owned() } else { aligned(&table) }
}

/// What was done.
pub(super) fn results(policies: &[Policy], as_json: bool) -> String {
    if as_json {
        return self::policies(policies, true);
    }
    let did = |run: &&PolicyRun| {
        run.chunks_dropped + run.rows_deleted + run.chunks_compressed > 0 || run.held.is_some()
    };
    let mut text = String::new();
    for policy in policies {
        if let Some(run) = policy.run.as_ref().filter(did) {
            text.push_str(&format!("{}: {}\n", policy.relation, result(run)));
        }
    }
    if text.is_empty() { "nothing to do\n".to_owned() } else { text }
}

fn result(run: &PolicyRun) -> String {
    let counted = [
        (run.chunks_dropped, "chunks dropped"),
        (run.rows_deleted, "rows deleted"),
        (run.chunks_compressed, "chunks compressed"),
    ];
    let mut parts: Vec<String> = counted
        .into_iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, what)| format!("{} {what}", count(number)))
        .collect();
    parts.extend(run.held.as_ref().map(|held| format!("held: {held}")));
    parts.join(", ")
}

fn last_run(run: &PolicyRun) -> String {
    let ago = age(Timestamp::now().duration_since(run.applied_at));
    let what = result(run);
    if what.is_empty() { format!("{ago} ago") } else { format!("{ago} ago: {what}") }
}

fn count(number: i64) -> String {
    grouped(u64::try_from(number).unwrap_or(0))
}

fn lines(values: impl Iterator<Item = Value>) -> String {
    values.map(|value| format!("{value}\n")).collect()
}

fn policy_json(policy: &Policy) -> Value {
    json!({
        "relation": policy.relation,
        "kind": policy.kind,
        "keep_for": policy.keep_for,
        "compress_after": policy.compress_after,
        "refresh_every": policy.refresh_every,
        "refresh_lag": policy.refresh_lag,
        "keep_bytes": policy.keep_bytes,
        "changed": policy.changed.as_ref().map(|(at, by)| json!({ "at": at, "by": by })),
        "applied": policy.run.as_ref().map(|run| json!({
            "at": run.applied_at,
            "chunks_dropped": run.chunks_dropped,
            "rows_deleted": run.rows_deleted,
            "chunks_compressed": run.chunks_compressed,
            "held": run.held,
        })),
    })
}

fn step_json(step: &PlannedStep) -> Value {
    json!({
        "relation": step.relation,
        "action": step.action,
        "until": step.until,
        "chunks": step.chunks,
        "rows": step.rows,
        "bytes": step.bytes,
        "note": step.note,
    })
}
