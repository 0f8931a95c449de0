//! Every setting with default, unit and reason. The only reader of the environment.
//!
//! Before: the command line may name a file. After: `app` and the commands take valid [`Settings`].
//! Promise: a value from `VITALS_*` wins over the file, the file over the default; an invalid combination, an unknown key in the
//! file, or an unknown `VITALS_*` name is refused with the reason ([`names`]).

mod buffer;
mod check;
mod cors;
mod derived;
mod environment;
mod limits;
mod load;
mod login;
mod monitor;
mod names;
mod notify;
mod page;
mod public_url;
mod read;
mod redis_tls;
mod stream;
mod terminal;
mod value;

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::language::Language;
use confique::Config;

pub use cors::CorsSettings;
pub use environment::{program, stack_name};
pub use limits::{LimitSettings, TrustedProxy};
pub use load::SettingsError;
pub use login::{GroupGrant, LoginSettings, OidcSettings};
pub use monitor::MonitorSettings;
pub use notify::NotifySettings;
pub use page::{PageSettings, TileCoordinates};
pub use read::ReadSettings;
pub use redis_tls::RedisSettings;
pub use stream::StreamSettings;
pub use terminal::terminal_language;
pub use value::{Authentication, BufferMode, Duplicates, Enrolment, LogFormat};

/// All settings of the service, in their units.
#[derive(Debug, Clone, Config)]
pub struct Settings {
    /// PostgreSQL with TimescaleDB. Several hosts are separated by commas (`postgres://a,b,c/vitals`); the one that accepts writes is used.
    /// Not through a connection pooler: LISTEN needs a session. Parameters are those of libpq: `sslmode` (disable, prefer, require,
    /// verify-ca, verify-full), `sslrootcert` (a file, or `system`), `sslcert`, `sslkey`, `target_session_attrs`, `load_balance_hosts`,
    /// `keepalives_idle`, `keepalives_interval`, `keepalives_count`, `tcp_user_timeout`.
    #[config(env = "VITALS_DATABASE_URL", default = "postgres://vitals:vitals@127.0.0.1:5432/vitals")]
    pub database_url: String,

    /// Reading from standbys.
    #[config(nested)]
    pub read: ReadSettings,

    /// Redis, which holds the view of latest values. `rediss://` uses TLS and verifies the certificate against the host name. A Redis
    /// Cluster is found by one of its nodes; several are separated by commas: `redis://user:password@a:6379,b:6379/0`.
    #[config(env = "VITALS_REDIS_URL", default = "redis://127.0.0.1:6379/0")]
    pub redis_url: String,

    /// Certificates for Redis.
    #[config(nested)]
    pub redis: RedisSettings,

    /// Where uploads wait while PostgreSQL cannot store them: `off`, nowhere, they are refused; `outage`, in `buffer_url` while PostgreSQL
    /// is away, accepts no writes or does not keep up; `always`, every upload, so that its answer does not wait for PostgreSQL.
    #[config(env = "VITALS_BUFFER", default = "off")]
    pub buffer: BufferMode,

    /// The Redis, or Redis Cluster, of the buffer; another server than that of `redis_url`, with `appendonly yes` and
    /// `maxmemory-policy noeviction`. The certificates of `redis` are for it too.
    #[config(env = "VITALS_BUFFER_URL", default = "")]
    pub buffer_url: String,

    /// How long an upload may wait for its commit before it goes to the buffer, milliseconds.
    #[config(env = "VITALS_BUFFER_AFTER_MS", default = 1000)]
    pub buffer_after_ms: u64,

    /// On how many disks an upload is before it is answered from the buffer: 1 is that of the master, 2 also that of a replica.
    #[config(env = "VITALS_BUFFER_COPIES", default = 1)]
    pub buffer_copies: u32,

    /// Memory of Redis that buffered uploads may take, bytes; above, uploads are refused with 503 and Retry-After.
    #[config(env = "VITALS_BUFFER_MAX_BYTES", default = 1073741824)]
    pub buffer_max_bytes: u64,

    /// Whether the buffer is only tried: uploads are stored and answered as with `buffer` = `off`, and are appended to the buffer too; when they
    /// are drained, they are compared with what is stored. `buffer` names the mode to be tried.
    #[config(env = "VITALS_BUFFER_SHADOW", default = false)]
    pub buffer_shadow: bool,

    /// Address and port of the HTTP service; port 0 takes a free one.
    #[config(env = "VITALS_LISTEN", default = "127.0.0.1:8080")]
    pub listen: SocketAddr,

    /// Who may send requests: `keys`, whoever has a key of `vitals keys`; `off`, everybody, which is for loopback only.
    #[config(env = "VITALS_AUTHENTICATION", default = "off")]
    pub authentication: Authentication,

    /// How long known keys are accepted while PostgreSQL is away, seconds; after that every request is answered 503. With a buffer it
    /// limits the outage that uploads outlive.
    #[config(env = "VITALS_KEY_OUTAGE_SECONDS", default = 300)]
    pub key_outage_seconds: u64,

    /// People who log in, with `authentication = "keys"`.
    #[config(nested)]
    pub login: LoginSettings,

    /// Logging in through an OpenID Connect provider.
    #[config(nested)]
    pub oidc: OidcSettings,

    /// The log of who looked at whose data has one row for repeats of the same within this time, seconds. 0: a row for each.
    #[config(env = "VITALS_ACCESS_LOG_REPEAT_SECONDS", default = 300)]
    pub access_log_repeat_seconds: u32,

    /// Which devices get their configuration without a key, and with it a key for uploads of that device alone. `known`: devices that
    /// somebody wears according to the directory; `open`: any serial; `closed`: none. A device that has such a key gets the same key.
    #[config(env = "VITALS_ENROLMENT", default = "known")]
    pub enrolment: Enrolment,

    /// The old name of `enrolment`: false is `closed`, true has no effect.
    #[config(env = "VITALS_CONFIG_WITHOUT_KEY")]
    pub config_without_key: Option<bool>,

    /// Certificate chain of the service (PEM), its own certificate first; reloaded when the file changes. Empty: no TLS, which is for
    /// loopback, or for a service behind a proxy that terminates TLS.
    #[config(env = "VITALS_TLS_CERTIFICATE", default = "")]
    pub tls_certificate: PathBuf,

    /// Private key of the certificate (PEM: PKCS#8, PKCS#1 or SEC1).
    #[config(env = "VITALS_TLS_KEY", default = "")]
    pub tls_key: PathBuf,

    /// How many requests one address or one key may send.
    #[config(nested)]
    pub limits: LimitSettings,

    /// Other sites that may call the API from a browser.
    #[config(nested)]
    pub cors: CorsSettings,

    /// Name of this instance in the accounting and in logs. Empty: the process id.
    #[config(env = "VITALS_INSTANCE", default = "")]
    pub instance: String,

    /// Connections to PostgreSQL besides those of the writers, the listener and the announcer.
    #[config(env = "VITALS_DATABASE_POOL_SIZE", default = 8)]
    pub database_pool_size: usize,

    /// Longest time to reach PostgreSQL or Redis, milliseconds; all hosts of `database_url` share it.
    #[config(env = "VITALS_CONNECT_TIMEOUT_MS", default = 3000)]
    pub connect_timeout_ms: u64,

    /// Longest time of one statement, milliseconds. Migrations and refreshes have none.
    #[config(env = "VITALS_STATEMENT_TIMEOUT_MS", default = 30000)]
    pub statement_timeout_ms: u64,

    /// Longest wait of `vitals migrate` and `vitals roles` for one lock, milliseconds: all other sessions queue behind them.
    #[config(env = "VITALS_MIGRATE_LOCK_TIMEOUT_MS", default = 3000)]
    pub migrate_lock_timeout_ms: u64,

    /// Language of what people read: notifications to contacts that have no language of their own, messages to operators, and answers
    /// of the HTTP API and the command line to whoever asks for none. `en` (English) or `zh` (Chinese). Devices are answered in English.
    #[config(env = "VITALS_LANGUAGE", default = "en")]
    pub language: Language,

    /// Time zone of device times that name none (IANA name).
    #[config(env = "VITALS_DEVICE_TIME_ZONE", default = "Asia/Shanghai")]
    pub device_time_zone: String,

    /// Time zone of the days, weeks and months of the rollups (IANA name). Fixed when the database is created.
    #[config(env = "VITALS_ROLLUP_TIME_ZONE", default = "Asia/Shanghai")]
    pub rollup_time_zone: String,

    /// Largest request body as sent, bytes. 100 samples of a watch are about 40 KB.
    #[config(env = "VITALS_MAX_BODY_BYTES", default = 4194304)]
    pub max_body_bytes: usize,

    /// Largest request body after decompression of gzip or zstd, bytes.
    #[config(env = "VITALS_MAX_DECOMPRESSED_BYTES", default = 33554432)]
    pub max_decompressed_bytes: usize,

    /// Most bytes that all request bodies and their records may take together until they are committed; above, uploads are refused
    /// with 503 and Retry-After. A sixteenth of it is reserved for events. The default holds six of the largest bodies, or 2000
    /// bodies of 100 samples.
    #[config(env = "VITALS_MAX_BODIES_BYTES", default = 268435456)]
    pub max_bodies_bytes: usize,

    /// Longest wait for a commit before an upload is answered 503, milliseconds. A watch waits 10 s in all.
    #[config(env = "VITALS_COMMIT_DEADLINE_MS", default = 8000)]
    pub commit_deadline_ms: u64,

    /// Longest a client may take to send a request body, milliseconds.
    #[config(env = "VITALS_READ_TIMEOUT_MS", default = 10000)]
    pub read_timeout_ms: u64,

    /// Longest a connection may stay open without a whole request head, milliseconds.
    #[config(env = "VITALS_IDLE_TIMEOUT_MS", default = 75000)]
    pub idle_timeout_ms: u64,

    /// Where watches reach the service, for the URLs in their configuration: `https://vitals.example.org`, optionally with a path.
    /// Empty: the address it listens on or, if that is unspecified (0.0.0.0), the host of the watch's request.
    #[config(env = "VITALS_PUBLIC_BASE_URL", default = "")]
    pub public_base_url: String,

    /// Writers of the ingest, each with a connection. 0: as many as cores, 2 to 32. At most 64 have work.
    #[config(env = "VITALS_SHARDS", default = 0)]
    pub shards: usize,

    /// How long an idle writer waits for further uploads after the first one, milliseconds.
    #[config(env = "VITALS_LINGER_MS", default = 2)]
    pub linger_ms: u64,

    /// Most rows a writer puts into one transaction.
    #[config(env = "VITALS_MAX_BATCH_ROWS", default = 5000)]
    pub max_batch_rows: usize,

    /// Rows a shard's queue may hold; above, uploads are refused with 503 and Retry-After.
    #[config(env = "VITALS_QUEUE_ROWS", default = 50000)]
    pub queue_rows: usize,

    /// Devices for which a shard keeps the newest time in memory, to recognise repeats before it writes.
    #[config(env = "VITALS_NEWEST_DEVICES", default = 200000)]
    pub newest_devices: usize,

    /// What a repeat of (device, time) does: `fill` what was NULL, `keep` the first, or `replace` it.
    #[config(env = "VITALS_DUPLICATES", default = "fill")]
    pub duplicates: Duplicates,

    /// Devices whose owner an instance keeps in memory; 100 000 take about 40 MB.
    #[config(env = "VITALS_OWNER_CACHE_DEVICES", default = 100000)]
    pub owner_cache_devices: u64,

    /// Longest time an owner is kept in memory, seconds. A change of the directory takes effect at once; this is the limit if it is missed.
    #[config(env = "VITALS_OWNER_CACHE_SECONDS", default = 600)]
    pub owner_cache_seconds: u32,

    /// Shortest time between two NOTIFY, milliseconds.
    #[config(env = "VITALS_NOTIFY_INTERVAL_MS", default = 50)]
    pub notify_interval_ms: u64,

    /// How often the relay polls the outbox without being woken, milliseconds.
    #[config(env = "VITALS_POLL_INTERVAL_MS", default = 1000)]
    pub poll_interval_ms: u64,

    /// Most outbox rows a relay claims at once. With 256, reactions are a third slower (benches/README.md, "Reactions at
    /// half load").
    #[config(env = "VITALS_CLAIM_BATCHES", default = 64)]
    pub claim_batches: u32,

    /// How long a claim is valid before another relay may take it over, seconds.
    #[config(env = "VITALS_LEASE_SECONDS", default = 10)]
    pub lease_seconds: u32,

    /// How often expired alerts and silent devices are searched for, milliseconds.
    #[config(env = "VITALS_ALERT_SWEEP_INTERVAL_MS", default = 10000)]
    pub alert_sweep_interval_ms: u64,

    /// A watch whose clock is behind or ahead by more than this is reported (`vitals clocks`, `vitals check`, `vitals_devices_clock_off`),
    /// seconds. Lateness is judged by the corrected time in any case.
    #[config(env = "VITALS_CLOCK_OFF_SECONDS", default = 300)]
    pub clock_off_seconds: u32,

    /// How often policies are applied, seconds. On the Community edition a job of TimescaleDB applies them too.
    #[config(env = "VITALS_POLICY_INTERVAL_SECONDS", default = 600)]
    pub policy_interval_seconds: u64,

    /// How often the service checks whether Redis lost the view (a flush leaves no trace on the connection), milliseconds.
    #[config(env = "VITALS_VIEW_CHECK_INTERVAL_MS", default = 2000)]
    pub view_check_interval_ms: u64,

    /// How long Redis keeps the latest values of a device without a wearer, seconds; 0: for ever. `policy` decides about its row.
    #[config(env = "VITALS_VIEW_UNBOUND_SECONDS", default = 7776000)]
    pub view_unbound_seconds: u64,

    /// Notifications of alerts.
    #[config(nested)]
    pub notify: NotifySettings,

    /// Event streams of open pages.
    #[config(nested)]
    pub stream: StreamSettings,

    /// What the service monitors of itself, and which operators it notifies.
    #[config(nested)]
    pub monitor: MonitorSettings,

    /// The pages.
    #[config(nested)]
    pub page: PageSettings,

    /// Longest time to finish work after SIGTERM, seconds.
    #[config(env = "VITALS_STOP_DEADLINE_SECONDS", default = 20)]
    pub stop_deadline_seconds: u64,

    /// Filter of the log, in the syntax of `tracing`, such as `info` or `vitals=debug`.
    #[config(env = "VITALS_LOG", default = "info,deadpool=error")]
    pub log: String,

    /// Format of the log: `text` or `json`.
    #[config(env = "VITALS_LOG_FORMAT", default = "text")]
    pub log_format: LogFormat,
}

/// The file named by `VITALS_CONFIG`.
pub const CONFIG_VARIABLE: &str = "VITALS_CONFIG";

/// A settings file with every default, unit and reason, all commented out.
pub fn template() -> String {
    confique::toml::template::<Settings>(confique::toml::FormatOptions::default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_valid() {
        Settings::defaults().check().expect("valid");
    }

    #[test]
    fn enrolment_is_read_by_its_old_name_too_and_a_contradiction_is_refused() {
        let mut settings = Settings::defaults();
        assert_eq!(settings.enrolment(), Enrolment::Known);
        settings.config_without_key = Some(true);
        assert_eq!(settings.enrolment(), Enrolment::Known);
        settings.config_without_key = Some(false);
        assert_eq!(settings.enrolment(), Enrolment::Closed);
        settings.check().expect("valid");
        settings.enrolment = Enrolment::Open;
        let refusal = settings.check().expect_err("must be refused").to_string();
        assert!(refusal.contains("config_without_key"), "{refusal}");
    }

    #[test]
    fn listening_beyond_loopback_without_authentication_is_refused() {
        let mut settings = Settings::defaults();
        settings.listen = "0.0.0.0:8080".parse().expect("address");
        let refusal = settings.check().expect_err("must be refused").to_string();
        assert!(refusal.contains("authentication"), "{refusal}");
        settings.authentication = Authentication::Keys;
        settings.check().expect("keys are needed");
    }

    #[test]
    fn a_certificate_without_its_key_is_refused() {
        for (certificate, key) in [("a.pem", ""), ("", "a.key")] {
            let mut settings = Settings::defaults();
            (settings.tls_certificate, settings.tls_key) = (certificate.into(), key.into());
            let refusal = settings.check().expect_err("must be refused").to_string();
            assert!(refusal.contains("tls_certificate") && refusal.contains("tls_key"), "{refusal}");
        }
    }

    #[test]
    fn a_zone_that_does_not_exist_is_refused() {
        let mut settings = Settings::defaults();
        settings.device_time_zone = "Asia/Atlantis".into();
        assert!(settings.check().is_err());
    }

    #[test]
    fn the_template_names_every_setting() {
        let template = template();
        for variable in names::variables() {
            assert!(template.contains(&format!("`{variable}`")), "{variable}");
        }
    }
}
