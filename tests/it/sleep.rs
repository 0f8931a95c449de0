//! Nights and weeks of sleep, held against a count minute by minute that knows nothing of the views.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, civil};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};
use tokio_postgres::Client;

use crate::harness::{Database, Service};

/// A segment of sleep: minutes since 1970, and the type.
type Segment = (i64, i64, i64);

fn sample(device_sn: &str, segments: &[Segment]) -> Value {
    let elements: Vec<Value> = segments
        .iter()
        .map(|(start, end, code)| json!({ "startTimeStamp": start * 60_000, "endTimeStamp": end * 60, "type": code }))
        .collect();
    let document = json!({ "code": 0, "data": elements, "name": "sleep", "type": "history" }).to_string();
    json!({ "deviceSn": device_sn, "heart_rate": 60, "timestamp": "2026-01-02 12:00:00", "sleepData": document })
}

/// `day` at `hour`:`minute` in `zone`, in minutes since 1970.
fn at(zone: &TimeZone, day: civil::Date, hour: i64, minute: i64) -> i64 {
    let midnight = day.to_zoned(zone.clone()).expect("a midnight");
    midnight.timestamp().as_second() / 60 + hour * 60 + minute
}

/// Minutes of a night: of light, deep, other and all sleep, each minute once; and the plain sum.
#[derive(Debug, Default, PartialEq, Eq, Clone, Copy)]
struct Night {
    light: i64,
    deep: i64,
    unknown: i64,
    total: i64,
    plain: i64,
    sleeps: i64,
}

/// The nights of one device, minute by minute.
fn count(segments: &[Segment], zone: &TimeZone) -> BTreeMap<civil::Date, Night> {
    let mut segments = segments.to_vec();
    segments.sort_unstable();
    segments.dedup();
    let mut minutes: BTreeMap<i64, i64> = BTreeMap::new();
    for &(start, end, code) in &segments {
        for minute in start..end {
            let stage = minutes.entry(minute).or_insert(code);
            *stage = match (*stage, code) {
                (2, _) | (_, 2) => 2,
                (1, _) | (_, 1) => 1,
                (other, _) => other,
            };
        }
    }
    // Day of each minute: that of the end of its sleep, met from behind.
    let mut nights: BTreeMap<civil::Date, Night> = BTreeMap::new();
    let mut day_of: BTreeMap<i64, civil::Date> = BTreeMap::new();
    let mut following = i64::MAX;
    let mut day = civil::Date::MIN;
    for (&minute, &stage) in minutes.iter().rev() {
        if following == i64::MAX || following - (minute + 1) > 120 {
            let end = Timestamp::from_second((minute + 1) * 60).expect("a time");
            day = end.to_zoned(zone.clone()).date();
            nights.entry(day).or_default().sleeps += 1;
        }
        following = minute;
        day_of.insert(minute, day);
        let night = nights.entry(day).or_default();
        night.total += 1;
        match stage {
            1 => night.light += 1,
            2 => night.deep += 1,
            _ => night.unknown += 1,
        }
    }
    for (start, end, _) in segments {
        nights.get_mut(&day_of[&start]).expect("counted").plain += end - start;
    }
    nights
}

/// What the view says of a device; fails where a figure is no whole number of minutes.
async fn nights(client: &Client, device_sn: &str) -> BTreeMap<civil::Date, Night> {
    let rows = client
        .query(
            "select night, round(light_hours * 60, 6)::float8, round(deep_hours * 60, 6)::float8,
                 round(unknown_hours * 60, 6)::float8, round(total_hours * 60, 6)::float8, legacy_hours::float8, sleeps
             from sleep_night where device_sn = $1",
            &[&device_sn],
        )
        .await
        .expect("nights");
    rows.iter()
        .map(|row| {
            let minutes = |column: usize| {
                let minutes: f64 = row.get(column);
                assert!((minutes - minutes.round()).abs() < 1e-5, "{minutes}");
                minutes.round() as i64
            };
            let legacy: f64 = row.get(5);
            let night = Night {
                light: minutes(1),
                deep: minutes(2),
                unknown: minutes(3),
                total: minutes(4),
                // Two decimals of an hour are less than a minute apart.
                plain: (legacy * 60.0).round() as i64,
                sleeps: row.get::<_, i32>(6).into(),
            };
            (row.get(0), night)
        })
        .collect()
}

#[tokio::test]
async fn overlaps_are_counted_once_and_summed_for_the_legacy_figure() {
    let database = Database::new().await;
    let service = Service::start(&database).await;
    let zone = TimeZone::get("Asia/Shanghai").expect("a zone");
    let night = |hour, minute| at(&zone, civil::date(2025, 5, 16), hour, minute);
    let segments = [
        (night(23, 0), night(26, 0), 1),
        (night(25, 0), night(27, 30), 2),
        (night(27, 0), night(28, 0), 1),
        (night(27, 45), night(28, 15), 9),
        (night(23, 30), night(23, 45), 1),
    ];
    service.upload(&json!({ "data": sample("OVERLAP-1", &segments) })).await;
    let client = database.client().await;
    let row = client
        .query_one(
            "select concat_ws(' ', night, light_hours::float8, deep_hours::float8, unknown_hours::float8, total_hours::float8,
                 legacy_hours, sleeps, segments)
             from sleep_night where device_sn = 'OVERLAP-1'",
            &[],
        )
        .await
        .expect("one night");
    assert_eq!(row.get::<_, &str>(0), "2025-05-17 2.5 2.5 0.25 5.25 7.25 1 5");
    service.finish().await;
}

#[tokio::test]
async fn a_sleep_belongs_to_the_day_on_which_it_ends() {
    let database = Database::in_zone("Europe/Berlin").await;
    let service = Service::start(&database).await;
    let zone = TimeZone::get("Europe/Berlin").expect("a zone");
    // The night in which clocks go forward.
    let night = |hour, minute| at(&zone, civil::date(2025, 3, 29), hour, minute);
    let segments = [
        (night(13, 0), night(13, 40), 1),
        (night(21, 0), night(22, 30), 1),
        (night(22, 30), night(23, 59), 2),
        // Two hours later is the same sleep still.
        (night(25, 59), night(28, 0), 2),
        (night(30, 1), night(30, 30), 1),
        // In the evening of the day after, and one that ends with it.
        (night(44, 0), night(44, 30), 1),
        (night(46, 31), night(47, 0), 0),
    ];
    service.upload(&json!({ "data": sample("MIDNIGHT-1", &segments) })).await;
    let client = database.client().await;
    let found = nights(&client, "MIDNIGHT-1").await;
    let days: Vec<_> =
        found.iter().map(|(day, night)| (day.to_string(), night.sleeps, night.total)).collect();
    assert_eq!(
        days,
        [
            ("2025-03-29".to_owned(), 1, 40),
            ("2025-03-30".to_owned(), 3, 90 + 89 + 121 + 29 + 30),
            ("2025-03-31".to_owned(), 1, 29),
        ]
    );
    assert_eq!(found, count(&segments, &zone));
    service.finish().await;
}

#[tokio::test]
async fn nights_and_weeks_are_what_counting_every_minute_gives() {
    let mut random = StdRng::seed_from_u64(3);
    for zone_name in ["Asia/Shanghai", "Europe/Berlin", "Asia/Kolkata"] {
        let database = Database::in_zone(zone_name).await;
        let service = Service::start(&database).await;
        let client = database.client().await;
        let zone = TimeZone::get(zone_name).expect("a zone");
        for number in 0..40 {
            let device_sn = format!("RANDOM-{number}");
            let segments = some_segments(&mut random, &zone);
            // In several documents, which overlap, and one of them twice.
            let mut items = Vec::new();
            for (second, part) in segments.chunks(7).chain(segments.chunks(5)).enumerate() {
                let mut item = sample(&device_sn, part);
                item["timestamp"] = json!(format!("2026-01-02 12:00:{second:02}"));
                items.push(item);
            }
            service.upload(&json!({ "data": items })).await;
            let wanted = count(&segments, &zone);
            assert_eq!(nights(&client, &device_sn).await, wanted, "{zone_name} {segments:?}");
            assert_eq!(weeks(&client, &device_sn).await, weekly(&wanted), "{zone_name} {segments:?}");
        }
        let row = client
            .query_one("select (select count(*) from sleep_night), count(*) from sleep_night where device_sn like 'R%'", &[])
            .await
            .expect("counts");
        assert_eq!(row.get::<_, i64>(0), row.get::<_, i64>(1));
        service.finish().await;
    }
}

/// A week of nights and naps around a change of clocks, as messy as can be, no sleep longer than two days.
fn some_segments(random: &mut StdRng, zone: &TimeZone) -> Vec<Segment> {
    let monday = civil::date(2025, 3, 24);
    let mut segments = Vec::new();
    for day in 0..9_i64 {
        if random.random_bool(0.2) {
            continue;
        }
        let day = monday.checked_add(day.days()).expect("a day");
        let mut minute = at(zone, day, random.random_range(11..30), random.random_range(0..60));
        for _ in 0..random.random_range(1..8) {
            let start = minute + random.random_range(-40..150);
            let end = start + random.random_range(1..120);
            segments.push((start, end, random.random_range(0..4)));
            minute = end;
        }
    }
    segments
}

/// (Monday, nights, minutes of all sleep) by week.
fn weekly(nights: &BTreeMap<civil::Date, Night>) -> Vec<(String, i64, i64)> {
    let mut weeks: BTreeMap<civil::Date, (i64, i64)> = BTreeMap::new();
    for (day, night) in nights {
        let since_monday = i64::from(day.weekday().to_monday_zero_offset());
        let week = weeks.entry(day.checked_sub(since_monday.days()).expect("a day")).or_default();
        week.0 += 1;
        week.1 += night.total;
    }
    weeks.into_iter().map(|(day, (nights, total))| (day.to_string(), nights, total)).collect()
}

async fn weeks(client: &Client, device_sn: &str) -> Vec<(String, i64, i64)> {
    let rows = client
        .query(
            "select week::text, nights::bigint, round(total_hours * 60)::bigint
             from sleep_week where device_sn = $1 order by week",
            &[&device_sn],
        )
        .await
        .expect("weeks");
    rows.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect()
}

#[tokio::test]
async fn a_device_is_found_by_index_in_every_view() {
    let database = Database::new().await;
    let client = database.client().await;
    client
        .batch_execute(
            "insert into sleep_segment (device_sn, start_ts, end_ts, type_code, end_day, ts, received_at)
             select 'DEVICE-' || device, start, start + interval '3 hours', 1,
                 ((start + interval '3 hours') at time zone 'Asia/Shanghai')::date, now(), now()
             from generate_series(1, 200) as device,
                 generate_series(timestamptz '2025-01-01', '2025-03-01', '1 day') as start;
             insert into exercise_day (device_sn, day, daily_ts, daily_strength_minutes, received_at)
             select 'DEVICE-' || device, day, now(), 1, now()
             from generate_series(1, 200) as device, generate_series(date '2025-01-01', '2025-03-01', '1 day') as day;
             insert into workout (device_sn, start_ts, end_ts, ts, received_at)
             select 'DEVICE-' || device, start, start + interval '1 hour', now(), now()
             from generate_series(1, 200) as device,
                 generate_series(timestamptz '2025-01-01', '2025-03-01', '1 day') as start;
             analyze sleep_segment, exercise_day, workout",
        )
        .await
        .expect("rows");
    for query in [
        "sleep_night where device_sn = 'DEVICE-7' and night = '2025-02-01'",
        "sleep_night where night = '2025-02-01'",
        "sleep_week where device_sn = 'DEVICE-7' and week = '2025-02-03'",
        "exercise_week where device_sn = 'DEVICE-7'",
        "workout_named where device_sn = 'DEVICE-7' and start_ts > '2025-02-01'",
    ] {
        let plan = client.query(&format!("explain select * from {query}"), &[]).await.expect("a plan");
        let plan: Vec<&str> = plan.iter().map(|row| row.get(0)).collect();
        let scans = ["Seq Scan on sleep_segment", "Seq Scan on exercise_day", "Seq Scan on workout "];
        assert!(!scans.iter().any(|scan| plan.join("\n").contains(scan)), "{query}: {plan:#?}");
    }
}
