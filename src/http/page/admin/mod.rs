//! `/admin`: what administrators see and change, a section each.
//!
//! Before: a browser. After: `store`, `monitor`, `ingest`.
//! Promise: what concerns every tenant is open to administrators of every tenant, as below `/api/`.

pub(in crate::http) mod accounts;
pub(in crate::http) mod contacts;
pub(in crate::http) mod keys;
pub(in crate::http) mod policies;
pub(in crate::http) mod rejected;
pub(in crate::http) mod rules;
pub(in crate::http) mod shifts;
pub(in crate::http) mod silences;

use std::sync::Arc;

use axum::extract::State as Shared;
use axum::response::{IntoResponse, Response};

use super::super::State;
use super::super::error::{ApiError, ListErrors};
use super::{Flash, PageReader};
use crate::page::Markup;
use crate::page::admin::health::{self, ServiceHealth};
use crate::page::admin::{AdminSection, section};

/// The service's own health
#[utoipa::path(get, path = "/admin", tag = "pages", security(("bearer" = ["admin"]), ("basic" = ["admin"])),
    responses((status = 200, description = "A page", content_type = "text/html", body = String), ListErrors))]
pub(in crate::http) async fn get_admin(
    Shared(state): Shared<Arc<State>>,
    mut reader: PageReader,
    flash: Flash,
) -> Response {
    let snapshot = state.monitor.snapshot();
    let recent = snapshot.recent_total();
    let found = ServiceHealth {
        parts: state.part_health().await,
        alerts: state.monitor.alerts(),
        uptime: snapshot.uptime,
        recent_records: recent.stored,
    };
    let content = health::body(&reader.frame, &found);
    show(&mut reader, AdminSection::Health, flash, &content)
}

/// A section, with what became of the last action.
fn show(reader: &mut PageReader, which: AdminSection, flash: Flash, content: &Markup) -> Response {
    let notice = reader.shown_once(flash);
    reader.page(&which.title(), &section(&reader.frame, which, notice.as_deref(), content))
}

/// Leads back to a section with what became of an action; an error that is no refusal is a page of its own.
fn done(
    state: &State,
    reader: &PageReader,
    back: &str,
    outcome: Result<crate::language::Text, ApiError>,
) -> Response {
    match outcome {
        Ok(text) | Err(ApiError::InTheWay(text) | ApiError::Bad(text) | ApiError::Absent(text)) => {
            state.pages.go_back(back, &reader.frame.text(&text))
        }
        Err(error) => error.into_response(),
    }
}
