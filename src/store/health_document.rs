//! `health_document`: nested documents of samples, as sent.

use deadpool_postgres::Object;
use jiff::Timestamp;

use super::{Statement, StoreError, statement};
use crate::model::Item;

const ADD: Statement = statement!("health_document", "add");

/// Keeps the documents of `items`; nothing is sent when there are none.
pub(crate) async fn add<'a>(
    client: &Object,
    items: impl Iterator<Item = &'a Item> + Clone,
) -> Result<(), StoreError> {
    let documents =
        || items.clone().flat_map(|item| item.reading.documents.iter().map(move |document| (item, document)));
    if documents().next().is_none() {
        return Ok(());
    }
    let device_sn: Vec<&str> = documents().map(|(item, _)| item.reading.device_sn.as_str()).collect();
    let ts: Vec<Timestamp> = documents().map(|(item, _)| item.reading.ts).collect();
    let kind: Vec<&str> = documents().map(|(_, document)| document.kind.name()).collect();
    let body: Vec<&str> = documents().map(|(_, document)| document.body.as_str()).collect();
    let received_at: Vec<Timestamp> = documents().map(|(item, _)| item.received_at).collect();
    ADD.execute(client, &[&device_sn, &ts, &kind, &body, &received_at]).await.map(drop)
}
