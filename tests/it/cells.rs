//! Several databases that share the tenants: where a watch is sent, where its uploads are stored, and how a tenant moves, as
//! docker/README.md says, word for word.

mod unknown_owner;

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use vitals::config::{Authentication, Enrolment};

use crate::harness::{
    Answer, Database, Proxy, Receiver, Reply, Service, add_program, authorization, commands_below,
    eventually, run_commands,
};

const MANUAL: &str = include_str!("../../docker/README.md");
const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const SUNSET: i64 = 41;
const HARBOUR: i64 = 51;

/// Two tenants in one cell, a cell without tenants, and a service in each. Both cells know both.
struct TwoCells {
    north: Database,
    /// Between the north and its service.
    link: Proxy,
    south: Database,
    in_north: Service,
    in_south: Service,
}

impl TwoCells {
    async fn start(authentication: Authentication) -> Self {
        let (north, south) = (Database::new().await, Database::new().await);
        sql(
            &north,
            &format!(
                "update vitals.cell set name = 'north';
                 insert into org_unit (org_id, name) values ({SUNSET}, 'Sunset'), ({HARBOUR}, 'Harbour');
                 insert into app_user (user_id, org_id, name) values (1, {SUNSET}, 'Ann'), (2, {SUNSET}, 'Bo'), (3, {HARBOUR}, 'Cy');
                 select bind_device(sn, id, now() - interval '30 days')
                 from (values ('A-1', 1), ('A-2', 2), ('B-1', 3)) as b (sn, id)"
            ),
        )
        .await;
        // The databases of the tests come from one template, those of cells do not.
        sql(
            &south,
            "update vitals.cell set name = 'south'; select vitals.start_ids_at(2);
             update vitals.device_key_secret set secret = sha256('south')",
        )
        .await;
        let (link, through) = Proxy::before(&north.url()).await;
        let in_north = start_at(&north, through, authentication).await;
        let in_south = start(&south, authentication).await;
        let cells = Self { north, link, south, in_north, in_south };
        let urls = format!(
            "insert into vitals.cell_url (cell, public_url, internal_url)
             values ('north', 'https://north.example', '{}'), ('south', 'https://south.example', '{}')",
            cells.in_north.url(),
            cells.in_south.url()
        );
        sql(&cells.north, &urls).await;
        sql(&cells.south, &urls).await;
        cells
    }

    /// Where the tenant lives, as the service of a cell believes from now on.
    async fn place(&self, believes: &Database, customer_id: i64, cell: &str) {
        sql(
            believes,
            &format!(
                "insert into vitals.placement (customer_id, cell) values ({customer_id}, '{cell}')
                 on conflict on constraint placement_key do update set cell = excluded.cell"
            ),
        )
        .await;
        let service = if std::ptr::eq(believes, &self.north) { &self.in_north } else { &self.in_south };
        followed(service, customer_id, &format!("https://{cell}.example/")).await;
    }

    async fn finish(self) {
        self.in_north.finish().await;
        self.in_south.finish().await;
    }
}

async fn start(database: &Database, authentication: Authentication) -> Service {
    start_at(database, database.url(), authentication).await
}

/// The same, of a service that reaches its database there.
async fn start_at(database: &Database, url: String, authentication: Authentication) -> Service {
    Service::start_with(database, |settings| {
        settings.database_url = url;
        settings.authentication = authentication;
        settings.enrolment = Enrolment::Known;
        settings.limits.failures_per_minute = 10_000;
    })
    .await
}

/// Waits until a service sends the watches of a tenant, or (0) those of nobody, to a cell.
async fn followed(service: &Service, customer_id: i64, url: &str) {
    let path = match customer_id {
        0 => "/fetch_health_data_config?customer_id=0",
        _ => "/fetch_health_data_config?deviceSn=A-1",
    };
    eventually("the placement is followed", async || {
        let config = service.get(path).await;
        (config.status == 200 && interface(&config, UPLOADS)[0].starts_with(url)).then_some(())
    })
    .await;
}

const UPLOADS: &str = "健康数据上传接口";

async fn sql(database: &Database, statement: &str) {
    database.client().await.batch_execute(statement).await.unwrap_or_else(|e| panic!("{statement}: {e:?}"));
}

/// The rows of a query as text, in order.
async fn rows(database: &Database, query: &str) -> Vec<String> {
    let client = database.client().await;
    let rows = client.query(&format!("select q::text from ({query}) as q order by 1"), &[]).await;
    rows.unwrap_or_else(|e| panic!("{query}: {e:?}")).iter().map(|row| row.get(0)).collect()
}

/// Which devices have samples, and how many.
async fn samples(database: &Database) -> Vec<String> {
    rows(database, "select device_sn, count(*) from health_data group by 1").await
}

fn sample(device_sn: &str, heart_rate: u8) -> Value {
    json!({ "data": { "deviceSn": device_sn, "heart_rate": heart_rate } })
}

async fn upload(service: &Service, body: &Value) -> Answer {
    let answer = service.post("/upload_health_data", body.to_string()).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer
}

#[tokio::test]
async fn an_upload_in_the_wrong_cell_is_passed_on_and_answered_as_if_it_were_stored_there() {
    let cells = TwoCells::start(Authentication::Off).await;
    cells.place(&cells.north, SUNSET, "south").await;
    let passed = upload(&cells.in_north, &sample("A-1", 70)).await;
    let direct = upload(&cells.in_south, &sample("A-2", 70)).await;
    assert_eq!(samples(&cells.south).await, ["(A-1,1)", "(A-2,1)"]);
    assert_eq!(samples(&cells.north).await, Vec::<String>::new());
    assert_eq!(passed.body, direct.body);
    assert_eq!(passed.header("content-type"), direct.header("content-type"));
    let event =
        json!({ "eventType": "com.tdtech.ohos.action.SOS_EVENT", "eventValue": "A-1", "deviceSn": "A-1" });
    let answer = cells.in_north.post("/upload_common_event", event.to_string()).await;
    assert_eq!((answer.status, &answer.body["event_type"]), (200, &json!("SOS_EVENT")));
    assert_eq!(rows(&cells.south, "select device_sn from device_event").await, ["(A-1)"]);
    let info =
        cells.in_north.post("/upload_device_info", r#"{"SerialNumber":"A-1","batteryLevel":80}"#).await;
    assert_eq!(info.status, 200, "{info:?}");
    assert_eq!(rows(&cells.south, "select device_sn from device_info").await, ["(A-1)"]);
    let refused = cells.in_north.post("/upload_health_data_batch", r#"{"data":[{"deviceSn":"A-1"}]}"#).await;
    assert_eq!(refused.status, 400, "as the other cell answers: {refused:?}");

    // Of both cells, of this one, and one that says that it was passed on.
    let mixed =
        json!({ "data": [{ "deviceSn": "A-1", "heart_rate": 71 }, { "deviceSn": "B-1", "heart_rate": 71 }] });
    upload(&cells.in_north, &mixed).await;
    upload(&cells.in_north, &sample("B-1", 72)).await;
    let body = sample("A-2", 72).to_string();
    cells.in_north.post_with("/upload_health_data", &[("vitals-passed-on", "south")], body).await;
    let stored = rows(
        &cells.north,
        "select device_sn, array_agg(heart_rate order by heart_rate) from health_data group by 1",
    )
    .await;
    assert_eq!(stored, ["(A-1,{71})", "(A-2,{72})", "(B-1,\"{71,72}\")"]);
    cells.finish().await;
}

#[tokio::test]
async fn two_cells_that_disagree_store_an_upload_once() {
    let cells = TwoCells::start(Authentication::Off).await;
    cells.place(&cells.north, SUNSET, "south").await;
    cells.place(&cells.south, 0, "north").await;
    // For the south nobody owns the devices.
    upload(&cells.in_north, &sample("A-1", 70)).await;
    upload(&cells.in_south, &sample("A-2", 70)).await;
    assert_eq!(samples(&cells.north).await, ["(A-2,1)"]);
    assert_eq!(samples(&cells.south).await, ["(A-1,1)"]);
    cells.finish().await;
}

#[tokio::test]
async fn an_upload_is_stored_here_while_its_cell_is_away_or_refuses_it() {
    let cells = TwoCells::start(Authentication::Keys).await;
    let key = authorization(&cells.north, &["upload"], SUNSET).await;
    cells.place(&cells.north, SUNSET, "south").await;
    let send = async |heart_rate: u8| {
        let body = sample("A-1", heart_rate);
        let answer = cells.in_north.send_as(&key, "POST", "/upload_health_data", Some(&body)).await;
        assert_eq!((answer.status, &answer.body["details"]["success"]), (200, &json!(1)), "{answer:?}");
    };
    // The south does not know the key.
    send(70).await;
    assert_eq!(samples(&cells.north).await, ["(A-1,1)"]);
    let nowhere = "update vitals.cell_url set public_url = 'https://gone.example', internal_url = 'http://127.0.0.1:9' where cell = 'south'";
    sql(&cells.north, nowhere).await;
    followed(&cells.in_north, SUNSET, "https://gone.example/").await;
    send(71).await;
    assert_eq!(samples(&cells.north).await, ["(A-1,2)"]);
    assert_eq!(samples(&cells.south).await, Vec::<String>::new());
    cells.finish().await;
}

#[tokio::test]
async fn a_server_that_does_not_name_the_cell_acknowledges_nothing() {
    let north = Database::new().await;
    let in_north = start(&north, Authentication::Off).await;
    let stranger = Receiver::start(|_| Reply::Json(json!({ "status": "success" }))).await;
    let cells = format!(
        "update vitals.cell set name = 'north';
         insert into vitals.cell_url (cell, public_url, internal_url) values ('south', 'https://south.example', '{}');
         insert into vitals.placement (customer_id, cell) values (0, 'south')",
        stranger.url()
    );
    sql(&north, &cells).await;
    followed(&in_north, 0, "https://south.example/").await;
    upload(&in_north, &sample("A-1", 70)).await;
    assert_eq!(stranger.requests().len(), 1, "it was asked");
    assert_eq!(samples(&north).await, ["(A-1,1)"]);
    in_north.finish().await;
}

/// The parts of an interface, as the firmware takes them out of a configuration.
fn interface(config: &Answer, name: &str) -> Vec<String> {
    let text = config.body["interface_data"][name].as_str().unwrap_or_else(|| panic!("{config:?}"));
    text.split(';').map(str::to_owned).collect()
}

#[tokio::test]
async fn a_watch_is_sent_to_its_cell_with_a_key_that_works_there() {
    let cells = TwoCells::start(Authentication::Keys).await;
    sql(&cells.north, &format!("insert into vitals.placement values ({SUNSET}, 'A-1', 'A-1', 'south')"))
        .await;
    followed(&cells.in_north, SUNSET, "https://south.example/").await;
    let config = cells.in_north.get("/fetch_health_data_config?deviceSn=A-1").await;
    assert_eq!(interface(&config, UPLOADS)[0], "https://south.example/upload_health_data");
    assert_eq!(interface(&config, "配置获取接口")[0], "https://south.example/fetch_health_data_config");
    let neighbour = cells.in_north.get("/fetch_health_data_config?deviceSn=A-2").await;
    assert!(interface(&neighbour, UPLOADS)[0].starts_with(&cells.in_north.url()), "{neighbour:?}");

    let key = interface(&config, UPLOADS)[4].clone();
    let body = sample("A-1", 70);
    let send = async || cells.in_south.send_as(&key, "POST", "/upload_health_data", Some(&body)).await.status;
    assert_eq!(send().await, 401, "another cell made it");
    let secret = rows(&cells.north, "select encode(secret, 'hex') from vitals.device_key_secret").await;
    let secret = secret[0].trim_matches(['(', ')']);
    sql(
        &cells.south,
        &format!(
            "insert into vitals.accepted_device_key_secret values ('north', 1, decode('{secret}', 'hex'))"
        ),
    )
    .await;
    eventually("the key works in the south", async || (send().await == 200).then_some(())).await;
    let through = cells.in_north.send_as(&key, "POST", "/upload_health_data", Some(&sample("A-1", 71))).await;
    assert_eq!(through.status, 200, "{through:?}");
    assert_eq!(samples(&cells.south).await, ["(A-1,2)"]);
    assert_eq!(samples(&cells.north).await, Vec::<String>::new());
    cells.finish().await;
}

#[tokio::test]
async fn a_device_that_lives_elsewhere_is_not_silent_here() {
    let database = Database::new().await;
    sql(
        &database,
        "update vitals.cell set name = 'north';
         insert into vitals.cell_url (cell, public_url) values ('north', 'https://n'), ('south', 'https://s');
         insert into device (device_sn) values ('A-1'), ('A-2');
         insert into health_data (device_sn, ts, received_at, heart_rate, customer_id)
         select sn, now() - interval '1 hour', now() - interval '1 hour', 70, 41 from unnest('{A-1,A-2}'::text[]) as sn;
         insert into vitals.reception_period values ('-infinity', now());
         insert into alert_rule (name, kind, severity, silent_seconds) values ('Silent', 'silence', 'minor', 600)",
    )
    .await;
    let silent = "select s.device_sn from alert_rule as r, vitals.silent_devices(r, null) as s where r.kind = 'silence' and r.name = 'Silent'";
    assert_eq!(rows(&database, silent).await, ["(A-1)", "(A-2)"]);
    sql(
        &database,
        "insert into vitals.placement values (41, null, null, 'south'), (41, 'A-2', 'A-9', 'north')",
    )
    .await;
    assert_eq!(rows(&database, silent).await, ["(A-2)"]);
}

/// Twenty days of rows, rolled up; the older ones were dropped and are in the rollups alone. A rule, whom it notifies, and two alerts.
/// Nobody owns C-1, and what it sent is older than every run.
const LIVED_IN: &str = "
    insert into device (device_sn) values ('A-1'), ('A-2'), ('B-1'), ('C-1');
    insert into health_data (device_sn, ts, received_at, heart_rate, step, customer_id)
    select device_sn, at, at, 70, 100, case device_sn when 'B-1' then 51 when 'C-1' then null else 41 end
    from device, generate_series(now() - interval '20 days', now() - interval '1 hour', interval '30 minutes') as at;
    insert into sleep_segment (device_sn, start_ts, end_ts, type_code, end_day, ts, received_at)
    values ('A-1', now() - interval '9 hours', now() - interval '2 hours', 1, current_date, now(), now());
    insert into exercise_day (device_sn, day, daily_ts, daily_steps, received_at)
    values ('A-1', current_date, now() - interval '2 hours', 500, now());
    insert into workout (device_sn, start_ts, end_ts, workout_type, calorie, ts, received_at)
    values ('A-1', now() - interval '2 hours', now() - interval '1 hour', 1, 100, now(), now());
    insert into device_event (device_sn, event_type, ts, batch_id) values ('A-1', 'SOS_EVENT', now() - interval '1 hour', 1);
    insert into device_key_revocation (device_sn) values ('B-1');
    insert into api_key (key_id, name, customer_id, scopes, secret_hash)
    values ('0000000000a1', 'revoked', 41, '{upload}', sha256('a')), ('0000000000b1', 'rotated', 41, '{upload}', sha256('a'));
    insert into contact (name, user_id) values ('Ann', 1), ('Nurse', null);
    insert into contact_address (contact_id, channel, address) select contact_id, 'email', 'a@example.org' from contact;
    insert into alert_rule (name, kind, severity, metric, max_value, recovery_count, customer_id)
    values ('High', 'threshold', 'minor', 'heart_rate', 90, 100, 41);
    update alert_rule set max_value = 95 where name = 'High';
    insert into alert_rule (name, kind, severity, metric, max_value) values ('For all', 'threshold', 'minor', 'heart_rate', 190);
    insert into notification_route (customer_id, channel, audience, contact_id)
    select 41, 'email', 'contact', contact_id from contact where name = 'Nurse';
    insert into alert (device_sn, rule_id, rule_version, kind, severity, customer_id, org_id, user_id, status, resolved_at, resolution,
        started_ts, fired_ts, last_ts, judged_ts, message)
    select d, r.rule_id, r.version, r.kind, r.severity, o.customer_id, o.org_id, o.user_id, s, case s when 'resolved' then now() end,
        case s when 'resolved' then 'recovered' end, now(), now(), now(), now(), 'high'
    from alert_rule as r, (values ('A-1', 'firing'), ('A-2', 'resolved')) as a (d, s), device_owner(array[d]) as o
    where r.name = 'High';
    insert into alert_action (alert_id, action) select alert_id, 'fired' from alert;
    insert into notification (alert_id, kind, channel, address, contact_id, status, sent_at)
    select a.alert_id, 'fired', 'email', 'a@example.org', c.contact_id, 'sent', now() from alert as a, contact as c where c.name = 'Nurse';
    select vitals.mark_rollups(array_agg(batch_id), '-infinity', 'infinity') from outbox;
    update health_data set batch_id = 1 where device_sn = 'C-1';
    delete from outbox;";

/// What changes between two runs: a device joins the tenant, totals grow, a sample is replaced, an event is filled, a secret is to end, keys are
/// revoked and rotated, a device is readmitted.
const CHANGED: &str = "
    select bind_device('C-1', 2, now());
    update exercise_day set daily_ts = now(), daily_steps = 900, batch_id = txid_current();
    update workout set calorie = 200, batch_id = txid_current();
    update health_data set heart_rate = 60, received_at = now(), batch_id = txid_current()
    where device_sn = 'A-1' and ts = (select max(ts) from health_data where device_sn = 'A-1');
    update device_event set value = 'pressed';
    update vitals.device_key_secret set ends_at = '2100-01-01Z';
    update api_key set revoked_at = now() where name = 'revoked';
    update api_key set previous_hash = secret_hash, previous_until = now() + interval '1 day', secret_hash = sha256('b'), rotated_at = now()
    where name = 'rotated';
    update device_key_revocation set readmitted_at = now() where device_sn = 'B-1'";
const REVOKED: &str = "insert into device_key_revocation (device_sn) values ('A-2')";

const BUCKETS: &str = "
    select * from (
        select '15m', device_sn, bucket, samples, heart_rate_sum, step_max from health_15m
        union all select 'hourly', device_sn, bucket, samples, heart_rate_sum, step_max from health_hourly
        union all select 'daily', device_sn, bucket, samples, heart_rate_sum, step_max from health_daily
    ) as b (rollup, device_sn, bucket, samples, heart_rate_sum, step_max)
    where bucket < now() - interval '2 days' and device_sn ";

const TOTALS: &str =
    "select device_sn, sum(samples), sum(heart_rate_sum) from health_monthly group by 1 union all
    select device_sn, sum(samples), sum(heart_rate_sum) from health_weekly group by 1";

const ALERTS: &str = "select a.alert_id, a.device_sn, a.status, a.rule_id, r.name, r.version,
    (select count(*) from alert_action as x where x.alert_id = a.alert_id),
    (select string_agg(n.kind || ' ' || n.status, ', ') from notification as n where n.alert_id = a.alert_id)
    from alert as a join alert_rule as r using (rule_id)";

#[tokio::test]
async fn a_tenant_that_moves_as_the_manual_says_loses_nothing_and_nobody_is_notified_anew() {
    let cells = TwoCells::start(Authentication::Off).await;
    let TwoCells { north, south, in_north, in_south, .. } = &cells;
    sql(north, LIVED_IN).await;
    sql(north, "call refresh_rollups(now() - interval '21 days', now())").await;
    sql(north, "select drop_chunks('health_data', interval '12 days')").await;
    let of_sunset = format!("{BUCKETS} like 'A-%'");
    let (buckets, alerts) = (rows(north, &of_sunset).await, rows(north, ALERTS).await);
    let of_newcomer = format!("{BUCKETS} = 'C-1'");
    let newcomer = rows(north, &of_newcomer).await;
    let (others, samples_before) = (rows(north, &format!("{BUCKETS} = 'B-1'")).await, samples(north).await);
    let totals: Vec<String> = rows(north, TOTALS).await;

    let folder = std::env::temp_dir().join(format!("{}_move", north.name()));
    let programs = programs(&folder);
    let [history, switch, rest]: [String; 3] = commands_below(MANUAL, "### Moving a tenant");
    let variables = [("OLD", north.url()), ("NEW", south.url()), ("TENANT", SUNSET.to_string())];
    let run = async |commands: &str| run_commands(commands, &folder, &programs, &variables).await;
    run(&history).await;
    sql(north, CHANGED).await;
    sql(north, REVOKED).await;
    sql(south, REVOKED).await;
    upload(in_north, &sample("A-1", 71)).await;
    assert_eq!(samples(south).await.len(), 2, "it lives in the north yet");
    run(&switch).await;
    followed(in_north, SUNSET, "https://south.example/").await;
    upload(in_north, &sample("A-1", 72)).await;
    // What the north stored while the south was away.
    sql(north, "insert into health_data (device_sn, ts, heart_rate) values ('A-2', now(), 73)").await;
    in_north.drained().await;
    // An event is filled after the last run that sends, and before what was sent is deleted.
    let (send, leave) = rest.split_at(rest.rfind("psql \"$OLD\"").expect("leave.sql"));
    run(send).await;
    sql(north, "update device_event set action = 'pressed once more'").await;
    run(leave).await;
    // What was written after the oldest running transaction of the server began stays, so it is done until nothing is left.
    eventually("nothing of the tenant is left in the north", async || {
        run(&rest).await;
        let events = rows(north, "select from device_event").await;
        let left = rows(north, ALERTS).await.len() + samples(north).await.len() + events.len();
        (left == 1).then_some(())
    })
    .await;

    assert_eq!(rows(south, &of_sunset).await, buckets);
    assert_eq!(rows(south, ALERTS).await, alerts);
    assert_eq!(
        rows(south, "select heart_rate from health_data where heart_rate > 70").await,
        ["(71)", "(72)", "(73)"]
    );
    let count = |samples: &[String]| -> i64 {
        let number = |row: &String| row.trim_end_matches(')').rsplit(',').next()?.parse::<i64>().ok();
        samples.iter().filter_map(number).sum()
    };
    let (left, moved) = (samples(north).await, samples(south).await);
    assert_eq!(left, [samples_before[2].clone()], "the other tenant alone");
    assert_eq!(count(&left) + count(&moved), count(&samples_before) + 3);
    // A row more for A-1 twice, and for A-2 once.
    let sum = |rows: &[String]| -> i64 {
        rows.iter().filter_map(|row| row.split(',').nth(1)?.parse::<i64>().ok()).sum()
    };
    let all: Vec<String> = [rows(north, TOTALS).await, rows(south, TOTALS).await].concat();
    assert_eq!(sum(&all), sum(&totals) + 2 * 3, "weeks and months: {all:?} {totals:?}");
    assert_eq!(rows(north, &format!("{BUCKETS} = 'B-1'")).await, others);
    assert_eq!(rows(south, &of_newcomer).await, newcomer, "it joined between two runs");
    let changed = "select (select daily_steps from exercise_day), (select calorie from workout), (select value || ', ' || action from device_event),
        (select min(heart_rate) from health_data), (select ends_at is not null from vitals.accepted_device_key_secret)";
    assert_eq!(rows(south, changed).await, ["(900,200,\"pressed, pressed once more\",60,t)"]);
    let revoked = "select device_sn, readmitted_at is not null from device_key_revocation";
    assert_eq!(
        rows(south, revoked).await,
        ["(A-2,f)", "(B-1,t)"],
        "also of other tenants, and once what both revoked"
    );
    let keys = "select name, revoked_at is not null, secret_hash = sha256('b') from api_key";
    assert_eq!(rows(south, keys).await, ["(revoked,t,f)", "(rotated,f,t)"]);
    let count_of = async |query: &str| rows(south, query).await.len();
    assert_eq!(count_of("select from sleep_segment").await, 1);
    assert_eq!(count_of("select from device_binding").await, 3);
    assert_eq!(count_of("select from contact_address").await, 2);
    assert_eq!(
        count_of("select from alert_rule where customer_id = 41 and name in ('High', 'For all')").await,
        2
    );
    assert_eq!(count_of("select from vitals.accepted_device_key_secret where cell = 'north'").await, 1);
    in_south.drained().await;
    assert_eq!(count_of("select from notification").await, 2);
    std::fs::remove_dir_all(&folder).expect("removed");
    cells.finish().await;
}

/// A folder to run commands in, with a `psql` that means the servers of the tests. It may be in a sandbox, so files come by redirection.
fn programs(folder: &Path) -> PathBuf {
    let programs = folder.join("programs");
    let client = if std::env::var_os("VITALS_DATABASE_URL").is_some() {
        "PATH=${PATH#*:} exec psql -d \"$url\"".to_owned()
    } else {
        format!("database=${{url##*/}}; exec '{ROOT}/docker/stack' psql -d \"${{database%%\\?*}}\"")
    };
    let script = format!(
        "arguments=()\nwhile [ $# -gt 0 ]; do\n  case \"$1\" in\n    postgres://*) url=\"$1\" ;;\n    \
         -f) exec <\"$2\"; shift ;;\n    *) arguments+=(\"$1\") ;;\n  esac\n  shift\ndone\n{client} \"${{arguments[@]}}\""
    );
    add_program(&programs, "psql", &script);
    std::os::unix::fs::symlink(Path::new(ROOT).join("sql"), folder.join("sql")).expect("linked");
    programs
}
