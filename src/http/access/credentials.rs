//! The key in the `Authorization` header. A watch sends the header that its configuration holds.
//!
//! Before: the headers of a request. After: `keys`. Promise: nothing of the header is kept.

use axum::http::{HeaderMap, header};

use crate::model::api_key::{PresentedKey, of_header};
use crate::model::device_key::DeviceKey;

/// A key that came with a request.
#[derive(Debug)]
pub(super) enum Credential {
    /// One of `api_key`.
    Key(PresentedKey),
    /// That of one device.
    Device(DeviceKey),
    /// Something that cannot be read.
    Invalid,
}

/// What a watch without a key sends: nothing, or the word in its configuration that stands for no header.
const NO_HEADER: [&[u8]; 2] = [b"", b"None"];

/// Whether there is a header with a key, valid or not.
pub(super) fn are_given(headers: &HeaderMap) -> bool {
    let given = headers.get(header::AUTHORIZATION);
    given.is_some_and(|given| !NO_HEADER.contains(&given.as_bytes().trim_ascii()))
}

/// The key; `None`: there is none.
pub(super) fn of(headers: &HeaderMap) -> Option<Credential> {
    are_given(headers).then(|| read(headers).unwrap_or(Credential::Invalid))
}

fn read(headers: &HeaderMap) -> Option<Credential> {
    let mut given = headers.get_all(header::AUTHORIZATION).iter();
    let (first, second) = (given.next()?, given.next());
    // It would be unclear which of two counts.
    if second.is_some() {
        return None;
    }
    let first = first.to_str().ok()?;
    of_header(first).map(Credential::Key).or_else(|| of_header(first).map(Credential::Device))
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::prelude::BASE64_STANDARD;
    use proptest::prelude::*;

    use super::*;
    use crate::model::api_key::KeyId;

    fn key_id(lines: &[&str]) -> Option<KeyId> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(header::AUTHORIZATION, line.parse().ok()?);
        }
        match of(&headers)? {
            Credential::Key(key) => Some(key.key_id),
            Credential::Device(_) | Credential::Invalid => None,
        }
    }

    #[test]
    fn a_key_is_read_from_either_scheme() {
        let key = PresentedKey::of(KeyId::of([7; 6]), [9; 32]);
        let text = key.text();
        let basic = |user: &str| BASE64_STANDARD.encode(format!("{user}:{text}"));
        for good in [
            format!("Bearer {text}"),
            format!("bearer   {text} "),
            format!("Basic {}", basic("")),
            format!("BASIC {}", basic("watch")),
        ] {
            assert_eq!(key_id(&[&good]), Some(key.key_id), "{good}");
        }
        for bad in [
            String::new(),
            text.clone(),
            "Bearer".to_owned(),
            format!("Digest {text}"),
            format!("Basic {text}"),
            format!("Basic {}", BASE64_STANDARD.encode(&text)),
            format!("Basic {}", basic(&"u".repeat(1000))),
        ] {
            assert_eq!(key_id(&[&bad]), None, "{bad}");
        }
        let good = format!("Bearer {text}");
        assert_eq!(key_id(&[&good, &good]), None, "which of the two?");
    }

    proptest! {
        #[test]
        fn whatever_the_header_holds_nothing_panics(text in "\\PC*", packed: Vec<u8>) {
            let _ = key_id(&[&text]);
            let _ = key_id(&[&format!("Basic {}", BASE64_STANDARD.encode(packed))]);
        }
    }
}
