//! Entries of a stream, as Redis answers them.

use bytes::Bytes;
use redis::Value;

/// An entry of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamEntry {
    /// Its id: milliseconds by the clock of Redis, and a number.
    pub id: String,
    /// What was appended.
    pub upload: Bytes,
}

impl StreamEntry {
    /// When it was appended, milliseconds since 1970 by the clock of Redis.
    pub fn appended_at_ms(&self) -> i64 {
        self.id.split('-').next().and_then(|ms| ms.parse().ok()).unwrap_or_default()
    }
}

/// The entries of an answer. An answer of another form holds none.
pub(super) fn entries_of(answer: Option<&Value>) -> Vec<StreamEntry> {
    match answer {
        Some(Value::Array(entries)) => entries.iter().filter_map(entry_of).collect(),
        _ => Vec::new(),
    }
}

/// Reads `[id, [field, value]]`.
pub(super) fn entry_of(value: &Value) -> Option<StreamEntry> {
    let Value::Array(entry) = value else { return None };
    let [Value::BulkString(id), Value::Array(fields)] = entry.as_slice() else { return None };
    let Some(Value::BulkString(upload)) = fields.get(1) else { return None };
    Some(StreamEntry { id: String::from_utf8_lossy(id).into_owned(), upload: Bytes::copy_from_slice(upload) })
}
