//! What a wall shows.
use crate::model::Overview;
use crate::store::{Store, StoreError};
use super::Viewer;
/// One transaction of a few statements. Costs about one look-up by key for each device.
pub async fn read(store: &Store, viewer: Viewer) -> Result<Overview, StoreError> { unimplemented!() }
