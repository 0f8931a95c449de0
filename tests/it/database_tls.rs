//! TLS to PostgreSQL and Redis: who is verified, who is refused, and what is said of it.

use serde_json::json;

use crate::harness::{CommandOutput, Database, Encrypted, Process, command, eventually};

/// `url` by this host, with these parameters.
fn by(host: &str, url: &str, parameters: &str) -> String {
    format!("{}?{parameters}", url.replace("127.0.0.1", host).replace("localhost", host))
}

async fn check(database: &Database, variables: &[(&str, &str)]) -> CommandOutput {
    let running = command(database, &["check"]).envs(variables.iter().copied()).output().await;
    let output = running.expect("it can be run");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    CommandOutput {
        code: output.status.code().expect("a code"),
        out: text(output.stdout),
        err: text(output.stderr),
    }
}

/// What `vitals check` says of PostgreSQL by this URL.
async fn says(database: &Database, url: &str) -> String {
    let said = check(database, &[("VITALS_DATABASE_URL", url)]).await;
    let is_good = said.out.contains("ok    PostgreSQL: ");
    assert!(is_good || said.code == 1, "{said:?}");
    assert!(is_good || said.out.contains("(setting database_url)"), "{said:?}");
    let about = |line: &&str| line.contains("PostgreSQL: ") && !line.contains("PostgreSQL: answers");
    let about = said.out.lines().find(about).unwrap_or_else(|| panic!("{said:?}"));
    assert!(!about.contains("db error"), "{about}");
    about.to_owned()
}

#[tokio::test]
async fn a_service_verifies_its_servers_and_every_connection_is_encrypted() {
    let Some(encrypted) = Encrypted::bring_up().await else { return };
    let database = Database::on_encrypted(encrypted).await;
    let parameters =
        format!("sslmode=verify-full&sslrootcert={}&channel_binding=require", encrypted.file("ca.pem"));
    let (url, ca) = (by("localhost", &database.url(), &parameters), encrypted.file("ca.pem"));
    let plain = database.redis_url();
    let number = plain.rsplit_once('/').expect("a number").1;
    let redis = format!("{}/{number}", encrypted.rediss_url.trim_end_matches("/0"));
    let variables =
        [("VITALS_DATABASE_URL", url.as_str()), ("VITALS_REDIS_URL", &redis), ("VITALS_REDIS_CA", &ca)];
    let migrated = command(&database, &["migrate"]).envs(variables).status().await.expect("it can be run");
    assert!(migrated.success(), "migrates over TLS");
    let said = check(&database, &variables).await;
    assert!(
        said.out.contains("ok    connection to PostgreSQL: encrypted, as the server sees it: TLSv1.3"),
        "{said:?}"
    );
    assert!(said.out.contains("ok    connection to Redis: encrypted"), "{said:?}");

    let process = Process::serve(&database, &variables).await;
    let body = json!({"data": {"deviceSn": "TLS-1", "heart_rate": 71, "timestamp": "2026-01-05 08:00:00"}});
    let body = json!({"data": [body["data"].clone()]}).to_string();
    let upload = reqwest::Client::new().post(format!("{}/upload_health_data", process.url)).body(body);
    let answer = upload.send().await.expect("an answer");
    assert_eq!(answer.status(), 200, "{}", answer.text().await.unwrap_or_default());
    let mut at_redis = database.redis().await;
    eventually("the latest value is shown", async || {
        let shown: Option<String> = redis::cmd("HGET")
            .arg("health_data:TLS-1")
            .arg("heartRate")
            .query_async(&mut at_redis.clone())
            .await
            .expect("Redis answers");
        (shown.as_deref() == Some("71")).then_some(())
    })
    .await;
    let _ = &mut at_redis;
    let client = database.client().await;
    let row = client
        .query_one(
            "select count(*) filter (where s.ssl), count(*) filter (where not s.ssl)
             from pg_stat_activity a join pg_stat_ssl s using (pid)
             where a.datname = current_database() and a.application_name like 'vitals %'",
            &[],
        )
        .await
        .expect("counts");
    let (ours, plain): (i64, i64) = (row.get(0), row.get(1));
    assert!(ours > 5 && plain == 0, "{ours} encrypted, {plain} not: pool, writers, listeners");
    process.signal("TERM");
    assert!(process.ended().await.success());
}

#[tokio::test]
async fn a_server_that_is_not_the_one_it_should_be_is_refused() {
    let Some(encrypted) = Encrypted::bring_up().await else { return };
    let database = Database::on_encrypted(encrypted).await;
    let (ca, other) = (encrypted.file("ca.pem"), encrypted.file("other-ca.pem"));
    for (host, parameters, expected) in [
        ("localhost", format!("sslmode=verify-full&sslrootcert={ca}"), "encrypted, as the server sees it"),
        ("localhost", format!("sslmode=verify-full&sslrootcert={other}"), "UnknownIssuer"),
        ("127.0.0.1", format!("sslmode=verify-full&sslrootcert={ca}"), "not valid for name"),
        ("127.0.0.1", format!("sslmode=verify-ca&sslrootcert={ca}"), "encrypted, as the server sees it"),
        ("127.0.0.1", format!("sslmode=verify-ca&sslrootcert={other}"), "UnknownIssuer"),
        ("127.0.0.1", format!("sslmode=require&sslrootcert={other}"), "UnknownIssuer"),
        ("127.0.0.1", "sslmode=require".to_owned(), "encrypted, as the server sees it"),
        ("127.0.0.1", "sslmode=prefer".to_owned(), "encrypted, as the server sees it"),
        ("127.0.0.1", format!("sslmode=prefer&sslrootcert={other}"), "not encrypted"),
        ("127.0.0.1", "sslmode=disable".to_owned(), "not encrypted"),
    ] {
        let said = says(&database, &by(host, &database.url(), &parameters)).await;
        let found =
            said.contains(expected) && (expected != "encrypted, as" || !said.contains("not encrypted"));
        assert!(found, "{host} {parameters}: {said}");
    }
}

#[tokio::test]
async fn a_server_that_offers_no_tls_is_refused_where_it_is_required() {
    let Some(encrypted) = Encrypted::bring_up().await else { return };
    let database = Database::empty("Asia/Shanghai").await;
    let ca = encrypted.file("ca.pem");
    for (parameters, expected) in [
        ("sslmode=require".to_owned(), "server does not support TLS"),
        (format!("sslmode=verify-full&sslrootcert={ca}"), "server does not support TLS"),
        ("sslmode=prefer".to_owned(), "not encrypted"),
    ] {
        let said = says(&database, &by("localhost", &database.url(), &parameters)).await;
        assert!(said.contains(expected), "{parameters}: {said}");
    }
    for (parameters, expected) in [
        ("sslmode=verify-full", "sslrootcert"),
        ("sslmode=verify-ca&sslrootcert=/nowhere.pem", "/nowhere.pem"),
    ] {
        let url = by("localhost", &database.url(), parameters);
        let said = check(&database, &[("VITALS_DATABASE_URL", &url)]).await;
        assert!(
            said.code == 1 && said.err.contains("database_url") && said.err.contains(expected),
            "{said:?}"
        );
    }
}

#[tokio::test]
async fn a_server_that_asks_for_a_certificate_is_shown_ours() {
    let Some(encrypted) = Encrypted::bring_up().await else { return };
    let database = Database::on_encrypted(encrypted).await;
    let make = "do $$ begin create role certified login superuser password 'certified'; \
                exception when duplicate_object then null; end $$";
    database.client().await.batch_execute(make).await.expect("a role");
    let (_, at) = database.url().rsplit_once('@').map(|(a, b)| (a.to_owned(), b.to_owned())).expect("a host");
    let url = format!("postgres://certified:certified@{at}");
    let file = |name: &str| encrypted.file(name);
    let with = |cert: &str| {
        format!(
            "sslmode=verify-full&sslrootcert={}&sslcert={}&sslkey={}",
            file("ca.pem"),
            file(&format!("{cert}.pem")),
            file(&format!("{cert}.key"))
        )
    };
    let without = format!("sslmode=verify-full&sslrootcert={}", file("ca.pem"));
    let said = says(&database, &by("localhost", &url, &without)).await;
    assert!(said.contains("requires a valid client certificate"), "the server's own words: {said}");
    let said = says(&database, &by("localhost", &url, &with("client"))).await;
    assert!(said.contains("encrypted, as the server sees it"), "{said}");
    let said = says(&database, &by("localhost", &url, &with("other-client"))).await;
    assert!(said.contains("BAD   PostgreSQL"), "a certificate of another CA: {said}");
}

#[tokio::test]
async fn a_redis_that_is_not_the_one_it_should_be_is_refused() {
    let Some(encrypted) = Encrypted::bring_up().await else { return };
    let database = Database::on_encrypted(encrypted).await;
    let (rediss, plain) = (&encrypted.rediss_url, database.redis_url().replace("redis://", "rediss://"));
    let by_number = rediss.replace("localhost", "127.0.0.1");
    for (url, ca, expected) in [
        (rediss, "ca.pem", "ok    connection to Redis: encrypted"),
        (rediss, "other-ca.pem", "UnknownIssuer"),
        (&by_number, "ca.pem", "not valid for name"),
        (&plain, "ca.pem", "BAD   Redis"),
    ] {
        let ca = encrypted.file(ca);
        let said = check(&database, &[("VITALS_REDIS_URL", url), ("VITALS_REDIS_CA", &ca)]).await;
        let at = url.trim_start_matches("rediss://").split('/').next().expect("host and port");
        assert!(said.out.contains(expected) && said.out.contains(at), "{url}: {said:?}");
    }
}

#[tokio::test]
async fn a_service_for_others_says_so_when_its_servers_are_far_and_read_along() {
    let database = Database::new().await;
    // A name, of which only the resolver knows that it is this machine.
    let far = |url: String| url.replace("127.0.0.1", "127.1").replace("localhost", "127.1");
    let (far_database, far_redis) = (far(database.url()), far(database.redis_url()));
    let serve = async |listen: &str, database_url: &str, redis_url: &str| {
        let variables = [
            ("VITALS_LISTEN", listen),
            ("VITALS_AUTHENTICATION", "keys"),
            ("VITALS_DATABASE_URL", database_url),
            ("VITALS_REDIS_URL", redis_url),
        ];
        let process = Process::serve(&database, &variables).await;
        // It was said before it served.
        let said = process.log_lines().join("\n");
        drop(process);
        let of = |server: &str| said.contains(&format!("the connection to {server} is not encrypted"));
        (of("PostgreSQL"), of("Redis"))
    };
    assert_eq!(serve("0.0.0.0:0", &far_database, &far_redis).await, (true, true));
    assert_eq!(serve("127.0.0.1:0", &far_database, &far_redis).await, (false, false));
    assert_eq!(serve("0.0.0.0:0", &database.url(), &database.redis_url()).await, (false, false));
}
