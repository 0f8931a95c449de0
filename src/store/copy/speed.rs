//! What our encoding of COPY costs, and what tokio-postgres' `BinaryCopyInWriter` does, in turns over one connection. Needs a
//! database of its own: `VITALS_DATABASE_URL=… cargo test --release --lib copy::speed -- --ignored --nocapture`.

use std::time::Instant;

use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::{IsNull, to_sql_checked};

use super::*;
use crate::config::Settings;
use crate::metric::Measurements;
use crate::model::{Owner, Reading, Source};
use crate::store::Store;

const ITEMS: usize = 20_000;
const ROUNDS: usize = 9;

fn item(number: usize) -> Item {
    let measured = Measurements {
        heart_rate: Some(70),
        blood_oxygen: Some(98),
        temperature: Some(Decimal::new(366, 1)),
        pressure_high: Some(118),
        pressure_low: Some(79),
        stress: Some(41),
        step: Some(2_000),
        distance: Some(Decimal::new(16_405, 1)),
        calorie: Some(Decimal::new(960_200, 1)),
        latitude: Some(22.543_721),
        longitude: Some(114.045_801),
        ..Measurements::default()
    };
    let at = Timestamp::from_second(1_760_000_000 + number as i64).expect("in range");
    let owner = Owner { customer_id: Some(1), org_id: Some(2), user_id: Some(3) };
    let upload_method = Some("wifi".to_owned());
    let reading = Reading {
        device_sn: "CRFTQ23409001890".into(),
        ts: at,
        owner,
        measured,
        upload_method,
        documents: Vec::new(),
    };
    Item {
        index: 0,
        reading,
        text: Bytes::new(),
        inherited: None,
        source: Source::Health,
        received_at: at,
        key_customer_id: None,
    }
}

/// The same rows by the library's writer.
async fn copy_by_library(client: &Object, Statement { sql, .. }: Statement, items: &[&Item]) {
    let prepared = client.prepare_cached(sql).await.expect("prepared");
    let sink = client.copy_in::<_, Bytes>(&prepared).await.expect("begun");
    let mut types = vec![
        Type::TEXT,
        Type::TIMESTAMPTZ,
        Type::TIMESTAMPTZ,
        Type::INT8,
        Type::INT8,
        Type::INT8,
        Type::TEXT,
    ];
    types.extend(Metric::ALL.map(|_| Type::NUMERIC));
    let mut writer = std::pin::pin!(BinaryCopyInWriter::new(sink, &types));
    for item in items {
        let Reading { device_sn, ts, owner, measured, upload_method, .. } = &item.reading;
        let cells = measured.values().map(Cell);
        let mut row: Vec<&(dyn ToSql + Sync)> = Vec::with_capacity(types.len());
        row.extend([device_sn as &(dyn ToSql + Sync), ts, &item.received_at]);
        row.extend([&owner.customer_id as &(dyn ToSql + Sync), &owner.org_id, &owner.user_id, upload_method]);
        row.extend(cells.iter().map(|cell| cell as &(dyn ToSql + Sync)));
        writer.as_mut().write(&row).await.expect("written");
    }
    writer.finish().await.expect("finished");
}

/// A measured value, whose type is that of its column.
#[derive(Debug)]
struct Cell(Option<Value>);

impl ToSql for Cell {
    fn to_sql(&self, of: &Type, out: &mut BytesMut) -> Result<IsNull, EncodeError> {
        match &self.0 {
            None => Ok(IsNull::Yes),
            Some(Value::Smallint(value)) => value.to_sql(of, out),
            Some(Value::Integer(value)) => value.to_sql(of, out),
            Some(Value::DoublePrecision(value)) => value.to_sql(of, out),
            Some(Value::Numeric(value)) => value.to_sql(of, out),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// CPU time of this thread, which does all of the client's work, seconds.
fn cpu_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux");
    let nanoseconds: u64 = text.split(' ').next().and_then(|first| first.parse().ok()).expect("a number");
    nanoseconds as f64 / 1e9
}

#[tokio::test]
#[expect(clippy::print_stdout, reason = "for whoever measures")]
#[ignore = "a measurement: means something in a release build on an idle machine only"]
async fn speed() {
    let settings = Settings::load(None).expect("settings");
    let store = Store::new(&settings).expect("a URL");
    let client = store.client().await.expect("PostgreSQL answers");
    client
        .batch_execute("create temp table incoming (like health_data)")
        .await
        .expect("a table; migrate first");
    let items: Vec<Item> = (0..ITEMS).map(item).collect();
    let items: Vec<&Item> = items.iter().collect();
    let (mut ours, mut library) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        for (by_library, found) in [(false, &mut ours), (true, &mut library)] {
            client.batch_execute("truncate pg_temp.incoming").await.expect("emptied");
            let (cpu, clock) = (cpu_seconds(), Instant::now());
            if by_library {
                copy_by_library(&client, REPEATS, &items).await;
            } else {
                copy_in(&client, REPEATS, &items).await.expect("copied");
            }
            found.push((cpu_seconds() - cpu, clock.elapsed().as_secs_f64()));
        }
    }
    for (name, mut found) in [("ours", ours), ("BinaryCopyInWriter", library)] {
        found.sort_by(|one, other| one.0.total_cmp(&other.0));
        let (cpu, _) = found[ROUNDS / 2];
        found.sort_by(|one, other| one.1.total_cmp(&other.1));
        let (_, clock) = found[ROUNDS / 2];
        let each = |seconds: f64| seconds * 1e9 / ITEMS as f64;
        println!("{name}: {:.0} ns of CPU a row, {:.0} ns until it is in the table", each(cpu), each(clock));
    }
}
