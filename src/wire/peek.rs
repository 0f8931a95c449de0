//! The serials and the approximate number of samples of a body, without parsing it.
//!
//! Before: `http` has a whole body, decompressed. After: `ingest` says whether it has room for it; `cells` says where its devices live.
//! Promise: [`peek`] takes well under a microsecond. The result is a guess; only the parsers decide what a body holds.

use std::collections::BTreeSet;

/// About what a sample of a watch takes, bytes.
const SAMPLE_BYTES: usize = 512;

/// Where a serial is looked for: watches and phones name it in the first item.
const PEEKED_BYTES: usize = 1024;

const NAMES: [&[u8]; 2] = [b"\"deviceSn\"", b"\"device_sn\""];

/// Where device information names a serial, too.
const SERIAL_NAMES: [&[u8]; 4] = [NAMES[0], NAMES[1], b"\"SerialNumber\"", b"\"serial_number\""];

/// The guess.
#[derive(Debug, PartialEq, Eq)]
pub struct Peek<'b> {
    /// The first serial, if one is found.
    pub device_sn: Option<&'b str>,
    /// About how many samples there are, at least one.
    pub samples: usize,
}

/// Guesses from the first bytes and the length of a body of readings.
pub fn peek(body: &[u8]) -> Peek<'_> {
    let head = &body[..body.len().min(PEEKED_BYTES)];
    let device_sn = NAMES.iter().find_map(|name| {
        let at = head.windows(name.len()).position(|window| window == *name)?;
        serial(&head[at + name.len()..])
    });
    Peek { device_sn, samples: (body.len() / SAMPLE_BYTES).max(1) }
}

/// Every serial that a body seems to name, each once; `None`: more than `limit`. It takes some microseconds per KiB, and reads nested documents that are
/// text too little to find serials in them.
pub fn serials(body: &[u8], limit: usize) -> Option<BTreeSet<&str>> {
    let mut found = BTreeSet::new();
    let mut rest = body;
    while let Some(at) = rest.iter().position(|byte| *byte == b'"') {
        rest = &rest[at..];
        let name = SERIAL_NAMES.iter().find(|name| rest.starts_with(name));
        if let Some(device_sn) = name.and_then(|name| serial(&rest[name.len()..])) {
            found.insert(device_sn);
            if found.len() > limit {
                return None;
            }
        }
        rest = &rest[name.map_or(1, |name| name.len())..];
    }
    Some(found)
}

/// The text behind the colon, if it is one without escapes.
fn serial(rest: &[u8]) -> Option<&str> {
    let text = rest.trim_ascii_start().strip_prefix(b":")?.trim_ascii_start().strip_prefix(b"\"")?;
    let end = text.iter().position(|byte| matches!(byte, b'"' | b'\\'))?;
    (text[end] == b'"').then(|| std::str::from_utf8(&text[..end]).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first_serial(body: &str) -> Option<&str> {
        peek(body.as_bytes()).device_sn
    }

    #[test]
    fn the_first_serial_is_found() {
        for body in [
            r#"{"data":{"deviceSn":"A-1","heart_rate":70}}"#,
            r#"{"data":[{"device_sn" : "A-1"},{"device_sn":"B-2"}]}"#,
            r#"[{"heart_rate":70,"deviceSn":"A-1"}]"#,
        ] {
            assert_eq!(first_serial(body), Some("A-1"), "{body}");
        }
    }

    #[test]
    fn of_anything_else_nothing_is_found() {
        for body in [
            "",
            "{",
            r#"{"deviceSn""#,
            r#"{"deviceSn":"cut"#,
            r#"{"deviceSn":7}"#,
            r#"{"deviceSn":"\u0041"}"#,
        ] {
            assert_eq!(first_serial(body), None, "{body}");
        }
        assert_eq!(peek(b"\"deviceSn\":\"\xff\""), Peek { device_sn: None, samples: 1 });
        assert_eq!(peek(&[b' '; 51_200]).samples, 100);
    }

    #[test]
    fn every_serial_is_found_once() {
        let body = r#"{"data":[{"deviceSn":"B-2","sleepData":"{\"deviceSn\":\"X\"}"},{"device_sn":"A-1"},{"deviceSn":"B-2"}],
            "SerialNumber" : "C-3", "serial_number":7}"#;
        let found = serials(body.as_bytes(), 3).expect("three");
        assert_eq!(found.into_iter().collect::<Vec<_>>(), ["A-1", "B-2", "C-3"]);
        assert_eq!(serials(body.as_bytes(), 2), None);
        assert_eq!(serials(b"\"deviceSn\"", 2), Some(BTreeSet::new()));
    }
}
