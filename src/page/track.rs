//! Where a person or a device was: a track with a scale, drawn without a map.
//!
//! Before: positions that `store::dashboard` has read. After: `record`.
//! Promise: distances are true to scale in both directions near the middle of the track.

use maud::{Markup, html};

use super::{Frame, format, when};
use crate::language::text;
use crate::model::TrackPoint;

/// Width and height of the drawing.
const WIDTH: f64 = 600.0;
const HEIGHT: f64 = 320.0;

/// Around the track.
const MARGIN: f64 = 28.0;

/// Metres of a degree of latitude.
const METRES: f64 = 111_320.0;

/// A drawing covers so many metres at least, so that a person who sits does not seem to run.
const LEAST_METRES: f64 = 100.0;

/// How many pixels a metre is, and where the middle is.
struct Projection {
    latitude: f64,
    longitude: f64,
    pixels_per_metre: f64,
}

impl Projection {
    /// Of a track; `None`: it has no points.
    fn of(track: &[TrackPoint]) -> Option<Self> {
        let bounds = |of: fn(&TrackPoint) -> f64| {
            let values = track.iter().map(of);
            values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
                (low.min(value), high.max(value))
            })
        };
        let (south, north) = bounds(|point| point.latitude);
        let (west, east) = bounds(|point| point.longitude);
        if south > north {
            return None;
        }
        let mut projection = Self {
            latitude: f64::midpoint(south, north),
            longitude: f64::midpoint(west, east),
            pixels_per_metre: 1.0,
        };
        let (wide, high) = projection.metres(north, east);
        let (wide, high) = ((2.0 * wide).max(LEAST_METRES), (2.0 * high).max(LEAST_METRES));
        projection.pixels_per_metre = ((WIDTH - 2.0 * MARGIN) / wide).min((HEIGHT - 2.0 * MARGIN) / high);
        Some(projection)
    }

    /// East and north of the middle, metres.
    fn metres(&self, latitude: f64, longitude: f64) -> (f64, f64) {
        let east = (longitude - self.longitude) * METRES * self.latitude.to_radians().cos();
        (east, (latitude - self.latitude) * METRES)
    }

    fn place(&self, point: &TrackPoint) -> (f64, f64) {
        let (east, north) = self.metres(point.latitude, point.longitude);
        (WIDTH / 2.0 + east * self.pixels_per_metre, HEIGHT / 2.0 - north * self.pixels_per_metre)
    }

    /// A round distance that a quarter of the drawing can show, metres.
    fn scale(&self) -> f64 {
        let most = WIDTH / 4.0 / self.pixels_per_metre;
        let power = 10_f64.powf(most.log10().floor());
        [5.0, 2.0].into_iter().map(|digit| digit * power).find(|metres| *metres <= most).unwrap_or(power)
    }
}

/// The drawing, and where it begins and ends in words.
pub fn draw(frame: &Frame, track: &[TrackPoint]) -> Markup {
    let (Some(projection), Some(first), Some(last)) = (Projection::of(track), track.first(), track.last())
    else {
        return html! { p.empty { (frame.text(&text!("page-no-track"))) } };
    };
    let places: Vec<(f64, f64)> = track.iter().map(|point| projection.place(point)).collect();
    let line: Vec<String> = places.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
    let scale = projection.scale();
    let length = scale * projection.pixels_per_metre;
    let time = |point: &TrackPoint| when::moment(point.ts, &frame.zone, frame.language);
    let about = text!("page-track-summary", positions = track.len(), from = time(first), to = time(last));
    html! {
        figure.track {
            svg viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } role="img" aria-label=(frame.text(&about)) {
                polyline.track-line points=(line.join(" ")) {}
                @for (x, y) in &places { circle.track-point cx=(tenths(*x)) cy=(tenths(*y)) r="2" {} }
                (end(&places, 0, "begin"))
                (end(&places, places.len() - 1, "end"))
                line.track-scale x1=(MARGIN) x2=(tenths(MARGIN + length)) y1=(HEIGHT - 10.0) y2=(HEIGHT - 10.0) {}
                text.label x=(MARGIN) y=(HEIGHT - 15.0) { (distance(scale)) }
            }
            figcaption {
                (frame.text(&about)) ": "
                (position(first)) " → " (position(last))
            }
        }
    }
}

fn end(places: &[(f64, f64)], place: usize, class: &str) -> Markup {
    let (x, y) = places[place];
    html! { circle class={ "track-" (class) } cx=(tenths(x)) cy=(tenths(y)) r="6" {} }
}

fn position(point: &TrackPoint) -> String {
    format!("{}°, {}°", format::decimal(point.latitude, 5), format::decimal(point.longitude, 5))
}

fn distance(metres: f64) -> String {
    if metres < 1_000.0 { format!("{metres:.0} m") } else { format!("{:.0} km", metres / 1_000.0) }
}

fn tenths(pixels: f64) -> String {
    format!("{pixels:.1}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(latitude: f64, longitude: f64) -> TrackPoint {
        let ts = jiff::Timestamp::UNIX_EPOCH;
        TrackPoint { device_sn: "T-1".to_owned(), ts, latitude, longitude, altitude: None, user_id: None }
    }

    #[test]
    fn the_same_distance_is_as_long_to_the_east_as_to_the_north() {
        // A kilometre each way at 60° north, where a degree of longitude is half as long.
        let degree = 1_000.0 / METRES;
        let track = [point(60.0, 10.0), point(60.0 + degree, 10.0), point(60.0, 10.0 + 2.0 * degree)];
        let projection = Projection::of(&track).expect("a track");
        let [corner, north, east] = track.map(|point| projection.place(&point));
        let (up, right) = (corner.1 - north.1, east.0 - corner.0);
        assert!((up - right).abs() < up * 0.01, "{up} {right}");
        assert!((up / projection.pixels_per_metre - 1_000.0).abs() < 1.0);
    }

    #[test]
    fn a_person_who_sits_does_not_seem_to_run_and_no_track_divides_by_zero() {
        let track = [point(31.2, 121.4), point(31.200_01, 121.4)];
        let projection = Projection::of(&track).expect("a track");
        let (first, second) = (projection.place(&track[0]), projection.place(&track[1]));
        assert!((first.1 - second.1).abs() < 5.0);
        assert!(Projection::of(&[]).is_none());
        let scale = projection.scale();
        assert!([10.0, 20.0, 50.0].contains(&scale), "{scale}");
    }
}
