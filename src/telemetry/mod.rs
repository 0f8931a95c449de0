//! Logs, metrics and traces.
//!
//! Before: `main` starts it before anything else. After: every part logs through `tracing`, records under [`names`], and opens
//! spans by [`trace`].

mod metrics;
pub mod names;
pub mod trace;

use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

use crate::config::{LogFormat, Settings};

pub use metrics::{init_metrics, run_metrics_upkeep};
pub use trace::Exporter;

/// Starts logging to standard error, and traces if `otlp_endpoint` is set. Keep the exporter until the end of the process.
///
/// # Errors
/// `log` is not a filter, `otlp_endpoint` no URL, or logging was started before.
pub fn init_logs(settings: &Settings) -> anyhow::Result<Option<Exporter>> {
    // Colours only on a terminal, and not if NO_COLOR is set.
    let format = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(console::colors_enabled_stderr());
    let format = match settings.log_format {
        LogFormat::Text => format.boxed(),
        LogFormat::Json => format.json().boxed(),
    };
    // Otherwise the spans of traces would begin every line.
    let lines = EnvFilter::try_new(&settings.log)?.add_directive(format!("{}=off", trace::TARGET).parse()?);
    let exporter = Exporter::of(settings)?;
    let spans = exporter.as_ref().map(|exporter| {
        let only = tracing_subscriber::filter::filter_fn(|of| of.target() == trace::TARGET);
        tracing_opentelemetry::layer().with_tracer(exporter.tracer()).with_filter(only)
    });
    tracing_subscriber::registry()
        .with(format.with_filter(lines))
        .with(spans)
        .try_init()
        .map_err(|error| anyhow::anyhow!("logs: {error}"))?;
    Ok(exporter)
}
