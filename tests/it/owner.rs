//! An owner of the database who is no superuser, as with a managed PostgreSQL: everything works, or what is missing is named before
//! anything is done.

use serde_json::json;
use tokio_postgres::Client;
use vitals::config::Settings;
use vitals::store::{migrate, migrations, roles};

use crate::harness::{Database, Login, Service, eventually};

/// A database that has no schema, and a role that may log in and do nothing else.
async fn role_without_rights() -> (Database, Login, Settings) {
    let database = Database::empty("Asia/Shanghai").await;
    let login = Login::plain(&database).await;
    let mut settings = database.settings();
    settings.database_url = login.url().to_owned();
    (database, login, settings)
}

async fn run(client: &Client, sql: &str) {
    client.batch_execute(sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
}

#[tokio::test]
async fn an_owner_who_is_no_superuser_migrates_gives_rights_and_serves() {
    let (database, owner, settings) = role_without_rights().await;
    let admin = database.client().await;
    run(&admin, "create extension if not exists timescaledb").await;
    let name = admin.query_one("select current_database()", &[]).await.expect("a name").get::<_, String>(0);
    run(&admin, &format!("alter database {name} owner to {}", owner.name)).await;
    let migrated = migrate::run(&settings).await.expect("migrates");
    assert_eq!(migrated.version, migrations::head());
    // The roles are there, made by an administrator; the owner may not make any.
    let _made = Login::of(&Database::new().await, "vitals_service").await;
    roles::apply(&settings).await.expect("rights are given");
    assert!(!migrate::run(&settings).await.expect("migrates again").applied_functions);

    let service_role = Login::member(&database, "vitals_service").await;
    for url in [owner.url(), service_role.url()] {
        let service = Service::start_with(&database, |settings| settings.database_url = url.to_owned()).await;
        let device = format!("OF {}", url.len());
        let sample = json!({ "data": { "deviceSn": device, "heart_rate": 70 } });
        assert_eq!(service.upload(&sample).await, (1, 0, 0));
        service.drained().await;
        service.finish().await;
    }
    // Policy, its jobs and a refresh, as the owner.
    let client = owner.client().await;
    run(&client, "update policy set keep_for = '2 years' where relation = 'health_data'").await;
    run(&client, "call refresh_rollups()").await;
    run(&client, "call apply_policies()").await;
    eventually("the rollup has them", async || {
        let row = client
            .query_one("select sum(samples)::bigint from dashboard.health_daily", &[])
            .await
            .expect("a sum");
        (row.get::<_, Option<i64>>(0) == Some(2)).then_some(())
    })
    .await;
    drop(client);
    // Or the role could not be dropped.
    run(&admin, &format!("reassign owned by {} to current_user; drop owned by {}", owner.name, owner.name))
        .await;
}

#[tokio::test]
async fn what_an_owner_lacks_is_named_before_anything_is_done() {
    let (database, owner, settings) = role_without_rights().await;
    let admin = database.client().await;
    run(&admin, "drop extension if exists timescaledb cascade").await;
    let name = admin.query_one("select current_database()", &[]).await.expect("a name").get::<_, String>(0);
    let refusal = async || migrate::run(&settings).await.expect_err("refused").to_string();
    let lacking = refusal().await;
    for what in [
        format!("run `create extension timescaledb` in {name}"),
        format!("run `grant create on database {name} to {}`", owner.name),
        format!("run `grant create on schema public to {}`", owner.name),
    ] {
        assert!(lacking.contains(&what) && lacking.contains("nothing was done"), "{what}: {lacking}");
    }
    let made = "select count(*) from pg_class c where c.relnamespace = 'public'::regnamespace";
    assert_eq!(admin.query_one(made, &[]).await.expect("a count").get::<_, i64>(0), 0);

    // What is owned by others.
    migrate::run(&database.settings()).await.expect("an administrator migrates");
    let lacking = refusal().await;
    assert!(lacking.contains("migrate as that role"), "{lacking}");
    let refused = roles::apply(&settings).await.expect_err("refused").to_string();
    assert!(refused.contains("the tables belong to"), "{refused}");
}
