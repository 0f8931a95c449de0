//! The nested documents of a batch: each element to its table.
//!
//! Before: the rows of the batch are written. After: it adds rejects and accounts, and commits.
//! Promise: the statements are pipelined; none is sent for a table that gets nothing.

use deadpool_postgres::Object;

use crate::model::SampleDocument;
use crate::store::pipeline::pipeline;
use crate::store::{StoreError, exercise_day, health_document, sleep_segment, workout};

/// Prepares the statements ahead of the first document.
pub(super) async fn prepare(client: &Object) -> Result<(), StoreError> {
    for statement in [sleep_segment::ADD, exercise_day::ADD, workout::ADD, health_document::ADD] {
        statement.prepare(client).await?;
    }
    Ok(())
}

/// Stores the elements of `documents`.
pub(in crate::store) async fn add(
    client: &Object,
    documents: &[SampleDocument<'_>],
) -> Result<(), StoreError> {
    if documents.is_empty() {
        return Ok(());
    }
    // Boxed: four statements at once are a large future, and most batches bring no new document.
    Box::pin(async {
        prepare(client).await?;
        pipeline! {
            sleep_segments = sleep_segment::add(client, documents),
            exercise_days = exercise_day::add(client, documents),
            workouts = workout::add(client, documents),
            health_documents = health_document::add(client, documents),
        }
        sleep_segments.and(exercise_days).and(workouts).and(health_documents)
    })
    .await
}
