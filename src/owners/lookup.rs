//! Many questions, few queries: what is not remembered is asked of Redis, then of PostgreSQL.
//!
//! Before: uploads whose devices memory does not know. After: they go on; memory and Redis know the devices.
//! Promise: what gathered while the last query was under way is the next one; while the database is away a question is
//! asked again until nobody waits for its answer.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::follow::News;
use super::{ByDevice, OwnersError, Remembered, Shared, Witness, trouble};
use crate::cache::owner;
use crate::store::StoreError;
use crate::store::owners::{self, Tenures};
use crate::telemetry::names;

/// Questions that may wait. Each belongs to a request under way, so this bounds nothing but memory.
pub(super) const QUESTIONS: usize = 4096;

/// Devices in one query: some milliseconds, so that nobody waits long behind a large upload.
pub(super) const MAX_DEVICES: usize = 1000;

/// Longest wait for Redis, which is asked first because it is faster. A thousand devices take it 2 ms.
const REDIS_PATIENCE: Duration = Duration::from_millis(150);

/// Pause before the database is asked again.
const PAUSE: Duration = Duration::from_millis(200);

type Answer = Result<Arc<ByDevice>, OwnersError>;

/// Whom some devices belong to, and the line on which somebody waits for it.
#[derive(Debug)]
pub(super) struct Question {
    device_sns: Vec<Box<str>>,
    witness: Witness,
    answer: oneshot::Sender<Answer>,
}

/// Asks, and waits for the answer; others' devices may be in it too.
pub(super) async fn ask(
    questions: &mpsc::Sender<Question>,
    device_sns: Vec<Box<str>>,
    witness: Witness,
) -> Answer {
    let (answer, answered) = oneshot::channel();
    questions.send(Question { device_sns, witness, answer }).await.map_err(|_| OwnersError::Stopping)?;
    answered.await.map_err(|_| OwnersError::Stopping)?
}

/// Answers questions until `stop`.
pub(super) async fn run(
    shared: Arc<Shared>,
    news: mpsc::Sender<News>,
    mut questions: mpsc::Receiver<Question>,
    stop: CancellationToken,
) {
    // So that the first upload need not wait for a connection to be made; whether one was shows when it is needed.
    tokio::select! {
        () = stop.cancelled() => return,
        _ = shared.store.client() => {}
    }
    loop {
        let first = tokio::select! {
            () = stop.cancelled() => return,
            question = questions.recv() => match question {
                Some(question) => question,
                None => return stop.cancelled().await, // nobody is left to ask
            },
        };
        let asked = gather(first, &mut questions);
        tokio::select! {
            () = stop.cancelled() => return,
            () = answer(&shared, &news, asked) => {}
        }
    }
}

fn gather(first: Question, questions: &mut mpsc::Receiver<Question>) -> Vec<Question> {
    let mut devices = first.device_sns.len();
    let mut asked = vec![first];
    while devices < MAX_DEVICES {
        let Ok(question) = questions.try_recv() else { break };
        devices += question.device_sns.len();
        asked.push(question);
    }
    asked
}

async fn answer(shared: &Shared, news: &mpsc::Sender<News>, mut asked: Vec<Question>) {
    loop {
        // Whoever went away needs no answer.
        asked.retain(|question| !question.answer.is_closed());
        // Of two who ask for one device the stricter has its way.
        let mut device_sns = BTreeMap::<&str, Witness>::new();
        for question in &asked {
            for device_sn in &question.device_sns {
                let witness = device_sns.entry(device_sn).or_insert(question.witness);
                *witness = question.witness.max(*witness);
            }
        }
        if device_sns.is_empty() {
            return;
        }
        let finding = find(shared, news, device_sns);
        let answer = match shared.store.with_timeout("owners.find", finding).await {
            Ok(found) => Ok(Arc::new(found)),
            Err(error) => match trouble(&error) {
                OwnersError::Unavailable => {
                    sleep(PAUSE).await;
                    continue;
                }
                lasting => Err(lasting),
            },
        };
        for question in asked {
            // Gone meanwhile: nobody minds.
            let _ = question.answer.send(answer.clone());
        }
        return;
    }
}

/// Whom `device_sns` belong to, as said by whom each may be asked of; remembers it.
async fn find(
    shared: &Shared,
    news: &mpsc::Sender<News>,
    device_sns: BTreeMap<&str, Witness>,
) -> Result<ByDevice, StoreError> {
    let generation = shared.memory.generation();
    let of_any = device_sns.iter().filter(|(_, witness)| **witness == Witness::Any);
    let mut found = recall(shared, &of_any.map(|(device_sn, _)| *device_sn).collect::<Vec<_>>()).await;
    remember(shared, &found, Witness::Any, generation);
    let unknown: Vec<&str> = device_sns.into_keys().filter(|sn| !found.contains_key(*sn)).collect();
    metrics::counter!(names::OWNERS_FOUND, "in" => "redis").increment(found.len() as u64);
    if !unknown.is_empty() {
        metrics::counter!(names::OWNERS_FOUND, "in" => "database").increment(unknown.len() as u64);
        let Tenures { version, by_device } = owners::tenures(&shared.store, &unknown).await?;
        remember(shared, &by_device, Witness::Database, generation);
        found.extend(by_device.iter().map(|(device_sn, tenure)| (device_sn.clone(), *tenure)));
        // When the queue is full Redis learns it another time.
        let _ = news.try_send(News::Found(Tenures { version, by_device }));
    }
    Ok(found)
}

fn remember(shared: &Shared, found: &ByDevice, said_by: Witness, generation: u64) {
    for (device_sn, tenure) in found {
        shared.memory.insert(device_sn.clone(), Remembered { tenure: *tenure, said_by }, generation);
    }
}

/// What Redis knows. Without it, and while changes are not heard, everything is asked of the database.
async fn recall(shared: &Shared, device_sns: &[&str]) -> ByDevice {
    let Some(version) = shared.version().filter(|_| !device_sns.is_empty()) else { return ByDevice::new() };
    let at = owner::DirectoryVersion { directory_id: &version.directory_id, number: version.number };
    match owner::get(&shared.cache, at, device_sns, REDIS_PATIENCE).await {
        Ok(known) => {
            let now = jiff::Timestamp::now();
            let known = device_sns.iter().zip(known);
            known
                .filter_map(|(device_sn, tenure)| {
                    // A tenure that ended is followed by another, which only the database knows.
                    let tenure = tenure.filter(|tenure| tenure.until.is_none_or(|until| now < until))?;
                    Some((Box::from(*device_sn), tenure))
                })
                .collect()
        }
        Err(error) => {
            tracing::debug!(%error, "owners not read from redis");
            ByDevice::new()
        }
    }
}
