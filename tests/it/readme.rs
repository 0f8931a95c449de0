//! What README.md prints works as it stands there.

use std::process::Stdio;

use crate::harness::{Database, Service, TIMEOUT, command};

const README: &str = include_str!("../../README.md");

/// The text of the first block of a language behind a sentence.
fn block(behind: &str, language: &str) -> String {
    let (_, rest) = README.split_once(behind).unwrap_or_else(|| panic!("README.md says: {behind}"));
    let (_, rest) = rest.split_once(&format!("```{language}\n")).expect("a block");
    rest.split_once("```").expect("its end").0.to_owned()
}

/// Runs a shell block as somebody would who has the program in the PATH.
async fn shell(database: &Database, text: &str, folder: &std::path::Path) {
    let (program, settings) = (std::path::Path::new(env!("CARGO_BIN_EXE_vitals")), database.settings());
    let path = std::env::var("PATH").expect("a PATH");
    let running = tokio::process::Command::new("bash")
        .args(["-euc", text])
        .current_dir(folder)
        .stdin(Stdio::null())
        .env("PATH", format!("{}:{path}", program.parent().expect("a folder").display()))
        .env("VITALS_DATABASE_URL", &settings.database_url)
        .env("VITALS_REDIS_URL", &settings.redis_url)
        .output();
    let output =
        tokio::time::timeout(TIMEOUT, running).await.expect("ends in time").expect("bash can be run");
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
}

#[tokio::test]
async fn a_dashboard_of_one_tenant_sees_what_was_uploaded_and_nothing_else() {
    let database = Database::new().await;
    let client = database.client().await;
    client
        .batch_execute("drop role if exists clinic_board")
        .await
        .expect("left by a run that was broken off");
    let service = Service::start(&database).await;
    let folder =
        std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("readme-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");

    let upload = block("Upload a sample, as a watch does:", "sh");
    shell(
        &database,
        &upload.replace("http://127.0.0.1:8080", &service.url()).replace("curl -i", "curl -fsS"),
        &folder,
    )
    .await;
    let other =
        serde_json::json!({ "data": { "deviceSn": "ELSEWHERE", "heart_rate": 80, "customerId": "7" } });
    assert_eq!(service.upload(&other).await, (1, 0, 0));
    shell(&database, &block("**As which role.**", "sh"), &folder).await;
    client.batch_execute(&block("**As which role.**", "sql")).await.expect("the statements of README.md");

    let (address, _) =
        database.url().split_once("://").map(|(_, rest)| (rest.to_owned(), ())).expect("a URL");
    let (_, server) = address.rsplit_once('@').expect("a user");
    let board = format!("postgres://clinic_board:%E2%80%A6@{server}");
    let seen = async {
        let (board, connection) =
            tokio_postgres::connect(&board, tokio_postgres::NoTls).await.expect("logs in");
        let connection = tokio::spawn(connection);
        let rows = board
            .query("select device_sn, sum(samples)::bigint from dashboard.health_daily group by 1", &[])
            .await
            .expect("rows");
        drop(board);
        connection.await.expect("ends").expect("in order");
        rows.iter().map(|row| (row.get(0), row.get(1))).collect::<Vec<(String, i64)>>()
    };
    assert_eq!(seen.await, [("CRFTQ23409001890".to_owned(), 1)]);
    client.batch_execute("drop role clinic_board").await.expect("it owns nothing");
    std::fs::remove_dir_all(&folder).expect("removed");
    service.finish().await;
}

#[tokio::test]
async fn a_call_for_help_is_listed_taken_on_and_ended() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    let text =
        block("### You care for people: alerts", "sh").replace("http://127.0.0.1:8080", &service.url());
    // Somebody who types takes longer than the reaction.
    let (event, rest) = text.split_once("\ncurl").expect("several commands");
    shell(&database, &event.replace("curl ", "curl -fsS "), &std::env::temp_dir()).await;
    service.drained().await;
    shell(&database, &format!("curl{rest}").replace("curl ", "curl -fsS "), &std::env::temp_dir()).await;
    let alert = service.get("/api/alerts/1").await.body["alert"].clone();
    assert_eq!((&alert["status"], &alert["resolved_by"]), (&"resolved".into(), &"nurse Li".into()));
    service.finish().await;
}

#[tokio::test]
async fn the_settings_it_names_are_settings() {
    let database = Database::new().await;
    let printed = command(&database, &["settings"]).output().await.expect("it can be run");
    let printed = String::from_utf8(printed.stdout).expect("text");
    let table =
        README.split_once("## Settings").and_then(|(_, rest)| rest.split_once("\n## ")).expect("a section").0;
    for word in
        table.split('`').skip(1).step_by(2).filter(|word| word.starts_with("VITALS_") && word.len() > 8)
    {
        let older = word == "VITALS_WEBHOOK_ALLOW_PRIVATE";
        assert!(
            matches!(word, "VITALS_CONFIG" | "VITALS_*") || older || printed.contains(&format!("`{word}`")),
            "{word}"
        );
    }
}
