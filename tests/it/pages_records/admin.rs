//! The administration on pages: what it changes, and whom it refuses.

use serde_json::json;

use super::{Browser, flash, homes, member};

const SECTIONS: [&str; 10] = [
    "/admin",
    "/admin/rules",
    "/admin/rules/1",
    "/admin/silences",
    "/admin/keys",
    "/admin/shifts",
    "/admin/contacts",
    "/admin/accounts",
    "/admin/rejected",
    "/admin/policies",
];

#[tokio::test]
async fn the_administration_refuses_whoever_only_responds() {
    let (database, service, client) = homes(true).await;
    let li = member(&database, &service, "nurse-Li", &["read", "respond"]).await;
    for path in SECTIONS {
        assert_eq!(li.get(path).await.status, 403, "{path}");
    }
    for path in [
        "/admin/rules",
        "/admin/rules/1",
        "/admin/silences/1",
        "/admin/keys",
        "/admin/keys/1",
        "/admin/rejected",
    ] {
        assert_eq!(li.post(path, "action=disable").await.status, 403, "{path}");
    }
    let off: i64 =
        client.query_one("select count(*) from alert_rule where not enabled", &[]).await.expect("one").get(0);
    assert_eq!(off, 0);
    service.finish().await;
}

#[tokio::test]
async fn every_section_is_shown_in_both_languages() {
    let (_database, service, _client) = homes(false).await;
    let browser = Browser::new(&service, "");
    for path in SECTIONS {
        for (language, heading) in [("en", "Administration"), ("zh", "管理")] {
            let page = browser.get(&format!("{path}?lang={language}")).await;
            assert_eq!(page.status, 200, "{path}: {}", page.html);
            assert!(page.html.contains(heading) && !page.html.contains("style="), "{path}: {}", page.html);
        }
    }
    service.finish().await;
}

/// Fields of a rule as its form sends them.
fn fields(max_value: i64) -> String {
    format!(
        "kind=threshold&name=Fast&severity=minor&metric=heart_rate&scope=everybody&enabled=true&max_value={max_value}"
    )
}

#[tokio::test]
async fn a_rule_is_tried_out_over_history_before_it_is_kept_and_can_be_switched_off() {
    let (_database, service, client) = homes(false).await;
    let browser = Browser::new(&service, "");
    let count = async || -> i64 {
        client
            .query_one("select count(*) from alert_rule where name = 'Fast'", &[])
            .await
            .expect("one")
            .get(0)
    };
    let tried = browser.post("/admin/rules", &format!("action=try&days=1&{}", fields(75))).await;
    assert_eq!(tried.status, 200, "{}", tried.html);
    assert!(tried.html.contains("of 2 of 2 devices in 1 day"), "{}", tried.html);
    assert!(
        tried.html.contains("name=\"max_value\" value=\"75\""),
        "what was typed is still there: {}",
        tried.html
    );
    let impossible = browser.post("/admin/rules", &format!("action=try&{}", fields(9_999))).await;
    assert!(impossible.html.contains("the rule is impossible"), "{}", impossible.html);
    assert_eq!(count().await, 0, "a try-out keeps nothing");

    let page = browser.submit("/admin/rules", &format!("action=save&{}", fields(75))).await;
    assert!(flash(&page).contains("is stored, version 1"), "{page}");
    let rule_id: i64 = client
        .query_one("select rule_id from alert_rule where name = 'Fast'", &[])
        .await
        .expect("a rule")
        .get(0);
    let path = format!("/admin/rules/{rule_id}");
    let page = browser.submit(&path, "action=disable&back=/admin/rules").await;
    assert!(flash(&page).contains(&format!("rule {rule_id} is off")), "{page}");
    let outdated = browser.post(&path, &format!("action=save&version=1&{}", fields(90))).await.html;
    assert!(flash(&outdated).contains("was changed meanwhile"), "{outdated}");
    assert!(
        outdated.contains("name=\"max_value\" value=\"90\""),
        "what was typed is still there: {outdated}"
    );
    let page = browser.submit(&path, "action=remove").await;
    assert!(flash(&page).contains("is deleted"), "{page}");
    assert_eq!(count().await, 0);
    service.finish().await;
}

#[tokio::test]
async fn a_key_is_shown_once_and_revoked_by_its_public_part() {
    let (_database, service, client) = homes(false).await;
    let browser = Browser::new(&service, "");
    let made = browser.post("/admin/keys", "name=grafana&scope=read&customer_id=5&days=30").await;
    assert_eq!(made.status, 200, "{}", made.html);
    let secret =
        made.html.split_once("<code>").and_then(|(_, rest)| rest.split_once("</code>")).expect("a key").0;
    assert!(secret.starts_with("vk_"), "{secret}");
    let list = browser.get("/admin/keys").await.html;
    assert!(list.contains("grafana") && !list.contains(secret), "{list}");
    for (form, reason) in [
        ("name=grafana&scope=read", "There is a key grafana already"),
        ("name=x", "at least one scope"),
        ("name=x&scope=admin&customer_id=5", "cannot have it"),
        ("name=x&scope=respond", "needs the person"),
    ] {
        let refused = browser.submit("/admin/keys", form).await;
        assert!(flash(&refused).contains(reason), "{form}: {refused}");
    }
    let key_id: String = client.query_one("select key_id from api_key", &[]).await.expect("one").get(0);
    let page = browser.submit(&format!("/admin/keys/{key_id}"), "").await;
    assert_eq!(flash(&page), "Key grafana is revoked");
    let revoked: bool =
        client.query_one("select revoked_at is not null from api_key", &[]).await.expect("one").get(0);
    assert!(revoked);
    service.finish().await;
}

#[tokio::test]
async fn an_item_that_has_become_valid_is_stored_from_the_page() {
    let (_database, service, client) = homes(false).await;
    let browser = Browser::new(&service, "");
    // Refused for its time; a hand corrects it.
    let item = json!({ "data": { "deviceSn": "SUN-1", "timestamp": "no time", "heart_rate": 77 } });
    service.post("/upload_health_data", item.to_string()).await;
    let list = browser.get("/admin/rejected").await.html;
    assert!(list.contains("no time") && list.contains("SUN-1"), "{list}");
    client
        .batch_execute("update rejected_upload set body = replace(body, 'no time', to_char(now() - interval '1 min', 'YYYY-MM-DD\"T\"HH24:MI:SSOF'))")
        .await
        .expect("corrected");
    let id: i64 =
        client.query_one("select rejected_upload_id from rejected_upload", &[]).await.expect("one").get(0);
    let page = browser.submit("/admin/rejected", &format!("id={id}")).await;
    assert_eq!(flash(&page), "1 stored, 0 were duplicates, 0 refused once more");
    let left: i64 = client.query_one("select count(*) from rejected_upload", &[]).await.expect("one").get(0);
    assert_eq!(left, 0);
    service.finish().await;
}
