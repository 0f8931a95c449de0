//! Files of other systems by their character set: UTF-8, or GB18030 (GBK and GB2312 are parts of it), as spreadsheets save it in China.
//!
//! Before: `directory import` and `backfill` open a file. After: they read UTF-8.
//! Promise: a file in another character set is refused as a whole, with the line and how to convert it; single lines that are not
//! UTF-8 are left to whoever reads the lines; memory does not grow with the file.

use std::fs::File;
use std::io::{BufReader, Error, ErrorKind, Read, Seek, SeekFrom};
use std::path::Path;

use anyhow::{Context, bail};
use encoding_rs::{CoderResult, Decoder, DecoderResult, GB18030, UTF_8};

/// The character set of a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Encoding {
    /// UTF-8, with or without a byte order mark.
    #[default]
    #[value(name = "utf-8")]
    Utf8,
    /// GB18030, GBK or GB2312.
    Gb18030,
}

/// Bytes that are read at a time.
const CHUNK_BYTES: usize = 1 << 16;

/// Byte order marks of what is not read, and its name.
const FOREIGN_MARKS: [(&[u8], &str); 4] = [
    (&[0xFF, 0xFE, 0, 0], "UTF-32"),
    (&[0, 0, 0xFE, 0xFF], "UTF-32"),
    (&[0xFF, 0xFE], "UTF-16"),
    (&[0xFE, 0xFF], "UTF-16"),
];
const UTF8_MARK: &[u8] = &[0xEF, 0xBB, 0xBF];
const GB18030_MARK: &[u8] = &[0x84, 0x31, 0x95, 0x33];

/// Opens a file that is in a character set, to be read as UTF-8.
///
/// # Errors
/// The file cannot be read, or is in another character set: says which line shows it, and what to do.
pub(super) fn open(path: &Path, encoding: Encoding) -> anyhow::Result<Utf8Reader> {
    let name = || path.display().to_string();
    check(path, encoding).with_context(name)?;
    let file = File::open(path).with_context(name)?;
    Ok(match encoding {
        Encoding::Utf8 => Utf8Reader::Plain(file),
        Encoding::Gb18030 => Utf8Reader::Decoded(Box::new(DecodedFile::new(BufReader::new(file)))),
    })
}

fn check(path: &Path, encoding: Encoding) -> anyhow::Result<()> {
    let mut mark = [0; 4];
    let read = File::open(path)?.take(4).read(&mut mark)?;
    let begins = |with: &[u8]| mark[..read].starts_with(with);
    if let Some((_, name)) = FOREIGN_MARKS.iter().find(|(mark, _)| begins(mark)) {
        bail!("line 1: the file is {name}; convert it: iconv -f {name} -t UTF-8, or save it as CSV UTF-8");
    }
    match encoding {
        Encoding::Utf8 => {
            let Some(line) = first_fault(path, UTF_8)? else { return Ok(()) };
            if begins(GB18030_MARK) || first_fault(path, GB18030)?.is_none() {
                bail!(
                    "line {line} is not UTF-8; the whole file can be read as GB18030: say --encoding gb18030, or convert \
                     it: iconv -f GB18030 -t UTF-8"
                );
            }
            Ok(())
        }
        Encoding::Gb18030 if begins(UTF8_MARK) => {
            bail!("line 1: the file begins as UTF-8 does: leave out --encoding")
        }
        Encoding::Gb18030 => match first_fault(path, GB18030)? {
            Some(line) => bail!("line {line} is not GB18030: is it the character set of the file?"),
            None => Ok(()),
        },
    }
}

/// The first line, from 1 on, that is not in the character set.
fn first_fault(path: &Path, encoding: &'static encoding_rs::Encoding) -> std::io::Result<Option<u64>> {
    let mut file = File::open(path)?;
    let mut decoder = encoding.new_decoder_without_bom_handling();
    let (mut input, mut output) = (vec![0; CHUNK_BYTES], vec![0; CHUNK_BYTES]);
    let mut line = 1;
    loop {
        let read = file.read(&mut input)?;
        let mut from = 0;
        loop {
            let (result, consumed, written) =
                decoder.decode_to_utf8_without_replacement(&input[from..read], &mut output, read == 0);
            line += output[..written].iter().filter(|byte| **byte == b'\n').count() as u64;
            from += consumed;
            match result {
                DecoderResult::InputEmpty => break,
                DecoderResult::OutputFull => {}
                DecoderResult::Malformed(..) => return Ok(Some(line)),
            }
        }
        if read == 0 {
            return Ok(None);
        }
    }
}

/// A file as UTF-8. Places in it are those of the UTF-8.
pub(super) enum Utf8Reader {
    /// It is UTF-8.
    Plain(File),
    /// It is made UTF-8 while it is read.
    Decoded(Box<DecodedFile>),
}

impl Read for Utf8Reader {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        match self {
            Self::Plain(file) => file.read(buffer),
            Self::Decoded(decoded) => decoded.read(buffer),
        }
    }
}

impl Seek for Utf8Reader {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        match self {
            Self::Plain(file) => file.seek(to),
            Self::Decoded(decoded) => decoded.seek(to),
        }
    }
}

/// A file in GB18030 that is read as UTF-8.
pub(super) struct DecodedFile {
    file: BufReader<File>,
    decoder: Decoder,
    /// UTF-8 that was not asked for yet, from `from` on.
    ready: Vec<u8>,
    from: usize,
    is_done: bool,
}

impl DecodedFile {
    fn new(file: BufReader<File>) -> Self {
        let decoder = GB18030.new_decoder_with_bom_removal();
        Self { file, decoder, ready: Vec::new(), from: 0, is_done: false }
    }

    fn fill(&mut self) -> std::io::Result<()> {
        let mut input = [0; CHUNK_BYTES / 4];
        let read = self.file.read(&mut input)?;
        // Two bytes of GB18030 are three of UTF-8 at most, and what the decoder holds back is a few bytes.
        self.ready.resize(CHUNK_BYTES, 0);
        let (result, consumed, written, _) =
            self.decoder.decode_to_utf8(&input[..read], &mut self.ready, read == 0);
        if result != CoderResult::InputEmpty || consumed != read {
            return Err(Error::new(ErrorKind::InvalidData, "the buffer for UTF-8 is too small"));
        }
        self.ready.truncate(written);
        (self.from, self.is_done) = (0, read == 0);
        Ok(())
    }
}

impl Read for DecodedFile {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        while self.from == self.ready.len() && !self.is_done {
            self.fill()?;
        }
        let read = buffer.len().min(self.ready.len() - self.from);
        buffer[..read].copy_from_slice(&self.ready[self.from..self.from + read]);
        self.from += read;
        Ok(read)
    }
}

impl Seek for DecodedFile {
    /// Only to a place counted from the beginning: everything before it is decoded again.
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        let SeekFrom::Start(place) = to else { return Err(ErrorKind::Unsupported.into()) };
        self.file.rewind()?;
        self.decoder = GB18030.new_decoder_with_bom_removal();
        (self.from, self.is_done) = (0, false);
        self.ready.clear();
        std::io::copy(&mut self.by_ref().take(place), &mut std::io::sink())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str, content: &[u8]) -> std::path::PathBuf {
        let path =
            Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("target/{}-{name}", std::process::id()));
        std::fs::write(&path, content).expect("written");
        path
    }

    fn refusal(name: &str, content: &[u8], encoding: Encoding) -> Option<String> {
        let path = file(name, content);
        let refusal = open(&path, encoding).err().map(|error| format!("{error:#}"));
        std::fs::remove_file(path).expect("removed");
        refusal
    }

    #[test]
    fn a_file_in_another_character_set_is_refused_with_its_line_and_advice() {
        let (gbk, _, _) = GB18030.encode("user_id,name\n1,Li\n2,李伟\n");
        let refused = refusal("gbk", &gbk, Encoding::Utf8).expect("refused");
        assert!(refused.contains("line 3") && refused.contains("--encoding gb18030"), "{refused}");
        let utf16: Vec<u8> = "\u{FEFF}name".encode_utf16().flat_map(u16::to_le_bytes).collect();
        for encoding in [Encoding::Utf8, Encoding::Gb18030] {
            let refused = refusal("utf16", &utf16, encoding).expect("refused");
            assert!(refused.contains("UTF-16") && refused.contains("iconv"), "{refused}");
        }
        assert!(refusal("mark", "\u{FEFF}name\n".as_bytes(), Encoding::Gb18030).is_some());
        assert!(refusal("mark", "\u{FEFF}name\n李伟\n".as_bytes(), Encoding::Utf8).is_none());
        let broken = refusal("broken", b"name\n\xFF\n", Encoding::Gb18030).expect("refused");
        assert!(broken.contains("line 2"), "{broken}");
        assert_eq!(
            refusal("line", b"name\n\xFF\n", Encoding::Utf8),
            None,
            "a single line is for whoever reads lines"
        );
    }

    #[test]
    fn a_file_in_gb18030_is_read_as_utf8_from_any_place() {
        let line = "李伟,血氧 98%,𠮷\n";
        let text = line.repeat(9_000);
        let (gb18030, _, _) = GB18030.encode(&text);
        let path = file("gb18030", &gb18030);
        let mut reader = open(&path, Encoding::Gb18030).expect("opened");
        let mut read = String::new();
        reader.read_to_string(&mut read).expect("UTF-8");
        assert!(read == text, "{} of {} bytes", read.len(), text.len());
        let place = (text.len() - line.len()) as u64;
        assert_eq!(reader.seek(SeekFrom::Start(place)).expect("sought"), place);
        read.clear();
        reader.read_to_string(&mut read).expect("UTF-8");
        assert_eq!(read, line);
        std::fs::remove_file(path).expect("removed");
    }
}
