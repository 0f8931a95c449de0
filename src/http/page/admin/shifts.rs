//! `/admin/shifts`: shifts are listed, added and ended.
//!
//! Before: a browser. After: `store::shift`; a message that is due afterwards goes to whoever is on duty then.
//! Promise: an administrator of one tenant sees and changes the shifts of that tenant and its units alone.

use std::sync::Arc;

use axum::extract::{Request, State as Shared};
use axum::response::{IntoResponse, Response};

use super::super::super::State;
use super::super::super::api::{PathId, own};
use super::super::super::error::{ApiError, BodyErrors, ListErrors};
use super::super::alerts::units;
use super::super::form::FormFields;
use super::super::{Flash, PageReader};
use super::{done, show};
use crate::language::{Text, text};
use crate::model::{Id64, ShiftDraft, ShiftKind};
use crate::page::admin::{AdminSection, shifts};
use crate::store::contact;
use crate::store::shift::{self, ShiftFilter, ShiftOutcome};

/// Rows of a page.
const MOST: i64 = 500;

/// The shifts that are not over, and a form for a new one
#[utoipa::path(get, path = "/admin/shifts", tag = "pages",
    security(("bearer" = ["admin", "own_tenant"]), ("basic" = ["admin", "own_tenant"])),
    responses((status = 200, description = "A page", content_type = "text/html", body = String), ListErrors))]
pub(in crate::http) async fn get_admin_shifts(
    Shared(state): Shared<Arc<State>>,
    mut reader: PageReader,
    flash: Flash,
) -> Response {
    let reading = async {
        let reach = reader.caller.reach();
        let filter = ShiftFilter { customer_id: reach.customer_id, ..ShiftFilter::default() };
        let found = state.list(async |store| shift::list(&store, &filter, MOST).await).await?;
        let contacts = state.list(async |store| contact::list(&store, reach, 0, MOST).await).await?;
        Ok((found, contacts, units(&state, &reader).await?))
    };
    match reading.await {
        Ok((found, contacts, units)) => {
            let content = shifts::body(&reader.frame, &found, &contacts, &units);
            show(&mut reader, AdminSection::Shifts, flash, &content)
        }
        Err(error) => ApiError::into_response(error),
    }
}

/// A contact is on duty by hours that recur, by the form of a page
#[utoipa::path(post, path = "/admin/shifts", tag = "pages",
    security(("bearer" = ["admin", "own_tenant"]), ("basic" = ["admin", "own_tenant"])),
    responses((status = 303, description = "Back to the shifts"), BodyErrors))]
pub(in crate::http) async fn post_admin_shifts(
    Shared(state): Shared<Arc<State>>,
    reader: PageReader,
    request: Request,
) -> Response {
    let outcome = add(&state, &reader, request).await;
    done(&state, &reader, AdminSection::Shifts.path(), outcome)
}

/// A shift ends now, by the form of a page
#[utoipa::path(post, path = "/admin/shifts/{id}", tag = "pages",
    params(("id" = Id64, Path, description = "Number of the shift")),
    security(("bearer" = ["admin", "own_tenant"]), ("basic" = ["admin", "own_tenant"])),
    responses((status = 303, description = "Back to the shifts"), BodyErrors))]
pub(in crate::http) async fn post_admin_shifts_id(
    Shared(state): Shared<Arc<State>>,
    reader: PageReader,
    PathId(shift_id): PathId,
) -> Response {
    let outcome = end(&state, &reader, shift_id).await;
    done(&state, &reader, AdminSection::Shifts.path(), outcome)
}

async fn end(state: &State, reader: &PageReader, shift_id: i64) -> Result<Text, ApiError> {
    let id = shift_id.to_string();
    let absent = || ApiError::Absent(text!("shift-absent", id = id.as_str()));
    if let Some(own) = reader.caller.customer_id() {
        let filter = ShiftFilter { customer_id: Some(own), is_over_too: true, ..ShiftFilter::default() };
        let found = state.query(shift::list(&state.store, &filter, i64::MAX)).await?;
        let shift = found.into_iter().find(|shift| shift.shift_id.0 == shift_id).ok_or_else(absent)?;
        // An absence is one of the contact, who may be on duty for other tenants too.
        if shift.kind == ShiftKind::Absence {
            let contacts = state.query(contact::own(&state.store, own)).await?;
            contacts.get(&shift.contact_id.0).ok_or_else(absent)?;
        }
    }
    match state.query(shift::end(&state.store, shift_id)).await? {
        true => Ok(text!("shift-over", id = id)),
        false => Err(absent()),
    }
}

async fn add(state: &State, reader: &PageReader, request: Request) -> Result<Text, ApiError> {
    let fields = FormFields::read(state, request).await?;
    let Some(contact_id) = fields.value("contact_id")? else {
        return Err(ApiError::Bad(text!("shift-of-unknown")));
    };
    let org_id: Option<Id64> = fields.value("org_id")?;
    let (own, _) = own::reach(state, &reader.caller).await?;
    if own.is_limited() {
        let Id64(named) = contact_id;
        let is_within = contact::is_within(&state.store, named, reader.caller.reach());
        let of_unit = org_id.is_some_and(|org_id| own.has_unit(org_id));
        if !of_unit || !state.query(is_within).await? {
            return Err(ApiError::Bad(text!("shift-of-unknown")));
        }
    }
    let days: Vec<i16> = fields.values("day");
    let words = |name: &str| fields.text(name).map(str::to_owned);
    let draft = ShiftDraft {
        customer_id: None,
        org_id,
        contact_id,
        kind: ShiftKind::Duty,
        starts_at: None,
        ends_at: None,
        weekly_days: Some(days).filter(|days| !days.is_empty()),
        from_time: words("from_time"),
        until_time: words("until_time"),
        time_zone: None,
        note: words("note"),
    };
    match state.query(shift::add(&state.store, &draft)).await? {
        ShiftOutcome::Created(shift) => {
            Ok(text!("shift-kept", id = shift.shift_id.to_string(), name = shift.contact))
        }
        ShiftOutcome::Invalid(reason) => Err(ApiError::Bad(reason)),
    }
}
