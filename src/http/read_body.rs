//! Reads and parses the body of an upload, within the limits.
//!
//! Before: the handlers of devices. After: `body` reads, `wire` parses; the terms of the upload are for `submit`.
//! Promise: an upload for which there is no room is refused before it is parsed.

use axum::extract::Request;

use super::State;
use super::access::Caller;
use super::body::{BudgetPool, ParsedBody, Parser};
use super::error::HttpError;
use super::submit::{self, UploadTerms};
use crate::wire::Context;
use crate::wire::peek::{Peek, peek};

impl State {
    /// Reads and parses a body.
    pub(super) async fn read<T: ParsedBody + Send + 'static>(
        &self,
        request: Request,
        pool: BudgetPool,
        parse: Parser<T>,
    ) -> Result<(T, UploadTerms), HttpError> {
        self.read_admitted(request, pool, |_| Ok(()), parse).await
    }

    /// As [`State::read`], for readings: an upload for which its shard has no room is refused unparsed, because parsing is most of
    /// what an upload costs here.
    pub(super) async fn read_readings<T: ParsedBody + Send + 'static>(
        &self,
        request: Request,
        parse: Parser<T>,
    ) -> Result<(T, UploadTerms), HttpError> {
        let admit = |body: &[u8]| {
            // With a buffer an upload that finds no room goes there.
            let Peek { device_sn, samples } = peek(body);
            let has_other_place = self.buffer.as_ref().is_some_and(|buffer| !buffer.is_shadow());
            if has_other_place { Ok(()) } else { Ok(self.ingest.check_room(device_sn, samples)?) }
        };
        self.read_admitted(request, BudgetPool::Shared, admit, parse).await
    }

    async fn read_admitted<T: ParsedBody + Send + 'static>(
        &self,
        request: Request,
        pool: BudgetPool,
        admit: impl FnOnce(&[u8]) -> Result<(), HttpError>,
        parse: Parser<T>,
    ) -> Result<(T, UploadTerms), HttpError> {
        let caller = request.extensions().get::<Caller>();
        let customer_id = caller.and_then(Caller::customer_id);
        let device = caller.and_then(Caller::device).cloned();
        let request_id = self.buffer.as_ref().and_then(|_| submit::request_id(request.headers()));
        let context = || self.context(customer_id);
        let read = self.bodies.read(request, pool, admit, context, parse).await?;
        Ok((
            read.parsed,
            UploadTerms {
                deadline: read.deadline,
                customer_id,
                device,
                received_at: read.received_at,
                request_id,
                // Without a buffer it is not needed any more, and takes memory while its records wait.
                body: self.buffer.as_ref().map(|_| read.body).unwrap_or_default(),
                _share: read.share,
            },
        ))
    }

    /// What parsers need besides the body.
    fn context(&self, key_customer_id: Option<i64>) -> Context {
        let received_at = self.time.now();
        Context {
            received_at,
            device_zone: self.device_zone.clone(),
            oldest: self.retention.oldest(received_at),
            key_customer_id,
        }
    }
}
