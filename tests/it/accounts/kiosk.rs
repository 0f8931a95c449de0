//! Links for screens on a wall: each opens the wall of its tenant or unit, changes nothing, and ends at once.

use serde_json::{Value, json};

use super::{SESSION, asking, clinics};
use crate::harness::{Browser, Database, account, eventually, vitals};

pub(super) const KIOSK: &str = "vitals_kiosk";

/// The path of a new link.
pub(super) async fn link(database: &Database, arguments: &[&str]) -> String {
    let output = vitals(database, &[&["kiosk", "create"], arguments].concat()).await;
    assert_eq!(output.code, 0, "{output:?}");
    let at = output.out.find("/kiosk/").expect("a path");
    output.out[at..].trim_end().to_owned()
}

#[tokio::test]
async fn a_kiosk_link_opens_its_wall_alone_and_is_revoked_at_once() {
    let database = clinics().await;
    let service = asking(&database).await;
    let path = link(&database, &["hall", "--tenant", "5", "--unit", "50", "--private"]).await;
    let twice = vitals(&database, &["kiosk", "create", "hall", "--tenant", "6"]).await;
    assert!(twice.code == 1 && twice.err.contains("already"), "{twice:?}");

    let screen = Browser::new(&service);
    let wrong = screen.open(&format!("{}x", &path[..path.len() - 1])).await;
    assert_eq!(wrong.location, "/login?failed=kiosk", "{wrong:?}");
    let opened = screen.open(&path).await;
    assert_eq!((opened.status, opened.location.as_str()), (303, "/wall"), "{opened:?}");
    assert!(path.ends_with(&screen.cookie(KIOSK)));
    let wall = screen.open("/wall").await;
    assert_eq!(wall.status, 200, "{wall:?}");
    for path in ["/api/alerts", "/api/people", "/api/alerts/1", "/metrics", "/api/contacts"] {
        assert_eq!(screen.get(path).await.status, 401, "{path}");
    }
    let change =
        screen.post_json("/api/alerts/silences", &json!({ "device_sn": "X", "for_seconds": 60 })).await;
    assert_eq!(change.status, 401, "{change:?}");

    let listed = eventually("its use is recorded", || async {
        let listed = vitals(&database, &["kiosk", "list", "--json"]).await.out;
        let link: Value = serde_json::from_str(&listed).expect("one link");
        (!link["last_used_at"].is_null()).then_some(link)
    })
    .await;
    assert_eq!((&listed["tenant_name"], &listed["unit_name"]), (&json!("Sunset"), &json!("Ward 3")));
    assert_eq!((&listed["is_private"], &listed["org_id"]), (&json!(true), &json!("50")));
    assert!(!listed.to_string().contains(&screen.cookie(KIOSK)), "the link itself is stored nowhere");

    // Whoever is logged in where a link is opened is logged out: the screen shows what the link shows.
    account(&database, &["li", "--role", "admin"]).await;
    let shared = Browser::logged_in(&service, "li").await;
    let token = shared.cookie(SESSION);
    assert_eq!(shared.open(&path).await.location, "/wall");
    assert_eq!(shared.cookie(SESSION), "");
    let stolen = Browser::new(&service);
    stolen.set_cookie(SESSION, &token);
    assert_eq!(stolen.get("/api/alerts").await.status, 401);

    let revoked = vitals(&database, &["kiosk", "revoke", "hall"]).await;
    assert_eq!(revoked.code, 0, "{revoked:?}");
    let sent_away = eventually("the screen shows nothing any more", || async {
        let answer = screen.open("/wall").await;
        (answer.status == 303).then_some(answer)
    })
    .await;
    assert_eq!(sent_away.location, "/login?next=/wall");
    let back = "update vitals.kiosk_link set revoked_at = null";
    assert!(database.client().await.batch_execute(back).await.is_err(), "revoked permanently");
    service.finish().await;
}
