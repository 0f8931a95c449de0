//! `/admin/keys`: keys are listed, made and revoked.
//!
//! Before: a browser. After: `store::api_key`, whose triggers notify every instance of a change.
//! Promise: the secret of a key is shown once, in the answer that makes it; no page shows it later.

use std::sync::Arc;

use axum::extract::{Path, Request, State as Shared};
use axum::response::{IntoResponse, Response};
use jiff::ToSpan;
use rand::TryRngCore;
use rand::rngs::OsRng;

use super::super::super::State;
use super::super::super::error::{ApiError, BodyErrors, ListErrors};
use super::super::form::FormFields;
use super::super::{Flash, PageReader};
use super::{done, show};
use crate::language::{Text, text};
use crate::model::api_key::{KeyId, PresentedKey, Scope};
use crate::page::admin::{AdminSection, keys};
use crate::store::api_key::{self, NewKey};

/// The keys in force, and a form for a new one
#[utoipa::path(get, path = "/admin/keys", tag = "pages", security(("bearer" = ["admin"]), ("basic" = ["admin"])),
    responses((status = 200, description = "A page", content_type = "text/html", body = String), ListErrors))]
pub(in crate::http) async fn get_admin_keys(
    Shared(state): Shared<Arc<State>>,
    mut reader: PageReader,
    flash: Flash,
) -> Response {
    page(&state, &mut reader, flash, None).await
}

/// A key is made, by the form of a page
#[utoipa::path(post, path = "/admin/keys", tag = "pages", security(("bearer" = ["admin"]), ("basic" = ["admin"])),
    responses((status = 200, description = "A page that shows the key this once", content_type = "text/html", body = String), BodyErrors))]
pub(in crate::http) async fn post_admin_keys(
    Shared(state): Shared<Arc<State>>,
    mut reader: PageReader,
    request: Request,
) -> Response {
    let making = async {
        let fields = FormFields::read(&state, request).await?;
        make(&state, &reader, &fields).await
    };
    match making.await {
        Ok(key) => page(&state, &mut reader, Flash::of(None), Some(&key.text())).await,
        Err(error) => done(&state, &reader, AdminSection::Keys.path(), Err(error)),
    }
}

/// A key is revoked, by the form of a page
#[utoipa::path(post, path = "/admin/keys/{id}", tag = "pages",
    params(("id" = String, Path, description = "Public part of the key")),
    security(("bearer" = ["admin"]), ("basic" = ["admin"])),
    responses((status = 303, description = "Back to the keys"), BodyErrors))]
pub(in crate::http) async fn post_admin_keys_id(
    Shared(state): Shared<Arc<State>>,
    reader: PageReader,
    Path(key_id): Path<String>,
) -> Response {
    // A name is a key's too; the form sends the public part.
    let outcome = match key_id.parse::<KeyId>() {
        Err(_) => Err(ApiError::Absent(text!("number-absent"))),
        Ok(_) => state.query(api_key::revoke(&state.store, &key_id)).await.and_then(|revoked| {
            revoked
                .map(|key| text!("page-key-revoked", name = key.name))
                .ok_or_else(|| ApiError::Absent(text!("number-absent")))
        }),
    };
    done(&state, &reader, AdminSection::Keys.path(), outcome)
}

async fn page(state: &State, reader: &mut PageReader, flash: Flash, made: Option<&str>) -> Response {
    match state.query(api_key::list(&state.store, false)).await {
        Ok(found) => {
            let content = keys::body(&reader.frame, &found, made);
            show(reader, AdminSection::Keys, flash, &content)
        }
        Err(error) => error.into_response(),
    }
}

async fn make(state: &State, reader: &PageReader, fields: &FormFields) -> Result<PresentedKey, ApiError> {
    let names: Vec<String> = fields.values("scope");
    let mut scopes: Vec<Scope> = names.iter().filter_map(|name| Scope::of_name(name)).collect();
    scopes.sort_unstable_by_key(|scope| scope.name());
    let (name, actor) = (fields.text("name").unwrap_or_default(), fields.text("person"));
    let customer_id: Option<i64> = fields.value("customer_id")?;
    if let Some(reason) = refusal(name, &scopes, customer_id, actor) {
        return Err(ApiError::Bad(reason));
    }
    let days: Option<i64> = fields.value("days")?;
    let expires_at =
        days.and_then(|days| state.time.now().checked_add((24 * days.clamp(1, 3_650)).hours()).ok());
    let key = PresentedKey::of(KeyId::of(random()?), random()?);
    let created_by = reader.frame.viewer.as_ref().map_or("", |viewer| viewer.name.as_str());
    let draft = NewKey {
        key_id: key.key_id,
        name,
        customer_id,
        org_id: None,
        actor,
        may_vouch: false,
        scopes: &scopes,
        secret_hash: key.secret_hash(),
        created_by,
        expires_at,
    };
    match state.query(api_key::add(&state.store, &draft)).await? {
        true => Ok(key),
        false => Err(ApiError::InTheWay(text!("page-key-name-taken", name = name))),
    }
}

/// Why there is no such key, as `vitals keys create` refuses it.
fn refusal(name: &str, scopes: &[Scope], customer_id: Option<i64>, actor: Option<&str>) -> Option<Text> {
    let has = |scope| scopes.contains(&scope);
    if name.is_empty() || scopes.is_empty() {
        Some(text!("page-key-incomplete"))
    } else if customer_id.is_some() && has(Scope::Admin) {
        Some(text!("page-key-admin-of-tenant"))
    } else if has(Scope::Respond) && actor.is_none() {
        Some(text!("page-key-person-missing"))
    } else {
        None
    }
}

/// Bytes of entropy.
pub(super) fn random<const BYTES: usize>() -> Result<[u8; BYTES], ApiError> {
    let mut bytes = [0; BYTES];
    OsRng.try_fill_bytes(&mut bytes).map_err(|_| ApiError::Failed)?;
    Ok(bytes)
}
