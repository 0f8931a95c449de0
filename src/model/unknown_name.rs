//! Names in uploads that have no meaning here: misspelled fields, fields of a newer firmware, event types without a rule.
//!
//! Before: `wire` meets them in a body, `command::backfill` in a file. After: the answer lists them, `store::unknown_name` counts them.
//! Promise: an upload holds at most [`MAX_NAMES`] of them, each of at most [`MAX_NAME_BYTES`] and without control characters.

/// Most names that are kept of one upload.
pub const MAX_NAMES: usize = 32;

/// Longest name that is kept, bytes of UTF-8; a longer one is cut.
pub const MAX_NAME_BYTES: usize = 64;

/// What a name was to be the name of: `unknown_name.kind`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum NameKind {
    /// A field of a sample, or a column of a file of samples.
    Sample,
    /// A field of device information.
    DeviceInfo,
    /// A field of an event.
    Event,
    /// A type of event.
    EventType,
}

impl NameKind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Sample, Self::DeviceInfo, Self::Event, Self::EventType];

    /// The word in `unknown_name.kind` and in metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sample => "sample",
            Self::DeviceInfo => "device_info",
            Self::Event => "event",
            Self::EventType => "event_type",
        }
    }

    /// The kind of that name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// A name, and how often an upload holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownName {
    /// What it was to be the name of.
    pub kind: NameKind,
    /// The name as it was sent.
    pub name: String,
    /// How often it stands there.
    pub count: u64,
    /// The first device that sent it; `None`: it named none.
    pub device_sn: Option<String>,
}

/// The names of one upload, in the order they were met.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UnknownNames(Vec<UnknownName>);

impl UnknownNames {
    /// Counts a name; beyond [`MAX_NAMES`] different ones it is left out.
    pub fn add(&mut self, kind: NameKind, name: &[u8], device_sn: Option<&str>) {
        // Compared as it is first: the records of an upload repeat their names.
        let is = |known: &&mut UnknownName, name: &[u8]| known.kind == kind && known.name.as_bytes() == name;
        if let Some(known) = self.0.iter_mut().find(|known| is(known, name)) {
            known.count += 1;
            return;
        }
        let name = readable(name);
        if let Some(known) = self.0.iter_mut().find(|known| is(known, name.as_bytes())) {
            known.count += 1;
        } else if self.0.len() < MAX_NAMES && !name.is_empty() {
            self.0.push(UnknownName { kind, name, count: 1, device_sn: device_sn.map(str::to_owned) });
        }
    }

    /// Adds those of another part of the upload.
    pub fn append(&mut self, other: Self) {
        for name in other.0 {
            let is_same = |known: &&mut UnknownName| known.kind == name.kind && known.name == name.name;
            if let Some(known) = self.0.iter_mut().find(is_same) {
                known.count += name.count;
            } else if self.0.len() < MAX_NAMES {
                self.0.push(name);
            }
        }
    }

    /// They themselves.
    pub fn iter(&self) -> impl Iterator<Item = &UnknownName> {
        self.0.iter()
    }

    /// None was met.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn readable(name: &[u8]) -> String {
    let text = String::from_utf8_lossy(name);
    let text: String = text.chars().filter(|char| !char.is_control()).collect();
    text[..text.floor_char_boundary(MAX_NAME_BYTES)].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_counted_and_bounded() {
        let mut names = UnknownNames::default();
        for _ in 0..3 {
            names.add(NameKind::Sample, b"pulse", Some("A"));
        }
        for number in 0..100 {
            names.add(NameKind::Event, format!("field{number}").as_bytes(), None);
        }
        names.add(NameKind::Sample, b"pulse", Some("B"));
        let first = names.iter().next().expect("one");
        assert_eq!((first.count, first.device_sn.as_deref()), (4, Some("A")));
        assert_eq!(names.iter().count(), MAX_NAMES);
    }

    #[test]
    fn a_name_is_text_of_bounded_length() {
        let mut names = UnknownNames::default();
        names.add(NameKind::Sample, "脉\u{1b}[31m搏\0".as_bytes(), None);
        names.add(NameKind::Sample, "长".repeat(100).as_bytes(), None);
        names.add(NameKind::Sample, b"\xff", None);
        let names: Vec<&str> = names.iter().map(|name| name.name.as_str()).collect();
        assert_eq!(names, ["脉[31m搏", &"长".repeat(21), "\u{fffd}"]);
    }
}
