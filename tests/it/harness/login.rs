//! Roles that log in, as a DBA makes them.

use std::sync::atomic::{AtomicU32, Ordering};

use tokio_postgres::Client;
use vitals::store::{Store, roles};

use super::Database;
use super::database::{admin, block_on, connect};
use super::servers::servers;

static NEXT: AtomicU32 = AtomicU32::new(0);

/// A role with a password, a member of another one; it is dropped with the value.
#[derive(Debug)]
pub struct Login {
    /// Its name.
    pub name: String,
    url: String,
}

impl Login {
    /// A new member of `group`, one of `sql/roles` or of one's own.
    pub async fn of(database: &Database, group: &str) -> Self {
        roles::apply(&Store::new(&database.settings()).expect("settings")).await.expect("roles");
        let url = database.url();
        let (_, server) = url.rsplit_once('@').expect("a URL with a user");
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("vitals_test_login_{}_{number}", std::process::id());
        admin(servers(), &format!("create role {name} login password '{name}' in role {group}")).await;
        Self { url: format!("postgres://{name}:{name}@{server}"), name }
    }

    /// Where it connects to.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A connection of its own.
    pub async fn client(&self) -> Client {
        connect(&self.url).await
    }
}

impl Drop for Login {
    fn drop(&mut self) {
        let name = &self.name;
        // What it made in a connection goes when the connection ends.
        let end =
            format!("select pg_terminate_backend(pid, 10000) from pg_stat_activity where usename = '{name}'");
        let drop = format!("drop role if exists {name}");
        // A runtime of its own: the test's may be at its end.
        let ending = async move {
            admin(servers(), &end).await;
            admin(servers(), &drop).await;
        };
        std::thread::spawn(move || block_on(ending)).join().expect("dropped");
    }
}
