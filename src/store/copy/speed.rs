//! Our encoder of rows for COPY beside `BinaryCopyInWriter` of tokio-postgres, over a connection to a server that only takes what
//! it is sent: `cargo test --release --lib copy::speed -- --ignored --nocapture` (figures: benches/README.md).

use std::io::{BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::pin::pin;
use std::thread::JoinHandle;

use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::{IsNull, to_sql_checked};
use tokio_postgres::{Client, NoTls};

use super::*;
use crate::metric::SqlType;
use crate::model::{Owner, Reading, Source};

/// A reading of a watch, with all that watches send.
fn item(number: i64) -> Item {
    let second = 1_767_225_600 + number;
    let small = i16::try_from(number % 60).expect("small");
    let mut measured = crate::metric::Measurements::default();
    for metric in Metric::ALL {
        let value = match metric.definition().sql_type {
            SqlType::Smallint => Value::Smallint(60 + small),
            SqlType::Integer => Value::Integer(2000 + i32::from(small)),
            SqlType::Numeric => Value::Numeric(Decimal::new(365 + i64::from(small), 1)),
            SqlType::DoublePrecision => Value::DoublePrecision(114.045_801),
        };
        // Watches send two thirds of the columns.
        if metric as usize % 3 != 2 {
            measured.set(metric, value);
        }
    }
    Item {
        index: 0,
        reading: Reading {
            device_sn: format!("CRFTQ234{:08}", number % 5_000),
            ts: Timestamp::from_second(second).expect("in range"),
            owner: Owner {
                customer_id: Some(1_939_964_806_110_937_090),
                org_id: Some(1_939_964_806_110_937_091),
                user_id: Some(1_940_374_479_725_170_690 + number % 5_000),
            },
            measured,
            upload_method: Some("wifi".to_owned()),
            documents: Vec::new(),
        },
        text: Bytes::new(),
        inherited: None,
        source: Source::Health,
        received_at: Timestamp::from_second(second + 2).expect("in range"),
        key_customer_id: None,
    }
}

/// A server that takes one COPY; its thread gives the data that came.
fn server(mut stream: UnixStream) -> JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let mut input = BufReader::with_capacity(1 << 18, stream.try_clone().expect("a socket"));
        let mut copied = Vec::new();
        let mut send = |messages: &[u8]| stream.write_all(messages).expect("the client is there");
        let mut length = [0; 4];
        input.read_exact(&mut length).expect("a startup message");
        let mut body = vec![0; u32::from_be_bytes(length) as usize - 4];
        input.read_exact(&mut body).expect("a startup message");
        send(b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I");
        let mut kind = [0];
        while input.read_exact(&mut kind).is_ok() {
            input.read_exact(&mut length).expect("a length");
            body.resize(u32::from_be_bytes(length) as usize - 4, 0);
            input.read_exact(&mut body).expect("a message");
            match kind[0] {
                // Describe: no parameters, no rows.
                b'D' => send(b"1\0\0\0\x04t\0\0\0\x06\0\0n\0\0\0\x04Z\0\0\0\x05I"),
                // Execute: the data may come.
                b'E' => send(b"2\0\0\0\x04G\0\0\0\x07\x01\0\0"),
                b'd' => copied.extend_from_slice(&body),
                b'c' => send(b"C\0\0\0\x0bCOPY 1\0Z\0\0\0\x05I"),
                // Close: the statement is no longer needed.
                b'C' => send(b"3\0\0\0\x04Z\0\0\0\x05I"),
                b'X' => break,
                _ => {}
            }
        }
        copied
    })
}

/// What tokio-postgres has to know of a value to write it.
#[derive(Debug)]
struct Column(Value);

impl ToSql for Column {
    fn to_sql(&self, column: &Type, out: &mut BytesMut) -> Result<IsNull, EncodeError> {
        match self.0 {
            Value::Smallint(value) => value.to_sql(column, out),
            Value::Integer(value) => value.to_sql(column, out),
            Value::Numeric(value) => value.to_sql(column, out),
            Value::DoublePrecision(value) => value.to_sql(column, out),
        }
    }

    fn accepts(column: &Type) -> bool {
        [Type::INT2, Type::INT4, Type::NUMERIC, Type::FLOAT8].contains(column)
    }

    to_sql_checked!();
}

async fn copy_by_library(client: &Client, items: &[&Item]) {
    let mut types = vec![
        Type::TEXT,
        Type::TIMESTAMPTZ,
        Type::TIMESTAMPTZ,
        Type::INT8,
        Type::INT8,
        Type::INT8,
        Type::TEXT,
    ];
    types.extend(Metric::ALL.map(|metric| match metric.definition().sql_type {
        SqlType::Smallint => Type::INT2,
        SqlType::Integer => Type::INT4,
        SqlType::Numeric => Type::NUMERIC,
        SqlType::DoublePrecision => Type::FLOAT8,
    }));
    let sink = client.copy_in(FRESH.sql).await.expect("a COPY");
    let mut writer = pin!(BinaryCopyInWriter::new(sink, &types));
    for item in items {
        let Reading { device_sn, ts, owner, upload_method, measured, .. } = &item.reading;
        let measured = measured.values().map(|value| value.map(Column));
        let mut row: [&(dyn ToSql + Sync); COLUMN_COUNT as usize] = [&None::<i64>; COLUMN_COUNT as usize];
        row[..7].copy_from_slice(&[
            device_sn,
            ts,
            &item.received_at,
            &owner.customer_id,
            &owner.org_id,
            &owner.user_id,
            upload_method,
        ]);
        for (place, value) in row[7..].iter_mut().zip(&measured) {
            *place = value;
        }
        writer.as_mut().write(&row).await.expect("written");
    }
    writer.finish().await.expect("copied");
}

async fn copy_by_us(client: &Client, items: &[&Item]) {
    let sink = client.copy_in(FRESH.sql).await.expect("a COPY");
    write(sink, FRESH.name, items).await.expect("copied");
}

/// What the server was sent by `copy`, and the seconds that this thread computed for it.
fn sent(copy: impl AsyncFnOnce(&Client)) -> (Vec<u8>, f64) {
    let (ours, theirs) = UnixStream::pair().expect("sockets");
    let server = server(theirs);
    ours.set_nonblocking(true).expect("a socket");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().expect("a runtime");
    let before = computed();
    runtime.block_on(async {
        let stream = tokio::net::UnixStream::from_std(ours).expect("a socket");
        let config = "user=vitals".parse::<tokio_postgres::Config>().expect("settings");
        let (client, connection) = config.connect_raw(stream, NoTls).await.expect("connected");
        let work = async move { copy(&client).await };
        let ((), ended) = tokio::join!(work, connection);
        ended.expect("ended in order");
    });
    let seconds = computed() - before;
    (server.join().expect("the server ends"), seconds)
}

/// Seconds that this thread has computed.
fn computed() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux tells");
    let nanoseconds: u64 = text.split(' ').next().and_then(|first| first.parse().ok()).expect("a number");
    nanoseconds as f64 / 1e9
}

#[test]
fn the_bytes_are_those_that_tokio_postgres_would_send() {
    let mut items: Vec<Item> = (0..2_000).map(item).collect();
    items[0].reading.owner = Owner::default();
    items[0].reading.upload_method = None;
    items[0].reading.measured = crate::metric::Measurements::default();
    let items: Vec<&Item> = items.iter().collect();
    let (ours, _) = sent(async |client| copy_by_us(client, &items).await);
    let (theirs, _) = sent(async |client| copy_by_library(client, &items).await);
    assert!(ours.len() > 2 * CHUNK_BYTES, "several chunks");
    assert!(ours == theirs, "{} and {} bytes", ours.len(), theirs.len());
}

#[test]
#[expect(clippy::print_stdout, reason = "for whoever measures")]
#[ignore = "a measurement: means something in a release build on an idle machine only"]
fn speed() {
    const ROWS: i64 = 100_000;
    let items: Vec<Item> = (0..ROWS).map(item).collect();
    let items: Vec<&Item> = items.iter().collect();
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    // In turns: what disturbs the machine disturbs both.
    for _ in 0..15 {
        ours.push(sent(async |client| copy_by_us(client, &items).await).1);
        theirs.push(sent(async |client| copy_by_library(client, &items).await).1);
    }
    for (name, mut seconds) in [("our encoder", ours), ("BinaryCopyInWriter", theirs)] {
        seconds.sort_by(f64::total_cmp);
        let nanoseconds = |seconds: f64| seconds / ROWS as f64 * 1e9;
        let (best, middle) = (nanoseconds(seconds[0]), nanoseconds(seconds[seconds.len() / 2]));
        println!("{name}: best {best:.0} ns a row, median {middle:.0} ns");
    }
}
