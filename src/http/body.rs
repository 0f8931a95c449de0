//! Reads a request body and makes of it what it holds: plain, gzip or zstd, with a cap on what arrives and on what it
//! unpacks to, and a budget for all bodies together.
//!
//! Before: a handler that wants an upload. After: `ingest` commits it.
//! Promise: no body makes the service hold more than the two caps and what `wire` may make of it, all of them and what was read from
//! them no more than the budget, of which events have a part of their own; none is waited for longer than the read time-out. A large one is unpacked and parsed on a thread of its own, few at a time, so that it
//! holds up nobody else.

mod budget;
mod unpack;

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, header};
use bytes::Bytes;
use http_body_util::BodyExt;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout, timeout_at};
use utoipa::IntoParams;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::ObjectBuilder;

use super::HttpError;
use crate::config::Settings;
use crate::model::{Upload, WatchLogLine};
use crate::tasks;
use crate::wire::batch::BatchUpload;
use crate::wire::event::EventUpload;
use crate::wire::watch_log::WatchLogUpload;
use crate::wire::{BodyError, Context};
use budget::Budget;
pub(super) use budget::{Held, Room};
use unpack::{Encoding, unpack};

/// From here on a body is large, as sent or unpacked: it takes about a millisecond to parse, and 600 samples of a watch.
const LARGE_BYTES: usize = 256 * 1024;

/// Caps of a body.
#[derive(Debug, Clone, Copy)]
struct Limits {
    body_bytes: usize,
    decompressed_bytes: usize,
    memory_bytes: usize,
    read_timeout: Duration,
    commit_deadline: Duration,
}

/// Where bodies are read.
#[derive(Debug)]
pub(super) struct Bodies {
    limits: Limits,
    budget: Budget,
    /// Turns of large bodies.
    turns: Arc<Semaphore>,
}

/// How a body may be packed, for the document.
pub(super) struct Packing;

impl IntoParams for Packing {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let names = ObjectBuilder::new().enum_values(Some(["gzip", "zstd", "identity"]));
        let parameter = ParameterBuilder::new()
            .name("Content-Encoding")
            .parameter_in(ParameterIn::Header)
            .description(Some("How the body is packed"))
            .schema(Some(names));
        vec![parameter.build()]
    }
}

/// A reader of `wire`.
pub(super) type Parse<T> = fn(&Bytes, &Context) -> Result<T, BodyError>;

/// What a reader made of a body.
pub(super) trait Parsed {
    /// Memory its records take, bytes.
    fn memory_bytes(&self) -> usize;
}

impl Parsed for Upload {
    fn memory_bytes(&self) -> usize {
        self.memory_bytes()
    }
}

impl Parsed for BatchUpload {
    fn memory_bytes(&self) -> usize {
        self.upload.memory_bytes()
    }
}

impl Parsed for EventUpload {
    fn memory_bytes(&self) -> usize {
        self.upload.memory_bytes()
    }
}

impl Parsed for WatchLogUpload {
    fn memory_bytes(&self) -> usize {
        self.lines.iter().map(WatchLogLine::memory_bytes).sum()
    }
}

/// What is known of a body that was read.
#[derive(Debug)]
pub(super) struct Read<T> {
    pub(super) parsed: T,
    /// When its sender has to be answered.
    pub(super) until: Instant,
    /// The share of what was read from it, to be kept until its records are queued or its sender is answered. The body has its own.
    pub(super) held: Held,
}

impl Bodies {
    pub(super) fn new(settings: &Settings) -> Self {
        // At least half the cores stay with everybody else.
        let turns = std::thread::available_parallelism().map_or(1, |cores| cores.get().div_ceil(2));
        Self {
            limits: Limits {
                body_bytes: settings.max_body_bytes,
                decompressed_bytes: settings.max_decompressed_bytes,
                // What is always left of the budget for one body alone.
                memory_bytes: settings.shared_bodies_bytes() - settings.largest_body_bytes(),
                read_timeout: Duration::from_millis(settings.read_timeout_ms),
                commit_deadline: settings.commit_deadline(),
            },
            budget: Budget::new(settings.shared_bodies_bytes(), settings.reserved_bodies_bytes()),
            turns: Arc::new(Semaphore::new(turns)),
        }
    }

    /// What the body holds; `context` is made when the body is there. A small one is parsed if `admit` lets it; the others have
    /// turns to wait for.
    pub(super) async fn read<T: Parsed + Send + 'static>(
        &self,
        request: Request<Body>,
        room: Room,
        admit: impl FnOnce(&[u8]) -> Result<(), HttpError>,
        context: impl FnOnce() -> Context,
        parse: Parse<T>,
    ) -> Result<Read<T>, HttpError> {
        let encoding = Encoding::of(request.headers())?;
        let arriving = self.arrive(request, room);
        let arrived = timeout(self.limits.read_timeout, arriving).await.map_err(|_| HttpError::Slow)??;
        let (context, until) = (context(), Instant::now() + self.limits.commit_deadline);
        let (parsed, held) = match self.small(&arrived, encoding, room)? {
            Some(body) => {
                admit(&body)?;
                count(parse(&body, &context)?, self.limits.memory_bytes, self.budget.nothing(room))?
            }
            None => self.aside(arrived, encoding, room, context, parse, until).await?,
        };
        Ok(Read { parsed, until, held })
    }

    /// A body that must be a small one, whatever it holds.
    pub(super) async fn read_small(&self, request: Request<Body>) -> Result<Bytes, HttpError> {
        let encoding = Encoding::of(request.headers())?;
        let arriving = self.arrive(request, Room::Shared);
        let arrived = timeout(self.limits.read_timeout, arriving).await.map_err(|_| HttpError::Slow)??;
        let too_large = HttpError::TooLarge { limit_bytes: LARGE_BYTES, unit: "" };
        self.small(&arrived, encoding, Room::Shared)?.ok_or(too_large)
    }

    /// How long the sender of a body waits for the database.
    pub(super) fn commit_deadline(&self) -> Duration {
        self.limits.commit_deadline
    }

    async fn arrive(&self, request: Request<Body>, room: Room) -> Result<Bytes, HttpError> {
        let limit_bytes = self.limits.body_bytes;
        let too_large = || HttpError::TooLarge { limit_bytes, unit: "" };
        let announced = request
            .headers()
            .get(header::CONTENT_LENGTH)
            .and_then(|length| length.to_str().ok())
            .and_then(|length| length.parse::<usize>().ok());
        if announced.is_some_and(|bytes| bytes > limit_bytes) {
            return Err(too_large());
        }
        let (mut body, mut pieces, mut total) = (request.into_body(), Vec::with_capacity(1), 0);
        // Counted as it comes, not as announced: who sends nothing takes nothing.
        let mut held = self.budget.nothing(room);
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| HttpError::Unreadable(error.to_string()))?;
            let Ok(piece) = frame.into_data() else { continue };
            total += piece.len();
            if total > limit_bytes {
                return Err(too_large());
            }
            held.grow(piece.len())?;
            pieces.push(piece);
        }
        Ok(match pieces.len() {
            0 => Bytes::new(),
            1 => held.with(pieces.swap_remove(0)),
            _ => held.with(pieces.concat()),
        })
    }

    /// A body that takes no time, unpacked. `None`: it is a large one.
    fn small(&self, arrived: &Bytes, encoding: Encoding, room: Room) -> Result<Option<Bytes>, HttpError> {
        if arrived.len() > LARGE_BYTES {
            return Ok(None);
        }
        match encoding {
            Encoding::Identity => Ok(Some(arrived.clone())),
            _ => {
                let window_bytes = self.limits.decompressed_bytes;
                let max_bytes = LARGE_BYTES.min(window_bytes);
                unpack(arrived, encoding, max_bytes, window_bytes, self.budget.nothing(room))
            }
        }
    }

    /// Unpacks and parses where nobody waits for it. What was unpacked of it before is done again: while it waits for its
    /// turn it takes no more than it had when it came.
    async fn aside<T: Parsed + Send + 'static>(
        &self,
        arrived: Bytes,
        encoding: Encoding,
        room: Room,
        context: Context,
        parse: Parse<T>,
        until: Instant,
    ) -> Result<(T, Held), HttpError> {
        let turn = timeout_at(until, Arc::clone(&self.turns).acquire_owned()).await;
        let turn = turn.map_err(|_| HttpError::crowded())?.expect("turns are never closed");
        let (limits, budget) = (self.limits, self.budget.clone());
        tasks::run_blocking(move || {
            let _turn = turn;
            let body = match encoding {
                Encoding::Identity => arrived,
                _ => {
                    let limit_bytes = limits.decompressed_bytes;
                    let body = unpack(&arrived, encoding, limit_bytes, limit_bytes, budget.nothing(room))?;
                    body.ok_or(HttpError::TooLarge { limit_bytes, unit: " unpacked" })?
                }
            };
            count(parse(&body, &context)?, limits.memory_bytes, budget.nothing(room))
        })
        .await
    }
}

/// Takes a share for what was read. Few bodies are read at a time, each no larger than `wire` lets it become: so it is known
/// before it is counted.
fn count<T: Parsed>(parsed: T, limit_bytes: usize, mut held: Held) -> Result<(T, Held), HttpError> {
    let bytes = parsed.memory_bytes();
    if bytes > limit_bytes {
        return Err(HttpError::TooLarge { limit_bytes, unit: " when read" });
    }
    held.grow(bytes)?;
    Ok((parsed, held))
}
