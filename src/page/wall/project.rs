//! From degrees to places of a drawing: a plane around the middle of what is shown, true to scale in both directions.
//!
//! Before: positions in WGS 84. After: `map` draws. Promise: the plane shows where most people are; who is far away does not shrink it.

/// Metres of a degree of latitude.
const METRES: f64 = 111_320.0;

/// A drawing covers so many metres at least: a ward, not a bed.
const LEAST_METRES: f64 = 120.0;

/// A place in degrees.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Degrees {
    pub(super) latitude: f64,
    pub(super) longitude: f64,
}

/// Where a place is on the drawing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct MapPoint {
    pub(super) x: f64,
    pub(super) y: f64,
}

/// A plane of `width` by `height` around a middle.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Plane {
    middle: Degrees,
    pub(super) width: f64,
    pub(super) height: f64,
    /// Units of the drawing per metre.
    pub(super) per_metre: f64,
}

impl Plane {
    /// The plane that shows these places; `None`: there are none. Where the outermost twentieth on each side would make it more than
    /// three times as wide, it is left out.
    pub(super) fn around(places: &[Degrees], width: f64, height: f64, margin: f64) -> Option<Self> {
        let (south, north) = extent(places.iter().map(|place| place.latitude))?;
        let (west, east) = extent(places.iter().map(|place| place.longitude))?;
        let middle = Degrees { latitude: f64::midpoint(south, north), longitude: f64::midpoint(west, east) };
        let plane = Self { middle, width, height, per_metre: 1.0 };
        let (half_wide, half_high) = plane.metres(Degrees { latitude: north, longitude: east });
        let wide = (2.0 * half_wide).max(LEAST_METRES);
        let high = (2.0 * half_high).max(LEAST_METRES);
        let per_metre = ((width - 2.0 * margin) / wide).min((height - 2.0 * margin) / high);
        Some(Self { per_metre, ..plane })
    }

    /// East and north of the middle, metres.
    fn metres(&self, place: Degrees) -> (f64, f64) {
        let shrink = self.middle.latitude.to_radians().cos().max(0.01);
        (
            (place.longitude - self.middle.longitude) * METRES * shrink,
            (place.latitude - self.middle.latitude) * METRES,
        )
    }

    /// Where a place is, also outside of the drawing.
    pub(super) fn place(&self, place: Degrees) -> MapPoint {
        let (east, north) = self.metres(place);
        MapPoint {
            x: self.width / 2.0 + east * self.per_metre,
            y: self.height / 2.0 - north * self.per_metre,
        }
    }

    /// The degrees of a place of the drawing.
    pub(super) fn degrees(&self, place: MapPoint) -> Degrees {
        let shrink = self.middle.latitude.to_radians().cos().max(0.01);
        let east = (place.x - self.width / 2.0) / self.per_metre;
        let north = (self.height / 2.0 - place.y) / self.per_metre;
        Degrees {
            latitude: self.middle.latitude + north / METRES,
            longitude: self.middle.longitude + east / (METRES * shrink),
        }
    }

    /// Whether a place is on the drawing.
    pub(super) fn holds(&self, place: MapPoint) -> bool {
        (0.0..=self.width).contains(&place.x) && (0.0..=self.height).contains(&place.y)
    }

    /// A round distance of a sixth of the drawing at most, metres.
    pub(super) fn scale(&self) -> f64 {
        let most = self.width / 6.0 / self.per_metre;
        let power = 10_f64.powf(most.log10().floor());
        [5.0, 2.0].into_iter().map(|digit| digit * power).find(|metres| *metres <= most).unwrap_or(power)
    }
}

/// Lowest and highest, without those few that are far away.
fn extent(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    let mut values: Vec<f64> = values.filter(|value| value.is_finite()).collect();
    values.sort_by(f64::total_cmp);
    let (first, last) = (*values.first()?, *values.last()?);
    let cut = values.len() / 20;
    let (low, high) = (values[cut], values[values.len() - 1 - cut]);
    if last - first > 3.0 * (high - low) && high > low { Some((low, high)) } else { Some((first, last)) }
}

/// From WGS 84 to GCJ-02, the shifted coordinates of maps of mainland China; places outside of China are not shifted.
pub(super) fn gcj02(place: Degrees) -> Degrees {
    /// Semi-major axis, metres, and squared eccentricity of the ellipsoid that GCJ-02 is computed on.
    const AXIS: f64 = 6_378_245.0;
    const ECCENTRICITY: f64 = 0.006_693_421_622_965_943;
    let Degrees { latitude, longitude } = place;
    if !(0.829_3..=55.827_1).contains(&latitude) || !(72.004..=137.834_7).contains(&longitude) {
        return place;
    }
    let (x, y) = (longitude - 105.0, latitude - 35.0);
    let sine = latitude.to_radians().sin();
    let magic = 1.0 - ECCENTRICITY * sine * sine;
    let north = shift_north(x, y) * 180.0
        / (AXIS * (1.0 - ECCENTRICITY) / (magic * magic.sqrt()) * std::f64::consts::PI);
    let east =
        shift_east(x, y) * 180.0 / (AXIS / magic.sqrt() * latitude.to_radians().cos() * std::f64::consts::PI);
    Degrees { latitude: latitude + north, longitude: longitude + east }
}

fn waves(at: f64, terms: [(f64, f64); 2]) -> f64 {
    terms.into_iter().map(|(height, length)| height * (at * std::f64::consts::PI / length).sin()).sum::<f64>()
        * 2.0
        / 3.0
}

fn shift_north(x: f64, y: f64) -> f64 {
    let plane = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * x.abs().sqrt();
    let short = waves(x, [(20.0, 1.0 / 6.0), (20.0, 0.5)]);
    plane + short + waves(y, [(20.0, 1.0), (40.0, 3.0)]) + waves(y, [(160.0, 12.0), (320.0, 30.0)])
}

fn shift_east(x: f64, y: f64) -> f64 {
    let plane = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * x.abs().sqrt();
    let short = waves(x, [(20.0, 1.0 / 6.0), (20.0, 0.5)]);
    plane + short + waves(x, [(20.0, 1.0), (40.0, 3.0)]) + waves(x, [(150.0, 12.0), (300.0, 30.0)])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(latitude: f64, longitude: f64) -> Degrees {
        Degrees { latitude, longitude }
    }

    #[test]
    fn distances_are_true_in_both_directions() {
        let places = [at(31.20, 121.40), at(31.21, 121.42)];
        let plane = Plane::around(&places, 880.0, 560.0, 40.0).expect("places");
        let (a, b) = (plane.place(places[0]), plane.place(places[1]));
        let metres = |units: f64| units / plane.per_metre;
        assert!((metres(a.y - b.y) - 1_113.2).abs() < 1.0, "{a:?} {b:?}");
        assert!((metres(b.x - a.x) - 1_904.0).abs() < 5.0, "{a:?} {b:?}");
        let back = plane.degrees(a);
        assert!((back.latitude - 31.20).abs() < 1e-9 && (back.longitude - 121.40).abs() < 1e-9, "{back:?}");
        assert!(places.iter().all(|place| plane.holds(plane.place(*place))));
    }

    #[test]
    fn one_who_is_far_away_does_not_shrink_the_drawing() {
        let mut places: Vec<Degrees> =
            (0..40).map(|step| at(31.2 + f64::from(step) * 1e-4, 121.4 + f64::from(step) * 1e-4)).collect();
        places.push(at(39.9, 116.4));
        let plane = Plane::around(&places, 880.0, 560.0, 40.0).expect("places");
        assert!(plane.scale() <= 200.0, "{}", plane.scale());
        assert!(!plane.holds(plane.place(places[40])));
    }

    #[test]
    fn nowhere_is_no_plane_and_one_place_is_a_ward() {
        assert_eq!(Plane::around(&[], 880.0, 560.0, 40.0), None);
        assert_eq!(Plane::around(&[at(f64::NAN, 0.0)], 880.0, 560.0, 40.0), None);
        let plane = Plane::around(&[at(0.0, 0.0)], 880.0, 560.0, 40.0).expect("a place");
        assert_eq!(plane.place(at(0.0, 0.0)), MapPoint { x: 440.0, y: 280.0 });
        assert!((plane.scale() - 20.0).abs() < 1e-9, "{}", plane.scale());
    }

    #[test]
    fn chinese_maps_are_shifted_by_some_hundred_metres_and_others_are_not() {
        // 天安门: the known shift of the place.
        let shifted = gcj02(at(39.907_333, 116.391_083));
        assert!((shifted.latitude - 39.908_735).abs() < 1e-4, "{shifted:?}");
        assert!((shifted.longitude - 116.397_325).abs() < 1e-4, "{shifted:?}");
        assert_eq!(gcj02(at(48.85, 2.35)), at(48.85, 2.35));
    }
}
