//! `rejected_upload`: items that could not be stored.

use deadpool_postgres::Object;
use jiff::Timestamp;

use super::{Statement, StoreError, statement};
use crate::model::Reject;

const ADD: Statement = statement!("rejected_upload", "add");

pub(crate) async fn add(client: &Object, rejects: &[Reject]) -> Result<(), StoreError> {
    let received_at: Vec<Timestamp> = rejects.iter().map(|reject| reject.received_at).collect();
    let source: Vec<&str> = rejects.iter().map(|reject| reject.source.name()).collect();
    let device_sn: Vec<Option<&str>> = rejects.iter().map(|reject| reject.device_sn.as_deref()).collect();
    let reason: Vec<&str> = rejects.iter().map(|reject| reject.refusal.reason.name()).collect();
    let detail: Vec<&str> = rejects.iter().map(|reject| reject.refusal.detail.as_str()).collect();
    let body: Vec<_> = rejects.iter().map(|reject| String::from_utf8_lossy(&reject.text)).collect();
    let body: Vec<&str> = body.iter().map(AsRef::as_ref).collect();
    ADD.execute(client, &[&received_at, &source, &device_sn, &reason, &detail, &body]).await.map(drop)
}
