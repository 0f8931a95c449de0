//! Policies are changed on the page, after their plan was shown; and what the role of the service may not change is refused in words.

use tokio_postgres::Client;

use super::administration::{FOREIGN, assert_refused, number, path_of, staff, submit};
use super::{asking, asking_with};
use crate::harness::{Browser, Database, Login, PASSWORD, Service};

async fn preview(browser: &Browser, relation: &str, value: &str, to: &str) -> String {
    let fields = [("action", "preview"), ("relation", relation), ("value", value), ("to", to)];
    let page = browser.submit("/admin/policies?lang=en", &fields).await;
    assert_eq!(page.status, 200, "{page:?}");
    page.text
}

#[tokio::test]
async fn a_policy_is_changed_after_its_plan_was_shown_in_the_name_of_who_confirmed_it() {
    let database = staff().await;
    let service = asking(&database).await;
    let client = database.client().await;
    client
        .batch_execute(
            "insert into unknown_name (kind, name, count, first_seen_at, last_seen_at)
             select 'sample', 'old' || n, 1, now() - interval '80 days', now() - interval '60 days' from generate_series(1, 3) as n",
        )
        .await
        .expect("old rows");
    let kept = async || -> String {
        let sql = "select keep_for::text from policy where relation = 'unknown_name'";
        client.query_one(sql, &[]).await.expect("a policy").get(0)
    };
    let ops = Browser::logged_in(&service, "ops").await;
    for language in ["en", "zh"] {
        let page = ops.get(&format!("/admin/policies?lang={language}")).await.text;
        let words = if language == "en" { "sessions of people" } else { "登录会话" };
        assert!(page.contains("unknown_name") && page.contains(words), "{page}");
    }
    ops.get("/admin/policies?lang=en").await;
    let page = preview(&ops, "unknown_name", "keep_for", "30 days").await;
    assert!(page.contains("90 days → <strong>30 days") && page.contains("removes more data"), "{page}");
    assert_eq!(kept().await, "90 days", "a plan changes nothing");
    let longer = preview(&ops, "unknown_name", "keep_for", "").await;
    assert!(longer.contains("→ <strong>none") && !longer.contains("removes more data"), "{longer}");
    let save = |from, to| {
        [("action", "save"), ("relation", "unknown_name"), ("value", "keep_for"), ("from", from), ("to", to)]
    };
    assert_refused(&ops, "/admin/policies", &save("80 days", "30 days"), "changed meanwhile").await;
    assert_eq!(kept().await, "90 days");
    let done = submit(&ops, "/admin/policies", &save("90 days", "30 days")).await;
    assert_eq!((done.as_str(), kept().await.as_str()), ("The policy of unknown_name is changed", "30 days"));
    let by = "select changed_by from vitals.policy_change where relation = 'unknown_name' and changed_at > now() - interval '1 minute'";
    assert_eq!(client.query_one(by, &[]).await.expect("changed").get::<_, String>(0), "ops");
    client
        .batch_execute("update policy set keep_for = '40 days' where relation = 'unknown_name'")
        .await
        .expect("by hand");
    assert_ne!(client.query_one(by, &[]).await.expect("changed").get::<_, String>(0), "ops", "another hand");

    for (relation, value, to, words) in [
        ("health_data", "keep_for", "1 hour", "too short"),
        ("unknown_name", "keep_for", "soon", "invalid input syntax"),
        ("unknown_name", "name", "1 day", "no such policy"),
        ("nothing", "keep_for", "1 day", "no such policy"),
    ] {
        for action in ["preview", "save"] {
            let from = if relation == "health_data" {
                kept_of(&client, relation).await
            } else {
                "40 days".to_owned()
            };
            let fields =
                [("action", action), ("relation", relation), ("value", value), ("from", &*from), ("to", to)];
            assert_refused(&ops, "/admin/policies", &fields, words).await;
        }
    }
    let foreign = ops.submit_from("/admin/policies", &save("40 days", "1 day"), &FOREIGN).await;
    assert_eq!(foreign.status, 403);
    let chief = Browser::logged_in(&service, "chief").await;
    assert_eq!(chief.get("/admin/policies").await.status, 403);
    assert_eq!(chief.submit("/admin/policies", &save("40 days", "1 day")).await.status, 403);
    assert_eq!(kept().await, "40 days");
    service.finish().await;
}

/// Empty: for ever.
async fn kept_of(client: &Client, relation: &str) -> String {
    let sql = "select coalesce(keep_for::text, '') from policy where relation = $1";
    client.query_one(sql, &[&relation]).await.expect("a policy").get(0)
}

async fn serving_as(database: &Database, login: &Login) -> Service {
    let url = login.url().to_owned();
    asking_with(database, |settings| settings.database_url = url).await
}

#[tokio::test]
async fn what_the_role_of_the_service_may_not_do_is_refused_in_words() {
    let database = staff().await;
    let save = [
        ("action", "save"),
        ("relation", "unknown_name"),
        ("value", "keep_for"),
        ("from", "90 days"),
        ("to", "95 days"),
    ];
    let new = [("login", "new"), ("role", "viewer"), ("password", PASSWORD)];
    // Rows that the role may not read, in a table that has a policy.
    let read = "insert into access_log (accessed_at, name, role, route, address) values (now(), 'ops', 'admin', '/people', '::1')";
    database.client().await.batch_execute(read).await.expect("somebody has looked");
    let login = Login::of(&database, "vitals_service").await;
    let service = serving_as(&database, &login).await;
    let ops = Browser::logged_in(&service, "ops").await;
    let refused = ops.submit("/admin/policies", &save).await;
    assert_eq!(refused.status, 403, "{refused:?}");
    assert!(refused.text.contains("vitals_administration"), "{refused:?}");
    service.finish().await;

    let login = Login::of(&database, "vitals_service, vitals_administration").await;
    let service = serving_as(&database, &login).await;
    let ops = Browser::logged_in(&service, "ops").await;
    assert_eq!(submit(&ops, "/admin/policies", &save).await, "The policy of unknown_name is changed");
    assert_eq!(submit(&ops, "/admin/accounts", &new).await, "The account new is made");
    let path = path_of(&database.client().await, "new").await;
    for action in ["end", "disable"] {
        submit(&ops, &path, &[("action", action)]).await;
    }
    assert_eq!(ops.submit("/admin/keys", &[("name", "k"), ("scope", "read")]).await.status, 200);
    let link = [("name", "Wall"), ("customer_id", "5")];
    assert_eq!(ops.submit("/admin/kiosks", &link).await.status, 200);
    let client = database.client().await;
    client.batch_execute("insert into contact (name) values ('Nurse')").await.expect("a contact");
    let contact_id = number(&client, "select contact_id from contact").await.to_string();
    let address = [("contact_id", &*contact_id), ("channel", "sms"), ("address", "+8613800138000")];
    let kept = submit(&ops, "/admin/contacts/addresses", &address).await;
    assert!(kept.contains("Nurse"), "{kept}");
    let address_id = number(&client, "select address_id from contact_address").await;
    let tested =
        submit(&ops, &format!("/admin/contacts/addresses/{address_id}"), &[("action", "test")]).await;
    assert!(tested.contains("sms_url is not set"), "{tested}");
    service.finish().await;
}
