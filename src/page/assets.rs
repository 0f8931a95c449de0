//! The files that pages load: the style, the module, the icon; all of them from the binary.
//!
//! Before: the compiler has read `assets/`. After: `http::page` serves `/assets/<name>?v=<hash>`.
//! Promise: the address of a file changes with what is in it, so a browser may keep it for ever.

use std::hash::Hasher;
use std::sync::LazyLock;

use siphasher::sip::SipHasher13;

/// A file.
#[derive(Debug)]
pub struct Asset {
    /// Its name below `/assets/`.
    pub name: &'static str,
    /// Its media type.
    pub content_type: &'static str,
    /// What is in it.
    pub body: &'static str,
    /// What its address says of its content.
    pub hash: String,
}

const FILES: &[(&str, &str, &str)] = &[
    ("style.css", "text/css; charset=utf-8", include_str!("assets/style.css")),
    ("wall.css", "text/css; charset=utf-8", include_str!("assets/wall.css")),
    ("records.css", "text/css; charset=utf-8", include_str!("assets/records.css")),
    ("page.js", "text/javascript; charset=utf-8", include_str!("assets/page.js")),
    ("icon.svg", "image/svg+xml", include_str!("assets/icon.svg")),
];

static ASSETS: LazyLock<Vec<Asset>> = LazyLock::new(|| {
    let asset = |&(name, content_type, body): &(&'static str, &'static str, &'static str)| {
        let mut hasher = SipHasher13::new();
        hasher.write(body.as_bytes());
        Asset { name, content_type, body, hash: format!("{:016x}", hasher.finish()) }
    };
    FILES.iter().map(asset).collect()
});

/// All of them.
pub fn all() -> &'static [Asset] {
    &ASSETS
}

/// The file of a name.
pub fn find(name: &str) -> Option<&'static Asset> {
    ASSETS.iter().find(|asset| asset.name == name)
}

/// The addresses of the style sheets, in the order in which they are applied.
pub fn styles() -> impl Iterator<Item = String> {
    FILES.iter().filter(|(name, ..)| name.ends_with(".css")).map(|(name, ..)| address(name))
}

/// The address of a file.
pub fn address(name: &str) -> String {
    let hash = find(name).map(|asset| asset.hash.as_str()).unwrap_or_default();
    format!("/assets/{name}?v={hash}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_of_a_file_tells_its_content() {
        let addresses: Vec<String> = FILES.iter().map(|(name, ..)| address(name)).collect();
        for (address, (name, ..)) in addresses.iter().zip(FILES) {
            let (before, hash) = address.split_once("?v=").expect("a hash");
            assert_eq!(before, format!("/assets/{name}"));
            assert_eq!(hash.len(), 16);
        }
        assert!(find("../mod.rs").is_none());
    }

    #[test]
    fn nothing_is_loaded_from_elsewhere() {
        for (name, _, body) in FILES {
            for foreign in ["https://", "@import", "url(//", "src=\"//"] {
                assert!(!body.contains(foreign), "{name}: {foreign}");
            }
        }
    }
}
