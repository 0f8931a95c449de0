//! No route, number, filter or export shows anything of another tenant or another unit, and nothing shows that it exists.

use std::collections::BTreeSet;

use super::{Read, TABLES, get, houses, reader, rows};
use crate::harness::{Login, Service};

/// Serials in the houses.
const DEVICES: [&str; 6] = ["SN-50", "SN-51", "SN-52", "SN-60", "SECOND", "MOVED"];

/// People in the houses.
const PEOPLE: [&str; 4] = ["500", "510", "520", "600"];

/// Who asks: the arguments of the key, and what it may see something of.
struct Viewer {
    of: &'static [&'static str],
    devices: &'static [&'static str],
    people: &'static [&'static str],
    units: &'static [&'static str],
}

const VIEWERS: [Viewer; 4] = [
    Viewer {
        of: &["--tenant", "5"],
        devices: &["SN-50", "SN-51", "SN-52", "SECOND", "MOVED"],
        people: &["500", "510", "520"],
        units: &["50", "51", "52"],
    },
    Viewer { of: &["--tenant", "6"], devices: &["SN-60", "MOVED"], people: &["600"], units: &["60"] },
    Viewer {
        of: &["--tenant", "5", "--unit", "51"],
        devices: &["SN-51", "SN-52"],
        people: &["510", "520"],
        units: &["51", "52"],
    },
    Viewer { of: &["--tenant", "5", "--unit", "52"], devices: &["SN-52"], people: &["520"], units: &["52"] },
];

impl Viewer {
    /// Everything by which a foreign thing would be recognised in an answer.
    fn foreign(&self) -> Vec<String> {
        let devices =
            DEVICES.iter().filter(|device| !self.devices.contains(device)).map(|device| (*device).to_owned());
        let units = ["50", "51", "52", "60"].into_iter().filter(|unit| !self.units.contains(unit));
        let names =
            units.flat_map(|unit| [format!("Person {unit}"), format!("Unit {unit}"), format!("Room {unit}")]);
        let tenant = if self.units.contains(&"60") { "Sunset" } else { "Harbour" };
        devices.chain(names).chain([tenant.to_owned()]).collect()
    }

    fn check(&self, path: &str, answer: &Read) {
        for foreign in self.foreign() {
            assert!(
                !answer.text.contains(&foreign),
                "{:?} sees {foreign} by {path}: {}",
                self.of,
                answer.text
            );
        }
    }
}

/// All paths below a device or a person.
fn paths_below(root: &str) -> Vec<String> {
    let mut paths = vec![root.to_owned()];
    for table in TABLES {
        paths.push(format!("{root}/{table}"));
        paths.push(format!("{root}/{table}?format=csv"));
        paths.push(format!("{root}/{table}?format=ndjson"));
    }
    for grain in ["raw", "15m", "hourly", "daily", "weekly", "monthly"] {
        paths.push(format!("{root}/series?grain={grain}&format=ndjson"));
    }
    paths.push(format!("{root}/series?grain=daily&zone=Europe/London"));
    paths
}

/// The paths that name neither a device nor a person, with every filter.
fn other_paths() -> Vec<String> {
    let mut paths = vec!["/api/overview".to_owned()];
    for list in ["/api/people", "/api/devices"] {
        for filter in [
            "",
            "search=60",
            "search=SN",
            "search=person",
            "org_id=60",
            "org_id=50",
            "org_id=5",
            "state=online",
            "state=alerting",
            "state=offline",
            "user_id=600",
        ] {
            if list == "/api/people" && filter.starts_with("user_id") {
                continue;
            }
            for form in ["json", "csv", "ndjson"] {
                paths.push(format!("{list}?{filter}&format={form}").replace("?&", "?"));
            }
        }
    }
    for grain in ["raw", "15m", "hourly", "daily", "weekly", "monthly"] {
        for form in ["csv", "ndjson"] {
            paths.push(format!("/api/series?grain={grain}&format={form}"));
        }
    }
    paths.push("/api/series?grain=daily&zone=UTC&format=csv".to_owned());
    paths
}

/// The routes that the document says read health data, whose paths are all tried.
async fn every_route_is_tried(service: &Service) {
    let document = get(service, "", "/openapi.json", &[]).await.json();
    let paths = document["paths"].as_object().expect("paths");
    let reading = paths.iter().filter(|(_, item)| item["get"]["tags"][0] == "reading");
    let described: BTreeSet<String> = reading.map(|(path, _)| path.clone()).collect();
    let tried: BTreeSet<String> = paths_below("/api/devices/{sn}")
        .into_iter()
        .chain(paths_below("/api/people/{id}"))
        .chain(other_paths())
        .map(|path| path.split('?').next().expect("a path").to_owned())
        .collect();
    assert_eq!(described, tried);
}

#[tokio::test]
async fn a_key_sees_nothing_of_another_tenant_or_unit_by_any_route() {
    let (database, _client, service) = houses(|_| ()).await;
    every_route_is_tried(&service).await;
    for (number, viewer) in VIEWERS.iter().enumerate() {
        let key = reader(&database, &format!("viewer {number}"), viewer.of).await;
        for path in other_paths() {
            let answer = get(&service, &key, &path, &[]).await;
            assert_eq!(answer.status, 200, "{path}: {}", answer.text);
            viewer.check(&path, &answer);
        }
        let roots = DEVICES
            .iter()
            .map(|device| (device, format!("/api/devices/{device}"), viewer.devices.contains(device)));
        let people = PEOPLE
            .iter()
            .map(|person| (person, format!("/api/people/{person}"), viewer.people.contains(person)));
        for (name, root, is_own) in roots.chain(people) {
            for path in paths_below(&root) {
                let answer = get(&service, &key, &path, &[]).await;
                if is_own {
                    // The device that has moved is another's now, and its history is not.
                    let is_hidden = *name == "MOVED" && number == 0 && path == root;
                    assert_eq!(answer.status, if is_hidden { 404 } else { 200 }, "{path}: {}", answer.text);
                    viewer.check(&path, &answer);
                } else {
                    // As if it were not there.
                    let absent = if root.contains("people") { "987654321" } else { "NO-SUCH" };
                    let nothing = get(&service, &key, &path.replacen(name, absent, 1), &[]).await;
                    assert_eq!((answer.status, &answer.text), (404, &nothing.text), "{path}");
                    assert_eq!(nothing.status, 404, "{path}");
                }
            }
        }
        for path in ["/api/people", "/api/devices", "/api/overview", "/api/series?format=csv"] {
            let joint = if path.contains('?') { '&' } else { '?' };
            let other = if viewer.of[1] == "5" { 6 } else { 5 };
            let answer = get(&service, &key, &format!("{path}{joint}customer_id={other}"), &[]).await;
            assert_eq!(answer.status, 403, "{path}: {}", answer.text);
        }
    }
    service.finish().await;
}

#[tokio::test]
async fn what_a_device_sent_before_it_moved_stays_with_those_it_was_with() {
    let (database, client, service) = houses(|_| ()).await;
    let moved = "select valid_from::text from device_binding where device_sn = 'MOVED' and user_id = 600";
    let moved: String = client.query_one(moved, &[]).await.expect("a time").get(0);
    for (tenant, condition) in [("5", "<"), ("6", ">=")] {
        let key = reader(&database, &format!("tenant {tenant}"), &["--tenant", tenant]).await;
        for (table, source, ts) in [
            ("series?grain=raw&limit=10000&from=2020-01-01", "health_data", "ts"),
            ("events", "device_event", "ts"),
            ("workouts", "workout", "start_ts"),
        ] {
            let from =
                if table.starts_with("series") { "now() - interval '3 days 1 hour'" } else { "'-infinity'" };
            let path = if table.starts_with("series") {
                let from: String = client
                    .query_one("select to_char((now() - interval '3 days 1 hour') at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')", &[])
                    .await
                    .expect("a time")
                    .get(0);
                format!("/api/devices/MOVED/series?grain=raw&limit=10000&from={from}")
            } else {
                format!("/api/devices/MOVED/{table}")
            };
            let seen = rows(&get(&service, &key, &path, &[]).await).len();
            let count = format!(
                "select count(*) from {source} where device_sn = 'MOVED' and {ts} >= {from} and {ts} {condition} '{moved}'::timestamptz"
            );
            let wanted: i64 = client.query_one(&count, &[]).await.expect("a count").get(0);
            assert_eq!(i64::try_from(seen).expect("few"), wanted, "{table} of tenant {tenant}");
            assert!(wanted > 0, "{table}");
        }
    }
    service.finish().await;
}

#[tokio::test]
async fn a_key_of_a_unit_reads_health_data_and_alerts_and_nothing_else() {
    let (database, _client, service) = houses(|_| ()).await;
    let ward = reader(&database, "ward", &["--tenant", "5", "--unit", "51"]).await;
    assert_eq!(get(&service, &ward, "/api/people", &[]).await.status, 200);
    assert_eq!(get(&service, &ward, "/api/alerts", &[]).await.status, 200);
    for path in ["/api/stats", "/metrics", "/api/device_clocks", "/api/system_alerts"] {
        assert_eq!(get(&service, &ward, path, &[]).await.status, 403, "{path}");
    }
    // Who may act on alerts may not read health data by that.
    let responder = crate::harness::key(
        &database,
        &["li", "--scope", "respond", "--tenant", "5", "--person", "nurse Li", "--as", "bearer"],
    )
    .await;
    let upload = crate::harness::authorization(&database, &["upload"], 0).await;
    for key in [&responder, &upload, &String::new()] {
        let expected = if key.is_empty() { 401 } else { 403 };
        for path in ["/api/people", "/api/devices/SN-50/series", "/api/overview", "/api/series?format=csv"] {
            assert_eq!(get(&service, key, path, &[]).await.status, expected, "{path}");
        }
    }
    service.finish().await;
}

/// As a DBA or a dashboard uses it.
#[tokio::test]
async fn a_unit_narrows_every_view_for_one_transaction_and_adds_nothing() {
    let (database, admin, service) = houses(|_| ()).await;
    let login = Login::of(&database, "vitals_dashboard").await;
    admin
        .batch_execute(&format!("insert into vitals.dashboard_tenant values ('{}', 5)", login.name))
        .await
        .expect("bound");
    let board = login.client().await;
    let views = "select c.relname from pg_class as c where c.relnamespace = 'dashboard'::regnamespace and c.relkind = 'v'
        and exists (select from pg_attribute as a where a.attrelid = c.oid and a.attname = 'device_sn') order by 1";
    let views: Vec<String> =
        admin.query(views, &[]).await.expect("views").iter().map(|row| row.get(0)).collect();
    assert!(views.len() >= 14, "{views:?}");
    for (units, expected) in [
        ("51", vec!["SN-51", "SN-52"]),
        ("52", vec!["SN-52"]),
        ("50, 52", vec!["MOVED", "SECOND", "SN-50", "SN-52"]),
        ("60", vec![]),
        ("variadic '{}'", vec![]),
    ] {
        board.batch_execute(&format!("begin; select dashboard.use_unit({units})")).await.expect("narrowed");
        for view in &views {
            let seen = format!("select array(select distinct device_sn from dashboard.{view} order by 1)");
            let seen: Vec<String> = board.query_one(&seen, &[]).await.expect(view).get(0);
            assert!(
                seen.iter().all(|device| expected.contains(&device.as_str())),
                "{view} in {units}: {seen:?}"
            );
            // What is of now does not show the device that has moved.
            let least: Vec<&str> = expected.iter().copied().filter(|device| *device != "MOVED").collect();
            assert!(
                least.iter().all(|device| seen.iter().any(|each| each == device)),
                "{view} in {units}: {seen:?}"
            );
        }
        board.batch_execute("commit").await.expect("ended");
    }
    let all = "select count(distinct device_sn) from dashboard.sample where ts > now() - interval '2 days'";
    assert_eq!(
        board.query_one(all, &[]).await.expect("a count").get::<_, i64>(0),
        5,
        "it ended with the transaction"
    );
    board.batch_execute("set vitals.unit = '50'").await.expect("anybody may");
    let refused = board.query("select * from dashboard.sample limit 1", &[]).await.expect_err("refused");
    assert_eq!(refused.code().map(tokio_postgres::error::SqlState::code), Some("55000"), "{refused:?}");
    service.finish().await;
}
