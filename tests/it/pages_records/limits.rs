//! The limits of one person, changed on a page.

use jiff::Timestamp;
use serde_json::json;
use tokio_postgres::Client;

use super::{Browser, flash, homes};
use crate::harness::{Service, eventually};

/// A sample of now, by the service.
async fn measure(service: &Service, device_sn: &str, heart_rate: i64) {
    let item =
        json!({ "deviceSn": device_sn, "timestamp": Timestamp::now().to_string(), "heart_rate": heart_rate });
    assert_eq!(service.upload(&json!({ "data": item })).await.0, 1);
}

async fn open_alerts(client: &Client, device_sn: &str) -> Vec<String> {
    let sql =
        "select r.name || coalesce(' of ' || r.user_id, '') from alert a join alert_rule r using (rule_id)
               where a.device_sn = $1 and a.status <> 'resolved' order by 1";
    client.query(sql, &[&device_sn]).await.expect("alerts").iter().map(|row| row.get(0)).collect()
}

#[tokio::test]
async fn a_limit_that_is_set_on_the_page_of_a_person_raises_an_alert_and_holds_for_nobody_else() {
    let (_database, service, client) = homes(false).await;
    let browser = Browser::new(&service, "");
    let page = browser.get("/people/501").await;
    assert!(page.html.contains("name=\"level_0_max\""), "{}", page.html);

    let set = "action=set&rule_id=1&version=1&min=50&max=100&level_0_min=40&level_0_max=140";
    let page = browser.submit("/people/501/limits", set).await;
    assert!(flash(&page).contains("Heart rate out of range"), "{page}");
    let own: i64 = client
        .query_one("select rule_id from alert_rule where user_id = 501", &[])
        .await
        .expect("a rule")
        .get(0);
    assert!(page.contains("this person") && page.contains("&lt; 50, &gt; 100"), "{page}");

    for device_sn in ["SUN-1", "HAR-1"] {
        measure(&service, device_sn, 110).await;
    }
    eventually("an alert by the own limit", || async {
        (open_alerts(&client, "SUN-1").await == ["Heart rate out of range of 501"]).then_some(())
    })
    .await;
    service.drained().await;
    assert_eq!(open_alerts(&client, "HAR-1").await, Vec::<String>::new());

    let refused = browser
        .submit("/people/501/limits", &format!("action=set&rule_id={own}&version=1&min=100&max=50"))
        .await;
    assert!(flash(&refused).contains("is not below"), "{refused}");
    let outdated =
        browser.submit("/people/501/limits", &format!("action=set&rule_id={own}&version=99&max=90")).await;
    assert!(flash(&outdated).contains("was changed meanwhile"), "{outdated}");
    let foreign = browser.submit("/people/601/limits", &format!("action=set&rule_id={own}&max=90")).await;
    assert!(
        flash(&foreign).contains(&format!("there is no rule {own}")),
        "only rules that hold for the person: {foreign}"
    );

    let removed = browser.submit("/people/501/limits", &format!("action=remove&rule_id={own}")).await;
    assert!(flash(&removed).contains("is removed"), "{removed}");
    assert!(removed.contains("&lt; 50, &gt; 120"), "what holds for others holds again: {removed}");
    eventually("the alert of the removed limit ends", || async {
        open_alerts(&client, "SUN-1").await.is_empty().then_some(())
    })
    .await;
    let page = browser
        .submit("/people/501/limits", "action=add&name=Calm&metric=stress&severity=minor&max=50")
        .await;
    assert!(page.contains("Calm") && page.contains("&gt; 50"), "{page}");
    service.finish().await;
}
