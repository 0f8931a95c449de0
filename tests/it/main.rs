//! What the service promises, through its outer interfaces, against a real TimescaleDB and a real Redis.
//!
//! One binary; `harness` gives a database per test, a service, a Redis of its own, and cables to cut.

#![allow(missing_docs)]

mod harness;

mod alert_api;
mod alert_command;
mod alert_kill;
mod alert_order;
mod alert_rules;
mod alert_view;
mod alerts;
mod backfill;
mod boards;
mod bodies;
mod dashboards;
mod device_config;
mod device_info;
mod device_keys;
mod directory_import;
mod erase;
mod events;
mod faults;
mod fuzz;
mod ingest;
mod key_tenants;
mod keys;
mod latest_values;
mod layering;
mod limits;
mod monitor;
mod nested_documents;
mod notify;
mod openapi;
mod operations;
mod overload;
mod ownership;
mod policies;
mod prometheus;
mod rejected;
mod relay;
mod roles;
mod rollups;
mod schema;
mod sleep;
mod stop;
mod tls;
mod traces;
mod uploads;
mod went_back;
