//! An administrator of one tenant: its rules, routes and addresses on the pages and below `/api/`, and nothing of another tenant by a guessed number.

use serde_json::{Value, json};
use tokio_postgres::Client;

use super::administration::{assert_form_refused, assert_refused, number, staff, submit};
use super::asking;
use crate::harness::{Browser, Service, authorization};

/// A rule of every scope in tenant 6, one of unit 50 of tenant 5; a contact with an address and a route of either tenant.
const PARTS: &str = "
    insert into app_user (user_id, org_id, name) values (501, 50, 'Anna'), (601, 60, 'Bernd');
    insert into device (device_sn) values ('SUN-1'), ('HAR-1');
    insert into device_binding (device_sn, user_id) values ('SUN-1', 501), ('HAR-1', 601);
    insert into alert_rule (name, kind, severity, metric, max_value, customer_id, org_id, user_id, device_sn)
    values ('West tenant', 'threshold', 'major', 'heart_rate', 99, 6, null, null, null),
           ('West unit', 'threshold', 'major', 'heart_rate', 98, null, 60, null, null),
           ('West person', 'threshold', 'major', 'heart_rate', 97, null, null, 601, null),
           ('West device', 'threshold', 'major', 'heart_rate', 96, null, null, null, 'HAR-1'),
           ('West lost', 'threshold', 'major', 'heart_rate', 95, null, null, null, 'LOST-1'),
           ('East unit', 'threshold', 'major', 'heart_rate', 94, null, 50, null, null);
    insert into contact (contact_id, name) overriding system value values (1, 'East nurse'), (2, 'West nurse');
    insert into contact_address (contact_id, channel, address)
    values (1, 'email', 'east@example.org'), (2, 'email', 'west@example.org');
    insert into org_manager (org_id, contact_id) values (50, 1), (60, 2);
    insert into notification_route (channel, audience, customer_id) values ('email', 'managers', 5), ('email', 'managers', 6), ('email', 'managers', null);";

struct Numbers {
    everybody: i64,
    own: i64,
    others: Vec<i64>,
}

async fn numbers(client: &Client) -> Numbers {
    client.batch_execute(PARTS).await.expect("parts of two tenants");
    let sql = "select rule_id from alert_rule where name like 'West%' order by rule_id";
    let others = client.query(sql, &[]).await.expect("rules").iter().map(|row| row.get(0)).collect();
    let own = number(client, "select rule_id from alert_rule where name = 'East unit'").await;
    Numbers { everybody: 1, own, others }
}

async fn rules(client: &Client) -> Value {
    let sql = "select jsonb_agg(to_jsonb(r) order by rule_id) from alert_rule r where name like 'West%' or rule_id = 1";
    client.query_one(sql, &[]).await.expect("rules").get(0)
}

#[tokio::test]
async fn the_rules_page_of_a_tenant_changes_its_own_rules_alone() {
    let database = staff().await;
    let service = asking(&database).await;
    let client = database.client().await;
    let Numbers { everybody, own, others } = numbers(&client).await;
    let before = rules(&client).await;
    let chief = Browser::logged_in(&service, "chief").await;
    let list = chief.get("/admin/rules?lang=en").await.text;
    assert!(list.contains("Heart rate out of range") && list.contains("East unit"), "{list}");
    assert!(!list.contains("West"), "{list}");
    let switches = list.matches("value=\"disable\"").count();
    assert_eq!(switches, 1, "rules for everybody are only read: {list}");

    let rule = [
        ("kind", "threshold"),
        ("severity", "minor"),
        ("metric", "heart_rate"),
        ("max_value", "130"),
        ("enabled", "true"),
    ];
    let named = |name, scope, id| [&rule[..], &[("name", name), ("scope", scope), ("scope_id", id)]].concat();
    for rule_id in &others {
        let path = format!("/admin/rules/{rule_id}");
        assert_eq!(chief.get(&path).await.status, 404, "{path}");
        for action in ["disable", "remove", "save", "try"] {
            let fields = [&named("x", "tenant", "")[..], &[("action", action)]].concat();
            assert_refused(&chief, &path, &fields, "there is no rule").await;
        }
    }
    let path = format!("/admin/rules/{everybody}");
    let page = chief.get(&path).await.text;
    assert!(
        page.contains("takes its place in your tenant") && page.contains("action=\"/admin/rules\""),
        "{page}"
    );
    for action in ["disable", "remove", "save", "try"] {
        let fields = [&named("x", "tenant", "")[..], &[("action", action)]].concat();
        assert_eq!(chief.submit(&path, &fields).await.status, 403, "{action}");
    }
    for (scope, id) in [
        ("tenant", "6"),
        ("unit", "60"),
        ("unit 60", ""),
        ("person", "601"),
        ("device", "HAR-1"),
        ("device", "LOST-1"),
    ] {
        let page = chief.submit("/admin/rules", &named("x", scope, id)).await;
        assert_eq!(page.status, 200, "{scope} {id}: {page:?}");
        let tried = [&named("x", scope, id)[..], &[("action", "try")]].concat();
        assert!(!chief.submit("/admin/rules", &tried).await.text.contains("id=\"result\""), "{scope} {id}");
    }
    assert_form_refused(&chief, "/admin/rules", &named("x", "person", "601"), "beyond your tenant").await;
    assert_eq!(rules(&client).await, before);
    assert_eq!(number(&client, "select count(*) from alert_rule where name = 'x'").await, 0);

    // One of everybody's is replaced for the tenant; even one that names no scope is of the tenant.
    let replacing = [&named("Own", "everybody", "")[..], &[("replaces_rule_id", "1")]].concat();
    let stored = submit(&chief, "/admin/rules", &replacing).await;
    assert!(stored.contains("is stored"), "{stored}");
    let made = "select rule_id from alert_rule where name = 'Own' and customer_id = 5 and replaces_rule_id = 1 and changed_by = 'chief'";
    let made = number(&client, made).await;
    let off = submit(&chief, &format!("/admin/rules/{made}"), &[("action", "disable")]).await;
    assert!(off.contains("is off"), "{off}");
    let moved = named("East unit", "person", "501");
    submit(&chief, &format!("/admin/rules/{own}"), &moved).await;
    assert_eq!(number(&client, "select user_id from alert_rule where name = 'East unit'").await, 501);
    let tried = [&named("x", "tenant", "")[..], &[("action", "try")]].concat();
    let tried = chief.submit("/admin/rules", &tried).await.text;
    assert!(tried.contains("of 1 device in"), "devices of the tenant alone: {tried}");
    service.finish().await;
}

async fn status(browser: &Browser, service: &Service, method: &str, path: &str, body: Option<&Value>) -> u16 {
    let session = format!("vitals_session={}", browser.cookie("vitals_session"));
    let method = method.parse().expect("a method");
    let request = reqwest::Client::new().request(method, format!("{}{path}", service.url()));
    let request = request.header("cookie", session).header("sec-fetch-site", "same-origin");
    let request = match body {
        Some(body) => request.json(body),
        None => request,
    };
    request.send().await.expect("an answer").status().as_u16()
}

#[tokio::test]
async fn nothing_of_another_tenant_is_read_or_changed_below_api_by_its_number() {
    let database = staff().await;
    let service = asking(&database).await;
    let client = database.client().await;
    let Numbers { everybody, own, others } = numbers(&client).await;
    let before = rules(&client).await;
    let chief = Browser::logged_in(&service, "chief").await;
    let ask = async |method: &str, path: &str, body: Option<&Value>| {
        status(&chief, &service, method, path, body).await
    };
    let rule = json!({ "name": "Own", "kind": "threshold", "severity": "minor", "metric": "stress", "max_value": 90 });
    for id in &others {
        let path = format!("/api/alerts/rules/{id}");
        for (method, path, body) in [
            ("GET", path.clone(), None),
            ("GET", format!("{path}/versions"), None),
            ("PUT", path.clone(), Some(&rule)),
            ("DELETE", path, None),
        ] {
            assert_eq!(ask(method, &path, body).await, 404, "{method} {path}");
        }
    }
    let path = format!("/api/alerts/rules/{everybody}");
    assert_eq!(
        (ask("GET", &path, None).await, ask("GET", &format!("{path}/versions"), None).await),
        (200, 200)
    );
    assert_eq!((ask("PUT", &path, Some(&rule)).await, ask("DELETE", &path, None).await), (403, 403));
    for scope in [
        json!({ "customer_id": "6" }),
        json!({ "org_id": "60" }),
        json!({ "user_id": "601" }),
        json!({ "device_sn": "HAR-1" }),
    ] {
        let mut foreign = rule.clone();
        foreign.as_object_mut().expect("an object").extend(scope.as_object().expect("a scope").clone());
        assert_eq!(ask("POST", "/api/alerts/rules", Some(&foreign)).await, 400, "{foreign}");
        assert_eq!(ask("PUT", &format!("/api/alerts/rules/{own}"), Some(&foreign)).await, 400, "{foreign}");
    }
    let listed = chief.get("/api/alerts/rules").await.json()["rules"].to_string();
    assert!(
        listed.contains("East unit")
            && listed.contains("Heart rate out of range")
            && !listed.contains("West"),
        "{listed}"
    );
    assert_eq!(ask("POST", "/api/alerts/rules", Some(&rule)).await, 201);
    assert_eq!(number(&client, "select customer_id from alert_rule where name = 'Own'").await, 5);
    assert_eq!(rules(&client).await, before);

    let route = json!({ "channel": "email", "audience": "managers" });
    let of = |tenant: &str| format!("select route_id from notification_route where customer_id {tenant}");
    for tenant in ["= 6", "is null"] {
        let path = format!("/api/notification_routes/{}", number(&client, &of(tenant)).await);
        for (method, path, body) in [
            ("GET", path.clone(), None),
            ("PUT", path.clone(), Some(&route)),
            ("POST", format!("{path}/test"), None),
            ("DELETE", path, None),
        ] {
            assert_eq!(ask(method, &path, body).await, 404, "{method} {path}");
        }
    }
    let path = format!("/api/notification_routes/{}", number(&client, &of("= 5")).await);
    assert_eq!(
        ask("POST", &format!("{path}/test?user_id=601"), None).await,
        404,
        "a person of another tenant"
    );
    assert_eq!(ask("POST", &format!("{path}/test?user_id=501"), None).await, 200);
    let foreign_rule = others[0].to_string();
    for more in [
        json!({ "customer_id": "6" }),
        json!({ "org_id": "60" }),
        json!({ "rule_id": foreign_rule }),
        json!({ "audience": "contact", "contact_id": "2" }),
    ] {
        let mut foreign = route.clone();
        foreign.as_object_mut().expect("an object").extend(more.as_object().expect("columns").clone());
        assert_eq!(ask("POST", "/api/notification_routes", Some(&foreign)).await, 400, "{foreign}");
        assert_eq!(ask("PUT", &path, Some(&foreign)).await, 400, "{foreign}");
    }
    assert_eq!(ask("PUT", &path, Some(&route)).await, 200);
    assert_eq!(number(&client, "select count(*) from notification_route where customer_id = 5").await, 1);
    assert_eq!(
        chief.get("/api/notification_routes").await.json()["routes"].as_array().map(Vec::len),
        Some(1)
    );
    assert_eq!(chief.get("/api/notification_routes?customer_id=6").await.status, 403);

    let of = |contact: i64| format!("select address_id from contact_address where contact_id = {contact}");
    let (east, west) = (number(&client, &of(1)).await, number(&client, &of(2)).await);
    let change = json!({ "enabled": false });
    for (method, path, body) in [
        ("PATCH", format!("/api/contact_addresses/{west}"), Some(&change)),
        ("POST", format!("/api/contact_addresses/{west}/test"), None),
        ("DELETE", format!("/api/contact_addresses/{west}"), None),
    ] {
        assert_eq!(ask(method, &path, body).await, 404, "{method} {path}");
    }
    let new = json!({ "contact_id": "2", "channel": "email", "address": "x@example.org" });
    assert_eq!(ask("POST", "/api/contact_addresses", Some(&new)).await, 400);
    let listed = chief.get("/api/contact_addresses").await.json().to_string();
    assert!(listed.contains("east@") && !listed.contains("west@"), "{listed}");
    assert_eq!(ask("PATCH", &format!("/api/contact_addresses/{east}"), Some(&change)).await, 200);

    // What is administered is not for every reader of the tenant.
    let reader = authorization(&database, &["read"], 5).await;
    for path in [
        "/api/alerts/rules".to_owned(),
        format!("/api/alerts/rules/{own}"),
        format!("/api/alerts/rules/{own}/versions"),
        "/api/notification_routes".to_owned(),
        "/api/contact_addresses".to_owned(),
    ] {
        assert_eq!(service.send_as(&reader, "GET", &path, None).await.status, 403, "{path}");
    }
    service.finish().await;
}

#[tokio::test]
async fn a_rule_of_another_tenant_is_silenced_like_one_that_does_not_exist() {
    let database = staff().await;
    let service = asking(&database).await;
    let Numbers { everybody, own, others } = numbers(&database.client().await).await;
    let chief = Browser::logged_in(&service, "chief").await;
    for (rule_id, status) in [(everybody, 201), (own, 201), (others[0], 400), (9_999, 400)] {
        let silence = json!({ "rule_id": rule_id.to_string(), "for_seconds": 60 });
        let answer = chief.post_json("/api/alerts/silences", &silence).await;
        assert_eq!(answer.status, status, "{rule_id}: {}", answer.text);
        if status == 400 {
            assert!(answer.text.contains(&format!("there is no rule {rule_id}")), "{}", answer.text);
        }
    }
}
