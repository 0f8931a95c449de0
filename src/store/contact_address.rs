//! `contact_address`: where contacts are reached.
//!
//! Before: `http::api::contact_address`, `vitals alerts address`. After: the table, whose constraints refuse what is no address; the
//! database reads it when a message is due.
//! Promise: what is a password of an address leaves the store only to send a message.

use std::time::Duration;

use tokio_postgres::Row;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::Type;

use super::notification::ContactAddress;
use super::{Statement, Store, StoreError, statement};
use crate::language::{Text, text};
use crate::model::{AddressChange, AddressDraft, AddressSummary, AddressTest, Channel, Id64};

const LIST: Statement = statement!("contact_address", "list");
const ADD: Statement = statement!("contact_address", "add");
const CHANGE: Statement = statement!("contact_address", "change");
const REMOVE: Statement = statement!("contact_address", "remove");
const BEGIN_TEST: Statement = statement!("contact_address", "begin_test");
const END_TEST: Statement = statement!("contact_address", "end_test");

/// Least time between two tests of an address, seconds.
const TEST_INTERVAL_SECONDS: f64 = 10.0;

/// Which addresses; `None` is any.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AddressFilter {
    /// Of a contact.
    pub contact_id: Option<i64>,
    /// Of the contacts of a tenant.
    pub customer_id: Option<i64>,
}

/// What became of an address that was asked for.
#[derive(Debug, Clone, PartialEq)]
pub enum AddressOutcome {
    /// It was stored.
    Stored(AddressSummary),
    /// There is none of this number.
    NotFound,
    /// The contact has it already; the reason in words.
    Conflict(Text),
    /// It is invalid; the reason.
    Invalid(Text),
}

/// Addresses that match, with numbers above `after`, `limit` at most.
///
/// # Errors
/// The database cannot be asked.
pub async fn list(
    store: &Store,
    filter: AddressFilter,
    after: i64,
    limit: i64,
) -> Result<Vec<AddressSummary>, StoreError> {
    let client = store.client().await?;
    let rows = LIST.query(&client, &[&filter.contact_id, &filter.customer_id, &after, &limit]).await?;
    Ok(rows.iter().map(address).collect())
}

/// Adds an address.
///
/// # Errors
/// The database cannot be asked.
pub async fn add(store: &Store, draft: &AddressDraft) -> Result<AddressOutcome, StoreError> {
    let Some(channel) = Channel::of_name(&draft.channel) else {
        let names = Channel::ALL.map(Channel::name).join(", ");
        let channel = draft.channel.as_str();
        return Ok(AddressOutcome::Invalid(text!("route-channel-unknown", channel = channel, names = names)));
    };
    let client = store.client().await?;
    let Id64(contact_id) = draft.contact_id;
    let rows = ADD
        .query_unprepared(
            &**client,
            &[
                (&contact_id, Type::INT8),
                (&channel.name(), Type::TEXT),
                (&draft.address, Type::TEXT),
                (&draft.secret, Type::TEXT),
                (&draft.enabled, Type::BOOL),
            ],
        )
        .await;
    outcome(rows)
}

/// Changes an address.
///
/// # Errors
/// The database cannot be asked.
pub async fn change(
    store: &Store,
    address_id: i64,
    change: &AddressChange,
) -> Result<AddressOutcome, StoreError> {
    let client = store.client().await?;
    let secret = change.secret.as_ref();
    let rows = CHANGE
        .query_unprepared(
            &**client,
            &[
                (&address_id, Type::INT8),
                (&change.address, Type::TEXT),
                (&secret.is_some(), Type::BOOL),
                (&secret.and_then(Option::as_deref), Type::TEXT),
                (&change.enabled, Type::BOOL),
            ],
        )
        .await;
    outcome(rows)
}

/// Removes an address. False: there is none of this number.
///
/// # Errors
/// The database cannot be asked.
pub async fn remove(store: &Store, address_id: i64) -> Result<bool, StoreError> {
    let client = store.client().await?;
    Ok(!REMOVE.query(&client, &[&address_id]).await?.is_empty())
}

/// What became of a test that was asked for.
#[derive(Debug, Clone)]
pub enum TestStart {
    /// The message is to be sent.
    Begun(ContactAddress),
    /// The address was tested shortly before: how long to wait.
    TooSoon(Duration),
    /// There is none of this number.
    NotFound,
}

/// Begins a test of an address: it stands under the name of whoever tests it.
///
/// # Errors
/// The database cannot be asked.
pub async fn begin_test(store: &Store, address_id: i64, tested_by: &str) -> Result<TestStart, StoreError> {
    let client = store.client().await?;
    let rows = BEGIN_TEST.query(&client, &[&address_id, &tested_by, &TEST_INTERVAL_SECONDS]).await?;
    let Some(row) = rows.first() else { return Ok(TestStart::NotFound) };
    if let Some(seconds) = row.get::<_, Option<f64>>("wait_seconds") {
        return Ok(TestStart::TooSoon(Duration::try_from_secs_f64(seconds).unwrap_or_default()));
    }
    let begun = ContactAddress::of_row(row);
    begun.map(TestStart::Begun).ok_or_else(|| StoreError::State("an address has no known channel".to_owned()))
}

/// Records what became of a test; `error`: why the message was not delivered. `None`: the address was changed or removed meanwhile.
///
/// # Errors
/// The database cannot be asked.
pub async fn end_test(
    store: &Store,
    address_id: i64,
    error: Option<&str>,
) -> Result<Option<AddressTest>, StoreError> {
    let client = store.client().await?;
    Ok(END_TEST.query(&client, &[&address_id, &error]).await?.first().and_then(test))
}

/// The last test of an address; `None`: there was none.
fn test(row: &Row) -> Option<AddressTest> {
    let error: Option<String> = row.get("test_error");
    Some(AddressTest {
        tested_at: row.get::<_, Option<_>>("tested_at")?,
        tested_by: row.get("tested_by"),
        delivered: error.is_none(),
        error,
    })
}

fn address(row: &Row) -> AddressSummary {
    let (channel, address): (String, String) = (row.get("channel"), row.get("address"));
    AddressSummary {
        address_id: Id64(row.get("address_id")),
        contact_id: Id64(row.get("contact_id")),
        contact: row.get("contact"),
        address: Channel::shown_of(&channel, &address),
        channel,
        has_secret: row.get("has_secret"),
        enabled: row.get("enabled"),
        last_test: test(row),
    }
}

fn outcome(rows: Result<Vec<Row>, StoreError>) -> Result<AddressOutcome, StoreError> {
    match rows {
        Ok(rows) => {
            Ok(rows.first().map_or(AddressOutcome::NotFound, |row| AddressOutcome::Stored(address(row))))
        }
        Err(error) if error.is(&SqlState::UNIQUE_VIOLATION) => {
            Ok(AddressOutcome::Conflict(text!("address-taken")))
        }
        Err(error) if error.is(&SqlState::FOREIGN_KEY_VIOLATION) => {
            Ok(AddressOutcome::Invalid(text!("address-of-unknown")))
        }
        Err(error) if error.violates("contact_address_form_check") => {
            Ok(AddressOutcome::Invalid(text!("address-form")))
        }
        Err(error) if error.violates("contact_address_address_check") => {
            Ok(AddressOutcome::Invalid(text!("address-empty")))
        }
        Err(error) => match error.refusal() {
            Some(reason) => Ok(AddressOutcome::Invalid(reason)),
            None => Err(error),
        },
    }
}
