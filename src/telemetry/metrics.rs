//! The recorder of metrics.
//!
//! Before: `main`. After: `/metrics` renders what every part recorded under [`names`].

use std::time::Duration;

use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use tokio_util::sync::CancellationToken;

use super::names;

/// Bucket bounds of durations, seconds: a statement takes a millisecond, a lag may take minutes.
const SECONDS: &[f64] =
    &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0];

/// Bucket bounds of the rows of a transaction.
const ROWS: &[f64] = &[1.0, 10.0, 50.0, 100.0, 250.0, 500.0, 1000.0, 2500.0, 5000.0, 10000.0];

/// How often samples of histograms are counted into buckets. Until then each sample takes memory, whether Prometheus scrapes or not.
const UPKEEP_EVERY: Duration = Duration::from_secs(5);

/// Counts samples into buckets until `stop`: without it a million requests that nobody scrapes take 62 MB.
pub async fn run_metrics_upkeep(recorder: PrometheusHandle, stop: CancellationToken) {
    run_upkeep_every(recorder, UPKEEP_EVERY, stop).await;
}

async fn run_upkeep_every(recorder: PrometheusHandle, every: Duration, stop: CancellationToken) {
    let mut ticks = tokio::time::interval(every);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = ticks.tick() => recorder.run_upkeep(),
        }
    }
}

/// Starts the recorder of metrics; the handle renders them for Prometheus.
///
/// # Errors
/// A recorder was started before.
pub fn init_metrics() -> anyhow::Result<PrometheusHandle> {
    let handle = builder()?.install_recorder()?;
    names::describe();
    Ok(handle)
}

fn builder() -> Result<PrometheusBuilder, BuildError> {
    PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".into()), SECONDS)?
        .set_buckets_for_metric(Matcher::Full(names::BUFFER_GROUP_UPLOADS.into()), ROWS)?
        .set_buckets_for_metric(Matcher::Full(names::BATCH_ROWS.into()), ROWS)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Memory of this process that is in RAM.
    fn resident_bytes() -> u64 {
        let pages = std::fs::read_to_string("/proc/self/statm").expect("Linux");
        pages.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok()).expect("a number") * 4096
    }

    #[tokio::test]
    async fn samples_that_nobody_scrapes_take_no_memory() {
        const EVERY: Duration = Duration::from_millis(1);
        let recorder = builder().expect("bounds").build_recorder();
        let stop = CancellationToken::new();
        let before = resident_bytes();
        let recording = async {
            // Without upkeep they would take 124 MB.
            for _ in 0..20 {
                metrics::with_local_recorder(&recorder, || {
                    let histogram = metrics::histogram!(names::REQUEST_SECONDS, "route" => "/livez");
                    (0..100_000).for_each(|_| histogram.record(0.003));
                });
                tokio::time::sleep(2 * EVERY).await;
            }
            stop.cancel();
        };
        tokio::join!(recording, run_upkeep_every(recorder.handle(), EVERY, stop.clone()));
        // Other tests run in this process, too.
        let grown = resident_bytes().saturating_sub(before) >> 20;
        assert!(grown < 60, "{grown} MiB");
        assert!(recorder.handle().render().contains("_count{route=\"/livez\"} 2000000"));
    }
}
