//! Whom a replay of a rule says that it would have notified: by steps, silences and quiet hours of the time.

use std::collections::BTreeMap;

use serde_json::Value;
use tokio_postgres::Client;

use crate::harness::{Database, vitals};

async fn run(client: &Client, sql: &str) {
    client.batch_execute(sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
}

/// Who would have been notified by rule 1 and how often: `fired raised escalated resolved`.
async fn notified(database: &Database) -> BTreeMap<String, [i64; 4]> {
    let said = vitals(database, &["alerts", "replay-rule", "1", "--json"]).await;
    assert_eq!(said.code, 0, "{said:?}");
    let replayed: Value = serde_json::from_str(&said.out).expect("JSON");
    let people = replayed["notified"].as_array().expect("people");
    let counts = |person: &Value| {
        ["fired", "raised", "escalated", "resolved"].map(|kind| person[kind].as_i64().expect("a number"))
    };
    people
        .iter()
        .map(|person| (person["contact"].as_str().expect("a name").to_owned(), counts(person)))
        .collect()
}

#[tokio::test]
async fn a_replay_leaves_out_what_a_silence_or_the_end_of_the_alert_would_have_held_back() {
    let database = Database::new().await;
    let client = database.client().await;
    // Two watches; each has two alerts of ten minutes, three hours and one hour ago.
    run(
        &client,
        "insert into device (device_sn) values ('S-1'), ('S-2');
         insert into health_data (device_sn, ts, received_at, heart_rate, customer_id, org_id)
         select sn, t.ts, t.ts, case when minute < 10 then 130 else 90 end, 7, 71
         from unnest(array['S-1', 'S-2']) as sn, unnest(array[3, 1]) as hours, generate_series(0, 15) as minute,
             lateral (select date_trunc('second', now()) - make_interval(hours => hours) + make_interval(mins => minute) as ts) as t;
         insert into org_unit (org_id, ancestors) values (7, '{}'), (71, '{7}');
         insert into contact (name) values ('nurse'), ('after 5'), ('after 20'), ('night');
         insert into contact_address (contact_id, channel, address) select contact_id, 'email', name from contact;
         insert into notification_route (channel, audience, contact_id, after_seconds, on_resolved, repeat_seconds)
         select 'email', 'contact', c.contact_id, r.after_seconds, true, 60
         from contact c join (values ('nurse', 0), ('after 5', 300), ('after 20', 1200)) as r (name, after_seconds) using (name);
         -- Its quiet hours are all day but for a minute that is far away.
         insert into notification_route (channel, audience, contact_id, after_seconds, quiet_from, quiet_until, time_zone)
         select 'email', 'contact', contact_id, 60, ((now() at time zone 'UTC') + interval '13 hours')::time,
             ((now() at time zone 'UTC') + interval '12 hours')::time, 'UTC'
         from contact where name = 'night'",
    )
    .await;
    let of = |name: &str, counts: [i64; 4]| (name.to_owned(), counts);
    let all = BTreeMap::from([of("nurse", [4, 0, 0, 4]), of("after 5", [0, 0, 4, 4])]);
    assert_eq!(
        notified(&database).await,
        all,
        "after 20 minutes, and at the end of quiet hours, each alert is over"
    );

    let silence = |columns: &str, from: &str, until: &str| {
        let sql = format!(
            "truncate alert_silence;
             insert into alert_silence (device_sn, org_id, rule_id, starts_at, ends_at, actor)
             select {columns}, now() - interval '{from}', now() - interval '{until}', 'nurse'"
        );
        let client = &client;
        async move { run(client, &sql).await }
    };
    for (columns, left) in [
        ("'S-1', null, null", 3),
        ("null, 7, null", 2),
        ("null, null, 1", 2),
        ("null, 8, null", 4),
        ("null, null, 3", 4),
    ] {
        silence(columns, "190 minutes", "120 minutes").await;
        let expected = BTreeMap::from([of("nurse", [left, 0, 0, left]), of("after 5", [0, 0, left, left])]);
        assert_eq!(notified(&database).await, expected, "{columns}");
    }
    // A silence that ends while the alert is on: what was due at once is lost, the step looks again.
    silence("null, null, 1", "190 minutes", "172 minutes").await;
    let expected = BTreeMap::from([of("nurse", [2, 0, 0, 2]), of("after 5", [0, 0, 4, 4])]);
    assert_eq!(notified(&database).await, expected);

    let text = vitals(&database, &["alerts", "replay-rule", "1"]).await.out;
    assert!(text.contains("as if nobody had acknowledged; without repeats"), "{text}");
    let chinese = vitals(&database, &["alerts", "replay-rule", "1", "--language", "zh"]).await.out;
    assert!(chinese.contains("不含重复提醒"), "{chinese}");
}
