//! Exact decimal numbers from text: JSON numbers, and numbers in strings. No float is used.
//!
//! Before: `fields` has the text of a value. After: `item` asks for a whole number, a decimal or a coordinate.
//! Promise: up to 28 significant digits are kept as sent (36.60 stays 36.60). Digits beyond them are the binary noise of the sender's
//! floats, and are rounded.
//! The parsers of rust_decimal are not used: they accept `1_000` and refuse `1e-400` and `0e99` (a test shows it).

use std::ops::RangeInclusive;

use rust_decimal::Decimal;

/// A number as sent: mantissa × 10^-decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Number(Decimal);

/// Why a text is not a [`Number`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NumberFault {
    /// It is no decimal number (words, NaN, Infinity, a unit behind it, true, an array …).
    NotANumber,
    /// It is one, of 10^28 or more.
    TooLarge,
}

/// What a [`Decimal`] can hold whatever the digits are.
const MAX_DIGITS: u32 = 28;
const MANTISSA_LIMIT: u128 = 10_u128.pow(MAX_DIGITS);

const POWERS: [i128; MAX_DIGITS as usize + 1] = {
    let mut powers = [1; MAX_DIGITS as usize + 1];
    let mut at = 1;
    while at < powers.len() {
        powers[at] = powers[at - 1] * 10;
        at += 1;
    }
    powers
};

/// 10^0 … 10^22, each exact as f64.
const EXACT_POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
    1e19, 1e20, 1e21, 1e22,
];

impl Number {
    /// Reads all of `text`: sign, digits with or without a point, exponent.
    pub(super) fn read(text: &str) -> Result<Self, NumberFault> {
        let bytes = text.as_bytes();
        let (negative, bytes) = match bytes {
            [b'-', rest @ ..] => (true, rest),
            [b'+', rest @ ..] => (false, rest),
            _ => (false, bytes),
        };
        let (digits, exponent) = match bytes.iter().position(|byte| matches!(byte, b'e' | b'E')) {
            Some(at) => (&bytes[..at], read_exponent(&bytes[at + 1..])?),
            None => (bytes, 0),
        };
        let (magnitude, decimals) = read_digits(digits)?;
        let (magnitude, decimals) = normalise(magnitude, decimals - exponent)?;
        let mut decimal = Decimal::from_parts(
            part(magnitude),
            part(magnitude >> 32),
            part(magnitude >> 64),
            false,
            decimals,
        );
        decimal.set_sign_negative(negative && magnitude != 0);
        Ok(Self(decimal))
    }

    /// Is it 0, however written?
    pub(super) const fn is_zero(self) -> bool {
        self.0.is_zero()
    }

    /// Does it lie in `range`, ends included?
    pub(super) fn is_in(self, range: &RangeInclusive<i32>) -> bool {
        let power = self.power();
        (i128::from(*range.start()) * power..=i128::from(*range.end()) * power).contains(&self.0.mantissa())
    }

    /// Its value if it is a whole number: 72, 72.0 and 7.2e1 are one.
    pub(super) fn whole(self) -> Option<i64> {
        let mantissa = self.0.mantissa();
        if self.0.scale() == 0 {
            return i64::try_from(mantissa).ok();
        }
        let power = self.power();
        if mantissa % power == 0 { i64::try_from(mantissa / power).ok() } else { None }
    }

    /// Its value × 10^`power`, cut to a whole number. `power` ≤ 9, so that nothing overflows.
    pub(super) fn scaled(self, power: usize) -> i128 {
        self.0.mantissa() * POWERS[power] / self.power()
    }

    /// Its value with the decimals as sent.
    pub(super) const fn decimal(self) -> Decimal {
        self.0
    }

    /// The f64 next to it.
    pub(super) fn double(self) -> f64 {
        let mantissa = self.0.mantissa();
        match EXACT_POWERS.get(self.0.scale() as usize) {
            // Both operands are exact, so the division rounds once, to the nearest.
            Some(power) if mantissa.unsigned_abs() <= 1 << f64::MANTISSA_DIGITS => mantissa as f64 / power,
            _ => format!("{mantissa}e-{}", self.0.scale()).parse().unwrap_or(f64::NAN),
        }
    }

    fn power(self) -> i128 {
        POWERS[self.0.scale() as usize]
    }
}

/// The lowest 32 bits.
const fn part(magnitude: u128) -> u32 {
    magnitude as u32
}

/// Digits with at most one point → (magnitude below [`MANTISSA_LIMIT`] or just on it, digits after the point).
fn read_digits(digits: &[u8]) -> Result<(u128, i64), NumberFault> {
    let (mut magnitude, mut decimals, mut point, mut seen) = (0_u128, 0_i64, false, false);
    let mut first_dropped = None;
    for &byte in digits {
        let digit = match byte {
            b'0'..=b'9' => byte - b'0',
            b'.' if !point => {
                point = true;
                continue;
            }
            _ => return Err(NumberFault::NotANumber),
        };
        seen = true;
        if first_dropped.is_none() && magnitude < MANTISSA_LIMIT / 10 {
            magnitude = magnitude * 10 + u128::from(digit);
            decimals += i64::from(point);
        } else {
            first_dropped.get_or_insert(digit);
            decimals -= i64::from(!point);
        }
    }
    if !seen {
        return Err(NumberFault::NotANumber);
    }
    Ok((magnitude + u128::from(first_dropped >= Some(5)), decimals))
}

/// The exponent, held within what matters: anything beyond ±100 000 is 0 or too large all the same.
fn read_exponent(text: &[u8]) -> Result<i64, NumberFault> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err(NumberFault::NotANumber);
    }
    let size = digits.iter().fold(0_i64, |size, digit| (size * 10 + i64::from(digit - b'0')).min(100_000));
    Ok(if negative { -size } else { size })
}

/// Brings `decimals` into 0 ..= [`MAX_DIGITS`].
fn normalise(magnitude: u128, decimals: i64) -> Result<(u128, u32), NumberFault> {
    match u32::try_from(decimals) {
        Ok(decimals @ 0..=MAX_DIGITS) => Ok((magnitude, decimals)),
        Ok(decimals) => {
            let power = 10_u128.checked_pow(decimals - MAX_DIGITS);
            // Beyond 10^38 nothing is left of 28 digits.
            Ok((power.map_or(0, |power| (magnitude + power / 2) / power), MAX_DIGITS))
        }
        Err(_) if magnitude == 0 => Ok((0, 0)),
        Err(_) => u32::try_from(-decimals)
            .ok()
            .and_then(|shift| 10_u128.checked_pow(shift))
            .and_then(|power| magnitude.checked_mul(power))
            .filter(|magnitude| *magnitude <= MANTISSA_LIMIT)
            .map(|magnitude| (magnitude, 0))
            .ok_or(NumberFault::TooLarge),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Number {
        Number::read(text).unwrap()
    }

    #[test]
    fn decimals_are_kept_as_sent() {
        for text in ["36.6", "36.60", "0.1", "-12.50", "0", "100", "9999999999999999999999999999"] {
            assert_eq!(read(text).decimal().to_string(), text);
        }
    }

    #[test]
    fn exponents_are_exact() {
        assert_eq!(read("3.66e1").decimal().to_string(), "36.6");
        assert_eq!(read("366E-1").decimal().to_string(), "36.6");
        assert_eq!(read("1e3").whole(), Some(1000));
        assert_eq!(read("0e99999999999").whole(), Some(0));
        assert!(read("1e-400").is_zero());
    }

    #[test]
    fn lenient_forms_are_read() {
        for (text, value) in [("+5", 5), (".5e1", 5), ("5.", 5), ("007", 7), ("-0", 0), ("-0.0", 0)] {
            assert_eq!(read(text).whole(), Some(value), "{text}");
        }
    }

    #[test]
    fn what_is_no_decimal_number_is_refused() {
        for text in [
            "", ".", "-", "+", "e5", "5e", "5e+", "1.2.3", "NaN", "Infinity", "-inf", "0x10", "7 2", "72bpm",
            "1_000", "36,6", "--1", "１２", "null",
        ] {
            assert_eq!(Number::read(text), Err(NumberFault::NotANumber), "{text}");
        }
    }

    #[test]
    fn what_is_too_large_says_so() {
        for text in [
            "1e400",
            "-1e400",
            "1e29",
            "99999999999999999999999999999999999999999999",
            "1e99999999999999999999",
        ] {
            assert_eq!(Number::read(text), Err(NumberFault::TooLarge), "{text}");
        }
    }

    #[test]
    fn binary_noise_behind_28_digits_is_rounded_away() {
        let sent = "36.60000000000000142108547152020037174224853515625";
        assert_eq!(read(sent).decimal().to_string(), "36.60000000000000142108547152");
        assert!(!read(sent).is_in(&(0..=36)));
        assert_eq!(
            read("0.00000000000000000000000000006").decimal().to_string(),
            "0.0000000000000000000000000001"
        );
    }

    #[test]
    fn the_parsers_of_rust_decimal_read_less_and_more() {
        assert!("1_000".parse::<Decimal>().is_ok() && Number::read("1_000").is_err());
        for text in ["1e-400", "0e99"] {
            assert!(Decimal::from_scientific(text).is_err() && Number::read(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn a_fraction_is_not_whole() {
        assert_eq!(read("72.5").whole(), None);
        assert_eq!(read("72.0").whole(), Some(72));
        assert_eq!(read("72.000000").whole(), Some(72));
    }

    #[test]
    fn a_range_includes_its_ends_and_no_more() {
        assert!(read("100.0").is_in(&(1..=100)));
        assert!(!read("100.1").is_in(&(1..=100)));
        assert!(read("-180").is_in(&(-180..=180)));
        assert!(!read("-180.0000001").is_in(&(-180..=180)));
    }

    proptest! {
        #[test]
        fn a_coordinate_is_the_nearest_double(value in -180.0_f64..180.0) {
            prop_assert_eq!(read(&value.to_string()).double(), value);
        }

        #[test]
        fn every_reading_agrees_with_the_standard_parser(text in "[+-]?[0-9]{1,25}(\\.[0-9]{0,25})?([eE][+-]?[0-9]{1,2})?") {
            let expected: f64 = text.parse().unwrap();
            match Number::read(&text) {
                Ok(number) => {
                    let difference = (number.double() - expected).abs();
                    prop_assert!(difference <= expected.abs() * 1e-15 + 1e-28, "{} {}", number.double(), expected);
                }
                Err(fault) => {
                    prop_assert_eq!(fault, NumberFault::TooLarge);
                    prop_assert!(expected.abs() > 0.99e28);
                }
            }
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".*") {
            let _ = Number::read(&text);
        }
    }
}
