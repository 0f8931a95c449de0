//! Where labels stand on a drawing, so that none covers another.
//!
//! Before: a place and its words. After: where the words begin; `None`: there is no room, and the mark stands alone.

use super::super::project::MapPoint;

/// Height of a line, and the widths of letters: of Latin ones, and of Chinese ones.
const LINE: f64 = 19.0;
const NARROW: f64 = 9.4;
const WIDE: f64 = 16.0;

/// Labels on one drawing.
const MOST: usize = 30;

#[derive(Debug, Clone, Copy, PartialEq)]
struct Area {
    left: f64,
    top: f64,
    right: f64,
    bottom: f64,
}

impl Area {
    fn overlaps(&self, other: &Self) -> bool {
        self.left < other.right
            && other.left < self.right
            && self.top < other.bottom
            && other.top < self.bottom
    }
}

/// The labels so far.
#[derive(Debug)]
pub(super) struct Labels {
    width: f64,
    height: f64,
    taken: Vec<Area>,
}

impl Labels {
    pub(super) const fn new(width: f64, height: f64) -> Self {
        Self { width, height, taken: Vec::new() }
    }

    /// Right of a mark, else left of it, else a line above or below.
    pub(super) fn next_to(&mut self, mark: MapPoint, words: &str) -> Option<MapPoint> {
        let width = width_of(words);
        let (right, left) = (mark.x + 14.0, mark.x - 14.0 - width);
        let tries = [(right, 0.0), (left, 0.0), (right, LINE), (right, -LINE), (left, LINE), (left, -LINE)];
        tries.into_iter().find_map(|(x, down)| self.take(x, mark.y + 5.0 + down, width))
    }

    /// Above a place, its middle over it.
    pub(super) fn above(&mut self, place: MapPoint, words: &str) -> Option<MapPoint> {
        let width = width_of(words);
        let x = (place.x - width / 2.0).clamp(2.0, (self.width - width - 2.0).max(2.0));
        [-34.0, -54.0, 44.0].into_iter().find_map(|down| self.take(x, place.y + down, width))
    }

    fn take(&mut self, x: f64, baseline: f64, width: f64) -> Option<MapPoint> {
        let area =
            Area { left: x, top: baseline - LINE * 0.75, right: x + width, bottom: baseline + LINE * 0.25 };
        let is_inside =
            area.left >= 0.0 && area.right <= self.width && area.top >= 0.0 && area.bottom <= self.height;
        let is_free = self.taken.len() < MOST && self.taken.iter().all(|taken| !taken.overlaps(&area));
        (is_inside && is_free).then(|| {
            self.taken.push(area);
            MapPoint { x, y: baseline }
        })
    }
}

fn width_of(words: &str) -> f64 {
    words.chars().map(|letter| if letter.is_ascii() { NARROW } else { WIDE }).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_give_way_to_each_other_and_stay_inside() {
        let mut labels = Labels::new(400.0, 200.0);
        let mark = MapPoint { x: 200.0, y: 100.0 };
        let first = labels.next_to(mark, "*** Person 305").expect("room");
        let second = labels.next_to(mark, "*** Person 306").expect("room");
        assert!(first.x > mark.x && second.x < mark.x, "{first:?} {second:?}");
        let third = labels.next_to(mark, "*** Person 307").expect("room");
        assert!((third.y - first.y).abs() >= LINE, "{third:?}");
        let at_the_edge = labels.next_to(MapPoint { x: 395.0, y: 20.0 }, "** Person 1").expect("room");
        assert!(at_the_edge.x < 395.0, "{at_the_edge:?}");
        let taken = labels.taken.clone();
        assert!(
            taken.iter().enumerate().all(|(at, area)| taken[..at].iter().all(|other| !area.overlaps(other)))
        );
    }
}
