//! `/admin/accounts`: accounts are listed, made, disabled and enabled, and roles are given and taken, as `vitals people` does.
//!
//! Before: a browser. After: `store::account`, `store::account_grant`, `store::account_session`.
//! Promise: an administrator of a tenant or unit sees the accounts with a role there, and gives and takes roles there alone; an account that also has a role
//! elsewhere is not disabled or logged out by them, and nobody changes their own account. A password that the service makes up is shown once.

use std::sync::Arc;

use axum::extract::{Request, State as Shared};
use axum::response::{IntoResponse, Response};

use super::super::super::State;
use super::super::super::access::Identity;
use super::super::super::api::{PathId, own};
use super::super::super::error::{ApiError, BodyErrors, ListErrors};
use super::super::form::FormFields;
use super::super::{Flash, PageReader};
use super::{actor, done, random, show};
use crate::accounts::{normalize_login, password};
use crate::language::{Language, Text, text};
use crate::model::session::Token;
use crate::model::{Account, GrantReach, Id64, Role};
use crate::page::admin::AdminSection;
use crate::page::admin::accounts::{self, Made};
use crate::store::account::NewAccount;
use crate::store::account_grant::NewGrant;
use crate::store::{account, account_grant, account_session, kiosk_link};

/// Accounts, and links of screens
#[utoipa::path(get, path = "/admin/accounts", tag = "pages",
    security(("bearer" = ["admin", "own_tenant", "own_unit"]), ("basic" = ["admin", "own_tenant", "own_unit"])),
    responses((status = 200, description = "A page", content_type = "text/html", body = String), ListErrors))]
pub(in crate::http) async fn get_admin_accounts(
    Shared(state): Shared<Arc<State>>,
    mut reader: PageReader,
    flash: Flash,
) -> Response {
    page(&state, &mut reader, flash, None).await
}

/// An account is made, by the form of a page
#[utoipa::path(post, path = "/admin/accounts", tag = "pages",
    security(("bearer" = ["admin", "own_tenant", "own_unit"]), ("basic" = ["admin", "own_tenant", "own_unit"])),
    responses((status = 303, description = "Back to the accounts"),
        (status = 200, description = "A page that shows the password this once", content_type = "text/html", body = String), BodyErrors))]
pub(in crate::http) async fn post_admin_accounts(
    Shared(state): Shared<Arc<State>>,
    mut reader: PageReader,
    request: Request,
) -> Response {
    match make(&state, &reader, request).await {
        Ok((login, Some(made_up))) => {
            let made = Made::Password { login, password: made_up };
            page(&state, &mut reader, Flash::of(None), Some(&made)).await
        }
        Ok((login, None)) => done(
            &state,
            &reader,
            AdminSection::Accounts.path(),
            Ok(text!("page-account-made", login = login)),
        ),
        Err(error) => done(&state, &reader, AdminSection::Accounts.path(), Err(error)),
    }
}

/// An account is disabled, enabled or logged out, or a role is given or taken, by the form of a page
#[utoipa::path(post, path = "/admin/accounts/{id}", tag = "pages",
    params(("id" = Id64, Path, description = "Number of the account")),
    security(("bearer" = ["admin", "own_tenant", "own_unit"]), ("basic" = ["admin", "own_tenant", "own_unit"])),
    responses((status = 303, description = "Back to the accounts"), BodyErrors))]
pub(in crate::http) async fn post_admin_accounts_id(
    Shared(state): Shared<Arc<State>>,
    reader: PageReader,
    PathId(account_id): PathId,
    request: Request,
) -> Response {
    let outcome = change(&state, &reader, account_id, request).await;
    done(&state, &reader, AdminSection::Accounts.path(), outcome)
}

/// The section. `made`: what is shown this once.
pub(super) async fn page(
    state: &State,
    reader: &mut PageReader,
    flash: Flash,
    made: Option<&Made>,
) -> Response {
    let reading = async {
        let (reach, units) = own::reach(state, &reader.caller).await?;
        let read = async {
            Ok((account::list(&state.store, true).await?, kiosk_link::list(&state.store, false).await?))
        };
        let (mut found, mut links) = state.query(read).await?;
        found.retain(|account| reach.shows(account));
        links.retain(|link| reach.covers(Some(link.customer_id), link.org_id));
        Ok::<_, ApiError>((reach, units, found, links))
    };
    match reading.await {
        Ok((reach, units, found, links)) => {
            let content = accounts::body(&reader.frame, &reach, &units, &found, &links, made);
            show(reader, AdminSection::Accounts, flash, &content)
        }
        Err(error) => error.into_response(),
    }
}

/// Returns the login name, and the password if nobody typed one.
async fn make(
    state: &State,
    reader: &PageReader,
    request: Request,
) -> Result<(String, Option<String>), ApiError> {
    let (reach, _) = own::reach(state, &reader.caller).await?;
    let fields = FormFields::read(state, request).await?;
    let Some(login) = fields.text("login").map(normalize_login) else {
        return Err(ApiError::Bad(text!("page-account-incomplete")));
    };
    let grant = typed_grant(&fields, &reach)?;
    let typed = fields.text("password").map(str::to_owned);
    let made_up = if typed.is_none() { Some(Token::of(random()?).text()) } else { None };
    let chosen = typed.or_else(|| made_up.clone()).unwrap_or_default();
    if let Some(reason) = password::refusal(&chosen, &login, state.password_min_chars) {
        return Err(ApiError::Bad(reason));
    }
    let hash = state.hasher.hash(chosen).await.map_err(|_| ApiError::Unavailable)?;
    let created_by = actor(reader);
    let draft = NewAccount {
        login: &login,
        name: fields.text("name").unwrap_or(&login),
        language: fields.text("language").and_then(Language::of_tag),
        oidc: None,
        created_by,
    };
    if state.query(account::add(&state.store, &draft)).await?.is_none() {
        return Err(ApiError::InTheWay(text!("page-account-taken", login = login)));
    }
    state.query(account::set_password(&state.store, &login, &hash)).await?;
    state.query(account_grant::add(&state.store, &login, grant, created_by)).await?;
    tracing::info!(login, by = created_by, "an account was made");
    Ok((login, made_up))
}

/// The role of a form, in a tenant and unit where the reader may give it. A reader of one tenant names none.
fn typed_grant(fields: &FormFields, reach: &GrantReach) -> Result<NewGrant, ApiError> {
    let role: Option<Role> = fields.value("role")?;
    let Some(role) = role else { return Err(ApiError::Bad(text!("page-account-incomplete"))) };
    let named: Option<Id64> = fields.value("customer_id")?;
    let customer_id = named.or(reach.customer_id.map(Id64));
    let org_id: Option<Id64> = fields.value("org_id")?;
    if org_id.is_some() && customer_id.is_none() {
        return Err(ApiError::Bad(text!("page-unit-without-tenant")));
    }
    if !reach.may_give(customer_id, org_id) {
        return Err(ApiError::Bad(text!("page-role-beyond")));
    }
    Ok(NewGrant { role, customer_id: customer_id.map(|id| id.0), org_id: org_id.map(|id| id.0) })
}

async fn change(
    state: &State,
    reader: &PageReader,
    account_id: i64,
    request: Request,
) -> Result<Text, ApiError> {
    let (reach, _) = own::reach(state, &reader.caller).await?;
    let fields = FormFields::read(state, request).await?;
    let found = state.query(account::list(&state.store, true)).await?;
    let found = found.into_iter().find(|account| account.account_id.0 == account_id);
    let account = found
        .filter(|account| reach.shows(account))
        .ok_or_else(|| ApiError::Absent(text!("number-absent")))?;
    if matches!(&reader.caller.identity, Identity::Session(session) if session.account_id == account_id) {
        return Err(ApiError::Bad(text!("page-account-own")));
    }
    let by = actor(reader);
    let action = fields.text("action").unwrap_or_default();
    let outcome = match action {
        "grant" => give(state, &account, typed_grant(&fields, &reach)?, by).await,
        "revoke" => take(state, &account, &reach, fields.value("grant_id")?).await,
        _ if !reach.holds(&account) => Err(ApiError::Bad(text!("page-account-beyond"))),
        "end" => end_sessions(state, &account).await,
        "disable" => switch(state, &account, true).await,
        "enable" => switch(state, &account, false).await,
        _ => Err(ApiError::Bad(text!("page-account-incomplete"))),
    }?;
    tracing::info!(login = account.login, action, by, "an account was changed");
    Ok(outcome)
}

async fn give(state: &State, account: &Account, grant: NewGrant, by: &str) -> Result<Text, ApiError> {
    match state.query(account_grant::add(&state.store, &account.login, grant, by)).await? {
        Some(_) => Ok(text!("page-role-given", login = account.login.as_str())),
        None => Err(ApiError::Absent(text!("number-absent"))),
    }
}

async fn take(
    state: &State,
    account: &Account,
    reach: &GrantReach,
    grant_id: Option<Id64>,
) -> Result<Text, ApiError> {
    let chosen = account
        .grants
        .iter()
        .find(|grant| Some(grant.grant_id) == grant_id && reach.covers(grant.customer_id, grant.org_id));
    let Some(chosen) = chosen else { return Err(ApiError::Absent(text!("number-absent"))) };
    let chosen = [chosen.grant_id.0];
    state.query(account_grant::revoke(&state.store, &account.login, Some(&chosen))).await?;
    Ok(text!("page-role-taken", login = account.login.as_str()))
}

async fn end_sessions(state: &State, account: &Account) -> Result<Text, ApiError> {
    let ended = state.query(account_session::end_all(&state.store, &account.login)).await?;
    let ended = i64::try_from(ended).unwrap_or(i64::MAX);
    Ok(text!("page-sessions-ended", login = account.login.as_str(), sessions = ended))
}

async fn switch(state: &State, account: &Account, is_disabled: bool) -> Result<Text, ApiError> {
    match state.query(account::set_disabled(&state.store, &account.login, is_disabled)).await? {
        true => {
            let value = if is_disabled { "off" } else { "on" };
            Ok(text!("page-account-switched", login = account.login.as_str(), value = value))
        }
        false => Err(ApiError::Absent(text!("number-absent"))),
    }
}
