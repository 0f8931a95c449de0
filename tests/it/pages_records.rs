//! Pages of alerts, people, devices and the administration, as a browser without a script gets them: links and forms.

mod admin;
mod admin_forms;
mod alerts;
mod limits;
mod people;

use serde_json::json;
use tokio_postgres::Client;
use vitals::config::Authentication;

use crate::harness::{Database, Service, add_alert, key};

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
        let cookies = header("set-cookie")
            .iter()
            .filter_map(|cookie| cookie.split(';').next())
            .collect::<Vec<_>>()
            .join("; ");
        let location = header("location").concat();
        PageAnswer {
            status: answer.status().as_u16(),
            location,
            cookies,
            html: answer.text().await.expect("text"),
        }
    }

    async fn get(&self, path: &str) -> PageAnswer {
        self.send(self.http.get(format!("{}{path}", self.url)).header("accept-language", "en")).await
    }

    /// Sends a form. The values need no escaping.
    async fn post(&self, path: &str, form: &str) -> PageAnswer {
        let request = self.http.post(format!("{}{path}", self.url));
        let request = request
            .header("content-type", "application/x-www-form-urlencoded")
            .header("accept-language", "en");
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
    let after = html
        .split_once("<p class=\"flash\" role=\"status\">")
        .unwrap_or_else(|| panic!("no outcome: {html}"))
        .1;
    after.split_once("</p>").expect("its end").0
}
