//! The shell of the pages, the wall and its parts, over HTTP: who is shown what, in which language, with which headers.

use serde_json::json;
use tokio_postgres::Client;
use vitals::config::{Authentication, TileCoordinates};
use vitals::model::session::Token;

use crate::harness::{Database, Service, add_alert, authorization};

/// As it is seeded: heart rate from 50 to 120, graver from 40 to 140.
const HEART_RATE: i64 = 1;

const PARTS: [&str; 7] = ["counters", "alerts", "units", "map", "alert-hours", "watches", "latest"];

/// Two tenants, each with a unit, a person and a device that sent samples.
const HOUSES: &str = "
    insert into customer (customer_id, name) values (5, 'Sunset'), (6, 'Harbour');
    insert into org_unit (org_id, name, ancestors) values (50, 'Ward East', '{0,5}'), (60, 'Ward West', '{0,6}');
    insert into app_user (user_id, org_id, name, room) values (501, 50, '<script>Anna', 'R-12'), (601, 60, 'Bernd Stranger', 'R-7');
    insert into device (device_sn, battery_level) values ('SUN-1', 64), ('HAR-1', 3);
    insert into device_binding (device_sn, user_id, valid_from)
    values ('SUN-1', 501, now() - interval '9 days'), ('HAR-1', 601, now() - interval '9 days');
    insert into health_data (device_sn, ts, heart_rate, blood_oxygen, latitude, longitude, customer_id, org_id, user_id)
    select d.sn, now() - ago * interval '1 minute', 70 + ago, 97, 31.2, 121.4, d.tenant, d.unit, d.person
    from (values ('SUN-1', 5, 50, 501), ('HAR-1', 6, 60, 601)) as d (sn, tenant, unit, person), generate_series(1, 9) as ago;
    delete from outbox";

/// What belongs to the second tenant.
const STRANGERS: [&str; 6] = ["Harbour", "Ward West", "Bernd", "HAR-1", "/people/601", "R-7"];

async fn houses(authentication: Authentication) -> (Database, Service, Client) {
    let database = Database::new().await;
    let client = database.client().await;
    client.batch_execute(HOUSES).await.expect("two houses");
    let service = Service::start_with(&database, |settings| settings.authentication = authentication).await;
    (database, service, client)
}

struct PageAnswer {
    status: u16,
    headers: reqwest::header::HeaderMap,
    html: String,
}

impl PageAnswer {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("text"))
    }
}

/// What a browser is answered that follows no redirect.
async fn get(service: &Service, path: &str, headers: &[(&str, &str)]) -> PageAnswer {
    let http =
        reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().expect("a client");
    let mut request = http.get(format!("{}{path}", service.url()));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer = request.send().await.expect("an answer");
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    PageAnswer { status, headers, html: answer.text().await.expect("text") }
}

const BROWSER: (&str, &str) = ("accept", "text/html,application/xhtml+xml");

/// Elements without an end.
const VOID: [&str; 5] = ["meta", "link", "input", "br", "hr"];

/// Panics unless every element ends where it has to, and nothing of the page is a script or a style inside it.
fn check_html(path: &str, html: &str) {
    let mut open: Vec<&str> = Vec::new();
    for piece in html.split('<').skip(1) {
        let (tag, _) = piece.split_once('>').unwrap_or_else(|| panic!("{path}: no end of {piece:.60}"));
        if tag.starts_with('!') {
            continue;
        }
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name), "{path}: what {name} ends");
            continue;
        }
        let name = tag.split([' ', '/']).next().unwrap_or_default();
        assert!(!name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{path}: {tag}");
        assert_ne!(name, "style", "{path}");
        for inline in [" style=", " onclick=", " onload=", " onerror=", "javascript:"] {
            assert!(!tag.contains(inline), "{path}: {tag}");
        }
        if name == "script" {
            assert!(tag.contains("src=\"/assets/page.js?v="), "{path}: {tag}");
            assert!(piece.ends_with('>'), "{path}: a script inside the page");
        }
        if !VOID.contains(&name) {
            open.push(name);
        }
    }
    assert!(open.is_empty(), "{path}: {open:?} do not end");
}

#[tokio::test]
async fn a_page_has_its_headers_and_its_files_and_nothing_inline() {
    let (_database, service, client) = houses(Authentication::Off).await;
    add_alert(&client, HEART_RATE, "SUN-1", 5, &json!({ "customer_id": 5, "org_id": 50, "user_id": 501 }))
        .await;
    let parts = PARTS.map(|part| format!("/fragments/{part}"));
    for path in ["/wall", "/wall?lang=zh&theme=dark", "/login?next=/alerts&failed=wrong"]
        .into_iter()
        .chain(parts.iter().map(String::as_str))
    {
        let page = get(&service, path, &[BROWSER]).await;
        assert_eq!(
            (page.status, page.header("content-type")),
            (200, "text/html; charset=utf-8"),
            "{path}: {}",
            page.html
        );
        let policy = page.header("content-security-policy");
        for rule in ["default-src 'self'", "frame-ancestors 'none'", "form-action 'self'", "base-uri 'none'"]
        {
            assert!(policy.contains(rule), "{path}: {policy}");
        }
        assert!(!policy.contains("unsafe") && !policy.contains('*') && !policy.contains("http"), "{policy}");
        assert_eq!(page.header("cache-control"), "private, no-store", "{path}");
        assert_eq!(page.header("referrer-policy"), "same-origin", "{path}");
        assert_eq!(page.header("x-content-type-options"), "nosniff", "{path}");
        check_html(path, &page.html);
    }

    let page = get(&service, "/wall", &[]).await;
    let addresses: Vec<&str> = page.html.split(['"']).filter(|word| word.starts_with("/assets/")).collect();
    assert!(addresses.len() >= 4, "{addresses:?}");
    for address in addresses {
        let file = get(&service, address, &[("accept-encoding", "gzip")]).await;
        assert_eq!(file.status, 200, "{address}");
        assert_eq!(file.header("cache-control"), "public, max-age=31536000, immutable", "{address}");
        assert_eq!(file.header("content-encoding"), "gzip", "{address}");
        let (name, _) = address.split_once('?').expect("a hash");
        let unnamed = get(&service, name, &[]).await;
        assert_eq!((unnamed.status, unnamed.header("cache-control")), (200, "no-cache"), "{name}");
    }
    assert_eq!(get(&service, "/assets/secrets.css", &[]).await.status, 404);
    assert_eq!(get(&service, "/fragments/unknown", &[]).await.status, 404);
    service.finish().await;
}

#[tokio::test]
async fn the_address_of_the_service_leads_a_browser_to_the_wall_and_a_program_to_the_document() {
    let database = Database::new().await;
    let service =
        Service::start_with(&database, |settings| settings.authentication = Authentication::Keys).await;
    assert_eq!(get(&service, "/", &[BROWSER]).await.header("location"), "wall");
    assert_eq!(get(&service, "/", &[]).await.header("location"), "docs");
    assert_eq!(get(&service, "/", &[("accept", "application/json")]).await.header("location"), "docs");

    let page = get(&service, "/wall?lang=zh", &[BROWSER]).await;
    assert_eq!((page.status, page.header("location")), (303, "/login?next=/wall%3Flang%3Dzh"));
    let form = get(&service, page.header("location"), &[BROWSER]).await;
    assert!(form.html.contains("name=\"next\" value=\"/wall?lang=zh\""), "{}", form.html);
    let elsewhere = get(&service, "/login?next=//example.org/", &[BROWSER]).await;
    assert!(elsewhere.html.contains("name=\"next\" value=\"\""), "{}", elsewhere.html);
    assert_eq!(get(&service, "/wall", &[]).await.status, 401, "a program is told");
    service.finish().await;
}

#[tokio::test]
async fn a_page_is_in_the_language_and_the_theme_that_the_reader_has_chosen() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    for (path, headers, language, theme) in [
        ("/wall", vec![], "en", "system"),
        ("/wall", vec![("accept-language", "zh-CN,zh;q=0.9")], "zh", "system"),
        ("/wall?lang=en", vec![("accept-language", "zh-CN")], "en", "system"),
        (
            "/wall",
            vec![("accept-language", "en"), ("cookie", "vitals_language=zh; vitals_theme=dark")],
            "zh",
            "dark",
        ),
        (
            "/wall?lang=en&theme=light",
            vec![("cookie", "vitals_language=zh; vitals_theme=dark")],
            "en",
            "light",
        ),
        ("/login?lang=zh", vec![], "zh", "system"),
    ] {
        let page = get(&service, path, &headers).await;
        assert_eq!(page.header("content-language"), language, "{path} {headers:?}");
        let attributes =
            format!("lang=\"{}\" data-theme=\"{theme}\"", if language == "zh" { "zh-Hans" } else { "en" });
        assert!(page.html.contains(&attributes), "{path} {headers:?}: {:.300}", page.html);
        let cookies: Vec<&str> =
            page.headers.get_all("set-cookie").iter().map(|cookie| cookie.to_str().expect("text")).collect();
        let chosen = path.matches("lang=").count() + path.matches("theme=").count();
        assert_eq!(cookies.len(), chosen, "{cookies:?}");
        assert!(cookies.iter().all(|cookie| cookie.contains("HttpOnly; SameSite=Lax")), "{cookies:?}");
    }
    service.finish().await;
}

#[tokio::test]
async fn nobody_of_another_tenant_is_in_any_part_of_a_wall() {
    let (database, service, client) = houses(Authentication::Keys).await;
    for (device_sn, tenant, unit, person) in [("SUN-1", 5, 50, 501), ("HAR-1", 6, 60, 601)] {
        let owners = json!({ "customer_id": tenant, "org_id": unit, "user_id": person });
        add_alert(&client, HEART_RATE, device_sn, 5, &owners).await;
    }
    let key = authorization(&database, &["read"], 5).await;
    let parts = PARTS.map(|part| format!("/fragments/{part}"));
    // In turns: what was read for one is not shown to the other.
    let every = authorization(&database, &["read"], 0).await;
    for path in parts.iter().map(String::as_str).chain(["/wall"]) {
        let all = get(&service, path, &[("authorization", &every), ("accept-language", "en")]).await;
        assert_eq!(all.status, 200, "{path}: {}", all.html);
        for added in ["", "?customer_id=6", "?org_id=60", "?customer_id=6&org_id=60"] {
            let page = get(
                &service,
                &format!("{path}{added}"),
                &[("authorization", &key), ("accept-language", "en")],
            )
            .await;
            assert_eq!(page.status, 200, "{path}: {}", page.html);
            for stranger in STRANGERS {
                assert!(!page.html.contains(stranger), "{path}{added} names {stranger}: {}", page.html);
            }
        }
    }
    let wall = get(&service, "/wall", &[("authorization", &every)]).await.html;
    for known in ["Bernd Stranger", "Ward West", "&lt;script&gt;Anna"] {
        assert!(wall.contains(known), "whoever sees every tenant sees {known}: {wall}");
    }
    let own = get(&service, "/wall", &[("authorization", &key)]).await.html;
    for known in ["Ward East", "&lt;script&gt;Anna", "room R-12", "data-status=\"firing\""] {
        assert!(own.contains(known), "{known}: {own}");
    }
    assert!(!own.contains("/acknowledge"), "a key with scope read can change nothing");
    service.finish().await;
}

/// The cookie of a kiosk link of the first tenant.
async fn kiosk(client: &Client, name: &str, secret: u8, is_private: bool) -> String {
    let token = Token::of([secret; 32]);
    let sql = "insert into vitals.kiosk_link (name, token_hash, customer_id, is_private, created_by) values ($1, $2, 5, $3, 'test')";
    client.execute(sql, &[&name, &token.hash().as_slice(), &is_private]).await.expect("a link");
    format!("vitals_kiosk={}", token.text())
}

#[tokio::test]
async fn a_screen_shows_its_tenant_and_a_private_one_shows_no_name_number_or_position() {
    let (_database, service, client) = houses(Authentication::Keys).await;
    client.batch_execute("update app_user set name = 'Anna Own' where user_id = 501").await.expect("a name");
    let owners = json!({ "customer_id": 5, "org_id": 50, "user_id": 501 });
    add_alert(&client, HEART_RATE, "SUN-1", 5, &owners).await;
    let (open, private) = (kiosk(&client, "door", 1, false).await, kiosk(&client, "hall", 2, true).await);
    for part in PARTS.map(|part| format!("/fragments/{part}")).iter().map(String::as_str).chain(["/wall"]) {
        for cookie in [&open, &private] {
            let page = get(&service, part, &[BROWSER, ("cookie", cookie)]).await;
            assert_eq!(page.status, 200, "{part}: {}", page.html);
            for stranger in STRANGERS {
                assert!(!page.html.contains(stranger), "{part} names {stranger}");
            }
            assert!(
                !page.html.contains("method=\"post\"") && !page.html.contains("href=\"/people"),
                "{part}: {}",
                page.html
            );
        }
        let page = get(&service, part, &[BROWSER, ("cookie", &private)]).await;
        for hidden in ["Anna", "SUN-1", "data-alert=\"", "R-12", "<circle"] {
            assert!(!page.html.contains(hidden), "{part} shows {hidden}: {}", page.html);
        }
    }
    let page = get(&service, "/wall", &[BROWSER, ("cookie", &open)]).await.html;
    assert!(page.contains("Anna Own") && page.contains("data-kiosk") && !page.contains("<nav"), "{page}");
    let page = get(&service, "/wall", &[BROWSER, ("cookie", &private)]).await.html;
    assert!(page.contains("A O") && page.contains("Ward East"), "{page}");
    for closed in ["/alerts", "/people", "/people/501", "/devices/SUN-1", "/api/overview", "/api/people"] {
        let answer = get(&service, closed, &[("cookie", &open)]).await;
        assert!(matches!(answer.status, 303 | 401 | 403), "{closed}: {}", answer.status);
    }
    client.execute("update vitals.kiosk_link set revoked_at = now()", &[]).await.expect("revoked");
    crate::harness::eventually("the link no longer works", || async {
        (get(&service, "/wall", &[BROWSER, ("cookie", &open)]).await.status == 303).then_some(())
    })
    .await;
    service.finish().await;
}

#[tokio::test]
async fn a_map_comes_from_the_server_of_the_settings_alone() {
    let database = Database::new().await;
    database.client().await.batch_execute(HOUSES).await.expect("two houses");
    let service = Service::start_with(&database, |settings| {
        settings.page.tile_url = "https://tiles.example.org/{z}/{x}/{y}.png".to_owned();
        settings.page.tile_coordinates = TileCoordinates::Gcj02;
    })
    .await;
    let page = get(&service, "/wall", &[]).await;
    assert!(page.html.contains("<image href=\"https://tiles.example.org/"), "{}", page.html);
    let policy = page.header("content-security-policy");
    assert!(policy.contains("img-src 'self' https://tiles.example.org;"), "{policy}");
    service.finish().await;
}

#[tokio::test]
async fn a_changed_alert_is_on_the_wall_that_is_asked_for_after_it_although_the_rest_cannot_be_read() {
    let (database, service, client) = houses(Authentication::Off).await;
    let owners = json!({ "customer_id": 5, "org_id": 50, "user_id": 501 });
    let alert_id = add_alert(&client, HEART_RATE, "SUN-1", 5, &owners).await;
    let dba = database.client().await;
    dba.batch_execute("begin; lock table device_info in access exclusive mode").await.expect("locked");
    let firing = "data-status=\"firing\"";
    assert!(get(&service, "/fragments/alerts", &[]).await.html.contains(firing));
    let path = format!("/api/alerts/{alert_id}/acknowledge");
    let taken_on = service.post(&path, json!({ "actor": "Li" }).to_string()).await;
    assert_eq!(taken_on.status, 200, "{taken_on:?}");
    let part = get(&service, "/fragments/alerts", &[]).await.html;
    assert!(part.contains("data-status=\"acknowledged\"") && part.contains("Li"), "{part}");
    assert!(!part.contains(firing), "{part}");
    dba.batch_execute("rollback").await.expect("unlocked");
    service.finish().await;
}
