//! `/admin/silences`: silences are listed and ended.
//!
//! Before: a browser. After: `store::alert_silence`, within the reach of the reader.

use std::sync::Arc;

use axum::extract::State as Shared;
use axum::response::{IntoResponse, Response};

use super::super::super::State;
use super::super::super::api::PathId;
use super::super::super::error::{ApiError, BodyErrors, ListErrors};
use super::super::{Flash, PageReader};
use super::{done, show};
use crate::language::text;
use crate::model::Id64;
use crate::page::admin::{AdminSection, silences};
use crate::store::alert_silence;

/// Silences of a page.
const MOST: i64 = 500;

/// The silences in force, and those to come
#[utoipa::path(get, path = "/admin/silences", tag = "pages",
    security(("bearer" = ["admin", "own_tenant", "own_unit"]), ("basic" = ["admin", "own_tenant", "own_unit"])),
    responses((status = 200, description = "A page", content_type = "text/html", body = String), ListErrors))]
pub(in crate::http) async fn get_admin_silences(
    Shared(state): Shared<Arc<State>>,
    mut reader: PageReader,
    flash: Flash,
) -> Response {
    let reach = reader.caller.reach();
    match state.list(async |store| alert_silence::list(&store, reach, false, MOST).await).await {
        Ok(found) => {
            let content = silences::body(&reader.frame, &found);
            show(&mut reader, AdminSection::Silences, flash, &content)
        }
        Err(error) => error.into_response(),
    }
}

/// A silence ends now, by the form of a page
#[utoipa::path(post, path = "/admin/silences/{id}", tag = "pages",
    params(("id" = Id64, Path, description = "Number of the silence")),
    security(("bearer" = ["admin", "own_tenant", "own_unit"]), ("basic" = ["admin", "own_tenant", "own_unit"])),
    responses((status = 303, description = "Back to the silences"), BodyErrors))]
pub(in crate::http) async fn post_admin_silences_id(
    Shared(state): Shared<Arc<State>>,
    reader: PageReader,
    PathId(silence_id): PathId,
) -> Response {
    let stopping = alert_silence::stop(&state.store, reader.caller.reach(), silence_id);
    let id = silence_id.to_string();
    let outcome = match state.query(stopping).await {
        Ok(true) => Ok(text!("silence-over", id = id)),
        Ok(false) => Err(ApiError::Absent(text!("silence-absent", id = id))),
        Err(error) => Err(error),
    };
    done(&state, &reader, AdminSection::Silences.path(), outcome)
}
