//! Login roles, as a DBA creates them.

use std::sync::atomic::{AtomicU32, Ordering};

use tokio_postgres::Client;
use vitals::store::roles;

use super::Database;
use super::database::{admin, clean_up, connect};
use super::servers::servers;

static NEXT: AtomicU32 = AtomicU32::new(0);

/// A role with a password and perhaps a membership; it is dropped with the value.
#[derive(Debug)]
pub struct Login {
    /// Its name.
    pub name: String,
    url: String,
}

impl Login {
    /// A new member of `group`, one of `sql/roles` or of the test.
    pub async fn of(database: &Database, group: &str) -> Self {
        roles::apply(&database.settings()).await.expect("roles");
        Self::member(database, group).await
    }

    /// The same, if the roles of `sql/roles` exist already.
    pub async fn member(database: &Database, group: &str) -> Self {
        Self::create(database, &format!("in role {group}")).await
    }

    /// A role that may log in, and nothing else.
    pub async fn plain(database: &Database) -> Self {
        Self::create(database, "").await
    }

    async fn create(database: &Database, membership: &str) -> Self {
        let url = database.url();
        let (_, server) = url.rsplit_once('@').expect("a URL with a user");
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("vitals_test_login_{}_{number}", std::process::id());
        admin(servers(), &format!("create role {name} login password '{name}' {membership}")).await;
        Self { url: format!("postgres://{name}:{name}@{server}"), name }
    }

    /// Lets it see every tenant in schema dashboard.
    pub async fn sees_all_tenants(self, database: &Database) -> Self {
        let name = &self.name;
        let sql =
            format!("insert into vitals.dashboard_tenant (role_name, all_tenants) values ('{name}', true)");
        database.client().await.batch_execute(&sql).await.expect("bound");
        self
    }

    /// The same role for another database, perhaps on another server.
    pub fn on(&self, database: &Database) -> Self {
        let url = database.url();
        let (_, server) = url.rsplit_once('@').expect("a URL with a user");
        let name = self.name.clone();
        Self { url: format!("postgres://{name}:{name}@{server}"), name }
    }

    /// The URL it connects to.
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
        // Temporary objects of a connection are dropped when the connection ends.
        let end =
            format!("select pg_terminate_backend(pid, 10000) from pg_stat_activity where usename = '{name}'");
        let drop = format!("drop role if exists {name}");
        clean_up(async move {
            admin(servers(), &end).await;
            admin(servers(), &drop).await;
        });
    }
}
