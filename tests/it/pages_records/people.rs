//! Pages of people and devices: what they show, and of whom they show nothing.

use jiff::{Timestamp, ToSpan};
use serde_json::json;

use super::{Browser, HEART_RATE, alert_of_anna, homes, member};
use crate::harness::add_alert;

#[tokio::test]
async fn people_devices_and_alerts_of_another_tenant_are_not_there() {
    let (database, service, client) = homes(true).await;
    let own = alert_of_anna(&client, 5).await;
    let stranger = add_alert(
        &client,
        HEART_RATE,
        "HAR-1",
        5,
        &json!({ "customer_id": 6, "org_id": 60, "user_id": 601 }),
    )
    .await;
    let li = member(&database, &service, "nurse-Li", &["read", "respond"]).await;
    for path in [
        "/people/601",
        "/people/601?range=week",
        "/devices/HAR-1",
        &format!("/alerts/{stranger}"),
        "/fragments/person-now?user_id=601",
        "/fragments/person-now?device_sn=HAR-1",
    ] {
        let page = li.get(path).await;
        assert_eq!(page.status, 404, "{path}: {}", page.html);
        assert!(!page.html.contains("Bernd"), "{path}");
    }

    for path in [
        "/alerts",
        "/alerts?status=firing&status=resolved&min_severity=info&from=2020-01-01",
        "/alerts?org_id=60",
        "/alerts?device_sn=HAR-1",
        "/fragments/alert-list",
        &format!("/alerts/{own}"),
        "/people",
        "/people?search=Bernd",
        "/people?org_id=60",
        "/people/501",
        "/people/501?range=month",
        "/devices",
        "/devices?search=HAR",
        "/devices/SUN-1?range=week",
    ] {
        let page = li.get(path).await;
        assert_eq!(page.status, 200, "{path}: {}", page.html);
        // What is searched for stands in its field and in links that keep it.
        let rows = page.html.replace("value=\"Bernd\"", "").replace("search=Bernd", "");
        for name in ["Bernd", "Harbour", "Ward West", "href=\"/devices/HAR", "/people/601"] {
            assert!(!rows.contains(name), "{path} names {name}: {}", page.html);
        }
    }
    service.finish().await;
}

#[tokio::test]
async fn a_person_is_drawn_over_a_day_a_week_and_a_month_in_both_languages() {
    let (_database, service, client) = homes(false).await;
    alert_of_anna(&client, 30).await;
    let browser = Browser::new(&service, "");
    let today = Timestamp::now();
    for (range, language) in [("day", "en"), ("week", "zh"), ("month", "en")] {
        for path in ["/people/501", "/devices/SUN-1"] {
            let page = browser.get(&format!("{path}?range={range}&lang={language}")).await;
            assert_eq!(page.status, 200, "{}", page.html);
            let heart_rate = if language == "zh" { "心率" } else { "heart rate" };
            for expected in [
                heart_rate,
                "class=\"drawing\"",
                "class=\"limit minor\"",
                "<table>",
                "data-live=\"person-now\"",
                "rel=\"prev\"",
            ] {
                assert!(page.html.contains(expected), "{path} {range} {expected}: {}", page.html);
            }
            let worn = if language == "zh" { "<dd>佩戴中</dd>" } else { "<dd>worn</dd>" };
            assert!(path.starts_with("/people") || page.html.contains(worn), "{path} {range}: {}", page.html);
            for unwanted in ["style=", "<script>", "NaN", "<i>"] {
                assert!(!page.html.contains(unwanted), "{path} {range} {unwanted}");
            }
        }
    }
    let part = browser.get("/fragments/person-now?user_id=501").await;
    assert!(
        part.html.starts_with("<section") && part.html.contains("data-live-query=\"user_id=501\""),
        "{}",
        part.html
    );
    let long_ago = today.checked_sub((24 * 400).hours()).expect("a time").to_string();
    let empty = browser.get(&format!("/people/501?at={}", &long_ago[..10])).await;
    assert!(
        empty.html.contains("rel=\"next\"") && !empty.html.contains("class=\"drawing\""),
        "{}",
        empty.html
    );
    assert_eq!(
        browser.get("/people/501?at=9999-12-31&range=month").await.status,
        400,
        "the end of the calendar"
    );
    assert_eq!(browser.get("/people/987654").await.status, 404);
    assert_eq!(browser.get("/devices/NO-SUCH").await.status, 404);

    let people = browser.get("/people?state=online&search=anna").await.html;
    assert!(
        people.contains("href=\"/people/501\"")
            && people.contains("1 open alert")
            && !people.contains("/people/601"),
        "{people}"
    );
    let devices = browser.get("/devices?search=HAR").await.html;
    assert!(devices.contains("href=\"/devices/HAR-1\"") && !devices.contains("SUN-1"), "{devices}");
    service.finish().await;
}
