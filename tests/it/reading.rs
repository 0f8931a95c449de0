//! Reading over HTTP: people, devices and what they recorded, as the database shows it to a tenant or a unit.

mod form;
mod isolation;
mod names;
mod values;

use serde_json::Value;
use tokio_postgres::Client;
use vitals::config::{Authentication, Settings};

use crate::harness::{Database, Service, key};

/// Two tenants: Sunset (5) with the units 50, 51 and, below 51, 52; Harbour (6) with the unit 60. One person in each unit, with the
/// number of the unit and a 0, wears the device SN-<unit>. Person 500 also wears SECOND, since three days ago. MOVED was worn by person
/// 500 until a day ago, and is worn by person 600 of the other tenant since. A sample in ten minutes for three days; events, workouts,
/// days of exercise, nights and an open alert of every device.
const HOUSES: &str = "
    insert into customer (customer_id, name) values (5, 'Sunset'), (6, 'Harbour');
    insert into org_unit (org_id, name, ancestors)
    values (50, 'Unit 50', '{0,5}'), (51, 'Unit 51', '{0,5}'), (52, 'Unit 52', '{0,5,51}'), (60, 'Unit 60', '{0,6}');
    insert into app_user (user_id, org_id, name, room)
    select org_id * 10, org_id, 'Person ' || org_id, 'Room ' || org_id from org_unit;
    insert into device_binding (device_sn, user_id, valid_from)
    select 'SN-' || org_id, org_id * 10, now() - interval '9 days' from org_unit;
    insert into device_binding (device_sn, user_id, valid_from, valid_until) values
        ('SECOND', 500, now() - interval '3 days', null),
        ('MOVED', 500, now() - interval '9 days', now() - interval '1 day'), ('MOVED', 600, now() - interval '1 day', null);
    insert into device (device_sn, battery_level, wear_state, charging_status)
    select distinct device_sn, 55, '1', 'CHARGING' from device_binding;
    insert into health_data (device_sn, ts, heart_rate, temperature, step, latitude, longitude)
    select d.device_sn, now() - ago * interval '10 minutes', 60 + ago % 40, 36.5 + ago % 7 / 10.0, 9000 - ago, 22.5, 114.0 + ago / 1000.0
    from device as d, generate_series(0, 432) as ago;
    insert into device_event (device_sn, event_type, ts, value, severity)
    select device_sn, 'SOS_EVENT', now() - ago * interval '1 hour', 'a \"value\", in ' || device_sn, 'critical'
    from device, generate_series(1, 49, 12) as ago;
    insert into workout (device_sn, start_ts, end_ts, workout_type, calorie, ts, received_at)
    select device_sn, now() - ago * interval '1 hour', now() - ago * interval '1 hour' + interval '20 minutes', 1, 1234.50, now(), now()
    from device, generate_series(1, 49, 12) as ago;
    insert into exercise_day (device_sn, day, daily_steps, daily_active_hours, received_at)
    select device_sn, (now() at time zone 'Asia/Shanghai')::date - ago, 4000 + ago, 1.5, now() from device, generate_series(0, 2) as ago;
    insert into sleep_segment (device_sn, start_ts, end_ts, type_code, end_day, user_id, org_id, customer_id, ts, received_at)
    select d.device_sn, night - interval '6 hours', night, 2, (night at time zone 'Asia/Shanghai')::date,
        o.user_id, o.org_id, o.customer_id, now(), now()
    from device as d, generate_series(1, 2) as ago,
        lateral (select date_trunc('day', now(), 'Asia/Shanghai') - ago * interval '1 day' + interval '6 hours') as n (night),
        lateral (select * from vitals.device_period as p where p.device_sn = d.device_sn and p.period @> n.night) as o;
    insert into alert (device_sn, rule_id, rule_version, kind, severity, peak_severity, metric, status, user_id, org_id, customer_id,
        started_ts, fired_ts, last_ts, judged_ts, message)
    select d.device_sn, 1, 1, 'threshold', 'major', 'major', 'heart_rate', 'firing', o.user_id, o.org_id, o.customer_id,
        now(), now(), now(), now(), 'alert of ' || d.device_sn
    from device as d join vitals.device_period as o on o.device_sn = d.device_sn and o.period @> now();
    delete from outbox;";

/// A database with the houses, a connection, and a service that asks for keys.
async fn houses(change: impl FnOnce(&mut Settings)) -> (Database, Client, Service) {
    let database = Database::new().await;
    let client = database.client().await;
    client.batch_execute(HOUSES).await.expect("houses");
    client.batch_execute("call refresh_rollups(now() - interval '9 days', now())").await.expect("refreshed");
    let service = Service::start_with(&database, |settings| {
        settings.authentication = Authentication::Keys;
        settings.limits.failures_per_minute = 100_000;
        change(settings);
    })
    .await;
    (database, client, service)
}

/// An `Authorization` with a new key that reads, of a tenant or a unit.
async fn reader(database: &Database, name: &str, of: &[&str]) -> String {
    key(database, &[&[name, "--scope", "read", "--as", "bearer"], of].concat()).await
}

/// An answer, whatever it is.
struct Read {
    status: u16,
    headers: reqwest::header::HeaderMap,
    text: String,
}

impl Read {
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("{} {}", self.status, self.text))
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("text"))
    }
}

thread_local! {
    /// One for each test: making one reads the certificates of the machine.
    static HTTP: reqwest::Client = reqwest::Client::new();
}

async fn get(service: &Service, key: &str, path: &str, headers: &[(&str, &str)]) -> Read {
    let mut request = HTTP.with(Clone::clone).get(format!("{}{path}", service.url()));
    if !key.is_empty() {
        request = request.header("authorization", key);
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer = request.send().await.expect("an answer");
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    Read { status, headers, text: answer.text().await.expect("a body") }
}

/// The rows of an answer of JSON, under whichever name they are.
fn rows(answer: &Read) -> Vec<Value> {
    assert_eq!(answer.status, 200, "{}", answer.text);
    let json = answer.json();
    let lists: Vec<&Value> =
        json.as_object().expect("an object").values().filter(|value| value.is_array()).collect();
    assert_eq!(lists.len(), 1, "{json}");
    lists[0].as_array().expect("rows").clone()
}

/// The tables of a device or a person.
const TABLES: [&str; 7] = ["latest", "series", "nights", "exercise", "workouts", "events", "track"];
