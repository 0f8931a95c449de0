//! Forms of answers, tags, bounds, and other sites.

use serde_json::Value;

use super::{TABLES, get, houses, reader, rows};

/// The rows of CSV as objects of texts.
fn table(text: &str) -> Vec<Vec<(String, String)>> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let names = reader.headers().expect("names").clone();
    let record = |record: Result<csv::StringRecord, csv::Error>| {
        let record = record.unwrap_or_else(|error| panic!("{error}: {text}"));
        names.iter().zip(record.iter()).map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    };
    reader.records().map(record).collect()
}

/// A value as CSV has it.
fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[tokio::test]
async fn csv_and_ndjson_have_the_rows_of_the_json() {
    let (database, _client, service) = houses(|_| ()).await;
    let key = reader(&database, "every", &[]).await;
    let mut paths = vec![
        "/api/people".to_owned(),
        "/api/devices".to_owned(),
        "/api/people/500/series?grain=raw".to_owned(),
    ];
    for root in ["/api/devices/SN-50", "/api/people/500"] {
        paths.extend(TABLES.iter().map(|table| format!("{root}/{table}")));
    }
    let end = jiff::Timestamp::now().strftime("%FT%TZ").to_string();
    for path in paths {
        let is_of_time = path.matches('/').count() > 3 && !path.ends_with("/latest");
        let joint = if path.contains('?') { '&' } else { '?' };
        let path = if is_of_time { format!("{path}{joint}from=2026-01-01&to={end}") } else { path };
        let days = jiff::Timestamp::now() - jiff::SignedDuration::from_hours(20);
        let path = path.replace("from=2026-01-01", &format!("from={}", days.strftime("%FT%TZ")));
        let most = if path.contains("track") || path.contains("series") { "&limit=10000" } else { "" };
        let json = rows(&get(&service, &key, &format!("{path}{most}"), &[]).await);
        assert!(!json.is_empty() || path.contains("nights") || path.contains("exercise"), "{path}");
        let lines = get(&service, &key, &path, &[("accept", "application/x-ndjson")]).await;
        assert_eq!(lines.header("content-type"), "application/x-ndjson", "{path}: {}", lines.text);
        let ndjson: Vec<Value> =
            lines.text.lines().map(|line| serde_json::from_str(line).expect("an object")).collect();
        assert_eq!(ndjson, json, "{path}");
        let csv = get(&service, &key, &path, &[("accept", "text/csv")]).await;
        assert!(csv.header("content-type").starts_with("text/csv"), "{path}: {}", csv.text);
        assert!(csv.header("content-disposition").contains(".csv\""), "{path}");
        let table = table(&csv.text);
        assert_eq!(table.len(), json.len(), "{path}");
        for (row, object) in table.iter().zip(&json) {
            let object = object.as_object().expect("an object");
            assert_eq!(row.len(), object.len(), "{path}: {row:?} {object:?}");
            for (name, value) in row {
                let wanted = cell(&object[name]);
                let same =
                    *value == wanted || value.parse::<f64>().is_ok_and(|one| wanted.parse() == Ok(one));
                assert!(same, "{path}: {name} is {value}, not {wanted}");
            }
        }
    }
    // A table without rows has the names of its columns.
    let empty = get(&service, &key, "/api/people?search=nobody&format=csv", &[]).await;
    assert!(
        empty.text.starts_with("user_id,name,room,") && empty.text.lines().count() == 1,
        "{}",
        empty.text
    );
    service.finish().await;
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_in_the_language_of_the_reader() {
    let (database, _client, service) = houses(|_| ()).await;
    let key = reader(&database, "every", &[]).await;
    for (path, status, english, chinese) in [
        (
            "/api/devices/SN-50/series?grain=raw&from=2026-01-01&to=2026-03-01",
            400,
            "more than 31 days",
            "超过 31 天",
        ),
        ("/api/devices/SN-50/series?from=2026-01-02&to=2026-01-01", 400, "before to", "必须早于"),
        ("/api/devices/SN-50/series?metric=heart", 400, "heart_rate", "heart_rate"),
        ("/api/devices/SN-50/series?grain=yearly", 400, "grain", "grain"),
        ("/api/devices/SN-50/series?limit=10001", 400, "1 to 10000", "1 到 10000"),
        ("/api/devices/SN-50/series?zone=Mars/Base", 400, "time zone", "时区"),
        ("/api/devices/SN-50/series?grain=weekly&zone=UTC", 400, "zone of the rollups", "汇总的时区"),
        ("/api/devices/SN-50/series?cursor=x", 400, "cursor", "cursor"),
        ("/api/devices/SN-50/series?unit=5", 400, "no parameter", "没有名为"),
        ("/api/devices/SN-50/nights?from=2020-01-01", 400, "366 days", "366 天"),
        ("/api/devices/SN-50/track?from=yesterday", 400, "2026-01-31", "2026-01-31"),
        ("/api/people?state=asleep", 400, "state", "state"),
        ("/api/people?format=xml", 400, "json, ndjson or csv", "json、ndjson 或 csv"),
        ("/api/people/x", 404, "nothing of this number", "该编号不存在"),
        ("/api/people/987654321", 404, "no person", "没有该编号的人员"),
        ("/api/devices/NO-SUCH/nights", 404, "no device", "没有该序列号的设备"),
        ("/api/series", 406, "Accept", "Accept"),
        ("/api/overview?format=csv", 406, "Accept", "Accept"),
    ] {
        for (language, words) in [("en", english), ("zh", chinese)] {
            let answer = get(&service, &key, path, &[("accept-language", language)]).await;
            assert_eq!(answer.status, status, "{path}: {}", answer.text);
            assert!(answer.text.contains(words), "{path} in {language}: {}", answer.text);
        }
    }
    assert_eq!(get(&service, &key, "/api/people", &[("accept", "image/png")]).await.status, 406);
    service.finish().await;
}

#[tokio::test]
async fn who_has_an_answer_is_not_sent_it_again() {
    let (database, client, service) = houses(|_| ()).await;
    let key = reader(&database, "every", &[]).await;
    for path in [
        "/api/devices/SN-50/latest",
        "/api/devices/SN-50/series?grain=daily&from=2026-01-01&to=2026-01-02",
        "/api/people",
    ] {
        let first = get(&service, &key, path, &[]).await;
        let tag = first.header("etag").to_owned();
        assert!(first.status == 200 && tag.len() > 30, "{path}: {tag}");
        for known in [tag.clone(), format!("W/{tag}"), format!("\"other\", {tag}"), "*".to_owned()] {
            let again = get(&service, &key, path, &[("if-none-match", &known)]).await;
            assert_eq!(
                (again.status, again.text.as_str(), again.header("etag")),
                (304, "", tag.as_str()),
                "{path} {known}"
            );
        }
        let other = get(&service, &key, path, &[("if-none-match", "\"other\"")]).await;
        assert_eq!((other.status, &other.text), (200, &first.text), "{path}");
        assert_eq!(first.header("cache-control"), "no-store", "no copy stays in a browser");
    }
    let path = "/api/devices/SN-50/latest";
    let tag = get(&service, &key, path, &[]).await.header("etag").to_owned();
    client
        .batch_execute("insert into health_data (device_sn, ts, heart_rate) values ('SN-50', now(), 99)")
        .await
        .expect("a sample");
    let changed = get(&service, &key, path, &[("if-none-match", &tag)]).await;
    assert_eq!((changed.status, &changed.json()["latest"][0]["heart_rate"]), (200, &99.into()));
    service.finish().await;
}

#[tokio::test]
async fn other_sites_may_call_the_api_only_if_the_setting_names_them() {
    let (database, _client, closed) = houses(|_| ()).await;
    let open = crate::harness::Service::start_with(&database, |settings| {
        settings.authentication = vitals::config::Authentication::Keys;
        settings.cors.origins = vec!["https://portal.example.org".to_owned()];
    })
    .await;
    let key = reader(&database, "every", &[]).await;
    let allowed = "access-control-allow-origin";
    let preflight = async |service: &crate::harness::Service, path: &str, origin: &str| {
        let request = reqwest::Client::new()
            .request(reqwest::Method::OPTIONS, format!("{}{path}", service.url()))
            .header("origin", origin)
            .header("access-control-request-method", "GET")
            .header("access-control-request-headers", "authorization");
        request.send().await.expect("an answer").headers().get(allowed).cloned()
    };
    let portal = "https://portal.example.org";
    assert_eq!(preflight(&open, "/api/people", portal).await.expect("allowed"), portal);
    for (service, path, origin) in [
        (&open, "/api/people", "https://other.example.org"),
        (&open, "/metrics", portal),
        (&closed, "/api/people", portal),
    ] {
        assert_eq!(preflight(service, path, origin).await, None, "{path} of {origin}");
    }
    let answer = get(&open, &key, "/api/people", &[("origin", portal)]).await;
    assert_eq!((answer.status, answer.header(allowed)), (200, portal));
    assert_eq!(answer.header("access-control-allow-credentials"), "", "no cookie comes along");
    let answer = get(&open, "", "/api/people", &[("origin", portal)]).await;
    assert_eq!((answer.status, answer.header(allowed)), (401, portal), "the page can show why");
    assert_eq!(get(&closed, &key, "/api/people", &[("origin", portal)]).await.header(allowed), "");
    open.stop().await;
    closed.finish().await;
}
