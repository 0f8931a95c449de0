//! `health_document`: what of nested documents has no columns anywhere, as sent.

use deadpool_postgres::Object;
use jiff::Timestamp;

use super::{Statement, StoreError, statement};
use crate::model::{Element, KeptDocument, Owner, SampleDocument};

pub(super) const ADD: Statement = statement!("health_document", "add");

/// Keeps the texts of `documents` that are kept as sent; nothing is sent when there are none.
pub(crate) async fn add(client: &Object, documents: &[SampleDocument<'_>]) -> Result<(), StoreError> {
    let kept: Vec<(&SampleDocument<'_>, &KeptDocument)> = documents
        .iter()
        .flat_map(|carried| carried.document.elements.iter().map(move |element| (carried, element)))
        .filter_map(|(carried, element)| match element {
            Element::Kept(kept) => Some((carried, kept)),
            _ => None,
        })
        .collect();
    if kept.is_empty() {
        return Ok(());
    }
    let device_sn: Vec<&str> = kept.iter().map(|(carried, _)| carried.device_sn).collect();
    let ts: Vec<Timestamp> = kept.iter().map(|(carried, _)| carried.first_ts).collect();
    let kind: Vec<&str> = kept.iter().map(|(carried, _)| carried.document.kind.name()).collect();
    let reason: Vec<&str> = kept.iter().map(|(_, kept)| kept.reason.name()).collect();
    let detail: Vec<Option<&str>> = kept.iter().map(|(_, kept)| kept.detail.as_deref()).collect();
    let body: Vec<&str> = kept.iter().map(|(_, kept)| kept.body.as_str()).collect();
    let [customer_id, org_id, user_id] = Owner::columns(kept.iter().map(|(carried, _)| carried.owner));
    let received_at: Vec<Timestamp> = kept.iter().map(|(carried, _)| carried.received_at).collect();
    ADD.execute(
        client,
        &[&device_sn, &ts, &kind, &reason, &detail, &body, &customer_id, &org_id, &user_id, &received_at],
    )
    .await
    .map(drop)
}
