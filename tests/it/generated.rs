//! The parts of SQL and documents that follow from the table of metrics (`src/metric/table.rs`): what stands between a line `-- generated: NAME` (in Markdown
//! `<!-- generated: NAME -->`) and a line `-- end` (`<!-- end -->`).
//!
//! `UPDATE_GENERATED=1 cargo test --test it generated` writes them; they are committed and reviewed as any other text.

use std::fs;
use std::path::{Path, PathBuf};

use vitals::metric::{Definition, Kind, Metric, SqlType};

/// Where generated parts may stand.
const ROOTS: [&str; 4] = ["sql", "src/wire/README.md", "src/README.md", "docker/README.md"];

/// Longest line of a list of columns, without its indentation.
const WIDTH: usize = 110;

#[test]
fn what_is_generated_is_up_to_date() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut stale = Vec::new();
    for file in ROOTS.iter().flat_map(|name| files(&root.join(name))) {
        let text = fs::read_to_string(&file).expect("text");
        let wanted = regenerate(&text);
        if text != wanted && std::env::var_os("UPDATE_GENERATED").is_some() {
            fs::write(&file, wanted).expect("written");
        } else if text != wanted {
            stale.push(file);
        }
    }
    assert!(
        stale.is_empty(),
        "{stale:?} do not follow from src/metric/table.rs: `UPDATE_GENERATED=1 cargo test --test it generated` writes them anew"
    );
}

#[test]
fn a_migration_adds_the_column_of_each_metric() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
    for metric in Metric::ALL {
        let Definition { column, since, sql_type, .. } = metric.definition();
        let prefix = format!("V{since}__");
        let file = files(&folder)
            .into_iter()
            .find(|file| file.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&prefix)));
        let text = fs::read_to_string(file.unwrap_or_else(|| panic!("no migration {prefix}"))).expect("text");
        let words: Vec<&str> = text.split_whitespace().collect();
        let type_name = type_name(*sql_type);
        assert!(
            words.windows(2).any(|pair| {
                pair[0] == *column && type_name.starts_with(pair[1].trim_end_matches([',', ';']))
            }),
            "migration {prefix} has no column {column} {type_name}"
        );
        assert!(
            text.contains(&format!("comment on column health_data.{column} ")),
            "{column} has no comment"
        );
    }
}

fn files(path: &Path) -> Vec<PathBuf> {
    if path.is_file() {
        return vec![path.to_owned()];
    }
    let Ok(entries) = fs::read_dir(path) else { return Vec::new() };
    let mut files: Vec<PathBuf> = entries.flat_map(|entry| files(&entry.expect("an entry").path())).collect();
    files.sort();
    files
}

fn regenerate(text: &str) -> String {
    let mut out = String::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        out.push_str(line);
        out.push('\n');
        let Some((indent, name)) = marker(line) else { continue };
        for generated in part(name) {
            out.push_str(if generated.is_empty() { "" } else { indent });
            out.push_str(&generated);
            out.push('\n');
        }
        let end = lines.by_ref().find(|line| matches!(line.trim(), "-- end" | "<!-- end -->"));
        out.push_str(end.unwrap_or_else(|| panic!("{name} has no end")));
        out.push('\n');
    }
    out
}

/// Indentation and name of a line that begins a part.
fn marker(line: &str) -> Option<(&str, &str)> {
    let (indent, rest) = line.split_at(line.len() - line.trim_start().len());
    let name = match rest.strip_prefix("-- generated: ") {
        Some(name) => name,
        None => rest.strip_prefix("<!-- generated: ")?.strip_suffix(" -->")?,
    };
    Some((indent, name))
}

/// The lines of a part.
fn part(name: &str) -> Vec<String> {
    let all = || Metric::ALL.into_iter().map(Metric::definition);
    let vital_signs = || all().filter(|metric| metric.kind == Kind::VitalSign);
    let of = |prefix: &str, metrics: Vec<&Definition>| -> Vec<String> {
        metrics.iter().map(|metric| format!("{prefix}{}", metric.column)).collect()
    };
    match name {
        "columns" => wrapped(&of("", all().collect()), ""),
        "columns of h," => wrapped(&of("h.", all().collect()), ","),
        "columns of h" => wrapped(&of("h.", all().collect()), ""),
        "vital signs of h" => wrapped(&of("h.", vital_signs().collect()), ""),
        "latest of s," => {
            wrapped(&of("s.", all().filter(|it| is_latest(it) && it.since == 1).collect()), ",")
        }
        "columns of dashboard.latest" => wrapped(&of("", all().filter(|it| is_latest(it)).collect()), ""),
        "later than latest of s" => of(", s.", all().filter(|it| is_latest(it) && it.since > 1).collect()),
        "comments on dashboard.latest" => {
            all().filter(|it| is_latest(it)).map(|it| comment_on("dashboard.latest", it)).collect()
        }
        "comments on dashboard.sample" => all().map(|it| comment_on("dashboard.sample", it)).collect(),
        "columns with types" => {
            separated(all().map(|it| format!("{} {}", it.column, type_name(it.sql_type))))
        }
        "parameters from $8" => {
            let typed =
                (8..).zip(all()).map(|(number, it)| format!("${number}::{}[]", type_name(it.sql_type)));
            wrapped(&typed.collect::<Vec<_>>(), "")
        }
        "filled" => separated(all().map(|it| format!("{0} = coalesce(known.{0}, excluded.{0})", it.column))),
        "fills" => all()
            .map(|it| format!("or (known.{0} is null and excluded.{0} is not null)", it.column))
            .collect(),
        "replaced" => separated(all().map(|it| format!("{0} = excluded.{0}", it.column))),
        "columns of c or n," => all()
            .map(|it| format!("case when n.is_ahead then c.{0} else n.{0} end as {0},", it.column))
            .collect(),
        "metrics" => separated(all().map(row)),
        "value of a vital sign" => {
            vital_signs().map(|it| format!("when '{}' then {}", it.column, reading("h", it))).collect()
        }
        "whether a vital sign is measured" => {
            vital_signs().map(|it| format!("when '{}' then {}", it.column, is_measured(it))).collect()
        }
        "whether any of metrics is measured" => joined_by_or(
            vital_signs().map(|it| format!("{} and '{}' = any (metrics)", is_measured(it), it.column)),
        ),
        "narrowest bounds" => separated(vital_signs().flat_map(narrowest_bounds)),
        "outside the bounds" => joined_by_or(
            vital_signs().map(|it| format!("h.{0} < normal.{0}_min or h.{0} > normal.{0}_max", it.column)),
        ),
        "names and values of c" => {
            separated(vital_signs().map(|it| format!("('{}', {})", it.column, reading("c", it))))
        }
        "rollup of readings" => separated(all().flat_map(of_readings)),
        "rollup of quarter hours" => separated(all().flat_map(|it| of_buckets(it, false))),
        "columns of a person" => separated(all().flat_map(of_person)),
        "rollup of days" => separated(all().flat_map(|it| of_buckets(it, true))),
        // With the head: a comment between head and rows would end the table.
        "fields of an item" => ["| metric | names | range | UCUM | LOINC |", "|---|---|---|---|---|"]
            .map(str::to_owned)
            .into_iter()
            .chain(Metric::ALL.into_iter().map(field))
            .collect(),
        _ => panic!("nothing is generated under the name {name:?}"),
    }
}

fn type_name(sql_type: SqlType) -> &'static str {
    match sql_type {
        SqlType::Smallint => "smallint",
        SqlType::Integer => "integer",
        SqlType::Numeric => "numeric",
        SqlType::DoublePrecision => "double precision",
    }
}

/// The reading of a vital sign as a numeric. A numeric may be NaN, which nobody measured.
fn reading(row: &str, metric: &Definition) -> String {
    let column = format!("{row}.{}", metric.column);
    if metric.sql_type == SqlType::Numeric {
        format!("vitals.finite({column})")
    } else {
        format!("{column}::numeric")
    }
}

fn is_measured(metric: &Definition) -> String {
    let column = format!("h.{}", metric.column);
    if metric.sql_type == SqlType::Numeric {
        format!("vitals.finite({column}) is not null")
    } else {
        format!("{column} is not null")
    }
}

/// A row of `vitals.metric()`.
fn row(metric: &Definition) -> String {
    let Definition { column, title, unit, kind, range: (lowest, highest), .. } = metric;
    let kind = match kind {
        Kind::VitalSign => "vital sign",
        Kind::DayTotal => "day total",
        Kind::Position => "position",
    };
    format!("('{column}', '{title}', '{unit}', '{kind}', {lowest}, {highest})")
}

/// Whole numbers as whole numbers: comparing them costs a tenth of comparing numerics.
fn narrowest_bounds(metric: &Definition) -> [String; 2] {
    let column = metric.column;
    let (low, high) = (
        format!("max(b.min) filter (where b.metric = '{column}')"),
        format!("min(b.max) filter (where b.metric = '{column}')"),
    );
    if metric.sql_type == SqlType::Numeric {
        [format!("{low} as {column}_min"), format!("{high} as {column}_max")]
    } else {
        [format!("ceil({low})::integer as {column}_min"), format!("floor({high})::integer as {column}_max")]
    }
}

/// The columns of the rollup over `health_data`.
fn of_readings(metric: &Definition) -> Vec<String> {
    let column = metric.column;
    let parts: &[&str] = match metric.kind {
        Kind::VitalSign => &["min", "max", "sum", "count", "avg"],
        Kind::DayTotal => &["max"],
        Kind::Position => &[],
    };
    parts.iter().map(|part| format!("{part}({column}) as {column}_{part}")).collect()
}

/// The columns of a rollup over another one; `days`: that other one is of days.
fn of_buckets(metric: &Definition, days: bool) -> Vec<String> {
    let column = metric.column;
    match metric.kind {
        Kind::VitalSign => vec![
            format!("min({column}_min) as {column}_min"),
            format!("max({column}_max) as {column}_max"),
            // The sum of bigints is a numeric, and the sum of numerics is one already.
            match metric.sql_type {
                SqlType::Numeric => format!("sum({column}_sum) as {column}_sum"),
                _ => format!("sum({column}_sum)::bigint as {column}_sum"),
            },
            format!("sum({column}_count)::bigint as {column}_count"),
            format!("sum({column}_sum) / sum({column}_count) as {column}_avg"),
        ],
        Kind::DayTotal if days => {
            vec![format!("max({column}_max) as {column}_max"), format!("sum({column}_max) as {column}_sum")]
        }
        Kind::DayTotal => vec![format!("max({column}_max) as {column}_max")],
        Kind::Position => Vec::new(),
    }
}

/// What the panels of one person show of a rollup, means rounded.
fn of_person(metric: &Definition) -> Vec<String> {
    let Definition { column, kind, decimals, .. } = metric;
    match kind {
        Kind::VitalSign => vec![
            format!("{column}_min"),
            format!("round({column}_avg, {decimals}) as {column}_avg"),
            format!("{column}_max"),
        ],
        Kind::DayTotal => vec![format!("{column}_max")],
        Kind::Position => Vec::new(),
    }
}

/// Whether `dashboard.latest` shows it.
fn is_latest(metric: &Definition) -> bool {
    metric.column != "altitude"
}

fn comment_on(view: &str, metric: &'static Definition) -> String {
    let Definition { column, unit, kind, .. } = metric;
    let title = metric.capitalised_title();
    let text = match kind {
        Kind::VitalSign => format!("{title}, {unit}. NULL: not measured."),
        Kind::DayTotal => format!("{title} of the local day so far, {unit}. NULL: not sent."),
        Kind::Position => format!("{title}, {unit}. NULL: no position."),
    };
    format!("comment on column {view}.{column} is '{text}';")
}

/// A row of the table of `src/wire/README.md`.
fn field(metric: Metric) -> String {
    let Definition { title, symbol, ucum, loinc, range: (lowest, highest), kind, .. } = metric.definition();
    let names: Vec<String> = metric.names().map(|name| format!("`{name}`")).collect();
    let zero = match kind {
        Kind::VitalSign => "0 is \"not measured\"",
        Kind::DayTotal => "running total of the local day, 0 is real",
        Kind::Position => "0/0 is no position",
    };
    let loinc = loinc.unwrap_or("none");
    let unit = if title.ends_with(symbol) { String::new() } else { format!(", {symbol}") };
    format!("| {title}{unit} | {} | {lowest} to {highest}; {zero} | `{ucum}` | {loinc} |", names.join(", "))
}

/// A list, in lines that are not too long.
fn wrapped(words: &[String], end: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for (index, word) in words.iter().enumerate() {
        let word = format!("{word}{}", if index + 1 < words.len() { "," } else { end });
        match lines.last_mut() {
            Some(line) if line.len() + 1 + word.len() <= WIDTH => {
                line.push(' ');
                line.push_str(&word);
            }
            _ => lines.push(word),
        }
    }
    lines
}

/// A list, one a line.
fn separated(items: impl Iterator<Item = String>) -> Vec<String> {
    let items: Vec<String> = items.collect();
    let last = items.len().saturating_sub(1);
    let line = |(index, item): (usize, String)| if index == last { item } else { format!("{item},") };
    items.into_iter().enumerate().map(line).collect()
}

fn joined_by_or(items: impl Iterator<Item = String>) -> Vec<String> {
    items.enumerate().map(|(index, item)| if index == 0 { item } else { format!("or {item}") }).collect()
}
