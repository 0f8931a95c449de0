//! A rule that a person describes: one that is stored, or a file, with changes.
//!
//! Before: options. After: `replay` tries it out, `rule_change` stores it; the database says whether it is valid.

use std::path::Path;

use anyhow::{Context, bail};
use serde_json::{Map, Value};

use crate::language::{Locale, text};
use crate::model::RuleDraft;
use crate::model::alert_rule::KEPT_COLUMNS;
use crate::store::{Store, alert_rule};

/// Its columns, with its number if it is stored: it does not stand in its own way.
pub(super) async fn columns(
    id: Option<i64>,
    file: Option<&Path>,
    set: &[String],
    locale: &Locale,
    store: &Store,
) -> anyhow::Result<Value> {
    let draft = read(id, file, set, locale, store).await?;
    let mut columns = object(draft.columns(), locale)?;
    columns.extend(id.map(|id| ("rule_id".to_owned(), id.into())));
    Ok(Value::Object(columns))
}

/// The rule: the stored one or that of the file, with the changes.
pub(super) async fn read(
    id: Option<i64>,
    file: Option<&Path>,
    set: &[String],
    locale: &Locale,
    store: &Store,
) -> anyhow::Result<RuleDraft> {
    let mut columns = match (id, file) {
        (Some(id), _) => match alert_rule::read(store, id).await? {
            Some(rule) => object(rule.columns(), locale)?,
            None => bail!(locale.text(&text!("rule-absent", id = id.to_string()))),
        },
        (None, Some(file)) => read_file(file, locale)?,
        (None, None) => Map::new(),
    };
    columns.retain(|name, _| !KEPT_COLUMNS.contains(&name.as_str()));
    for change in set {
        let (column, value) = parse(change, locale)?;
        columns.insert(column.to_owned(), value);
    }
    // What the draft knows is what a rule can have.
    RuleDraft::read(columns).map_err(anyhow::Error::msg)
}

fn read_file(file: &Path, locale: &Locale) -> anyhow::Result<Map<String, Value>> {
    let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
    let is_json = file.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
    let columns: Value = if is_json {
        serde_json::from_str(&text).with_context(|| file.display().to_string())?
    } else {
        toml::from_str(&text).with_context(|| file.display().to_string())?
    };
    object(columns, locale)
}

fn object(value: Value, locale: &Locale) -> anyhow::Result<Map<String, Value>> {
    match value {
        Value::Object(columns) => Ok(columns),
        _ => bail!(locale.text(&text!("rule-no-object"))),
    }
}

/// `column=value`: JSON where it is, else text.
fn parse<'a>(change: &'a str, locale: &Locale) -> anyhow::Result<(&'a str, Value)> {
    let Some((column, value)) = change.split_once('=') else {
        bail!(locale.text(&text!("rule-no-change", change = change)));
    };
    let value = serde_json::from_str(value).unwrap_or_else(|_| Value::from(value));
    Ok((column.trim(), value))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn locale() -> Locale {
        Locale { language: crate::language::Language::En, zone: jiff::tz::TimeZone::UTC }
    }

    #[test]
    fn a_change_is_json_where_it_can_be() {
        for (change, column, value) in [
            ("min_value=85", "min_value", json!(85)),
            ("min_value=85.5", "min_value", json!(85.5)),
            ("max_value=null", "max_value", Value::Null),
            ("effective_days=[6,7]", "effective_days", json!([6, 7])),
            ("effective_from=22:00", "effective_from", json!("22:00")),
            ("message={device_sn}=low", "message", json!("{device_sn}=low")),
        ] {
            assert_eq!(parse(change, &locale()).expect(change), (column, value));
        }
        assert!(parse("min_value", &locale()).is_err());
    }
}
