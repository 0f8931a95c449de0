//! Positions gathered by the cells of a grid, so that a drawing of thousands of people can be read.
//!
//! Before: places on the drawing. After: a circle for each cell with people.

use std::collections::BTreeMap;

use super::super::project::MapPoint;
use super::Placed;

/// Side of a cell: two circles of one person beside each other.
const CELL: f64 = 44.0;

/// Units that are named on the drawing.
const UNITS: usize = 12;

/// People of a cell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Cluster {
    /// The mean of their places.
    pub(super) place: MapPoint,
    /// How many.
    pub(super) people: usize,
    /// Of these, online.
    pub(super) online: usize,
}

impl Cluster {
    /// So that the area grows with the people, within what a cell can hold.
    #[expect(clippy::cast_precision_loss, reason = "a count of people")]
    pub(super) fn radius(&self) -> f64 {
        if self.people == 1 { 6.0 } else { (7.0 + 2.6 * (self.people as f64).sqrt()).min(30.0) }
    }
}

/// The sum of places, and how many.
#[derive(Default, Clone, Copy)]
struct Sum {
    x: f64,
    y: f64,
    people: usize,
    online: usize,
}

impl Sum {
    fn add(&mut self, placed: &Placed<'_>) {
        self.x += placed.place.x;
        self.y += placed.place.y;
        self.people += 1;
        self.online += usize::from(placed.position.online);
    }

    #[expect(clippy::cast_precision_loss, reason = "a count of people")]
    fn mean(&self) -> MapPoint {
        let people = self.people.max(1) as f64;
        MapPoint { x: self.x / people, y: self.y / people }
    }
}

/// One cluster for each cell with people.
#[expect(clippy::cast_possible_truncation, reason = "places are on the drawing")]
pub(super) fn gather<'a>(placed: impl Iterator<Item = &'a &'a Placed<'a>>) -> Vec<Cluster> {
    let mut cells: BTreeMap<(i32, i32), Sum> = BTreeMap::new();
    for each in placed {
        let cell = ((each.place.x / CELL) as i32, (each.place.y / CELL) as i32);
        cells.entry(cell).or_default().add(each);
    }
    cells.values().map(|sum| Cluster { place: sum.mean(), people: sum.people, online: sum.online }).collect()
}

/// The largest units, and the middle of their people.
pub(super) fn units<'a>(placed: impl Iterator<Item = &'a Placed<'a>>) -> Vec<(&'a str, MapPoint)> {
    let mut units: BTreeMap<&str, Sum> = BTreeMap::new();
    for each in placed {
        if let Some(name) = each.position.org_name.as_deref() {
            units.entry(name).or_default().add(each);
        }
    }
    let mut units: Vec<(&str, Sum)> = units.into_iter().collect();
    units.sort_by_key(|(_, sum)| std::cmp::Reverse(sum.people));
    units.into_iter().take(UNITS).map(|(name, sum)| (name, sum.mean())).collect()
}
