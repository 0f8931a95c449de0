//! The access token of a provider: shared by all messages, and renewed before it expires.
//!
//! Before: `wechat`, `wecom`. Promise: one request for a token at a time, however many messages wait for it. If the provider refuses a
//! token, only the first message that finds out renews it.

use std::time::Duration;

use reqwest::{Client, Url};
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::decide::Attempt;
use super::provider::{self, Verdict};

/// A token is renewed so long before its end: longer than an attempt takes, and short beside its two hours.
const RENEW_BEFORE: Duration = Duration::from_secs(300);

/// Where tokens come from.
#[derive(Debug)]
pub(super) struct Tokens {
    http: Client,
    /// With the secret: never logged.
    url: Url,
    held: Mutex<Option<Token>>,
}

#[derive(Debug, Clone)]
struct Token {
    text: String,
    renew_at: Instant,
}

impl Tokens {
    pub(super) fn new(http: Client, url: Url) -> Self {
        Self { http, url, held: Mutex::new(None) }
    }

    /// A token that is good as far as is known.
    ///
    /// # Errors
    /// The provider gave none.
    pub(super) async fn get(&self) -> Result<String, Attempt> {
        self.token_unless(None).await
    }

    /// A token other than `refused`.
    ///
    /// # Errors
    /// The provider gave none.
    pub(super) async fn renew(&self, refused: &str) -> Result<String, Attempt> {
        self.token_unless(Some(refused)).await
    }

    async fn token_unless(&self, refused: Option<&str>) -> Result<String, Attempt> {
        // Held while it is asked for: whoever comes meanwhile waits for the answer.
        let mut held = self.held.lock().await;
        if let Some(token) = held.as_ref()
            && token.renew_at > Instant::now()
            && refused != Some(token.text.as_str())
        {
            return Ok(token.text.clone());
        }
        let requested_at = Instant::now();
        let answer = provider::send(self.http.get(self.url.clone())).await?;
        match provider::classify(&answer) {
            Verdict::Attempt(Attempt::Delivered) if !answer.access_token.is_empty() => {}
            Verdict::Attempt(Attempt::Limited { reason, wait }) => {
                return Err(Attempt::Limited { reason: format!("token: {reason}"), wait });
            }
            // Wrong credentials can be corrected while messages are tried again.
            _ => return Err(Attempt::failed(format!("token: {} {}", answer.errcode, answer.errmsg))),
        }
        let holds = Duration::from_secs(answer.expires_in);
        let renew_at = requested_at + holds.saturating_sub(RENEW_BEFORE).max(holds / 2);
        *held = Some(Token { text: answer.access_token.clone(), renew_at });
        Ok(answer.access_token)
    }
}

/// Sends under a token; under another one at once, and once, when the provider does not take the first.
pub(super) async fn send_under<F: Future<Output = Result<Verdict, Attempt>>>(
    tokens: &Tokens,
    send: impl Fn(String) -> F,
) -> Attempt {
    let sending = async {
        let token = tokens.get().await?;
        let verdict = match send(token.clone()).await? {
            Verdict::Token(_) => send(tokens.renew(&token).await?).await?,
            verdict => verdict,
        };
        Ok(match verdict {
            Verdict::Attempt(attempt) => attempt,
            Verdict::Token(reason) => Attempt::failed(reason),
        })
    };
    sending.await.unwrap_or_else(|attempt: Attempt| attempt)
}
