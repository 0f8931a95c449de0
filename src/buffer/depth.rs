//! Which streams hold uploads, as far as this process knows, and how much they hold.
//!
//! Before: `buffer::group` appends to a stream; `buffer::measure` asks Redis at intervals. After: an upload goes straight to PostgreSQL only if
//! the streams of its devices are empty, or drained as fast as they are filled. Without the second, streams of many devices would never be
//! left: while one is measured, the next upload is in it.
//! Promise: after this process has begun to append to a stream, the stream does not count as empty until Redis was asked after the end of the
//! append, and said that it is. What another process appends is known after the next measurement.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use crate::cache::stream::{StreamStatus, UploadStream};

/// A stream whose oldest upload has waited for less is drained as fast as it is filled. It is longer than a turn of all streams takes on a
/// busy machine (two to three seconds), or the streams of a large fleet are never left.
const CAUGHT_UP: Duration = Duration::from_secs(5);

/// Of every stream.
#[derive(Debug)]
pub(super) struct Depths {
    streams: Vec<Depth>,
    /// Memory of all streams when they were last measured.
    measured_bytes: AtomicU64,
    /// Bytes that this process has begun to append, ever.
    appended_bytes: AtomicU64,
    /// The same when the last measurement began.
    appended_before: AtomicU64,
}

/// Of one stream.
#[derive(Debug, Default)]
struct Depth {
    is_occupied: AtomicBool,
    /// It holds uploads that have waited, so the next ones of its devices go behind them.
    is_behind: AtomicBool,
    /// Appends begun, ever; it changes before anything is sent.
    begun: AtomicU64,
    /// Appends that have not ended.
    unfinished: AtomicU64,
}

/// An append that has not ended: its answer, or the end of its connection, is not known yet.
#[derive(Debug)]
pub(super) struct AppendGuard {
    depths: Arc<Depths>,
    stream: UploadStream,
}

impl Drop for AppendGuard {
    fn drop(&mut self) {
        self.depths.of(self.stream).unfinished.fetch_sub(1, Ordering::SeqCst);
    }
}

/// What was known when a measurement began.
#[derive(Debug)]
pub(super) struct Measurement {
    /// Of each stream: appends begun; `None`: some had not ended.
    settled: Vec<Option<u64>>,
    appended_bytes: u64,
}

impl Default for Depths {
    /// Until the first measurement every stream may hold uploads: those of a former process.
    fn default() -> Self {
        let (is_occupied, is_behind) = (|| AtomicBool::new(true), || AtomicBool::new(true));
        let occupied = || Depth { is_occupied: is_occupied(), is_behind: is_behind(), ..Depth::default() };
        Self {
            streams: std::iter::repeat_with(occupied).take(UploadStream::COUNT).collect(),
            measured_bytes: AtomicU64::new(0),
            appended_bytes: AtomicU64::new(0),
            appended_before: AtomicU64::new(0),
        }
    }
}

impl Depth {
    fn set_occupied(&self, is_occupied: bool) {
        self.is_occupied.store(is_occupied, Ordering::SeqCst);
        self.is_behind.store(is_occupied, Ordering::SeqCst);
    }
}

impl Depths {
    fn of(&self, stream: UploadStream) -> &Depth {
        &self.streams[stream.index()]
    }

    /// Whether it holds no upload, as far as is known.
    pub(super) fn is_empty(&self, stream: UploadStream) -> bool {
        !self.of(stream).is_occupied.load(Ordering::SeqCst)
    }

    /// Whether the next upload has to go behind those in it, as far as is known.
    pub(super) fn is_behind(&self, stream: UploadStream) -> bool {
        self.of(stream).is_behind.load(Ordering::SeqCst)
    }

    /// To be called before anything is sent.
    pub(super) fn begin_append(self: &Arc<Self>, stream: UploadStream, bytes: usize) -> AppendGuard {
        let depth = self.of(stream);
        depth.unfinished.fetch_add(1, Ordering::SeqCst);
        depth.begun.fetch_add(1, Ordering::SeqCst);
        depth.set_occupied(true);
        self.appended_bytes.fetch_add(bytes as u64, Ordering::SeqCst);
        AppendGuard { depths: Arc::clone(self), stream }
    }

    /// Memory that all streams take, with what this process has appended since they were measured.
    pub(super) fn bytes(&self) -> u64 {
        let before = self.appended_before.load(Ordering::SeqCst);
        let since = self.appended_bytes.load(Ordering::SeqCst).saturating_sub(before);
        self.measured_bytes.load(Ordering::SeqCst) + since
    }

    /// To be called before Redis is asked.
    pub(super) fn begin_measurement(&self) -> Measurement {
        let settled = |depth: &Depth| {
            let begun = depth.begun.load(Ordering::SeqCst);
            (depth.unfinished.load(Ordering::SeqCst) == 0).then_some(begun)
        };
        Measurement {
            settled: self.streams.iter().map(settled).collect(),
            appended_bytes: self.appended_bytes.load(Ordering::SeqCst),
        }
    }

    /// Takes what Redis has answered.
    pub(super) fn end_measurement(&self, measurement: &Measurement, answer: &[StreamStatus]) {
        for ((depth, settled), status) in self.streams.iter().zip(&measurement.settled).zip(answer) {
            if status.uploads > 0 {
                depth.is_occupied.store(true, Ordering::SeqCst);
                depth.is_behind.store(status.oldest >= CAUGHT_UP, Ordering::SeqCst);
            } else if settled.is_some() {
                depth.set_occupied(false);
                if *settled != Some(depth.begun.load(Ordering::SeqCst)) {
                    // An append began meanwhile. It counts its beginning first and occupies the stream last, so one of the two sees the other.
                    depth.set_occupied(true);
                }
            }
        }
        self.measured_bytes.store(answer.iter().map(|status| status.bytes).sum(), Ordering::SeqCst);
        self.appended_before.store(measurement.appended_bytes, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn depths() -> Arc<Depths> {
        let depths = Arc::new(Depths::default());
        measure(&depths, 0);
        depths
    }

    /// Redis says that the first stream holds so many uploads of 100 bytes, and the others none.
    fn measure(depths: &Depths, uploads: u64) {
        depths.end_measurement(&depths.begin_measurement(), &answer(uploads));
    }

    fn answer(uploads: u64) -> Vec<StreamStatus> {
        let mut answer = vec![StreamStatus::default(); UploadStream::COUNT];
        answer[0] = StreamStatus { uploads, bytes: uploads * 100, ..StreamStatus::default() };
        answer
    }

    fn stream() -> UploadStream {
        UploadStream::all().next().expect("the first")
    }

    #[test]
    fn a_stream_counts_as_occupied_until_redis_has_said_otherwise() {
        let depths = Arc::new(Depths::default());
        assert!(!depths.is_empty(stream()), "a former process may have appended");
        measure(&depths, 0);
        assert!(depths.is_empty(stream()));
        drop(depths.begin_append(stream(), 10));
        assert!(!depths.is_empty(stream()));
        measure(&depths, 1);
        assert!(!depths.is_empty(stream()), "whoever appended it");
        measure(&depths, 0);
        assert!(depths.is_empty(stream()));
    }

    #[test]
    fn an_answer_from_before_the_end_of_an_append_does_not_make_its_stream_empty() {
        let depths = depths();
        let guard = depths.begin_append(stream(), 10);
        let measurement = depths.begin_measurement();
        drop(guard);
        depths.end_measurement(&measurement, &answer(0));
        assert!(!depths.is_empty(stream()), "it was asked while the append was in flight");
        let measurement = depths.begin_measurement();
        drop(depths.begin_append(stream(), 10));
        depths.end_measurement(&measurement, &answer(0));
        assert!(!depths.is_empty(stream()), "it was asked before the append");
        measure(&depths, 0);
        assert!(depths.is_empty(stream()));
    }

    #[test]
    fn a_stream_that_is_drained_as_fast_as_it_is_filled_is_left() {
        let depths = depths();
        let answer_after = |seconds| {
            let mut answer = answer(3);
            answer[0].oldest = Duration::from_secs(seconds);
            depths.end_measurement(&depths.begin_measurement(), &answer);
            (depths.is_empty(stream()), depths.is_behind(stream()))
        };
        assert_eq!(answer_after(600), (false, true), "others wait");
        let guard = depths.begin_append(stream(), 10);
        assert_eq!(answer_after(0), (false, false), "it is drained on, and nothing goes behind the rest");
        assert_eq!(answer_after(4), (false, false), "a turn of all streams takes as long on a busy machine");
        assert_eq!(answer_after(5), (false, true));
        drop(guard);
        measure(&depths, 0);
        assert!(depths.is_empty(stream()) && !depths.is_behind(stream()));
    }

    #[test]
    fn bytes_are_those_measured_and_those_appended_since() {
        let depths = depths();
        drop(depths.begin_append(stream(), 10));
        assert_eq!(depths.bytes(), 10);
        let measurement = depths.begin_measurement();
        drop(depths.begin_append(stream(), 7));
        depths.end_measurement(&measurement, &answer(1));
        assert_eq!(depths.bytes(), 107);
        measure(&depths, 2);
        assert_eq!(depths.bytes(), 200);
    }
}
