//! Binary COPY of readings: the encoding, and the stream into a table.
//!
//! Before: `store::batch` hands over sorted readings. After: PostgreSQL's COPY.
//! Promise: the statements and [`encode`] name the same columns in the same order, those of metrics in the order of their table.
//! Source: PostgreSQL manual, COPY, "Binary Format". `BinaryCopyInWriter` of tokio-postgres sends the same bytes for 2.4 times the processor time
//! (benches/README.md, "COPY").

use bytes::{BufMut, Bytes, BytesMut};
use deadpool_postgres::Object;
use futures_util::SinkExt;
use jiff::Timestamp;
use rust_decimal::Decimal;
use tokio_postgres::CopyInSink;
use tokio_postgres::types::{ToSql, Type};

use super::statement::timed;
use super::{Statement, StoreError, statement};
use crate::metric::{Metric, Value};
use crate::model::Item;

/// Into the table itself.
pub(super) const FRESH: Statement = statement!("batch", "copy_fresh");
/// Into the session's table that repeats go through.
pub(super) const REPEATS: Statement = statement!("batch", "copy_repeats");

const COLUMN_COUNT: i16 = 7 + Metric::ALL.len() as i16;
const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
const TRAILER: i16 = -1;
const NULL: i32 = -1;

/// Bytes handed to the connection at once: large enough to make system calls rare, small enough to start early.
const CHUNK_BYTES: usize = 64 * 1024;

/// Microseconds from the Unix epoch to PostgreSQL's, 2000-01-01.
const POSTGRES_EPOCH_US: i64 = 946_684_800_000_000;

/// Streams `items`, if there are any, in within the caller's transaction. One that was prepared begins with what is sent in the
/// same poll.
pub(super) async fn copy_in(
    client: &Object,
    statement: Statement,
    items: &[&Item],
) -> Result<(), StoreError> {
    if items.is_empty() {
        return Ok(());
    }
    timed(statement.name, copy(client, statement, items)).await
}

async fn copy(
    client: &Object,
    Statement { name, sql }: Statement,
    items: &[&Item],
) -> Result<(), StoreError> {
    let failed = |source| StoreError::Postgres { statement: name, source };
    let prepared = client.prepare_cached(sql).await.map_err(failed)?;
    write(client.copy_in(&prepared).await.map_err(failed)?, name, items).await
}

async fn write(sink: CopyInSink<Bytes>, name: &'static str, items: &[&Item]) -> Result<(), StoreError> {
    let failed = |source| StoreError::Postgres { statement: name, source };
    let mut sink = std::pin::pin!(sink);
    let mut buffer = BytesMut::with_capacity(CHUNK_BYTES + 4096);
    buffer.put_slice(HEADER);
    for item in items {
        encode(&mut buffer, item).map_err(|error| StoreError::State(format!("{name}: {error}")))?;
        if buffer.len() >= CHUNK_BYTES {
            let full = std::mem::replace(&mut buffer, BytesMut::with_capacity(CHUNK_BYTES + 4096));
            sink.feed(full.freeze()).await.map_err(failed)?;
        }
    }
    buffer.put_i16(TRAILER);
    sink.feed(buffer.freeze()).await.map_err(failed)?;
    sink.finish().await.map_err(failed)?;
    Ok(())
}

type EncodeError = Box<dyn std::error::Error + Sync + Send>;

fn encode(out: &mut BytesMut, item: &Item) -> Result<(), EncodeError> {
    let reading = &item.reading;
    out.put_i16(COLUMN_COUNT);
    text(out, &reading.device_sn);
    timestamp(out, reading.ts);
    timestamp(out, item.received_at);
    bigint(out, reading.owner.customer_id);
    bigint(out, reading.owner.org_id);
    bigint(out, reading.owner.user_id);
    match &reading.upload_method {
        Some(method) => text(out, method),
        None => out.put_i32(NULL),
    }
    for value in reading.measured.values() {
        measured(out, value)?;
    }
    Ok(())
}

fn text(out: &mut BytesMut, value: &str) {
    out.put_i32(i32::try_from(value.len()).expect("bounded by wire"));
    out.put_slice(value.as_bytes());
}

fn timestamp(out: &mut BytesMut, value: Timestamp) {
    out.put_i32(8);
    out.put_i64(value.as_microsecond() - POSTGRES_EPOCH_US);
}

fn bigint(out: &mut BytesMut, value: Option<i64>) {
    match value {
        Some(value) => {
            out.put_i32(8);
            out.put_i64(value);
        }
        None => out.put_i32(NULL),
    }
}

fn measured(out: &mut BytesMut, value: Option<Value>) -> Result<(), EncodeError> {
    match value {
        None => out.put_i32(NULL),
        Some(Value::Smallint(value)) => {
            out.put_i32(2);
            out.put_i16(value);
        }
        Some(Value::Integer(value)) => {
            out.put_i32(4);
            out.put_i32(value);
        }
        Some(Value::DoublePrecision(value)) => {
            out.put_i32(8);
            out.put_f64(value);
        }
        Some(Value::Numeric(value)) => numeric(out, value)?,
    }
    Ok(())
}

fn numeric(out: &mut BytesMut, value: Decimal) -> Result<(), EncodeError> {
    let length_at = out.len();
    out.put_i32(0);
    value.to_sql(&Type::NUMERIC, out)?;
    let length = i32::try_from(out.len() - length_at - 4).expect("a decimal is short");
    out[length_at..length_at + 4].copy_from_slice(&length.to_be_bytes());
    Ok(())
}

#[cfg(test)]
mod speed;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_columns_are_named_as_encoded() {
        for statement in [FRESH, REPEATS] {
            let (_, columns) = statement.sql.split_once('(').expect("columns");
            let (columns, _) = columns.split_once(')').expect("columns");
            assert_eq!(columns.split(',').count(), usize::try_from(COLUMN_COUNT).expect("small"));
        }
    }

    #[test]
    fn the_epoch_of_postgres_is_the_year_2000() {
        let epoch: Timestamp = "2000-01-01T00:00:00Z".parse().expect("a time");
        assert_eq!(epoch.as_microsecond(), POSTGRES_EPOCH_US);
    }

    #[test]
    fn a_value_is_preceded_by_its_length() {
        let mut out = BytesMut::new();
        numeric(&mut out, "36.6".parse().expect("a decimal")).expect("encodes");
        let length = i32::from_be_bytes(out[..4].try_into().expect("four"));
        assert_eq!(usize::try_from(length).expect("positive") + 4, out.len());
        measured(&mut out, None).expect("encodes");
        assert_eq!(&out[out.len() - 4..], (-1_i32).to_be_bytes());
    }
}
