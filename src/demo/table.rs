//! Plain text tables and emphasis for a terminal.
//!
//! Before: `account`. After: standard output.
//! Promise: columns are aligned by what is seen, not by bytes; colour only where a terminal shows it.

use std::fmt;

use console::{Style, measure_text_width};

/// Rows under headings. The first column is flush left, the others flush right.
#[derive(Debug, Default)]
pub(super) struct Table {
    headings: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(super) fn new(headings: &[&'static str]) -> Self {
        Self { headings: headings.to_vec(), rows: Vec::new() }
    }

    pub(super) fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    fn width(&self, column: usize) -> usize {
        let cells = self.rows.iter().filter_map(|row| row.get(column)).map(|cell| measure_text_width(cell));
        cells.chain([measure_text_width(self.headings[column])]).max().unwrap_or(0)
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let widths: Vec<usize> = (0..self.headings.len()).map(|column| self.width(column)).collect();
        let line = |cells: &mut dyn Iterator<Item = &str>| {
            let mut text = String::from(" ");
            for (column, (cell, width)) in cells.zip(&widths).enumerate() {
                let gap = " ".repeat(width - measure_text_width(cell));
                let (before, after) = if column == 0 { ("", gap.as_str()) } else { (gap.as_str(), "") };
                text.push_str(&format!(" {before}{cell}{after} "));
            }
            text.trim_end().to_owned()
        };
        writeln!(f, "{}", dim().apply_to(line(&mut self.headings.iter().copied())))?;
        for row in &self.rows {
            writeln!(f, "{}", line(&mut row.iter().map(String::as_str)))?;
        }
        Ok(())
    }
}

/// A line to standard output, as `command::text::print`; ends the function where it cannot be written.
macro_rules! print_line {
    ($($words:tt)*) => { $crate::command::text::print(&format!("{}\n", format_args!($($words)*)))? };
}
pub(super) use print_line;

/// The title of a part.
pub(super) fn title(text: &str) -> String {
    format!("\n{}", Style::new().bold().apply_to(text))
}

/// What matters less.
pub(super) fn dim() -> Style {
    Style::new().dim()
}

/// A judgement: the word for true in green, the one for false in red.
pub(super) fn verdict(holds: bool, if_true: &str, if_false: &str) -> String {
    match holds {
        true => Style::new().green().apply_to(if_true).to_string(),
        false => Style::new().red().bold().apply_to(if_false).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned() {
        let mut table = Table::new(&["hour", "samples", "bpm"]);
        table.row(vec!["08:00".into(), "1 200".into(), "71".into()]);
        table.row(vec!["09:00 数据".into(), "7".into(), "102".into()]);
        let text = console::strip_ansi_codes(&table.to_string()).into_owned();
        let ends: Vec<usize> = text.lines().map(measure_text_width).collect();
        assert_eq!(ends.len(), 3);
        assert!(ends.windows(2).all(|pair| pair[0] == pair[1]), "{text}");
    }
}
