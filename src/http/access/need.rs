//! What a route needs, as its handler says in `#[utoipa::path(… security(…))]`.
//!
//! Before: the document. After: the door looks it up with every request.
//! Promise: the document and the door cannot differ. A route that says nothing needs `admin`, and a key of every tenant.
//!
//! | `security(…)` | needs |
//! |---|---|
//! | `()` | nothing |
//! | `("bearer" = ["read"]), ("basic" = ["read"])` | a key with that scope, of every tenant |
//! | … `["read", "own_tenant"]` | a key with that scope; the handler shows a key of one tenant nothing of others |
//! | `(), ("bearer" = ["upload", "own_tenant"])`, … | as said if there is a key, else the handler decides |

use std::collections::HashMap;

use axum::extract::{MatchedPath, Request};
use axum::http::Method;
use serde_json::Value;

use crate::model::api_key::Scope;

/// What a request needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    /// No key.
    Nothing,
    /// A key with this scope, if there is one at all.
    Perhaps(Scope),
    /// A key with this scope.
    Scope {
        scope: Scope,
        /// The route keeps a key of one tenant to its own.
        tells_own: bool,
    },
}

const MOST: Need = Need::Scope { scope: Scope::Admin, tells_own: false };

/// The needs of all routes.
#[derive(Debug)]
pub(super) struct Needs(HashMap<String, Vec<(Method, Need)>>);

impl Needs {
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

    pub(super) fn of_request(&self, request: &Request) -> Need {
        let Some(path) = request.extensions().get::<MatchedPath>() else {
            // There is no such route; below /api/ that is told to nobody without a key.
            let is_guarded = request.uri().path().starts_with("/api/");
            let any = Need::Scope { scope: Scope::Read, tells_own: true };
            return if is_guarded { any } else { Need::Nothing };
        };
        let method = if request.method() == Method::HEAD { &Method::GET } else { request.method() };
        let Some(operations) = self.0.get(path.as_str()) else { return MOST };
        // A method the path does not take is told so.
        operations.iter().find(|(each, _)| each == method).map_or(Need::Nothing, |(_, need)| *need)
    }
}

fn read(security: Option<&Value>) -> Need {
    let Some(ways) = security.and_then(Value::as_array) else { return MOST };
    let is_empty = |way: &&Value| way.as_object().is_some_and(serde_json::Map::is_empty);
    let has_empty = ways.iter().any(|way| is_empty(&way));
    let Some(words) = ways.iter().find_map(|way| way.get("bearer")?.as_array()) else {
        return if has_empty { Need::Nothing } else { MOST };
    };
    let Some(scope) = words.iter().find_map(|word| Scope::of_name(word.as_str()?)) else { return MOST };
    let tells_own = words.iter().any(|word| word == "own_tenant");
    if has_empty { Need::Perhaps(scope) } else { Need::Scope { scope, tells_own } }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_route_that_says_nothing_of_it_needs_the_most() {
        for silent in
            [None, Some(json!([])), Some(json!([{ "bearer": [] }])), Some(json!([{ "other": ["read"] }]))]
        {
            assert_eq!(read(silent.as_ref()), MOST, "{silent:?}");
        }
        assert_eq!(read(Some(&json!([{}]))), Need::Nothing);
        let read_all = json!([{ "bearer": ["read"] }, { "basic": ["read"] }]);
        assert_eq!(read(Some(&read_all)), Need::Scope { scope: Scope::Read, tells_own: false });
        let upload = json!([{ "bearer": ["upload", "own_tenant"] }]);
        assert_eq!(read(Some(&upload)), Need::Scope { scope: Scope::Upload, tells_own: true });
        assert_eq!(read(Some(&json!([{}, { "bearer": ["upload"] }]))), Need::Perhaps(Scope::Upload));
    }
}
