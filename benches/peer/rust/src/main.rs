//! What a Rust engineer would write in an afternoon: the same upload route with axum, serde, a pool of tokio-postgres, and one binary
//! COPY per request into the same table.
//!
//! Before: `vitals simulate`, as with the real service. After: the same table, with its key, index and trigger.
//! Promise: answered after the commit; the same names of a watch, zone and rules for what was not measured. It has no batching, relay, rejects,
//! accounts or duplicates: an upload with an item that cannot be stored is refused as a whole.

use std::env;

use anyhow::Context;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use deadpool_postgres::{Manager, Pool};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use postgres_types::{ToSql, Type};
use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};
use tokio_postgres::NoTls;
use tokio_postgres::binary_copy::BinaryCopyInWriter;

/// Connections to PostgreSQL, as many as the Python peer has.
const CONNECTIONS: usize = 20;
const MAX_BODY_BYTES: usize = 64 << 20;

const COPY: &str = "copy health_data (device_sn, ts, customer_id, org_id, user_id, heart_rate, blood_oxygen, temperature, pressure_high,
    pressure_low, stress, step, distance, calorie, latitude, longitude, altitude, upload_method) from stdin (format binary)";
const TYPES: [Type; 18] = [
    Type::TEXT,
    Type::TIMESTAMPTZ,
    Type::INT8,
    Type::INT8,
    Type::INT8,
    Type::INT2,
    Type::INT2,
    Type::NUMERIC,
    Type::INT2,
    Type::INT2,
    Type::INT2,
    Type::INT4,
    Type::NUMERIC,
    Type::NUMERIC,
    Type::FLOAT8,
    Type::FLOAT8,
    Type::FLOAT8,
    Type::TEXT,
];

#[derive(Deserialize)]
struct Upload {
    data: Items,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Items {
    Several(Vec<Item>),
    One(Box<Item>),
}

/// One sample, as a watch sends it.
#[derive(Deserialize)]
struct Item {
    #[serde(rename = "deviceSn")]
    device_sn: String,
    #[serde(deserialize_with = "instant")]
    timestamp: Timestamp,
    #[serde(default, rename = "customerId", deserialize_with = "measured")]
    customer_id: Option<i64>,
    #[serde(default, rename = "orgId", deserialize_with = "measured")]
    org_id: Option<i64>,
    #[serde(default, rename = "userId", deserialize_with = "measured")]
    user_id: Option<i64>,
    #[serde(default, deserialize_with = "measured")]
    heart_rate: Option<i16>,
    #[serde(default, deserialize_with = "measured")]
    blood_oxygen: Option<i16>,
    #[serde(default, deserialize_with = "measured")]
    body_temperature: Option<Decimal>,
    #[serde(default, deserialize_with = "measured")]
    blood_pressure_systolic: Option<i16>,
    #[serde(default, deserialize_with = "measured")]
    blood_pressure_diastolic: Option<i16>,
    #[serde(default, deserialize_with = "measured")]
    stress: Option<i16>,
    #[serde(default, deserialize_with = "sent")]
    step: Option<i32>,
    #[serde(default, deserialize_with = "sent")]
    distance: Option<Decimal>,
    #[serde(default, deserialize_with = "sent")]
    calorie: Option<Decimal>,
    #[serde(default, deserialize_with = "measured")]
    latitude: Option<f64>,
    #[serde(default, deserialize_with = "measured")]
    longitude: Option<f64>,
    #[serde(default, deserialize_with = "sent")]
    altitude: Option<f64>,
    upload_method: Option<String>,
}

/// A number, or the text of one.
#[derive(Deserialize)]
#[serde(untagged)]
enum Number<'a> {
    Text(&'a str),
    Whole(i64),
    Real(f64),
}

/// A value; text that says nothing is none.
fn sent<'de, D: Deserializer<'de>, T: std::str::FromStr>(deserializer: D) -> Result<Option<T>, D::Error> {
    let Some(number) = Option::<Number>::deserialize(deserializer)? else { return Ok(None) };
    let parse =
        |text: &str| text.parse().map(Some).map_err(|_| serde::de::Error::custom("not a number in range"));
    match number {
        Number::Text("" | "null") => Ok(None),
        Number::Text(text) => parse(text),
        Number::Whole(number) => parse(&number.to_string()),
        Number::Real(number) => parse(&number.to_string()),
    }
}

/// A value; zero was not measured.
fn measured<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: std::str::FromStr + Default + PartialEq,
{
    Ok(sent(deserializer)?.filter(|value| *value != T::default()))
}

/// A time of day in the zone of the watches.
fn instant<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
    let text = <&str>::deserialize(deserializer)?;
    let time = text.replacen(' ', "T", 1).parse::<DateTime>().map_err(serde::de::Error::custom)?;
    let zone = TimeZone::fixed(jiff::tz::offset(8));
    zone.to_timestamp(time).map_err(serde::de::Error::custom)
}

async fn upload_health_data(
    State(pool): State<Pool>,
    body: axum::body::Bytes,
) -> Result<Json<Value>, (StatusCode, String)> {
    let upload: Upload =
        serde_json::from_slice(&body).map_err(|error| (StatusCode::BAD_REQUEST, error.to_string()))?;
    let items = match upload.data {
        Items::Several(items) => items,
        Items::One(item) => vec![*item],
    };
    store(&pool, &items).await.map_err(|error| (StatusCode::INTERNAL_SERVER_ERROR, format!("{error:#}")))?;
    Ok(Json(json!({
        "status": "success",
        "message": "数据已接收并处理",
        "details": { "success": items.len(), "duplicate": 0, "error": 0 },
        "errors": [],
    })))
}

/// All of them, in a transaction of their own.
async fn store(pool: &Pool, items: &[Item]) -> anyhow::Result<()> {
    let client = pool.get().await?;
    let writer = BinaryCopyInWriter::new(client.copy_in(COPY).await?, &TYPES);
    let mut writer = std::pin::pin!(writer);
    for item in items {
        let row: [&(dyn ToSql + Sync); 18] = [
            &item.device_sn,
            &item.timestamp,
            &item.customer_id,
            &item.org_id,
            &item.user_id,
            &item.heart_rate,
            &item.blood_oxygen,
            &item.body_temperature,
            &item.blood_pressure_systolic,
            &item.blood_pressure_diastolic,
            &item.stress,
            &item.step,
            &item.distance,
            &item.calorie,
            &item.latitude,
            &item.longitude,
            &item.altitude,
            &item.upload_method,
        ];
        writer.as_mut().write(&row).await?;
    }
    writer.finish().await?;
    Ok(())
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let url = env::var("PEER_DATABASE_URL").context("PEER_DATABASE_URL names the database")?;
    let pool = Pool::builder(Manager::new(url.parse()?, NoTls)).max_size(CONNECTIONS).build()?;
    let routes = Router::new()
        .route("/upload_health_data", post(upload_health_data))
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .with_state(pool);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    #[expect(clippy::print_stderr, reason = "whoever started it reads the address here")]
    {
        eprintln!("running on http://{}", listener.local_addr()?);
    }
    axum::serve(listener, routes).await?;
    Ok(())
}
