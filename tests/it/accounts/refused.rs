//! Whoever looks at a page is refused by a page, in the language of the session and with the way on; programs, and parts of pages, by JSON.

use super::{asking, clinics};
use crate::harness::{Browser, Service, account};

fn is_page(text: &str) -> bool {
    text.starts_with("<!DOCTYPE html>")
}

#[tokio::test]
async fn a_person_is_refused_by_a_page_and_a_program_by_json() {
    let database = clinics().await;
    let service = asking(&database).await;
    account(&database, &["li", "--role", "viewer", "--tenant", "5"]).await;
    let li = Browser::logged_in(&service, "li").await;
    assert_eq!(li.submit("/session/language", &[("language", "zh")]).await.status, 303);
    for (path, status) in [
        ("/admin", 403),
        ("/metrics", 403),
        ("/nothing", 404),
        ("//elsewhere.example/wall", 404),
        ("/people/x", 404),
        ("/people/4711", 404),
        ("/devices/NOBODY", 404),
        ("/alerts/4711", 404),
        ("/people?cursor=x", 400),
        ("/people/4711/limits", 405),
    ] {
        let page = li.open(path).await;
        assert_eq!(page.status, status, "{path} {page:?}");
        assert!(is_page(&page.text) && page.text.contains("lang=\"zh-Hans\""), "{path} {page:?}");
        assert!(page.text.contains("<main") && page.text.contains("href=\"/wall\""), "the way on: {page:?}");
        assert!(!page.text.contains("\"//elsewhere"), "no way out: {page:?}");
        let json = li.get(path).await;
        assert_eq!((json.status, json.json()["status"].as_str()), (status, Some("error")), "{path} {json:?}");
    }
    for path in ["/api/nothing", "/api/stats?x=y", "/fragments/nothing", "/fragments/person-now?user_id=4711"]
    {
        let json = li.open(path).await;
        assert!(json.status >= 400 && json.json()["status"] == "error", "{path} {json:?}");
    }
    assert!(!is_page(&li.open("/upload_health_data").await.text), "what a device is answered stays");

    let html = ("accept", "text/html,application/xhtml+xml");
    let own = [html, ("sec-fetch-site", "same-origin")];
    let foreign = [html, ("sec-fetch-site", "cross-site")];
    for (path, headers) in [("/alerts/1/acknowledge", own), ("/logout", foreign), ("/login", foreign)] {
        let page = li.submit_from(path, &[], &headers).await;
        assert_eq!(page.status, 403, "{path} {page:?}");
        assert!(is_page(&page.text), "{path} {page:?}");
        assert!(!page.text.contains(&format!("\"{path}?")), "no link sends a form: {page:?}");
    }
    let nobody = Browser::new(&service).open("/nothing").await;
    assert!(nobody.status == 404 && is_page(&nobody.text), "{nobody:?}");
    assert!(nobody.text.contains("lang=\"en\"") && nobody.text.contains("href=\"/login\""), "{nobody:?}");
    service.finish().await;

    let open = Service::start(&database).await;
    let page = Browser::new(&open).open("/nothing").await;
    assert!(page.status == 404 && page.text.contains("href=\"/wall\""), "{page:?}");
    open.finish().await;
}
