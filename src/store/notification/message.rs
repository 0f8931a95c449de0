//! The messages of the rows that `notification.take` gives.
//!
//! Before: [`super::take`]. After: `notify` sends them.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;
use tokio_postgres::types::{Json, Type};
use tokio_postgres::{Client, Row};
use uuid::Uuid;

use crate::language::{Language, Locale};
use crate::model::{AlertContext, AlertState, Content, Message, MessageAlert, NotificationKind};
use crate::store::{StoreError, statement};

/// By alert and the time when its notification was due.
pub(super) type Contexts = HashMap<(i64, Timestamp), AlertContext>;

/// Rows of one message are adjacent; a contact without a language reads that of `locale`.
pub(super) fn read(rows: &[Row], locale: &Locale) -> Result<Vec<Message>, StoreError> {
    let mut messages: Vec<Message> = Vec::new();
    for row in rows {
        let id: Uuid = row.get("message_id");
        let alert = message_alert(row)?;
        match messages.last_mut() {
            Some(Message { id: last, content: Content::Alerts(alerts), .. }) if *last == id => {
                alerts.push(alert)
            }
            _ => messages.push(Message {
                id,
                address: row.get("address"),
                secret: row.get("secret"),
                locale: locale_of(row, locale),
                attempts: u16::try_from(row.get::<_, i16>("attempts")).unwrap_or_default(),
                content: Content::Alerts(vec![alert]),
            }),
        }
    }
    for message in &mut messages {
        if let Content::Alerts(alerts) = &mut message.content {
            alerts.sort_by_key(|alert| alert.state.gravity());
        }
    }
    Ok(messages)
}

/// Adds to each alert its context.
pub(super) fn add_contexts(messages: &mut [Message], contexts: &Contexts) {
    for message in messages {
        let Content::Alerts(alerts) = &mut message.content else { continue };
        for alert in alerts {
            if let Some(context) = contexts.get(&(alert.state.alert_id, alert.due_at)) {
                alert.context = context.clone();
            }
        }
    }
}

/// Reads who and where, what is normal, and how the wearer was, of the alerts in `rows`.
pub(super) async fn contexts(client: &Client, rows: &[Row]) -> Result<Contexts, StoreError> {
    if rows.is_empty() {
        return Ok(Contexts::new());
    }
    let alert_ids: Vec<i64> = rows.iter().map(|row| row.get("alert_id")).collect();
    let due: Vec<Timestamp> = rows.iter().map(|row| row.get("due_at")).collect();
    let failed = |source| StoreError::Postgres { statement: "notification.context", source };
    statement!("notification", "context")
        .query_unprepared(client, &[(&alert_ids, Type::INT8_ARRAY), (&due, Type::TIMESTAMPTZ_ARRAY)])
        .await?
        .iter()
        .map(|row| {
            let Json(context) = row.try_get("context").map_err(failed)?;
            Ok(((row.get("alert_id"), row.get("until_ts")), context))
        })
        .collect()
}

/// In the language of the contact, where it has one.
fn locale_of(row: &Row, service: &Locale) -> Locale {
    let own = row.get::<_, Option<&str>>("language").and_then(Language::of_tag);
    Locale { language: own.unwrap_or(service.language), zone: service.zone.clone() }
}

fn message_alert(row: &Row) -> Result<MessageAlert, StoreError> {
    let kind: String = row.get("kind");
    let kind = NotificationKind::of_name(&kind)
        .ok_or_else(|| StoreError::State(format!("notification.take: there is no kind {kind}")))?;
    let age = Duration::try_from_secs_f64(row.get("age_seconds")).unwrap_or_default();
    Ok(MessageAlert {
        kind,
        state: alert_state(row)?,
        context: AlertContext::default(),
        due_at: row.get("due_at"),
        age,
        trace: row.get("traceparent"),
    })
}

/// Columns `alert` and `rule`.
pub(in crate::store) fn alert_state(row: &Row) -> Result<AlertState, StoreError> {
    let failed = |source| StoreError::Postgres { statement: "alert_state", source };
    let Json(mut alert): Json<AlertState> = row.try_get("alert").map_err(failed)?;
    alert.rule = row.try_get("rule").map_err(failed)?;
    Ok(alert)
}
