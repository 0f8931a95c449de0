//! Keys of people who respond to alerts: a clinic's or a ward's own key acts on its alerts in the name of its owner, changes no rule, and
//! sees nothing of others.

use serde_json::{Value, json};
use tokio_postgres::Client;
use vitals::config::Authentication;

use crate::harness::{Answer, Database, Service, add_alert, key, vitals};

/// A service that asks for keys, two tenants (5 with the wards 50 and 51, and 52 below 51; 6), and an alert of each unit.
async fn clinics(database: &Database) -> (Service, Client) {
    let client = database.client().await;
    client
        .batch_execute(
            "insert into customer (customer_id, name) values (5, 'Sunset'), (6, 'Harbour');
             insert into org_unit (org_id, ancestors) values (50, '{0,5}'), (51, '{0,5}'), (52, '{0,5,51}'), (60, '{0,6}')",
        )
        .await
        .expect("a directory");
    let service = Service::start_with(database, |settings| {
        settings.authentication = Authentication::Keys;
        settings.limits.failures_per_minute = 10_000;
    })
    .await;
    (service, client)
}

async fn alert(client: &Client, rule_id: i64, customer_id: i64, org_id: i64) -> i64 {
    let columns = json!({ "customer_id": customer_id, "org_id": org_id });
    add_alert(client, rule_id, &format!("UNIT-{org_id}"), 5, &columns).await
}

async fn responder(database: &Database, arguments: &[&str]) -> String {
    key(database, &[arguments, &["--scope", "respond", "--as", "bearer"]].concat()).await
}

async fn act(service: &Service, authorization: &str, alert_id: i64, step: &str, body: &Value) -> Answer {
    service.send_as(authorization, "POST", &format!("/api/alerts/{alert_id}/{step}"), Some(body)).await
}

fn ids(answer: &Answer) -> Vec<i64> {
    assert_eq!(answer.status, 200, "{answer:?}");
    let alerts = answer.body["alerts"].as_array().expect("alerts");
    alerts.iter().map(|alert| alert["alert_id"].as_str().expect("a number").parse().expect("one")).collect()
}

/// Who did what to an alert, by which key.
async fn history(client: &Client, alert_id: i64) -> Vec<String> {
    let sql = "select concat_ws('|', c.action, c.actor, c.note, 'key ' || k.name)
               from alert_action c left join api_key k using (key_id)
               where c.alert_id = $1 and c.actor is not null order by c.alert_action_id";
    client.query(sql, &[&alert_id]).await.expect("actions").iter().map(|row| row.get(0)).collect()
}

#[tokio::test]
async fn a_clinics_key_acts_on_its_own_alerts_in_the_name_of_its_owner_and_sees_no_other() {
    let database = Database::new().await;
    let (service, client) = clinics(&database).await;
    let (own, other) = (alert(&client, 1, 5, 50).await, alert(&client, 1, 6, 60).await);
    let unowned = add_alert(&client, 1, "NOBODYS", 5, &json!({})).await;
    let li = responder(&database, &["li", "--tenant", "5", "--person", "nurse Li"]).await;

    let taken = act(&service, &li, own, "acknowledge", &json!({ "note": "on my way" })).await;
    assert_eq!(
        (taken.status, &taken.body["alert"]["acknowledged_by"]),
        (200, &json!("nurse Li")),
        "{taken:?}"
    );
    let shown = taken.body["actions"].as_array().expect("actions").last().expect("one").clone();
    assert!(li.contains(shown["key_id"].as_str().expect("a key")), "{shown}");
    let named = act(&service, &li, own, "note", &json!({ "actor": "nurse Li", "note": "calm now" })).await;
    assert_eq!(named.status, 200, "{named:?}");
    let forged = act(&service, &li, own, "resolve", &json!({ "actor": "Dr. Wu" })).await;
    assert_eq!(forged.status, 403, "{forged:?}");
    assert_eq!(act(&service, &li, own, "resolve", &json!({})).await.status, 200);
    assert_eq!(
        history(&client, own).await,
        [
            "acknowledged|nurse Li|on my way|key li",
            "noted|nurse Li|calm now|key li",
            "resolved|nurse Li|key li"
        ]
    );

    for hidden in [other, unowned] {
        let read = service.send_as(&li, "GET", &format!("/api/alerts/{hidden}"), None).await;
        assert_eq!(read.status, 404, "{read:?}");
        for (step, body) in
            [("acknowledge", json!({})), ("resolve", json!({})), ("note", json!({ "note": "x" }))]
        {
            let answer = act(&service, &li, hidden, step, &body).await;
            let absent = act(&service, &li, 987_654_321, step, &body).await;
            assert_eq!((answer.status, absent.status), (404, 404), "{step}");
            let shown = answer.body.to_string().replace(&format!("alert {hidden}"), "alert 987654321");
            assert_eq!(shown, absent.body.to_string(), "as if it were not there");
        }
        assert_eq!(history(&client, hidden).await, Vec::<String>::new());
    }
    assert_eq!(ids(&service.send_as(&li, "GET", "/api/alerts", None).await), [own]);
    let filtered = service.send_as(&li, "GET", "/api/alerts?org_id=60&device_sn=UNIT-60", None).await;
    assert_eq!(ids(&filtered), Vec::<i64>::new());
    assert_eq!(service.send_as(&li, "GET", "/api/alerts?customer_id=6", None).await.status, 403);
    let summary = service.send_as(&li, "GET", "/api/alerts/summary?status=firing", None).await;
    assert_eq!(summary.body["alerts"], 0, "{summary:?}");
    service.finish().await;
}

#[tokio::test]
async fn a_responder_can_change_no_rule_and_reads_only_alerts() {
    let database = Database::new().await;
    let (service, client) = clinics(&database).await;
    let li = responder(&database, &["li", "--tenant", "5", "--person", "nurse Li"]).await;
    let every = responder(&database, &["every", "--person", "Dr. Wu"]).await;
    let before: i64 =
        client.query_one("select count(*) from alert_rule_version", &[]).await.expect("one").get(0);
    for given in [&li, &every] {
        for (method, path) in [
            ("GET", "/api/alerts/rules"),
            ("POST", "/api/alerts/rules"),
            ("GET", "/api/alerts/rules/1"),
            ("PUT", "/api/alerts/rules/1"),
            ("DELETE", "/api/alerts/rules/1"),
            ("GET", "/api/alerts/rules/1/versions"),
            ("GET", "/api/stats"),
            ("GET", "/metrics"),
            ("POST", "/upload_health_data"),
        ] {
            assert_eq!(
                service.send_as(given, method, path, Some(&json!({}))).await.status,
                403,
                "{method} {path}"
            );
        }
    }
    let after: i64 =
        client.query_one("select count(*) from alert_rule_version", &[]).await.expect("one").get(0);
    assert_eq!(before, after);
    service.finish().await;
}

#[tokio::test]
async fn a_wards_key_is_kept_to_its_unit_and_the_units_below_it() {
    let database = Database::new().await;
    let (service, client) = clinics(&database).await;
    let mut alerts = Vec::new();
    for org_id in [50, 51, 52] {
        alerts.push(alert(&client, 1, 5, org_id).await);
    }
    let ward = responder(&database, &["ward", "--tenant", "5", "--unit", "51", "--person", "ward 51"]).await;
    let mut seen = ids(&service.send_as(&ward, "GET", "/api/alerts", None).await);
    seen.sort_unstable();
    assert_eq!(seen, alerts[1..]);
    assert_eq!(ids(&service.send_as(&ward, "GET", "/api/alerts?org_id=50", None).await), Vec::<i64>::new());
    assert_eq!(ids(&service.send_as(&ward, "GET", "/api/alerts?org_id=52", None).await), alerts[2..]);
    for (alert_id, status) in alerts.iter().zip([404, 200, 200]) {
        assert_eq!(act(&service, &ward, *alert_id, "acknowledge", &json!({})).await.status, status);
    }

    // Silences: of its unit, whether it says so or not; those of others are neither seen nor ended.
    let silences = "/api/alerts/silences";
    let elsewhere = json!({ "org_id": "50", "for_seconds": 600 });
    assert_eq!(service.send_as(&ward, "POST", silences, Some(&elsewhere)).await.status, 403);
    let made = json!({ "device_sn": "UNIT-51", "for_seconds": 600, "note": "in the bath" });
    let made = service.send_as(&ward, "POST", silences, Some(&made)).await;
    assert_eq!(made.status, 201, "{made:?}");
    let of = |name: &str| made.body[name].clone();
    assert_eq!((of("customer_id"), of("org_id"), of("actor")), (json!("5"), json!("51"), json!("ward 51")));
    assert!(ward.contains(of("key_id").as_str().expect("a key")));
    client
        .batch_execute(
            "insert into alert_silence (customer_id, ends_at, actor) values (5, now() + interval '1 day', 'matron'), (6, now() + interval '1 day', 'x')",
        )
        .await
        .expect("silences");
    let listed = service.send_as(&ward, "GET", silences, None).await.body;
    assert_eq!(listed["silences"].as_array().expect("silences").len(), 1, "{listed}");
    let clinic = responder(&database, &["clinic", "--tenant", "5", "--person", "matron"]).await;
    let listed = service.send_as(&clinic, "GET", silences, None).await.body;
    assert_eq!(listed["silences"].as_array().expect("silences").len(), 2, "{listed}");
    let foreign: i64 = client
        .query_one("select silence_id from alert_silence where customer_id = 6", &[])
        .await
        .expect("one")
        .get(0);
    let path = format!("{silences}/{foreign}");
    assert_eq!(service.send_as(&clinic, "DELETE", &path, None).await.status, 404);
    let path = format!("{silences}/{}", of("silence_id").as_str().expect("a number"));
    assert_eq!(service.send_as(&ward, "DELETE", &path, None).await.status, 200);
    service.finish().await;
}

#[tokio::test]
async fn a_program_vouches_for_the_people_it_names_only_if_its_key_may() {
    let database = Database::new().await;
    let (service, client) = clinics(&database).await;
    let own = alert(&client, 1, 5, 50).await;
    let portal = responder(&database, &["portal", "--tenant", "5", "--vouch"]).await;
    let unnamed = act(&service, &portal, own, "acknowledge", &json!({})).await;
    assert_eq!(unnamed.status, 400, "{unnamed:?}");
    assert_eq!(act(&service, &portal, own, "acknowledge", &json!({ "actor": "Dr. Wu" })).await.status, 200);
    assert_eq!(history(&client, own).await, ["acknowledged|Dr. Wu|key portal"]);

    // A program that administers has named people before, and still does.
    let admin = key(&database, &["admin", "--scope", "admin", "--as", "bearer"]).await;
    assert_eq!(act(&service, &admin, own, "resolve", &json!({ "actor": "Dr. Wu" })).await.status, 200);
    let owned = key(&database, &["hers", "--scope", "admin", "--person", "Dr. Wu", "--as", "bearer"]).await;
    let forged = act(&service, &owned, own, "note", &json!({ "actor": "nurse Li", "note": "x" })).await;
    assert_eq!(forged.status, 403, "{forged:?}");
    // The key works no longer at once.
    client
        .batch_execute("update api_key set may_vouch = false, actor = 'portal' where name = 'portal'")
        .await
        .expect("changed");
    crate::harness::eventually("the change is in force", || async {
        let answer = act(&service, &portal, own, "note", &json!({ "actor": "Dr. Wu", "note": "x" })).await;
        (answer.status == 403).then_some(())
    })
    .await;
    service.finish().await;
}

#[tokio::test]
async fn a_key_that_does_not_say_who_acts_or_asks_too_much_is_not_made() {
    let database = Database::new().await;
    for arguments in [
        &["x", "--scope", "respond", "--tenant", "5"] as &[&str],
        &["x", "--scope", "respond", "--scope", "upload", "--tenant", "5", "--unit", "50", "--person", "Li"],
        &["x", "--scope", "admin", "--tenant", "5", "--unit", "50"],
        &["x", "--scope", "respond", "--unit", "50", "--person", "Li"],
    ] {
        let refused = vitals(&database, &[&["keys", "create"], arguments].concat()).await;
        assert_ne!(refused.code, 0, "{arguments:?}: {refused:?}");
    }
    responder(&database, &["ward", "--tenant", "5", "--unit", "50", "--person", "nurse Li"]).await;
    let listed = vitals(&database, &["keys", "list"]).await.out;
    let line = listed.lines().find(|line| line.contains("ward")).expect("a line");
    assert!(line.contains("nurse Li") && line.contains("50") && line.contains("respond"), "{listed}");
    let client = database.client().await;
    for sql in [
        "update api_key set actor = null",
        "update api_key set customer_id = null",
        "update api_key set scopes = '{respond,upload}'",
    ] {
        let error = client.batch_execute(sql).await.expect_err(sql);
        assert_eq!(error.code().map(|code| code.code()), Some("23514"), "{sql}");
    }
    // In SQL an action has no key.
    let alert_id = alert(&client, 1, 5, 50).await;
    client.execute("select vitals.acknowledge_alert($1, 'DBA')", &[&alert_id]).await.expect("done");
    assert_eq!(history(&client, alert_id).await, ["acknowledged|DBA"]);
}

#[tokio::test]
async fn a_wards_key_assigns_only_to_contacts_of_its_unit_and_sees_no_others() {
    let database = Database::new().await;
    let (service, client) = clinics(&database).await;
    client
        .batch_execute(
            "insert into app_user (user_id, org_id) values (9, 52);
             insert into contact (name, user_id) values
                 ('of 50', null), ('of 51', null), ('of 52', null), ('wearer', 9), ('of the clinic', null), ('of another', null);
             insert into org_manager
             select o.org_id, c.contact_id from contact c
             join (values (50, 'of 50'), (51, 'of 51'), (60, 'of another')) as o (org_id, name) using (name);
             insert into shift (org_id, customer_id, contact_id, ends_at)
             select o.org_id, o.customer_id, c.contact_id, now() + interval '1 day' from contact c
             join (values (52, null, 'of 52'), (null, 5, 'of the clinic')) as o (org_id, customer_id, name) using (name)",
        )
        .await
        .expect("contacts");
    let alert_id = alert(&client, 1, 5, 51).await;
    let ward = responder(&database, &["ward", "--tenant", "5", "--unit", "51", "--person", "ward 51"]).await;
    let clinic = responder(&database, &["clinic", "--tenant", "5", "--person", "matron"]).await;
    let contacts =
        client.query("select name, contact_id from contact order by contact_id", &[]).await.expect("rows");
    let names = ["of 50", "of 51", "of 52", "wearer", "of the clinic", "of another"];
    for (given, own) in [(&ward, &names[1..4]), (&clinic, &names[..5])] {
        let listed = service.send_as(given, "GET", "/api/contacts", None).await;
        assert_eq!(listed.status, 200, "{listed:?}");
        let listed: Vec<&str> = listed.body["contacts"]
            .as_array()
            .expect("contacts")
            .iter()
            .map(|contact| contact["name"].as_str().expect("a name"))
            .collect();
        assert_eq!(listed, own);
        for row in &contacts {
            let (name, contact_id): (&str, i64) = (row.get(0), row.get(1));
            let body = json!({ "contact_id": contact_id.to_string() });
            let answer = act(&service, given, alert_id, "assign", &body).await;
            assert_eq!(answer.status, if own.contains(&name) { 200 } else { 400 }, "{name} {answer:?}");
            if answer.status == 400 {
                let absent = json!({ "contact_id": "987654" });
                let absent = act(&service, given, alert_id, "assign", &absent).await.body.to_string();
                let shown =
                    answer.body.to_string().replace(&format!("contact {contact_id} "), "contact 987654 ");
                assert_eq!(shown, absent, "as if it were not there");
            }
        }
        assert_eq!(service.send_as(given, "GET", "/api/contact_addresses", None).await.status, 403);
    }
    assert_eq!(act(&service, &ward, alert_id, "assign", &json!({ "contact_id": null })).await.status, 200);
    service.finish().await;
}
