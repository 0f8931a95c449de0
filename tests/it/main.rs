//! What the service promises, through its outer interfaces, against a real TimescaleDB and a real Redis.
//!
//! One binary; `harness` gives a database per test, a service, a Redis of its own, and cables to cut.

#![allow(missing_docs, clippy::print_stdout)]

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
mod command_line;
mod dashboards;
mod database_tls;
mod demo;
mod device_config;
mod device_info;
mod device_keys;
mod directory_import;
mod documents;
mod erase;
mod events;
mod far_times;
mod faults;
mod fleet;
mod fuzz;
mod honest_answers;
mod hostile_schema;
mod ingest;
mod jobs;
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
mod owner;
mod ownership;
mod policies;
mod prometheus;
mod readiness;
mod rejected;
mod relay;
mod restore;
mod roles;
mod rollups;
mod schema;
mod schema_contract;
mod settings;
mod sleep;
mod stop;
mod tls;
mod traces;
mod unanswered;
mod uploads;
mod went_back;
