//! Alerts and silences over HTTP: found, paged, taken on, ended, each step with who and when; who may ask.

use serde_json::{Value, json};
use tokio_postgres::Client;

use crate::harness::{Answer, Database, Proxy, Service, add_alert};

/// As they are seeded: heart rate out of range.
const MINOR: i64 = 1;
/// Oxygen saturation low.
const MAJOR: i64 = 3;

async fn numbers(service: &Service, query: &str) -> Vec<i64> {
    let answer = service.get(&format!("/api/alerts{query}")).await;
    assert_eq!(answer.status, 200, "{query} {answer:?}");
    ids(&answer.body)
}

fn ids(page: &Value) -> Vec<i64> {
    let id = |alert: &Value| alert["alert_id"].as_str().expect("text").parse().expect("a number");
    page["alerts"].as_array().expect("alerts").iter().map(id).collect()
}

async fn step(service: &Service, alert_id: i64, step: &str, actor: &str) -> Answer {
    let body = json!({ "actor": actor, "note": format!("{step} by {actor}") });
    service.send("POST", &format!("/api/alerts/{alert_id}/{step}"), Some(&body)).await
}

async fn one<T: for<'a> tokio_postgres::types::FromSql<'a>>(client: &Client, query: &str) -> T {
    client.query_one(query, &[]).await.expect(query).get(0)
}

#[tokio::test]
async fn alerts_are_found_by_whatever_they_are() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    let client = database.client().await;
    client
        .batch_execute("insert into org_unit (org_id, ancestors) values (10, '{}'), (11, '{10}'), (20, '{}')")
        .await
        .expect("units");
    let customer = 1_939_964_806_110_937_090_i64;
    let a =
        add_alert(&client, MINOR, "A", 50, &json!({ "customer_id": customer, "org_id": 11, "user_id": 5 }))
            .await;
    let b = add_alert(&client, MAJOR, "A", 40, &json!({ "customer_id": customer, "org_id": 10 })).await;
    let c = add_alert(
        &client,
        MAJOR,
        "B",
        30,
        &json!({ "severity": "critical", "org_id": 20, "historical": true }),
    )
    .await;
    let d = add_alert(&client, MINOR, "C+1", 20, &json!({ "status": "resolved" })).await;
    assert_eq!(step(&service, b, "acknowledge", "li").await.status, 200);

    for (query, expected) in [
        ("", vec![d, c, b, a]),
        ("?status=firing", vec![c, a]),
        ("?status=firing&status=acknowledged", vec![c, b, a]),
        ("?severity=minor", vec![d, a]),
        ("?severity=minor&severity=critical", vec![d, c, a]),
        ("?min_severity=major", vec![c, b]),
        ("?min_severity=info", vec![d, c, b, a]),
        ("?device_sn=A&device_sn=B", vec![c, b, a]),
        ("?device_sn=C%2B1", vec![d]),
        ("?customer_id=1939964806110937090", vec![b, a]),
        ("?org_id=10", vec![b, a]),
        ("?org_id=11", vec![a]),
        ("?user_id=5", vec![a]),
        ("?rule_id=1", vec![d, a]),
        ("?kind=event", vec![]),
        ("?kind=event&kind=threshold&limit=2", vec![d, c]),
        ("?historical=true", vec![c]),
        ("?historical=false", vec![d, b, a]),
        ("?to=1970-01-01T00:00:00Z", vec![]),
        ("?from=1970-01-01T08:00:00+08:00", vec![d, c, b, a]),
    ] {
        assert_eq!(numbers(&service, query).await, expected, "{query}");
    }
    let fired_ts: String = one(
        &client,
        &format!("select to_char(fired_ts at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"') from alert where alert_id = {b}"),
    )
    .await;
    assert_eq!(numbers(&service, &format!("?from={fired_ts}")).await, [d, c, b], "from is part of it");
    assert_eq!(numbers(&service, &format!("?to={fired_ts}")).await, [a], "to is not");

    let first = service.get("/api/alerts?rule_id=1&status=firing").await.body["alerts"][0].clone();
    assert_eq!(first["customer_id"], "1939964806110937090", "no digit is lost");
    assert_eq!((&first["last_value"], &first["peak_value"]), (&json!(152), &json!(161.5)));
    assert_eq!(first["rule_name"], "Heart rate out of range");

    let summary = service.get("/api/alerts/summary").await.body;
    let tally = |status, severity| json!({ "status": status, "severity": severity, "alerts": 1 });
    let open = [tally("firing", "critical"), tally("firing", "minor"), tally("acknowledged", "major")];
    assert_eq!(
        summary,
        json!({ "alerts": 3, "by": open }),
        "those that are open, unless it is said otherwise"
    );
    assert_eq!(service.get("/api/alerts/summary?status=resolved").await.body["alerts"], 1);
    service.finish().await;
}

#[tokio::test]
async fn pages_neither_miss_nor_repeat_an_alert_while_others_fire() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    let client = database.client().await;
    // Many at one instant: the number decides then.
    client
        .batch_execute(
            "insert into alert (device_sn, rule_id, rule_version, kind, severity, started_ts, fired_ts, last_ts, judged_ts, message)
             select 'P' || n, 1, 1, 'threshold', 'minor', ts, ts, ts, ts, 'm'
             from generate_series(1, 95) n, lateral (select timestamptz '2026-01-05' + make_interval(secs => n / 10)) as at (ts)",
        )
        .await
        .expect("alerts");
    let (mut seen, mut cursor) = (Vec::new(), None::<String>);
    loop {
        let after = cursor.map(|cursor| format!("&cursor={cursor}")).unwrap_or_default();
        let page = service.get(&format!("/api/alerts?limit=20{after}")).await.body;
        let found = ids(&page);
        assert!(found.len() <= 20);
        seen.extend(found);
        add_alert(&client, MINOR, &format!("NEW-{}", seen.len()), 0, &json!({})).await;
        let Some(next) = page["cursor"].as_str() else { break };
        cursor = Some(next.to_owned());
    }
    assert_eq!(seen.len(), 95);
    let mut sorted = seen.clone();
    sorted.sort_unstable_by(|a, b| b.cmp(a));
    sorted.dedup();
    assert_eq!(seen, sorted);
    service.finish().await;
}

#[tokio::test]
async fn each_step_is_kept_with_who_when_and_why() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    let client = database.client().await;
    let alert_id = add_alert(&client, MINOR, "STEP-1", 5, &json!({})).await;

    let taken = step(&service, alert_id, "acknowledge", "nurse Li").await;
    assert_eq!(taken.status, 200, "{taken:?}");
    assert_eq!(taken.body["alert"]["status"], "acknowledged");
    assert_eq!(taken.body["alert"]["acknowledged_by"], "nurse Li");
    // The answer may have been lost on its way.
    assert_eq!(step(&service, alert_id, "acknowledge", "nurse Li").await.status, 200);
    let other = step(&service, alert_id, "acknowledge", "Dr. Wu").await;
    assert_eq!(other.status, 409);
    assert!(
        other.body["message"].as_str().expect("text").contains("is already acknowledged (by nurse Li"),
        "{other:?}"
    );
    assert_eq!(step(&service, alert_id, "note", "Dr. Wu").await.status, 200);

    let over = step(&service, alert_id, "resolve", "nurse Li").await;
    assert_eq!(over.status, 200, "{over:?}");
    let alert = &over.body["alert"];
    assert_eq!((&alert["status"], &alert["resolution"]), (&json!("resolved"), &json!("manual")));
    assert_eq!(alert["resolved_by"], "nurse Li");
    for again in ["resolve", "acknowledge"] {
        let refused = step(&service, alert_id, again, "nurse Li").await;
        assert_eq!(refused.status, 409, "{again}");
        assert!(
            refused.body["message"].as_str().expect("text").contains("is already resolved"),
            "{refused:?}"
        );
    }
    assert_eq!(step(&service, alert_id, "note", "nurse Li").await.status, 200, "what is over may be noted");

    let muted: bool = one(
        &client,
        "select muted_until - resolved_at between interval '299 s' and interval '301 s' and updated_at >= resolved_at from alert",
    )
    .await;
    assert!(muted, "until the rule has cooled down");
    let detail = service.get(&format!("/api/alerts/{alert_id}")).await.body;
    let actions: Vec<_> = detail["actions"].as_array().expect("actions").iter().map(action_text).collect();
    assert_eq!(
        actions,
        ["acknowledged/nurse Li", "noted/Dr. Wu", "resolved/nurse Li", "noted/nurse Li"],
        "a step that changed nothing leaves nothing"
    );
    assert_eq!(detail["actions"][0]["note"], "acknowledge by nurse Li");
    service.finish().await;
}

fn action_text(action: &Value) -> String {
    format!("{}/{}", action["action"].as_str().expect("text"), action["actor"].as_str().expect("text"))
}

#[tokio::test]
async fn a_dba_takes_the_same_steps_and_is_refused_in_the_same_words() {
    let database = Database::new().await;
    let client = database.client().await;
    let alert_id = add_alert(&client, MINOR, "DBA-1", 5, &json!({})).await;
    let run = async |call: &str| client.batch_execute(&format!("select vitals.{call}")).await;
    run(&format!("acknowledge_alert({alert_id}, 'dba')")).await.expect("taken");
    run(&format!("resolve_alert({alert_id}, 'dba', 'seen')")).await.expect("resolved");
    for (call, state, words) in [
        (format!("resolve_alert({alert_id}, 'dba')"), "P0001", "is already resolved"),
        ("acknowledge_alert(404, 'dba')".to_owned(), "P0002", "there is no alert 404"),
        (format!("note_alert({alert_id}, ' ', 'x')"), "22023", "the name of the person is missing"),
        (format!("note_alert({alert_id}, 'dba', '')"), "22023", "the note is empty"),
    ] {
        let error = run(&call).await.expect_err(&call);
        let error = error.as_db_error().expect("a refusal");
        assert_eq!(error.code().code(), state, "{call}");
        assert!(error.message().contains(words), "{call} {error:?}");
    }
}

#[tokio::test]
async fn the_end_of_an_alert_is_told_to_those_who_heard_of_it() {
    let database = Database::new().await;
    let client = database.client().await;
    client
        .batch_execute(
            "insert into contact (name) values ('ward'), ('robot'), ('hook');
             insert into contact_address (contact_id, channel, address) values
                 (1, 'email', 'ward@example.org'), (2, 'wecom_robot', 'key-0123456789'), (3, 'webhook', 'https://u:p@hook.example.org/secret?k=v');
             insert into notification_route (channel, audience, contact_id, on_resolved) values
                 ('email', 'contact', 1, true), ('wecom_robot', 'contact', 2, false), ('webhook', 'contact', 3, false)",
        )
        .await
        .expect("a route");
    let alert_id = add_alert(&client, MINOR, "TELL-1", 5, &json!({})).await;
    client
        .execute("select vitals.notify_alerts(array[$1::bigint], 'fired')", &[&alert_id])
        .await
        .expect("told");
    client.execute("select vitals.resolve_alert($1, 'li')", &[&alert_id]).await.expect("resolved");

    let service = Service::start(&database).await;
    let detail = service.get(&format!("/api/alerts/{alert_id}")).await.body;
    let notifications = detail["notifications"].as_array().expect("notifications").iter();
    let notifications: Vec<String> = notifications
        .map(|each| format!("{} {} {}", each["kind"], each["contact"], each["address"]).replace('"', ""))
        .collect();
    let expected = [
        "fired ward ward@example.org",
        "fired robot …6789",
        "fired hook hook.example.org",
        "resolved ward ward@example.org",
    ];
    let mut sorted = notifications.clone();
    sorted.sort();
    let mut all = expected.map(str::to_owned);
    all.sort();
    assert_eq!(sorted, all, "keys and paths are passwords");
    service.stop().await;
}

#[tokio::test]
async fn a_silence_is_asked_for_seen_and_ended() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    let path = "/api/alerts/silences";
    let post = async |body: Value| service.send("POST", path, Some(&body)).await;
    let made =
        post(json!({ "device_sn": "QUIET-1", "for_seconds": 7200, "actor": "li", "note": "bath" })).await;
    assert_eq!(made.status, 201, "{made:?}");
    let later = json!({ "rule_id": "1", "customer_id": 7, "starts_at": "2999-01-01T00:00:00Z",
        "ends_at": "2999-01-02T00:00:00Z", "actor": "li" });
    let later = post(later).await;
    assert_eq!(later.status, 201, "{later:?}");
    let listed = async |query: &str| {
        let silences = service.get(&format!("{path}{query}")).await.body["silences"].clone();
        silences.as_array().expect("silences").len()
    };
    assert_eq!((listed("").await, listed("?limit=1").await), (2, 1));
    for silence in [&made, &later] {
        let id = silence.body["silence_id"].as_str().expect("a number");
        assert_eq!(service.send("DELETE", &format!("{path}/{id}"), None).await.status, 200);
    }
    assert_eq!((listed("").await, listed("?all=true").await), (0, 1), "what never began is gone");
    assert_eq!(service.send("DELETE", &format!("{path}/404"), None).await.status, 404);
    for (body, reason) in [
        (json!({ "for_seconds": 60, "actor": "li" }), "what is silent?"),
        (json!({ "device_sn": "A", "actor": "li" }), "either ends_at or for_seconds"),
        (json!({ "device_sn": "A", "for_seconds": 0, "actor": "li" }), "for_seconds has to be"),
        (
            json!({ "device_sn": "A", "ends_at": "2000-01-01T00:00:00Z", "actor": "li" }),
            "ends before it begins",
        ),
        (json!({ "rule_id": "404", "for_seconds": 60, "actor": "li" }), "there is no rule 404"),
        (json!({ "device_sn": "A", "for_seconds": 60, "actor": " " }), "actor is empty"),
        (json!({ "device_sn": "A", "for_seconds": 60, "actor": "li", "until": 1 }), "unknown field"),
        (json!({ "device_sn": "A", "for_seconds": 60 }), "the name of the person is missing"),
        (json!({ "device_sn": "\u{0}", "for_seconds": 60, "actor": "li" }), "0x00"),
    ] {
        let refused = post(body.clone()).await;
        assert_eq!(refused.status, 400, "{body} {refused:?}");
        assert!(refused.body["message"].as_str().expect("text").contains(reason), "{body} {refused:?}");
    }
    service.finish().await;
}

#[tokio::test]
async fn what_is_not_understood_is_refused_with_its_name() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    for (query, reason) in [
        ("?status=open", "status: one of: firing, acknowledged, resolved"),
        ("?severity=minor&min_severity=major", "either severity or min_severity"),
        ("?customer=7", "there is no parameter \"customer\""),
        ("?customer_id=seven", "customer_id: a whole number"),
        ("?customer_id=1&customer_id=2", "customer_id is given several times"),
        ("?limit=501", "limit: a number from 1 to 500"),
        ("?limit=0", "limit: a number from 1 to 500"),
        ("?cursor=x", "cursor: the cursor of the previous page"),
        ("?from=yesterday", "from: a time such as"),
        ("?from=-009998-01-01T00:00:00Z", "out of range"),
        ("?device_sn=%00", "0x00"),
        ("?historical=perhaps", "historical:"),
    ] {
        let refused = service.get(&format!("/api/alerts{query}")).await;
        assert_eq!(refused.status, 400, "{query} {refused:?}");
        assert!(refused.body["message"].as_str().expect("text").contains(reason), "{query} {refused:?}");
    }
    for path in [
        "/api/alerts/404",
        "/api/alerts/x",
        "/api/alerts/%ff",
        "/api/alerts/99999999999999999999",
        "/api/nothing",
    ] {
        let absent = service.get(path).await;
        assert_eq!((absent.status, &absent.body["status"]), (404, &json!("error")), "{path} {absent:?}");
    }
    assert_eq!(step(&service, 404, "resolve", "li").await.status, 404);
    let alert_id = add_alert(&database.client().await, MINOR, "WORDS-1", 5, &json!({})).await;
    for (words, reason) in [
        (json!({ "actor": "li", "note": " " }), "the note is empty"),
        (json!({ "actor": " ", "note": "x" }), "actor is empty"),
        (json!({ "actor": "l".repeat(201), "note": "x" }), "actor is longer"),
        (json!({ "actor": "li", "note": "x".repeat(2001) }), "note is longer"),
        (json!({ "actor": "li", "note": "\u{0}" }), "0x00"),
        (json!({ "actor": "li" }), "missing field `note`"),
        (json!([]), "the body:"),
    ] {
        let refused = service.send("POST", &format!("/api/alerts/{alert_id}/note"), Some(&words)).await;
        assert_eq!(refused.status, 400, "{words} {refused:?}");
        assert!(refused.body["message"].as_str().expect("text").contains(reason), "{words} {refused:?}");
    }
    // A page of somebody else's may make a browser send anything but application/json.
    let url = format!("{}/api/alerts/{alert_id}/resolve", service.url());
    let sent = reqwest::Client::new().post(url).body(json!({ "actor": "li" }).to_string()).send().await;
    assert_eq!(sent.expect("an answer").status(), 415);
    service.finish().await;
}

#[tokio::test]
async fn one_odd_time_hides_no_other_alert() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    let client = database.client().await;
    let a = add_alert(&client, MINOR, "ODD-1", 5, &json!({})).await;
    let b = add_alert(&client, MAJOR, "ODD-1", 4, &json!({})).await;
    client
        .execute("update alert set last_ts = 'infinity', judged_ts = 'infinity' where alert_id = $1", &[&a])
        .await
        .expect("odd");
    assert_eq!(numbers(&service, "").await, [b, a]);
    service.finish().await;
}

#[tokio::test]
async fn a_database_that_is_away_is_told_and_asked_again() {
    let database = Database::new().await;
    let (proxy, through) = Proxy::before(&database.url()).await;
    let service = Service::start_with(&database, |settings| settings.database_url = through).await;
    assert_eq!(service.get("/api/alerts").await.status, 200);
    proxy.cut();
    let away = service.get("/api/alerts").await;
    assert_eq!((away.status, away.retry_after.is_some()), (503, true), "{away:?}");
    proxy.restore();
    service.finish().await;
}

#[tokio::test]
async fn every_example_of_the_document_is_taken() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    let client = database.client().await;
    let alert_id = add_alert(&client, MINOR, "EXAMPLE-1", 5, &json!({})).await;
    client
        .batch_execute(
            "insert into contact (contact_id, name) overriding system value values (5, 'Li');
             insert into org_unit (org_id) values (300)",
        )
        .await
        .expect("what the examples name");
    let document = service.get("/openapi.json").await.body;
    let mut taken = 0;
    // By path: what acknowledges comes before what resolves.
    for (path, operations) in document["paths"].as_object().expect("paths") {
        for (method, operation) in operations.as_object().expect("operations") {
            let example = &operation["requestBody"]["content"]["application/json"]["example"];
            if !path.starts_with("/api/") || example.is_null() {
                continue;
            }
            let id = match path {
                path if path.contains("/rules/") => "3".to_owned(),
                path if path.contains("/notification_routes/") => "1".to_owned(),
                _ => alert_id.to_string(),
            };
            let answer =
                service.send(&method.to_uppercase(), &path.replace("{id}", &id), Some(example)).await;
            assert!(matches!(answer.status, 200 | 201), "{method} {path} {answer:?}");
            assert!(operation["responses"][answer.status.to_string()].is_object(), "{method} {path}");
            taken += 1;
        }
    }
    assert_eq!(taken, 12);
    service.finish().await;
}

#[tokio::test]
async fn of_two_who_take_an_alert_on_at_once_one_has_it() {
    let database = Database::new().await;
    let running = Service::start(&database).await;
    let service = &running;
    let client = database.client().await;
    let mut taken = Vec::new();
    for device in 0..10 {
        taken.push(add_alert(&client, MINOR, &format!("RACE-{device}"), 5, &json!({})).await);
    }
    // Meanwhile the rule is switched off, which ends them all.
    let off = async {
        let mut rule = service.get("/api/alerts/rules/1").await.body;
        rule["enabled"] = json!(false);
        service.send("PUT", "/api/alerts/rules/1", Some(&rule)).await.status
    };
    let taken = &taken;
    let people = ["li", "wu", "hu"].into_iter().flat_map(|who| {
        taken.iter().map(move |id| async move { (*id, step(service, *id, "acknowledge", who).await.status) })
    });
    let (statuses, off) = tokio::join!(futures_util::future::join_all(people), off);
    assert_eq!(off, 200);
    for id in taken {
        let of_this: Vec<u16> =
            statuses.iter().filter(|(each, _)| each == id).map(|(_, status)| *status).collect();
        assert!(of_this.iter().filter(|status| **status == 200).count() <= 1, "{of_this:?}");
        assert!(of_this.iter().all(|status| matches!(status, 200 | 409)), "{of_this:?}");
    }
    let kept: bool = one(
        &client,
        "select bool_and(a.status = 'resolved' and (select count(*) from alert_action c where c.alert_id = a.alert_id
             and c.action = 'acknowledged') = (a.acknowledged_by is not null)::integer) from alert a",
    )
    .await;
    assert!(kept);
    assert_eq!(numbers(service, "?status=firing&status=acknowledged").await, Vec::<i64>::new());
    running.finish().await;
}
