//! E-mail by SMTP.
//!
//! Before: `notify::sender_loop` has a message for an address. After: the mail server of the settings. Promise: the Message-ID is that
//! of the message, at every attempt; what the server refuses for good (5xx) is not tried again.

use lettre::message::header::ContentType;
use lettre::message::{Mailbox, Message as Mail};
use lettre::transport::smtp::Error;
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};

use super::decide::Attempt;
use super::text::Markup;
use super::{Sender, provider, text};
use crate::config::NotifySettings;
use crate::model::{Channel, Message};

/// Longest text.
const TEXT_BYTES: usize = 256 * 1024;

/// Sends mail.
#[derive(Debug)]
pub(super) struct Email {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

impl Email {
    pub(super) fn new(settings: &NotifySettings) -> Result<Self, String> {
        provider::require(&[("smtp_url", &settings.smtp_url), ("smtp_from", &settings.smtp_from)])?;
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(&settings.smtp_url)
            .map_err(|error| format!("smtp_url cannot be used: {error}"))?
            .timeout(Some(settings.timeout()))
            .build();
        let from = settings.smtp_from.parse().map_err(|error| format!("smtp_from is no address: {error}"))?;
        Ok(Self { transport, from })
    }

    fn mail(&self, message: &Message) -> Result<Mail, Attempt> {
        let refused =
            |what: &str, error: &dyn std::fmt::Display| Attempt::Refused(format!("{what}: {error}"));
        let to: Mailbox =
            message.address.parse().map_err(|error| refused("the address is not one", &error))?;
        Mail::builder()
            .from(self.from.clone())
            .to(to)
            .subject(text::title(message))
            .message_id(Some(format!("<{}@{}>", message.id, self.from.email.domain())))
            .header(ContentType::TEXT_PLAIN)
            .body(text::body(Markup::Plain, message, TEXT_BYTES))
            .map_err(|error| refused("no mail can be made of it", &error))
    }
}

impl Sender for Email {
    const CHANNEL: Channel = Channel::Email;
    const MAX_ROWS: u32 = 100;

    async fn send(&self, message: &Message) -> Attempt {
        let mail = match self.mail(message) {
            Ok(mail) => mail,
            Err(attempt) => return attempt,
        };
        match self.transport.send(mail).await {
            Ok(_) => Attempt::Delivered,
            Err(error) if error.is_permanent() => Attempt::Refused(reason(&error)),
            Err(error) => Attempt::failed(reason(&error)),
        }
    }
}

/// The server's code and text, or the error of the connection.
fn reason(error: &Error) -> String {
    let mut reason = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        let text = inner.to_string();
        if !reason.contains(&text) {
            reason = format!("{reason}: {text}");
        }
        cause = inner.source();
    }
    reason
}
