//! The columns of a file: their positions, and the values of their fields.
//!
//! Before: `lines` has split a line into fields. After: it builds an entry from the values.

use csv::ByteRecord;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::language::Language;
use crate::model::notification::Channel;
use crate::model::reading::MAX_SERIAL_BYTES;

/// The index of a column in the file; `None`: the file does not have it.
pub(super) type ColumnIndex = Option<usize>;

/// Finds `names` in the line of column names, in their order.
///
/// # Errors
/// Names the columns among the first `required` that are missing, or one that is there twice.
pub(super) fn find(header: &ByteRecord, names: &[&str], required: usize) -> Result<Vec<ColumnIndex>, String> {
    let given: Vec<String> = header.iter().map(|name| normalized(&String::from_utf8_lossy(name))).collect();
    let mut indexes = Vec::with_capacity(names.len());
    for name in names {
        let mut found = given.iter().enumerate().filter(|(_, given)| **given == normalized(name));
        indexes.push(found.next().map(|(place, _)| place));
        if found.next().is_some() {
            return Err(format!("the column {name} is there twice"));
        }
    }
    let missing: Vec<&str> = names[..required]
        .iter()
        .zip(&indexes)
        .filter(|(_, place)| place.is_none())
        .map(|(name, _)| *name)
        .collect();
    if missing.is_empty() {
        return Ok(indexes);
    }
    Err(format!(
        "the first line must name the columns {}; {} missing",
        names[..required].join(", "),
        missing.join(", ")
    ))
}

/// The columns of a file that are not among `names`, as spelled in the file.
pub(super) fn unknown(header: &ByteRecord, names: &[&str]) -> Vec<String> {
    let given = header.iter().map(|name| String::from_utf8_lossy(name).into_owned());
    given.filter(|given| !names.iter().any(|name| normalized(name) == normalized(given))).collect()
}

/// A name without case and separators: `org_id`, `orgId` and `Org ID` are the same name.
fn normalized(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// The fields of one line.
pub(super) struct RowFields<'a> {
    pub(super) record: &'a ByteRecord,
    pub(super) indexes: &'a [ColumnIndex],
    pub(super) zone: &'a TimeZone,
}

impl RowFields<'_> {
    /// The text of a column; empty if the file has no such column.
    pub(super) fn text(&self, column: usize) -> Result<&str, String> {
        let Some(field) = self.indexes[column].and_then(|place| self.record.get(place)) else {
            return Ok("");
        };
        let text = std::str::from_utf8(field).map_err(|_| "not UTF-8".to_owned())?.trim();
        if text.contains('\0') { Err("a zero byte in the text".to_owned()) } else { Ok(text) }
    }

    /// A name; `None`: the field is empty.
    pub(super) fn name(&self, column: usize) -> Result<Option<String>, String> {
        Ok(Some(self.text(column)?).filter(|name| !name.is_empty()).map(str::to_owned))
    }

    /// A name that a file may leave as it is; `None`: the line does not have the column; empty: it has none any more.
    pub(super) fn name_to_set(&self, column: usize) -> Result<Option<String>, String> {
        let is_there = self.indexes[column].is_some_and(|place| self.record.get(place).is_some());
        if is_there { Ok(Some(self.text(column)?.to_owned())) } else { Ok(None) }
    }

    /// An id; `None`: the field is empty.
    pub(super) fn id(&self, column: usize, name: &str) -> Result<Option<i64>, String> {
        match self.text(column)? {
            "" => Ok(None),
            text => match text.parse() {
                Ok(id) if id > 0 => Ok(Some(id)),
                _ => Err(format!(
                    "{name} \"{text}\" is not a whole number from 1 up, of at most 64 bits{}",
                    hint(text)
                )),
            },
        }
    }

    /// An id that must be there.
    pub(super) fn required_id(&self, column: usize, name: &str) -> Result<i64, String> {
        self.id(column, name)?.ok_or_else(|| format!("{name} is missing"))
    }

    /// The name of a channel; `None`: the field is empty.
    pub(super) fn channel(&self, column: usize) -> Result<Option<&'static str>, String> {
        match self.text(column)? {
            "" => Ok(None),
            text => match Channel::of_name(text) {
                Some(channel) => Ok(Some(channel.name())),
                None => Err(format!(
                    "channel \"{text}\" is none of: {}",
                    Channel::ALL.map(Channel::name).join(", ")
                )),
            },
        }
    }

    /// The tag of a language; `None`: the field is empty.
    pub(super) fn language(&self, column: usize) -> Result<Option<&'static str>, String> {
        match self.text(column)? {
            "" => Ok(None),
            text => match Language::of_tag(text) {
                Some(language) => Ok(Some(language.tag())),
                None => Err(format!(
                    "language \"{text}\" is none of: {}",
                    Language::ALL.map(Language::tag).join(", ")
                )),
            },
        }
    }

    /// Ids from the root down.
    pub(super) fn ids(&self, column: usize, name: &str) -> Result<Vec<i64>, String> {
        let text = self.text(column)?;
        text.split(|c: char| matches!(c, ',' | ';' | '/' | '|' | '[' | ']' | '{' | '}') || c.is_whitespace())
            .filter(|id| !id.is_empty())
            .map(|id| match id.parse() {
                Ok(id) if id >= 0 => Ok(id),
                _ => Err(format!(
                    "{name}: \"{id}\" is not a whole number from 0 up, of at most 64 bits{}",
                    hint(id)
                )),
            })
            .collect()
    }

    /// The serial of a device.
    pub(super) fn serial(&self, column: usize) -> Result<String, String> {
        match self.text(column)? {
            "" => Err("device_sn is missing".to_owned()),
            text if text.len() > MAX_SERIAL_BYTES => {
                Err(format!("device_sn is longer than {MAX_SERIAL_BYTES} bytes"))
            }
            text if text.contains(char::is_control) => Err("a control character in device_sn".to_owned()),
            text => Ok(text.to_owned()),
        }
    }

    /// An instant; `None`: the field is empty.
    pub(super) fn instant(&self, column: usize, name: &str) -> Result<Option<Timestamp>, String> {
        let text = self.text(column)?;
        if text.is_empty() {
            return Ok(None);
        }
        let local = || text.parse::<DateTime>().ok()?.to_zoned(self.zone.clone()).ok();
        let instant = text.parse::<Timestamp>().ok().or_else(|| local().map(|zoned| zoned.timestamp()));
        match instant {
            Some(instant) => Ok(Some(instant)),
            None => Err(format!("{name} \"{text}\" is neither RFC 3339 nor yyyy-MM-dd [HH:mm:ss]")),
        }
    }
}

fn hint(text: &str) -> &'static str {
    if text.contains(['.', 'e', 'E']) { " (a spreadsheet may have shortened it)" } else { "" }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(names: &[&str]) -> ByteRecord {
        ByteRecord::from(names.to_vec())
    }

    #[test]
    fn an_unknown_column_is_named_as_it_is_spelled_in_the_file() {
        let header = header(&["Org ID", "Vaild From", "name"]);
        assert_eq!(unknown(&header, &["name", "org_id", "valid_from"]), ["Vaild From"]);
    }

    #[test]
    fn a_column_is_found_in_any_spelling_and_place() {
        for spelling in ["org_id", "orgId", "Org ID", "ORG_ID"] {
            let found = find(&header(&["x", spelling, "name"]), &["name", "org_id"], 2);
            assert_eq!(found, Ok(vec![Some(2), Some(1)]), "{spelling}");
        }
        assert_eq!(find(&header(&["a"]), &["a", "b"], 1), Ok(vec![Some(0), None]));
        assert!(find(&header(&["a"]), &["a", "b"], 2).expect_err("refused").contains("b missing"));
        assert!(find(&header(&["a", "A"]), &["a"], 1).expect_err("refused").contains("twice"));
    }

    fn field<T>(text: &str, read: impl Fn(&RowFields<'_>) -> T) -> T {
        let record = header(&[text]);
        read(&RowFields {
            record: &record,
            indexes: &[Some(0)],
            zone: &TimeZone::get("Asia/Shanghai").expect("a zone"),
        })
    }

    #[test]
    fn an_id_keeps_every_digit_and_a_shortened_one_is_refused() {
        assert_eq!(field(" 1939964806110937090 ", |f| f.id(0, "id")), Ok(Some(1_939_964_806_110_937_090)));
        assert_eq!(field("", |f| f.id(0, "id")), Ok(None));
        for bad in ["0", "-1", "x", "9223372036854775808"] {
            assert!(field(bad, |f| f.id(0, "id")).is_err(), "{bad}");
        }
        assert!(field("1.93996E+18", |f| f.id(0, "id")).expect_err("refused").contains("spreadsheet"));
    }

    #[test]
    fn a_language_or_a_channel_that_is_not_there_is_refused_with_those_that_are() {
        for (text, language) in [("zh", "zh"), ("zh-CN", "zh"), ("EN", "en")] {
            assert_eq!(field(text, |f| f.language(0)), Ok(Some(language)), "{text}");
        }
        assert_eq!(field("", |f| f.language(0)), Ok(None));
        let refused = field("fr", |f| f.language(0)).expect_err("refused");
        assert_eq!(refused, "language \"fr\" is none of: en, zh");
        let refused = field("fax", |f| f.channel(0)).expect_err("refused");
        assert!(refused.starts_with("channel \"fax\" is none of: wechat, "), "{refused}");
    }

    #[test]
    fn ancestors_may_be_written_in_several_ways() {
        for text in ["0,1,2", "0, 1, 2", "[0,1,2]", "{0,1,2}", "0/1/2", "0 1 2"] {
            assert_eq!(field(text, |f| f.ids(0, "ancestors")), Ok(vec![0, 1, 2]), "{text}");
        }
        assert_eq!(field("", |f| f.ids(0, "ancestors")), Ok(vec![]));
        assert!(field("0,x", |f| f.ids(0, "ancestors")).is_err());
    }

    #[test]
    fn a_time_without_a_zone_is_local() {
        let instant = Some("2026-01-01T16:00:00Z".parse().expect("a time"));
        for text in ["2026-01-02", "2026-01-02 00:00:00", "2026-01-02T00:00:00+08:00", "2026-01-01T16:00:00Z"]
        {
            assert_eq!(field(text, |f| f.instant(0, "valid_from")), Ok(instant), "{text}");
        }
        assert!(field("yesterday", |f| f.instant(0, "valid_from")).is_err());
    }
}
