//! Keys of single devices: who is handed one, what it opens, how it ends.

use serde_json::{Value, json};
use vitals::config::{Authentication, Enrolment};

use crate::harness::{Answer, Database, Login, Service, authorization, eventually, key, vitals};

const SUNSET: i64 = 1_939_964_806_110_937_041;
const HARBOUR: i64 = 1_939_964_806_110_937_042;
const ANNA: i64 = 11;
const BERND: i64 = 12;
const SECOND: i64 = 1_767_294_245;

async fn sql(database: &Database, statement: &str) {
    database.client().await.batch_execute(statement).await.unwrap_or_else(|e| panic!("{statement}: {e:?}"));
}

async fn count(database: &Database, query: &str) -> i64 {
    database.client().await.query_one(query, &[]).await.expect(query).get(0)
}

/// Two tenants with a wearer each, who wear devices.
async fn two_tenants() -> Database {
    let database = Database::new().await;
    sql(
        &database,
        &format!(
            "insert into org_unit (org_id, ancestors) values ({SUNSET}, '{{}}'), ({HARBOUR}, '{{}}');
             insert into app_user (user_id, org_id) values ({ANNA}, {SUNSET}), ({BERND}, {HARBOUR});
             select bind_device(sn, {ANNA}, '2026-01-01Z') from unnest('{{SUNSET-1,SUNSET-2}}'::text[]) sn;
             select bind_device('HARBOUR-1', {BERND}, '2026-01-01Z')"
        ),
    )
    .await;
    database
}

async fn enrolling(database: &Database, enrolment: Enrolment) -> Service {
    Service::start_with(database, |settings| {
        settings.authentication = Authentication::Keys;
        settings.enrolment = enrolment;
        settings.limits.failures_per_minute = 10_000;
    })
    .await
}

async fn asking(database: &Database) -> Service {
    enrolling(database, Enrolment::Known).await
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

/// The header for an interface, as the firmware takes it out of a configuration.
fn header_of(config: &Answer, interface: &str) -> String {
    let text = config.body["interface_data"][interface].as_str().unwrap_or_else(|| panic!("{config:?}"));
    text.split(';').nth(4).expect("five parts").to_owned()
}

const UPLOADS: &str = "健康数据上传接口";

/// The key a watch is handed that has none.
async fn handed(service: &Service, device_sn: &str) -> String {
    let config = fetch_config(service, "", &format!("deviceSn={device_sn}")).await;
    assert_eq!(config.status, 200, "{config:?}");
    let header = header_of(&config, UPLOADS);
    assert!(header.starts_with("Bearer vd_"), "{header}");
    header
}

fn item(device_sn: &str, ids: &Value) -> Value {
    let mut item = json!({ "deviceSn": device_sn, "heart_rate": 70, "timestamp": SECOND });
    item.as_object_mut().expect("an object").extend(ids.as_object().expect("ids").clone());
    item
}

fn sample(device_sn: &str) -> Value {
    json!({ "data": item(device_sn, &json!({})) })
}

async fn post(service: &Service, authorization: &str, path: &str, body: &Value) -> Answer {
    service.send_as(authorization, "POST", path, Some(body)).await
}

async fn status(service: &Service, authorization: &str, device_sn: &str) -> u16 {
    post(service, authorization, "/upload_health_data", &sample(device_sn)).await.status
}

#[tokio::test]
async fn a_watch_without_a_key_is_handed_one_of_its_own_which_opens_its_uploads_and_nothing_else() {
    let database = two_tenants().await;
    let service = asking(&database).await;
    let own = handed(&service, "SUNSET-1").await;
    let other = handed(&service, "SUNSET-2").await;
    assert_ne!(own, other);
    assert_eq!(handed(&service, "SUNSET-1").await, own, "the same each time");
    let event = json!({ "deviceSn": "SUNSET-1", "eventType": "a.b.SOS_EVENT", "timestamp": SECOND });
    let batch = json!({ "data": [{ "deviceSn": "SUNSET-1", "heartRate": 70, "timestamp": SECOND + 1 }] });
    for (path, body) in [
        ("/upload_health_data", sample("SUNSET-1")),
        ("/upload_health_data_batch", batch),
        ("/upload_device_info", json!({ "SerialNumber": "SUNSET-1", "batteryLevel": 55 })),
        ("/upload_common_event", event),
    ] {
        let answer = post(&service, &own, path, &body).await;
        assert_eq!(answer.status, 200, "{path} {answer:?}");
        let errors = answer.body.get("errors").cloned().unwrap_or(json!([]));
        assert!([json!([]), json!(0)].contains(&errors), "{path} {answer:?}");
    }
    let stored =
        format!("select count(*) from health_data where customer_id = {SUNSET} and user_id = {ANNA}");
    assert_eq!(count(&database, &stored).await, 2);
    for (method, path) in [("GET", "/api/alerts"), ("GET", "/metrics"), ("DELETE", "/api/alerts/rules/1")] {
        assert_eq!(service.send_as(&own, method, path, None).await.status, 403, "{path}");
    }
    let text = own.trim_start_matches("Bearer ");
    let (made, mac) = text.rsplit_once('.').expect("parts");
    let (_, other_mac) = other.rsplit_once('.').expect("parts");
    for forged in [
        format!("Bearer {made}.{other_mac}"),
        format!("Bearer {made}.{}", mac.chars().rev().collect::<String>()),
        format!("Bearer {}.{mac}", made.replacen("vd_1", "vd_2", 1)),
        format!("Bearer {}.{mac}", made.replacen(&SUNSET.to_string(), &HARBOUR.to_string(), 1)),
        text.to_owned(),
    ] {
        assert_eq!(status(&service, &forged, "SUNSET-1").await, 401, "{forged}");
    }
    service.finish().await;
}

#[tokio::test]
async fn what_names_another_device_is_rejected_item_by_item_and_its_neighbours_are_not() {
    let database = two_tenants().await;
    let service = asking(&database).await;
    let own = handed(&service, "SUNSET-1").await;
    let items = [
        item("SUNSET-1", &json!({})),
        item("SUNSET-2", &json!({})),
        item("HARBOUR-1", &json!({})),
        // Refused for two reasons: the device counts, for a replay goes by it.
        json!({ "deviceSn": "SUNSET-2", "heart_rate": 70, "timestamp": "nonsense" }),
        item("SUNSET-1", &json!({ "timestamp": SECOND + 1, "customerId": SUNSET.to_string() })),
        item("SUNSET-1", &json!({ "timestamp": SECOND + 2, "customerId": HARBOUR.to_string() })),
        item("SUNSET-1", &json!({ "timestamp": SECOND + 3, "userId": BERND.to_string() })),
    ];
    let answer = post(&service, &own, "/upload_health_data", &json!({ "data": items })).await;
    assert_eq!(answer.body["details"], json!({ "success": 2, "duplicate": 0, "error": 5 }), "{answer:?}");
    let mut reasons: Vec<(u64, &str)> = answer.body["errors"]
        .as_array()
        .expect("errors")
        .iter()
        .map(|error| (error["index"].as_u64().expect("a place"), error["reason"].as_str().expect("a word")))
        .collect();
    reasons.sort_unstable();
    let (device, tenant) = ("other_device", "other_tenant");
    assert_eq!(reasons, [(1, device), (2, device), (3, device), (5, tenant), (6, tenant)]);

    let sos = json!({ "deviceSn": "SUNSET-2", "eventType": "a.b.SOS_EVENT", "timestamp": SECOND,
        "healthData": { "data": item("SUNSET-1", &json!({ "timestamp": SECOND + 4 })) } });
    // Any other status would cost the watch the events behind it.
    let answer = post(&service, &own, "/upload_common_event", &sos).await;
    assert_eq!((answer.status, &answer.body["errors"][0]["reason"]), (200, &json!(device)), "{answer:?}");
    let info = json!({ "SerialNumber": "SUNSET-2", "batteryLevel": 5 });
    let answer = post(&service, &own, "/upload_device_info", &info).await;
    assert_eq!((answer.status, &answer.body["errors"][0]["reason"]), (200, &json!(device)), "{answer:?}");
    let batch = json!({ "data": [{ "deviceSn": "SUNSET-2", "heartRate": 70, "timestamp": SECOND }] });
    assert_eq!(post(&service, &own, "/upload_health_data_batch", &batch).await.status, 400);

    let others = "select count(*) from health_data where device_sn <> 'SUNSET-1'";
    assert_eq!(count(&database, others).await, 0);
    assert_eq!(count(&database, "select count(*) from device_event").await, 0);
    assert_eq!(count(&database, "select count(*) from device_info").await, 0);
    let account = "select sum(received - stored - duplicate - rejected)::bigint from vitals.ingest_batch";
    assert_eq!(count(&database, account).await, 0);

    // An operator who puts rejects through again opens no way around the key.
    sql(&database, &format!("select bind_device('SUNSET-1', {BERND}, '2026-01-01Z')")).await;
    let said = vitals(&database, &["rejected", "replay", "--json"]).await;
    let replayed: Value = serde_json::from_str(&said.out).expect("JSON");
    assert_eq!(replayed["stored"], 2, "what named the harbour and its wearer is of them now: {said:?}");
    assert_eq!(count(&database, others).await, 0);
    assert_eq!(count(&database, "select count(*) from device_event").await, 0);
    service.finish().await;
}

#[tokio::test]
async fn a_watch_that_has_its_key_is_answered_with_the_same_and_for_no_other_device() {
    let database = two_tenants().await;
    let service = asking(&database).await;
    let own = handed(&service, "SUNSET-1").await;
    let without = fetch_config(&service, "", "deviceSn=SUNSET-1").await;
    for query in ["deviceSn=SUNSET-1", "", &format!("deviceSn=SUNSET-1&customer_id={HARBOUR}")] {
        let config = fetch_config(&service, &own, query).await;
        assert_eq!((config.status, &config.body), (200, &without.body), "{query}");
    }
    assert_eq!(fetch_config(&service, &own, "deviceSn=SUNSET-2").await.status, 403);
    service.finish().await;
    // Nobody new is let in; who is in stays.
    let closed = enrolling(&database, Enrolment::Closed).await;
    assert_eq!(fetch_config(&closed, "", "deviceSn=SUNSET-1").await.status, 401);
    assert_eq!(header_of(&fetch_config(&closed, &own, "deviceSn=SUNSET-1").await, UPLOADS), own);
    assert_eq!(status(&closed, &own, "SUNSET-1").await, 200);
    let keyed = authorization(&database, &["upload"], SUNSET).await;
    assert_eq!(fetch_config(&closed, &keyed, "deviceSn=SUNSET-1").await.status, 200);
    closed.finish().await;
}

#[tokio::test]
async fn the_setting_says_who_is_handed_a_key() {
    let database = two_tenants().await;
    let known = asking(&database).await;
    let sunset = handed(&known, "SUNSET-1").await;
    for query in ["deviceSn=NOBODY-1", "deviceSn=", &format!("customer_id={SUNSET}")] {
        assert_eq!(fetch_config(&known, "", query).await.status, 401, "{query}");
    }
    known.finish().await;
    let open = enrolling(&database, Enrolment::Open).await;
    assert_eq!(handed(&open, "SUNSET-1").await, sunset);
    let nobodys = handed(&open, "NOBODY-1").await;
    assert_eq!(fetch_config(&open, "", "deviceSn=").await.status, 401, "no serial, no key");
    let long = "L".repeat(65);
    assert_eq!(
        fetch_config(&open, "", &format!("deviceSn={long}")).await.status,
        401,
        "no device has such a serial"
    );
    // It writes in nobody's name.
    let items = [
        item("NOBODY-1", &json!({})),
        item("NOBODY-1", &json!({ "timestamp": SECOND + 1, "customerId": SUNSET.to_string() })),
        item("NOBODY-1", &json!({ "timestamp": SECOND + 2, "userId": ANNA.to_string() })),
    ];
    let answer = post(&open, &nobodys, "/upload_health_data", &json!({ "data": items })).await;
    assert_eq!(answer.body["details"], json!({ "success": 1, "duplicate": 0, "error": 2 }), "{answer:?}");
    // Once somebody wears it, it goes on with the key it has.
    sql(&database, &format!("select bind_device('NOBODY-1', {ANNA}, '2026-01-01Z')")).await;
    eventually("what it sends is of its wearer's tenant", async || {
        post(&open, &nobodys, "/upload_health_data", &json!({ "data": items })).await;
        let own = format!("select count(*) from health_data where customer_id = {SUNSET}");
        (count(&database, &own).await == 3).then_some(())
    })
    .await;
    open.finish().await;
}

#[tokio::test]
async fn a_watch_that_moves_to_another_tenant_goes_on_with_its_key_as_the_other_tenants() {
    let database = two_tenants().await;
    let service = asking(&database).await;
    let own = handed(&service, "SUNSET-1").await;
    assert_eq!(status(&service, &own, "SUNSET-1").await, 200);
    sql(&database, &format!("select bind_device('SUNSET-1', {BERND})")).await;
    let moved = eventually("its key is another", async || {
        let config = fetch_config(&service, &own, "deviceSn=SUNSET-1").await;
        let header = header_of(&config, UPLOADS);
        (header != own).then_some(header)
    })
    .await;
    for key in [&own, &moved] {
        let now = json!({ "data": { "deviceSn": "SUNSET-1", "heart_rate": 71 } });
        let answer = post(&service, key, "/upload_health_data", &now).await;
        assert_eq!(answer.body["details"]["success"], 1, "{answer:?}");
    }
    let harbours = format!("select count(*) from health_data where customer_id = {HARBOUR}");
    assert_eq!(count(&database, &harbours).await, 2);
    // The tenant it came to ends the keys of its watches: whichever of them this one has is over, for good.
    let (harbour, run) = (HARBOUR.to_string(), async |what: &str, tenant: &str| {
        let said = vitals(&database, &["keys", what, "--tenant", tenant]).await;
        assert_eq!(said.code, 0, "{said:?}");
    });
    let refused = async || {
        eventually("neither key opens anything", async || {
            let statuses =
                [status(&service, &own, "SUNSET-1").await, status(&service, &moved, "SUNSET-1").await];
            (statuses == [401, 401]).then_some(())
        })
        .await;
    };
    run("revoke", &harbour).await;
    refused().await;
    for key in [&own, &moved] {
        assert_eq!(fetch_config(&service, key, "deviceSn=SUNSET-1").await.status, 401);
    }
    let stays = handed(&service, "SUNSET-2").await;
    run("readmit", &harbour).await;
    let renewed = eventually("a new key is handed out", async || {
        let config = fetch_config(&service, &own, "deviceSn=SUNSET-1").await;
        (config.status == 200).then(|| header_of(&config, UPLOADS))
    })
    .await;
    assert_eq!(status(&service, &renewed, "SUNSET-1").await, 200);
    refused().await;
    // One that comes afterwards, with a key of afterwards, goes on with it.
    assert_eq!(status(&service, &stays, "SUNSET-2").await, 200);
    sql(&database, &format!("select bind_device('SUNSET-2', {BERND})")).await;
    let now = json!({ "data": { "deviceSn": "SUNSET-2", "heart_rate": 71 } });
    eventually("what it sends is the harbour's", async || {
        let answer = post(&service, &stays, "/upload_health_data", &now).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        (count(&database, &harbours).await > 2).then_some(())
    })
    .await;
    service.finish().await;
}

/// A right that is missing on one table is no reason to turn everybody away.
#[tokio::test]
async fn while_the_secret_cannot_be_read_whoever_needs_no_device_key_is_served_and_other_keys_are_renewed() {
    let database = two_tenants().await;
    let login = Login::of(&database, "vitals_service").await;
    let keyed = authorization(&database, &["upload"], SUNSET).await;
    sql(&database, "revoke select on vitals.device_key_secret from vitals_service").await;
    let service = Service::start_with(&database, |settings| {
        settings.authentication = Authentication::Keys;
        login.url().clone_into(&mut settings.database_url);
    })
    .await;
    let config = async |key: &str| {
        let path = "/fetch_health_data_config?deviceSn=SUNSET-1";
        service.send_as(key, "GET", path, None).await.status
    };
    assert_eq!(config("").await, 503, "a key would have to be handed out");
    assert_eq!(config(&keyed).await, 503, "so it would here: nothing else is set");
    let path = "/fetch_health_data_config?deviceSn=NOBODY-1";
    assert_eq!(service.send_as(&keyed, "GET", path, None).await.status, 200, "it is handed no key");
    sql(&database, "update device_config_interface set auth_header = 'Bearer set'").await;
    eventually("what is set needs no key", async || (config(&keyed).await == 200).then_some(())).await;
    assert_eq!(status(&service, &keyed, "SUNSET-1").await, 200);
    // Keys changed, so what is remembered is an answer no more until it was renewed: nobody can look it up meanwhile.
    authorization(&database, &["read"], HARBOUR).await;
    eventually("a key in use is renewed in the background", async || {
        sql(&database, "alter table api_key rename to api_key_elsewhere").await;
        let answered = status(&service, &keyed, "SUNSET-1").await;
        sql(&database, "alter table api_key_elsewhere rename to api_key").await;
        (answered == 200).then_some(())
    })
    .await;
    service.finish().await;
}

#[tokio::test]
async fn keys_revoked_by_device_or_by_tenant_are_refused_by_every_instance_and_never_come_back() {
    let database = two_tenants().await;
    let (one, other) = (asking(&database).await, asking(&database).await);
    let mut keys = Vec::new();
    for device_sn in ["SUNSET-1", "SUNSET-2", "HARBOUR-1"] {
        keys.push((device_sn, handed(&one, device_sn).await));
    }
    let statuses = async |service: &Service| {
        let mut all = Vec::new();
        for (device_sn, key) in &keys {
            all.push(status(service, key, device_sn).await);
        }
        all
    };
    let on_both = async |expected: [u16; 3]| {
        for service in [&one, &other] {
            eventually("every instance follows", async || {
                (statuses(service).await == expected).then_some(())
            })
            .await;
        }
    };
    on_both([200, 200, 200]).await;
    let run = async |arguments: &[&str]| vitals(&database, &[&["keys"], arguments].concat()).await;
    let said = run(&["revoke", "--device", "SUNSET-1", "--actor", "a nurse"]).await;
    assert_eq!(said.code, 0, "{said:?}");
    on_both([401, 200, 200]).await;
    assert_eq!(run(&["revoke", "--device", "SUNSET-1"]).await.code, 1, "it is already");
    let listed = run(&["list"]).await;
    assert!(listed.out.contains("SUNSET-1") && listed.out.contains("a nurse"), "{listed:?}");
    // Neither with the key nor without one it is handed another.
    for key in ["", keys[0].1.as_str()] {
        assert_eq!(fetch_config(&one, key, "deviceSn=SUNSET-1").await.status, 401);
    }
    let tenant = SUNSET.to_string();
    let said = run(&["revoke", "--tenant", &tenant]).await;
    assert_eq!(said.code, 0, "{said:?}");
    on_both([401, 401, 200]).await;
    assert_eq!(fetch_config(&one, "", "deviceSn=SUNSET-2").await.status, 401);

    let said = run(&["readmit", "--device", "SUNSET-1", "--tenant", &tenant]).await;
    assert_eq!(said.code, 0, "{said:?}");
    for service in [&one, &other] {
        let renewed = eventually("a new key is handed out", async || {
            let config = fetch_config(service, &keys[0].1, "deviceSn=SUNSET-1").await;
            (config.status == 200).then(|| header_of(&config, UPLOADS))
        })
        .await;
        assert_ne!(renewed, keys[0].1);
        assert_eq!(status(service, &renewed, "SUNSET-1").await, 200);
    }
    on_both([401, 401, 200]).await;
    assert_eq!(run(&["readmit", "--device", "SUNSET-1"]).await.code, 1, "it is not revoked");
    assert_ne!(run(&["revoke"]).await.code, 0, "what?");
    one.finish().await;
    other.finish().await;
}

#[tokio::test]
async fn a_rotated_secret_works_as_long_as_was_said_and_watches_come_to_the_new_one_by_themselves() {
    let database = two_tenants().await;
    let service = asking(&database).await;
    let first = handed(&service, "SUNSET-1").await;
    let rotated = async |overlap: &str, before: &str| {
        let said = vitals(&database, &["keys", "rotate", "--devices", "--overlap", overlap]).await;
        assert_eq!(said.code, 0, "{said:?}");
        eventually("a new key is handed out", async || {
            let config = fetch_config(&service, before, "deviceSn=SUNSET-1").await;
            Some(header_of(&config, UPLOADS)).filter(|header| header != before)
        })
        .await
    };
    let second = rotated("7d", &first).await;
    for key in [&first, &second] {
        assert_eq!(status(&service, key, "SUNSET-1").await, 200, "for a while");
    }
    // A watch that was away meanwhile asks with a key that ended, and is handed the one of today.
    let third = rotated("0s", &second).await;
    assert_eq!(status(&service, &third, "SUNSET-1").await, 200);
    for key in [&first, &second] {
        assert_eq!(status(&service, key, "SUNSET-1").await, 401);
    }
    service.finish().await;
}

/// What an operator set is a secret of whoever has a key of the tenant.
#[tokio::test]
async fn the_header_an_operator_set_is_told_to_keyed_fleets_and_to_nobody_who_knows_a_serial() {
    let database = two_tenants().await;
    let tenant = SUNSET.to_string();
    let set = key(&database, &["watches", "--scope", "upload", "--tenant", &tenant, "--as", "basic"]).await;
    let keyed = authorization(&database, &["upload"], SUNSET).await;
    sql(
        &database,
        &format!(
            "insert into customer (customer_id, name) values ({SUNSET}, 'Sunset');
             insert into device_config_interface (customer_id, name, path, interval_seconds, auth_header)
             values ({SUNSET}, '{UPLOADS}', '/upload_health_data', 60, '{set}'),
                    ({SUNSET}, '平台消息交互接口', 'https://messages.example.org/m', 60, 'Bearer theirs')"
        ),
    )
    .await;
    let service = asking(&database).await;
    let own = handed(&service, "SUNSET-1").await;
    for key in ["", own.as_str()] {
        let config = fetch_config(&service, key, "deviceSn=SUNSET-1").await;
        assert_eq!(header_of(&config, UPLOADS), own);
        assert_eq!(header_of(&config, "平台消息交互接口"), "None", "no business of somebody else's");
        assert!(!config.body.to_string().contains(&set) && !config.body.to_string().contains("theirs"));
    }
    let config = fetch_config(&service, &keyed, "deviceSn=SUNSET-1").await;
    assert_eq!(header_of(&config, UPLOADS), set);
    assert_eq!(header_of(&config, "平台消息交互接口"), "Bearer theirs");
    assert_eq!(header_of(&config, "事件上传接口"), own, "where nothing is set, a key of its own does");
    service.finish().await;
}

#[tokio::test]
async fn the_secret_is_read_by_the_service_alone_and_a_dba_ends_the_key_of_any_device() {
    let database = two_tenants().await;
    let (service, dba) =
        (Login::of(&database, "vitals_service").await, Login::of(&database, "vitals_dba").await);
    let secret = "select secret from vitals.device_key_secret";
    service.client().await.batch_execute(secret).await.expect("may");
    dba.client().await.batch_execute(secret).await.expect_err("whoever reads it makes any key");
    let revoke = "insert into device_key_revocation (device_sn) values ('SUNSET-1')";
    service.client().await.batch_execute(revoke).await.expect_err("may not");
    dba.client().await.batch_execute(revoke).await.expect("may");
    dba.client().await.batch_execute("delete from device_key_revocation").await.expect_err("may not");
}
