//! Who has logged in at the provider, and under which names an account is made for the person.
//!
//! Before: a verified ID token. After: `oidc` finds or makes the account. Promise: nothing of it is logged.

use openidconnect::core::CoreGenderClaim;
use openidconnect::{AdditionalClaims, IdTokenClaims};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Longest login name and name, characters.
const MAX_CHARS: usize = 200;

/// The claims of an ID token that are not standard: groups are among them.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
pub(super) struct OtherClaims(Map<String, Value>);

impl AdditionalClaims for OtherClaims {}

/// A person at the provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) issuer: String,
    pub(super) subject: String,
    /// What the person types to log in there, if the provider reports it.
    username: Option<String>,
    email: Option<String>,
    pub(super) name: String,
    pub(super) groups: Vec<String>,
}

impl Identity {
    pub(super) fn of(claims: &IdTokenClaims<OtherClaims, CoreGenderClaim>, groups_claim: &str) -> Self {
        let username = claims.preferred_username().map(|name| name.as_str().to_owned());
        let email = claims.email().map(|email| email.as_str().to_owned());
        let full_name = claims.name().and_then(|name| name.get(None)).map(|name| name.as_str().to_owned());
        let subject = claims.subject().as_str().to_owned();
        let name = [&full_name, &username, &email].into_iter().flatten().find(|name| !name.trim().is_empty());
        Self {
            issuer: claims.issuer().as_str().to_owned(),
            name: shortened(name.unwrap_or(&subject)),
            groups: groups(claims.additional_claims().0.get(groups_claim)),
            subject,
            username,
            email,
        }
    }

    /// Login names and names for a new account, the best first: the first that nobody has is taken.
    pub(super) fn candidates(&self) -> Vec<(String, String)> {
        let unique = format!("{}@{}", self.subject, self.issuer.trim_start_matches("https://"));
        let logins = [self.username.clone(), self.email.clone(), Some(unique)].into_iter().flatten();
        let logins: Vec<String> = logins
            .filter(|login| login.chars().count() <= MAX_CHARS)
            .filter(|login| !login.chars().any(|char| char.is_whitespace() || char.is_control()))
            .collect();
        let own = logins.iter().map(|login| (login.clone(), self.name.clone()));
        // Somebody else has the name already: changes stand under it, so it has to say who it is.
        let distinct =
            logins.iter().map(|login| (login.clone(), shortened(&format!("{} ({login})", self.name))));
        own.chain(distinct).collect()
    }
}

/// The provider reports a list of names, or one.
fn groups(claim: Option<&Value>) -> Vec<String> {
    match claim {
        Some(Value::Array(names)) => {
            names.iter().filter_map(|name| Some(name.as_str()?.to_owned())).collect()
        }
        Some(Value::String(name)) => vec![name.clone()],
        _ => Vec::new(),
    }
}

fn shortened(name: &str) -> String {
    name.trim().chars().filter(|char| !char.is_control()).take(MAX_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn groups_are_a_list_or_one_name() {
        assert_eq!(groups(Some(&json!(["a", 7, "b"]))), ["a", "b"]);
        assert_eq!(groups(Some(&json!("a"))), ["a"]);
        assert!(groups(Some(&json!({"a": 1}))).is_empty() && groups(None).is_empty());
    }

    #[test]
    fn an_account_gets_the_best_names_that_are_free() {
        let identity = Identity {
            issuer: "https://id.example.org".to_owned(),
            subject: "4711".to_owned(),
            username: Some("li ming".to_owned()),
            email: Some("li@example.org".to_owned()),
            name: "Li Ming".to_owned(),
            groups: Vec::new(),
        };
        let candidates = identity.candidates();
        let pair = |login: &str, name: &str| (login.to_owned(), name.to_owned());
        assert_eq!(candidates[0], pair("li@example.org", "Li Ming"), "a login name has no white space");
        assert_eq!(candidates[1], pair("4711@id.example.org", "Li Ming"));
        assert_eq!(candidates[2], pair("li@example.org", "Li Ming (li@example.org)"));
    }
}
