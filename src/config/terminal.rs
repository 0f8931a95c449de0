//! The language of the person at the terminal.

use crate::language::Language;

/// What POSIX asks for the language of messages, the first that is set.
const VARIABLES: [&str; 3] = ["LC_ALL", "LC_MESSAGES", "LANG"];

/// The language of the terminal; `None`: it names none of ours (`C`, `POSIX`, another language), or nothing.
pub fn terminal_language() -> Option<Language> {
    let set = VARIABLES.iter().find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()));
    Language::of_tag(&set?)
}
