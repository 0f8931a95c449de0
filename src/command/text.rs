//! Text for people: aligned columns, ages, escaped control characters.
//!
//! Before: the commands that list things. After: standard output.

use std::io::{ErrorKind, IsTerminal, Write, stdin, stdout};

use anyhow::bail;
use console::measure_text_width;
use jiff::SignedDuration;

/// Columns aligned left, by their width on a terminal.
pub(super) fn aligned<const COLUMNS: usize>(lines: &[[String; COLUMNS]]) -> String {
    let widths: [usize; COLUMNS] = std::array::from_fn(|column| {
        lines.iter().map(|line| measure_text_width(&line[column])).max().unwrap_or(0)
    });
    let mut text = String::new();
    for line in lines {
        let mut padded = String::new();
        for (cell, width) in line.iter().zip(widths) {
            padded.push_str(cell);
            padded.push_str(&" ".repeat(width - measure_text_width(cell) + 2));
        }
        text.push_str(padded.trim_end());
        text.push('\n');
    }
    text
}

/// An age in its largest unit.
pub(super) fn age(since: SignedDuration) -> String {
    let seconds = since.as_secs().max(0);
    match seconds {
        0..=119 => format!("{seconds} s"),
        120..=7_199 => format!("{} min", seconds / 60),
        7_200..=172_799 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}

/// `1234567` as `1 234 567`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

/// Escapes control characters except line ends and tabs, so that text cannot control a terminal.
pub(super) fn escape_control(text: &str) -> String {
    text.chars()
        .flat_map(|char| {
            let is_control = char.is_control() && !matches!(char, '\n' | '\t');
            let shown = if is_control { char.escape_default().to_string() } else { char.to_string() };
            shown.chars().collect::<Vec<_>>()
        })
        .collect()
}

/// Writes to standard output; a reader that has closed the pipe (`| head`) is not an error.
pub(crate) fn print(text: &str) -> std::io::Result<()> {
    let mut out = stdout();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

/// Asks for confirmation on the terminal, not in the output.
///
/// # Errors
/// There is no terminal.
pub(super) fn confirm(question: &str) -> anyhow::Result<bool> {
    if !stdin().is_terminal() {
        bail!("there is no terminal to ask for confirmation, so nothing was done: use --yes to confirm");
    }
    eprint!("{question}");
    let mut answer = String::new();
    stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_grouped_by_three() {
        for (number, text) in [(0, "0"), (999, "999"), (1_000, "1 000"), (1_234_567, "1 234 567")] {
            assert_eq!(grouped(number), text);
        }
    }
}
