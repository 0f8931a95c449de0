//! A database per test, copied from a template that was migrated once, and a Redis database beside it.

use std::sync::atomic::{AtomicU32, Ordering};

use tokio::sync::OnceCell;
use tokio_postgres::{Client, Config, NoTls};
use vitals::config::Settings;
use vitals::store::{migrate, roles};

use super::TIMEOUT;
use super::servers::{DisposableServers, Encrypted, Servers, servers};

const DEFAULT_ZONE: &str = "Asia/Shanghai";

static NEXT: AtomicU32 = AtomicU32::new(0);

/// A migrated database that is dropped with the value.
#[derive(Debug)]
pub struct Database {
    name: String,
    number: u32,
    zone: String,
    on: &'static Servers,
}

impl Database {
    /// A database whose rollups are in Asia/Shanghai.
    pub async fn new() -> Self {
        static TEMPLATE: OnceCell<String> = OnceCell::const_new();
        let template = TEMPLATE.get_or_init(make_template).await;
        let database = Self::named(DEFAULT_ZONE, servers());
        admin(database.on, &format!("create database {} template {template}", database.name)).await;
        database.empty_redis().await;
        database.start_jobs().await;
        database
    }

    /// A database whose rollups are in another zone.
    pub async fn in_zone(zone: &str) -> Self {
        let database = Self::empty(zone).await;
        migrate::run(&database.settings()).await.expect("migrates");
        grant(&database.settings()).await;
        database
    }

    /// A database on disposable servers.
    pub async fn on(disposable: &DisposableServers) -> Self {
        let database = Self::named(DEFAULT_ZONE, disposable.servers);
        admin(database.on, &format!("create database {}", database.name)).await;
        migrate::run(&database.settings()).await.expect("migrates");
        grant(&database.settings()).await;
        database
    }

    /// A database without any schema on servers that speak TLS.
    pub async fn on_encrypted(encrypted: &'static Encrypted) -> Self {
        let database = Self::named(DEFAULT_ZONE, &encrypted.servers);
        admin(database.on, &format!("create database {}", database.name)).await;
        database.empty_redis().await;
        database
    }

    /// A database without any schema.
    pub async fn empty(zone: &str) -> Self {
        let database = Self::named(zone, servers());
        admin(database.on, &format!("create database {}", database.name)).await;
        database.empty_redis().await;
        database
    }

    /// The name of a database that the test creates by other means, on these servers or on disposable ones.
    pub fn not_created(on: Option<&DisposableServers>) -> Self {
        Self::named(DEFAULT_ZONE, on.map_or_else(servers, |disposable| disposable.servers))
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Removes what an interrupted run left there.
    async fn empty_redis(&self) {
        let mut redis = self.redis().await;
        redis::cmd("FLUSHDB").exec_async(&mut redis).await.expect("emptied");
    }

    fn named(zone: &str, on: &'static Servers) -> Self {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        Self {
            name: format!("vitals_test_{}_{number}", std::process::id()),
            number,
            zone: zone.to_owned(),
            on,
        }
    }

    /// Settings for a service on this database, on a free port, with a Redis database of its own.
    pub fn settings(&self) -> Settings {
        let mut settings = Settings::defaults();
        settings.listen = "127.0.0.1:0".parse().expect("an address");
        // A machine that is busy with other tests is slow; that must not fail a test.
        settings.connect_timeout_ms = TIMEOUT.as_millis() as u64;
        settings.commit_deadline_ms = TIMEOUT.as_millis() as u64;
        settings.database_url = self.url();
        settings.redis_url = self.redis_url();
        settings.rollup_time_zone.clone_from(&self.zone);
        settings.instance.clone_from(&self.name);
        settings
    }

    /// URL of the database.
    pub fn url(&self) -> String {
        database_url(self.on, &self.name)
    }

    /// URL of the Redis database of this test.
    pub fn redis_url(&self) -> String {
        let base = &self.on.redis_url;
        let host = base.split_once("://").map_or(base.as_str(), |(_, rest)| rest).split('/').next();
        // Number 0 is left to other users of the server; parallel runs of the tests begin at other numbers.
        let number = std::process::id().wrapping_mul(61).wrapping_add(self.number);
        format!("redis://{}/{}", host.expect("a host"), 1 + number % (redis_databases() - 1))
    }

    /// A new connection.
    pub async fn client(&self) -> Client {
        connect(&self.url()).await
    }

    /// The same, where the server may be away.
    pub async fn try_client(&self) -> Option<Client> {
        try_connect(&self.url()).await.ok()
    }

    /// A connection to its Redis database.
    pub async fn redis(&self) -> redis::aio::MultiplexedConnection {
        let client = redis::Client::open(self.redis_url()).expect("a URL");
        let connection_config = redis::AsyncConnectionConfig::new()
            .set_connection_timeout(Some(TIMEOUT))
            .set_response_timeout(Some(TIMEOUT));
        client.get_multiplexed_async_connection_with_config(&connection_config).await.expect("Redis answers")
    }

    /// Copies the database as it is now, for [`Self::restore_snapshot`].
    pub async fn take_snapshot(&self) {
        self.disconnect_all(&self.name).await;
        let sql = format!("create database {0}_snapshot template {0}", self.name);
        admin(self.on, &sql).await;
        admin(self.on, &format!("alter database {} allow_connections true", self.name)).await;
        self.start_jobs().await;
    }

    /// Replaces the database by the copy, as a restore of a backup does.
    pub async fn restore_snapshot(&self) {
        admin(self.on, &format!("drop database {} with (force)", self.name)).await;
        self.disconnect_all(&format!("{}_snapshot", self.name)).await;
        admin(self.on, &format!("create database {0} template {0}_snapshot", self.name)).await;
        self.start_jobs().await;
    }

    async fn disconnect_all(&self, name: &str) {
        admin(self.on, &format!("alter database {name} allow_connections false")).await;
        let end =
            format!("select pg_terminate_backend(pid, 10000) from pg_stat_activity where datname = '{name}'");
        admin(self.on, &end).await;
    }

    /// In the Community edition a copied database has no scheduler yet; a migrated one has. Runs that its jobs missed in the template
    /// do not count as delays, and runs that ended there do not count as failures.
    async fn start_jobs(&self) {
        self.client()
            .await
            .batch_execute(
                "update _timescaledb_internal.bgw_job_stat set
                     next_start = greatest(next_start, now()), last_finish = now(), last_run_success = true,
                     consecutive_failures = 0, consecutive_crashes = 0;
                 delete from _timescaledb_internal.bgw_job_stat_history;
                 select _timescaledb_functions.start_background_workers()",
            )
            .await
            .expect("background workers can be asked for");
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if !std::ptr::eq(self.on, servers()) {
            return; // Disposable servers may be away, and end with the test process.
        }
        let names = [self.name.clone(), format!("{}_snapshot", self.name)];
        clean_up(async move {
            for name in names {
                admin(servers(), &format!("drop database if exists {name} with (force)")).await;
            }
        });
    }
}

/// Runs the work of a `drop` on a runtime of its own, because the runtime of the test may be ending. If the test has failed, a failure
/// here is ignored: a second panic would abort all tests.
pub(super) fn clean_up(work: impl Future<Output = ()> + Send + 'static) {
    let done = std::thread::spawn(move || block_on(work)).join();
    assert!(done.is_ok() || std::thread::panicking(), "what the test created is still there");
}

/// Whether services run with the role `vitals_service` and nothing more.
pub(super) fn services_have_their_role_only() -> bool {
    // Not VITALS_…: the program refuses unknown variables with that prefix.
    std::env::var_os("TEST_SERVICE_ROLE").is_some()
}

async fn grant(settings: &Settings) {
    if services_have_their_role_only() {
        roles::apply(settings).await.expect("roles");
    }
}

async fn make_template() -> String {
    let name = format!("vitals_test_{}_template", std::process::id());
    let on = servers();
    admin(on, &format!("drop database if exists {name} with (force)")).await;
    admin(on, &format!("create database {name}")).await;
    let mut settings = Settings::defaults();
    settings.database_url = database_url(on, &name);
    migrate::run(&settings).await.expect("migrates");
    grant(&settings).await;
    // No session may use it while it is copied, in particular not the scheduler of TimescaleDB.
    admin(on, &format!("alter database {name} allow_connections false")).await;
    let end =
        format!("select pg_terminate_backend(pid, 10000) from pg_stat_activity where datname = '{name}'");
    admin(on, &end).await;
    name
}

fn database_url(on: &Servers, name: &str) -> String {
    let base = &on.database_url;
    let (address, parameters) = base.split_once('?').map_or((base.as_str(), ""), |(a, p)| (a, p));
    let (server, _) = address.rsplit_once('/').expect("a URL with a database");
    if parameters.is_empty() { format!("{server}/{name}") } else { format!("{server}/{name}?{parameters}") }
}

pub(super) async fn admin(on: &Servers, sql: &str) {
    let client = connect(&on.database_url).await;
    client.batch_execute(sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
}

pub(super) async fn connect(url: &str) -> Client {
    try_connect(url).await.expect("PostgreSQL answers")
}

pub(super) async fn try_connect(url: &str) -> Result<Client, tokio_postgres::Error> {
    let config: Config = url.parse().expect("a URL");
    let (client, connection) = config.connect(NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

fn redis_databases() -> u32 {
    static DATABASES: std::sync::OnceLock<u32> = std::sync::OnceLock::new();
    *DATABASES.get_or_init(|| {
        let client = redis::Client::open(servers().redis_url.as_str()).expect("a URL");
        let mut connection = client.get_connection().expect("Redis answers");
        let (_, databases): (String, u32) = redis::cmd("CONFIG")
            .arg("GET")
            .arg("databases")
            .query(&mut connection)
            .expect("the number of databases");
        databases
    })
}

pub(super) fn block_on<F: Future>(work: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(work)
}
