//! Series.
use jiff::Timestamp;
use crate::metric::Metric;
use crate::model::{Grain, Series};
use crate::store::{Store, StoreError};
use super::{Span, Subject, Viewer};
/// What to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeriesRequest { pub subject: Subject, pub grain: Grain, pub metrics: Vec<Metric>, pub span: Span }
/// Points in the order of time (first by device, if of everyone), behind `after`; `limit` at most.
pub async fn read(store: &Store, viewer: Viewer, request: &SeriesRequest, after: Option<(Timestamp, String)>, limit: i64) -> Result<Series, StoreError> { unimplemented!() }
