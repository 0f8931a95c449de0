//! People.
use jiff::Timestamp;
use crate::model::{Person, PersonSummary, ReadState};
use crate::store::{Store, StoreError};
use super::Viewer;

/// Which people; `None` is any.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PersonFilter {
    /// Part of the name or the room, in any case; or the number of the person.
    pub search: Option<String>,
    /// Of this organisation unit and its sub-units.
    pub org_id: Option<i64>,
    /// Online, offline, or with an open alert.
    pub state: Option<ReadState>,
}
/// The end of a page: name (empty: none) and number.
pub type PersonCursor = (String, i64);
/// People by name.
pub async fn list(store: &Store, viewer: Viewer, filter: &PersonFilter, after: Option<PersonCursor>, limit: i64) -> Result<Vec<PersonSummary>, StoreError> { unimplemented!() }
/// `None`: there is none, or the viewer may not see them.
pub async fn read(store: &Store, viewer: Viewer, user_id: i64) -> Result<Option<Person>, StoreError> { unimplemented!() }
