//! The HTTP client of the channels, and its errors as text.
//!
//! Promise: no redirect is followed, no proxy of the environment is used (the settings say where to go), and no error names
//! a URL: keys and tokens stand in them. The deadline of an attempt is kept by `notify::sender_loop`.

use std::error::Error;

use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder};

use crate::config::NotifySettings;

/// As every channel has it.
pub(super) fn builder(settings: &NotifySettings) -> ClientBuilder {
    Client::builder()
        .redirect(Policy::none())
        .no_proxy()
        .connect_timeout(settings.timeout())
        .user_agent(concat!("vitals/", env!("CARGO_PKG_VERSION")))
}

/// The client.
///
/// # Errors
/// TLS cannot be used on this machine.
pub(super) fn build(builder: ClientBuilder) -> Result<Client, String> {
    builder.build().map_err(reason)
}

/// What went wrong, without the URL.
pub(super) fn reason(error: reqwest::Error) -> String {
    let error = error.without_url();
    if error.is_timeout() {
        return "no answer in time".to_owned();
    }
    // The last cause says most: "connection refused".
    let mut cause: &dyn Error = &error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    format!("{error}: {cause}")
}
