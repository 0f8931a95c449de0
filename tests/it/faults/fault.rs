//! What can go wrong: how it is made so, and made good again.

use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use tokio_postgres::Client;

use super::crew::{Crew, Post};
use crate::harness::{Database, DisposableServers, eventually};

/// Which services it happens to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whom {
    One(usize),
    All,
}

impl Whom {
    pub fn includes(self, number: usize) -> bool {
        self == Self::All || self == Self::One(number)
    }

    fn posts(self, crew: &Crew) -> impl Iterator<Item = &Post> {
        crew.posts.iter().enumerate().filter(move |(number, _)| self.includes(*number)).map(|(_, post)| post)
    }
}

/// A fault that lasts until it is healed, or leaves something to be healed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    DatabaseCut(Whom),
    DatabaseStalled(Whom),
    RedisCut(Whom),
    RedisStalled(Whom),
    RedisFlushed,
    RedisKilled,
    /// `pg_terminate_backend` of all connections of services.
    ConnectionsTerminated,
    /// INT fast, QUIT immediate, KILL a crash.
    PostgresStopped(&'static str),
    /// No row more fits; with the log too, PostgreSQL panics.
    DiskFull {
        and_log: bool,
    },
    ServiceKilled(usize),
    ServiceTerminated(usize),
    /// Seconds ahead.
    ClockStepped(usize, i64),
    PostgresClockStepped(i64),
}

/// What it concerns; of each at most one thing goes wrong at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Server,
    DatabaseCable,
    RedisCable,
    Service,
    Clock,
    ServerClock,
}

impl Fault {
    /// One or two at once, of different parts.
    pub fn draw(random: &mut StdRng, instances: usize, servers_too: bool, clocks_too: bool) -> Vec<Self> {
        let mut parts = vec![Part::DatabaseCable, Part::RedisCable, Part::Service];
        if servers_too {
            parts.extend([Part::Server, Part::Server]);
        }
        if clocks_too {
            parts.push(Part::Clock);
        }
        if clocks_too && servers_too {
            parts.push(Part::ServerClock);
        }
        let count = if random.random_bool(0.4) { 2 } else { 1 };
        let mut drawn = Vec::new();
        while drawn.len() < count {
            let part = *parts.choose(random).expect("some");
            drawn.push(Self::of(part, instances, random));
            parts.retain(|other| *other != part);
        }
        drawn
    }

    fn of(part: Part, instances: usize, random: &mut StdRng) -> Self {
        let one = random.random_range(0..instances);
        let whom = if random.random_bool(0.5) { Whom::All } else { Whom::One(one) };
        match part {
            Part::Server => match random.random_range(0..7) {
                0 => Self::PostgresStopped("INT"),
                1 => Self::PostgresStopped("QUIT"),
                2 => Self::PostgresStopped("KILL"),
                3 => Self::DiskFull { and_log: false },
                4 => Self::DiskFull { and_log: true },
                _ => Self::RedisKilled,
            },
            Part::DatabaseCable => match random.random_range(0..3) {
                0 => Self::DatabaseCut(whom),
                1 => Self::DatabaseStalled(whom),
                _ => Self::ConnectionsTerminated,
            },
            Part::RedisCable => match random.random_range(0..3) {
                0 => Self::RedisCut(whom),
                1 => Self::RedisStalled(whom),
                _ => Self::RedisFlushed,
            },
            Part::Service if random.random_bool(0.5) => Self::ServiceKilled(one),
            Part::Service => Self::ServiceTerminated(one),
            Part::Clock => Self::ClockStepped(one, an_hour(random)),
            Part::ServerClock => Self::PostgresClockStepped(an_hour(random)),
        }
    }

    /// Whether the database certainly cannot be reached by this service while it lasts.
    pub fn keeps_database_from(self, number: usize) -> bool {
        match self {
            Self::DatabaseCut(whom) | Self::DatabaseStalled(whom) => whom.includes(number),
            Self::PostgresStopped(_) => true,
            _ => false,
        }
    }

    /// Whether this service may truly be unready from its beginning to some time after its end.
    pub fn may_keep_from_ready(self, number: usize) -> bool {
        match self {
            Self::ServiceKilled(one) | Self::ServiceTerminated(one) => one == number,
            // A statement that runs when the clock is put ahead has run for an hour.
            Self::ConnectionsTerminated | Self::DiskFull { .. } | Self::PostgresClockStepped(_) => true,
            other => other.keeps_database_from(number),
        }
    }

    /// Whether it ends a process, which then has to be started again.
    pub fn ends_a_service(self) -> bool {
        matches!(self, Self::ServiceKilled(_) | Self::ServiceTerminated(_))
    }

    /// Makes it so.
    pub async fn inject(self, crew: &mut Crew, site: &Site<'_>) -> Result<(), String> {
        match self {
            Self::DatabaseCut(whom) => whom.posts(crew).for_each(|post| post.database.cut()),
            Self::DatabaseStalled(whom) => whom.posts(crew).for_each(|post| post.database.stall()),
            Self::RedisCut(whom) => whom.posts(crew).for_each(|post| post.redis.cut()),
            Self::RedisStalled(whom) => whom.posts(crew).for_each(|post| post.redis.stall()),
            Self::RedisFlushed => site.flush_redis().await,
            Self::RedisKilled => site.disposable().stop("redis", "KILL").await,
            Self::ConnectionsTerminated => site.terminate_connections().await,
            Self::PostgresStopped(signal) => site.disposable().stop("postgres", signal).await,
            Self::DiskFull { and_log } => {
                // Connected before: a server without any room may not take another connection.
                let client = site.database.client().await;
                site.disposable().fill().await;
                if and_log {
                    run_out_of_log(&client).await;
                }
            }
            Self::ServiceKilled(number) => crew.end(number, "KILL").await?,
            Self::ServiceTerminated(number) => crew.end(number, "TERM").await?,
            Self::ClockStepped(number, seconds) => crew.posts[number].clock.set(seconds),
            Self::PostgresClockStepped(seconds) => site.set_clock(seconds).await,
        }
        Ok(())
    }

    /// Makes it good.
    pub async fn remove(self, crew: &mut Crew, site: &Site<'_>) {
        match self {
            Self::DatabaseCut(whom) | Self::DatabaseStalled(whom) => {
                whom.posts(crew).for_each(|post| post.database.restore());
            }
            Self::RedisCut(whom) | Self::RedisStalled(whom) => {
                whom.posts(crew).for_each(|post| post.redis.restore());
            }
            Self::RedisKilled | Self::PostgresStopped(_) => site.disposable().start().await,
            Self::DiskFull { .. } => {
                site.disposable().free().await;
                site.disposable().start().await;
            }
            Self::ServiceKilled(number) | Self::ServiceTerminated(number) => {
                crew.start(number, site.database).await;
            }
            Self::ClockStepped(number, _) => crew.posts[number].clock.set(0),
            Self::PostgresClockStepped(_) => site.set_clock(0).await,
            Self::RedisFlushed | Self::ConnectionsTerminated => {}
        }
    }
}

/// Ahead or back.
fn an_hour(random: &mut StdRng) -> i64 {
    if random.random_bool(0.5) { 3600 } else { -3600 }
}

/// Where faults strike.
pub struct Site<'a> {
    pub database: &'a Database,
    pub disposable: Option<&'a DisposableServers>,
}

impl Site<'_> {
    fn disposable(&self) -> &DisposableServers {
        self.disposable.expect("faults of servers are drawn only where they can be stopped")
    }

    async fn set_clock(&self, seconds: i64) {
        assert!(self.disposable().set_clock(seconds).await, "drawn only where clocks can be set");
    }

    async fn flush_redis(&self) {
        let client = redis::Client::open(self.database.redis_url()).expect("a URL");
        // Where it is away it is empty when it is back.
        if let Ok(mut redis) = client.get_multiplexed_async_connection().await {
            let _ = redis::cmd("FLUSHDB").exec_async(&mut redis).await;
        }
    }

    async fn terminate_connections(&self) {
        let end = "select pg_terminate_backend(pid) from pg_stat_activity
                   where datname = current_database() and application_name like 'vitals %'";
        // Where the server is away, there are none.
        if let Some(client) = self.database.try_client().await {
            let _ = client.execute(end, &[]).await;
        }
    }
}

/// Where the disk is full, PostgreSQL panics as soon as its log needs a new file.
async fn run_out_of_log(client: &Client) {
    eventually("PostgreSQL panics", || async {
        client
            .batch_execute("select pg_logical_emit_message(true, 'tests', 'fill'); select pg_switch_wal()")
            .await
            .err()
            .filter(|_| client.is_closed())
    })
    .await;
}
