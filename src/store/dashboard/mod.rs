//! Schema `dashboard`: the only way to read health data for people, pages and programs.
//!
//! Before: `http`, for whoever sent the request. After: the views of `sql/functions/dashboard`, which alone decide what is seen.
//! Promise: every statement runs in a read-only transaction that was narrowed to the tenant and the unit of its [`Viewer`] before. A
//! viewer that names neither a tenant nor all of them sees nothing.

mod binding;
pub mod changes;
pub mod device;
pub mod event;
pub mod exercise;
pub mod latest;
pub mod night;
pub mod overview;
pub mod person;
mod record;
mod rows;
pub mod series;
mod subject;
pub mod track;
pub mod unit;
mod viewer;
pub mod wall;
pub mod workout;

pub use record::PageEnd;
pub(crate) use record::{Record, is_visible, query as records, read};
pub use rows::{Query, RowStream};
pub use subject::{Span, Subject};
pub use viewer::Viewer;
