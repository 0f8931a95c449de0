//! `/admin/rejected`: uploaded items that could not be stored are listed, and read once more.
//!
//! Before: a browser. After: `ingest::replay`, as `vitals rejected replay` uses it.
//! Promise: see `ingest::replay`: an item is stored and leaves the list, or neither.

use std::sync::Arc;

use axum::extract::{Request, State as Shared};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;

use super::super::super::State;
use super::super::super::error::{ApiError, BodyErrors, ListErrors};
use super::super::form::FormFields;
use super::super::{Flash, PageReader};
use super::{done, show};
use crate::language::{Text, text};
use crate::model::Upload;
use crate::page::admin::AdminSection;
use crate::page::admin::rejected::{self, RejectedItemRow};
use crate::store::rejected_upload::{self, Filter, RejectedUpload};
use crate::wire::{self, Context};

/// Items of a page.
const MOST: i64 = 100;

/// Characters of an item that are shown.
const EXCERPT_CHARS: usize = 300;

/// The newest items that could not be stored
#[utoipa::path(get, path = "/admin/rejected", tag = "pages", security(("bearer" = ["admin"]), ("basic" = ["admin"])),
    responses((status = 200, description = "A page", content_type = "text/html", body = String), ListErrors))]
pub(in crate::http) async fn get_admin_rejected(
    Shared(state): Shared<Arc<State>>,
    mut reader: PageReader,
    flash: Flash,
) -> Response {
    let filter = Filter::default();
    let reading = state.list(async |store| {
        let found = rejected_upload::list(&store, &filter, MOST).await?;
        Ok((found, rejected_upload::measure(&store, &filter).await?.rejects))
    });
    match reading.await {
        Ok((found, count)) => {
            let rows: Vec<RejectedItemRow> = found.into_iter().map(row).collect();
            let content = rejected::body(&reader.frame, &rows, count);
            show(&mut reader, AdminSection::Rejected, flash, &content)
        }
        Err(error) => error.into_response(),
    }
}

/// Items are read as if they were uploaded once more, by the form of a page
#[utoipa::path(post, path = "/admin/rejected", tag = "pages", security(("bearer" = ["admin"]), ("basic" = ["admin"])),
    responses((status = 303, description = "Back to the items"), BodyErrors))]
pub(in crate::http) async fn post_admin_rejected(
    Shared(state): Shared<Arc<State>>,
    reader: PageReader,
    request: Request,
) -> Response {
    let outcome = replay(&state, request).await;
    done(&state, &reader, AdminSection::Rejected.path(), outcome)
}

async fn replay(state: &State, request: Request) -> Result<Text, ApiError> {
    let fields = FormFields::read(state, request).await?;
    let ids: Vec<i64> = fields.values("id");
    let read = |rejected: &RejectedUpload| state.read_rejected(rejected);
    let counts = state.query(async { state.replay.lock().await.replay(&ids, &read).await }).await?;
    let refused = counts.refused() + counts.passed_over;
    Ok(text!("page-replayed", stored = counts.stored, duplicates = counts.duplicate, refused = refused))
}

impl State {
    /// Reads a reject by the rules of the route it came by.
    fn read_rejected(&self, rejected: &RejectedUpload) -> Upload {
        let context = Context {
            received_at: rejected.received_at,
            device_zone: self.device_zone.clone(),
            oldest: self.retention.oldest(self.time.now()),
            key_customer_id: rejected.key_customer_id,
        };
        let body = Bytes::copy_from_slice(rejected.body.as_bytes());
        wire::rejected_item::read(rejected.source, &body, rejected.inherited.as_deref(), &context)
    }
}

fn row(item: RejectedUpload) -> RejectedItemRow {
    RejectedItemRow {
        id: item.id,
        received_at: item.last_received_at.unwrap_or(item.received_at),
        times: item.times,
        device_sn: item.device_sn,
        reason: item.reason,
        detail: item.detail,
        excerpt: item.body.chars().take(EXCERPT_CHARS).collect(),
    }
}
