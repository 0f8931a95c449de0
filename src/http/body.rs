//! Reads a request body (plain, gzip or zstd) and parses it. There is a limit on the bytes that arrive, a limit on the bytes after
//! unpacking, and a memory budget for all bodies together.
//!
//! Before: a handler that wants an upload. After: `ingest` commits it.
//! Promise: one body never takes more memory than the two limits and the limit of `wire` on its records. All bodies and their records
//! together never take more than the budget, of which a part is reserved for events. No body is read for longer than the read
//! timeout. Large bodies are unpacked and parsed on blocking threads, a few at a time, so that they delay no other body.

mod budget;
mod unpack;

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, header};
use bytes::Bytes;
use http_body_util::BodyExt;
use jiff::Timestamp;
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
pub(super) use budget::{BudgetPool, BudgetShare};
use unpack::{Encoding, unpack};

/// From here on a body is large, as sent or unpacked: it takes about a millisecond to parse, and 600 samples of a watch.
const LARGE_BYTES: usize = 256 * 1024;

/// Caps of a body.
#[derive(Debug, Clone, Copy)]
struct BodyLimits {
    body_bytes: usize,
    decompressed_bytes: usize,
    memory_bytes: usize,
    read_timeout: Duration,
    commit_deadline: Duration,
}

/// Where bodies are read.
#[derive(Debug)]
pub(super) struct Bodies {
    limits: BodyLimits,
    budget: Budget,
    /// Permits to parse a large body.
    large_bodies: Arc<Semaphore>,
}

/// How a body may be packed, for the document.
pub(super) struct ContentEncoding;

impl IntoParams for ContentEncoding {
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

/// A body that was read and parsed.
#[derive(Debug)]
pub(super) struct ReadBody<T> {
    pub(super) parsed: T,
    /// The body, unpacked; it has a share of the budget of its own.
    pub(super) body: Bytes,
    /// When it had arrived.
    pub(super) received_at: Timestamp,
    /// When its sender has to be answered.
    pub(super) deadline: Instant,
    /// What the parsed records take of the budget: to be kept until they are queued.
    pub(super) share: BudgetShare,
}

/// A parser of `wire`.
pub(super) type Parser<T> = fn(&Bytes, &Context) -> Result<T, BodyError>;

/// What a parser of `wire` returns.
pub(super) trait ParsedBody {
    /// Memory its records take, bytes.
    fn memory_bytes(&self) -> usize;
}

impl ParsedBody for Upload {
    fn memory_bytes(&self) -> usize {
        self.memory_bytes()
    }
}

impl ParsedBody for BatchUpload {
    fn memory_bytes(&self) -> usize {
        self.upload.memory_bytes()
    }
}

impl ParsedBody for EventUpload {
    fn memory_bytes(&self) -> usize {
        self.upload.memory_bytes()
    }
}

impl ParsedBody for WatchLogUpload {
    fn memory_bytes(&self) -> usize {
        self.lines.iter().map(WatchLogLine::memory_bytes).sum()
    }
}

impl Bodies {
    pub(super) fn new(settings: &Settings) -> Self {
        // At most half of the cores, so that small bodies are still served.
        let large_bodies = std::thread::available_parallelism().map_or(1, |cores| cores.get().div_ceil(2));
        Self {
            limits: BodyLimits {
                body_bytes: settings.max_body_bytes,
                decompressed_bytes: settings.max_decompressed_bytes,
                // What is always left of the budget for one body alone.
                memory_bytes: settings.shared_bodies_bytes() - settings.largest_body_bytes(),
                read_timeout: Duration::from_millis(settings.read_timeout_ms),
                commit_deadline: settings.commit_deadline(),
            },
            budget: Budget::new(settings.shared_bodies_bytes(), settings.reserved_bodies_bytes()),
            large_bodies: Arc::new(Semaphore::new(large_bodies)),
        }
    }

    /// Reads and parses a body. `context` is made when the body has arrived. A small body is parsed at once, if `admit` allows it; a
    /// large one waits for a permit.
    pub(super) async fn read<T: ParsedBody + Send + 'static>(
        &self,
        request: Request<Body>,
        pool: BudgetPool,
        admit: impl FnOnce(&[u8]) -> Result<(), HttpError>,
        context: impl FnOnce() -> Context,
        parse: Parser<T>,
    ) -> Result<ReadBody<T>, HttpError> {
        let encoding = Encoding::of(request.headers())?;
        let arriving = self.arrive(request, pool);
        let arrived = timeout(self.limits.read_timeout, arriving).await.map_err(|_| HttpError::Slow)??;
        let (context, deadline) = (context(), Instant::now() + self.limits.commit_deadline);
        let received_at = context.received_at;
        let (parsed, share, body) = match self.unpack_small(&arrived, encoding, pool)? {
            Some(body) => {
                admit(&body)?;
                let share = self.budget.empty_share(pool);
                let (parsed, share) =
                    charge_memory(parse(&body, &context)?, self.limits.memory_bytes, share)?;
                (parsed, share, body)
            }
            None => self.parse_large(arrived, encoding, pool, context, parse, deadline).await?,
        };
        Ok(ReadBody { parsed, body, received_at, deadline, share })
    }

    /// Reads a body that must be small, and does not parse it.
    pub(super) async fn read_small(&self, request: Request<Body>) -> Result<Bytes, HttpError> {
        let encoding = Encoding::of(request.headers())?;
        let arriving = self.arrive(request, BudgetPool::Shared);
        let arrived = timeout(self.limits.read_timeout, arriving).await.map_err(|_| HttpError::Slow)??;
        let too_large = HttpError::TooLarge { limit_bytes: LARGE_BYTES, unit: "" };
        self.unpack_small(&arrived, encoding, BudgetPool::Shared)?.ok_or(too_large)
    }

    /// How long the sender of a body waits for the answer.
    pub(super) fn commit_deadline(&self) -> Duration {
        self.limits.commit_deadline
    }

    async fn arrive(&self, request: Request<Body>, pool: BudgetPool) -> Result<Bytes, HttpError> {
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
        // Counted as it arrives, not as announced: a client that sends nothing takes nothing.
        let mut share = self.budget.empty_share(pool);
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| HttpError::Unreadable(error.to_string()))?;
            let Ok(piece) = frame.into_data() else { continue };
            total += piece.len();
            if total > limit_bytes {
                return Err(too_large());
            }
            share.grow(piece.len())?;
            pieces.push(piece);
        }
        Ok(match pieces.len() {
            0 => Bytes::new(),
            1 => share.with(pieces.swap_remove(0)),
            _ => share.with(pieces.concat()),
        })
    }

    /// The body unpacked, if it is small; `None`: it is large.
    fn unpack_small(
        &self,
        arrived: &Bytes,
        encoding: Encoding,
        pool: BudgetPool,
    ) -> Result<Option<Bytes>, HttpError> {
        if arrived.len() > LARGE_BYTES {
            return Ok(None);
        }
        match encoding {
            Encoding::Identity => Ok(Some(arrived.clone())),
            _ => {
                let window_bytes = self.limits.decompressed_bytes;
                let max_bytes = LARGE_BYTES.min(window_bytes);
                unpack(arrived, encoding, max_bytes, window_bytes, self.budget.empty_share(pool))
            }
        }
    }

    /// Unpacks and parses on a blocking thread. What was unpacked before is unpacked again: while the body waits for a permit, it takes
    /// no more memory than it had when it arrived.
    async fn parse_large<T: ParsedBody + Send + 'static>(
        &self,
        arrived: Bytes,
        encoding: Encoding,
        pool: BudgetPool,
        context: Context,
        parse: Parser<T>,
        deadline: Instant,
    ) -> Result<(T, BudgetShare, Bytes), HttpError> {
        let permit = timeout_at(deadline, Arc::clone(&self.large_bodies).acquire_owned()).await;
        let permit = permit.map_err(|_| HttpError::over_budget())?.expect("the semaphore is never closed");
        let (limits, budget) = (self.limits, self.budget.clone());
        tasks::run_blocking(move || {
            let _permit = permit;
            let body = match encoding {
                Encoding::Identity => arrived,
                _ => {
                    let limit_bytes = limits.decompressed_bytes;
                    let body =
                        unpack(&arrived, encoding, limit_bytes, limit_bytes, budget.empty_share(pool))?;
                    body.ok_or(HttpError::TooLarge { limit_bytes, unit: " unpacked" })?
                }
            };
            let share = budget.empty_share(pool);
            let (parsed, share) = charge_memory(parse(&body, &context)?, limits.memory_bytes, share)?;
            Ok((parsed, share, body))
        })
        .await
    }
}

/// Takes a share of the budget for what was parsed, after parsing: few bodies are parsed at a time, and `wire` limits what each may
/// become.
fn charge_memory<T: ParsedBody>(
    parsed: T,
    limit_bytes: usize,
    mut share: BudgetShare,
) -> Result<(T, BudgetShare), HttpError> {
    let bytes = parsed.memory_bytes();
    if bytes > limit_bytes {
        return Err(HttpError::TooLarge { limit_bytes, unit: " when read" });
    }
    share.grow(bytes)?;
    Ok((parsed, share))
}
