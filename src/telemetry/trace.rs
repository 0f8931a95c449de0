//! Traces over OTLP: one trace joins a request, its batch, the COPY, the reaction and the notification.
//!
//! Before: each stage opens a [`span!`] and sets its parents. After: a collector such as Jaeger or Tempo.
//! Promise: without `otlp_endpoint` a span costs the check of a flag; while the collector is away traces are lost, and nothing else.
//!
//! The halves of the service meet only in PostgreSQL, and so do their traces: outbox rows and notifications carry the W3C
//! `traceparent` of the span that wrote them. Many requests share a batch: the first sampled request is the parent of its span, the
//! others are linked.
//!
//! `traceparent` is parsed here: the propagator of opentelemetry_sdk takes ids of any length, where W3C asks for 32 and 16 digits.

use std::time::Duration;

use anyhow::Context as _;
use opentelemetry::trace::{
    SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState, TracerProvider,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_otlp::{Protocol, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::config::Settings;

/// Target of every span of a trace; only these are exported, and logs leave them out.
pub const TARGET: &str = "vitals::trace";

/// Longest time to send the last spans of a process.
const LAST_EXPORT: Duration = Duration::from_secs(3);

/// A span of a trace: `span!("batch", rows = 5)`.
macro_rules! span {
    ($($what:tt)*) => { ::tracing::info_span!(target: $crate::telemetry::trace::TARGET, $($what)*) };
}
pub(crate) use span;

/// A child of the current span; no span if that is not part of a trace.
macro_rules! child {
    ($($what:tt)*) => {
        if ::tracing::Span::current().is_none() {
            ::tracing::Span::none()
        } else {
            $crate::telemetry::trace::span!($($what)*)
        }
    };
}
pub(crate) use child;

/// The context of a sampled trace, passed from one stage to the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceContext(SpanContext);

impl TraceContext {
    /// The context of the current span, if its trace is sampled.
    pub fn current() -> Option<Self> {
        Self::of(&Span::current())
    }

    /// The context of `span`, if its trace is sampled.
    pub fn of(span: &Span) -> Option<Self> {
        if span.is_disabled() {
            return None;
        }
        let context = span.context().span().span_context().clone();
        (context.is_valid() && context.is_sampled()).then_some(Self(context))
    }

    /// Parses a W3C `traceparent`; `None` if it is invalid or not sampled.
    pub fn parse(traceparent: &str) -> Option<Self> {
        let mut parts = traceparent.trim().split('-');
        let (version, trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let is_read = version.len() == 2 && version != "ff" && (version != "00" || parts.next().is_none());
        let flags = u8::from_str_radix(flags, 16).ok()?;
        let (trace_id, span_id) = (TraceId::from_hex(trace).ok()?, SpanId::from_hex(span).ok()?);
        let context =
            SpanContext::new(trace_id, span_id, TraceFlags::new(flags), true, TraceState::default());
        (is_read && trace.len() == 32 && span.len() == 16 && context.is_valid() && context.is_sampled())
            .then_some(Self(context))
    }

    /// As W3C `traceparent`.
    pub fn traceparent(&self) -> String {
        format!("00-{}-{}-{:02x}", self.0.trace_id(), self.0.span_id(), self.0.trace_flags().to_u8())
    }
}

/// Makes the first of `parents` the parent of `span`, and links the others.
pub fn set_parents<'a>(span: &Span, parents: impl IntoIterator<Item = &'a TraceContext>) {
    let mut parents = parents.into_iter();
    let Some(TraceContext(first)) = parents.next() else { return };
    // It fails only where nothing is exported.
    let _ = span.set_parent(Context::new().with_remote_span_context(first.clone()));
    for TraceContext(other) in parents {
        span.add_link(other.clone());
    }
}

/// The span that `open` makes, with `parents`; no span if there are none, so that untraced work costs nothing.
pub fn span_with_parents<'a>(
    parents: impl IntoIterator<Item = &'a TraceContext>,
    open: impl FnOnce() -> Span,
) -> Span {
    let mut parents = parents.into_iter().peekable();
    if parents.peek().is_none() {
        return Span::none();
    }
    let span = open();
    set_parents(&span, parents);
    span
}

/// Exports the spans of a process; the drop sends the remaining spans, which may take seconds.
#[derive(Debug)]
pub struct Exporter(SdkTracerProvider);

impl Exporter {
    /// Prepares the way to the collector; `None`: `otlp_endpoint` is empty.
    ///
    /// # Errors
    /// The endpoint is no URL.
    pub(super) fn of(settings: &Settings) -> anyhow::Result<Option<Self>> {
        if settings.monitor.otlp_endpoint.is_empty() {
            return Ok(None);
        }
        let endpoint = format!("{}/v1/traces", settings.monitor.otlp_endpoint.trim_end_matches('/'));
        let exporter = opentelemetry_otlp::SpanExporter::builder()
            .with_http()
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(endpoint)
            .build()
            .context("otlp_endpoint")?;
        let root = Sampler::TraceIdRatioBased(settings.monitor.trace_sample_ratio);
        let service = [
            KeyValue::new("service.instance.id", settings.instance_name()),
            KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
        ];
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_sampler(Sampler::ParentBased(Box::new(root)))
            .with_resource(Resource::builder().with_service_name("vitals").with_attributes(service).build())
            .build();
        Ok(Some(Self(provider)))
    }

    pub(super) fn tracer(&self) -> opentelemetry_sdk::trace::SdkTracer {
        self.0.tracer("vitals")
    }
}

impl Drop for Exporter {
    fn drop(&mut self) {
        if let Err(error) = self.0.shutdown_with_timeout(LAST_EXPORT) {
            tracing::debug!(%error, "the last spans were not sent");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn a_traceparent_is_written_as_it_was_read() {
        assert_eq!(TraceContext::parse(PARENT).expect("one").traceparent(), PARENT);
    }

    #[test]
    fn what_is_no_traceparent_or_is_not_sampled_starts_nothing() {
        for text in [
            "",
            "00",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4bf92f3577b34da6-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-zzf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        ] {
            assert_eq!(TraceContext::parse(text), None, "{text}");
        }
    }
}
