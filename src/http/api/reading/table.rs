//! Rows as lines of NDJSON or CSV.
//!
//! Before: `store::dashboard` gives the rows. After: the body of an answer.
//! Promise: a line of CSV has the values of the JSON of its row, in a fixed order; NULL is empty. No text is a formula.

use std::borrow::Cow;

use serde::de::{Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::model::latest_sample::MeasuredValues;
use crate::model::{
    DayOfExercise, DeviceState, EventEntry, Latest, Night, PersonSummary, TrackPoint, WorkoutEntry,
};

/// How rows of a kind are written.
pub(super) trait Table<T>: Send + 'static {
    /// Names of the columns.
    fn columns(&self) -> Vec<String>;

    /// Appends the JSON of a row.
    fn write_json(&self, row: &T, line: &mut Vec<u8>) -> Result<(), serde_json::Error>;

    /// Appends the cells of a row, without the end of the line.
    fn write_csv(&self, row: &T, line: &mut Vec<u8>) -> Result<(), serde_json::Error>;
}

/// A row whose JSON is an object with these fields.
pub(super) trait Fields: Serialize + Send + 'static {
    /// Their names, in their order.
    fn names() -> Vec<&'static str>;
}

macro_rules! fields {
    ($($kind:ident: $($name:ident),+;)+) => {
        $(impl Fields for $kind {
            fn names() -> Vec<&'static str> {
                vec![$(stringify!($name)),+]
            }
        })+
    };
}

fields! {
    PersonSummary: user_id, name, room, org_id, org_name, customer_id, customer_name, devices, device_sn, last_ts, online,
        wear_state, battery_level, open_alerts, severity;
    DeviceState: device_sn, user_id, user_name, room, org_id, org_name, customer_id, customer_name, last_ts, online, open_alerts,
        severity, model, system_version, battery_level, voltage, charging_status, wear_state, network_mode, status,
        clock_offset_seconds, info_ts, first_seen_at;
    Night: device_sn, night, start_ts, end_ts, sleeps, light_hours, deep_hours, unknown_hours, total_hours, user_id;
    DayOfExercise: device_sn, day, strength_minutes, active_hours, steps, user_id;
    WorkoutEntry: device_sn, start_ts, end_ts, workout_type, type_name, calorie, distance, user_id;
    EventEntry: device_sn, ts, event_type, severity, value, latitude, longitude, altitude, received_at, user_id;
    TrackPoint: device_sn, ts, latitude, longitude, altitude, user_id;
}

impl Fields for Latest {
    fn names() -> Vec<&'static str> {
        let of_sample = ["device_sn", "ts", "user_id", "user_name", "org_id", "org_name", "customer_id"];
        of_sample.into_iter().chain(MeasuredValues::metrics().map(|metric| metric.column())).collect()
    }
}

/// The table of a kind whose rows are objects with fixed fields.
#[derive(Debug)]
pub(super) struct FieldTable;

impl<T: Fields> Table<T> for FieldTable {
    fn columns(&self) -> Vec<String> {
        T::names().into_iter().map(str::to_owned).collect()
    }

    fn write_json(&self, row: &T, line: &mut Vec<u8>) -> Result<(), serde_json::Error> {
        serde_json::to_writer(line, row)
    }

    fn write_csv(&self, row: &T, line: &mut Vec<u8>) -> Result<(), serde_json::Error> {
        let json = serde_json::to_vec(row)?;
        let Object(values) = serde_json::from_slice(&json)?;
        for (place, name) in T::names().into_iter().enumerate() {
            if place > 0 {
                line.push(b',');
            }
            let value =
                values.iter().find(|(field, _)| *field == name).map_or("null", |(_, value)| value.get());
            match value.as_bytes() {
                [b'"', ..] => write_cell(&serde_json::from_str::<String>(value)?, line),
                b"null" => {}
                other => line.extend_from_slice(other),
            }
        }
        Ok(())
    }
}

/// A cell of text, in quotes where it needs them. A spreadsheet would run what begins like a formula: an apostrophe before it says that it
/// is text.
pub(super) fn write_cell(text: &str, line: &mut Vec<u8>) {
    let is_formula = text.trim_start().starts_with(['=', '+', '-', '@']) && text.parse::<f64>().is_err();
    let text = &*if is_formula { Cow::Owned(format!("'{text}")) } else { Cow::Borrowed(text) };
    if !text.contains(['"', ',', '\r', '\n']) && text.trim() == text {
        return line.extend_from_slice(text.as_bytes());
    }
    line.push(b'"');
    line.extend_from_slice(text.replace('"', "\"\"").as_bytes());
    line.push(b'"');
}

/// The fields of an object, in their order.
struct Object<'a>(Vec<(&'a str, &'a RawValue)>);

impl<'a> Deserialize<'a> for Object<'a> {
    fn deserialize<D: Deserializer<'a>>(deserializer: D) -> Result<Self, D::Error> {
        struct FieldVisitor;
        impl<'a> Visitor<'a> for FieldVisitor {
            type Value = Object<'a>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<Object<'a>, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Object(fields))
            }
        }
        deserializer.deserialize_map(FieldVisitor)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use utoipa::PartialSchema;

    use super::*;
    use crate::model::Exact;

    /// The names of the fields in the document.
    fn described<T: PartialSchema>() -> BTreeSet<String> {
        let schema = serde_json::to_value(T::schema()).expect("a schema is JSON");
        let properties = schema["properties"].as_object().expect("an object").keys();
        properties.cloned().collect()
    }

    fn named<T: Fields>() -> BTreeSet<String> {
        T::names().into_iter().map(str::to_owned).collect()
    }

    #[test]
    fn every_field_is_a_column() {
        assert_eq!(named::<PersonSummary>(), described::<PersonSummary>());
        assert_eq!(named::<DeviceState>(), described::<DeviceState>());
        assert_eq!(named::<Night>(), described::<Night>());
        assert_eq!(named::<DayOfExercise>(), described::<DayOfExercise>());
        assert_eq!(named::<WorkoutEntry>(), described::<WorkoutEntry>());
        assert_eq!(named::<EventEntry>(), described::<EventEntry>());
        assert_eq!(named::<TrackPoint>(), described::<TrackPoint>());
    }

    #[test]
    fn a_line_of_csv_has_quotes_where_it_needs_them_and_nothing_for_null() {
        let workout = WorkoutEntry {
            device_sn: "A \"1\", b".to_owned(),
            start_ts: "2026-01-31T08:00:00Z".parse().expect("a time"),
            end_ts: "2026-01-31T09:00:00Z".parse().expect("a time"),
            workout_type: None,
            type_name: Some("跑步".to_owned()),
            calorie: Some(Exact("1.50".parse().expect("a decimal"))),
            distance: None,
            user_id: None,
        };
        let mut line = Vec::new();
        FieldTable.write_csv(&workout, &mut line).expect("a line");
        let expected = "\"A \"\"1\"\", b\",2026-01-31T08:00:00Z,2026-01-31T09:00:00Z,,跑步,1.50,,";
        assert_eq!(String::from_utf8(line).expect("text"), expected);
    }

    #[test]
    fn what_a_device_or_a_person_wrote_is_no_formula_in_a_spreadsheet() {
        for (text, cell) in [
            ("=HYPERLINK(\"http://x\")", "\"'=HYPERLINK(\"\"http://x\"\")\""),
            ("+1+1", "'+1+1"),
            ("-1+1", "'-1+1"),
            ("-1.50", "-1.50"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\t=1", "'\t=1"),
            ("Ward 3-4 = @home", "Ward 3-4 = @home"),
        ] {
            let mut line = Vec::new();
            write_cell(text, &mut line);
            assert_eq!(String::from_utf8(line).expect("text"), cell, "{text}");
        }
    }
}
