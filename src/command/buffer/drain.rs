//! `vitals buffer drain`: the parts of the service that drain, without its door.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::bail;
use tokio::time::{Instant, sleep};

use crate::app::{self, buffer_services};
use crate::buffer::Buffer;
use crate::cache::{Cache, stream};
use crate::command::interrupt::interrupted;
use crate::command::text::{grouped, print};
use crate::config::{BufferMode, Settings};
use crate::http::retention::RawRetention;
use crate::ingest::Ingest;
use crate::owners::Owners;
use crate::store::Store;
use crate::store::clock::Clock;
use crate::store::handover::Handover;
use crate::store::notifier::Notifier;
use crate::tasks::Tasks;
use crate::{monitor, notify};

/// How often the number of uploads is read.
const EVERY: Duration = Duration::from_millis(250);

/// How long the number may stay as it is.
const MAX_STANDSTILL: Duration = Duration::from_secs(60);

/// Drains until nothing is left or somebody interrupts.
pub(super) async fn run(cache: &Cache, settings: &Settings) -> anyhow::Result<ExitCode> {
    let settings = Settings { buffer: BufferMode::Outage, buffer_shadow: false, ..settings.clone() };
    settings.check()?;
    let store = Store::new(&settings)?;
    app::check_schema(&store).await?;
    let retention = RawRetention::read(&store).await?;
    let tasks = Tasks::default();
    let [draining, ingest, last] = ["draining", "ingest", "last"].map(|name| tasks.stage(name));
    let mut notifier = Notifier::default();
    let writers =
        Arc::new(Ingest::start(&store, &notifier.outbox(), &Handover::default(), &settings, &ingest));
    let view = Cache::new(&settings)?;
    let owners = Owners::start(&store, &view, &mut notifier, &settings, &ingest);
    // Operators are notified as by an instance, if the settings name any.
    let (operators, changes) = monitor::changes();
    notify::operators::start(&last, changes, &Clock::read(&store).await?, &settings);
    let services = buffer_services(&store, &view, &writers, &owners, &retention, operators, &settings);
    let _buffer = Buffer::start(services, &settings, &ingest, &draining).await?;
    last.spawn_loop("notifier", notifier.run(store.clone(), settings.clone(), last.stop_token()));
    let outcome = tokio::select! {
        left = until_empty(cache) => left,
        failed = tasks.failed() => Err(anyhow::anyhow!("{failed}")),
        () = interrupted() => Err(anyhow::anyhow!("interrupted")),
    };
    let deadline = Instant::now() + Duration::from_secs(settings.stop_deadline_seconds);
    for stage in [&draining, &ingest, &last] {
        stage.stop(deadline).await;
    }
    store.close();
    outcome?;
    print("nothing is left in the buffer\n")?;
    Ok(ExitCode::SUCCESS)
}

async fn until_empty(cache: &Cache) -> anyhow::Result<()> {
    let (mut last, mut changed_at) = (u64::MAX, Instant::now());
    loop {
        let uploads = stream::measure(cache).await?.iter().map(|status| status.uploads).sum();
        if uploads == 0 {
            return Ok(());
        }
        if uploads != last {
            (last, changed_at) = (uploads, Instant::now());
        } else if changed_at.elapsed() > MAX_STANDSTILL {
            bail!(
                "{} uploads are left and cannot be committed; the log of a service says why",
                grouped(uploads)
            );
        }
        sleep(EVERY).await;
    }
}
