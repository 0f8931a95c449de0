//! `POST /admin/kiosks`: links of screens are made and revoked; they are listed with the accounts.
//!
//! Before: a browser. After: `store::kiosk_link`.
//! Promise: the token of a link is shown once, in the answer that makes it; an administrator of a tenant or unit has links of it alone.

use std::sync::Arc;

use axum::extract::{Request, State as Shared};
use axum::response::Response;

use super::super::super::State;
use super::super::super::api::{PathId, own};
use super::super::super::error::{ApiError, BodyErrors};
use super::super::form::FormFields;
use super::super::{Flash, PageReader};
use super::accounts::page;
use super::{actor, done, random};
use crate::language::{Text, text};
use crate::model::Id64;
use crate::model::session::Token;
use crate::page::admin::AdminSection;
use crate::page::admin::accounts::Made;
use crate::store::kiosk_link::{self, NewLink};

/// A link of a screen is made, by the form of a page
#[utoipa::path(post, path = "/admin/kiosks", tag = "pages",
    security(("bearer" = ["admin", "own_tenant", "own_unit"]), ("basic" = ["admin", "own_tenant", "own_unit"])),
    responses((status = 200, description = "A page that shows the link this once", content_type = "text/html", body = String), BodyErrors))]
pub(in crate::http) async fn post_admin_kiosks(
    Shared(state): Shared<Arc<State>>,
    mut reader: PageReader,
    request: Request,
) -> Response {
    match make(&state, &reader, request).await {
        Ok(token) => {
            let made = Made::Link(format!("/kiosk/{}", token.text()));
            page(&state, &mut reader, Flash::of(None), Some(&made)).await
        }
        Err(error) => done(&state, &reader, AdminSection::Accounts.path(), Err(error)),
    }
}

/// A link of a screen is revoked, by the form of a page
#[utoipa::path(post, path = "/admin/kiosks/{id}", tag = "pages",
    params(("id" = Id64, Path, description = "Number of the link")),
    security(("bearer" = ["admin", "own_tenant", "own_unit"]), ("basic" = ["admin", "own_tenant", "own_unit"])),
    responses((status = 303, description = "Back to the accounts"), BodyErrors))]
pub(in crate::http) async fn post_admin_kiosks_id(
    Shared(state): Shared<Arc<State>>,
    reader: PageReader,
    PathId(link_id): PathId,
) -> Response {
    let outcome = revoke(&state, &reader, link_id).await;
    done(&state, &reader, AdminSection::Accounts.path(), outcome)
}

async fn revoke(state: &State, reader: &PageReader, link_id: i64) -> Result<Text, ApiError> {
    let (reach, _) = own::reach(state, &reader.caller).await?;
    let absent = || ApiError::Absent(text!("number-absent"));
    let links = state.query(kiosk_link::list(&state.store, true)).await?;
    let is_own = links
        .iter()
        .any(|link| link.kiosk_link_id.0 == link_id && reach.covers(Some(link.customer_id), link.org_id));
    if !is_own {
        return Err(absent());
    }
    let revoked = state.query(kiosk_link::revoke(&state.store, &link_id.to_string())).await?;
    revoked.map(|name| text!("page-link-revoked", name = name)).ok_or_else(absent)
}

async fn make(state: &State, reader: &PageReader, request: Request) -> Result<Token, ApiError> {
    let (reach, _) = own::reach(state, &reader.caller).await?;
    let fields = FormFields::read(state, request).await?;
    let name = fields.text("name").unwrap_or_default();
    let customer_id = fields.value("customer_id")?.or(reach.customer_id.map(Id64));
    let Some(customer_id) = customer_id.filter(|_| !name.is_empty()) else {
        return Err(ApiError::Bad(text!("page-link-incomplete")));
    };
    let org_id: Option<Id64> = fields.value("org_id")?;
    if !reach.may_give(Some(customer_id), org_id) {
        return Err(ApiError::Bad(text!("page-other-tenant")));
    }
    let token = Token::of(random()?);
    let draft = NewLink {
        name,
        token_hash: token.hash(),
        customer_id: customer_id.0,
        org_id: org_id.map(|id| id.0),
        is_private: fields.text("private").is_some(),
        created_by: actor(reader),
        expires_at: None,
    };
    match state.query(kiosk_link::add(&state.store, &draft)).await? {
        true => Ok(token),
        false => Err(ApiError::InTheWay(text!("page-link-name-taken", name = name))),
    }
}
