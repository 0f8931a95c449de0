//! Lines of a CSV file, each an entry or a reason for its refusal.
//!
//! Before: a file of another system. After: `store::directory` stores the entries; `report` counts and shows the refused lines.
//! Promise: one line in memory at a time; a line that cannot be read stops no other.

use std::cell::Cell;
use std::io::{BufReader, Read};
use std::marker::PhantomData;
use std::path::Path;
use std::rc::Rc;

use anyhow::{Context, bail};
use csv::{ByteRecord, Reader, ReaderBuilder};
use jiff::tz::TimeZone;

use super::columns::{self, ColumnIndex, RowFields};
use super::report::FileProgress;
use crate::command::encoding::{self, Encoding, Utf8Reader};
use crate::model::Channel;
use crate::store::directory::{BindingEntry, Contact, Customer, Entry, OrgUnit, User};

/// An entry that can be read from a line.
pub(super) trait Record: Entry + Sized {
    /// Column names, the required ones first.
    const COLUMNS: &'static [&'static str];
    /// How many are required.
    const REQUIRED: usize;
    /// Reads it, or gives the reason for its refusal.
    fn read(fields: &RowFields<'_>) -> Result<Self, String>;
}

impl Record for Customer {
    const COLUMNS: &'static [&'static str] = &["customer_id", "name"];
    const REQUIRED: usize = 2;

    fn read(fields: &RowFields<'_>) -> Result<Self, String> {
        Ok(Self {
            customer_id: fields.required_id(0, "customer_id")?,
            name: fields.name(1)?.ok_or("name is missing")?,
        })
    }
}

impl Record for OrgUnit {
    const COLUMNS: &'static [&'static str] = &["org_id", "name", "ancestors"];
    const REQUIRED: usize = 3;

    fn read(fields: &RowFields<'_>) -> Result<Self, String> {
        let unit = Self {
            org_id: fields.required_id(0, "org_id")?,
            name: fields.name(1)?,
            ancestors: fields.ids(2, "ancestors")?,
        };
        if unit.ancestors.contains(&unit.org_id) {
            return Err("the organisation unit is among its own ancestors".to_owned());
        }
        Ok(unit)
    }
}

/// As `app_user_room_check` has it.
const MAX_ROOM_CHARACTERS: usize = 100;

impl Record for User {
    const COLUMNS: &'static [&'static str] = &["user_id", "name", "org_id", "room"];
    const REQUIRED: usize = 3;

    fn read(fields: &RowFields<'_>) -> Result<Self, String> {
        let user = Self {
            user_id: fields.required_id(0, "user_id")?,
            name: fields.name(1)?,
            org_id: fields.id(2, "org_id")?,
            room: fields.name_to_set(3)?,
        };
        match &user.room {
            Some(room) if room.chars().count() > MAX_ROOM_CHARACTERS => {
                Err(format!("room is longer than {MAX_ROOM_CHARACTERS} characters"))
            }
            _ => Ok(user),
        }
    }
}

impl Record for BindingEntry {
    const COLUMNS: &'static [&'static str] = &["device_sn", "user_id", "valid_from", "valid_until"];
    const REQUIRED: usize = 2;

    fn read(fields: &RowFields<'_>) -> Result<Self, String> {
        let binding = Self {
            device_sn: fields.serial(0)?,
            user_id: fields.id(1, "user_id")?,
            valid_from: fields.instant(2, "valid_from")?,
            valid_until: fields.instant(3, "valid_until")?,
        };
        match (binding.valid_from, binding.valid_until) {
            (_, Some(_)) if binding.user_id.is_none() => Err("valid_until without user_id".to_owned()),
            (None, Some(_)) => Err("valid_until without valid_from".to_owned()),
            (Some(from), Some(until)) if until <= from => {
                Err("valid_until is not after valid_from".to_owned())
            }
            _ => Ok(binding),
        }
    }
}

/// As `contact_address_address_check` has it.
const MAX_ADDRESS_BYTES: usize = 2000;

impl Record for Contact {
    const COLUMNS: &'static [&'static str] = &["name", "channel", "address", "language", "user_id", "org_id"];
    const REQUIRED: usize = 1;

    fn read(fields: &RowFields<'_>) -> Result<Self, String> {
        let contact = Self {
            name: fields.name(0)?.ok_or("name is missing")?,
            channel: fields.channel(1)?,
            address: fields.name(2)?,
            language: fields.language(3)?,
            user_id: fields.id(4, "user_id")?,
            org_id: fields.id(5, "org_id")?,
        };
        match (&contact.channel, &contact.address) {
            (Some(_), None) => Err("channel without address".to_owned()),
            (None, Some(_)) => Err("address without channel".to_owned()),
            (_, Some(address)) if address.len() > MAX_ADDRESS_BYTES => {
                Err(format!("address is longer than {MAX_ADDRESS_BYTES} bytes"))
            }
            (Some(channel), Some(address)) => {
                match Channel::of_name(channel).and_then(|channel| channel.address_refusal(address)) {
                    Some(refusal) => Err(format!("address \"{address}\" {refusal}")),
                    None => Ok(contact),
                }
            }
            _ => Ok(contact),
        }
    }
}

/// The lines of one file.
pub(super) struct Lines<R> {
    reader: Reader<CountingReader>,
    indexes: Vec<ColumnIndex>,
    unknown: Vec<String>,
    width: usize,
    zone: TimeZone,
    bytes: u64,
    read: Rc<Cell<u64>>,
    entry: PhantomData<R>,
}

impl<R: Record> Lines<R> {
    /// Opens the file and reads its column names.
    pub(super) fn open(path: &Path, encoding: Encoding, zone: TimeZone) -> anyhow::Result<Self> {
        let name = || path.display().to_string();
        let bytes = path.metadata().with_context(name)?.len();
        let file = encoding::open(path, encoding)?;
        let read = Rc::new(Cell::new(0));
        let counted =
            CountingReader { file: BufReader::with_capacity(1 << 18, file), read: Rc::clone(&read) };
        let mut reader = ReaderBuilder::new().flexible(true).from_reader(counted);
        let header = reader.byte_headers().with_context(name)?.clone();
        let indexes = match columns::find(&header, R::COLUMNS, R::REQUIRED) {
            Ok(indexes) => indexes,
            Err(fault) => bail!("{}: {fault}", path.display()),
        };
        let unknown = columns::unknown(&header, R::COLUMNS);
        Ok(Self { reader, indexes, unknown, width: header.len(), zone, bytes, read, entry: PhantomData })
    }

    /// Columns that are not known.
    pub(super) fn unknown(&self) -> &[String] {
        &self.unknown
    }

    /// Size of the file, bytes.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The entries with their line numbers; refused lines are reported to `progress`.
    pub(super) fn entries<'a>(mut self, progress: &'a FileProgress) -> impl Iterator<Item = (i64, R)> + 'a
    where
        R: 'a,
    {
        let mut record = ByteRecord::new();
        std::iter::from_fn(move || {
            loop {
                let line = self.reader.position().line();
                match self.reader.read_byte_record(&mut record) {
                    Ok(false) => return None,
                    Ok(true) => {}
                    Err(error) => {
                        progress.fail(&error);
                        return None;
                    }
                }
                let line = record.position().map_or(line, csv::Position::line);
                let line = i64::try_from(line).unwrap_or(i64::MAX);
                progress.read(self.read.get());
                match self.entry(&record) {
                    Ok(entry) => return Some((line, entry)),
                    Err(reason) => progress.refused(line, &(reason + &self.open_quote_hint(line))),
                }
            }
        })
    }

    /// A hint for a quotation mark that is never closed: it makes one line of all that follow.
    fn open_quote_hint(&self, line: i64) -> String {
        let next = i64::try_from(self.reader.position().line()).unwrap_or(i64::MAX);
        if next > line + 1 {
            format!(" (it goes on to line {}: is a quotation mark left open?)", next - 1)
        } else {
            String::new()
        }
    }

    fn entry(&self, record: &ByteRecord) -> Result<R, String> {
        if record.len() != self.width {
            return Err(format!("{} fields, but {} column names", record.len(), self.width));
        }
        R::read(&RowFields { record, indexes: &self.indexes, zone: &self.zone })
    }
}

/// A file that counts the bytes that were read.
struct CountingReader {
    file: BufReader<Utf8Reader>,
    read: Rc<Cell<u64>>,
}

impl Read for CountingReader {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let bytes = self.file.read(buffer)?;
        self.read.set(self.read.get() + bytes as u64);
        Ok(bytes)
    }
}
