//! Newest samples.
use crate::model::Latest;
use crate::store::{Store, StoreError};
use super::{Subject, Viewer};
/// The newest first.
pub async fn read(store: &Store, viewer: Viewer, subject: &Subject, limit: i64) -> Result<Vec<Latest>, StoreError> { unimplemented!() }
