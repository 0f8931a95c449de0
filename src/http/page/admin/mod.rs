//! `/admin`: what administrators see and change, a section each.
//!
//! Before: a browser. After: `store`, `monitor`, `ingest`.
//! Promise: what concerns the installation is open and shown to administrators of every tenant; of the parts of one tenant, an administrator of it sees
//! and changes those of that tenant, or unit, alone.

pub(in crate::http) mod accounts;
pub(in crate::http) mod contacts;
pub(in crate::http) mod keys;
pub(in crate::http) mod kiosks;
pub(in crate::http) mod policies;
pub(in crate::http) mod rejected;
pub(in crate::http) mod routes;
mod rule_form;
pub(in crate::http) mod rules;
pub(in crate::http) mod shifts;
pub(in crate::http) mod silences;
mod try_out;

use std::sync::Arc;

use axum::extract::State as Shared;
use axum::response::{IntoResponse, Redirect, Response};
use rand::TryRngCore;
use rand::rngs::OsRng;

use super::super::State;
use super::super::error::{ApiError, ListErrors};
use super::{Flash, PageReader};
use crate::language::Text;
use crate::page::Markup;
use crate::page::admin::health::{self, ServiceHealth};
use crate::page::admin::{AdminSection, section};

/// The service's own health
#[utoipa::path(get, path = "/admin", tag = "pages",
    security(("bearer" = ["admin", "own_tenant", "own_unit"]), ("basic" = ["admin", "own_tenant", "own_unit"])),
    responses((status = 200, description = "A page", content_type = "text/html", body = String),
        (status = 303, description = "An administrator of one tenant is led to the first section of theirs"), ListErrors))]
pub(in crate::http) async fn get_admin(
    Shared(state): Shared<Arc<State>>,
    mut reader: PageReader,
    flash: Flash,
) -> Response {
    if reader.caller.reach().is_limited() {
        return Redirect::to(AdminSection::Silences.path()).into_response();
    }
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
fn done(state: &State, reader: &PageReader, back: &str, outcome: Result<Text, ApiError>) -> Response {
    match outcome {
        Ok(text) | Err(ApiError::InTheWay(text) | ApiError::Bad(text) | ApiError::Absent(text)) => {
            state.pages.go_back(back, &reader.frame.text(&text))
        }
        Err(error) => error.into_response(),
    }
}

/// The name under which the reader changes things.
fn actor(reader: &PageReader) -> &str {
    reader.actor().unwrap_or_default()
}

/// Bytes of entropy.
fn random<const BYTES: usize>() -> Result<[u8; BYTES], ApiError> {
    let mut bytes = [0; BYTES];
    OsRng.try_fill_bytes(&mut bytes).map_err(|_| ApiError::Failed)?;
    Ok(bytes)
}
