//! Watches that upload through a balancer without a pause, and send again whatever was not answered 200.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use serde_json::json;
use tokio::task::JoinHandle;

use crate::harness::eventually;

/// Uploads that count as "goes on", over all watches.
const GOES_ON: u64 = 100;

/// What became of the uploads.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Answered 200, each a row of its own.
    pub acknowledged: u64,
    /// What clients saw instead.
    pub unanswered: Vec<String>,
}

/// The watches, each with a connection of its own.
pub struct Load {
    acknowledged: Arc<AtomicU64>,
    is_over: Arc<AtomicBool>,
    watches: Vec<JoinHandle<Vec<String>>>,
}

impl Load {
    /// Starts them.
    pub fn start(url: &str, watches: usize) -> Self {
        let (acknowledged, is_over) = (Arc::<AtomicU64>::default(), Arc::<AtomicBool>::default());
        let watches = (0..watches)
            .map(|number| tokio::spawn(upload(url.to_owned(), number, acknowledged.clone(), is_over.clone())))
            .collect();
        Self { acknowledged, is_over, watches }
    }

    /// Waits until many more uploads are acknowledged.
    pub async fn goes_on(&self) {
        let before = self.acknowledged.load(Ordering::SeqCst);
        eventually("uploads are acknowledged", async || {
            (self.acknowledged.load(Ordering::SeqCst) > before + GOES_ON).then_some(())
        })
        .await;
    }

    /// Ends them after their last upload.
    pub async fn end(self) -> Outcome {
        self.is_over.store(true, Ordering::SeqCst);
        let mut outcome = Outcome::default();
        for watch in self.watches {
            outcome.unanswered.extend(watch.await.expect("ends"));
        }
        outcome.acknowledged = self.acknowledged.load(Ordering::SeqCst);
        outcome
    }
}

async fn upload(
    url: String,
    number: usize,
    acknowledged: Arc<AtomicU64>,
    is_over: Arc<AtomicBool>,
) -> Vec<String> {
    let http = reqwest::Client::new();
    let mut unanswered = Vec::new();
    let mut second = 1_760_000_000_u64;
    while !is_over.load(Ordering::SeqCst) {
        let body = json!({
            "deviceSn": format!("BALANCED-{number}"),
            "heart_rate": 60 + second % 60,
            "timestamp": second,
        });
        match http.post(format!("{url}/upload_health_data")).body(body.to_string()).send().await {
            Ok(answer) if answer.status() == 200 => {
                acknowledged.fetch_add(1, Ordering::SeqCst);
                second += 1;
            }
            Ok(answer) => {
                let status = answer.status();
                unanswered.push(format!("{status}: {}", answer.text().await.unwrap_or_default()));
            }
            Err(error) => unanswered.push(format!("{error:?}")),
        }
    }
    unanswered
}
