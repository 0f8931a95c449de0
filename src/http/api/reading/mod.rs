//! Reading people, devices and what they recorded, by tenant.
//!
//! Before: pages of other programs, scripts, spreadsheets. After: `store::dashboard`, on a standby where one is good enough.
//! Promise: nobody sees more than their tenant and unit, because every row is read in a transaction that the database restricts to
//! them. A person or a device of somebody else is answered like one that does not exist. An answer is JSON, NDJSON or CSV with the
//! same values under the same names.

pub(in crate::http) mod device;
mod form;
mod inquiry;
pub(in crate::http) mod overview;
mod parameter;
pub(in crate::http) mod person;
mod point;
pub(in crate::http) mod record;
pub(in crate::http) mod series;
mod table;

pub(in crate::http) use inquiry::MAX_EXPORTS;
pub(in crate::http) use overview::OverviewCache;
