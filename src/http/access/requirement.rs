//! What a route requires, as its handler declares in `#[utoipa::path(… security(…))]`.
//!
//! Before: the OpenAPI document. After: `access` looks it up for every request.
//! Promise: what is documented is what is checked. A route that declares nothing requires `admin`, and a key of every tenant.
//!
//! A person who has logged in counts as a key with the scopes of the role, of the tenant or unit of the grant in use.
//!
//! | `security(…)` | requires |
//! |---|---|
//! | `()` | nothing |
//! | `("bearer" = ["read"]), ("basic" = ["read"])` | a key with that scope, of every tenant |
//! | … `["read", "own_tenant"]` | a key with that scope; a key of one tenant too, because the handler keeps it to its tenant |
//! | … `["read", "own_tenant", "own_unit"]` | the same; a key of one unit, or with scope `respond`, too: the handler keeps it to its alerts and contacts |
//! | … `["read", "own_tenant", "own_people"]` | the scope itself; a key of one tenant or unit too: the handler keeps it to its people |
//! | … `["respond", "own_tenant", "own_unit"]` | a key with scope `respond` or `admin`; the handler keeps it to its alerts and to its person |
//! | … `["read", "own_tenant", "own_unit", "kiosk"]` | the same; a kiosk link will do too |
//! | `(), ("bearer" = ["upload", "own_tenant"])`, … | the same if there is a key; without one the handler decides |

use std::collections::HashMap;

use axum::extract::{MatchedPath, Request};
use axum::http::Method;
use serde_json::Value;

use crate::http::error::AccessError;
use crate::model::api_key::Scope;

/// What a request requires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Requirement {
    /// No key.
    Nothing,
    /// A key with this scope, or no key.
    Optional(Scope),
    /// A key with this scope.
    Scope {
        scope: Scope,
        /// A key of one tenant will do: the handler keeps it to its tenant.
        accepts_tenant_keys: bool,
        /// A key of one unit will do: the handler keeps it to its alerts, or to its people.
        accepts_unit_keys: bool,
        /// To read, the scope `respond` will do: the handler shows alerts and contacts.
        accepts_responders: bool,
        /// A kiosk link will do: the handler keeps it to its tenant and unit.
        accepts_kiosks: bool,
    },
}

const STRICTEST: Requirement = Requirement::Scope {
    scope: Scope::Admin,
    accepts_tenant_keys: false,
    accepts_unit_keys: false,
    accepts_responders: false,
    accepts_kiosks: false,
};

impl Requirement {
    /// Why a caller who is known does not meet it: which scopes there are, and whether they are limited to a tenant and to a unit.
    pub(super) fn refusal(
        self,
        has: impl Fn(Scope) -> bool,
        (of_tenant, of_unit): (bool, bool),
    ) -> Option<AccessError> {
        let Self::Scope { scope, accepts_tenant_keys, accepts_unit_keys, accepts_responders, .. } = self
        else {
            return None;
        };
        let has_scope = has(scope)
            || scope == Scope::Respond && has(Scope::Admin)
            || scope == Scope::Read && accepts_responders && has(Scope::Respond);
        if !has_scope {
            Some(AccessError::Scope(scope.name()))
        } else if of_tenant && !accepts_tenant_keys || of_unit && !accepts_unit_keys {
            Some(AccessError::EveryTenant)
        } else {
            None
        }
    }

    /// Whether a kiosk link will do.
    pub(super) const fn accepts_kiosks(self) -> bool {
        matches!(self, Self::Scope { accepts_kiosks: true, .. })
    }
}

/// The requirements of all routes.
#[derive(Debug)]
pub(super) struct Requirements(HashMap<String, Vec<(Method, Requirement)>>);

impl Requirements {
    pub(super) fn of(document: &utoipa::openapi::OpenApi) -> Self {
        let document = serde_json::to_value(document).expect("a document is JSON");
        let paths = document["paths"].as_object().into_iter().flatten();
        let operations = |item: &Value| {
            let operations = item.as_object().into_iter().flatten();
            operations
                .filter_map(|(method, operation)| {
                    let method = method.to_uppercase().parse().ok()?;
                    Some((method, read(operation.get("security"))))
                })
                .collect()
        };
        Self(paths.map(|(path, item)| (path.clone(), operations(item))).collect())
    }

    pub(super) fn of_request(&self, request: &Request) -> Requirement {
        let Some(path) = request.extensions().get::<MatchedPath>() else {
            // There is no such route. Below /api/ that is answered only to callers with a key.
            let is_guarded = request.uri().path().starts_with("/api/");
            let any = Requirement::Scope {
                scope: Scope::Read,
                accepts_tenant_keys: true,
                accepts_unit_keys: true,
                accepts_responders: true,
                accepts_kiosks: false,
            };
            return if is_guarded { any } else { Requirement::Nothing };
        };
        let method = if request.method() == Method::HEAD { &Method::GET } else { request.method() };
        let Some(operations) = self.0.get(path.as_str()) else { return STRICTEST };
        // A method that the path does not have passes, and is answered 405.
        operations
            .iter()
            .find(|(each, _)| each == method)
            .map_or(Requirement::Nothing, |(_, requirement)| *requirement)
    }
}

fn read(security: Option<&Value>) -> Requirement {
    let Some(ways) = security.and_then(Value::as_array) else { return STRICTEST };
    let is_empty = |way: &&Value| way.as_object().is_some_and(serde_json::Map::is_empty);
    let has_empty = ways.iter().any(|way| is_empty(&way));
    let Some(words) = ways.iter().find_map(|way| way.get("bearer")?.as_array()) else {
        return if has_empty { Requirement::Nothing } else { STRICTEST };
    };
    let Some(scope) = words.iter().find_map(|word| Scope::of_name(word.as_str()?)) else { return STRICTEST };
    let has = |wanted: &str| words.iter().any(|word| word == wanted);
    let accepts_responders = has("own_unit");
    if has_empty {
        Requirement::Optional(scope)
    } else {
        Requirement::Scope {
            scope,
            accepts_tenant_keys: has("own_tenant"),
            accepts_unit_keys: accepts_responders || has("own_people"),
            accepts_responders,
            accepts_kiosks: has("kiosk") && scope == Scope::Read,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_route_that_declares_nothing_requires_admin() {
        for silent in
            [None, Some(json!([])), Some(json!([{ "bearer": [] }])), Some(json!([{ "other": ["read"] }]))]
        {
            assert_eq!(read(silent.as_ref()), STRICTEST, "{silent:?}");
        }
        assert_eq!(read(Some(&json!([{}]))), Requirement::Nothing);
        let scope = |scope, accepts_tenant_keys, accepts_unit_keys, accepts_kiosks| Requirement::Scope {
            scope,
            accepts_tenant_keys,
            accepts_unit_keys,
            accepts_responders: accepts_unit_keys,
            accepts_kiosks,
        };
        let read_all = json!([{ "bearer": ["read"] }, { "basic": ["read"] }]);
        assert_eq!(read(Some(&read_all)), scope(Scope::Read, false, false, false));
        let upload = json!([{ "bearer": ["upload", "own_tenant"] }]);
        assert_eq!(read(Some(&upload)), scope(Scope::Upload, true, false, false));
        let wall = json!([{ "bearer": ["read", "own_tenant", "own_unit", "kiosk"] }]);
        assert_eq!(read(Some(&wall)), scope(Scope::Read, true, true, true));
        let change = json!([{ "bearer": ["respond", "own_tenant", "own_unit", "kiosk"] }]);
        assert_eq!(read(Some(&change)), scope(Scope::Respond, true, true, false), "a kiosk changes nothing");
        assert_eq!(read(Some(&json!([{}, { "bearer": ["upload"] }]))), Requirement::Optional(Scope::Upload));
    }
}
