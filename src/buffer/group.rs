//! Group commit: many uploads are appended together, and one `WAITAOF` says for all of them that they are on disk.
//!
//! Before: `buffer` has packed an upload. After: Redis; the sender of each upload is answered.
//! Promise: an upload is acknowledged only if the server counts as many disks as `buffer_copies` says. An upload that is not acknowledged may be in
//! the stream all the same: its sender sends it again, and both are stored once by their natural keys. Uploads that arrive while groups are
//! in flight form the next group, so groups grow by themselves when the disk is slow.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::future::join_all;
use futures_util::stream::FuturesUnordered;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::BufferError;
use super::depth::AppendGuard;
use crate::cache::stream::{self, Copies, StreamMasters, UploadStream};
use crate::cache::{Cache, CacheError};
use crate::config::Settings;
use crate::telemetry::names;

/// Groups in flight, each on a connection of its own: `WAITAOF` counts what its connection has written, and blocks it.
const CONNECTIONS: usize = 4;

/// Most uploads in a group, and most of their bytes.
const MAX_UPLOADS: usize = 1000;
const MAX_BYTES: usize = 8 * 1024 * 1024;

/// Uploads that may wait for a group. Each belongs to a request that is being handled.
pub(super) const MAX_WAITING: usize = 4096;

/// Longest pause between the starts of two groups.
const MAX_PAUSE: Duration = Duration::from_millis(250);

/// A packed upload, or a part of one, on its way to its stream.
#[derive(Debug)]
pub(super) struct AppendRequest {
    pub(super) stream: UploadStream,
    pub(super) packed: Bytes,
    pub(super) reply: oneshot::Sender<Result<(), BufferError>>,
    /// While it exists, the stream does not count as empty.
    pub(super) _guard: AppendGuard,
}

/// Appends what is requested until `stop`, and then what was requested before.
pub(super) async fn run(
    connections: Vec<Cache>,
    copies: u32,
    mut requests: mpsc::Receiver<AppendRequest>,
    stop: CancellationToken,
) {
    let mut idle: Vec<GroupCommit> =
        connections.into_iter().map(|cache| GroupCommit { cache, masters: None, copies }).collect();
    let mut in_flight = FuturesUnordered::new();
    let (mut last_start, mut pause) = (Instant::now(), Duration::ZERO);
    let (mut is_stopping, mut is_closed) = (false, false);
    while !is_closed || !in_flight.is_empty() {
        tokio::select! {
            Some((commit, took)) = in_flight.next(), if !in_flight.is_empty() => {
                idle.push(commit);
                pause = pause_after(took);
            }
            () = stop.cancelled(), if !is_stopping => {
                requests.close();
                is_stopping = true;
            }
            first = next_request(&mut requests, last_start + pause), if !idle.is_empty() && !is_closed => {
                let (Some(first), Some(commit)) = (first, idle.pop()) else {
                    is_closed = true;
                    continue;
                };
                last_start = Instant::now();
                in_flight.push(commit.run(gather(first, &mut requests)));
            }
        }
    }
}

async fn next_request(
    requests: &mut mpsc::Receiver<AppendRequest>,
    not_before: Instant,
) -> Option<AppendRequest> {
    sleep_until(not_before).await;
    requests.recv().await
}

/// How long after the start of a group the next one starts. With a disk that is written once a second, groups are spread over that second
/// instead of all waiting for its end; with one that is written at once there is no pause.
fn pause_after(took: Duration) -> Duration {
    (took / u32::try_from(CONNECTIONS).expect("a few")).min(MAX_PAUSE)
}

/// Takes what waits, up to the limits of a group.
fn gather(first: AppendRequest, requests: &mut mpsc::Receiver<AppendRequest>) -> Vec<AppendRequest> {
    let mut bytes = first.packed.len();
    let mut group = vec![first];
    while group.len() < MAX_UPLOADS && bytes < MAX_BYTES {
        let Ok(request) = requests.try_recv() else { break };
        bytes += request.packed.len();
        group.push(request);
    }
    group
}

/// One connection, which appends a group at a time.
struct GroupCommit {
    cache: Cache,
    /// `None`: to be read, because the last group failed.
    masters: Option<Arc<StreamMasters>>,
    copies: u32,
}

impl GroupCommit {
    /// Appends a group and answers its senders. Gives itself back, and how long it took.
    async fn run(mut self, group: Vec<AppendRequest>) -> (Self, Duration) {
        let started = Instant::now();
        let masters = match self.masters().await {
            Ok(masters) => masters,
            Err(error) => {
                answer(group, Err(unavailable(&error)));
                return (self, started.elapsed());
            }
        };
        let mut of_master: Vec<Vec<AppendRequest>> = Vec::new();
        for request in group {
            let number = masters.number_of(request.stream);
            of_master.resize_with(of_master.len().max(number + 1), Vec::new);
            of_master[number].push(request);
        }
        let appending = of_master.into_iter().enumerate().filter(|(_, group)| !group.is_empty());
        let done = join_all(appending.map(|(number, group)| self.append(&masters, number, group))).await;
        if done.contains(&false) {
            self.masters = None;
        }
        let took = started.elapsed();
        metrics::histogram!(names::BUFFER_GROUP_SECONDS).record(took);
        (self, took)
    }

    /// False: the server did not answer as it should, so the masters are to be read anew.
    async fn append(&self, masters: &StreamMasters, number: usize, group: Vec<AppendRequest>) -> bool {
        let entries: Vec<(UploadStream, Bytes)> =
            group.iter().map(|request| (request.stream, request.packed.clone())).collect();
        #[expect(clippy::cast_precision_loss, reason = "at most a thousand")]
        metrics::histogram!(names::BUFFER_GROUP_UPLOADS).record(entries.len() as f64);
        let wait = wait_for_disk(self.cache.deadline());
        let result = match stream::append(&self.cache, masters, number, &entries, self.copies, wait).await {
            Ok(copies) if is_enough(copies, self.copies) => Ok(()),
            Ok(Copies { local, replicas }) => {
                tracing::warn!(local, replicas, wanted = self.copies, "uploads are on too few disks in time");
                Err(BufferError::NotDurable)
            }
            Err(error) if stream::is_out_of_memory(&error) => Err(BufferError::Full),
            Err(error) => Err(unavailable(&error)),
        };
        let is_answered = result != Err(BufferError::Unavailable);
        answer(group, result);
        is_answered
    }

    async fn masters(&mut self) -> Result<Arc<StreamMasters>, CacheError> {
        self.cache.connect().await?;
        match &self.masters {
            Some(masters) => Ok(Arc::clone(masters)),
            None => {
                let masters = Arc::new(StreamMasters::read(&self.cache).await?);
                self.masters = Some(Arc::clone(&masters));
                Ok(masters)
            }
        }
    }
}

fn answer(group: Vec<AppendRequest>, result: Result<(), BufferError>) {
    for request in group {
        // Fails if nobody waits any more: the client is gone, or its deadline has passed.
        let _ = request.reply.send(result);
    }
}

fn unavailable(error: &CacheError) -> BufferError {
    tracing::warn!(%error, "the buffer takes no upload");
    BufferError::Unavailable
}

/// The server ends the wait before this process gives up on its answer: what is answered late is known to be late.
fn wait_for_disk(deadline: Duration) -> Duration {
    deadline * 3 / 4
}

/// Whether the server counted as many disks as are wanted: its own, and those of replicas.
fn is_enough(Copies { local, replicas }: Copies, wanted: u32) -> bool {
    local >= 1 && replicas + 1 >= wanted
}

/// The connections of [`run`].
///
/// # Errors
/// The settings cannot be used.
pub(super) fn connections(settings: &Settings) -> Result<Vec<Cache>, CacheError> {
    (0..CONNECTIONS).map(|_| Cache::of_buffer(settings)).collect()
}

#[cfg(test)]
mod tests {
    use super::super::depth::Depths;
    use super::*;

    fn request(bytes: usize) -> AppendRequest {
        let stream = UploadStream::new(0, false);
        let (reply, _) = oneshot::channel();
        let _guard = Arc::new(Depths::default()).begin_append(stream, bytes);
        AppendRequest { stream, packed: vec![0; bytes].into(), reply, _guard }
    }

    #[test]
    fn a_group_takes_what_waits_up_to_its_limits() {
        for (waiting, bytes, expected) in
            [(3, 10, 4), (MAX_UPLOADS + 5, 10, MAX_UPLOADS), (9, MAX_BYTES / 2, 2), (9, 2 * MAX_BYTES, 1)]
        {
            let (sender, mut requests) = mpsc::channel(MAX_WAITING);
            for _ in 0..waiting {
                sender.try_send(request(bytes)).expect("room");
            }
            let group = gather(request(bytes), &mut requests);
            assert_eq!(group.len(), expected);
            assert_eq!(requests.len(), waiting + 1 - expected, "the others wait");
        }
    }

    #[test]
    fn an_upload_is_acknowledged_on_as_many_disks_as_are_wanted() {
        let counted = |local, replicas, wanted| is_enough(Copies { local, replicas }, wanted);
        assert!(counted(1, 0, 1) && counted(1, 1, 2) && counted(1, 2, 2));
        assert!(!counted(0, 0, 1), "not even on that of the master");
        assert!(!counted(0, 2, 2), "the master may lose it before the replicas are asked");
        assert!(!counted(1, 0, 2) && !counted(1, 1, 3));
    }

    #[test]
    fn groups_are_spread_over_the_time_that_a_disk_takes() {
        assert_eq!(pause_after(Duration::from_millis(1)), Duration::from_micros(250));
        assert_eq!(pause_after(Duration::from_secs(1)), MAX_PAUSE);
        assert_eq!(pause_after(Duration::from_secs(30)), MAX_PAUSE);
    }
}
