//! Administrators on the pages: of every tenant, of one, and of a unit. What each sees and changes, and what each is refused.

use tokio_postgres::Client;

use super::{asking, clinics, logged_out, status};
use crate::harness::{Browser, Database, PASSWORD, account, people, vitals};

pub const FOREIGN: [(&str, &str); 1] = [("sec-fetch-site", "cross-site")];

/// Administrators of everything, of tenant 5 and of its unit 50, and people of both tenants.
pub async fn staff() -> Database {
    let database = clinics().await;
    for arguments in [
        &["ops", "--role", "admin"][..],
        &["chief", "--role", "admin", "--tenant", "5"],
        &["sister", "--role", "admin", "--tenant", "5", "--unit", "50"],
        &["li", "--name", "Li Ming", "--role", "viewer", "--tenant", "5", "--unit", "51"],
        &["wu", "--name", "Dr. Wu", "--role", "viewer", "--tenant", "6"],
        &["both", "--name", "Agency", "--role", "viewer", "--tenant", "5"],
    ] {
        account(&database, arguments).await;
    }
    let granted = people(&database, &["grant", "both", "--role", "admin", "--tenant", "6"], "").await;
    assert_eq!(granted.code, 0, "{granted:?}");
    database
}

pub async fn number(client: &Client, sql: &str) -> i64 {
    client.query_one(sql, &[]).await.unwrap_or_else(|error| panic!("{sql}: {error:?}")).get(0)
}

pub async fn path_of(client: &Client, login: &str) -> String {
    format!(
        "/admin/accounts/{}",
        number(client, &format!("select account_id from account where login = '{login}'")).await
    )
}

/// Sends a form, and gives the page to which it leads, in English.
pub async fn submit(browser: &Browser, path: &str, fields: &[(&str, &str)]) -> String {
    let sent = browser.submit(path, fields).await;
    assert_eq!(sent.status, 303, "{path} {fields:?}: {sent:?}");
    flash(&browser.get(&format!("{}?lang=en", sent.location)).await.text)
}

/// What became of the last action.
fn flash(page: &str) -> String {
    let after = page.split_once("<p class=\"flash\" role=\"status\">");
    let after = after.unwrap_or_else(|| panic!("no outcome: {page}")).1;
    after.split_once("</p>").expect("its end").0.to_owned()
}

pub async fn assert_refused(browser: &Browser, path: &str, fields: &[(&str, &str)], words: &str) {
    let outcome = submit(browser, path, fields).await;
    assert!(outcome.contains(words), "{path} {fields:?}: {outcome}");
}

/// A form that is shown once more, as it was typed, with the reason.
pub async fn assert_form_refused(browser: &Browser, path: &str, fields: &[(&str, &str)], words: &str) {
    let page = browser.submit(path, fields).await;
    assert_eq!(page.status, 200, "{path} {fields:?}: {page:?}");
    assert!(flash(&page.text).contains(words), "{path} {fields:?}: {}", page.text);
}

#[tokio::test]
async fn an_account_is_made_on_the_page_and_its_password_is_shown_once() {
    let database = staff().await;
    let service = asking(&database).await;
    let client = database.client().await;
    let chief = Browser::logged_in(&service, "chief").await;
    let made = [("login", "New"), ("name", "Nia New"), ("role", "responder"), ("org_id", "51")];
    let page = chief.submit("/admin/accounts", &made).await;
    assert_eq!(page.status, 200, "{page:?}");
    let secret = page.text.split_once("<code>").and_then(|(_, rest)| rest.split_once("</code>"));
    let secret = secret.expect("a password").0.to_owned();
    let list = chief.get("/admin/accounts").await.text;
    assert!(list.contains("Nia New") && !list.contains(&secret), "{list}");
    let nia = Browser::new(&service);
    assert_eq!(nia.log_in("new", &secret).await.location, "/wall");
    let grant = "select count(*) from account_grant g join account a using (account_id)
                 where a.login = 'new' and g.role = 'responder' and g.customer_id = 5 and g.org_id = 51
                   and g.granted_by = 'chief' and a.created_by = 'chief'";
    assert_eq!(number(&client, grant).await, 1);

    let typed = [("login", "typed"), ("role", "viewer"), ("password", PASSWORD)];
    assert_eq!(submit(&chief, "/admin/accounts", &typed).await, "The account typed is made");
    assert_eq!(Browser::new(&service).log_in("typed", PASSWORD).await.location, "/wall");
    for (fields, words) in [
        (&[("login", "x"), ("role", "viewer"), ("password", "short")][..], "needs 12"),
        (&[("login", "typed"), ("role", "viewer")], "already"),
        (&[("login", "x")], "a role"),
        (&[("login", "x"), ("role", "viewer"), ("customer_id", "6")], "only where you are"),
        (&[("login", "x"), ("role", "viewer"), ("org_id", "60")], "only where you are"),
    ] {
        assert_refused(&chief, "/admin/accounts", fields, words).await;
    }
    let ops = Browser::logged_in(&service, "ops").await;
    let of_all = [("login", "other-ops"), ("role", "admin"), ("password", PASSWORD)];
    assert_eq!(submit(&ops, "/admin/accounts", &of_all).await, "The account other-ops is made");
    assert_eq!(number(&client, "select count(*) from account where login = 'x'").await, 0);
    service.finish().await;
}

#[tokio::test]
async fn an_administrator_of_a_tenant_gives_and_takes_roles_there_and_nowhere_else() {
    let database = staff().await;
    let service = asking(&database).await;
    let client = database.client().await;
    let chief = Browser::logged_in(&service, "chief").await;
    let page = chief.get("/admin/accounts?lang=en").await.text;
    for shown in ["Li Ming", "Agency", "sister", "Sunset"] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
    for hidden in ["Dr. Wu", "Harbour", "ops"] {
        assert!(!page.contains(hidden), "{hidden}: {page}");
    }
    let (li, wu, both, own, ops) = (
        path_of(&client, "li").await,
        path_of(&client, "wu").await,
        path_of(&client, "both").await,
        path_of(&client, "chief").await,
        path_of(&client, "ops").await,
    );
    let give = |role, tenant| [("action", "grant"), ("role", role), ("customer_id", tenant)];
    assert_eq!(submit(&chief, &li, &give("admin", "5")).await, "li has the role");
    assert_refused(&chief, &li, &give("viewer", "6"), "only where you are").await;
    // A form without a tenant is of the own one, never of all.
    assert_eq!(submit(&chief, &li, &[("action", "grant"), ("role", "responder")]).await, "li has the role");
    assert_refused(&chief, &own, &give("admin", "5"), "their own account").await;
    for path in [&wu, &ops] {
        for fields in [&give("viewer", "5")[..], &[("action", "disable")], &[("action", "end")]] {
            assert_refused(&chief, path, fields, "nothing of this number").await;
        }
    }
    for action in ["disable", "enable", "end"] {
        assert_refused(&chief, &both, &[("action", action)], "a role elsewhere").await;
    }
    let grant = async |login: &str, tenant: i64| {
        let sql = format!(
            "select grant_id from account_grant g join account a using (account_id) where a.login = '{login}' and g.customer_id = {tenant}"
        );
        number(&client, &sql).await.to_string()
    };
    let take = async |id: String| submit(&chief, &both, &[("action", "revoke"), ("grant_id", &id)]).await;
    assert!(take(grant("both", 6).await).await.contains("nothing of this number"));
    assert_eq!(take(grant("both", 5).await).await, "both no longer has the role");
    let beyond = "select count(*) from account_grant where customer_id is distinct from 5";
    assert_eq!(number(&client, beyond).await, 3, "those of ops, wu and both are as they were");

    let nurse = Browser::logged_in(&service, "li").await;
    assert_eq!(submit(&chief, &li, &[("action", "end")]).await, "li is logged out: 1 session has ended");
    logged_out(&nurse).await;
    let nurse = Browser::logged_in(&service, "li").await;
    assert_eq!(submit(&chief, &li, &[("action", "disable")]).await, "li: off");
    logged_out(&nurse).await;
    assert_eq!(nurse.log_in("li", PASSWORD).await.location, "/login?failed=wrong");
    assert_eq!(submit(&chief, &li, &[("action", "enable")]).await, "li: on");
    assert_eq!(nurse.log_in("li", PASSWORD).await.location, "/wall");
    let foreign = chief.submit_from(&li, &[("action", "disable")], &FOREIGN).await;
    assert_eq!(foreign.status, 403, "{foreign:?}");
    let logged = vitals(&database, &["access", "log", "--account", "chief"]).await.out;
    assert!(logged.contains("POST /admin/accounts/{id}"), "{logged}");
    service.finish().await;
}

#[tokio::test]
async fn an_administrator_of_a_unit_has_its_people_alone_and_nobody_raises_themselves() {
    let database = staff().await;
    let service = asking(&database).await;
    let client = database.client().await;
    let sister = Browser::logged_in(&service, "sister").await;
    let page = sister.get("/admin/accounts?lang=en").await.text;
    assert!(page.contains("sister") && !page.contains("Li Ming") && !page.contains("Agency"), "{page}");
    let own = path_of(&client, "sister").await;
    assert_refused(&sister, &own, &[("action", "grant"), ("role", "admin")], "their own account").await;
    let new = |org_id| [("login", "aide"), ("role", "viewer"), ("password", PASSWORD), ("org_id", org_id)];
    for org_id in ["", "51", "60"] {
        assert_refused(&sister, "/admin/accounts", &new(org_id), "only where you are").await;
    }
    assert_eq!(submit(&sister, "/admin/accounts", &new("50")).await, "The account aide is made");
    let aide = path_of(&client, "aide").await;
    let whole = [("action", "grant"), ("role", "viewer"), ("customer_id", "5")];
    assert_refused(&sister, &aide, &whole, "only where you are").await;
    assert_refused(
        &sister,
        &path_of(&client, "li").await,
        &[("action", "disable")],
        "nothing of this number",
    )
    .await;
    for path in ["/admin/keys", "/admin/contacts", "/admin/rules", "/admin/policies"] {
        assert_eq!(sister.get(path).await.status, 403, "{path}");
    }
    let viewer = Browser::logged_in(&service, "li").await;
    assert_eq!(viewer.get("/admin/accounts").await.status, 403);
    for path in ["/admin/accounts", &aide] {
        let answer = viewer.submit(path, &[("action", "grant"), ("role", "admin"), ("login", "y")]).await;
        assert_eq!(answer.status, 403, "{path}");
    }
    assert_eq!(status(&viewer).await, 200);
    service.finish().await;
}

/// Contacts of either tenant, of both, and of everybody; a route, a shift and a key of each tenant.
const OF_BOTH: &str = "
    insert into contact (contact_id, name) overriding system value
    values (1, 'East nurse'), (2, 'West nurse'), (3, 'Emergency desk'), (4, 'Shared doctor');
    insert into contact_address (contact_id, channel, address)
    values (1, 'email', 'east@example.org'), (2, 'email', 'west@example.org'), (3, 'email', 'desk@example.org'), (4, 'email', 'both@example.org');
    insert into org_manager (org_id, contact_id) values (50, 1), (60, 2), (50, 4), (60, 4);
    insert into notification_route (channel, audience, contact_id) values ('email', 'contact', 3);
    insert into notification_route (channel, audience, customer_id) values ('email', 'managers', 6);
    insert into shift (org_id, contact_id, from_time, until_time) values (60, 2, '08:00', '16:00');
    insert into api_key (key_id, name, scopes, customer_id, secret_hash)
    values ('00000000000a', 'east', '{read}', 5, sha256('a')), ('00000000000b', 'west', '{read}', 6, sha256('b'));";

#[tokio::test]
async fn the_parts_of_a_tenant_are_for_its_administrator_and_those_of_the_installation_are_not() {
    let database = staff().await;
    let service = asking(&database).await;
    let client = database.client().await;
    client.batch_execute(OF_BOTH).await.expect("contacts");
    let chief = Browser::logged_in(&service, "chief").await;
    assert_eq!(chief.open("/admin").await.location, "/admin/silences");
    let menu = chief.get("/admin/silences").await.text;
    for path in ["/admin/rules", "/admin/shifts", "/admin/contacts", "/admin/keys", "/admin/accounts"] {
        assert!(menu.contains(&format!("href=\"{path}\"")), "{path}: {menu}");
    }
    for path in ["/admin/policies", "/admin/rejected"] {
        assert!(!menu.contains(&format!("href=\"{path}\"")), "{path}: {menu}");
        assert_eq!(chief.get(path).await.status, 403, "{path}");
    }

    let page = chief.get("/admin/contacts?lang=en").await.text;
    assert!(page.contains("east@example.org"), "{page}");
    for hidden in ["west@", "desk@", "both@", "West nurse", "Emergency"] {
        assert!(!page.contains(hidden), "{hidden}: {page}");
    }
    let address = async |of: i64| {
        let sql = format!("select address_id from contact_address where contact_id = {of}");
        format!("/admin/contacts/addresses/{}", number(&client, &sql).await)
    };
    for contact in [2, 3, 4] {
        for action in ["disable", "remove", "test"] {
            assert_refused(&chief, &address(contact).await, &[("action", action)], "no address").await;
        }
        let contact_id = contact.to_string();
        let new = [("contact_id", &*contact_id), ("channel", "email"), ("address", "x@example.org")];
        assert_refused(&chief, "/admin/contacts/addresses", &new, "no such contact").await;
        let route = [("channel", "email"), ("audience", "contact"), ("contact_id", &*contact_id)];
        assert_form_refused(&chief, "/admin/contacts/routes", &route, "no such contact").await;
    }
    let off = submit(&chief, &address(1).await, &[("action", "disable")]).await;
    assert!(off.contains("East nurse"), "{off}");
    let other = [("channel", "email"), ("audience", "managers"), ("customer_id", "6")];
    assert_form_refused(&chief, "/admin/contacts/routes", &other, "beyond your tenant").await;
    let own = [("channel", "email"), ("audience", "contact"), ("contact_id", "1")];
    submit(&chief, "/admin/contacts/routes", &own).await;
    let routes = "select count(*) from notification_route where customer_id = 5";
    assert_eq!(number(&client, routes).await, 1, "a route without a tenant is of the own one");
    for route in ["is null", "= 6"] {
        let sql = format!("select route_id from notification_route where customer_id {route}");
        let path = format!("/admin/contacts/routes/{}", number(&client, &sql).await);
        for action in ["remove", "test", "enable"] {
            assert_refused(&chief, &path, &[("action", action)], "no route").await;
        }
    }

    let keys = chief.get("/admin/keys").await.text;
    assert!(keys.contains("00000000000a") && !keys.contains("00000000000b"), "{keys}");
    assert_refused(&chief, "/admin/keys/00000000000b", &[], "nothing of this number").await;
    assert_eq!(submit(&chief, "/admin/keys/00000000000a", &[]).await, "Key east is revoked");
    let new = |tenant| [("name", "portal"), ("scope", "read"), ("customer_id", tenant)];
    assert_refused(&chief, "/admin/keys", &new("6"), "beyond your tenant").await;
    assert_eq!(chief.submit("/admin/keys", &new("")).await.status, 200);
    assert_eq!(number(&client, "select customer_id from api_key where name = 'portal'").await, 5);
    assert_refused(&chief, "/admin/keys", &[("name", "y"), ("scope", "admin")], "cannot have it").await;

    let shift =
        |unit| [("contact_id", "1"), ("org_id", unit), ("from_time", "08:00"), ("until_time", "16:00")];
    assert_refused(&chief, "/admin/shifts", &shift("60"), "no such contact").await;
    let kept = submit(&chief, "/admin/shifts", &shift("50")).await;
    assert!(kept.contains("East nurse"), "{kept}");
    let page = chief.get("/admin/shifts").await.text;
    assert!(page.contains("East nurse") && !page.contains("West nurse"), "{page}");
    let theirs = number(&client, "select shift_id from shift where org_id = 60").await;
    assert_refused(&chief, &format!("/admin/shifts/{theirs}"), &[], "no shift").await;
    let link = |tenant| [("name", "Wall 1"), ("customer_id", tenant)];
    assert_refused(&chief, "/admin/kiosks", &link("6"), "beyond your tenant").await;
    assert_eq!(chief.submit("/admin/kiosks", &link("")).await.status, 200);
    service.finish().await;
}
