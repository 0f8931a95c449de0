//! Who may ask: keys, what they open, how they end; and that nothing of them is told.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use vitals::config::Authentication;

use crate::harness::{
    Answer, Database, Login, Process, Proxy, Service, authorization, command, eventually, key, vitals,
};

/// What each route needs; "" nothing, "?" see `key_tenants` and `accounts`. Whoever adds one says here who may ask it.
const NEEDS: [(&str, &str, &str); 126] = [
    ("get", "/", ""),
    ("post", "/upload_health_data", "upload"),
    ("post", "/upload_health_data_batch", "upload"),
    ("post", "/upload_device_info", "upload"),
    ("post", "/upload_common_event", "upload"),
    ("post", "/upload_watch_log", "upload"),
    ("get", "/fetch_health_data_config", "?"),
    ("get", "/api/alerts", "read"),
    ("get", "/api/alerts/summary", "read"),
    ("get", "/api/alerts/{id}", "read"),
    ("post", "/api/alerts/{id}/acknowledge", "respond"),
    ("post", "/api/alerts/{id}/resolve", "respond"),
    ("post", "/api/alerts/{id}/note", "respond"),
    ("post", "/api/alerts/{id}/assign", "respond"),
    ("get", "/api/contacts", "read"),
    ("get", "/api/contact_addresses", "read"),
    ("post", "/api/contact_addresses", "admin"),
    ("patch", "/api/contact_addresses/{id}", "admin"),
    ("delete", "/api/contact_addresses/{id}", "admin"),
    ("post", "/api/contact_addresses/{id}/test", "admin"),
    ("get", "/api/device_clocks", "read"),
    ("get", "/api/shifts", "read"),
    ("post", "/api/shifts", "admin"),
    ("delete", "/api/shifts/{id}", "admin"),
    ("get", "/api/notification_routes", "read"),
    ("post", "/api/notification_routes", "admin"),
    ("get", "/api/notification_routes/{id}", "read"),
    ("put", "/api/notification_routes/{id}", "admin"),
    ("delete", "/api/notification_routes/{id}", "admin"),
    ("post", "/api/notification_routes/{id}/test", "admin"),
    ("get", "/api/alerts/silences", "read"),
    ("post", "/api/alerts/silences", "respond"),
    ("delete", "/api/alerts/silences/{id}", "respond"),
    ("get", "/api/alerts/rules", "read"),
    ("post", "/api/alerts/rules", "admin"),
    ("get", "/api/alerts/rules/{id}", "read"),
    ("put", "/api/alerts/rules/{id}", "admin"),
    ("delete", "/api/alerts/rules/{id}", "admin"),
    ("get", "/api/alerts/rules/{id}/versions", "read"),
    ("get", "/livez", ""),
    ("get", "/health", ""),
    ("get", "/readyz", ""),
    ("get", "/metrics", "read"),
    ("get", "/api/health", "read"),
    ("get", "/api/stats", "read"),
    ("get", "/api/batch_processor/health", "read"),
    ("get", "/api/batch_processor/metrics", "read"),
    ("get", "/api/system_alerts", "read"),
    ("get", "/api/connections", "read"),
    ("get", "/api/stream", "read"),
    ("get", "/kiosk/{token}", ""),
    ("get", "/login/oidc", ""),
    ("get", "/login/oidc/callback", ""),
    ("post", "/login", ""),
    ("post", "/logout", "?"),
    ("post", "/session/grant", "?"),
    ("post", "/session/language", "?"),
    ("get", "/api/devices", "read"),
    ("get", "/api/devices/{sn}", "read"),
    ("get", "/api/devices/{sn}/events", "read"),
    ("get", "/api/devices/{sn}/exercise", "read"),
    ("get", "/api/devices/{sn}/latest", "read"),
    ("get", "/api/devices/{sn}/nights", "read"),
    ("get", "/api/devices/{sn}/series", "read"),
    ("get", "/api/devices/{sn}/track", "read"),
    ("get", "/api/devices/{sn}/workouts", "read"),
    ("get", "/api/overview", "read"),
    ("get", "/api/people", "read"),
    ("get", "/api/people/{id}", "read"),
    ("get", "/api/people/{id}/events", "read"),
    ("get", "/api/people/{id}/exercise", "read"),
    ("get", "/api/people/{id}/latest", "read"),
    ("get", "/api/people/{id}/nights", "read"),
    ("get", "/api/people/{id}/series", "read"),
    ("get", "/api/people/{id}/track", "read"),
    ("get", "/api/people/{id}/workouts", "read"),
    ("get", "/api/series", "read"),
    ("get", "/admin", "admin"),
    ("get", "/admin/accounts", "admin"),
    ("post", "/admin/accounts", "admin"),
    ("post", "/admin/accounts/{id}", "admin"),
    ("post", "/admin/kiosks", "admin"),
    ("post", "/admin/kiosks/{id}", "admin"),
    ("get", "/admin/contacts", "admin"),
    ("post", "/admin/contacts/addresses", "admin"),
    ("post", "/admin/contacts/addresses/{id}", "admin"),
    ("post", "/admin/contacts/routes", "admin"),
    ("post", "/admin/contacts/routes/{id}", "admin"),
    ("get", "/admin/shifts", "admin"),
    ("post", "/admin/shifts", "admin"),
    ("post", "/admin/shifts/{id}", "admin"),
    ("get", "/admin/keys", "admin"),
    ("post", "/admin/keys", "admin"),
    ("post", "/admin/keys/{id}", "admin"),
    ("get", "/admin/policies", "admin"),
    ("post", "/admin/policies", "admin"),
    ("get", "/admin/rejected", "admin"),
    ("post", "/admin/rejected", "admin"),
    ("get", "/admin/rules", "admin"),
    ("post", "/admin/rules", "admin"),
    ("get", "/admin/rules/{id}", "admin"),
    ("post", "/admin/rules/{id}", "admin"),
    ("get", "/admin/silences", "admin"),
    ("post", "/admin/silences/{id}", "admin"),
    ("get", "/alerts", "read"),
    ("post", "/alerts/actions", "respond"),
    ("get", "/alerts/{id}", "read"),
    ("post", "/alerts/{id}/acknowledge", "respond"),
    ("post", "/alerts/{id}/assign", "respond"),
    ("post", "/alerts/{id}/note", "respond"),
    ("post", "/alerts/{id}/resolve", "respond"),
    ("post", "/alerts/{id}/silence", "respond"),
    ("get", "/assets/{name}", ""),
    ("get", "/devices", "read"),
    ("get", "/devices/{sn}", "read"),
    ("get", "/fragments/alert-list", "read"),
    ("get", "/fragments/person-now", "read"),
    ("get", "/fragments/{part}", "read"),
    ("get", "/login", ""),
    ("get", "/people", "read"),
    ("get", "/people/{id}", "read"),
    // It reads the person, too: see `pages_records`.
    ("post", "/people/{id}/limits", "?"),
    ("get", "/wall", "read"),
    ("get", "/openapi.json", ""),
    ("get", "/docs", ""),
    ("get", "/docs/{file}", ""),
];

/// A service that asks for keys.
async fn asking(database: &Database) -> Service {
    Service::start_with(database, |settings| {
        settings.authentication = Authentication::Keys;
        settings.limits.failures_per_minute = 10_000;
    })
    .await
}

fn sample(device_sn: &str, rate: u32) -> Value {
    json!({ "data": { "deviceSn": device_sn, "heart_rate": rate, "timestamp": 1_767_294_245 } })
}

async fn upload(service: &Service, authorization: &str) -> Answer {
    service.send_as(authorization, "POST", "/upload_health_data", Some(&sample("KEY-1", 70))).await
}

#[tokio::test]
async fn a_scope_opens_its_routes_and_no_others() {
    let database = Database::new().await;
    let service = asking(&database).await;
    let mut keys = BTreeMap::new();
    for scope in ["upload", "read", "admin"] {
        keys.insert(scope, authorization(&database, &[scope], 0).await);
    }
    let respond = ["responder", "--scope", "respond", "--vouch", "--as", "bearer"];
    keys.insert("respond", key(&database, &respond).await);
    let document = service.get("/openapi.json").await.body;
    let paths = document["paths"].as_object().expect("paths");
    let described: usize = paths.values().map(|item| item.as_object().expect("operations").len()).sum();
    assert_eq!(described, NEEDS.len(), "a route that is not in the table above");
    for (method, path, need) in NEEDS.iter().filter(|(.., need)| *need != "?") {
        let operation = &paths[*path][*method];
        assert_eq!(operation["security"][0]["bearer"][0].as_str().unwrap_or(""), *need, "{method} {path}");
        // Nobody's number, so that nothing is changed.
        let path = path.replace("{id}", "987654321").replace("{file}", "swagger-ui.css");
        let ask = async |given: &str| {
            let answer = service.send_as(given, &method.to_uppercase(), &path, None).await;
            let is_page = answer.header("content-type").is_some_and(|kind| kind.starts_with("text/html"));
            let is_json = answer.status < 400 || answer.body["status"] == "error" || path == "/readyz";
            assert!(is_json || is_page, "{method} {path} {answer:?}");
            answer
        };
        let without = ask("").await;
        assert_eq!(without.status == 401, !need.is_empty(), "{method} {path} {without:?}");
        assert_eq!(without.header("www-authenticate"), (!need.is_empty()).then_some("Bearer"));
        for (scope, given) in &keys {
            let status = ask(given).await.status;
            let reads_alerts =
                *need != "admin" && operation["security"][0]["bearer"].to_string().contains("own_unit");
            let opens = match *scope {
                "respond" => reads_alerts,
                "admin" => ["admin", "respond"].contains(need),
                scope => *need == scope,
            };
            match need.is_empty() || opens {
                true => assert!(![401, 403].contains(&status), "{scope}: {method} {path} {status}"),
                false => assert_eq!(status, 403, "{scope}: {method} {path}"),
            }
        }
    }
    for path in ["/api/nothing", "/api/"] {
        assert_eq!(service.get(path).await.status, 401, "what is there is told to nobody: {path}");
        assert_eq!(service.send_as(&keys["read"], "GET", path, None).await.status, 404, "{path}");
    }
    // HEAD is a GET that shows less.
    assert_eq!(service.send("HEAD", "/api/alerts", None).await.status, 401);
    assert_eq!(service.send("HEAD", "/metrics", None).await.status, 401);
    service.finish().await;
}

#[tokio::test]
async fn where_nobody_is_asked_the_document_says_so() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    let document = service.get("/openapi.json").await.body;
    assert!(!document["paths"].to_string().contains("\"security\""));
    assert_eq!(service.get("/api/alerts").await.status, 200);
    service.finish().await;
}

#[tokio::test]
async fn a_key_is_taken_as_bearer_and_as_basic_and_nothing_else_is() {
    let database = Database::new().await;
    let service = asking(&database).await;
    let basic = key(&database, &["a watch", "--scope", "upload", "--as", "basic"]).await;
    let plain = key(&database, &["a gateway", "--scope", "upload"]).await;
    assert!(plain.starts_with("vk_"), "{plain}");
    assert!(basic.starts_with("Basic "), "{basic}");
    for good in [basic.clone(), format!("Bearer {plain}"), format!("bearer  {plain}")] {
        assert_eq!(upload(&service, &good).await.status, 200, "{good}");
    }
    let (public, secret) = plain.rsplit_once('_').expect("two parts");
    let another = key(&database, &["another", "--scope", "upload"]).await;
    let (other_public, _) = another.rsplit_once('_').expect("two parts");
    for bad in [
        plain.clone(),
        format!("Basic {plain}"),
        format!("Bearer {public}_{}", secret.chars().rev().collect::<String>()),
        format!("Bearer {other_public}_{secret}"),
        format!("Bearer vk_000000000000_{secret}"),
        format!("Bearer {plain}0"),
        "Bearer ".to_owned(),
        "Basic !".to_owned(),
    ] {
        let answer = upload(&service, &bad).await;
        assert_eq!((answer.status, answer.header("www-authenticate")), (401, Some("Bearer")), "{bad}");
        assert_eq!(answer.body["status"], "error");
    }
    service.finish().await;
}

#[tokio::test]
async fn a_key_is_shown_once_and_what_is_kept_opens_nothing() {
    let database = Database::new().await;
    let service = asking(&database).await;
    let text = key(&database, &["only once", "--scope", "read"]).await;
    let secret = text.rsplit('_').next().expect("a secret");
    for arguments in [&["keys", "list"][..], &["keys", "list", "--json"]] {
        let said = vitals(&database, arguments).await;
        assert!(said.out.contains("only once") && !said.out.contains(secret), "{said:?}");
    }
    let client = database.client().await;
    let query = "select key_id, encode(secret_hash, 'hex'), to_jsonb(api_key)::text from api_key";
    let row = client.query_one(query, &[]).await.expect("the key");
    let (key_id, hash, whole) = (row.get::<_, &str>(0), row.get::<_, &str>(1), row.get::<_, &str>(2));
    assert!(!whole.contains(secret), "{whole}");
    let with_the_hash = format!("Bearer vk_{key_id}_{hash}");
    assert_eq!(service.send_as(&with_the_hash, "GET", "/api/alerts", None).await.status, 401);
    assert_eq!(service.send_as(&format!("Bearer {text}"), "GET", "/api/alerts", None).await.status, 200);
    let again = vitals(&database, &["keys", "create", "only once", "--scope", "read"]).await;
    assert!(again.code == 1 && again.err.contains("already"), "{again:?}");
    service.finish().await;
}

async fn status(service: &Service, authorization: &str) -> u16 {
    service.send_as(authorization, "GET", "/api/alerts", None).await.status
}

#[tokio::test]
async fn a_revoked_key_is_refused_by_every_instance_and_never_comes_back() {
    let database = Database::new().await;
    let (one, other) = (asking(&database).await, asking(&database).await);
    let (first, second) =
        (key(&database, &["first", "--scope", "read"]).await, authorization(&database, &["read"], 0).await);
    let first = format!("Bearer {first}");
    for service in [&one, &other] {
        assert_eq!((status(service, &first).await, status(service, &second).await), (200, 200));
    }
    let said = vitals(&database, &["keys", "revoke", "first"]).await;
    assert_eq!(said.code, 0, "{said:?}");
    for service in [&one, &other] {
        eventually("the key is refused", async || (status(service, &first).await == 401).then_some(())).await;
        assert_eq!(status(service, &second).await, 200, "another key is another matter");
    }
    let client = database.client().await;
    client.batch_execute("update api_key set revoked_at = null").await.expect_err("revoked for good");
    let said = vitals(&database, &["keys", "revoke", "first"]).await;
    assert_eq!(said.code, 1, "{said:?}");
    // A key that is deleted by hand is gone as well.
    client.batch_execute("delete from api_key").await.expect("deleted");
    eventually("nobody is let in", async || (status(&one, &second).await == 401).then_some(())).await;
    one.finish().await;
    other.finish().await;
}

#[tokio::test]
async fn a_key_ends_when_it_was_said_to() {
    let database = Database::new().await;
    let service = asking(&database).await;
    let text = format!("Bearer {}", key(&database, &["brief", "--scope", "read", "--for", "1h"]).await);
    assert_eq!(status(&service, &text).await, 200);
    let client = database.client().await;
    let brief = "update api_key set expires_at = now() + interval '2 seconds'";
    client.batch_execute(brief).await.expect("changed");
    // Nobody says anything when the time comes.
    eventually("it is over", async || (status(&service, &text).await == 401).then_some(())).await;
    let is_over = client.query_one("select clock_timestamp() >= expires_at from api_key", &[]).await;
    assert!(is_over.expect("the key").get::<_, bool>(0), "and not before");
    let listed = vitals(&database, &["keys", "list"]).await;
    assert!(!listed.out.contains("brief"), "{listed:?}");
    assert!(vitals(&database, &["keys", "list", "--all"]).await.out.contains("brief"));
    for wrong in [["--for", "-2h"], ["--for", "soon"], ["--until", "2020-01-01"]] {
        let arguments = [&["keys", "create", "x", "--scope", "read"], &wrong[..]].concat();
        assert_ne!(vitals(&database, &arguments).await.code, 0, "{wrong:?}");
    }
    service.finish().await;
}

#[tokio::test]
async fn a_rotated_key_does_with_both_secrets_as_long_as_was_said() {
    let database = Database::new().await;
    let service = asking(&database).await;
    let rotate = async |arguments: &[&str]| {
        let said = vitals(&database, &[&["keys", "rotate", "ward"], arguments].concat()).await;
        assert_eq!(said.code, 0, "{said:?}");
        format!("Bearer {}", said.out.trim_end())
    };
    let first = format!("Bearer {}", key(&database, &["ward", "--scope", "read"]).await);
    assert_eq!(status(&service, &first).await, 200);
    let second = rotate(&[]).await;
    assert_eq!(first[..22], second[..22], "the public part stays");
    assert_ne!(first, second);
    eventually("the new one does", async || (status(&service, &second).await == 200).then_some(())).await;
    assert_eq!(status(&service, &first).await, 200, "for a while");
    let third = rotate(&["--overlap", "0s"]).await;
    eventually("the new one does", async || (status(&service, &third).await == 200).then_some(())).await;
    assert_eq!((status(&service, &second).await, status(&service, &first).await), (401, 401));
    service.finish().await;
}

#[tokio::test]
async fn when_a_key_was_last_used_is_told() {
    let database = Database::new().await;
    let service = asking(&database).await;
    let used = authorization(&database, &["read"], 0).await;
    authorization(&database, &["upload"], 0).await;
    assert_eq!(status(&service, &used).await, 200);
    let client = database.client().await;
    let query = "select name from api_key where last_used_at > now() - interval '1 minute'";
    let name: String = eventually("it is told", async || {
        client.query_opt(query, &[]).await.expect("keys").map(|row| row.get(0))
    })
    .await;
    assert_eq!(name, "read-0");
    service.finish().await;
}

#[tokio::test]
async fn a_known_key_goes_on_while_the_database_is_away_and_an_unknown_one_waits() {
    let database = Database::new().await;
    let (cable, url) = Proxy::before(&database.url()).await;
    let service = Service::start_with(&database, |settings| {
        settings.database_url = url;
        settings.authentication = Authentication::Keys;
    })
    .await;
    let (known, new) = (
        authorization(&database, &["read"], 0).await,
        format!("Bearer {}", key(&database, &["new", "--scope", "read"]).await),
    );
    // The table changed a moment ago, so what is remembered now may be forgotten once more.
    eventually("both keys were told of", async || {
        assert_eq!(status(&service, &known).await, 200);
        let asked = service.send_as(&known, "GET", "/metrics", None).await;
        asked.body.as_str().expect("text").contains("statement=\"api_key.used\"").then_some(())
    })
    .await;
    cable.cut();
    assert_eq!(service.send_as(&known, "GET", "/metrics", None).await.status, 200);
    let waits = service.send_as(&new, "GET", "/metrics", None).await;
    assert_eq!(
        (waits.status, waits.retry_after.is_some()),
        (503, true),
        "it is not said to be wrong: {waits:?}"
    );
    cable.restore();
    eventually("it is let in", async || (status(&service, &new).await == 200).then_some(())).await;
    service.finish().await;
}

#[tokio::test]
async fn beyond_loopback_nobody_serves_without_keys() {
    let database = Database::new().await;
    let mut serving = command(&database, &["serve"]);
    serving.env("VITALS_LISTEN", "0.0.0.0:0").env("VITALS_AUTHENTICATION", "off");
    let output = serving.kill_on_drop(true).output().await.expect("it can be run");
    let said = String::from_utf8(output.stderr).expect("text");
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("authentication"), "{said}");
}

#[tokio::test]
async fn check_says_whether_anybody_has_a_key() {
    let database = Database::new().await;
    let check = async || {
        let output = command(&database, &["check"]).env("VITALS_AUTHENTICATION", "keys").output().await;
        let output = output.expect("it can be run");
        (output.status.code(), String::from_utf8(output.stdout).expect("text"))
    };
    let (code, said) = check().await;
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("BAD   keys: "), "{said}");
    authorization(&database, &["upload"], 0).await;
    let (code, said) = check().await;
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("ok    keys: 1 keys in force"), "{said}");

    // What watches are told: everybody's key, nobody's, one of the tenant.
    let (every, own) = (
        key(&database, &["every", "--scope", "upload", "--as", "basic"]).await,
        key(&database, &["own", "--scope", "upload", "--tenant", "7", "--as", "basic"]).await,
    );
    let client = database.client().await;
    client
        .batch_execute("insert into customer (customer_id, name) values (7, 'Seven')")
        .await
        .expect("a tenant");
    for (header, finding) in [(every.as_str(), Some("or of all")), ("Bearer x", Some("no key")), (&own, None)]
    {
        let sql =
            "insert into device_config_interface (customer_id, name, path, interval_seconds, auth_header)
                   values (7, 'told', '/upload_health_data', 60, $1)
                   on conflict (customer_id, name) do update set auth_header = excluded.auth_header";
        client.execute(sql, &[&header]).await.expect("told");
        let (code, said) = check().await;
        assert_eq!(code, Some(finding.map_or(0, |_| 1)), "{said}");
        assert!(finding.is_none_or(|finding| said.contains(finding)), "{said}");
        assert!(!said.contains(header), "{said}");
    }
    let revoked = vitals(&database, &["keys", "revoke", "own"]).await;
    assert_eq!(revoked.code, 0, "{revoked:?}");
    let (code, said) = check().await;
    assert!(code == Some(1) && said.contains("no longer works"), "{said}");
}

#[tokio::test]
async fn the_service_makes_no_key_and_the_dba_ends_any() {
    let database = Database::new().await;
    authorization(&database, &["upload"], 0).await;
    let denied = async |login: &Login, sql: &str| {
        let error = login.client().await.batch_execute(sql).await.expect_err(sql);
        assert_eq!(error.code().map(|code| code.code()), Some("42501"), "{sql}: {error:?}");
    };
    let (service, dba) =
        (Login::of(&database, "vitals_service").await, Login::of(&database, "vitals_dba").await);
    for login in [&service, &dba] {
        for sql in [
            "insert into api_key (key_id, name, scopes, secret_hash) values ('000000000000', 'x', '{admin}', sha256(''))",
            "update api_key set scopes = '{admin}'",
            "update api_key set secret_hash = sha256('')",
            "delete from api_key",
        ] {
            denied(login, sql).await;
        }
    }
    denied(&service, "update api_key set revoked_at = now()").await;
    service.client().await.batch_execute("update api_key set last_used_at = now()").await.expect("may");
    dba.client().await.batch_execute("update api_key set revoked_at = now()").await.expect("may");
}

/// Everything a service logs at its most talkative, while all that is secret passes through it.
#[tokio::test]
async fn nothing_secret_is_logged() {
    let database = Database::new().await;
    let plain = key(&database, &["secret", "--scope", "upload", "--scope", "read"]).await;
    let basic = key(&database, &["secret too", "--scope", "upload", "--as", "basic"]).await;
    let variables = [("VITALS_LOG", "trace"), ("VITALS_AUTHENTICATION", "keys")];
    let process = Process::serve(&database, &variables).await;
    let http = reqwest::Client::new();
    let wrong = format!("Bearer {}0", &plain[..plain.len() - 1]);
    let almost = wrong.rsplit('_').next().expect("a secret").to_owned();
    for given in [format!("Bearer {plain}"), basic.clone(), wrong, "Bearer hunter2-and-more".to_owned()] {
        for (method, path) in [
            ("POST", "/upload_health_data"),
            ("POST", "/upload_common_event"),
            ("GET", "/fetch_health_data_config?deviceSn=LOGGED-1"),
            ("GET", "/api/alerts"),
            ("GET", "/metrics"),
        ] {
            let method = method.parse().expect("a method");
            let request = http.request(method, format!("{}{path}", process.url));
            let sent = request.header("authorization", &given).body(sample("LOGGED-1", 71).to_string());
            sent.send().await.expect("an answer");
        }
    }
    process.signal("TERM");
    let (ended, log) = process.ended_with_log().await;
    assert!(ended.success());
    assert!(log.contains("api_key.find") && log.contains("stopped"), "it was talkative: {log}");
    let url = database.url();
    let (_, password) = url.split_once('@').expect("a user").0.rsplit_once(':').expect("a password");
    let secret = plain.rsplit('_').next().expect("a secret");
    let packed = basic.strip_prefix("Basic ").expect("so asked");
    for secret in [secret, packed, &almost, "hunter2", &format!(":{password}@")] {
        assert!(!log.contains(secret), "{secret}");
    }
    assert!(!log.to_lowercase().contains("bearer vk_"));
}
