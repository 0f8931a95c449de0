//! The values of a chart as a table, for those who cannot see the drawing.

use maud::{Markup, html};

use super::{Chart, ChartLine};
use crate::language::text;
use crate::page::when;

pub(super) fn draw(chart: &Chart<'_>) -> Markup {
    html! {
        div.visually-hidden { @for line in &chart.lines { (of_line(chart, line)) } }
    }
}

fn of_line(chart: &Chart<'_>, line: &ChartLine) -> Markup {
    let column = |name: &str| text!("page-chart-column", name = name).in_language(chart.language);
    html! {
        table {
            caption { (line.name) ", " (chart.unit) }
            thead { tr { @for name in ["time", "lowest", "mean", "highest"] { th scope="col" { (column(name)) } } } }
            tbody {
                @for point in &line.points {
                    tr {
                        th scope="row" { (when::moment(point.from, &chart.window.zone, chart.language)) }
                        @for value in [point.min, point.mean, point.max] { td { (chart.number(value)) } }
                    }
                }
            }
        }
    }
}
