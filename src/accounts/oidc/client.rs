//! Requests to the provider: its description and keys, and the exchange of a code.
//!
//! Before: a login begins or comes back. After: the provider answers. Promise: no redirect is followed, no answer longer than
//! [`ANSWER_BYTES`] is read, and no error names a URL. The description is read again after [`RENEW_AFTER`], and when an ID token
//! is signed by an unknown key.

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use openidconnect::core::{
    CoreAuthDisplay, CoreAuthPrompt, CoreErrorResponseType, CoreGenderClaim, CoreJsonWebKey,
    CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm, CoreProviderMetadata, CoreRevocableToken,
    CoreRevocationErrorResponse, CoreTokenIntrospectionResponse, CoreTokenType,
};
use openidconnect::{
    AsyncHttpClient, ClientId, ClientSecret, EmptyExtraTokenFields, EndpointMaybeSet, EndpointNotSet,
    EndpointSet, HttpRequest, HttpResponse, IdTokenFields, IssuerUrl, RedirectUrl, StandardErrorResponse,
    StandardTokenResponse,
};
use reqwest::redirect::Policy;
use tokio::sync::Mutex;

use super::OidcError;
use super::identity::OtherClaims;
use crate::config::OidcSettings;

/// How long the description of the provider is used.
const RENEW_AFTER: Duration = Duration::from_secs(3600);

/// Shortest time between two readings of it, so that wrong tokens cause few.
const RENEW_AT_MOST_EVERY: Duration = Duration::from_secs(10);

/// Most of an answer that is read, bytes.
const ANSWER_BYTES: usize = 1024 * 1024;

type IdFields = IdTokenFields<
    OtherClaims,
    EmptyExtraTokenFields,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJwsSigningAlgorithm,
>;

pub(super) type ProviderClient = openidconnect::Client<
    OtherClaims,
    CoreAuthDisplay,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJsonWebKey,
    CoreAuthPrompt,
    StandardErrorResponse<CoreErrorResponseType>,
    StandardTokenResponse<IdFields, CoreTokenType>,
    CoreTokenIntrospectionResponse,
    CoreRevocableToken,
    CoreRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// The provider as it describes itself.
#[derive(Debug)]
pub(super) struct Provider {
    pub(super) client: ProviderClient,
    read_at: Instant,
}

/// A request to the provider failed.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct RequestError(String);

/// The way to the provider.
#[derive(Debug)]
pub(super) struct ProviderHttp {
    client: reqwest::Client,
    issuer: IssuerUrl,
    client_id: ClientId,
    client_secret: Option<ClientSecret>,
    redirect_url: RedirectUrl,
    provider: Mutex<Option<Arc<Provider>>>,
}

impl ProviderHttp {
    pub(super) fn new(settings: &OidcSettings, public_base_url: &str) -> Result<Self, OidcError> {
        let invalid = |error: &dyn Error| OidcError::Settings(error.to_string());
        let client = reqwest::Client::builder()
            .redirect(Policy::none())
            .no_proxy()
            .user_agent(concat!("vitals/", env!("CARGO_PKG_VERSION")))
            .build();
        let secret = Some(&settings.client_secret).filter(|secret| !secret.is_empty());
        let redirect_url = format!("{}/login/oidc/callback", public_base_url.trim_end_matches('/'));
        Ok(Self {
            client: client.map_err(|error| invalid(&error))?,
            issuer: IssuerUrl::new(settings.issuer.clone()).map_err(|error| invalid(&error))?,
            client_id: ClientId::new(settings.client_id.clone()),
            client_secret: secret.map(|secret| ClientSecret::new(secret.clone())),
            redirect_url: RedirectUrl::new(redirect_url).map_err(|error| invalid(&error))?,
            provider: Mutex::default(),
        })
    }

    /// The provider, read at most an hour ago.
    pub(super) async fn provider(&self) -> Result<Arc<Provider>, OidcError> {
        let mut cached = self.provider.lock().await;
        match &*cached {
            Some(provider) if provider.read_at.elapsed() < RENEW_AFTER => Ok(Arc::clone(provider)),
            _ => Ok(Arc::clone(cached.insert(Arc::new(self.read().await?)))),
        }
    }

    /// The provider, read after `known` unless that was just now.
    pub(super) async fn renewed(&self, known: &Arc<Provider>) -> Result<Arc<Provider>, OidcError> {
        let mut cached = self.provider.lock().await;
        match &*cached {
            Some(provider) if provider.read_at.elapsed() < RENEW_AT_MOST_EVERY => Ok(Arc::clone(provider)),
            Some(provider) if !Arc::ptr_eq(provider, known) => Ok(Arc::clone(provider)),
            _ => Ok(Arc::clone(cached.insert(Arc::new(self.read().await?)))),
        }
    }

    async fn read(&self) -> Result<Provider, OidcError> {
        let metadata = CoreProviderMetadata::discover_async(self.issuer.clone(), self)
            .await
            .map_err(|error| OidcError::Provider(with_causes(&error)))?;
        let client = ProviderClient::from_provider_metadata(
            metadata,
            self.client_id.clone(),
            self.client_secret.clone(),
        );
        let client = client.set_redirect_uri(self.redirect_url.clone());
        Ok(Provider { client, read_at: Instant::now() })
    }

    /// Sends a request and reads the answer, whatever its status.
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, RequestError> {
        let failed = |error: reqwest::Error| RequestError(with_causes(&error.without_url()));
        let request = reqwest::Request::try_from(request).map_err(failed)?;
        let mut response = self.client.execute(request).await.map_err(failed)?;
        let mut answer = openidconnect::http::Response::new(Vec::new());
        *answer.status_mut() = response.status();
        *answer.headers_mut() = response.headers().clone();
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            answer.body_mut().extend_from_slice(&chunk);
            if answer.body().len() > ANSWER_BYTES {
                return Err(RequestError("the answer is too long".to_owned()));
            }
        }
        Ok(answer)
    }
}

/// With a future of a named type, so that the compiler sees that what waits for it can move between threads.
impl<'c> AsyncHttpClient<'c> for ProviderHttp {
    type Error = RequestError;
    type Future = BoxFuture<'c, Result<HttpResponse, RequestError>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        self.send(request).boxed()
    }
}

/// The last cause says most: "connection refused".
pub(super) fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text += &format!(": {inner}");
        cause = inner.source();
    }
    text
}
