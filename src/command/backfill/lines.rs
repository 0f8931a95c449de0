//! Reads a file of history in batches of lines, by the rules of an upload.
//!
//! Before: a file. After: `ingest::backfill` commits the records of a batch.
//! Promise: a batch ends at the end of a line, and knows its byte offset; a line that cannot be read becomes a reject.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use anyhow::{Context, bail};
use bytes::{BufMut, Bytes, BytesMut};
use csv::{ByteRecord, Position, Reader, ReaderBuilder};
use sha2::{Digest, Sha256};

use crate::command::encoding::{self, Encoding, Utf8Reader};
use crate::model::Upload;
use crate::wire;

/// The format of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Format {
    /// Comma-separated, names of columns first.
    Csv,
    /// A JSON object a line.
    Ndjson,
}

impl Format {
    /// The format, by the file name.
    pub(super) fn of(file: &Path) -> Self {
        let is_csv = file.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("csv"));
        if is_csv { Self::Csv } else { Self::Ndjson }
    }
}

/// SHA-256 and size of a file, both of its UTF-8: whichever way it is encoded, it is the same file.
pub(super) fn hash(path: &Path, encoding: Encoding) -> anyhow::Result<(String, u64)> {
    let mut file = encoding::open(path, encoding)?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    let mut bytes = 0;
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            break;
        }
        hash.update(&buffer[..read]);
        bytes += read as u64;
    }
    let text = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    Ok((format!("sha256:{text}"), bytes))
}

/// The records of some lines.
pub(super) struct LineBatch {
    pub(super) upload: Upload,
    pub(super) lines: u64,
    /// Offset of the first byte after them.
    pub(super) end: u64,
}

/// The lines of a file that are still to be read.
pub(super) enum Lines {
    Ndjson { file: BufReader<Utf8Reader>, at: u64 },
    Csv { reader: Reader<Utf8Reader>, names: Vec<String>, record: ByteRecord, text: BytesMut, bytes: u64 },
}

/// The objects of several lines share a block of memory of this size, as long as a line of usual length fits.
const OBJECTS_BYTES: usize = 64 << 10;
const LINE_BYTES: usize = 1 << 10;

/// Longest line, bytes: as large as the largest body of an upload, decompressed.
const MAX_LINE_BYTES: u64 = 64 << 20;

impl Lines {
    /// Opens the file at an offset where a line begins.
    pub(super) fn open(
        path: &Path,
        encoding: Encoding,
        format: Format,
        offset: u64,
        bytes: u64,
    ) -> anyhow::Result<Self> {
        let mut file = encoding::open(path, encoding)?;
        if format == Format::Ndjson {
            file.seek(SeekFrom::Start(offset))?;
            return Ok(Self::Ndjson { file: BufReader::with_capacity(1 << 18, file), at: offset });
        }
        let mut reader = ReaderBuilder::new().flexible(true).buffer_capacity(1 << 18).from_reader(file);
        let names = names(&reader.byte_headers()?.clone())?;
        if offset > 0 {
            let mut position = Position::new();
            position.set_byte(offset);
            reader.seek(position)?;
        }
        Ok(Self::Csv { reader, names, record: ByteRecord::new(), text: BytesMut::new(), bytes })
    }

    /// The next lines, at most `max_lines`; `None`: there are no more.
    pub(super) fn batch(
        &mut self,
        context: &wire::Context,
        max_lines: usize,
    ) -> anyhow::Result<Option<LineBatch>> {
        let mut batch = LineBatch { upload: Upload::default(), lines: 0, end: 0 };
        let mut any = false;
        while batch.upload.received() < max_lines && batch.lines < max_lines as u64 {
            let Some(line) = self.line()? else { break };
            any = true;
            if line.is_empty() {
                continue;
            }
            batch.lines += 1;
            let mut upload = wire::history::read(&line, context);
            batch.upload.items.append(&mut upload.items);
            batch.upload.rejects.append(&mut upload.rejects);
            batch.upload.unknown.append(upload.unknown);
        }
        batch.end = self.position();
        Ok(any.then_some(batch))
    }

    /// The next line as JSON; empty for an empty line.
    fn line(&mut self) -> anyhow::Result<Option<Bytes>> {
        match self {
            Self::Ndjson { file, at } => {
                let mut line = Vec::new();
                let read = file.by_ref().take(MAX_LINE_BYTES).read_until(b'\n', &mut line)? as u64;
                if read == MAX_LINE_BYTES && line.last() != Some(&b'\n') {
                    bail!("a line of more than {} MiB (at byte {at}): is it NDJSON?", MAX_LINE_BYTES >> 20);
                }
                *at += read;
                Ok((read > 0).then(|| Bytes::copy_from_slice(line.trim_ascii())))
            }
            Self::Csv { reader, names, record, text, .. } => {
                let found = reader.read_byte_record(record).context("no CSV")?;
                Ok(found.then(|| object(names, record, text)))
            }
        }
    }

    fn position(&self) -> u64 {
        match self {
            Self::Ndjson { at, .. } => *at,
            // White space after the last line belongs to no batch.
            Self::Csv { reader, bytes, .. } if reader.is_done() => *bytes,
            Self::Csv { reader, .. } => reader.position().byte(),
        }
    }
}

/// Names of columns, as JSON strings; names of `health_data` and of an upload are both accepted.
fn names(header: &ByteRecord) -> anyhow::Result<Vec<String>> {
    let mut names = Vec::with_capacity(header.len());
    for name in header {
        let name = std::str::from_utf8(name).context("the names of the columns are not UTF-8")?.trim();
        names.push(if name.eq_ignore_ascii_case("ts") { "timestamp".to_owned() } else { name.to_owned() });
    }
    let is_named = |wanted: &[&str]| names.iter().any(|name| wanted.contains(&name.as_str()));
    if !is_named(&["device_sn", "deviceSn", "id"]) || !is_named(&["timestamp", "cjsj"]) {
        bail!("the first line must name the columns, device_sn and ts among them");
    }
    let mut once = BTreeSet::new();
    if let Some(twice) = names.iter().find(|name| !once.insert(name.as_str())) {
        bail!("the first line names the column {twice} twice");
    }
    Ok(names.iter().map(|name| serde_json::Value::from(name.as_str()).to_string()).collect())
}

/// A line as the object an upload would send, empty if all its fields are empty; `out` provides the memory. A line that is not UTF-8
/// is not an object, and is refused as such.
fn object(names: &[String], record: &ByteRecord, out: &mut BytesMut) -> Bytes {
    if out.capacity() < LINE_BYTES {
        out.reserve(OBJECTS_BYTES);
    }
    for (name, field) in names.iter().zip(record) {
        let Ok(text) = std::str::from_utf8(field) else {
            out.clear();
            return Bytes::from(String::from_utf8_lossy(record.as_slice()).into_owned());
        };
        if !text.trim().is_empty() {
            out.put_u8(if out.is_empty() { b'{' } else { b',' });
            out.put_slice(name.as_bytes());
            out.put_u8(b':');
            serde_json::to_writer(out.writer(), text).expect("writing to memory cannot fail");
        }
    }
    if !out.is_empty() {
        out.put_u8(b'}');
    }
    out.split().freeze()
}
