//! The map under the positions: pictures of a tile server, placed by the degrees of their corners.
//!
//! Before: the settings name the server. After: the browser loads the tiles; the Content-Security-Policy allows that host alone.

use maud::{Markup, html};

use super::super::project::{Degrees, MapPoint, Plane};
use super::tenths;

/// Side of a tile as it is drawn at its own size.
const SIDE: f64 = 256.0;

/// Deepest level that servers of maps have.
const DEEPEST: i32 = 18;

/// A drawing has fewer tiles than this, whatever it shows.
const MOST: i64 = 64;

/// A server of map tiles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tiles {
    /// Address of a tile with `{z}`, `{x}` and `{y}`.
    pub url: String,
    /// The tiles are in GCJ-02: positions are shifted to it.
    pub is_gcj02: bool,
    /// Who made the map; empty: nobody is named.
    pub attribution: String,
}

impl Tiles {
    /// The tiles that a plane shows.
    pub(super) fn under(&self, plane: &Plane) -> Markup {
        let (north_west, south_east) = (
            plane.degrees(MapPoint { x: 0.0, y: 0.0 }),
            plane.degrees(MapPoint { x: plane.width, y: plane.height }),
        );
        let level = level(plane, north_west, south_east);
        let (left, top) = tile(north_west, level);
        let (right, bottom) = tile(south_east, level);
        if (right - left + 1) * (bottom - top + 1) > MOST {
            return html! {};
        }
        html! {
            g.tiles {
                @for y in top..=bottom {
                    @for x in left..=right { (self.one(plane, level, x, y)) }
                }
            }
        }
    }

    fn one(&self, plane: &Plane, level: i32, x: i64, y: i64) -> Markup {
        let across = 1_i64 << level;
        if !(0..across).contains(&y) {
            return html! {};
        }
        let (corner, opposite) = (plane.place(corner(level, x, y)), plane.place(corner(level, x + 1, y + 1)));
        let address = self
            .url
            .replace("{z}", &level.to_string())
            .replace("{x}", &x.rem_euclid(across).to_string())
            .replace("{y}", &y.to_string());
        html! {
            // A little larger than they are, so that no line shows between two of them.
            image href=(address) x=(tenths(corner.x)) y=(tenths(corner.y)) width=(tenths(opposite.x - corner.x + 0.5))
                height=(tenths(opposite.y - corner.y + 0.5)) preserveAspectRatio="none" {}
        }
    }
}

/// The level at which a tile is drawn at about its own size.
#[expect(clippy::cast_possible_truncation, reason = "a level is small")]
fn level(plane: &Plane, north_west: Degrees, south_east: Degrees) -> i32 {
    let degrees = (south_east.longitude - north_west.longitude).max(1e-6);
    let exact = (360.0 / degrees * plane.width / SIDE).log2();
    (exact.round() as i32).clamp(0, DEEPEST)
}

/// The tile that holds a place (web Mercator).
#[expect(clippy::cast_possible_truncation, reason = "a tile is one of 2^18")]
fn tile(place: Degrees, level: i32) -> (i64, i64) {
    let across = f64::from(level).exp2();
    let latitude = place.latitude.clamp(-85.0, 85.0).to_radians();
    let x = (place.longitude + 180.0) / 360.0 * across;
    let y = (1.0 - latitude.tan().asinh() / std::f64::consts::PI) / 2.0 * across;
    (x.floor() as i64, y.floor() as i64)
}

/// The north-western corner of a tile.
#[expect(clippy::cast_precision_loss, reason = "a tile is one of 2^18")]
fn corner(level: i32, x: i64, y: i64) -> Degrees {
    let across = f64::from(level).exp2();
    let north = (std::f64::consts::PI * (1.0 - 2.0 * y as f64 / across)).sinh().atan();
    Degrees { latitude: north.to_degrees(), longitude: x as f64 / across * 360.0 - 180.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tile_is_where_its_corners_are() {
        let place = Degrees { latitude: 31.23, longitude: 121.47 };
        let (x, y) = tile(place, 12);
        assert_eq!((x, y), (3430, 1673));
        let (north_west, south_east) = (corner(12, x, y), corner(12, x + 1, y + 1));
        assert!(north_west.latitude >= place.latitude && place.latitude > south_east.latitude);
        assert!(north_west.longitude <= place.longitude && place.longitude < south_east.longitude);
    }

    #[test]
    fn the_tiles_cover_the_drawing_and_are_few() {
        let places =
            [Degrees { latitude: 31.20, longitude: 121.40 }, Degrees { latitude: 31.26, longitude: 121.49 }];
        let plane = Plane::around(&places, 880.0, 560.0, 60.0).expect("places");
        let tiles = Tiles {
            url: "https://tiles.example.org/{z}/{x}/{y}.png".to_owned(),
            is_gcj02: false,
            attribution: String::new(),
        };
        let drawn = tiles.under(&plane).into_string();
        let count = drawn.matches("<image").count();
        assert!((6..=40).contains(&count), "{count}");
        assert!(drawn.contains("https://tiles.example.org/13/"), "{drawn}");
    }
}
