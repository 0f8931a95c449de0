//! Alerts on pages: who acts, who is later, who may not.

use serde_json::json;
use tokio_postgres::Client;

use super::{HEART_RATE, alert_of_anna, flash, homes, member};
use crate::harness::add_alert;

#[tokio::test]
async fn of_two_people_who_acknowledge_at_once_one_wins_and_the_other_sees_who() {
    let (database, service, client) = homes(true).await;
    let alert_id = alert_of_anna(&client, 5).await;
    let li = member(&database, &service, "nurse-Li", &["read", "respond"]).await;
    let wu = member(&database, &service, "Dr-Wu", &["read", "respond"]).await;
    let (path, form) = (format!("/alerts/{alert_id}/acknowledge"), "back=/alerts&note=on+my+way");
    let (of_li, of_wu) = tokio::join!(li.submit(&path, form), wu.submit(&path, form));
    let outcomes = [flash(&of_li), flash(&of_wu)];
    let done = format!("alert {alert_id} acknowledged");
    let winner = if outcomes[0] == done { "nurse-Li" } else { "Dr-Wu" };
    let loser = outcomes.into_iter().find(|outcome| *outcome != done).expect("one was later");
    assert!(outcomes.contains(&done.as_str()), "{outcomes:?}");
    assert!(loser.contains("is already acknowledged") && loser.contains(winner), "{loser}");

    let page = li.get(&format!("/alerts/{alert_id}")).await;
    assert_eq!(page.status, 200);
    for expected in
        [&format!("acknowledged by {winner}"), "on my way", "Nobody was notified", "href=\"/people/501\""]
    {
        assert!(page.html.contains(expected), "{expected}: {}", page.html);
    }
    assert!(!page.html.contains("<i>"), "a name is no markup");
    // As the service writes it.
    let ended = "insert into alert_action (alert_id, action, note) values ($1, 'resolved', 'recovered')";
    client.execute(ended, &[&alert_id]).await.expect("an entry");
    let page = li.get(&format!("/alerts/{alert_id}?lang=zh")).await.html;
    assert!(page.contains("<blockquote>已恢复正常</blockquote>") && page.contains("on my way"), "{page}");
    let shown_once = li.get("/alerts").await;
    assert!(!shown_once.html.contains("class=\"flash\""), "without the cookie nothing is said");
    service.finish().await;
}

#[tokio::test]
async fn several_alerts_are_silenced_noted_and_resolved_by_one_form() {
    let (database, service, client) = homes(true).await;
    let (first, second) = (alert_of_anna(&client, 50).await, alert_of_anna_at_night(&client).await);
    let stranger =
        add_alert(&client, HEART_RATE, "HAR-1", 5, &json!({ "customer_id": 6, "org_id": 60 })).await;
    let li = member(&database, &service, "nurse-Li", &["read", "respond"]).await;
    let chosen = format!("back=/alerts&alert={first}&alert={second}&alert={stranger}");

    let page =
        li.submit("/alerts/actions", &format!("{chosen}&action=silence&for_seconds=3600&note=bath")).await;
    assert!(flash(&page).starts_with("2 alerts silenced"), "{page}");
    assert!(flash(&page).contains(&format!("there is no alert {stranger}")), "{page}");
    let silences = client
        .query("select device_sn, customer_id, actor, note from alert_silence where ends_at > now() + interval '50 min'", &[])
        .await
        .expect("silences");
    assert_eq!(silences.len(), 2);
    assert!(silences.iter().all(|row| row.get::<_, i64>(1) == 5 && row.get::<_, &str>(2) == "nurse-Li"));

    let page = li.submit("/alerts/actions", &format!("{chosen}&action=note")).await;
    assert!(flash(&page).contains("the note is empty"), "{page}");
    let page = li.submit("/alerts/actions", &format!("alert={first}&alert={second}&action=resolve")).await;
    assert_eq!(flash(&page), "2 alerts resolved");
    let page = li.submit("/alerts/actions", "action=resolve").await;
    assert!(flash(&page).contains("No alert was chosen"), "{page}");
    let elsewhere = li.post("/alerts/actions", "back=//example.org/&action=resolve").await;
    assert_eq!(elsewhere.location, "/alerts", "a form leads nowhere else");
    service.finish().await;
}

/// Of another rule, so that both can be open.
async fn alert_of_anna_at_night(client: &Client) -> i64 {
    let columns = json!({ "customer_id": 5, "org_id": 50, "user_id": 501 });
    add_alert(client, 3, "SUN-1", 40, &columns).await
}

#[tokio::test]
async fn a_viewer_sees_everything_and_can_do_nothing() {
    let (database, service, client) = homes(true).await;
    let alert_id = alert_of_anna(&client, 5).await;
    let viewer = member(&database, &service, "visitor", &["read"]).await;
    for path in ["/alerts", &format!("/alerts/{alert_id}"), "/people/501"] {
        let page = viewer.get(path).await;
        assert_eq!(page.status, 200, "{path}: {}", page.html);
        for form in ["/acknowledge", "name=\"action\"", "/limits\""] {
            assert!(!page.html.contains(form), "{path} offers {form}");
        }
    }
    for step in ["acknowledge", "note", "assign", "silence", "resolve"] {
        assert_eq!(viewer.post(&format!("/alerts/{alert_id}/{step}"), "note=x").await.status, 403, "{step}");
    }
    assert_eq!(viewer.post("/alerts/actions", &format!("alert={alert_id}&action=resolve")).await.status, 403);
    let responder = member(&database, &service, "nurse-Li", &["read", "respond"]).await;
    for who in [&viewer, &responder] {
        assert_eq!(who.post("/people/501/limits", "action=set&rule_id=1&max=90").await.status, 403);
    }
    let acted: i64 = client
        .query_one("select count(*) from alert_action where actor is not null", &[])
        .await
        .expect("one")
        .get(0);
    assert_eq!(acted, 0);
    service.finish().await;
}
