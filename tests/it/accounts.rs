//! People log in: passwords and their limits, sessions and their ends, roles and grants, changes in the name of the person.

mod access_log;
mod administration;
mod kiosk;
mod oidc;
mod policies;
mod refused;
mod rights;
mod stream_end;
mod tenant_parts;

use serde_json::json;
use vitals::config::{Authentication, Settings};

use crate::harness::{
    Browser, Database, PASSWORD, Service, account, add_alert, eventually, key, people, vitals,
};

/// Two tenants, with units of the first.
const CLINICS: &str = "
    insert into customer (customer_id, name) values (5, 'Sunset'), (6, 'Harbour');
    insert into org_unit (org_id, name, ancestors) values (50, 'Ward 3', '{0,5}'), (51, null, '{0,5}'), (60, null, '{0,6}');";

const SESSION: &str = "vitals_session";

/// A service that asks who sends a request.
async fn asking(database: &Database) -> Service {
    asking_with(database, |_| ()).await
}

async fn asking_with(database: &Database, change: impl FnOnce(&mut Settings)) -> Service {
    Service::start_with(database, |settings| {
        settings.authentication = Authentication::Keys;
        settings.limits.failures_per_minute = 10_000;
        change(settings);
    })
    .await
}

async fn clinics() -> Database {
    let database = Database::new().await;
    database.client().await.batch_execute(CLINICS).await.expect("a directory");
    database
}

async fn status(browser: &Browser) -> u16 {
    browser.get("/api/alerts").await.status
}

/// Waits until the browser is logged out.
async fn logged_out(browser: &Browser) {
    eventually("the session has ended", || async { (status(browser).await == 401).then_some(()) }).await;
}

#[tokio::test]
async fn a_session_opens_what_a_key_of_the_role_opens_and_acts_in_the_name_of_the_person() {
    let database = clinics().await;
    let service = asking(&database).await;
    account(&database, &["li", "--name", "Li Ming", "--role", "responder", "--tenant", "5", "--unit", "50"])
        .await;
    account(&database, &["wu", "--name", "Dr. Wu", "--role", "viewer", "--tenant", "5"]).await;
    account(&database, &["ops", "--role", "admin"]).await;
    let like = async |name: &str, arguments: &[&str]| {
        key(&database, &[&[name, "--as", "bearer"], arguments].concat()).await
    };
    let pairs = [
        ("li", like("li", &["--scope", "respond", "--vouch", "--tenant", "5", "--unit", "50"]).await),
        ("wu", like("wu", &["--scope", "read", "--tenant", "5"]).await),
        ("ops", like("ops", &["--scope", "read", "--scope", "admin"]).await),
    ];
    let client = database.client().await;
    let own = add_alert(&client, 1, "OWN", 5, &json!({ "customer_id": 5, "org_id": 50 })).await;
    let ward = add_alert(&client, 1, "WARD", 5, &json!({ "customer_id": 5, "org_id": 51 })).await;
    let other = add_alert(&client, 1, "OTHER", 5, &json!({ "customer_id": 6, "org_id": 60 })).await;
    let mut paths: Vec<String> = [
        "alerts",
        "alerts/summary",
        "alerts/rules",
        "alerts/silences",
        "contacts",
        "contact_addresses",
        "shifts",
        "notification_routes",
        "device_clocks",
        "system_alerts",
        "stats",
        "connections",
        "nothing",
        "alerts?customer_id=6",
    ]
    .map(|path| format!("/api/{path}"))
    .to_vec();
    paths.extend([own, ward, other].map(|id| format!("/api/alerts/{id}")));
    paths.push("/metrics".to_owned());
    for (login, key) in &pairs {
        let browser = Browser::logged_in(&service, login).await;
        for path in &paths {
            let as_key = service.send_as(key, "GET", path, None).await;
            let as_person = browser.get(path).await;
            assert_eq!(as_person.status, as_key.status, "{login} {path} {as_person:?}");
            if path.starts_with("/api/alerts") && as_person.status == 200 {
                assert_eq!(as_person.json(), as_key.body, "{login} {path}");
            }
        }
        let upload = browser.post_json("/upload_health_data", &json!({})).await;
        assert_eq!(upload.status, 403, "uploads are for keys: {upload:?}");
    }

    let li = Browser::logged_in(&service, "LI").await;
    let step = format!("/api/alerts/{own}/acknowledge");
    assert_eq!(li.post_json(&step, &json!({ "actor": "Dr. Wu" })).await.status, 403, "nobody else");
    let taken = li.post_json(&step, &json!({ "note": "on my way" })).await;
    assert_eq!(
        (taken.status, &taken.json()["alert"]["acknowledged_by"]),
        (200, &json!("Li Ming")),
        "{taken:?}"
    );
    for id in [ward, other] {
        let answer = li.post_json(&format!("/api/alerts/{id}/resolve"), &json!({})).await;
        assert_eq!(answer.status, 404, "{answer:?}");
    }
    let silence =
        li.post_json("/api/alerts/silences", &json!({ "device_sn": "OWN", "for_seconds": 60 })).await;
    assert_eq!(silence.json()["actor"], "Li Ming", "{silence:?}");
    let rule = json!({ "name": "Low", "kind": "threshold", "severity": "major", "metric": "blood_oxygen", "min_value": 85 });
    assert_eq!(li.post_json("/api/alerts/rules", &rule).await.status, 403);
    let ops = Browser::logged_in(&service, "ops").await;
    assert_eq!(ops.post_json("/api/alerts/rules", &rule).await.status, 201);
    let changed_by = "select changed_by from alert_rule where name = 'Low'";
    assert_eq!(client.query_one(changed_by, &[]).await.expect("the rule").get::<_, String>(0), "ops");
    let wu = Browser::logged_in(&service, "wu").await;
    assert_eq!(wu.post_json(&format!("/api/alerts/{own}/resolve"), &json!({})).await.status, 403);
    service.finish().await;
}

#[tokio::test]
async fn a_password_cannot_be_found_by_trying() {
    let database = Database::new().await;
    let service = asking_with(&database, |settings| {
        settings.login.account_tries_per_minute = 3;
        settings.login.address_failures_per_minute = 5;
    })
    .await;
    for login in ["li", "wu", "ma"] {
        account(&database, &[login, "--role", "viewer"]).await;
    }
    let browser = Browser::new(&service);
    let tried = async |login: &str, password: &str| browser.log_in(login, password).await.location;
    for password in ["wrong", "", &"x".repeat(5000)] {
        assert_eq!(tried("li", password).await, "/login?failed=wrong");
    }
    assert_eq!(tried("Li", PASSWORD).await, "/login?failed=limited", "of one account");
    assert_eq!(tried("wu", PASSWORD).await, "/wall", "another one is free");
    assert_eq!(tried("nobody", PASSWORD).await, "/login?failed=wrong", "as if there were such an account");
    assert_eq!(tried("nobody", PASSWORD).await, "/login?failed=wrong");
    assert_eq!(tried("nobody", PASSWORD).await, "/login?failed=wrong");
    assert_eq!(tried("ma", PASSWORD).await, "/login?failed=limited", "of one address");
    assert_eq!(status(&browser).await, 200, "who is logged in stays so");
    service.finish().await;
}

#[tokio::test]
async fn a_session_counts_in_every_instance_and_ends_when_nobody_uses_it_and_at_its_end() {
    let database = Database::new().await;
    account(&database, &["li", "--role", "viewer"]).await;
    let (one, other) = (asking(&database).await, asking(&database).await);
    let browser = Browser::logged_in(&one, "li").await;
    let there = browser.moved_to(&other);
    assert_eq!((status(&browser).await, status(&there).await), (200, 200));

    let client = database.client().await;
    let set = async |change: &str| {
        client.batch_execute(&format!("update vitals.account_session set {change}")).await.expect("changed");
    };
    // No instance that has it in memory is notified of that; it is read again after some seconds.
    set("seen_at = now() - interval '59 minutes'").await;
    let fresh = asking(&database).await;
    let after_a_while = browser.moved_to(&fresh);
    assert_eq!(status(&after_a_while).await, 200);
    let seen = "select count(*) from vitals.account_session where seen_at > now() - interval '1 minute'";
    eventually("its use is recorded", || async {
        let seen: i64 = client.query_one(seen, &[]).await.expect("a count").get(0);
        (seen == 1).then_some(())
    })
    .await;
    fresh.finish().await;
    set("seen_at = now() - interval '61 minutes'").await;
    let fresh = asking(&database).await;
    assert_eq!(status(&browser.moved_to(&fresh)).await, 401, "nobody used it for an hour");
    fresh.finish().await;

    set("seen_at = now(), created_at = now() - interval '13 hours', ends_at = now() - interval '1 second'")
        .await;
    logged_out(&browser).await;
    logged_out(&there).await;
    let fields = [("login", "li"), ("password", PASSWORD)];
    let answer = browser.submit("/login", &fields).await;
    assert_eq!(answer.status, 303, "{answer:?}");
    let left: i64 =
        client.query_one("select count(*) from vitals.account_session", &[]).await.expect("a count").get(0);
    assert_eq!(left, 1, "the one that is over is removed");
    one.finish().await;
    other.finish().await;
}

#[tokio::test]
async fn each_login_and_each_change_of_the_grant_makes_a_new_token() {
    let database = clinics().await;
    let service = asking(&database).await;
    account(&database, &["li", "--role", "viewer", "--tenant", "5"]).await;
    account(&database, &["wu", "--role", "admin"]).await;
    let granted =
        people(&database, &["grant", "li", "--role", "responder", "--tenant", "6", "--unit", "60"], "").await;
    assert_eq!(granted.code, 0, "{granted:?}");
    let accounts = vitals(&database, &["people", "list", "--json"]).await.out;
    let account: serde_json::Value =
        serde_json::from_str(accounts.lines().next().expect("li")).expect("JSON");
    let grant = |place: usize| account["grants"][place]["grant_id"].as_str().expect("a number").to_owned();
    assert_eq!(account["grants"][0]["tenant_name"], "Sunset");

    let browser = Browser::logged_in(&service, "li").await;
    let first = browser.cookie(SESSION);
    assert_eq!(browser.log_in("li", PASSWORD).await.location, "/wall");
    let second = browser.cookie(SESSION);
    assert_ne!(first, second);
    let stolen = Browser::new(&service);
    stolen.set_cookie(SESSION, &first);
    assert_eq!(status(&stolen).await, 401, "the session before has ended");

    assert_eq!(browser.get("/api/alerts?customer_id=6").await.status, 403);
    let switched = browser.submit("/session/grant", &[("grant_id", &grant(1)), ("next", "/alerts")]).await;
    assert_eq!((switched.status, switched.location.as_str()), (303, "/alerts"), "{switched:?}");
    assert_ne!(browser.cookie(SESSION), second);
    stolen.set_cookie(SESSION, &second);
    assert_eq!(status(&stolen).await, 401, "the token before no longer works");
    assert_eq!(browser.get("/api/alerts?customer_id=6").await.status, 200);
    assert_eq!(browser.get("/api/alerts?customer_id=5").await.status, 403, "one grant at a time");
    let of_wu =
        (1..=9).map(|id| id.to_string()).find(|id| *id != grant(0) && *id != grant(1)).expect("a number");
    let answer = browser.submit("/session/grant", &[("grant_id", &of_wu)]).await;
    assert_eq!(answer.status, 404, "a grant of somebody else: {answer:?}");

    // A grant that is revoked ends the sessions that use it.
    let revoked = people(&database, &["revoke", "li", &grant(1)], "").await;
    assert_eq!(revoked.code, 0, "{revoked:?}");
    logged_out(&browser).await;
    let answer = browser.submit("/logout", &[]).await;
    assert_eq!((answer.location.as_str(), browser.cookie(SESSION).as_str()), ("/login", ""));
    let browser = Browser::logged_in(&service, "li").await;
    let token = browser.cookie(SESSION);
    assert_eq!(browser.submit("/logout", &[]).await.location, "/login");
    stolen.set_cookie(SESSION, &token);
    assert_eq!(status(&stolen).await, 401, "logged out");
    service.finish().await;
}

#[tokio::test]
async fn another_password_and_disabling_end_all_sessions_at_once() {
    let database = Database::new().await;
    let service = asking(&database).await;
    account(&database, &["li", "--role", "viewer"]).await;
    let browser = Browser::logged_in(&service, "li").await;
    assert_eq!(status(&browser).await, 200);
    let refused = people(&database, &["password", "li"], "short").await;
    assert!(refused.code == 1 && refused.err.contains("needs 12"), "{refused:?}");
    let changed = people(&database, &["password", "Li"], "another horse, another battery").await;
    assert_eq!(changed.code, 0, "{changed:?}");
    logged_out(&browser).await;
    assert_eq!(browser.log_in("li", PASSWORD).await.location, "/login?failed=wrong");
    assert_eq!(browser.log_in("li", "another horse, another battery").await.location, "/wall");
    assert_eq!(status(&browser).await, 200);
    let disabled = people(&database, &["disable", "li"], "").await;
    assert_eq!(disabled.code, 0, "{disabled:?}");
    logged_out(&browser).await;
    let tried = browser.log_in("li", "another horse, another battery").await;
    assert_eq!(tried.location, "/login?failed=wrong", "it is not revealed that it is disabled");
    assert_eq!(people(&database, &["disable", "li", "--undo"], "").await.code, 0);
    assert_eq!(browser.log_in("li", "another horse, another battery").await.location, "/wall");

    let client = database.client().await;
    let rows =
        client.query("select to_jsonb(s)::text from vitals.account_session as s", &[]).await.expect("rows");
    let stored: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    assert!(!stored.join("").contains(&browser.cookie(SESSION)), "only the hash of a token is stored");
    let twice = people(&database, &["create", "LI", "--role", "viewer"], PASSWORD).await;
    assert!(twice.code == 1 && twice.err.contains("already"), "{twice:?}");
    service.finish().await;
}

#[tokio::test]
async fn a_page_of_another_site_changes_nothing() {
    let database = Database::new().await;
    let service = asking(&database).await;
    account(&database, &["li", "--role", "responder"]).await;
    let browser = Browser::logged_in(&service, "li").await;
    let host = service.url();
    let foreign = [
        &[("sec-fetch-site", "cross-site")][..],
        &[("sec-fetch-site", "same-site")],
        &[("origin", "https://evil.example.org")],
        &[],
    ];
    for headers in foreign {
        for path in ["/session/language", "/logout"] {
            let answer = browser.submit_from(path, &[("language", "zh")], headers).await;
            assert_eq!(answer.status, 403, "{path} {headers:?} {answer:?}");
        }
        let answer = browser.submit_from("/api/alerts/silences", &[], headers).await;
        assert_eq!(answer.status, 403, "{headers:?} {answer:?}");
    }
    let by_other = Browser::new(&service);
    let fields = [("login", "li"), ("password", PASSWORD)];
    assert_eq!(by_other.submit_from("/login", &fields, foreign[0]).await.status, 403);
    assert_eq!(status(&browser).await, 200, "still logged in");
    let own = [("origin", host.as_str())];
    assert_eq!(browser.submit_from("/session/language", &[("language", "zh")], &own).await.status, 303);
    let stored = vitals(&database, &["people", "list", "--json"]).await.out;
    assert!(stored.contains("\"language\":\"zh\""), "{stored}");

    // A program waits for an answer, a person for a page.
    let nobody = Browser::new(&service);
    assert_eq!(nobody.get("/metrics").await.status, 401);
    let page = nobody.open("/metrics?a=b").await;
    assert_eq!((page.status, page.location.as_str()), (303, "/login?next=/metrics%3Fa%3Db"));
    assert_eq!(nobody.open("/api/alerts").await.status, 401);
    let odd = [("login", "li"), ("password", PASSWORD), ("next", "//evil.example.org")];
    assert_eq!(nobody.submit("/login", &odd).await.location, "/wall");
    service.finish().await;

    // Authentication is off: everybody on this machine may do everything, but not a page of another site.
    let open = Service::start(&database).await;
    let browser = Browser::new(&open);
    assert_eq!(browser.submit_from("/api/alerts/silences", &[], foreign[0]).await.status, 403);
    assert_eq!(browser.submit_from("/api/alerts/silences", &[], &[]).await.status, 415);
    assert_eq!(browser.log_in("li", "any").await.location, "/wall");
    open.finish().await;
}
