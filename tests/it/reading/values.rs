//! What is answered is what the views of schema dashboard show, to whoever wore the device at the time; pages are whole.

use serde_json::Value;

use super::{TABLES, get, houses, reader, rows};

/// A number or a text as text, so that 1.5 and 1.50 are the same.
fn plain(value: &Value) -> String {
    match value {
        Value::Number(number) => {
            let text = number.to_string();
            if text.contains('.') {
                text.trim_end_matches('0').trim_end_matches('.').to_owned()
            } else {
                text
            }
        }
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[tokio::test]
async fn every_grain_has_the_values_of_its_view() {
    let (database, client, service) = houses(|_| ()).await;
    let key = reader(&database, "tenant", &["--tenant", "5"]).await;
    for (grain, view, time) in [
        ("raw", "sample", "ts"),
        ("15m", "health_15m", "bucket"),
        ("hourly", "health_hourly", "bucket"),
        ("daily", "health_daily", "bucket"),
        ("weekly", "health_weekly", "bucket"),
        ("monthly", "health_monthly", "bucket"),
    ] {
        let path =
            format!("/api/devices/SN-50/series?grain={grain}&limit=10000&from=2026-01-01&to=2026-01-02");
        // The view is read for the same time: two days ago until now, or all there is.
        let from = "date_trunc('hour', now() - interval '2 days')";
        let text: String = client
            .query_one(
                &format!("select to_char({from} at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"),
                &[],
            )
            .await
            .expect("a time")
            .get(0);
        let path = path.replace("from=2026-01-01&to=2026-01-02", &format!("from={text}"));
        let is_long = ["weekly", "monthly"].contains(&grain);
        let path = if is_long { format!("/api/devices/SN-50/series?grain={grain}") } else { path };
        let since = if is_long { "'-infinity'" } else { from };
        let points = rows(&get(&service, &key, &path, &[]).await);
        let sql = format!(
            "select to_jsonb(v) || jsonb_build_object('time', to_char({time} at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS')) as row
             from dashboard.{view} as v where device_sn = 'SN-50' and {time} >= {since} order by {time}"
        );
        let wanted: Vec<Value> =
            client.query(&sql, &[]).await.expect("rows").iter().map(|row| row.get("row")).collect();
        assert!(
            !wanted.is_empty() && points.len() == wanted.len(),
            "{grain}: {} of {}",
            points.len(),
            wanted.len()
        );
        for (point, row) in points.iter().zip(&wanted) {
            assert!(
                point[time].as_str().expect("a time").starts_with(row["time"].as_str().expect("a time")),
                "{point} {row}"
            );
            let compared: &[&str] = if grain == "raw" {
                &["heart_rate", "temperature", "step"]
            } else {
                &[
                    "samples",
                    "heart_rate_min",
                    "heart_rate_max",
                    "heart_rate_count",
                    "temperature_max",
                    "step_max",
                    "day",
                ]
            };
            for name in compared.iter().filter(|name| point.get(**name).is_some()) {
                assert_eq!(plain(&point[*name]), plain(&row[*name]), "{name} of {grain}: {point}");
            }
            if grain != "raw" {
                let mean = |value: &Value| value.as_f64().expect("a number");
                assert!(
                    (mean(&point["heart_rate_avg"]) - mean(&row["heart_rate_avg"])).abs() <= 0.0501,
                    "{point}"
                );
            }
        }
    }
    service.finish().await;
}

#[tokio::test]
async fn a_person_has_what_each_device_sent_while_they_wore_it() {
    let (database, client, service) = houses(|_| ()).await;
    let every = reader(&database, "every", &[]).await;
    for (person, devices) in [("500", ["MOVED", "SECOND", "SN-50"].as_slice()), ("600", &["MOVED", "SN-60"])]
    {
        for (table, view, time) in
            [("events", "event", "ts"), ("workouts", "workout", "start_ts"), ("track", "position", "ts")]
        {
            let answer =
                get(&service, &every, &format!("/api/people/{person}/{table}?format=ndjson"), &[]).await;
            let found: Vec<Value> =
                answer.text.lines().map(|line| serde_json::from_str(line).expect("an object")).collect();
            let span = if table == "track" { "1 day" } else { "30 days" };
            let count = format!(
                "select count(*) from dashboard.{view} where user_id = {person} and {time} >= now() - interval '{span}'"
            );
            let wanted: i64 = client.query_one(&count, &[]).await.expect("a count").get(0);
            // The day of a track ends a moment later than the one before it.
            let difference = wanted - i64::try_from(found.len()).expect("few");
            assert!(
                wanted > 0 && (-3..=3).contains(&difference),
                "{table} of {person}: {wanted}, {}",
                found.len()
            );
            let seen: std::collections::BTreeSet<&str> =
                found.iter().map(|row| row["device_sn"].as_str().expect("a serial")).collect();
            assert!(seen.iter().all(|device| devices.contains(device)), "{table} of {person}: {seen:?}");
            assert!(found.iter().all(|row| row["user_id"] == person), "{table} of {person}");
        }
        let answer = get(&service, &every, &format!("/api/people/{person}"), &[]).await.json();
        let bindings = answer["bindings"].as_array().expect("bindings");
        let mut bound: Vec<&str> =
            bindings.iter().map(|each| each["device_sn"].as_str().expect("one")).collect();
        bound.sort_unstable();
        assert_eq!(bound, devices);
        assert_eq!(
            (&answer["online"], &answer["open_alerts"], &answer["severity"]),
            (&true.into(), &2.into(), &"major".into())
        );
    }
    // The hour in which the device moved is nobody's, the others are of one of them.
    let hours = |person: &'static str| {
        let (service, every) = (&service, &every);
        async move {
            let path =
                format!("/api/people/{person}/series?grain=hourly&metric=step&limit=10000&from=2026-01-01");
            let path = path.replace("&from=2026-01-01", "");
            let points = rows(&get(service, every, &path, &[]).await);
            points.iter().filter(|point| point["device_sn"] == "MOVED").count()
        }
    };
    assert_eq!(hours("500").await, 0);
    assert!(hours("600").await >= 23);
    service.finish().await;
}

#[tokio::test]
async fn the_overview_has_the_counters_of_the_boards() {
    let (database, client, service) = houses(|_| ()).await;
    let key = reader(&database, "tenant", &["--tenant", "5"]).await;
    let overview = get(&service, &key, "/api/overview", &[]).await.json();
    let header = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/sql/dashboards/header.sql"))
        .expect("text");
    client.batch_execute("begin; select dashboard.use_tenant(5)").await.expect("narrowed");
    let wanted: Value = client
        .query_one(&format!("select to_jsonb(h) from ({header}) as h"), &[])
        .await
        .expect("counters")
        .get(0);
    client.batch_execute("commit").await.expect("ended");
    for (name, count) in wanted.as_object().expect("counters") {
        assert_eq!(&overview["counters"][name], count, "{name}");
    }
    assert_eq!(overview["counters"]["devices"], 4, "those that are of the tenant now");
    let units: Vec<(&str, i64, i64)> = overview["units"]
        .as_array()
        .expect("units")
        .iter()
        .map(|unit| {
            let count = |name: &str| unit[name].as_i64().expect("a count");
            (unit["org_name"].as_str().expect("a name"), count("people"), count("online"))
        })
        .collect();
    assert_eq!(units, [("Unit 50", 1, 1), ("Unit 51", 1, 1), ("Unit 52", 1, 1)]);
    assert_eq!(
        overview["open_alerts"][1],
        serde_json::json!({ "severity": "major", "firing": 4, "acknowledged": 0 })
    );
    assert_eq!(overview["alerts_by_hour"].as_array().expect("hours").len(), 24);
    assert_eq!(overview["alerts_by_type"], serde_json::json!([{ "type": "heart_rate", "alerts": 4 }]));
    assert_eq!(
        overview["batteries"],
        serde_json::json!([{ "from_percent": 50, "devices": 4, "charging": 4 }])
    );
    assert_eq!(overview["wear"], serde_json::json!({ "worn": 4, "not_worn": 0, "unknown": 0 }));
    for part in ["latest", "positions"] {
        assert_eq!(overview[part].as_array().expect("rows").len(), 4, "{part}");
    }
    service.finish().await;
}

/// Every table and list, page by page, is what it is at once.
#[tokio::test]
async fn pages_neither_miss_nor_repeat_a_row() {
    let (database, _client, service) = houses(|_| ()).await;
    let key = reader(&database, "every", &[]).await;
    let below = |root: &str| -> Vec<String> {
        let tables = TABLES.iter().filter(|table| **table != "latest");
        tables.map(|table| format!("/api/{root}/{table}?to=2099-01-01&from=2098-12-31")).collect()
    };
    let mut paths: Vec<String> = below("people/500");
    paths.extend(below("devices/SN-50"));
    let mut paths: Vec<String> =
        paths.into_iter().map(|path| path.replace("?to=2099-01-01&from=2098-12-31", "?")).collect();
    paths.extend([
        "/api/people?".to_owned(),
        "/api/devices?".to_owned(),
        "/api/people/500/series?grain=15m".to_owned(),
    ]);
    for path in paths {
        let most = if path.contains("track") || path.contains("series") { 10_000 } else { 500 };
        // A fixed end, so that every page is of the same time.
        let is_list = path == "/api/people?" || path == "/api/devices?";
        let end = if is_list {
            String::new()
        } else {
            format!("&to={}", jiff::Timestamp::now().strftime("%FT%TZ"))
        };
        let whole = rows(&get(&service, &key, &format!("{path}&limit={most}{end}"), &[]).await);
        let limit = (whole.len() / 2).clamp(1, 40);
        let mut paged = Vec::new();
        let mut cursor = String::new();
        loop {
            let answer = get(&service, &key, &format!("{path}&limit={limit}{end}{cursor}"), &[]).await;
            paged.extend(rows(&answer));
            assert!(paged.len() <= whole.len() + 1, "{path} does not end");
            match answer.json()["cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        assert!(!whole.is_empty(), "{path}");
        // The first point may have left the time meanwhile.
        let skipped = whole.len().saturating_sub(paged.len());
        assert!(skipped <= 1 && whole[skipped..] == paged[..], "{path}: {} and {}", whole.len(), paged.len());
    }
    service.finish().await;
}
