//! The first serial and the approximate number of samples of a body, without parsing it.
//!
//! Before: `http` has a whole body, decompressed. After: `ingest` says whether it has room for it.
//! Promise: it takes well under a microsecond. The result is a guess; only the parsers decide what a body holds.

/// About what a sample of a watch takes, bytes.
const SAMPLE_BYTES: usize = 512;

/// Where a serial is looked for: watches and phones name it in the first item.
const PEEKED_BYTES: usize = 1024;

const NAMES: [&[u8]; 2] = [b"\"deviceSn\"", b"\"device_sn\""];

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
}
