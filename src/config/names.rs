//! The names of settings in the file and in the environment.
//!
//! Before: [`Settings::load`]. After: confique reads the values. Promise: the variable of a setting is `VITALS_` and its path,
//! `notify.webhook_allow_private` ↔ `VITALS_NOTIFY_WEBHOOK_ALLOW_PRIVATE`; an unknown name, in any table, is refused with the
//! nearest known one; old names of variables still work.

use std::collections::BTreeMap;
use std::path::Path;

use confique::meta::{Expr, Field, FieldKind, LeafKind, Meta};
use confique::{Config, Layer};
use serde::Deserialize;
use toml::de::{DeTable, DeValue};
use toml::{Table, Value};

use super::{CONFIG_VARIABLE, Settings, SettingsError};

/// The prefix of every variable.
const PREFIX: &str = "VITALS_";

/// The prefix of variables of `docker/stack`, which are not for the service.
const STACK_PREFIX: &str = "VITALS_STACK_";

/// A name is proposed only if it is at least this similar, 0 to 1.
const SIMILAR: f64 = 0.6;

/// Old names of variables, and their settings.
const OLD_VARIABLES: &[(&str, &str)] = &[
    ("VITALS_MAX_CONNECTIONS", "limits.max_connections"),
    ("VITALS_MAX_HEADER_BYTES", "limits.max_header_bytes"),
    ("VITALS_MAX_HEADERS", "limits.max_headers"),
    ("VITALS_WRITE_TIMEOUT_MS", "limits.write_timeout_ms"),
    ("VITALS_ADDRESS_REQUESTS_PER_SECOND", "limits.address_requests_per_second"),
    ("VITALS_ADDRESS_BURST", "limits.address_burst"),
    ("VITALS_KEY_REQUESTS_PER_SECOND", "limits.key_requests_per_second"),
    ("VITALS_KEY_BURST", "limits.key_burst"),
    ("VITALS_FAILURES_PER_MINUTE", "limits.failures_per_minute"),
    ("VITALS_TRUSTED_PROXIES", "limits.trusted_proxies"),
    ("VITALS_WEBHOOK_ALLOW_PRIVATE", "notify.webhook_allow_private"),
    ("VITALS_WECHAT_BASE_URL", "notify.wechat_base_url"),
    ("VITALS_WECHAT_APP_ID", "notify.wechat_app_id"),
    ("VITALS_WECHAT_APP_SECRET", "notify.wechat_app_secret"),
    ("VITALS_WECHAT_TEMPLATE_ID", "notify.wechat_template_id"),
    ("VITALS_WECHAT_TEMPLATE_FIELDS", "notify.wechat_template_fields"),
    ("VITALS_WECOM_BASE_URL", "notify.wecom_base_url"),
    ("VITALS_WECOM_CORP_ID", "notify.wecom_corp_id"),
    ("VITALS_WECOM_SECRET", "notify.wecom_secret"),
    ("VITALS_WECOM_AGENT_ID", "notify.wecom_agent_id"),
    ("VITALS_WECOM_ROBOT_INTERVAL_MS", "notify.wecom_robot_interval_ms"),
    ("VITALS_SMTP_URL", "notify.smtp_url"),
    ("VITALS_SMTP_FROM", "notify.smtp_from"),
    ("VITALS_SUMMARY_INTERVAL_SECONDS", "monitor.summary_interval_seconds"),
    ("VITALS_SYSTEM_ALERT_AFTER_SECONDS", "monitor.alert_after_seconds"),
    ("VITALS_MEMORY_LIMIT_BYTES", "monitor.memory_limit_bytes"),
    ("VITALS_OTLP_ENDPOINT", "monitor.otlp_endpoint"),
    ("VITALS_TRACE_SAMPLE_RATIO", "monitor.trace_sample_ratio"),
    ("VITALS_OPERATORS", "monitor.operators"),
    ("VITALS_OPERATORS_WEBHOOK_SECRET", "monitor.operators_webhook_secret"),
];

/// The variables of the environment that are valid UTF-8.
pub(super) type Environment = BTreeMap<String, String>;

/// The variable of a setting.
fn variable(path: &str) -> String {
    format!("{PREFIX}{}", path.replace('.', "_").to_uppercase())
}

/// Refuses names in the file that are no settings.
pub(super) fn refuse_unknown_keys(file: &Path) -> Result<(), SettingsError> {
    // A file that is not UTF-8 or not TOML is refused when the values are read.
    let Ok(text) = std::fs::read_to_string(file) else { return Ok(()) };
    let Ok(table) = DeTable::parse(&text) else { return Ok(()) };
    let mut unknown = Vec::new();
    find_unknown(table.get_ref(), Settings::META.fields, "", &mut unknown);
    let known = paths();
    let refusals: Vec<String> = unknown
        .iter()
        .map(|(path, at)| {
            let line = text[..*at].matches('\n').count() + 1;
            let position = format!("{}, line {line}", file.display());
            format!("{position}: there is no setting {path}{}", hint(path, known.iter().map(String::as_str)))
        })
        .collect();
    if refusals.is_empty() { Ok(()) } else { Err(SettingsError::Invalid(refusals.join("; "))) }
}

/// Path and byte offset of every key that is not a field.
fn find_unknown(table: &DeTable<'_>, fields: &[Field], prefix: &str, unknown: &mut Vec<(String, usize)>) {
    for (key, value) in table {
        let name = key.get_ref().as_ref();
        match (fields.iter().find(|field| field.name == name).map(|field| field.kind), value.get_ref()) {
            (None, _) => unknown.push((format!("{prefix}{name}"), key.span().start)),
            (Some(FieldKind::Nested { meta }), DeValue::Table(inner)) => {
                find_unknown(inner, meta.fields, &format!("{prefix}{name}."), unknown);
            }
            // A wrong type is refused when the values are read.
            _ => {}
        }
    }
}

/// Refuses variables with our prefix that are not settings.
pub(super) fn refuse_unknown_variables(environment: &Environment) -> Result<(), SettingsError> {
    let mut known: Vec<String> = paths().iter().map(|path| variable(path)).collect();
    known.extend(OLD_VARIABLES.iter().map(|(old, _)| (*old).to_owned()));
    known.push(CONFIG_VARIABLE.to_owned());
    let ours = environment.keys().filter(|name| name.starts_with(PREFIX) && !name.starts_with(STACK_PREFIX));
    let refusals: Vec<String> = ours
        .filter(|name| !known.contains(name))
        .map(|name| {
            let hint = hint(name, known.iter().map(String::as_str));
            format!("{name} is set, but there is no such setting{hint}")
        })
        .collect();
    if refusals.is_empty() { Ok(()) } else { Err(SettingsError::Invalid(refusals.join("; "))) }
}

/// The settings that old names of variables give.
pub(super) fn from_old_variables(
    environment: &Environment,
) -> Result<<Settings as Config>::Layer, SettingsError> {
    let mut layer = <Settings as Config>::Layer::empty();
    for (old, path) in OLD_VARIABLES {
        let Some(text) = environment.get(*old) else { continue };
        let new = variable(path);
        if let Some(other) = environment.get(&new)
            && other != text
        {
            let reason =
                format!("{old} is the older name of {new}, and they have different values: set one of them");
            return Err(SettingsError::Invalid(reason));
        }
        let value = value(&leaf(path), text);
        let read = value.and_then(|value| {
            <Settings as Config>::Layer::deserialize(nested(path, value)).map_err(|error| error.to_string())
        });
        match read {
            Ok(read) => layer = layer.with_fallback(read),
            // As for every variable: an empty text that is not a valid value counts as unset.
            Err(_) if text.is_empty() => {}
            Err(reason) => return Err(SettingsError::Invalid(format!("{old}: {}", reason.trim()))),
        }
    }
    Ok(layer)
}

/// The path `a.b` and a value, as nested tables.
fn nested(path: &str, value: Value) -> Value {
    let wrap = |value, name: &str| Value::Table(Table::from_iter([(name.to_owned(), value)]));
    path.rsplit('.').fold(value, wrap)
}

/// Parses a text as a value of the type of the default.
fn value(default: &Expr, text: &str) -> Result<Value, String> {
    let text = text.trim();
    let fault = |error: &dyn std::fmt::Display| format!("\"{text}\": {error}");
    Ok(match default {
        Expr::Integer(_) => Value::Integer(text.parse().map_err(|error| fault(&error))?),
        Expr::Float(_) => Value::Float(text.parse().map_err(|error| fault(&error))?),
        Expr::Bool(_) => match text.to_ascii_lowercase().as_str() {
            "1" | "true" | "yes" => Value::Boolean(true),
            "0" | "false" | "no" => Value::Boolean(false),
            _ => return Err(fault(&"is neither true nor false")),
        },
        Expr::Array(_) => {
            Value::Array(text.split(',').map(|part| Value::String(part.trim().to_owned())).collect())
        }
        _ => Value::String(text.to_owned()),
    })
}

/// The default of a setting.
fn leaf(path: &str) -> Expr {
    let mut fields = Settings::META.fields;
    for name in path.split('.') {
        match fields.iter().find(|field| field.name == name).map(|field| field.kind) {
            Some(FieldKind::Nested { meta }) => fields = meta.fields,
            Some(FieldKind::Leaf { kind: LeafKind::Required { default: Some(default) }, .. }) => {
                return default;
            }
            _ => break,
        }
    }
    Expr::Str("")
}

/// The variable of every setting.
#[cfg(test)]
pub(super) fn variables() -> Vec<&'static str> {
    fn collect(meta: &Meta, found: &mut Vec<&'static str>) {
        for field in meta.fields {
            match field.kind {
                FieldKind::Leaf { env, .. } => found.extend(env),
                FieldKind::Nested { meta } => collect(meta, found),
            }
        }
    }
    let mut found = Vec::new();
    collect(&Settings::META, &mut found);
    found
}

/// The path of every setting and of every table.
fn paths() -> Vec<String> {
    fn collect(meta: &Meta, prefix: &str, paths: &mut Vec<String>) {
        for field in meta.fields {
            let path = format!("{prefix}{}", field.name);
            if let FieldKind::Nested { meta } = field.kind {
                collect(meta, &format!("{path}."), paths);
            }
            paths.push(path);
        }
    }
    let mut paths = Vec::new();
    collect(&Settings::META, "", &mut paths);
    paths
}

/// The nearest known name, as the end of an error message.
fn hint<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    let nearest = known
        .map(|candidate| (similarity(name, candidate), candidate))
        .max_by(|one, other| one.0.total_cmp(&other.0))
        .filter(|(similarity, _)| *similarity >= SIMILAR);
    match nearest {
        Some((_, nearest)) => format!("; the nearest is {nearest}"),
        None => "; `vitals settings` prints all there are".to_owned(),
    }
}

/// How similar two names are, 0 to 1: with the table, or without it, because it is easily left out or mistaken.
fn similarity(name: &str, candidate: &str) -> f64 {
    let bare = |name: &str| {
        let path = name.strip_prefix(PREFIX).unwrap_or(name).to_lowercase();
        let tables =
            Settings::META.fields.iter().filter(|field| matches!(field.kind, FieldKind::Nested { .. }));
        let inner = tables.filter_map(|table| path.strip_prefix(table.name)?.strip_prefix(['.', '_'])).next();
        let inner = inner.map(str::to_owned);
        (path.clone(), inner.unwrap_or(path))
    };
    let ((name, inner_name), (candidate, inner_candidate)) = (bare(name), bare(candidate));
    let alike = strsim::normalized_damerau_levenshtein;
    // The same name in another table is nearer than a similar name, but not as near as the full path.
    alike(&name, &candidate).max(alike(&inner_name, &inner_candidate) * 0.99)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(variables: &[(&str, &str)]) -> Environment {
        variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    /// Path and variable of every setting.
    fn variables(meta: &Meta, prefix: &str, found: &mut Vec<(String, Option<&'static str>)>) {
        for field in meta.fields {
            match field.kind {
                FieldKind::Leaf { env, .. } => found.push((format!("{prefix}{}", field.name), env)),
                FieldKind::Nested { meta } => variables(meta, &format!("{prefix}{}.", field.name), found),
            }
        }
    }

    #[test]
    fn the_variable_of_a_setting_is_its_path() {
        let mut found = Vec::new();
        variables(&Settings::META, "", &mut found);
        assert!(found.len() > 50, "{found:?}");
        for (path, variable) in &found {
            assert_eq!(*variable, Some(super::variable(path).as_str()), "{path}");
        }
        let mut names = super::variables();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), found.len(), "one variable, one setting");
    }

    #[test]
    fn an_old_variable_names_a_setting_and_is_not_a_present_one() {
        let paths = paths();
        for (old, path) in OLD_VARIABLES {
            assert!(paths.iter().any(|known| known == path), "{path}");
            assert!(!paths.iter().any(|known| variable(known) == *old), "{old}");
        }
    }

    #[test]
    fn an_old_variable_still_works_for_every_kind_of_value() {
        let layer = from_old_variables(&environment(&[
            ("VITALS_MAX_CONNECTIONS", "17"),
            ("VITALS_WEBHOOK_ALLOW_PRIVATE", "true"),
            ("VITALS_TRACE_SAMPLE_RATIO", "1"),
            ("VITALS_TRUSTED_PROXIES", "10.0.0.0/8, 192.168.0.1"),
            ("VITALS_OPERATORS", "email:ops@example.org"),
            ("VITALS_KEY_BURST", ""),
        ]))
        .expect("read");
        let settings = Settings::builder().preloaded(layer).load().expect("settings");
        assert_eq!(settings.limits.max_connections, 17);
        assert!(settings.notify.webhook_allow_private);
        assert!((settings.monitor.trace_sample_ratio - 1.0).abs() < f64::EPSILON);
        assert_eq!(settings.limits.trusted_proxies.len(), 2);
        assert_eq!(settings.monitor.operators, "email:ops@example.org");
        assert_eq!(settings.limits.key_burst, 0);
    }

    #[test]
    fn an_old_variable_with_an_invalid_value_is_refused_by_its_name() {
        for value in ["many", "-1"] {
            let refused = from_old_variables(&environment(&[("VITALS_MAX_CONNECTIONS", value)]));
            let refusal = refused.err().expect("refused").to_string();
            assert!(refusal.contains("VITALS_MAX_CONNECTIONS"), "{refusal}");
        }
    }

    #[test]
    fn an_old_and_a_new_name_may_only_have_the_same_value() {
        let both = |new: &str| {
            from_old_variables(&environment(&[
                ("VITALS_SMTP_FROM", "a@example.org"),
                ("VITALS_NOTIFY_SMTP_FROM", new),
            ]))
        };
        both("a@example.org").expect("the same");
        let refusal = both("b@example.org").err().expect("different").to_string();
        assert!(
            refusal.contains("VITALS_SMTP_FROM is the older name of VITALS_NOTIFY_SMTP_FROM"),
            "{refusal}"
        );
    }

    #[test]
    fn a_misspelt_variable_is_refused_with_the_nearest_name() {
        for (wrong, nearest) in [
            ("VITALS_LINGERMS", "VITALS_LINGER_MS"),
            ("VITALS_NOTIFY_WEBHOOK_ALOW_PRIVATE", "VITALS_NOTIFY_WEBHOOK_ALLOW_PRIVATE"),
            ("VITALS_DATABSE_URL", "VITALS_DATABASE_URL"),
            ("VITALS_TRACE_RATIO", "VITALS_TRACE_SAMPLE_RATIO"),
        ] {
            let refused = refuse_unknown_variables(&environment(&[(wrong, "1")]));
            let refusal = refused.expect_err(wrong).to_string();
            assert!(refusal.contains(wrong) && refusal.ends_with(nearest), "{refusal}");
        }
        let refused = refuse_unknown_variables(&environment(&[("VITALS_QQQQQQ", "1")]));
        assert!(refused.expect_err("unknown").to_string().contains("`vitals settings`"));
        let known =
            [("VITALS_LINGER_MS", "2"), ("VITALS_OPERATORS", ""), ("HOME", "/"), ("VITALS_STACK_DIR", "/")];
        refuse_unknown_variables(&environment(&known)).expect("known");
    }

    #[test]
    fn an_unknown_key_is_refused_in_every_table_with_its_line_and_the_nearest_name() {
        let place = std::env::temp_dir().join(format!("vitals-names-{}.toml", std::process::id()));
        let refusal = |text: &str| {
            std::fs::write(&place, text).expect("written");
            refuse_unknown_keys(&place).map_err(|error| error.to_string())
        };
        for (text, line, nearest) in [
            ("lingerms = 2", 1, "linger_ms"),
            ("linger_ms = 2\n[notify]\nwebhook_alow_private = true", 3, "notify.webhook_allow_private"),
            ("notify.webhook_alow_private = true", 1, "notify.webhook_allow_private"),
            ("webhook_allow_private = true", 1, "notify.webhook_allow_private"),
            ("[notify]\nattempts = 3\nlinger_ms = 2", 3, "linger_ms"),
            ("[limit]\nmax_connections = 3", 1, "limits"),
            ("[monitor.notify]\nattempts = 3", 1, "notify"),
        ] {
            let refusal = refusal(text).expect_err(text);
            assert!(refusal.contains(&format!("line {line}:")), "{text}: {refusal}");
            assert!(refusal.ends_with(&format!("the nearest is {nearest}")), "{text}: {refusal}");
        }
        let two = refusal("lingerms = 2\nqueue_row = 1").expect_err("two");
        assert!(two.contains("linger_ms") && two.contains("queue_rows"), "{two}");
        refusal(&super::super::template().replace("\n#", "\n")).expect("what the template has is known");
        std::fs::remove_file(&place).expect("removed");
    }
}
