//! What a caller administers: one of every tenant everything, one of a tenant the contacts, routes and rules that belong to it.
//!
//! Before: `access` has let an administrator through. After: the handlers of `/api/` and of `/admin`.
//! Promise: what belongs to another tenant is answered like what does not exist. A contact belongs to a tenant if it belongs to no other one;
//! a route, if it is for alerts of the tenant; a rule, if it holds within the tenant. Rules for everybody are read, and not changed.

use super::ApiError;
use crate::http::State;
use crate::http::access::Caller;
use crate::http::error::AccessError;
use crate::language::text;
use crate::model::alert_rule::RuleScope;
use crate::model::{AddressSummary, AlertRule, GrantReach, Id64, NotificationRoute, RouteDraft, RuleDraft};
use crate::store::contact_address::AddressFilter;
use crate::store::notification_route::RouteFilter;
use crate::store::{account_grant, alert_rule, contact, contact_address, notification_route};

/// Where the caller administers, and its units by name; none of them for a caller of every tenant.
pub(in crate::http) async fn reach(
    state: &State,
    caller: &Caller,
) -> Result<(GrantReach, Vec<(Id64, String)>), ApiError> {
    let reach = caller.reach();
    let named = match reach.customer_id {
        Some(own) => state.query(account_grant::units(&state.store, own, reach.org_id)).await?,
        None => Vec::new(),
    };
    let units = named.iter().map(|(org_id, _)| *org_id).collect();
    Ok((GrantReach { customer_id: reach.customer_id, org_id: reach.org_id, units }, named))
}

/// Refuses whoever reads one tenant and does not administer it: what is administered is not for every reader of the tenant.
pub(in crate::http) fn check_reader(caller: &Caller) -> Result<(), ApiError> {
    match caller.customer_id().is_none() || caller.may_administer() {
        true => Ok(()),
        false => Err(AccessError::EveryTenant.counted().into()),
    }
}

/// Numbers of the contacts whose addresses the caller sees and changes.
#[derive(Debug)]
pub(in crate::http) struct OwnContacts(Option<std::collections::HashSet<i64>>);

impl OwnContacts {
    pub(in crate::http) async fn of(state: &State, caller: &Caller) -> Result<Self, ApiError> {
        Ok(Self(match caller.customer_id() {
            Some(own) => Some(state.query(contact::own(&state.store, own)).await?),
            None => None,
        }))
    }

    pub(in crate::http) fn has(&self, Id64(contact_id): Id64) -> bool {
        self.0.as_ref().is_none_or(|own| own.contains(&contact_id))
    }
}

/// Refuses a contact that is not the caller's.
pub(in crate::http) async fn check_contact(
    state: &State,
    caller: &Caller,
    contact_id: Id64,
) -> Result<(), ApiError> {
    match OwnContacts::of(state, caller).await?.has(contact_id) {
        true => Ok(()),
        false => Err(ApiError::Bad(text!("address-of-unknown"))),
    }
}

/// The addresses of the caller's contacts that match, with numbers above `after`, `limit` at most.
pub(in crate::http) async fn addresses(
    state: &State,
    caller: &Caller,
    filter: AddressFilter,
    after: i64,
    limit: i64,
) -> Result<Vec<AddressSummary>, ApiError> {
    let own = OwnContacts::of(state, caller).await?;
    let filter = AddressFilter { customer_id: caller.customer_id().or(filter.customer_id), ..filter };
    let mut found =
        state.list(async |store| contact_address::list(&store, filter, after, limit).await).await?;
    found.retain(|address| own.has(address.contact_id));
    Ok(found)
}

/// Refuses an address that is not one of the caller's contacts.
pub(in crate::http) async fn check_address(
    state: &State,
    caller: &Caller,
    address_id: i64,
) -> Result<(), ApiError> {
    if caller.customer_id().is_none() {
        return Ok(());
    }
    let before = address_id.saturating_sub(1);
    let next = addresses(state, caller, AddressFilter::default(), before, 1).await?;
    match next.first() {
        Some(address) if address.address_id.0 == address_id => Ok(()),
        _ => Err(ApiError::Absent(text!("address-absent", id = address_id.to_string()))),
    }
}

/// The route of this number, if it is for the alerts that the caller administers.
pub(in crate::http) async fn route(
    state: &State,
    caller: &Caller,
    route_id: i64,
) -> Result<NotificationRoute, ApiError> {
    let filter =
        RouteFilter { customer_id: caller.customer_id(), route_id: Some(route_id), ..RouteFilter::default() };
    let found = state.query(notification_route::list(&state.store, &filter, 1)).await?;
    found.into_iter().next().ok_or_else(|| route_absent(route_id))
}

pub(in crate::http) fn route_absent(route_id: i64) -> ApiError {
    ApiError::Absent(text!("route-absent", id = route_id.to_string()))
}

/// Gives the route of an administrator of one tenant that tenant, and refuses one that leads beyond it. `stored`: what it replaces; the contact and
/// the rule that it names already stay.
pub(in crate::http) async fn check_route(
    state: &State,
    caller: &Caller,
    draft: &mut RouteDraft,
    stored: Option<&RouteDraft>,
) -> Result<(), ApiError> {
    let Some(own) = caller.customer_id() else { return Ok(()) };
    let (reach, _) = reach(state, caller).await?;
    draft.customer_id = draft.customer_id.or(Some(Id64(own)));
    if !reach.may_give(draft.customer_id, draft.org_id) {
        return Err(ApiError::Bad(text!("page-other-tenant")));
    }
    if let Some(Id64(rule_id)) =
        draft.rule_id.filter(|_| stored.is_none_or(|was| was.rule_id != draft.rule_id))
    {
        rule(state, caller, rule_id).await.map_err(|error| match error {
            ApiError::Absent(_) => ApiError::Bad(text!("route-of-unknown")),
            other => other,
        })?;
    }
    match draft.contact_id.filter(|_| stored.is_none_or(|was| was.contact_id != draft.contact_id)) {
        Some(contact_id) => check_contact(state, caller, contact_id).await,
        None => Ok(()),
    }
}

/// The rule of this number, if it concerns the caller.
pub(in crate::http) async fn rule(
    state: &State,
    caller: &Caller,
    rule_id: i64,
) -> Result<AlertRule, ApiError> {
    let filter = alert_rule::Filter {
        ids: Some(vec![rule_id]),
        concerns: caller.customer_id(),
        ..alert_rule::Filter::default()
    };
    let mut found = state.query(alert_rule::list(&state.store, &filter)).await?;
    found.pop().ok_or_else(|| rule_absent(rule_id))
}

pub(in crate::http) fn rule_absent(rule_id: i64) -> ApiError {
    ApiError::Absent(text!("rule-absent", id = rule_id.to_string()))
}

/// Whether the caller changes a rule that concerns it.
pub(in crate::http) fn changes(caller: &Caller, rule: &AlertRule) -> bool {
    caller.customer_id().is_none() || !rule.scope().is_everybody()
}

/// The rule of this number, if the caller may change it.
pub(in crate::http) async fn changed_rule(
    state: &State,
    caller: &Caller,
    rule_id: i64,
) -> Result<AlertRule, ApiError> {
    let rule = rule(state, caller, rule_id).await?;
    match changes(caller, &rule) {
        true => Ok(rule),
        false => Err(AccessError::EveryTenant.counted().into()),
    }
}

/// Gives the rule of an administrator of one tenant that tenant, if it is for nobody in particular, and refuses one of somebody else.
pub(in crate::http) async fn check_rule(
    state: &State,
    caller: &Caller,
    draft: &mut RuleDraft,
) -> Result<(), ApiError> {
    if draft.scope().is_everybody() {
        draft.customer_id = caller.customer_id().map(Id64);
    }
    match concerns(state, caller, draft.scope()).await? {
        true => Ok(()),
        false => Err(ApiError::Bad(text!("page-other-tenant"))),
    }
}

/// Whether a rule with this scope concerns the caller.
pub(in crate::http) async fn concerns(
    state: &State,
    caller: &Caller,
    scope: RuleScope<'_>,
) -> Result<bool, ApiError> {
    match caller.customer_id() {
        Some(own) if !scope.is_everybody() => {
            Ok(state.query(alert_rule::tenant(&state.store, scope)).await? == Some(own))
        }
        _ => Ok(true),
    }
}
