//! Logging in through an OpenID Connect provider: authorization code with PKCE, state and nonce.
//!
//! Before: `GET /login/oidc` sends the browser to the provider, which sends it back to `GET /login/oidc/callback` with a code. After: a
//! session, as after a login with a password.
//! Promise: the ID token is verified with the keys of the provider, its issuer, audience, end and nonce. Groups of the provider become
//! grants at each login, and those that are gone are taken away. An account that somebody else made is never taken over by a name: an
//! account belongs to the subject of the provider. Second factors are the provider's.

mod client;
mod identity;

use std::time::Duration;

use openidconnect::core::CoreAuthenticationFlow;
use openidconnect::{
    AuthorizationCode, CsrfToken, Nonce, PkceCodeChallenge, PkceCodeVerifier, Scope, TokenResponse,
};

use super::Accounts;
use super::login::{Browser, LoginError, normalize_login};
use crate::config::{GroupGrant, Settings};
use crate::model::session::Token;
use crate::store::account::NewAccount;
use crate::store::account_grant::NewGrant;
use crate::store::{account, account_grant};
use client::{Provider, ProviderHttp};
use identity::Identity;

/// Longest time for all requests to the provider of one login.
const DEADLINE: Duration = Duration::from_secs(10);

/// Why the provider cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OidcError {
    /// A setting is invalid.
    #[error("oidc: {0}")]
    Settings(String),
    /// The provider does not answer, or not as it should.
    #[error("the OIDC provider: {0}")]
    Provider(String),
    /// What came back does not belong to the login that began, or is not from the provider.
    #[error("a login through the OIDC provider is refused: {0}")]
    Refused(String),
}

impl OidcError {
    /// What the person is told; the reason is logged.
    fn logged(&self) -> LoginError {
        tracing::warn!(error = %self, "a login through the OIDC provider failed");
        match self {
            Self::Settings(_) | Self::Provider(_) => LoginError::Unavailable,
            Self::Refused(_) => LoginError::Wrong,
        }
    }
}

/// A login that has begun: where the browser goes, and what it keeps until it comes back.
#[derive(Debug)]
pub struct OidcStart {
    /// The page of the provider.
    pub url: String,
    /// For a cookie that only this browser has: state, nonce and verifier, separated by dots.
    pub kept: String,
}

#[derive(Debug)]
pub(super) struct Oidc {
    http: ProviderHttp,
    scopes: Vec<String>,
    groups_claim: String,
    grants: Vec<GroupGrant>,
}

impl Oidc {
    pub(super) fn new(settings: &Settings) -> Result<Self, OidcError> {
        let oidc = &settings.oidc;
        Ok(Self {
            http: ProviderHttp::new(oidc, &settings.public_base_url)?,
            scopes: oidc.scopes.split_whitespace().map(str::to_owned).collect(),
            groups_claim: oidc.groups_claim.clone(),
            grants: oidc.grants().map_err(OidcError::Settings)?,
        })
    }

    async fn start(&self) -> Result<OidcStart, OidcError> {
        let provider = self.http.provider().await?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let mut request = provider
            .client
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                CsrfToken::new_random,
                Nonce::new_random,
            )
            .set_pkce_challenge(challenge);
        for scope in &self.scopes {
            request = request.add_scope(Scope::new(scope.clone()));
        }
        let (url, state, nonce) = request.url();
        let kept = format!("{}.{}.{}", state.secret(), nonce.secret(), verifier.secret());
        Ok(OidcStart { url: url.to_string(), kept })
    }

    /// Who has logged in at the provider.
    async fn identity(&self, code: &str, state: &str, kept: &str) -> Result<Identity, OidcError> {
        let refused = |reason: &str| OidcError::Refused(reason.to_owned());
        let mut parts = kept.split('.');
        let (Some(begun), Some(nonce), Some(verifier), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(refused("the browser has not begun it"));
        };
        if begun.is_empty() || begun != state {
            return Err(refused("its state is that of another login"));
        }
        let provider = self.http.provider().await?;
        let exchange = provider
            .client
            .exchange_code(AuthorizationCode::new(code.to_owned()))
            .map_err(|error| OidcError::Provider(error.to_string()))?
            .set_pkce_verifier(PkceCodeVerifier::new(verifier.to_owned()));
        let answer = exchange
            .request_async(&self.http)
            .await
            .map_err(|error| OidcError::Refused(client::with_causes(&error)))?;
        let id_token = answer.id_token().ok_or_else(|| refused("the provider sent no ID token"))?;
        let nonce = Nonce::new(nonce.to_owned());
        let verified = |provider: &Provider| {
            let claims = id_token.claims(&provider.client.id_token_verifier(), &nonce);
            claims.map(|claims| Identity::of(claims, &self.groups_claim)).map_err(|error| error.to_string())
        };
        match verified(&provider) {
            Ok(identity) => Ok(identity),
            // The provider may have new keys.
            Err(_) => {
                let renewed = self.http.renewed(&provider).await?;
                verified(&renewed).map_err(OidcError::Refused)
            }
        }
    }

    /// What the groups stand for.
    fn grants_of(&self, groups: &[String]) -> Vec<NewGrant> {
        let granted = self.grants.iter().filter(|grant| groups.contains(&grant.group));
        granted
            .map(|grant| NewGrant { role: grant.role, customer_id: grant.customer_id, org_id: grant.org_id })
            .collect()
    }
}

impl Accounts {
    /// Whether people can log in through a provider.
    pub fn has_oidc(&self) -> bool {
        self.shared.oidc.is_some()
    }

    /// Begins a login through the provider.
    ///
    /// # Errors
    /// There is no provider, or it does not answer.
    pub async fn start_oidc(&self) -> Result<OidcStart, LoginError> {
        let oidc = self.shared.oidc.as_ref().ok_or(LoginError::Wrong)?;
        within_deadline(oidc.start()).await.map_err(|error| error.logged())
    }

    /// Logs in whoever comes back from the provider; returns the token for the cookie.
    ///
    /// # Errors
    /// [`LoginError`].
    pub async fn finish_oidc(
        &self,
        code: &str,
        state: &str,
        kept: &str,
        browser: &Browser,
    ) -> Result<Token, LoginError> {
        let oidc = self.shared.oidc.as_ref().ok_or(LoginError::Wrong)?;
        let identity =
            within_deadline(oidc.identity(code, state, kept)).await.map_err(|error| error.logged())?;
        let grants = oidc.grants_of(&identity.groups);
        let account_id = self.account_of(&identity, !grants.is_empty()).await?;
        let store = &self.shared.store;
        let following = account_grant::follow_groups(store, account_id, &identity.issuer, &grants);
        let grant_id = store.with_timeout("account_grant.follow_groups", following).await?;
        let grant_id = grant_id.ok_or(LoginError::NothingGranted)?;
        let token = self.open(account_id, grant_id, browser).await?;
        self.note_login(account_id, Some(&identity.name)).await;
        Ok(token)
    }

    /// The account of a person, which is made at the first login of somebody who `may_enter`.
    async fn account_of(&self, identity: &Identity, may_enter: bool) -> Result<i64, LoginError> {
        let store = &self.shared.store;
        let (issuer, subject) = (identity.issuer.as_str(), identity.subject.as_str());
        let find = || store.with_timeout("account.find_oidc", account::find_oidc(store, issuer, subject));
        match find().await? {
            Some((_, true)) => return Err(LoginError::Wrong),
            Some((account_id, false)) => return Ok(account_id),
            None if !may_enter => return Err(LoginError::NothingGranted),
            None => {}
        }
        for (login, name) in identity.candidates() {
            let draft = NewAccount {
                login: &normalize_login(&login),
                name: &name,
                language: None,
                oidc: Some((issuer, subject)),
                created_by: issuer,
            };
            if let Some(account_id) = store.with_timeout("account.add", account::add(store, &draft)).await? {
                return Ok(account_id);
            }
        }
        // Another instance may have made it meanwhile.
        match find().await? {
            Some((account_id, false)) => Ok(account_id),
            _ => Err(LoginError::Wrong),
        }
    }
}

async fn within_deadline<T>(work: impl Future<Output = Result<T, OidcError>>) -> Result<T, OidcError> {
    let late = || Err(OidcError::Provider("no answer in time".to_owned()));
    tokio::time::timeout(DEADLINE, work).await.unwrap_or_else(|_| late())
}
