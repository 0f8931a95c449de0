//! Pages of alerts, people and devices, as a browser without a script gets them: links and forms.

use jiff::{Timestamp, ToSpan};
use serde_json::json;
use tokio_postgres::Client;
use vitals::config::Authentication;

use crate::harness::{Database, Service, add_alert, eventually, key};

/// As it is seeded: heart rate from 50 to 120, graver from 40 to 140.
const HEART_RATE: i64 = 1;

/// Two tenants, each with a unit, a person and a device that sent samples today.
const HOMES: &str = "
    insert into customer (customer_id, name) values (5, 'Sunset'), (6, 'Harbour');
    insert into org_unit (org_id, name, ancestors) values (50, 'Ward East', '{0,5}'), (60, 'Ward West', '{0,6}');
    insert into app_user (user_id, org_id, name, room) values (501, 50, 'Anna <i>', '12'), (601, 60, 'Bernd', '7');
    insert into device (device_sn) values ('SUN-1'), ('HAR-1');
    insert into device_binding (device_sn, user_id, valid_from)
    values ('SUN-1', 501, now() - interval '9 days'), ('HAR-1', 601, now() - interval '9 days');
    insert into device_info (device_sn, ts, battery_level, wear_state) values ('SUN-1', now(), 64, '1'), ('HAR-1', now(), 9, '0');
    insert into health_data (device_sn, ts, heart_rate, blood_oxygen, latitude, longitude)
    select sn, now() - ago * interval '10 minutes', 70 + ago % 9, 97, 31.2 + ago / 10000.0, 121.4
    from unnest(array['SUN-1', 'HAR-1']) as sn, generate_series(0, 100) as ago;
    delete from outbox";

/// A browser: it follows no redirect by itself, and keeps the cookies of its last answer.
struct Browser {
    http: reqwest::Client,
    url: String,
    authorization: String,
}

/// What a browser is answered.
struct PageAnswer {
    status: u16,
    location: String,
    cookies: String,
    html: String,
}

impl Browser {
    fn new(service: &Service, authorization: &str) -> Self {
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build();
        Self { http: http.expect("a client"), url: service.url(), authorization: authorization.to_owned() }
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> PageAnswer {
        let request = match self.authorization.as_str() {
            "" => request,
            authorization => request.header("authorization", authorization),
        };
        let answer = request.send().await.expect("an answer");
        let header = |name: &str| {
            let values = answer.headers().get_all(name).iter();
            values.map(|value| value.to_str().expect("text")).collect::<Vec<_>>()
        };
        let cookies = header("set-cookie").iter().filter_map(|cookie| cookie.split(';').next()).collect::<Vec<_>>().join("; ");
        let location = header("location").concat();
        PageAnswer { status: answer.status().as_u16(), location, cookies, html: answer.text().await.expect("text") }
    }

    async fn get(&self, path: &str) -> PageAnswer {
        self.send(self.http.get(format!("{}{path}", self.url)).header("accept-language", "en")).await
    }

    /// Sends a form. The values need no escaping.
    async fn post(&self, path: &str, form: &str) -> PageAnswer {
        let request = self.http.post(format!("{}{path}", self.url));
        let request = request.header("content-type", "application/x-www-form-urlencoded").header("accept-language", "en");
        self.send(request.body(form.to_owned())).await
    }

    /// Sends a form, and gives the page to which it leads.
    async fn submit(&self, path: &str, form: &str) -> String {
        let sent = self.post(path, form).await;
        assert_eq!(sent.status, 303, "{path} {form}: {}", sent.html);
        let page = self.http.get(format!("{}{}", self.url, sent.location)).header("cookie", &sent.cookies);
        let page = self.send(page.header("accept-language", "en")).await;
        assert_eq!(page.status, 200, "{}: {}", sent.location, page.html);
        page.html
    }
}

async fn homes(with_keys: bool) -> (Database, Service, Client) {
    let database = Database::new().await;
    let client = database.client().await;
    client.batch_execute(HOMES).await.expect("two homes");
    client.batch_execute("call refresh_rollups(now() - interval '2 days', now())").await.expect("refreshed");
    let service = Service::start_with(&database, |settings| {
        settings.limits.failures_per_minute = 10_000;
        if with_keys {
            settings.authentication = Authentication::Keys;
        }
    })
    .await;
    (database, service, client)
}

/// A browser of a person of the first tenant.
async fn member(database: &Database, service: &Service, name: &str, scopes: &[&str]) -> Browser {
    let mut arguments = vec![name, "--tenant", "5", "--person", name, "--as", "bearer"];
    arguments.extend(scopes.iter().flat_map(|scope| ["--scope", scope]));
    Browser::new(service, &key(database, &arguments).await)
}

async fn alert_of_anna(client: &Client, minutes_ago: i32) -> i64 {
    let columns = json!({ "customer_id": 5, "org_id": 50, "user_id": 501 });
    add_alert(client, HEART_RATE, "SUN-1", minutes_ago, &columns).await
}

/// What became of the last action, as the page says.
fn flash(html: &str) -> &str {
    let after = html.split_once("<p class=\"flash\" role=\"status\">").unwrap_or_else(|| panic!("no outcome: {html}")).1;
    after.split_once("</p>").expect("its end").0
}

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
    for expected in [&format!("acknowledged by {winner}"), "on my way", "Nobody was notified", "href=\"/people/501\""] {
        assert!(page.html.contains(expected), "{expected}: {}", page.html);
    }
    assert!(!page.html.contains("<i>"), "a name is no markup");
    let shown_once = li.get("/alerts").await;
    assert!(!shown_once.html.contains("class=\"flash\""), "without the cookie nothing is said");
    service.finish().await;
}

#[tokio::test]
async fn several_alerts_are_silenced_noted_and_resolved_by_one_form() {
    let (database, service, client) = homes(true).await;
    let (first, second) = (alert_of_anna(&client, 50).await, alert_of_anna_at_night(&client).await);
    let stranger = add_alert(&client, HEART_RATE, "HAR-1", 5, &json!({ "customer_id": 6, "org_id": 60 })).await;
    let li = member(&database, &service, "nurse-Li", &["read", "respond"]).await;
    let chosen = format!("back=/alerts&alert={first}&alert={second}&alert={stranger}");

    let page = li.submit("/alerts/actions", &format!("{chosen}&action=silence&for_seconds=3600&note=bath")).await;
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
async fn people_devices_and_alerts_of_another_tenant_are_not_there() {
    let (database, service, client) = homes(true).await;
    let own = alert_of_anna(&client, 5).await;
    let stranger =
        add_alert(&client, HEART_RATE, "HAR-1", 5, &json!({ "customer_id": 6, "org_id": 60, "user_id": 601 })).await;
    let admin = member(&database, &service, "admin", &["read", "respond", "admin"]).await;
    for path in [
        "/people/601",
        "/people/601?range=week",
        "/devices/HAR-1",
        &format!("/alerts/{stranger}"),
        "/fragments/person-now?user_id=601",
        "/fragments/person-now?device_sn=HAR-1",
    ] {
        let page = admin.get(path).await;
        assert_eq!(page.status, 404, "{path}: {}", page.html);
        assert!(!page.html.contains("Bernd"), "{path}");
    }
    let limits = admin.post("/people/601/limits", "action=add&name=x&metric=stress&severity=minor&max=50").await;
    assert_eq!(limits.status, 404);
    let rules: i64 = client.query_one("select count(*) from alert_rule where user_id is not null", &[]).await.expect("one").get(0);
    assert_eq!(rules, 0, "nothing was changed");

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
        let page = admin.get(path).await;
        assert_eq!(page.status, 200, "{path}: {}", page.html);
        // What is searched for stands in its field.
        let rows = page.html.replace("value=\"Bernd\"", "");
        for name in ["Bernd", "Harbour", "Ward West", "href=\"/devices/HAR", "/people/601"] {
            assert!(!rows.contains(name), "{path} names {name}: {}", page.html);
        }
    }
    service.finish().await;
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
    let acted: i64 = client.query_one("select count(*) from alert_action where actor is not null", &[]).await.expect("one").get(0);
    assert_eq!(acted, 0);
    service.finish().await;
}

/// A sample of now, by the service.
async fn measure(service: &Service, device_sn: &str, heart_rate: i64) {
    let item = json!({ "deviceSn": device_sn, "timestamp": Timestamp::now().to_string(), "heart_rate": heart_rate });
    assert_eq!(service.upload(&json!({ "data": item })).await.0, 1);
}

async fn open_alerts(client: &Client, device_sn: &str) -> Vec<String> {
    let sql = "select r.name || coalesce(' of ' || r.user_id, '') from alert a join alert_rule r using (rule_id)
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
    let own: i64 = client.query_one("select rule_id from alert_rule where user_id = 501", &[]).await.expect("a rule").get(0);
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

    let refused = browser.submit("/people/501/limits", &format!("action=set&rule_id={own}&version=1&min=100&max=50")).await;
    assert!(flash(&refused).contains("is not below"), "{refused}");
    let outdated = browser.submit("/people/501/limits", &format!("action=set&rule_id={own}&version=99&max=90")).await;
    assert!(flash(&outdated).contains("was changed meanwhile"), "{outdated}");
    let foreign = browser.submit("/people/601/limits", &format!("action=set&rule_id={own}&max=90")).await;
    assert!(flash(&foreign).contains(&format!("there is no rule {own}")), "only rules that hold for the person: {foreign}");

    let removed = browser.submit("/people/501/limits", &format!("action=remove&rule_id={own}")).await;
    assert!(flash(&removed).contains("is removed"), "{removed}");
    assert!(removed.contains("&lt; 50, &gt; 120"), "what holds for others holds again: {removed}");
    eventually("the alert of the removed limit ends", || async {
        open_alerts(&client, "SUN-1").await.is_empty().then_some(())
    })
    .await;
    let page = browser.submit("/people/501/limits", "action=add&name=Calm&metric=stress&severity=minor&max=50").await;
    assert!(page.contains("Calm") && page.contains("&gt; 50"), "{page}");
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
            for expected in [heart_rate, "class=\"drawing\"", "class=\"limit minor\"", "<table>", "data-live=\"person-now\"", "rel=\"prev\""] {
                assert!(page.html.contains(expected), "{path} {range} {expected}: {}", page.html);
            }
            for unwanted in ["style=", "<script>", "NaN", "<i>"] {
                assert!(!page.html.contains(unwanted), "{path} {range} {unwanted}");
            }
        }
    }
    let part = browser.get("/fragments/person-now?user_id=501").await;
    assert!(part.html.starts_with("<section") && part.html.contains("data-live-query=\"user_id=501\""), "{}", part.html);
    let long_ago = today.checked_sub((24 * 400).hours()).expect("a time").to_string();
    let empty = browser.get(&format!("/people/501?at={}", &long_ago[..10])).await;
    assert!(empty.html.contains("rel=\"next\"") && !empty.html.contains("class=\"drawing\""), "{}", empty.html);
    assert_eq!(browser.get("/people/501?at=9999-12-31&range=month").await.status, 400, "the end of the calendar");
    assert_eq!(browser.get("/people/987654").await.status, 404);
    assert_eq!(browser.get("/devices/NO-SUCH").await.status, 404);

    let people = browser.get("/people?state=online&search=anna").await.html;
    assert!(people.contains("href=\"/people/501\"") && people.contains("1 open alert") && !people.contains("/people/601"), "{people}");
    let devices = browser.get("/devices?search=HAR").await.html;
    assert!(devices.contains("href=\"/devices/HAR-1\"") && !devices.contains("SUN-1"), "{devices}");
    service.finish().await;
}
