//! `notification`: pending notifications, leased by address while a sender sends to it.
//!
//! Before: the function `notify_alerts` adds rows with the alert. After: `notify` sends what it took and records what became
//! of it; people ask for dead letters. Promise: one sender at a time per address, over all instances; a message keeps its
//! number and its rows at every attempt; what a sender held when it died is sent by another when the lease ends.

mod message;

use std::time::Duration;

use jiff::Timestamp;
use tokio_postgres::Row;
use tokio_postgres::types::{ToSql, Type};
use uuid::Uuid;

use super::lease::Lease;
use super::{Statement, Store, StoreError, statement};
use crate::language::{Language, Locale};
use crate::model::{Channel, Message};
pub(super) use message::alert_state;

const LEASE: Statement = statement!("notification", "lease");
const DEAD_LETTERS: Statement = statement!("notification", "dead_letters");
const ADDRESSES: Statement = statement!("notification", "addresses");
const RESEND: Statement = statement!("notification", "resend");
const MEASURE: Statement = statement!("notification", "measure");

/// Longest time that messages wait for what they say besides their alerts.
const CONTEXT_DEADLINE: Duration = Duration::from_secs(2);

/// What a channel takes at a time.
#[derive(Debug, Clone, Copy)]
pub struct ChannelBatch {
    /// The channel.
    pub channel: Channel,
    /// Most rows of one message.
    pub max_rows: u32,
    /// How long after a message further ones are merged, where the route does not say, seconds.
    pub merge_seconds: u32,
}

/// Leases at most `limit` addresses to which something is due, and gives them.
///
/// # Errors
/// The database cannot be asked; what may have been leased all the same is free again when the lease ends.
pub async fn lease(
    store: &Store,
    lease: &Lease,
    batch: ChannelBatch,
    limit: usize,
) -> Result<Vec<String>, StoreError> {
    let client = store.client().await?;
    let merge_seconds = i32::try_from(batch.merge_seconds).unwrap_or(i32::MAX);
    let parameters: [&(dyn ToSql + Sync); 5] = [
        &batch.channel.name(),
        &lease.token(),
        &lease.seconds(),
        &i64::try_from(limit).unwrap_or(i64::MAX),
        &merge_seconds,
    ];
    let rows = LEASE.query(&client, &parameters).await?;
    Ok(rows.iter().map(|row| row.get("address")).collect())
}

/// What is due to the addresses under the lease: a message each, in the language of its contact, else in that of `locale`; none where
/// all of it was cancelled.
///
/// # Errors
/// The database cannot be asked.
pub async fn take(
    store: &Store,
    lease: &Lease,
    batch: ChannelBatch,
    locale: &Locale,
) -> Result<Vec<Message>, StoreError> {
    let client = store.client().await?;
    let rows = statement!("notification", "take")
        .query_unprepared(
            &**client,
            &[
                (&batch.channel.name(), Type::TEXT),
                (&lease.token(), Type::UUID),
                (&i64::from(batch.max_rows), Type::INT8),
            ],
        )
        .await?;
    let mut messages = message::read(&rows, locale)?;
    // What a message says besides its alerts must not hold it up.
    match tokio::time::timeout(CONTEXT_DEADLINE, message::contexts(&client, &rows)).await {
        Ok(Ok(contexts)) => message::add_contexts(&mut messages, &contexts),
        Ok(Err(error)) => tracing::warn!(%error, "messages go without names and last values"),
        Err(_) => {
            store.cancel_and_close(client).await;
            tracing::warn!("messages go without names and last values, which could not be read in time");
        }
    }
    Ok(messages)
}

/// The result of an attempt, under its lease.
#[derive(Debug, Clone)]
pub struct AttemptResult {
    /// Under which lease.
    pub lease: Lease,
    /// The address.
    pub address: String,
    /// The message; `None`: there was nothing to send.
    pub message_id: Option<Uuid>,
    /// What became of it.
    pub outcome: DeliveryOutcome,
    /// The provider's words, if it did not take it.
    pub error: Option<String>,
    /// Nothing goes to the address for so long.
    pub wait: Duration,
}

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryOutcome {
    /// The provider has it.
    Sent,
    /// To be tried again, one attempt fewer.
    Failed,
    /// To be tried again, as if it had not been tried.
    Limited,
    /// Not tried again.
    Dead,
}

impl DeliveryOutcome {
    /// As the statement and the metrics call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Failed => "failed",
            Self::Limited => "limited",
            Self::Dead => "dead",
        }
    }
}

/// Records outcomes and gives the addresses back.
///
/// # Errors
/// Nothing was recorded, or (when the connection broke) it may have been: it may be called again.
pub async fn record(store: &Store, channel: Channel, results: &[AttemptResult]) -> Result<(), StoreError> {
    let client = store.client().await?;
    let tokens: Vec<Uuid> = results.iter().map(|one| one.lease.token()).collect();
    let addresses: Vec<&str> = results.iter().map(|one| one.address.as_str()).collect();
    let ids: Vec<Option<Uuid>> = results.iter().map(|one| one.message_id).collect();
    let outcomes: Vec<&str> = results.iter().map(|one| one.outcome.name()).collect();
    let errors: Vec<Option<&str>> = results.iter().map(|one| one.error.as_deref()).collect();
    let waits: Vec<f64> = results.iter().map(|one| one.wait.as_secs_f64()).collect();
    statement!("notification", "record")
        .query_unprepared(
            &**client,
            &[
                (&channel.name(), Type::TEXT),
                (&tokens, Type::UUID_ARRAY),
                (&addresses, Type::TEXT_ARRAY),
                (&ids, Type::UUID_ARRAY),
                (&outcomes, Type::TEXT_ARRAY),
                (&errors, Type::TEXT_ARRAY),
                (&waits, Type::FLOAT8_ARRAY),
            ],
        )
        .await?;
    Ok(())
}

/// A notification that could not be delivered.
#[derive(Debug, Clone, PartialEq)]
pub struct DeadLetter {
    /// Number of the notification.
    pub notification_id: i64,
    /// The alert.
    pub alert_id: i64,
    /// Its device.
    pub device_sn: String,
    /// fired, raised, escalated, repeated, acknowledged, assigned or resolved.
    pub kind: String,
    /// By which way.
    pub channel: String,
    /// To whom; of a robot's key only the end.
    pub address: String,
    /// Whose address it is; `None`: the contact is gone.
    pub contact: Option<String>,
    /// When it was written.
    pub created_at: Timestamp,
    /// Attempts that failed.
    pub attempts: i16,
    /// The provider's words.
    pub error: Option<String>,
}

/// At most `limit` dead letters with numbers above `after`, oldest first.
///
/// # Errors
/// The database cannot be asked.
pub async fn dead_letters(store: &Store, after: i64, limit: u32) -> Result<Vec<DeadLetter>, StoreError> {
    let client = store.client().await?;
    let rows = DEAD_LETTERS.query(&client, &[&after, &i64::from(limit)]).await?;
    Ok(rows
        .iter()
        .map(|row| DeadLetter {
            notification_id: row.get("notification_id"),
            alert_id: row.get("alert_id"),
            device_sn: row.get("device_sn"),
            kind: row.get("kind"),
            channel: row.get("channel"),
            address: row.get("address"),
            contact: row.get("contact"),
            created_at: row.get("created_at"),
            attempts: row.get("attempts"),
            error: row.get("error"),
        })
        .collect())
}

/// What became of dead letters that were to be sent again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Resent {
    /// Will be tried again.
    pub retried: usize,
    /// Of these, at another address than before.
    pub moved: usize,
    /// Will not, and why: nobody needs them any more (they are cancelled), or their contact cannot be reached (they stay).
    pub refused: Vec<(i64, String)>,
}

/// Has dead letters tried again at the address their contact has now, those of the given numbers or (`None`) all.
///
/// # Errors
/// The database cannot be asked.
pub async fn resend(store: &Store, notification_ids: Option<&[i64]>) -> Result<Resent, StoreError> {
    let client = store.client().await?;
    let mut resent = Resent::default();
    for row in RESEND.query(&client, &[&notification_ids]).await? {
        match row.get::<_, Option<String>>("reason") {
            Some(reason) => resent.refused.push((row.get("notification_id"), reason)),
            None => {
                resent.retried += 1;
                resent.moved += usize::from(row.get::<_, &str>("outcome") == "moved");
            }
        }
    }
    Ok(resent)
}

/// An address of a contact.
#[derive(Debug, Clone)]
pub struct ContactAddress {
    /// By which channel.
    pub channel: Channel,
    /// In the words of the channel.
    pub address: String,
    /// What messages to it are signed with; `None`: nothing of its own.
    pub secret: Option<String>,
    /// The language of the contact; `None`: that of the service.
    pub language: Option<Language>,
}

/// The addresses in use of the contacts of a name.
///
/// # Errors
/// The database cannot be asked.
pub async fn addresses(store: &Store, name: &str) -> Result<Vec<ContactAddress>, StoreError> {
    let client = store.client().await?;
    let rows = ADDRESSES.query(&client, &[&name]).await?;
    Ok(rows.iter().filter_map(ContactAddress::of_row).collect())
}

impl ContactAddress {
    /// `None`: this program does not know the channel.
    pub(super) fn of_row(row: &Row) -> Option<Self> {
        Some(Self {
            channel: Channel::of_name(row.get("channel"))?,
            address: row.get("address"),
            secret: row.get("secret"),
            language: row.get::<_, Option<&str>>("language").and_then(Language::of_tag),
        })
    }
}

/// What waits in a channel.
#[derive(Debug, Clone)]
pub struct Waiting {
    /// Name of the channel.
    pub channel: String,
    /// Rows that are due.
    pub rows: i64,
    /// How long the oldest has been due.
    pub oldest: Duration,
}

/// What is due and waits, by channel; a channel where nothing waits is not named.
///
/// # Errors
/// The database cannot be asked.
pub async fn measure(store: &Store) -> Result<Vec<Waiting>, StoreError> {
    let client = store.client().await?;
    let rows = MEASURE.query(&client, &[]).await?;
    Ok(rows
        .iter()
        .map(|row| Waiting {
            channel: row.get("channel"),
            rows: row.get("waiting"),
            oldest: Duration::try_from_secs_f64(row.get("oldest_seconds")).unwrap_or_default(),
        })
        .collect())
}
