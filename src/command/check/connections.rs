//! How PostgreSQL and Redis are reached: hosts and their roles, encryption, poolers.
//!
//! Before: `command::check` has a session. After: findings of its report.

use super::Report;
use crate::buffer::ServerReport;
use crate::cache::Cache;
use crate::config::{Authentication, BufferMode, Settings};
use crate::store::Store;
use crate::store::health::{self, Encryption, ServerRole};
use crate::store::pooler::{self, PoolerFinding};

/// Each host of `database_url`, how the connection to PostgreSQL is encrypted, and what is between.
pub(super) async fn postgres(report: &mut Report, store: &Store) -> anyhow::Result<()> {
    hosts(report, store).await;
    let (client, _driver) = store.session().await?;
    let encryption = match health::encryption(&client).await? {
        Encryption::Tls(how) => format!("encrypted, as the server sees it: {how}"),
        Encryption::None => "not encrypted (sslmode of database_url)".to_owned(),
        Encryption::Hidden => "the role may not see whether it is encrypted".to_owned(),
    };
    report.good("connection to PostgreSQL", &encryption);
    match pooler::detect(store).await? {
        PoolerFinding::None => {}
        PoolerFinding::SharedProcess => report.bad(
            "connection to PostgreSQL",
            "sessions share processes of the server: a pooler in transaction mode is between, and LISTEN, temporary tables and locks do \
             not work through it. Name PostgreSQL itself in database_url: see \"Connection poolers\" in docker/README.md",
        ),
        PoolerFinding::SettingsIgnored => report.bad(
            "connection to PostgreSQL",
            "the settings that the service asks for when it connects do not apply: a pooler takes them away (PgBouncer with \
             ignore_startup_parameters = options). Name PostgreSQL itself in database_url: see \"Connection poolers\" in docker/README.md",
        ),
    }
    Ok(())
}

/// Where several hosts are named, what each of them is.
async fn hosts(report: &mut Report, store: &Store) {
    if !store.has_several_hosts() {
        return;
    }
    for (name, role) in health::roles(store).await {
        let what = format!("host {name}");
        match role {
            Ok(ServerRole::Primary) => report.good(&what, "accepts writes"),
            Ok(ServerRole::ReadOnly) => report.warn(&what, "accepts no writes, and is no standby"),
            Ok(ServerRole::Standby(replayed)) => report.good(&what, &describe_standby(replayed)),
            Err(fault) => report.warn(&what, &fault),
        }
    }
}

/// What each host of `read.database_url` is. A fault is a warning: the primary is read instead.
pub(super) async fn standbys(report: &mut Report, settings: &Settings) -> anyhow::Result<()> {
    let Some(of_standbys) = settings.of_standbys() else { return Ok(()) };
    for (name, role) in health::roles(&Store::new(&of_standbys)?).await {
        let what = format!("host {name} (setting read.database_url)");
        match role {
            Ok(ServerRole::Standby(replayed)) => report.good(&what, &describe_standby(replayed)),
            Ok(ServerRole::Primary | ServerRole::ReadOnly) => {
                report.warn(&what, "is no standby, so nothing is read from it")
            }
            Err(fault) => report.warn(&what, &fault),
        }
    }
    Ok(())
}

fn describe_standby(replayed_seconds_ago: Option<f64>) -> String {
    match replayed_seconds_ago {
        Some(seconds) => {
            format!("a standby; the newest transaction that it has replayed is {seconds:.0} s old")
        }
        None => "a standby".to_owned(),
    }
}

/// Whether Redis answers, and how it is reached.
pub(super) async fn redis(report: &mut Report, cache: &Cache) {
    let server = cache.server();
    match cache.ping().await {
        Ok(masters) => {
            let kind =
                masters.map_or_else(String::new, |masters| format!(", a cluster of {masters} masters"));
            report.good("Redis", &format!("answers at {server} (setting redis_url){kind}"));
            let how = if cache.is_encrypted() { "encrypted (rediss://)" } else { "not encrypted" };
            report.good("connection to Redis", how);
        }
        Err(error) => {
            let text = format!(
                "{error}, at {server} (setting redis_url); uploads are taken, latest values wait for it"
            );
            report.bad("Redis", &text);
        }
    }
}

/// Whether the server of the buffer keeps what it is given, and what its settings mean for an upload that was acknowledged from there.
pub(super) async fn buffer(report: &mut Report, settings: &Settings) -> anyhow::Result<()> {
    if settings.buffer == BufferMode::Off {
        return Ok(());
    }
    let cache = Cache::of_buffer(settings)?;
    let server = cache.server();
    match ServerReport::read(&cache).await {
        Err(error) => report.bad("buffer", &format!("{error}, at {server} (setting buffer_url)")),
        Ok(ServerReport { refusal: Some(refusal), .. }) => {
            report.bad("buffer", &format!("{refusal} ({server}, setting buffer_url)"));
        }
        Ok(server_report) => {
            report.good(
                "buffer",
                &format!("answers at {server} (setting buffer_url), and keeps what it is given"),
            );
            if let Some(warning) = server_report.memory_warning(settings.buffer_max_bytes) {
                report.warn("memory of the buffer", &warning);
            }
            let copies = settings.buffer_copies;
            if let Some(shortage) = server_report.shortage(copies) {
                report.bad("copies of buffered uploads", &shortage);
            }
            let text = match server_report.fsync.as_deref() {
                Some("always") => "appendfsync always: an upload is on the disk after a millisecond or a few",
                Some(_) => {
                    "appendfsync everysec: an upload is answered when it is on the disk, up to a second or two later"
                }
                None => "the server does not say how often it writes its file (CONFIG is not allowed)",
            };
            report.good("durability of buffered uploads", &format!("{text}; buffer_copies = {copies}"));
            if settings.buffer_shadow {
                report.warn("shadow mode", "buffer_shadow = true: the buffer is only compared, and uploads are refused while PostgreSQL is away");
            }
            if settings.key_outage_seconds < 3600 && settings.authentication == Authentication::Keys {
                let text = format!(
                    "key_outage_seconds = {}: after that time without PostgreSQL uploads are refused, whatever room the buffer has",
                    settings.key_outage_seconds
                );
                report.warn("keys and the buffer", &text);
            }
        }
    }
    Ok(())
}
