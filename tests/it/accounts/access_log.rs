//! Who looked at whose data is kept, and can be asked; an erasure removes at whom.

use serde_json::{Value, json};

use super::{asking_with, clinics};
use crate::harness::{Browser, Database, account, add_alert, eventually, key, vitals};

/// What `vitals access log` lists, once it is so many.
async fn entries(database: &Database, arguments: &[&str], count: usize) -> Vec<Value> {
    let arguments = [&["access", "log", "--json"], arguments].concat();
    eventually(&format!("{count} entries of {arguments:?}"), || async {
        let listed = vitals(database, &arguments).await;
        assert_eq!(listed.code, 0, "{listed:?}");
        let entries: Vec<Value> =
            listed.out.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        (entries.len() >= count).then_some(entries)
    })
    .await
}

#[tokio::test]
async fn who_looked_at_whose_data_and_who_changed_something_is_kept() {
    let database = clinics().await;
    let service = asking_with(&database, |settings| settings.access_log_repeat_seconds = 300).await;
    let client = database.client().await;
    let own = add_alert(&client, 1, "OWN", 5, &json!({ "customer_id": 5, "org_id": 50 })).await;
    account(&database, &["li", "--name", "Li Ming", "--role", "responder", "--tenant", "5"]).await;
    let program = key(&database, &["report", "--scope", "read", "--as", "bearer"]).await;
    let li = Browser::logged_in(&service, "li").await;
    for _ in 0..3 {
        assert_eq!(li.get(&format!("/api/alerts/{own}")).await.status, 200);
    }
    assert_eq!(li.get("/api/alerts?device_sn=OWN&severity=major").await.status, 200);
    assert_eq!(li.get("/api/alerts/rules").await.status, 403, "refused");
    assert_eq!(li.get("/api/contacts").await.status, 200, "of nobody");
    for _ in 0..2 {
        assert_eq!(
            li.post_json(&format!("/api/alerts/{own}/note"), &json!({ "note": "seen" })).await.status,
            200
        );
    }
    assert_eq!(service.send_as(&program, "GET", "/api/alerts?status=firing", None).await.status, 200);

    let by_li = entries(&database, &["--account", "LI"], 4).await;
    let shown = |entry: &Value| format!("{} {} {}", entry["route"], entry["device_sn"], entry["filter"]);
    let mut listed: Vec<String> = by_li.iter().map(shown).collect();
    listed.sort();
    let note = format!("\"POST /api/alerts/{{id}}/note\" null \"id={own}\"");
    assert_eq!(
        listed,
        ["\"/api/alerts\" \"OWN\" \"severity=major\"", "\"/api/alerts/{id}\" \"OWN\" null", &note, &note],
        "repeats are one row, changes are not"
    );
    assert_eq!(by_li[0]["name"], "Li Ming");
    assert_eq!((&by_li[0]["role"], &by_li[0]["within_customer_id"]), (&json!("responder"), &json!("5")));
    assert_eq!(by_li[0]["address"], "127.0.0.1");
    let all = entries(&database, &["--since", "1h"], 5).await;
    let of_program = all.iter().find(|entry| entry["login"].is_null()).expect("the program");
    assert!(program.contains(of_program["key_id"].as_str().expect("a key")), "{of_program}");
    assert_eq!(of_program["filter"], "status=firing");
    assert_eq!(entries(&database, &["--device", "OWN"], 2).await.len(), 2);
    let table = vitals(&database, &["access", "log", "--device", "OWN"]).await.out;
    assert!(table.contains("Li Ming (li)") && table.contains("tenant 5"), "{table}");
    service.finish().await;

    let erased = vitals(&database, &["erase", "device", "OWN", "--yes"]).await;
    assert!(erased.code == 0 && erased.out.contains("access_log"), "{erased:?}");
    assert!(vitals(&database, &["access", "log", "--device", "OWN"]).await.out.contains("nobody looked"));
    let left = entries(&database, &["--account", "li"], 4).await;
    assert_eq!(left.iter().filter(|entry| entry["erased"] == true).count(), 2, "who looked stays: {left:?}");
    assert!(left.iter().all(|entry| !entry.to_string().contains("OWN")), "{left:?}");
}

#[tokio::test]
async fn a_change_on_the_page_of_a_person_is_one_of_the_person() {
    let database = clinics().await;
    let service = asking_with(&database, |_| ()).await;
    database
        .client()
        .await
        .batch_execute("insert into app_user (user_id, org_id) values (9, 50)")
        .await
        .expect("one");
    account(&database, &["ma", "--role", "admin", "--tenant", "5"]).await;
    let ma = Browser::logged_in(&service, "ma").await;
    let limit =
        [("action", "add"), ("name", "Low"), ("severity", "major"), ("metric", "heart_rate"), ("min", "45")];
    assert_eq!(ma.submit("/people/9/limits", &limit).await.status, 303);
    let entry = entries(&database, &["--account", "ma"], 1).await.remove(0);
    assert_eq!(
        (&entry["route"], &entry["user_id"]),
        (&json!("POST /people/{id}/limits"), &json!("9")),
        "{entry}"
    );
    assert_eq!(entry["filter"], Value::Null, "whoever is erased is not in it: {entry}");
    service.finish().await;
}

#[tokio::test]
async fn the_log_of_a_person_covers_the_devices_worn_and_ends_by_the_policy() {
    let database = clinics().await;
    let client = database.client().await;
    let log = |at: &str, device_sn: &str, user_id: &str| {
        format!(
            "insert into access_log (accessed_at, name, role, route, device_sn, user_id, address)
             values (now() - interval '{at}', 'Li', 'viewer', '/x', {device_sn}, {user_id}, '192.0.2.1');"
        )
    };
    let rows = [
        log("1 day", "null", "9"),
        log("1 day", "'WORN'", "null"),
        log("9 days", "'WORN'", "null"),
        log("1 day", "'OTHER'", "null"),
        log("1 day", "null", "8"),
        log("3 years", "null", "8"),
    ];
    let directory = "insert into app_user (user_id, org_id) values (9, 50), (8, 50);
                     select bind_device('WORN', 9, now() - interval '2 days'), bind_device('OTHER', 8, now() - interval '9 days');";
    client.batch_execute(&format!("{directory}{}", rows.join(""))).await.expect("rows");
    client.batch_execute("select erase_user(9)").await.expect("erased");
    let left = "select string_agg(coalesce(device_sn, user_id::text, 'erased'), ' ' order by accessed_at, device_sn, user_id) from access_log";
    let left = async || client.query_one(left, &[]).await.expect("rows").get::<_, String>(0);
    assert_eq!(
        left().await,
        "8 WORN OTHER 8 erased erased",
        "before the binding the device was not the person's"
    );
    client.batch_execute("call apply_policies()").await.expect("applied");
    assert_eq!(left().await, "WORN OTHER 8 erased erased", "kept for two years");
}
