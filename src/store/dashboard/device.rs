//! Devices.
use crate::model::{Device, DeviceState, ReadState};
use crate::store::{Store, StoreError};
use super::Viewer;

/// Which devices; `None` is any.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeviceFilter {
    /// Part of the serial or of the name of the wearer, in any case.
    pub search: Option<String>,
    /// Of this organisation unit and its sub-units.
    pub org_id: Option<i64>,
    /// Worn by this person now.
    pub user_id: Option<i64>,
    /// Online, offline, or with an open alert.
    pub state: Option<ReadState>,
}
/// Devices by serial, behind `after`.
pub async fn list(store: &Store, viewer: Viewer, filter: &DeviceFilter, after: Option<&str>, limit: i64) -> Result<Vec<DeviceState>, StoreError> { unimplemented!() }
/// `None`: there is none, or the viewer may not see it. A device that the viewer could see only in the past has its bindings of then.
pub async fn read(store: &Store, viewer: Viewer, device_sn: &str) -> Result<Option<Device>, StoreError> { unimplemented!() }
