//! `/admin/accounts`: accounts are listed and switched; links of screens are made and revoked.
//!
//! Before: a browser. After: `store::account`, `store::kiosk_link`.
//! Promise: the token of a link is shown once, in the answer that makes it.

use std::sync::Arc;

use axum::extract::{Path, Request, State as Shared};
use axum::response::{IntoResponse, Response};

use super::super::super::State;
use super::super::super::error::{ApiError, BodyErrors, ListErrors};
use super::super::form::FormFields;
use super::super::{Flash, PageReader};
use super::keys::random;
use super::{done, show};
use crate::language::{Text, text};
use crate::model::Id64;
use crate::model::session::Token;
use crate::page::admin::{AdminSection, accounts};
use crate::store::account;
use crate::store::kiosk_link::{self, NewLink};

/// Accounts, and links of screens
#[utoipa::path(get, path = "/admin/accounts", tag = "pages", security(("bearer" = ["admin"]), ("basic" = ["admin"])),
    responses((status = 200, description = "A page", content_type = "text/html", body = String), ListErrors))]
pub(in crate::http) async fn get_admin_accounts(
    Shared(state): Shared<Arc<State>>,
    mut reader: PageReader,
    flash: Flash,
) -> Response {
    page(&state, &mut reader, flash, None).await
}

/// An account is switched, by the form of a page
#[utoipa::path(post, path = "/admin/accounts", tag = "pages", security(("bearer" = ["admin"]), ("basic" = ["admin"])),
    responses((status = 303, description = "Back to the accounts"), BodyErrors))]
pub(in crate::http) async fn post_admin_accounts(
    Shared(state): Shared<Arc<State>>,
    reader: PageReader,
    request: Request,
) -> Response {
    let outcome = switch(&state, request).await;
    done(&state, &reader, AdminSection::Accounts.path(), outcome)
}

/// A link of a screen is made, by the form of a page
#[utoipa::path(post, path = "/admin/kiosks", tag = "pages", security(("bearer" = ["admin"]), ("basic" = ["admin"])),
    responses((status = 200, description = "A page that shows the link this once", content_type = "text/html", body = String), BodyErrors))]
pub(in crate::http) async fn post_admin_kiosks(
    Shared(state): Shared<Arc<State>>,
    mut reader: PageReader,
    request: Request,
) -> Response {
    match make(&state, &reader, request).await {
        Ok(token) => {
            let address = format!("/kiosk/{}", token.text());
            page(&state, &mut reader, Flash::of(None), Some(&address)).await
        }
        Err(error) => done(&state, &reader, AdminSection::Accounts.path(), Err(error)),
    }
}

/// A link of a screen is revoked, by the form of a page
#[utoipa::path(post, path = "/admin/kiosks/{id}", tag = "pages",
    params(("id" = Id64, Path, description = "Number of the link")),
    security(("bearer" = ["admin"]), ("basic" = ["admin"])),
    responses((status = 303, description = "Back to the accounts"), BodyErrors))]
pub(in crate::http) async fn post_admin_kiosks_id(
    Shared(state): Shared<Arc<State>>,
    reader: PageReader,
    Path(link_id): Path<String>,
) -> Response {
    let outcome = match state.query(kiosk_link::revoke(&state.store, &link_id)).await {
        Ok(Some(name)) => Ok(text!("page-link-revoked", name = name)),
        Ok(None) => Err(ApiError::Absent(text!("number-absent"))),
        Err(error) => Err(error),
    };
    done(&state, &reader, AdminSection::Accounts.path(), outcome)
}

async fn page(state: &State, reader: &mut PageReader, flash: Flash, made: Option<&str>) -> Response {
    let reading = state.query(async {
        Ok((account::list(&state.store, true).await?, kiosk_link::list(&state.store, false).await?))
    });
    match reading.await {
        Ok((found, links)) => {
            let content = accounts::body(&reader.frame, &found, &links, made);
            show(reader, AdminSection::Accounts, flash, &content)
        }
        Err(error) => error.into_response(),
    }
}

async fn switch(state: &State, request: Request) -> Result<Text, ApiError> {
    let fields = FormFields::read(state, request).await?;
    let login = fields.text("login").unwrap_or_default();
    let is_disabled = fields.text("action") == Some("disable");
    match state.query(account::set_disabled(&state.store, login, is_disabled)).await? {
        true => {
            let value = if is_disabled { "off" } else { "on" };
            Ok(text!("page-account-switched", login = login, value = value))
        }
        false => Err(ApiError::Absent(text!("number-absent"))),
    }
}

async fn make(state: &State, reader: &PageReader, request: Request) -> Result<Token, ApiError> {
    let fields = FormFields::read(state, request).await?;
    let name = fields.text("name").unwrap_or_default();
    let Some(customer_id) = fields.value("customer_id")?.filter(|_| !name.is_empty()) else {
        return Err(ApiError::Bad(text!("page-link-incomplete")));
    };
    let token = Token::of(random()?);
    let draft = NewLink {
        name,
        token_hash: token.hash(),
        customer_id,
        org_id: fields.value("org_id")?,
        is_private: fields.text("private").is_some(),
        created_by: reader.frame.viewer.as_ref().map_or("", |viewer| viewer.name.as_str()),
        expires_at: None,
    };
    match state.query(kiosk_link::add(&state.store, &draft)).await? {
        true => Ok(token),
        false => Err(ApiError::InTheWay(text!("page-link-name-taken", name = name))),
    }
}
