//! What the service promises, through its outer interfaces, against a real TimescaleDB and a real Redis.
//!
//! One binary; `harness` gives a database per test, a service, a Redis of its own, and cables to cut.

#![allow(missing_docs)]

mod harness;

mod device_config;
mod directory_import;
mod fuzz;
mod ingest;
mod latest_values;
mod layering;
mod openapi;
mod ownership;
mod rejected;
mod relay;

mod rollups;
mod schema;
mod stop;
mod uploads;
