//! Nested documents: their elements are rows, however often and in whatever order they are sent, and nothing is lost.

use serde_json::{Value, json};
use tokio_postgres::Client;
use vitals::config::Duplicates;

use crate::harness::{Database, Service, vitals};

const SLEEP: &str = r#"{"code":0,"data":[{"endTimeStamp":1747440420000,"startTimeStamp":1747418280000,"type":2}],"name":"sleep","type":"history"}"#;
const TWO_SEGMENTS: &str = r#"{"code":0,"data":[{"endTimeStamp":1638905820000,"startTimeStamp":1638895500000,"type":1},{"endTimeStamp":1638917160000,"startTimeStamp":1638905940000,"type":2}],"name":"sleep","type":"history"}"#;
const DAILY: &str =
    r#"{"code":0,"data":[{"strengthTimes":30,"totalTime":5}],"name":"daily","type":"history"}"#;
const WEEKLY: &str = r#"{"code":0,"data":[{"strengthTimes":0,"timeStamps":1767024000000,"totalSteps":0,"totalTime":0},{"strengthTimes":"12","timeStamps":1767110400000,"totalSteps":"8123","totalTime":6}],"name":"weekly","type":"history"}"#;
const SCIENTIFIC: &str = r#"{"code":0,"data":[{"deep":"?"}],"name":"kxsm","type":"history"}"#;
const WORKOUT: &str = r#"{"code":0,"data":[{"startTimeStamp":1767312000000,"endTimeStamp":1767315600000,"calorie":"320.50","distance":5012.3,"workoutType":1,"recordId":"r-17"}],"name":"workout","type":"history"}"#;

/// A sample of 2026-01-02 with these documents.
fn sample(device_sn: &str, time: &str, documents: &[(&str, &str)]) -> Value {
    let mut item = json!({
        "deviceSn": device_sn, "customerId": "7", "orgId": "8", "userId": "9", "heart_rate": 70,
        "timestamp": format!("2026-01-02 {time}")
    });
    for (name, text) in documents {
        item[*name] = json!(text);
    }
    item
}

async fn lines(client: &Client, sql: &str) -> Vec<String> {
    client.query(sql, &[]).await.expect(sql).iter().map(|row| row.get(0)).collect()
}

/// Everything the documents of a device became, one line a row.
async fn stored(client: &Client, device_sn: &str) -> Vec<String> {
    lines(
        client,
        &format!(
            "select concat_ws(' ', 'sleep', to_char(start_ts at time zone 'Asia/Shanghai', 'YYYY-MM-DD HH24:MI'),
                 to_char(end_ts at time zone 'Asia/Shanghai', 'YYYY-MM-DD HH24:MI'), coalesce(type_code::text, '-'), stage,
                 end_day, customer_id, org_id, user_id) as line
             from sleep_segment where device_sn = '{device_sn}'
             union all
             select concat_ws(' ', 'exercise', day, coalesce(strength_minutes::text, '-'),
                 coalesce(active_hours::text, '-'), coalesce(steps::text, '-'), customer_id, org_id, user_id)
             from exercise_day where device_sn = '{device_sn}'
             union all
             select concat_ws(' ', 'workout', to_char(start_ts at time zone 'Asia/Shanghai', 'YYYY-MM-DD HH24:MI'),
                 minutes::integer, workout_name, coalesce(calorie::text, '-'), coalesce(distance::text, '-'),
                 coalesce(record_id, '-'), day, customer_id, org_id, user_id)
             from workout_named where device_sn = '{device_sn}'
             union all
             select concat_ws(' ', 'kept', kind, reason, coalesce(detail, '-'), body, customer_id, org_id, user_id)
             from health_document where device_sn = '{device_sn}'
             order by 1"
        ),
    )
    .await
}

/// What a sample with all five becomes.
fn all_five() -> Vec<String> {
    vec![
        "exercise 2025-12-31 12 6 8123 7 8 9".to_owned(),
        "exercise 2026-01-02 30 5 - 7 8 9".to_owned(),
        format!("kept scientific_sleep shape_unknown - {SCIENTIFIC} 7 8 9"),
        "sleep 2025-05-17 01:58 2025-05-17 08:07 2 deep 2025-05-17 7 8 9".to_owned(),
        "workout 2026-01-02 08:00 60 outdoor run 320.50 5012.3 r-17 2026-01-02 7 8 9".to_owned(),
    ]
}

#[tokio::test]
async fn every_generation_of_names_becomes_the_same_rows() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    let client = database.client().await;
    let generations = [
        ["sleepData", "exerciseDailyData", "exerciseWeekData", "scientificSleepData", "workoutData"],
        ["smData", "ydData", "ydWeekData", "kxsmData", "workoutData"],
        ["sleep", "ydData", "exerciseDailyWeekData", "kxsmData", "workoutData"],
    ];
    for (number, [sleep, daily, weekly, scientific, workout]) in generations.into_iter().enumerate() {
        let device_sn = format!("NAMES-{number}");
        let documents =
            [(sleep, SLEEP), (daily, DAILY), (weekly, WEEKLY), (scientific, SCIENTIFIC), (workout, WORKOUT)];
        let body = json!({ "data": sample(&device_sn, "12:00:00", &documents) });
        assert_eq!(service.upload(&body).await, (1, 0, 0));
        assert_eq!(stored(&client, &device_sn).await, all_five());
        assert_eq!(service.upload(&body).await, (0, 1, 0));
        assert_eq!(stored(&client, &device_sn).await, all_five(), "sent twice");
    }
    service.finish().await;
}

#[tokio::test]
async fn documents_repeated_by_every_sample_and_every_service_are_stored_once() {
    let database = Database::new().await;
    let client = database.client().await;
    let documents = [
        ("sleepData", SLEEP),
        ("exerciseDailyData", DAILY),
        ("exerciseWeekData", WEEKLY),
        ("scientificSleepData", SCIENTIFIC),
        ("workoutData", WORKOUT),
    ];
    let day = |from: u32| -> Vec<Value> {
        (from..from + 50)
            .map(|minute| {
                let time = format!("{:02}:{:02}:00", 8 + minute / 60, minute % 60);
                sample("REPEAT-1", &time, &documents)
            })
            .collect()
    };
    let all_rows = "select concat(device_sn, start_ts, batch_id) from sleep_segment
        union all select concat(device_sn, start_ts, batch_id) from workout
        union all select concat(device_sn, md5(body), batch_id) from health_document order by 1";
    let mut first = Vec::new();
    for round in 0..3 {
        // Each with a memory of its own.
        let service = Service::start(&database).await;
        for from in [0, 50, 100, 0] {
            service.upload(&json!({ "data": day(from) })).await;
            assert_eq!(stored(&client, "REPEAT-1").await, all_five());
        }
        service.finish().await;
        let rows = lines(&client, all_rows).await;
        if round == 0 {
            first = rows;
        } else {
            assert_eq!(rows, first, "a repeat does not even touch the rows");
        }
    }
}

#[tokio::test]
async fn null_erases_nothing() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    let client = database.client().await;
    let names = ["sleepData", "exerciseDailyData", "exerciseWeekData", "scientificSleepData", "workoutData"];
    let texts = [SLEEP, DAILY, WEEKLY, SCIENTIFIC, WORKOUT];
    let documents: Vec<_> = names.into_iter().zip(texts).collect();
    service.upload(&json!({ "data": sample("NULL-1", "12:00:00", &documents) })).await;
    for (second, nothing) in
        [json!("null"), json!(null), json!(""), json!(r#"{"code":-1,"data":[]}"#), json!({"code": "-1"})]
            .into_iter()
            .enumerate()
    {
        let mut item = sample("NULL-1", &format!("12:00:0{}", second + 1), &[]);
        for name in names {
            item[name] = nothing.clone();
        }
        assert_eq!(service.upload(&json!({ "data": item })).await, (1, 0, 0));
        let mut repeat = item.clone();
        repeat["timestamp"] = json!("2026-01-02 12:00:00");
        assert_eq!(service.upload(&json!({ "data": repeat })).await, (0, 1, 0));
        assert_eq!(stored(&client, "NULL-1").await, all_five(), "{nothing}");
    }
    service.finish().await;
}

#[tokio::test]
async fn the_legacy_hours_are_those_of_the_old_server() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    let broken = SLEEP.replace(r#""code":0,"#, r#""code":"0""#).replace(r#""0""data""#, r#""0"data""#);
    assert!(broken.starts_with(r#"{"code":"0"data":[{"#), "{broken}");
    for (device_sn, text) in [("LEGACY-1", SLEEP), ("LEGACY-2", TWO_SEGMENTS), ("LEGACY-3", &broken)] {
        let body = json!({ "data": sample(device_sn, "12:00:00", &[("sleepData", text)]) });
        assert_eq!(service.upload(&body).await, (1, 0, 0));
    }
    let nights = lines(
        &database.client().await,
        "select concat_ws(' ', device_sn, night, legacy_hours, round(total_hours, 4), round(light_hours, 4),
             round(deep_hours, 4), unknown_hours = 0, sleeps, segments, customer_id, org_id, user_id)
         from sleep_night order by device_sn",
    )
    .await;
    assert_eq!(
        nights,
        [
            "LEGACY-1 2025-05-17 6.15 6.1500 0.0000 6.1500 t 1 1 7 8 9",
            "LEGACY-2 2021-12-08 5.98 5.9833 2.8667 3.1167 t 1 2 7 8 9",
            "LEGACY-3 2025-05-17 6.15 6.1500 0.0000 6.1500 t 1 1 7 8 9",
        ]
    );
    service.finish().await;
}

#[tokio::test]
async fn what_cannot_be_read_is_kept_and_costs_its_neighbours_nothing() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    let client = database.client().await;
    let backwards = r#"{"startTimeStamp":1747440420000,"endTimeStamp":1747418280000,"type":1}"#;
    let good = r#"{"startTimeStamp":1747418280000,"endTimeStamp":1747440420000,"type":5}"#;
    let mixed = format!(r#"{{"code":0,"data":[{backwards},{good}]}}"#);
    let far = r#"[{"timeStamps":32503680000000,"totalSteps":1}]"#;
    let huge = format!("[{}]", vec![good; 1_001].join(","));
    let documents = [
        ("sleepData", mixed.as_str()),
        ("exerciseDailyData", "half a {"),
        ("exerciseWeekData", far),
        ("workoutData", huge.as_str()),
    ];
    let body = json!({ "data": sample("KEPT-1", "12:00:00", &documents) });
    assert_eq!(service.upload(&body).await, (1, 0, 0));
    assert_eq!(service.upload(&body).await, (0, 1, 0));
    let late = "timeStamps is before 2010 or more than 24 h ahead of the time of receipt";
    assert_eq!(
        stored(&client, "KEPT-1").await,
        [
            "kept exercise_daily unreadable neither an object nor an array half a { 7 8 9".to_owned(),
            format!("kept exercise_week unreadable {late} {far} 7 8 9"),
            format!("kept sleep bad_element endTimeStamp is not after startTimeStamp {backwards} 7 8 9"),
            format!("kept workout too_many_elements more than 1000 elements {huge} 7 8 9"),
            "sleep 2025-05-17 01:58 2025-05-17 08:07 5 unknown 2025-05-17 7 8 9".to_owned(),
        ]
    );
    service.finish().await;
}

#[tokio::test]
async fn folded_and_repeated_samples_bring_their_documents() {
    for duplicates in [Duplicates::Fill, Duplicates::Keep, Duplicates::Replace] {
        let database = Database::new().await;
        let service = Service::start_with(&database, |settings| settings.duplicates = duplicates).await;
        let with = |documents: &[(&str, &str)]| sample("FOLD-1", "12:00:00", documents);
        let folded = json!({ "data": [
            with(&[]),
            with(&[("sleepData", SLEEP), ("workoutData", WORKOUT)]),
            with(&[("exerciseDailyData", DAILY)]),
        ] });
        assert_eq!(service.upload(&folded).await, (1, 2, 0));
        let repeat =
            json!({ "data": with(&[("exerciseWeekData", WEEKLY), ("scientificSleepData", SCIENTIFIC)]) });
        assert_eq!(service.upload(&repeat).await, (0, 1, 0));
        assert_eq!(stored(&database.client().await, "FOLD-1").await, all_five(), "{duplicates:?}");
        service.finish().await;
    }
}

#[tokio::test]
async fn the_sample_of_an_event_brings_its_documents() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    let documents = [
        ("sleepData", SLEEP),
        ("exerciseDailyData", DAILY),
        ("exerciseWeekData", WEEKLY),
        ("scientificSleepData", SCIENTIFIC),
        ("workoutData", WORKOUT),
    ];
    let event = json!({
        "eventType": "com.tdtech.ohos.action.SOS_EVENT", "eventValue": "EVENT-1", "deviceSn": "EVENT-1",
        "timestamp": "2026-01-02 12:00:01", "healthData": { "data": sample("EVENT-1", "12:00:00", &documents) }
    });
    let client = database.client().await;
    for _ in 0..2 {
        let answer = service.post("/upload_common_event", event.to_string()).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(stored(&client, "EVENT-1").await, all_five());
    }
    service.finish().await;
}

#[tokio::test]
async fn a_rejected_sample_brings_its_documents_when_it_is_replayed() {
    let database = Database::new().await;
    let client = database.client().await;
    let keep = |age: &str| format!("update policy set keep_for = '{age}' where relation = 'health_data'");
    client.batch_execute(&keep("1 day")).await.expect("a policy");
    let service = Service::start(&database).await;
    let documents = [
        ("sleepData", SLEEP),
        ("exerciseDailyData", DAILY),
        ("exerciseWeekData", WEEKLY),
        ("scientificSleepData", SCIENTIFIC),
        ("workoutData", WORKOUT),
    ];
    let body = json!({ "data": [
        sample("REPLAY-1", "12:00:00", &documents),
        sample("REPLAY-1", "12:00:00", &[]),
    ] });
    assert_eq!(service.upload(&body).await, (0, 0, 2));
    assert_eq!(stored(&client, "REPLAY-1").await, [""; 0]);
    client.batch_execute(&keep("20 years")).await.expect("a policy");
    let said = vitals(&database, &["rejected", "replay"]).await;
    assert_eq!(said.code, 0, "{said:?}");
    assert_eq!(stored(&client, "REPLAY-1").await, all_five());
    service.finish().await;
}

#[tokio::test]
async fn an_owner_that_comes_later_is_filled_in() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    let documents = [
        ("sleepData", SLEEP),
        ("exerciseDailyData", DAILY),
        ("exerciseWeekData", WEEKLY),
        ("workoutData", WORKOUT),
    ];
    let mut nobodys = sample("OWNER-1", "12:00:00", &documents);
    for name in ["customerId", "orgId", "userId"] {
        nobodys[name] = json!("0");
    }
    service.upload(&json!({ "data": nobodys })).await;
    service.upload(&json!({ "data": sample("OWNER-1", "12:00:01", &documents) })).await;
    let mut stranger = sample("OWNER-1", "12:00:02", &documents);
    stranger["userId"] = json!("1000");
    service.upload(&json!({ "data": stranger })).await;
    let found = stored(&database.client().await, "OWNER-1").await;
    let wanted: Vec<_> = all_five().into_iter().filter(|line| !line.starts_with("kept")).collect();
    assert_eq!(found, wanted);
    service.finish().await;
}

#[tokio::test]
async fn an_older_sample_never_lowers_the_totals_of_a_day() {
    let database = Database::new().await;
    let client = database.client().await;
    let daily =
        |minutes: u32| format!(r#"{{"code":0,"data":[{{"strengthTimes":{minutes},"totalTime":1}}]}}"#);
    // After midnight the document of yesterday, then the totals as they grow.
    let told = [("00:00:20", 200), ("00:30:00", 0), ("09:00:00", 12), ("12:00:00", 31), ("23:59:00", 45)];
    let mut order = [0, 1, 2, 3, 4];
    for turn in 0..8 {
        let device_sn = format!("TOTAL-{turn}");
        let service = Service::start(&database).await;
        for place in order {
            let (time, minutes) = told[place];
            let document = daily(minutes);
            let body = json!({ "data": sample(&device_sn, time, &[("ydData", &document)]) });
            assert_eq!(service.upload(&body).await, (1, 0, 0));
        }
        service.finish().await;
        assert_eq!(stored(&client, &device_sn).await, ["exercise 2026-01-02 45 1 - 7 8 9"], "{order:?}");
        match turn % 2 {
            0 => order.reverse(),
            _ => order.rotate_left(2),
        }
    }
}

#[tokio::test]
async fn zeros_that_a_phone_fills_in_lower_nothing() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    let client = database.client().await;
    let zeros = r#"{"code":0,"data":[{"strengthTimes":0,"totalTime":0}],"name":"daily","type":"history"}"#;
    let by = |channel: &str, time: &str, text: &str| {
        let mut item = sample("PHONE-1", time, &[("exerciseDailyData", text)]);
        item["uploadMethod"] = json!(channel);
        json!({ "type": "health", "data": item })
    };
    for (channel, time, text, wanted) in [
        ("bluetooth", "09:00:00", DAILY, "exercise 2026-01-02 30 5 - 7 8 9"),
        ("bluetooth", "09:00:20", zeros, "exercise 2026-01-02 30 5 - 7 8 9"),
        ("wifi", "09:00:40", zeros, "exercise 2026-01-02 0 0 - 7 8 9"),
    ] {
        assert_eq!(service.upload(&by(channel, time, text)).await, (1, 0, 0));
        assert_eq!(stored(&client, "PHONE-1").await, [wanted], "{channel} {time}");
    }
    service.finish().await;
}

#[tokio::test]
async fn of_the_day_and_of_the_week_the_larger_total_holds() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    let client = database.client().await;
    let week = |minutes: u32, steps: u32| {
        let hours = if steps == 0 { 0 } else { 2 };
        format!(
            r#"{{"code":0,"data":[{{"timeStamps":1767283200000,"strengthTimes":{minutes},"totalTime":{hours},"totalSteps":{steps}}}]}}"#
        )
    };
    let day = |minutes: u32| format!(r#"[{{"strengthTimes":{minutes},"totalTime":3}}]"#);
    for (time, name, text, wanted) in [
        ("10:00:00", "exerciseWeekData", week(10, 900), "exercise 2026-01-02 10 2 900 7 8 9"),
        ("10:05:00", "exerciseDailyData", day(14), "exercise 2026-01-02 14 3 900 7 8 9"),
        ("10:10:00", "exerciseWeekData", week(11, 950), "exercise 2026-01-02 14 3 950 7 8 9"),
        ("10:09:00", "exerciseWeekData", week(99, 100), "exercise 2026-01-02 14 3 950 7 8 9"),
        ("10:15:00", "exerciseWeekData", week(0, 0), "exercise 2026-01-02 14 3 950 7 8 9"),
        ("18:00:00", "exerciseWeekData", week(20, 4000), "exercise 2026-01-02 20 3 4000 7 8 9"),
    ] {
        service.upload(&json!({ "data": sample("BOTH-1", time, &[(name, &text)]) })).await;
        assert_eq!(stored(&client, "BOTH-1").await, [wanted], "{time}");
    }
    let weeks = "select concat_ws(' ', week, days, strength_minutes, active_hours, steps, customer_id, org_id, user_id)
         from exercise_week where device_sn = 'BOTH-1'";
    service.upload(&json!({ "data": sample("BOTH-1", "19:00:00", &[("ydWeekData", WEEKLY)]) })).await;
    assert_eq!(lines(&client, weeks).await, ["2025-12-29 2 32 9 12123 7 8 9"]);
    service.finish().await;
}

#[tokio::test]
async fn a_workout_is_one_row_with_the_largest_figures_in_any_order() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    let client = database.client().await;
    let told = |minutes: i64, calorie: &str, kind: u32| {
        let end = 1_767_312_000_000 + minutes * 60_000;
        format!(r#"[{{"startTimeStamp":1767312000000,"endTimeStamp":{end},"workoutType":{kind}{calorie}}}]"#)
    };
    let texts = [
        told(30, r#","calorie":100"#, 101),
        told(60, "", 101),
        told(45, r#","calorie":90"#, 101),
        told(5, "", 999),
    ];
    for order in [[0, 1, 2, 3], [3, 2, 1, 0]] {
        let device_sn = format!("WORKOUT-{}", order[0]);
        for (second, place) in order.into_iter().enumerate() {
            let item = sample(&device_sn, &format!("12:00:0{second}"), &[("workoutData", &texts[place])]);
            service.upload(&json!({ "data": item })).await;
        }
        assert_eq!(
            stored(&client, &device_sn).await,
            [
                "workout 2026-01-02 08:00 5 unknown - - - 2026-01-02 7 8 9",
                "workout 2026-01-02 08:00 60 yoga 100 - - 2026-01-02 7 8 9",
            ]
        );
    }
    service.finish().await;
}
