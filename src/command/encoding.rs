//! Files of other systems by their character set: UTF-8, GB18030 (GBK and GB2312 are parts of it), as spreadsheets save it in China,
//! or UTF-16, as they save "Unicode text".
//!
//! Before: `directory import` and `backfill` open a file. After: they read UTF-8.
//! Promise: a file in another character set is refused as a whole, with the line and how to convert it; single lines that are not
//! UTF-8 are left to whoever reads the lines; memory does not grow with the file.

use std::fs::File;
use std::io::{BufReader, Error, ErrorKind, Read, Seek, SeekFrom};
use std::path::Path;

use anyhow::{Context, bail};
use encoding_rs::{CoderResult, Decoder, DecoderResult, GB18030, UTF_8, UTF_16BE, UTF_16LE};

/// The character set of a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Encoding {
    /// UTF-8, with or without a byte order mark.
    #[default]
    #[value(name = "utf-8")]
    Utf8,
    /// GB18030, GBK or GB2312.
    Gb18030,
    /// UTF-16, the lower byte first, as Windows has it.
    #[value(name = "utf-16le")]
    Utf16le,
    /// UTF-16, the higher byte first.
    #[value(name = "utf-16be")]
    Utf16be,
}

/// Bytes that are read at a time.
const CHUNK_BYTES: usize = 1 << 16;

/// Bytes at the beginning of a file that show its character set.
const HEAD_BYTES: u64 = 1 << 10;

/// Byte order marks, the longer ones first, and what can read them.
const MARKS: [(&[u8], Option<Encoding>); 6] = [
    (&[0xFF, 0xFE, 0, 0], None),
    (&[0, 0, 0xFE, 0xFF], None),
    (&[0xFF, 0xFE], Some(Encoding::Utf16le)),
    (&[0xFE, 0xFF], Some(Encoding::Utf16be)),
    (&[0xEF, 0xBB, 0xBF], Some(Encoding::Utf8)),
    (&[0x84, 0x31, 0x95, 0x33], Some(Encoding::Gb18030)),
];

impl Encoding {
    /// As `--encoding` has it.
    const fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "utf-8",
            Self::Gb18030 => "gb18030",
            Self::Utf16le => "utf-16le",
            Self::Utf16be => "utf-16be",
        }
    }

    const fn charset(self) -> &'static encoding_rs::Encoding {
        match self {
            Self::Utf8 => UTF_8,
            Self::Gb18030 => GB18030,
            Self::Utf16le => UTF_16LE,
            Self::Utf16be => UTF_16BE,
        }
    }

    const fn is_utf16(self) -> bool {
        matches!(self, Self::Utf16le | Self::Utf16be)
    }

    /// The character set that the beginning of a file shows. The first character is of ASCII where there is no mark: it begins the
    /// name of a column, or an object.
    fn shown_by(head: &[u8]) -> Option<Self> {
        match head {
            [0, ascii, ..] if *ascii != 0 => Some(Self::Utf16be),
            [ascii, 0, ..] if *ascii != 0 => Some(Self::Utf16le),
            _ => None,
        }
    }
}

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
        other => Utf8Reader::Decoded(Box::new(DecodedFile::new(BufReader::new(file), other.charset()))),
    })
}

fn check(path: &Path, encoding: Encoding) -> anyhow::Result<()> {
    let mut head = Vec::new();
    File::open(path)?.take(HEAD_BYTES).read_to_end(&mut head)?;
    let shown = match MARKS.iter().find(|(mark, _)| head.starts_with(mark)) {
        Some((_, None)) => {
            bail!("line 1: the file is UTF-32; convert it: iconv -f UTF-32 -t UTF-8, or save it as CSV UTF-8")
        }
        Some((_, marked)) => *marked,
        None => Encoding::shown_by(&head),
    };
    match shown {
        Some(Encoding::Utf8) if encoding != Encoding::Utf8 => {
            bail!("line 1: the file begins as UTF-8 does: leave out --encoding")
        }
        Some(other) if other.is_utf16() && encoding != other => {
            bail!("line 1: the file is UTF-16: say --encoding {}, or save it as CSV UTF-8", other.name())
        }
        None if encoding.is_utf16() && !head.is_empty() => {
            bail!("line 1 is not UTF-16: is it the character set of the file?")
        }
        _ => {}
    }
    let Some(line) = first_fault(path, encoding.charset())? else { return Ok(()) };
    if encoding != Encoding::Utf8 {
        bail!("line {line} is not {}: is it the character set of the file?", encoding.charset().name());
    }
    if shown == Some(Encoding::Gb18030) || first_fault(path, GB18030)?.is_none() {
        bail!(
            "line {line} is not UTF-8; the whole file can be read as GB18030: say --encoding gb18030, or convert \
             it: iconv -f GB18030 -t UTF-8"
        );
    }
    Ok(())
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

/// A file in another character set that is read as UTF-8.
pub(super) struct DecodedFile {
    file: BufReader<File>,
    decoder: Decoder,
    /// UTF-8 that was not asked for yet, from `from` on.
    ready: Vec<u8>,
    from: usize,
    is_done: bool,
}

impl DecodedFile {
    fn new(file: BufReader<File>, charset: &'static encoding_rs::Encoding) -> Self {
        let decoder = charset.new_decoder_with_bom_removal();
        Self { file, decoder, ready: Vec::new(), from: 0, is_done: false }
    }

    fn fill(&mut self) -> std::io::Result<()> {
        let mut input = [0; CHUNK_BYTES / 4];
        let read = self.file.read(&mut input)?;
        // Two bytes of GB18030 or UTF-16 are three of UTF-8 at most, and what the decoder holds back is a few bytes.
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
        self.decoder = self.decoder.encoding().new_decoder_with_bom_removal();
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
        for text in ["\u{FEFF}name\n李伟\n", "name\n李伟\n"] {
            let le: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
            let be: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
            for (utf16, own, other) in
                [(le, Encoding::Utf16le, Encoding::Utf16be), (be, Encoding::Utf16be, Encoding::Utf16le)]
            {
                for encoding in [Encoding::Utf8, Encoding::Gb18030, other] {
                    let refused = refusal("utf16", &utf16, encoding).expect("refused");
                    assert!(refused.contains(&format!("UTF-16: say --encoding {}", own.name())), "{refused}");
                }
                assert_eq!(refusal("utf16", &utf16, own), None);
                let odd = refusal("odd", &utf16[..utf16.len() - 1], own).expect("refused");
                assert!(odd.contains("line 2 is not UTF-16"), "{odd}");
            }
        }
        let utf32: Vec<u8> = "\u{FEFF}name".chars().flat_map(|sign| u32::from(sign).to_le_bytes()).collect();
        let refused = refusal("utf32", &utf32, Encoding::Utf16le).expect("refused");
        assert!(refused.contains("UTF-32") && refused.contains("iconv"), "{refused}");
        assert!(refusal("no16", b"name\nLi\n", Encoding::Utf16le).is_some());
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
    fn a_file_in_another_character_set_is_read_as_utf8_from_any_place() {
        let line = "x,李伟,血氧 98%,𠮷\n";
        let text = line.repeat(9_000);
        let (gb18030, _, _) = GB18030.encode(&text);
        read_from_any_place(&gb18030, Encoding::Gb18030, line, &text);
        let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        read_from_any_place(&utf16, Encoding::Utf16le, line, &text);
        read_from_any_place(&[&[0xFF, 0xFE], &utf16[..]].concat(), Encoding::Utf16le, line, &text);
    }

    fn read_from_any_place(content: &[u8], encoding: Encoding, line: &str, text: &str) {
        let path = file(encoding.name(), content);
        let mut reader = open(&path, encoding).expect("opened");
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
