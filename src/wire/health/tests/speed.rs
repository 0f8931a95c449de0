//! How many records a core reads a second: `cargo test --release --lib speed -- --ignored --nocapture`.

use std::time::{Duration, Instant};

use super::*;

#[test]
#[expect(clippy::print_stdout, reason = "for whoever measures")]
#[ignore = "a measurement: means something in a release build on an idle machine only"]
fn speed() {
    let bodies = [
        ("100 samples of a watch in one body", array_of_100(), 100),
        (
            "one sample of a watch with its nested documents",
            include_str!("../../../../tests/fixtures/watch_single.json").into(),
            1,
        ),
        (
            "one sample from the phone app",
            include_str!("../../../../tests/fixtures/phone_envelope.json").into(),
            1,
        ),
    ];
    for (name, body, records) in bodies {
        let body = Bytes::from(body);
        let context = context();
        let (mut best, mut read) = (0.0_f64, 0);
        // The best of many short windows: on a shared machine most of them are disturbed.
        for _ in 0..60 {
            let (start, mut rounds) = (Instant::now(), 0_u32);
            while start.elapsed() < Duration::from_millis(20) {
                read += std::hint::black_box(parse(&body, &context)).unwrap().items.len();
                rounds += 1;
            }
            best = best.max(f64::from(rounds) * f64::from(records) / start.elapsed().as_secs_f64());
        }
        assert!(read > 0);
        let bytes = body.len() as f64 / f64::from(records);
        println!("{name}: {:.0} k records/s, {:.0} MB/s", best / 1e3, best * bytes / 1e6);
    }
}

fn array_of_100() -> String {
    let sample = |second: u32| {
        format!(
            r#"{{"deviceSn":"CRFTQ23409001890","heart_rate":{},"blood_oxygen":98,"body_temperature":"36.6","blood_pressure_systolic":118,"blood_pressure_diastolic":79,"step":{},"distance":"1640.5","calorie":"96020.0","latitude":"22.543721","longitude":"114.045801","altitude":"0","stress":41,"upload_method":"wifi","timestamp":"2025-05-17 14:{:02}:{:02}","customer_id":"1939964806110937090","org_id":"1939964806110937091","user_id":"1940374479725170690","sleepData":"null","exerciseDailyData":"null","exerciseWeekData":"null","scientificSleepData":"null","workoutData":"null"}}"#,
            60 + second % 40,
            2000 + second,
            second / 60,
            second % 60,
        )
    };
    format!(r#"{{"data":[{}]}}"#, (0..100).map(sample).collect::<Vec<_>>().join(","))
}
