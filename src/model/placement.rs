//! Which cell (database with its instances) the devices of a tenant live in.
//!
//! Before: `store::placement` reads the tables. After: `cells` and `http` ask where a device lives.
//! Promise: the narrowest row applies, as in `vitals.lives_elsewhere`.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::Arc;

/// Another cell, and how it is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// Its name.
    pub name: Box<str>,
    /// Base of the URLs that watches are given, without a slash at its end.
    pub public_url: String,
    /// Base of the URLs to which this service sends, without a slash at its end.
    pub internal_url: String,
}

/// The range of serials that a row of the placement is about, in the order of bytes, both ends inclusive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SerialRange {
    /// The first serial.
    pub first: Box<str>,
    /// The last serial; the same: a single device.
    pub last: Box<str>,
}

/// A row of the placement. `range` `None`: all devices of the tenant.
#[derive(Debug, Clone)]
pub struct Placement {
    /// Tenant; 0: devices that nobody owns.
    pub customer_id: i64,
    /// The devices.
    pub range: Option<SerialRange>,
    /// Where they live; `None`: in this cell.
    pub cell: Option<Arc<Cell>>,
}

/// The whole placement.
#[derive(Debug, Default)]
pub struct Placements {
    /// Name of this cell.
    pub own: Box<str>,
    /// The narrowest row first.
    by_tenant: HashMap<i64, Vec<Placement>>,
}

impl Placements {
    /// Of these rows, as this cell sees them.
    pub fn new(own: Box<str>, rows: impl IntoIterator<Item = Placement>) -> Self {
        let mut by_tenant: HashMap<i64, Vec<Placement>> = HashMap::new();
        for row in rows {
            by_tenant.entry(row.customer_id).or_default().push(row);
        }
        for rows in by_tenant.values_mut() {
            rows.sort_by(|a, b| order(a).cmp(&order(b)));
        }
        Self { own, by_tenant }
    }

    /// Whether any device of this tenant (`None`: of any) lives in another cell.
    pub fn has_elsewhere(&self, customer_id: Option<i64>) -> bool {
        let is_elsewhere = |rows: &Vec<Placement>| rows.iter().any(|row| row.cell.is_some());
        match customer_id {
            Some(tenant) => self.by_tenant.get(&tenant).is_some_and(is_elsewhere),
            None => self.by_tenant.values().any(is_elsewhere),
        }
    }

    /// The other cell in which a device of this tenant (0: nobody's) lives; `None`: it lives here.
    pub fn elsewhere(&self, customer_id: i64, device_sn: &str) -> Option<&Arc<Cell>> {
        let rows = self.by_tenant.get(&customer_id)?;
        rows.iter().find(|row| row.covers(device_sn))?.cell.as_ref()
    }
}

impl Placement {
    fn covers(&self, device_sn: &str) -> bool {
        self.range.as_ref().is_none_or(|range| (&*range.first..=&*range.last).contains(&device_sn))
    }
}

/// Single devices, then ranges, of which the one that begins last and ends first is the narrowest, then whole tenants.
fn order(row: &Placement) -> (u8, Reverse<&str>, &str) {
    match &row.range {
        Some(SerialRange { first, last }) => (u8::from(first != last), Reverse(&**first), &**last),
        None => (2, Reverse(""), ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(customer_id: i64, range: Option<(&str, &str)>, cell: Option<&str>) -> Placement {
        let url = || "https://cell.example".to_owned();
        let cell =
            cell.map(|name| Arc::new(Cell { name: name.into(), public_url: url(), internal_url: url() }));
        let range = range.map(|(first, last)| SerialRange { first: first.into(), last: last.into() });
        Placement { customer_id, range, cell }
    }

    #[test]
    fn the_narrowest_row_applies() {
        let placements = Placements::new(
            "north".into(),
            [
                row(7, None, Some("south")),
                row(7, Some(("A", "M")), Some("west")),
                row(7, Some(("C", "E")), None),
                row(7, Some(("D-1", "D-1")), Some("east")),
                row(0, None, Some("west")),
            ],
        );
        let cell_of = |tenant, serial| placements.elsewhere(tenant, serial).map(|cell| &*cell.name);
        assert!(placements.has_elsewhere(None) && placements.has_elsewhere(Some(7)));
        assert!(!placements.has_elsewhere(Some(8)));
        assert_eq!(cell_of(7, "Z"), Some("south"), "the tenant");
        assert_eq!(cell_of(7, "B"), Some("west"), "a range");
        assert_eq!(cell_of(7, "D"), None, "a range in it, which is of this cell");
        assert_eq!(cell_of(7, "D-1"), Some("east"), "the device");
        assert_eq!(cell_of(0, "D-1"), Some("west"), "nobody's");
        assert_eq!(cell_of(8, "D-1"), None, "a tenant without a row");
    }
}
