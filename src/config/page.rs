//! The pages: what they show besides the values of the database.

use confique::Config;
use serde::Deserialize;

/// The pages.
#[derive(Debug, Clone, Config)]
pub struct PageSettings {
    /// Map under the positions of the wall: the address of a tile with `{z}`, `{x}` and `{y}`, such as
    /// `https://tiles.example.org/{z}/{x}/{y}.png`. The browsers of readers load the tiles, so their server learns which places are shown.
    /// Empty: no map; positions have a grid and a scale.
    #[config(env = "VITALS_PAGE_TILE_URL", default = "")]
    pub tile_url: String,

    /// Coordinates of the tiles: `wgs84`, those of the watches, or `gcj02`, which maps of mainland China use; positions are then shifted
    /// to them.
    #[config(env = "VITALS_PAGE_TILE_COORDINATES", default = "wgs84")]
    pub tile_coordinates: TileCoordinates,

    /// Who made the map, as its licence wants it written beside it. Empty: nothing is written.
    #[config(env = "VITALS_PAGE_TILE_ATTRIBUTION", default = "")]
    pub tile_attribution: String,
}

/// A system of coordinates of maps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TileCoordinates {
    /// WGS 84, as watches send it.
    Wgs84,
    /// GCJ-02, of maps of mainland China.
    Gcj02,
}

impl PageSettings {
    /// Scheme, host and port of the tile server, which pages may load pictures from; `None`: there is none.
    pub fn tile_origin(&self) -> Option<&str> {
        let (scheme, rest) = self.tile_url.split_once("://")?;
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        Some(&self.tile_url[..scheme.len() + "://".len() + host.len()])
    }

    /// Why they are invalid; `None`: they are valid.
    pub(super) fn invalid_reason(&self) -> Option<String> {
        if self.tile_url.is_empty() {
            return None;
        }
        let is_web = self.tile_url.starts_with("https://") || self.tile_url.starts_with("http://");
        let has_places = ["{z}", "{x}", "{y}"].iter().all(|place| self.tile_url.contains(place));
        // The origin goes into a header, in which these have a meaning.
        let is_host = |c: char| c.is_ascii_alphanumeric() || ".-:[]/".contains(c);
        let is_plain =
            self.tile_origin().is_some_and(|origin| !origin.ends_with('/') && origin.chars().all(is_host));
        let is_valid =
            is_web && has_places && is_plain && self.tile_url.chars().all(|c| c.is_ascii_graphic());
        (!is_valid).then(|| {
            format!("page.tile_url = \"{}\" is not an http(s) URL of a host with {{z}}, {{x}} and {{y}} in its path", self.tile_url)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::Settings;
    use super::*;

    fn of(tile_url: &str) -> PageSettings {
        PageSettings { tile_url: tile_url.to_owned(), ..Settings::defaults().page }
    }

    #[test]
    fn the_origin_of_the_tiles_is_all_that_pages_may_load_from() {
        assert_eq!(of("").tile_origin(), None);
        let tiles = of("https://tiles.example.org:8443/a/{z}/{x}/{y}.png?key=1");
        assert_eq!(tiles.tile_origin(), Some("https://tiles.example.org:8443"));
        assert_eq!(tiles.invalid_reason(), None);
    }

    #[test]
    fn an_address_that_is_no_tile_or_could_loosen_the_policy_is_refused() {
        for bad in [
            "tiles/{z}/{x}/{y}",
            "https://a/{z}/{x}",
            "https:///{z}/{x}/{y}",
            "https://a; script-src *//{z}/{x}/{y}",
            "https://{z}/{x}/{y}",
            "https://*/{z}/{x}/{y}",
            "javascript://a/{z}/{x}/{y}",
        ] {
            assert!(of(bad).invalid_reason().is_some(), "{bad}");
        }
    }
}
