//! A database that is not fit for the service is noticed, and what is wrong is said in its own words, with host and setting.

use serde_json::json;

use crate::harness::{CommandOutput, command};
use crate::harness::{Database, Login, Process, eventually, vitals};

/// `host:port` of a URL.
fn place(url: &str) -> &str {
    let (_, rest) = url.rsplit_once('@').expect("a user");
    rest.split('/').next().expect("host and port")
}

async fn check(database: &Database, database_url: &str) -> CommandOutput {
    let running = command(database, &["check"]).env("VITALS_DATABASE_URL", database_url).output().await;
    let output = running.expect("it can be run");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    CommandOutput {
        code: output.status.code().expect("a code"),
        out: text(output.stdout),
        err: text(output.stderr),
    }
}

async fn ready(process: &Process) -> (u16, serde_json::Value) {
    let answer = reqwest::get(format!("{}/readyz", process.url)).await.expect("an answer");
    (answer.status().as_u16(), answer.json().await.expect("JSON"))
}

/// Waits until it is not ready for a reason with these words in it, and gives that.
async fn not_ready(process: &Process, words: &str) -> String {
    eventually(words, async || {
        let (status, body) = ready(process).await;
        let reason = body["reason"].as_str().unwrap_or_default();
        (status == 503 && reason.contains(words)).then(|| reason.to_owned())
    })
    .await
}

#[tokio::test]
async fn a_role_that_may_not_write_is_noticed_before_the_first_upload() {
    let database = Database::new().await;
    // All that the service needs but one right.
    let login = Login::of(&database, "vitals_service").await;
    let fit = check(&database, login.url()).await;
    assert!(fit.out.contains("ok    uploads: "), "{fit:?}");
    let revoke = "revoke insert on health_data from vitals_service";
    database.client().await.batch_execute(revoke).await.expect("revoked");
    let words = "permission denied for table health_data (42501)";
    let said = check(&database, login.url()).await;
    let line = said.out.lines().find(|line| line.starts_with("BAD   uploads: ")).expect("it is told");
    assert!(said.code == 1 && line.contains(words), "{said:?}");
    assert!(line.contains(place(login.url())) && line.contains("database_url"), "{line}");

    let variables = [("VITALS_DATABASE_URL", login.url())];
    let process = Process::serve(&database, &variables).await;
    let reason = not_ready(&process, words).await;
    assert!(reason.contains(place(login.url())), "{reason}");
    let grant = "grant insert on health_data to vitals_service";
    database.client().await.batch_execute(grant).await.expect("granted");
    let up = json!({ "status": "ok", "database": "up" });
    eventually("it is ready", async || (ready(&process).await == (200, up.clone())).then_some(())).await;
    process.signal("TERM");
    assert!(process.ended().await.success());
}

#[tokio::test]
async fn wrong_credentials_are_told_in_the_words_of_the_server() {
    let database = Database::new().await;
    let login = Login::of(&database, "vitals_service").await;
    let wrong = login.url().replace(&format!(":{}@", login.name), ":wrong@");
    let words = format!("password authentication failed for user \"{}\" (28P01)", login.name);
    let is_whole = |text: &str| {
        text.contains(&words)
            && text.contains(place(&wrong))
            && text.contains("database_url")
            && !text.contains("db error")
    };
    let said = check(&database, &wrong).await;
    assert!(said.code == 1 && is_whole(&said.out), "{said:?}");
    let Err(refusal) = Process::try_serve(&database, &[("VITALS_DATABASE_URL", &wrong)]).await else {
        panic!("it serves");
    };
    assert!(!refusal.contains("db error"), "{refusal}");
    let serving = command(&database, &["migrate"]).env("VITALS_DATABASE_URL", &wrong).output().await;
    let refusal = String::from_utf8(serving.expect("it can be run").stderr).expect("text");
    assert!(is_whole(&refusal), "{refusal}");

    // While it runs: the password is changed, and the connections end.
    let process = Process::serve(&database, &[("VITALS_DATABASE_URL", login.url())]).await;
    eventually("it is ready", async || (ready(&process).await.0 == 200).then_some(())).await;
    let name = &login.name;
    let change = format!(
        "alter role {name} password 'another'; select pg_terminate_backend(pid) from pg_stat_activity where usename = '{name}'"
    );
    database.client().await.batch_execute(&change).await.expect("changed");
    let reason = not_ready(&process, "28P01").await;
    assert!(is_whole(&reason), "{reason}");
    process.signal("TERM");
    process.ended().await;
}

#[tokio::test]
async fn a_database_without_timescaledb_is_none_of_the_apache_edition() {
    let database = Database::empty("Asia/Shanghai").await;
    database.client().await.batch_execute("drop extension if exists timescaledb").await.expect("dropped");
    let said = vitals(&database, &["check"]).await;
    assert!(said.code == 1 && said.out.contains("BAD   TimescaleDB: "), "{said:?}");
    assert!(said.out.contains("the extension timescaledb is not in this database"), "{said:?}");
    assert!(!said.out.contains("edition"), "{said:?}");
}

#[tokio::test]
async fn a_service_whose_database_was_restored_without_timescaledb_is_not_ready() {
    let database = Database::new().await;
    // As a restore without it leaves a database: the tables are there, and plain.
    database.client().await.batch_execute("drop extension timescaledb cascade").await.expect("dropped");
    let process = Process::serve(&database, &[]).await;
    let reason = not_ready(&process, "the extension timescaledb is not in this database").await;
    assert!(reason.contains(place(&database.url())) && reason.contains("database_url"), "{reason}");
    process.signal("TERM");
    assert!(process.ended().await.success());
}
