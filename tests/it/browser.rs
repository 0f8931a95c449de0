//! The pages in a real Chromium: what is live, what sounds, what a keyboard and a screen reader reach. Skipped where there is no
//! chromedriver.

use std::time::Duration;

use serde_json::{Value, json};
use vitals::config::Authentication;

use crate::harness::{
    Chromedriver, Chromium, Database, PASSWORD, Proxy, Service, account, add_alert, authority, authorization,
    axe, vitals,
};

/// A tenant with a ward and somebody who wears a watch, and another tenant.
const DIRECTORY: &str = "
    insert into customer (customer_id, name) values (5, 'Sunset'), (6, 'Harbour');
    insert into org_unit (org_id, ancestors, name) values (50, '{0,5}', 'Ward 50'), (60, '{0,6}', 'Ward 60');
    insert into app_user (user_id, org_id, name) values (1050, 50, 'Person 50'), (1060, 60, 'Stranger 60');
    insert into device_binding (device_sn, user_id) values ('WATCH-50', 1050), ('WATCH-60', 1060);
";

/// Sound without a click before, as a kiosk is set up.
const MAY_SOUND: &str = "--autoplay-policy=no-user-gesture-required";

const IS_LIVE: &str = "document.getElementById('live').dataset.state === 'live'";
const RINGS: &str = "document.getElementById('sound').dataset.state === 'ringing'";
const IS_SILENT: &str = "document.getElementById('sound').dataset.state === 'silent'";

/// What makes the page wider than its window, unless something scrolls or clips it.
const WIDER: &str = "
    const clips = (node) => node !== null && (getComputedStyle(node).overflowX !== 'visible' || clips(node.parentElement));
    const width = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth <= width) return [];
    return [...document.querySelectorAll('body *')]
        .filter((node) => node.getBoundingClientRect().right > width + 1 && !clips(node.parentElement))
        .map((node) => `${node.outerHTML.slice(0, 100)} ${node.getBoundingClientRect().right}`)
        .concat(`${document.documentElement.scrollWidth} of ${width}`);";

/// Words of tables, lists of facts and buttons that are broken within, because their column has no room.
const BROKEN: &str = "
    const broken = [];
    for (const node of document.querySelectorAll('td, th, dt, dd, button')) {
        const texts = document.createTreeWalker(node, NodeFilter.SHOW_TEXT);
        while (texts.nextNode()) {
            for (const word of texts.currentNode.data.matchAll(/[A-Za-z]+/g)) {
                const range = document.createRange();
                range.setStart(texts.currentNode, word.index);
                range.setEnd(texts.currentNode, word.index + word[0].length);
                if (new Set([...range.getClientRects()].map((line) => line.top)).size > 1) broken.push(word[0]);
            }
        }
    }
    return broken;";

fn sos(device_sn: &str) -> Value {
    json!({ "deviceSn": device_sn, "eventType": "com.fleet.SOS_EVENT", "eventValue": "1",
            "timestamp": jiff::Timestamp::now().as_second() })
}

async fn directory(database: &Database) {
    database.client().await.batch_execute(DIRECTORY).await.expect("a directory");
}

async fn log_in(browser: &Chromium, service: &Service, login: &str, password: &str) {
    browser.goto(&format!("{}/wall", service.url())).await;
    browser.find("input[name=login]").await.send_keys(login).await.expect("typed");
    browser.find("input[name=password]").await.send_keys(password).await.expect("typed");
    browser.click("main form button[type=submit], main form button:not([type])").await;
    browser.until("location.pathname === '/wall'").await;
    browser.until(IS_LIVE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_sos_rings_at_everybody_who_is_logged_in_until_one_takes_it_on() {
    let Some(browsers) = Chromedriver::start().await else { return };
    let database = Database::new().await;
    directory(&database).await;
    let service =
        Service::start_with(&database, |settings| settings.authentication = Authentication::Keys).await;
    for login in ["li", "wang"] {
        let name = format!("Nurse {login}");
        account(&database, &[login, "--name", &name, "--role", "responder", "--tenant", "5"]).await;
    }
    let upload = authorization(&database, &["upload"], 0).await;
    let (one, other) = tokio::join!(browsers.open(&[MAY_SOUND]), browsers.open(&[MAY_SOUND]));
    tokio::join!(log_in(&one, &service, "li", PASSWORD), log_in(&other, &service, "wang", PASSWORD));
    one.until(IS_SILENT).await;

    let sample = json!({ "deviceSn": "WATCH-50", "heart_rate": 71 });
    service.send_as(&upload, "POST", "/upload_health_data", Some(&sample)).await;
    one.until("document.querySelector('#ticker [data-device=\"WATCH-50\"] [data-field=heart_rate]')?.textContent === '71'").await;

    for device_sn in ["WATCH-50", "WATCH-60"] {
        let answer = service.send_as(&upload, "POST", "/upload_common_event", Some(&sos(device_sn))).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    for browser in [&one, &other] {
        browser.until(RINGS).await;
        browser.until("document.title.startsWith('(1) ')").await;
        browser.until("document.getElementById('announce-urgent').textContent.includes('Person 50')").await;
        let page: String = browser.run("return document.body.innerText").await;
        assert!(!page.contains("Stranger 60"), "{page}");
    }
    // Both at once: one of them has it, and both see who.
    tokio::join!(one.click("[data-alert] form button"), other.click("[data-alert] form button"));
    for browser in [&one, &other] {
        browser.until(IS_SILENT).await;
        browser.until("document.querySelector('[data-alert][data-status=acknowledged]')?.innerText.includes('Nurse ')").await;
        assert_eq!(browser.run::<String>("return location.pathname").await, "/wall", "nobody left the page");
    }
    one.close().await;
    other.close().await;
    service.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kiosk_shows_its_tenant_in_initials_until_its_link_is_revoked() {
    let Some(browsers) = Chromedriver::start().await else { return };
    let database = Database::new().await;
    directory(&database).await;
    let service = Service::start_with(&database, |settings| {
        settings.authentication = Authentication::Keys;
        settings.stream.check_interval_ms = 200;
    })
    .await;
    let created = vitals(&database, &["kiosk", "create", "ward 50", "--tenant", "5", "--private"]).await;
    assert_eq!(created.code, 0, "{created:?}");
    let path =
        created.out.split_whitespace().find_map(|word| Some(&word[word.find("/kiosk/")?..])).expect("a link");
    let upload = authorization(&database, &["upload"], 0).await;
    let kiosk = browsers.open(&[]).await;
    kiosk.goto(&format!("{}{path}", service.url())).await;
    kiosk.until(IS_LIVE).await;
    for device_sn in ["WATCH-60", "WATCH-50"] {
        let sample =
            json!({ "deviceSn": device_sn, "heart_rate": 71, "latitude": 22.5431, "longitude": 114.0579 });
        service.send_as(&upload, "POST", "/upload_health_data", Some(&sample)).await;
        service.send_as(&upload, "POST", "/upload_common_event", Some(&sos(device_sn))).await;
    }
    kiosk.until("document.querySelector('#ticker li')?.innerText.includes('P 5')").await;
    kiosk
        .until("document.querySelectorAll('[data-severity=critical][data-status=firing]').length === 1")
        .await;
    // Nobody has used the page, so the browser does not let it sound.
    kiosk.until("document.getElementById('sound').dataset.state === 'blocked' && !document.getElementById('sound-notice').hidden").await;
    let page: String = kiosk.run("return document.documentElement.outerHTML").await;
    for hidden in ["Person 50", "WATCH-50", "1050", "Stranger", "WATCH-60", "22.54", "114.05"] {
        assert!(!page.contains(hidden), "{hidden}");
    }
    assert_eq!(kiosk.run::<u64>("return document.querySelectorAll('form[method=post]').length").await, 0);
    assert_eq!(vitals(&database, &["kiosk", "revoke", "ward 50"]).await.code, 0);
    kiosk.until("location.pathname === '/login'").await;
    kiosk.close().await;
    service.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_was_cut_is_made_up_for_and_nothing_typed_is_lost() {
    let Some(browsers) = Chromedriver::start().await else { return };
    let database = Database::new().await;
    directory(&database).await;
    let client = database.client().await;
    let service = Service::start(&database).await;
    let proxy = Proxy::to(authority(&service.url())).await;
    let columns = json!({ "customer_id": 5, "org_id": 50, "user_id": 1050 });
    let first = add_alert(&client, 1, "WATCH-50", 1, &columns).await;
    let browser = browsers.open(&[]).await;
    browser.goto(&format!("{}/alerts", proxy.url())).await;
    browser.until(IS_LIVE).await;
    // In the middle of something.
    browser.click(&format!("#alert-list input[type=checkbox][value='{first}']")).await;
    browser.run::<()>("window.same = true").await;

    proxy.cut();
    let missed = add_alert(&client, 3, "WATCH-50", 0, &columns).await;
    browser.run::<()>("window.tries = performance.getEntriesByType('resource').length").await;
    proxy.restore();
    browser.until(&format!("document.querySelector(\"#alert-list input[value='{missed}']\")")).await;
    browser.until(IS_LIVE).await;
    assert!(browser.run::<bool>("return window.same").await, "the page was not loaded anew");
    let checked = format!("return document.querySelector(\"#alert-list input[value='{first}']\").checked");
    assert!(browser.run::<bool>(&checked).await, "what was chosen is still chosen");
    let focused: String = browser.run("return document.activeElement.value ?? ''").await;
    assert_eq!(focused, first.to_string(), "the focus is where it was");
    browser.close().await;
    service.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_keyboard_is_enough_in_either_language() {
    let Some(browsers) = Chromedriver::start().await else { return };
    let database = Database::new().await;
    directory(&database).await;
    let client = database.client().await;
    let service = Service::start(&database).await;
    let columns = json!({ "customer_id": 5, "org_id": 50, "user_id": 1050, "severity": "critical" });
    add_alert(&client, 3, "WATCH-50", 0, &columns).await;
    let browser = browsers.open(&[MAY_SOUND]).await;
    browser.goto(&format!("{}/wall?lang=zh", service.url())).await;
    browser.until(IS_LIVE).await;
    assert!(browser.run::<String>("return document.documentElement.lang").await.starts_with("zh"));
    browser.type_keys("?").await;
    browser.until("document.getElementById('shortcuts').open").await;
    let dialog: String = browser.run("return document.getElementById('shortcuts').innerText").await;
    assert!(dialog.contains("键盘快捷键"), "{dialog}");
    browser.type_keys("\u{e00c}").await;
    browser.until("!document.getElementById('shortcuts').open").await;
    browser.until(RINGS).await;
    // A pause holds until a new alarm breaks through it.
    browser.type_keys("p").await;
    browser.until("document.getElementById('sound').dataset.state === 'paused'").await;
    add_alert(&client, 1, "WATCH-50", 0, &columns).await;
    browser.until(RINGS).await;
    for left in [1, 0] {
        browser.type_keys("kkk").await;
        browser.until("document.activeElement.matches('.open-alert')").await;
        while !browser.run::<bool>("return document.activeElement.dataset.status === 'firing'").await {
            browser.type_keys("j").await;
        }
        browser.type_keys("a").await;
        browser.until(&format!("document.querySelectorAll('[data-status=firing]').length === {left}")).await;
    }
    browser.until(IS_SILENT).await;
    browser.type_keys("ga").await;
    browser.until("location.pathname === '/alerts'").await;
    let english = "ul.switch a[lang=en]";
    browser.click(english).await;
    browser.until("document.documentElement.lang === 'en'").await;
    browser.type_keys("gw").await;
    browser.until("location.pathname === '/wall' && document.documentElement.lang === 'en'").await;
    browser.close().await;
    service.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_page_has_a_fault_that_axe_finds() {
    let (Some(axe), Some(browsers)) = (axe(), Chromedriver::start().await) else { return };
    let database = Database::new().await;
    directory(&database).await;
    let client = database.client().await;
    let service = Service::start(&database).await;
    let columns = json!({ "customer_id": 5, "org_id": 50, "user_id": 1050, "severity": "critical" });
    let alert_id = add_alert(&client, 3, "WATCH-50", 0, &columns).await;
    service.upload(&json!({ "deviceSn": "WATCH-50", "heart_rate": 71 })).await;
    service.drained().await;
    let route =
        json!({ "channel": "wecom", "audience": "managers", "quiet_from": "22:00", "quiet_until": "06:00" });
    let route = service.send("POST", "/api/notification_routes", Some(&route)).await;
    let route_id = route.body["route_id"].as_str().expect("a route").to_owned();
    // A row that is just coming into view is faint for a moment.
    let browser = browsers.open(&["--force-prefers-reduced-motion"]).await;
    browser.0.set_script_timeout(Duration::from_secs(20)).await.expect("a time");
    for path in [
        "/login",
        "/wall",
        "/alerts",
        &format!("/alerts/{alert_id}"),
        "/people",
        "/people/1050",
        "/devices/WATCH-50",
        "/admin",
        "/admin/rules",
        "/admin/rules/1",
        &format!("/admin/contacts?route={route_id}"),
    ] {
        for theme in ["dark", "light"] {
            let separator = if path.contains('?') { '&' } else { '?' };
            browser.goto(&format!("{}{path}{separator}theme={theme}", service.url())).await;
            browser
                .run::<()>(
                    "document.querySelectorAll('main details').forEach((each) => { each.open = true; })",
                )
                .await;
            browser.run::<()>(&axe).await;
            let run = "const done = arguments[arguments.length - 1];
                axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] }).then(
                    (found) => done(found.violations.map((each) => `${each.id}: ${each.nodes.map((node) => node.html).join(' | ')}`)));";
            let found = browser.0.execute_async(run, vec![]).await.expect("axe runs");
            let faults: Vec<String> = found.convert().expect("texts");
            assert!(faults.is_empty(), "{path} {theme}: {faults:#?}");
        }
    }
    browser.close().await;
    service.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_page_is_wider_than_its_window_and_no_word_is_broken() {
    let Some(browsers) = Chromedriver::start().await else { return };
    let database = Database::new().await;
    directory(&database).await;
    let many = "insert into app_user (user_id, org_id, name) select 2000 + n, 50, 'Person of a long name ' || n from generate_series(1, 20) n;
        insert into device_binding (device_sn, user_id) select 'WATCH-' || (2000 + n), 2000 + n from generate_series(1, 20) n";
    database.client().await.batch_execute(many).await.expect("more people");
    let service = Service::start(&database).await;
    let sample = |n: i32| {
        json!({ "deviceSn": format!("WATCH-{n}"), "heart_rate": 180, "blood_oxygen": 97, "body_temperature": "36.6",
                "blood_pressure_systolic": 126, "blood_pressure_diastolic": 84 })
    };
    let samples: Vec<Value> = (2001..=2020).map(sample).collect();
    service.upload(&json!({ "data": samples })).await;
    service.drained().await;
    let browser = browsers.open(&["--force-prefers-reduced-motion"]).await;
    for path in [
        "/wall",
        "/alerts",
        "/alerts/1",
        "/people",
        "/people/2001",
        "/devices",
        "/admin/rules",
        "/admin/rules/1",
        "/admin/policies",
        "/admin/accounts",
    ] {
        browser.goto(&format!("{}{path}", service.url())).await;
        for width in [360, 1920] {
            browser.resize(width, 740).await;
            let wider: Vec<String> = browser.run(WIDER).await;
            assert!(wider.is_empty(), "{path} at {width}: {wider:#?}");
            let broken: Vec<String> = browser.run(BROKEN).await;
            assert!(broken.is_empty(), "{path} at {width}: {broken:?}");
        }
    }
    browser.close().await;
    service.finish().await;
}
