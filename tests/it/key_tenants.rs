//! Keys of one tenant: they write for no other, and see no other.

use serde_json::{Value, json};
use vitals::config::Authentication;

use crate::harness::{Answer, Database, Service, add_alert, authorization, eventually, vitals};

const SUNSET: i64 = 1_939_964_806_110_937_041;
const HARBOUR: i64 = 1_939_964_806_110_937_042;
const ANNA: i64 = 11;
const BERND: i64 = 12;

async fn sql(database: &Database, statement: &str) {
    database.client().await.batch_execute(statement).await.unwrap_or_else(|e| panic!("{statement}: {e:?}"));
}

/// Two tenants with a wearer each; each wears a device; a third one said once that it is the harbour's, which makes no owner.
async fn two_tenants() -> Database {
    let database = Database::new().await;
    sql(
        &database,
        &format!(
            "insert into org_unit (org_id, ancestors) values ({SUNSET}, '{{}}'), ({HARBOUR}, '{{}}');
             insert into app_user (user_id, org_id) values ({ANNA}, {SUNSET}), ({BERND}, {HARBOUR});
             select bind_device('SUNSET-1', {ANNA}), bind_device('HARBOUR-1', {BERND});
             insert into device (device_sn, customer_id) values ('HARBOUR-2', {HARBOUR})"
        ),
    )
    .await;
    database
}

async fn asking(database: &Database) -> Service {
    Service::start_with(database, |settings| settings.authentication = Authentication::Keys).await
}

async fn post(service: &Service, authorization: &str, path: &str, body: &Value) -> Answer {
    service.send_as(authorization, "POST", path, Some(body)).await
}

fn item(device_sn: &str, ids: &Value) -> Value {
    let mut item = json!({ "deviceSn": device_sn, "heart_rate": 70, "timestamp": 1_767_294_245 });
    item.as_object_mut().expect("an object").extend(ids.as_object().expect("ids").clone());
    item
}

/// (serial, tenant, user) of all samples.
async fn samples(database: &Database) -> Vec<(String, Option<i64>, Option<i64>)> {
    let query = "select device_sn, customer_id, user_id from health_data order by device_sn collate \"C\"";
    let rows = database.client().await.query(query, &[]).await.expect("samples");
    rows.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect()
}

async fn count(database: &Database, query: &str) -> i64 {
    database.client().await.query_one(query, &[]).await.expect(query).get(0)
}

#[tokio::test]
async fn what_is_anothers_is_refused_item_by_item_and_the_accounts_balance() {
    let database = two_tenants().await;
    let service = asking(&database).await;
    let sunset = authorization(&database, &["upload"], SUNSET).await;
    let whole =
        json!({ "customerId": SUNSET.to_string(), "orgId": SUNSET.to_string(), "userId": ANNA.to_string() });
    let items = [
        // Its own, and nobody's.
        item("SUNSET-1", &json!({})),
        item("NOBODY-1", &json!({})),
        item("NOBODY-2", &json!({ "customerId": SUNSET.to_string(), "userId": "77" })),
        item("HARBOUR-2", &json!({})),
        // Another's, whatever it says.
        item("HARBOUR-1", &json!({})),
        item("HARBOUR-1", &whole),
        item("SUNSET-1", &json!({ "customerId": HARBOUR.to_string() })),
        item("NOBODY-3", &json!({ "customerId": HARBOUR.to_string() })),
        item("NOBODY-4", &json!({ "orgId": HARBOUR.to_string() })),
        item("NOBODY-5", &json!({ "userId": BERND.to_string() })),
    ];
    // Twice: what was found out is remembered, and changes nothing.
    for (stored, again) in [(4, 0), (0, 4)] {
        let answer = post(&service, &sunset, "/upload_health_data", &json!({ "data": items })).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.body["details"], json!({ "success": stored, "duplicate": again, "error": 6 }));
        let errors = answer.body["errors"].as_array().expect("errors");
        let indices: Vec<u64> =
            errors.iter().map(|error| error["index"].as_u64().expect("a place")).collect();
        assert_eq!(indices, [4, 5, 6, 7, 8, 9]);
        assert!(errors.iter().all(|error| error["reason"] == "other_tenant"), "{errors:?}");
        assert!(!answer.body.to_string().contains(&HARBOUR.to_string()), "whose it is is not told");
    }
    let expected =
        [("HARBOUR-2", None), ("NOBODY-1", None), ("NOBODY-2", Some(77)), ("SUNSET-1", Some(ANNA))];
    let expected = expected.map(|(device_sn, user)| (device_sn.to_owned(), Some(SUNSET), user));
    assert_eq!(samples(&database).await, expected);
    let kept = format!("select sum(times)::bigint from rejected_upload where key_customer_id = {SUNSET}");
    assert_eq!(count(&database, &kept).await, 12);
    let account = "select sum(received - stored - duplicate - rejected)::bigint from vitals.ingest_batch";
    assert_eq!(count(&database, account).await, 0);
    assert_eq!(count(&database, "select sum(received)::bigint from vitals.ingest_batch").await, 20);
    // A key of every tenant writes for all.
    let every = authorization(&database, &["upload"], 0).await;
    let items = [
        item("HARBOUR-1", &json!({})),
        item("HARBOUR-3", &json!({ "customerId": HARBOUR.to_string() })),
        item("SUNSET-3", &json!({ "customerId": SUNSET.to_string() })),
    ];
    let answer = post(&service, &every, "/upload_health_data", &json!({ "data": items })).await;
    assert_eq!(answer.body["details"], json!({ "success": 3, "duplicate": 0, "error": 0 }));
    service.finish().await;
}

#[tokio::test]
async fn while_owners_cannot_be_read_a_key_of_one_tenant_writes_nothing() {
    let database = two_tenants().await;
    let service = asking(&database).await;
    let sunset = authorization(&database, &["upload"], SUNSET).await;
    let every = authorization(&database, &["upload"], 0).await;
    let body = json!({ "data": [item("HARBOUR-1", &json!({})), item("SUNSET-1", &json!({}))] });
    sql(&database, "alter table device_binding rename to device_binding_elsewhere").await;
    let answer = post(&service, &sunset, "/upload_health_data", &body).await;
    assert_eq!((answer.status, answer.retry_after.is_some()), (503, true));
    assert_eq!(samples(&database).await, []);
    let answer = post(&service, &every, "/upload_health_data", &body).await;
    assert_eq!(answer.body["details"]["success"], 2, "what devices sent is worth more than whose it is");
    sql(&database, "alter table device_binding_elsewhere rename to device_binding").await;
    let answer = post(&service, &sunset, "/upload_health_data", &body).await;
    assert_eq!(answer.body["details"], json!({ "success": 0, "duplicate": 1, "error": 1 }));
    service.finish().await;
}

#[tokio::test]
async fn events_device_information_and_batches_of_others_are_refused_in_their_own_way() {
    let database = two_tenants().await;
    let service = asking(&database).await;
    let sunset = authorization(&database, &["upload"], SUNSET).await;
    let event = |device_sn: &str| {
        json!({ "deviceSn": device_sn, "eventType": "a.b.SOS_EVENT", "timestamp": 1_767_294_245,
            "healthData": { "data": item(device_sn, &json!({})) } })
    };
    // Any other status would cost the watch the events behind it.
    let foreign = post(&service, &sunset, "/upload_common_event", &event("HARBOUR-1")).await;
    assert_eq!(foreign.status, 200, "{foreign:?}");
    assert_eq!(foreign.body["errors"][0]["reason"], "other_tenant");
    let own = post(&service, &sunset, "/upload_common_event", &event("SUNSET-1")).await;
    assert!(own.body.get("errors").is_none(), "{own:?}");
    let info = |device_sn: &str| json!({ "SerialNumber": device_sn, "batteryLevel": "55" });
    let foreign = post(&service, &sunset, "/upload_device_info", &info("HARBOUR-1")).await;
    assert_eq!((foreign.status, &foreign.body["errors"][0]["reason"]), (200, &json!("other_tenant")));
    let own = post(&service, &sunset, "/upload_device_info", &info("NOBODY-1")).await;
    assert!(own.status == 200 && own.body.get("errors").is_none(), "{own:?}");
    let batch = json!({ "data": [{ "deviceSn": "HARBOUR-1", "heartRate": 70, "timestamp": 1_767_294_245 }] });
    let foreign = post(&service, &sunset, "/upload_health_data_batch", &batch).await;
    assert_eq!((foreign.status, &foreign.body["errors"]), (400, &json!(1)), "{foreign:?}");

    assert_eq!(samples(&database).await, [("SUNSET-1".to_owned(), Some(SUNSET), Some(ANNA))]);
    let told = "select count(*) from device_event where device_sn = 'HARBOUR-1'";
    assert_eq!(count(&database, told).await, 0);
    service.finish().await;
}

/// Whoever's `device_info` came first would own it, and the other's SOS would be turned away with 200.
#[tokio::test]
async fn a_tenant_cannot_claim_a_device_by_what_is_uploaded_for_it() {
    let database = two_tenants().await;
    let service = asking(&database).await;
    let (sunset, harbour) = (
        authorization(&database, &["upload"], SUNSET).await,
        authorization(&database, &["upload"], HARBOUR).await,
    );
    let info = json!({ "SerialNumber": "FREE-1", "customerId": HARBOUR.to_string(), "batteryLevel": "55" });
    let claimed = post(&service, &harbour, "/upload_device_info", &info).await;
    assert!(claimed.status == 200 && claimed.body.get("errors").is_none(), "{claimed:?}");
    let sos = json!({ "deviceSn": "FREE-1", "eventType": "a.b.SOS_EVENT", "timestamp": 1_767_294_245 });
    let answer = post(&service, &sunset, "/upload_common_event", &sos).await;
    assert!(answer.status == 200 && answer.body.get("errors").is_none(), "{answer:?}");
    let raised = format!("select count(*) from alert where device_sn = 'FREE-1' and customer_id = {SUNSET}");
    eventually("the SOS is an alert", async || (count(&database, &raised).await == 1).then_some(())).await;
    for (key, tenant, second) in [(&sunset, SUNSET, 1), (&harbour, HARBOUR, 2)] {
        let sample = json!({ "deviceSn": "FREE-1", "heart_rate": 70, "timestamp": 1_767_294_245 + second });
        let answer = post(&service, key, "/upload_health_data", &json!({ "data": sample })).await;
        assert_eq!(answer.body["details"]["success"], 1, "{tenant}: {answer:?}");
    }
    let said = [("FREE-1".to_owned(), Some(SUNSET), None), ("FREE-1".to_owned(), Some(HARBOUR), None)];
    assert_eq!(samples(&database).await, said, "what an upload says of itself counts for that upload");
    // Nobody's dashboard is let in by it either. The directory says whose it is.
    let periods = "select count(*) from vitals.device_period where device_sn = 'FREE-1' and customer_id <> 0";
    assert_eq!(count(&database, periods).await, 0);
    sql(&database, &format!("select bind_device('FREE-1', {ANNA}, '2026-01-01Z')")).await;
    assert_eq!(count(&database, periods).await, 1);
    eventually("the harbour's are refused", async || {
        let sample = json!({ "deviceSn": "FREE-1", "heart_rate": 70, "timestamp": 1_767_294_345 });
        let answer = post(&service, &harbour, "/upload_health_data", &json!({ "data": sample })).await;
        (answer.body["errors"][0]["reason"] == "other_tenant").then_some(())
    })
    .await;
    service.finish().await;
}

/// Redis is a cache: whoever can write it decides nothing that a key is held against.
#[tokio::test]
async fn what_redis_says_of_an_owner_opens_nothing_to_a_key_of_one_tenant() {
    const DEVICES: usize = 200;
    let database = two_tenants().await;
    sql(
        &database,
        &format!(
            "insert into device_binding (device_sn, user_id) select 'FORGED-' || n, {BERND} from generate_series(0, {DEVICES}) n"
        ),
    )
    .await;
    let every = authorization(&database, &["upload"], 0).await;
    let sunset = authorization(&database, &["upload"], SUNSET).await;
    let sample = |number: usize, second: i64| json!({ "deviceSn": format!("FORGED-{number}"), "heart_rate": 70, "timestamp": 1_767_294_245 + second });
    let first = asking(&database).await;
    let items: Vec<Value> = (0..DEVICES).map(|number| sample(number, 0)).collect();
    assert_eq!(post(&first, &every, "/upload_health_data", &json!({ "data": items })).await.status, 200);
    let mut redis = database.redis().await;
    let value: String = eventually("Redis remembers an owner", async || {
        redis::cmd("GET")
            .arg("device_user:FORGED-7")
            .query_async(&mut database.redis().await)
            .await
            .expect("an answer")
    })
    .await;
    first.finish().await;
    let mut forged: Value = serde_json::from_str(&value).expect("JSON");
    forged["customerId"] = json!(SUNSET.to_string());
    forged["orgId"] = json!(SUNSET.to_string());
    forged["userId"] = json!(ANNA.to_string());
    for number in 0..DEVICES {
        let mut set = redis::cmd("SET");
        set.arg(format!("device_user:FORGED-{number}")).arg(forged.to_string());
        let _: () = set.query_async(&mut redis).await.expect("written");
    }
    let other = asking(&database).await;
    let mut numbers = (0..DEVICES).step_by(2);
    // Until it hears of changes it asks the database alone; each device is asked for once.
    let believed = eventually("an upload that no tenant bounds is completed from Redis", || {
        let number = numbers.next().expect("devices enough");
        let (database, other, every, body) =
            (&database, &other, &every, json!({ "data": sample(number, 1) }));
        async move {
            post(other, every, "/upload_health_data", &body).await;
            let query = format!(
                "select count(*) from health_data where device_sn = 'FORGED-{number}' and user_id = {ANNA}"
            );
            (count(database, &query).await == 1).then_some(number)
        }
    })
    .await;
    // What is in Redis only, and what is in memory from there.
    for number in [believed + 1, believed] {
        let answer =
            post(&other, &sunset, "/upload_health_data", &json!({ "data": sample(number, 2) })).await;
        assert_eq!(answer.body["errors"][0]["reason"], "other_tenant", "{number}: {answer:?}");
    }
    other.finish().await;
}

#[tokio::test]
async fn a_sample_goes_by_whose_the_device_was_at_its_time() {
    let database = two_tenants().await;
    sql(
        &database,
        &format!(
            "select bind_device('MOVED-1', {ANNA}, '2026-01-01Z');
             select bind_device('MOVED-1', {BERND}, '2026-01-10Z')"
        ),
    )
    .await;
    let service = asking(&database).await;
    let sample = |day: u32| json!({ "data": { "deviceSn": "MOVED-1", "heart_rate": 70, "timestamp": format!("2026-01-{day:02} 12:00:00") } });
    for (tenant, before, after) in [(SUNSET, 1, 0), (HARBOUR, 0, 1)] {
        let key = authorization(&database, &["upload"], tenant).await;
        for (day, stored) in [(5, before), (15, after)] {
            let answer = post(&service, &key, "/upload_health_data", &sample(day)).await;
            assert_eq!(answer.body["details"]["success"], stored, "{tenant} {day} {answer:?}");
        }
    }
    service.finish().await;
}

/// An operator who puts rejects through again opens no way around the key.
#[tokio::test]
async fn a_replay_goes_by_the_bounds_of_the_key() {
    let database = two_tenants().await;
    let service = asking(&database).await;
    let sunset = authorization(&database, &["upload"], SUNSET).await;
    sql(&database, "update policy set keep_for = '1 day' where relation = 'health_data'").await;
    service.stop().await;
    let service = asking(&database).await;
    // Refused for their age; one of them is another's besides.
    let items = [item("SUNSET-1", &json!({})), item("HARBOUR-1", &json!({}))];
    let answer = post(&service, &sunset, "/upload_health_data", &json!({ "data": items })).await;
    assert_eq!(answer.body["details"]["error"], 2, "{answer:?}");
    sql(&database, "update policy set keep_for = '20 years' where relation = 'health_data'").await;
    let replay = async || {
        let said = vitals(&database, &["rejected", "replay", "--json"]).await;
        assert_eq!(said.code, 0, "{said:?}");
        serde_json::from_str::<Value>(&said.out).expect("JSON")
    };
    let first = replay().await;
    assert_eq!((&first["stored"], &first["refused"]), (&json!(1), &json!({ "other_tenant": 1 })));
    sql(&database, &format!("select bind_device('HARBOUR-1', {ANNA}, '2025-12-01Z')")).await;
    let second = replay().await;
    assert_eq!((&second["stored"], &second["refused"]), (&json!(1), &json!({})), "it is the tenant's now");
    service.finish().await;
}

#[tokio::test]
async fn a_key_of_one_tenant_sees_the_alerts_of_that_tenant_alone() {
    let database = two_tenants().await;
    let client = database.client().await;
    let own = add_alert(&client, 1, "SUNSET-1", 5, &json!({ "customer_id": SUNSET })).await;
    let other = add_alert(&client, 1, "HARBOUR-1", 4, &json!({ "customer_id": HARBOUR })).await;
    let nobodys = add_alert(&client, 1, "NOBODY-1", 3, &json!({})).await;
    let service = asking(&database).await;
    let (sunset, every) =
        (authorization(&database, &["read"], SUNSET).await, authorization(&database, &["read"], 0).await);
    let get = async |key: &str, path: &str| service.send_as(key, "GET", path, None).await;
    let ids = |answer: &Answer| {
        let alerts = answer.body["alerts"].as_array().expect("alerts");
        alerts.iter().map(|alert| alert["alert_id"].as_str().expect("text").to_owned()).collect::<Vec<_>>()
    };
    for query in ["", &format!("?customer_id={SUNSET}"), "?device_sn=SUNSET-1&device_sn=HARBOUR-1"] {
        assert_eq!(ids(&get(&sunset, &format!("/api/alerts{query}")).await), [own.to_string()], "{query}");
    }
    for path in ["/api/alerts", "/api/alerts/summary"] {
        let answer = get(&sunset, &format!("{path}?customer_id={HARBOUR}")).await;
        assert_eq!(answer.status, 403, "{answer:?}");
    }
    let hidden = get(&sunset, &format!("/api/alerts?org_id={HARBOUR}")).await;
    assert_eq!(ids(&hidden), [""; 0]);
    assert_eq!(get(&sunset, "/api/alerts/summary").await.body["alerts"], 1);
    assert_eq!(get(&sunset, &format!("/api/alerts/{own}")).await.status, 200);
    for alert in [other, nobodys] {
        let (hidden, absent) = (
            get(&sunset, &format!("/api/alerts/{alert}")).await,
            get(&sunset, "/api/alerts/987654321").await,
        );
        assert_eq!((hidden.status, absent.status), (404, 404), "as if it were not there");
        assert_eq!(get(&every, &format!("/api/alerts/{alert}")).await.status, 200);
    }
    assert_eq!(ids(&get(&every, "/api/alerts").await).len(), 3);
    for path in ["/api/alerts/rules", "/api/health", "/api/stats", "/metrics"] {
        assert_eq!(get(&sunset, path).await.status, 403, "it shows every tenant: {path}");
        assert_eq!(get(&every, path).await.status, 200, "{path}");
    }
    let refused = vitals(&database, &["keys", "create", "x", "--scope", "admin", "--tenant", "5"]).await;
    assert_eq!(refused.code, 1, "{refused:?}");
    service.finish().await;
}

/// What a watch is told; one that is not answered in its two seconds asks again.
async fn fetch_config(service: &Service, authorization: &str, query: &str) -> Answer {
    let path = format!("/fetch_health_data_config?{query}");
    eventually("the configuration can be read", async || {
        let answer = service.send_as(authorization, "GET", &path, None).await;
        (answer.status != 503).then_some(answer)
    })
    .await
}

#[tokio::test]
async fn a_configuration_is_told_to_a_device_the_directory_knows_or_with_a_key_of_its_tenant() {
    let database = two_tenants().await;
    let (sunset, every) =
        (authorization(&database, &["upload"], SUNSET).await, authorization(&database, &["upload"], 0).await);
    let reader = authorization(&database, &["read"], 0).await;
    let service = asking(&database).await;
    let ask = async |key: &str, query: &str| {
        let answer = fetch_config(&service, key, query).await;
        (answer.status, answer.body["customer_id"].as_str().unwrap_or_default().to_owned())
    };
    let (of_sunset, of_harbour) = ((200, SUNSET.to_string()), (200, HARBOUR.to_string()));
    let refused = |status: u16| (status, String::new());
    let names_harbour = format!("customer_id={HARBOUR}");
    for (key, query, expected) in [
        ("", "deviceSn=SUNSET-1", of_sunset.clone()),
        ("", &format!("deviceSn=SUNSET-1&{names_harbour}"), of_sunset.clone()),
        ("", "deviceSn=NOBODY-1", refused(401)),
        // Says only itself whose it is.
        ("", "deviceSn=HARBOUR-2", refused(401)),
        ("", &names_harbour, refused(401)),
        ("", "", refused(401)),
        (&sunset, "deviceSn=SUNSET-1", of_sunset.clone()),
        (&sunset, "deviceSn=NOBODY-1", of_sunset.clone()),
        (&sunset, "", of_sunset),
        (&sunset, "deviceSn=HARBOUR-1", refused(403)),
        (&sunset, &names_harbour, refused(403)),
        (&every, "deviceSn=HARBOUR-1", of_harbour.clone()),
        (&every, &names_harbour, of_harbour),
        (&every, "", (200, "0".to_owned())),
        (&reader, "deviceSn=SUNSET-1", refused(403)),
        ("Bearer nonsense", "deviceSn=SUNSET-1", refused(401)),
    ] {
        assert_eq!(ask(key, query).await, expected, "{key} {query}");
    }
    service.finish().await;
}
