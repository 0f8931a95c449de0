//! `POST /api/notification_routes/{id}/test`, and the button of the page: whoever a route would notify now gets a test message.

use serde_json::{Value, json};

use super::house::House;
use crate::harness::{Answer, Browser, Receiver, Reply, Service};

/// Tenant 100 with unit 200 and unit 300 below it; wearer 1 in 300, wearer 2 elsewhere.
const UNITS: &str = "
    insert into org_unit (org_id, ancestors) values (100, '{0}'), (200, '{0,100}'), (300, '{0,100,200}'), (400, '{}');
    insert into app_user (user_id, org_id) values (1, 300), (2, 400);";

/// Takes messages, but not at `/broken`.
async fn receiver() -> Receiver {
    Receiver::start(|seen| Reply::Status(if seen.path == "/broken" { 410 } else { 204 })).await
}

async fn test(service: &Service, route_id: i64, query: &str) -> Answer {
    service.send("POST", &format!("/api/notification_routes/{route_id}/test{query}"), None).await
}

fn outcomes(answer: &Answer) -> Vec<(&str, bool)> {
    let addresses = answer.body["addresses"].as_array().unwrap_or_else(|| panic!("{answer:?}"));
    let outcome = |to: &'_ Value| to["delivered"].as_bool().expect("yes or no");
    addresses.iter().map(|to| (to["contact"].as_str().expect("a name"), outcome(to))).collect()
}

#[tokio::test]
async fn whoever_a_route_would_notify_now_gets_a_test_message_and_its_outcome_is_kept() {
    let house = House::new().await;
    let receiver = receiver().await;
    let service = house.serve(|_| ()).await;
    house.run(UNITS).await;
    let url = |path: &str| format!("{}/{path}?token=secret", receiver.url());
    let (ward, broken, wearer) = (url("ward"), url("broken"), url("wearer"));
    let (near, far) = (house.contact("webhook", &ward).await, house.contact("webhook", &broken).await);
    let own = house.contact("webhook", &wearer).await;
    house
        .run(&format!(
            "update contact set user_id = 1 where contact_id = {own};
             insert into org_manager (org_id, contact_id) values (200, {near}), (200, {far})"
        ))
        .await;
    let managers =
        house.route("webhook", near, "audience = 'managers', contact_id = null, customer_id = 100").await;

    // An alert of nobody in the tenant alone has no unit, and so no managers.
    let nobody = test(&service, managers, "").await;
    assert_eq!((nobody.status, outcomes(&nobody)), (200, vec![]), "{nobody:?}");
    assert!(
        nobody.body["nobody"].as_str().expect("words").contains("nobody would be notified now"),
        "{nobody:?}"
    );
    let other = test(&service, managers, "?user_id=2").await;
    assert_eq!(outcomes(&other), [], "the route is for another tenant: {other:?}");

    let tested = test(&service, managers, "?user_id=1").await;
    assert_eq!(
        (tested.status, outcomes(&tested)),
        (200, vec![(&*ward, true), (&*broken, false)]),
        "{tested:?}"
    );
    assert_eq!((&tested.body["nobody"], &tested.body["has_more"]), (&json!(null), &json!(false)));
    assert!(tested.body["addresses"][1]["error"].as_str().expect("a reason").contains("410"), "{tested:?}");
    let shown = &tested.body["addresses"][0]["address"];
    assert!(!shown.as_str().expect("text").contains("secret"), "as in a list of addresses: {shown}");
    let mut paths: Vec<String> = receiver.requests().iter().map(|seen| seen.path.clone()).collect();
    paths.sort();
    assert_eq!(paths, ["/broken", "/ward"]);
    assert!(
        receiver
            .requests()
            .iter()
            .all(|seen| seen.body["type"] == "alert.test" || seen.text.contains("test"))
    );
    let listed = service.get("/api/contact_addresses").await;
    let kept: Vec<&Value> = listed.body["addresses"]
        .as_array()
        .expect("addresses")
        .iter()
        .map(|each| &each["last_test"])
        .collect();
    assert_eq!(
        (&kept[0]["delivered"], &kept[1]["delivered"], kept[2]),
        (&json!(true), &json!(false), &json!(null))
    );

    let soon = test(&service, managers, "?user_id=1").await;
    assert_eq!(outcomes(&soon), [(&*ward, false), (&*broken, false)], "{soon:?}");
    assert!(
        soon.body["addresses"][0]["error"].as_str().expect("a reason").contains("wait ten seconds"),
        "{soon:?}"
    );
    assert_eq!(receiver.requests().len(), 2, "what is tested too soon is not sent");

    let to_wearer = house.route("webhook", near, "audience = 'wearer', contact_id = null").await;
    let unnamed = test(&service, to_wearer, "").await;
    assert_eq!(unnamed.status, 400, "{unnamed:?}");
    assert_eq!(test(&service, to_wearer, "?user_id=987654321").await.status, 404);
    let named = test(&service, to_wearer, "?user_id=1").await;
    assert_eq!(outcomes(&named), [(&*wearer, true)], "{named:?}");
    assert_eq!(test(&service, 987_654_321, "").await.status, 404);

    house.run(&format!("update notification_route set enabled = false where route_id = {to_wearer}")).await;
    let off = test(&service, to_wearer, "?user_id=1").await;
    assert!(off.body["nobody"].as_str().expect("words").contains("switched off"), "{off:?}");
    for table in ["notification", "alert", "alert_action"] {
        assert_eq!(house.value(&format!("select count(*) from {table}")).await, 0, "{table}");
    }
    service.finish().await;
}

#[tokio::test]
async fn a_test_reaches_twenty_addresses_at_most_each_once() {
    let house = House::new().await;
    let receiver = receiver().await;
    let service = house.serve(|_| ()).await;
    house.run(UNITS).await;
    house
        .run(&format!(
            "with staff as (insert into contact (name) select 'Nurse ' || n from generate_series(1, 24) as n returning contact_id),
                  reached as (
                      insert into contact_address (contact_id, channel, address)
                      select contact_id, 'webhook', '{url}/' || contact_id from staff
                  ),
                  shared as (
                      insert into contact_address (contact_id, channel, address)
                      select contact_id, 'webhook', '{url}/shared' from staff order by contact_id limit 2
                  )
             insert into org_manager (org_id, contact_id) select 300, contact_id from staff",
            url = receiver.url()
        ))
        .await;
    let contact = house.contact("webhook", "https://example.org/").await;
    let route =
        house.route("webhook", contact, "audience = 'managers', contact_id = null, org_id = 200").await;
    let tested = test(&service, route, "?user_id=1").await;
    assert_eq!((outcomes(&tested).len(), &tested.body["has_more"]), (20, &json!(true)), "{tested:?}");
    assert!(outcomes(&tested).iter().all(|(_, delivered)| *delivered), "{tested:?}");
    assert_eq!(receiver.requests().len(), 20);
    service.finish().await;
}

#[tokio::test]
async fn a_test_of_a_route_from_the_page_shows_what_became_of_each_message() {
    let house = House::new().await;
    let receiver = receiver().await;
    let service = house.serve(|_| ()).await;
    let contact = house.contact("webhook", &format!("{}/broken", receiver.url())).await;
    let route = house.route("webhook", contact, "").await;
    let browser = Browser::new(&service);
    browser.get("/admin?lang=en").await;
    let path = format!("/admin/contacts/routes/{route}");
    let page = browser.submit(&path, &[("action", "test")]).await;
    assert_eq!(page.status, 200, "{page:?}");
    for words in ["What became of the test messages", "not delivered", "410"] {
        assert!(page.text.contains(words), "{words}: {}", page.text);
    }
    house.run("update contact_address set enabled = false").await;
    browser.get("/admin?lang=zh").await;
    let page = browser.submit(&path, &[("action", "test")]).await.text;
    assert!(page.contains("现在不会通知任何人"), "{page}");
    let foreign =
        browser.submit_from(&path, &[("action", "test")], &[("sec-fetch-site", "cross-site")]).await;
    assert_eq!(foreign.status, 403, "{foreign:?}");
    assert_eq!(receiver.requests().len(), 1);
    service.finish().await;
}
