//! How many messages of a phone a text takes (3GPP TS 23.038): 160 characters of the GSM alphabet fit into one, or 70 of any other.
//! Pure.

/// What one segment holds: alone, and as a part of several, which need room for their order.
#[derive(Debug, Clone, Copy)]
struct Capacity {
    alone: usize,
    part: usize,
}

/// In characters of seven bits.
const GSM: Capacity = Capacity { alone: 160, part: 153 };

/// In units of UTF-16.
const UCS2: Capacity = Capacity { alone: 70, part: 67 };

/// The GSM alphabet besides letters of ASCII and digits.
const GSM_SIGNS: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./:;<=>?¡ÄÖÑÜ§¿äöñüà";

/// Its extension, where a character takes two places.
const GSM_EXTENSION: &str = "^{}\\[~]|€";

/// Fewest bytes of a text that is cut.
const FEWEST_BYTES: usize = 32;

/// The segments of a text.
pub(super) fn count(text: &str) -> usize {
    let places: Option<usize> = text.chars().map(gsm_places).sum();
    let (units, capacity) = match places {
        Some(places) => (places, GSM),
        None => (text.encode_utf16().count(), UCS2),
    };
    if units <= capacity.alone { 1 } else { units.div_ceil(capacity.part) }
}

fn gsm_places(sign: char) -> Option<usize> {
    if sign.is_ascii_alphanumeric() || GSM_SIGNS.contains(sign) {
        Some(1)
    } else if GSM_EXTENSION.contains(sign) {
        Some(2)
    } else {
        None
    }
}

/// The longest text that takes at most `max_segments`; `text` gives it cut to a number of bytes.
pub(super) fn fit(max_segments: usize, text: impl Fn(usize) -> String) -> String {
    // These signs are not in the GSM alphabet; one of them would halve the room of the whole text.
    let text = |max_bytes| text(max_bytes).replace('…', "...").replace("°C", "C");
    let whole = text(usize::MAX);
    if count(&whole) <= max_segments {
        return whole;
    }
    let (mut fits, mut too_long) = (FEWEST_BYTES, whole.len());
    while too_long - fits > 1 {
        let middle = fits + (too_long - fits) / 2;
        if count(&text(middle)) <= max_segments { fits = middle } else { too_long = middle }
    }
    text(fits)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::super::text::tests::message;
    use super::super::super::text::{Markup, body};
    use super::*;
    use crate::language::Language;

    #[test]
    fn a_segment_holds_160_characters_of_gsm_or_70_others() {
        for (text, segments) in [
            ("a".repeat(160), 1),
            ("a".repeat(161), 2),
            ("a".repeat(306), 2),
            ("a".repeat(307), 3),
            ("[".repeat(80), 1),
            ("[".repeat(81), 2),
            ("心".repeat(70), 1),
            ("心".repeat(71), 2),
            ("心".repeat(134), 2),
            ("心".repeat(135), 3),
            ("😀".repeat(35), 1),
            ("😀".repeat(36), 2),
            (String::new(), 1),
        ] {
            assert_eq!(count(&text), segments, "{} {text}", text.chars().count());
        }
    }

    proptest! {
        #[test]
        fn however_long_alerts_are_the_text_fits_and_names_every_alert(
            alerts in 1usize..=5, text in "[a-z心率°\\[]{0,400}", max_segments in 3usize..=6,
        ) {
            let mut message = message(alerts, "critical", &text);
            for language in Language::ALL {
                message.locale.language = language;
                let text = fit(max_segments, |max_bytes| body(Markup::Plain, &message, max_bytes));
                prop_assert!(count(&text) <= max_segments, "{} {text}", count(&text));
                for number in 1..=alerts {
                    prop_assert!(text.contains(&format!("{number}:")), "{number} {text}");
                }
            }
        }
    }
}
