//! The rights of the service suffice for logging in and no further; a DBA can end everything in an emergency, and read no hash.

use argon2::{Algorithm, Argon2, Params, PasswordHasher, Version};
use tokio_postgres::Client;

use super::{asking_with, clinics, logged_out, status};
use crate::harness::{Browser, Login, PASSWORD, account, eventually, people, vitals};

async fn assert_denied(client: &Client, sql: &str) {
    let error = client.batch_execute(sql).await.expect_err(sql);
    assert_eq!(error.code().map(|code| code.code()), Some("42501"), "{sql}: {error:?}");
}

#[tokio::test]
async fn the_service_logs_people_in_with_its_own_rights_and_a_dba_logs_them_out() {
    let database = clinics().await;
    account(&database, &["li", "--role", "viewer", "--tenant", "5"]).await;
    let granted = people(&database, &["grant", "li", "--role", "viewer", "--tenant", "6"], "").await;
    assert_eq!(granted.code, 0, "{granted:?}");
    let login = Login::of(&database, "vitals_service").await;
    let url = login.url().to_owned();
    let service = asking_with(&database, |settings| settings.database_url = url).await;
    let client = database.client().await;
    // A hash with other parameters, so that the login makes a new one.
    let params = Params::new(1024, 1, 1, None).expect("parameters");
    let older = Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_with_salt(PASSWORD.as_bytes(), &[7; 16])
        .expect("a hash")
        .to_string();
    client
        .execute("update vitals.account_password set password_hash = $1", &[&older])
        .await
        .expect("changed");
    let browser = Browser::new(&service);
    assert_eq!(browser.log_in("li", PASSWORD).await.location, "/wall");
    let renewed = "select count(*) from vitals.account_password where password_hash like '$argon2id$v=19$m=19456,t=2,p=1$%'";
    assert_eq!(client.query_one(renewed, &[]).await.expect("a count").get::<_, i64>(0), 1, "renewed");
    assert_eq!(status(&browser).await, 200);
    let grants: Vec<i64> = client
        .query("select grant_id from account_grant order by grant_id", &[])
        .await
        .expect("grants")
        .iter()
        .map(|row| row.get(0))
        .collect();
    let other = [("grant_id", &*grants[1].to_string())];
    assert_eq!(browser.submit("/session/grant", &other).await.status, 303);
    assert_eq!(browser.submit("/session/language", &[("language", "zh")]).await.status, 303);
    eventually("it is logged", || async {
        let logged = vitals(&database, &["access", "log", "--account", "li"]).await.out;
        logged.contains("/api/alerts").then_some(())
    })
    .await;

    let own = login.client().await;
    for sql in [
        "update account set disabled_at = null",
        "insert into vitals.account_password (account_id, password_hash) values (1, '$argon2id$x')",
        "update vitals.account_password set changed_at = now()",
        "delete from account",
        "insert into vitals.kiosk_link (name, token_hash, customer_id) values ('x', '', 1)",
        "update vitals.kiosk_link set revoked_at = null",
        "select from access_log",
        "delete from access_log",
    ] {
        assert_denied(&own, sql).await;
    }

    let dba = Login::member(&database, "vitals_dba").await;
    let dba = dba.client().await;
    assert_denied(&dba, "select password_hash from vitals.account_password").await;
    assert_denied(&dba, "insert into account_grant (account_id, role) values (1, 'admin')").await;
    dba.batch_execute("delete from vitals.account_session").await.expect("ended");
    logged_out(&browser).await;
    assert_eq!(browser.log_in("li", PASSWORD).await.location, "/wall");
    dba.batch_execute("update account set disabled_at = now() where login = 'li'").await.expect("disabled");
    logged_out(&browser).await;
    assert_eq!(browser.log_in("li", PASSWORD).await.location, "/login?failed=wrong");
    service.finish().await;
}
