//! The recorder of metrics, and what it is told of the pool.
//!
//! Before: `main`. After: `/metrics` renders what every part recorded under [`names`].

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

use super::names;

/// Bounds of what is timed, seconds: a statement takes a millisecond, a lag may take minutes.
const SECONDS: &[f64] =
    &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0];

/// Bounds of the rows of a transaction.
const ROWS: &[f64] = &[1.0, 10.0, 50.0, 100.0, 250.0, 500.0, 1000.0, 2500.0, 5000.0, 10000.0];

/// Starts the recorder of metrics; the handle renders them for Prometheus.
///
/// # Errors
/// A recorder was started before.
pub fn init_metrics() -> anyhow::Result<PrometheusHandle> {
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".into()), SECONDS)?
        .set_buckets_for_metric(Matcher::Full(names::BATCH_ROWS.into()), ROWS)?
        .install_recorder()?;
    names::describe();
    Ok(handle)
}
