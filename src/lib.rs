//! vitals takes health data from wearables over HTTP and puts it, durably and once, into TimescaleDB.
//!
//! ```text
//!  device ─POST─▶ http ─▶ ingest ─▶ store ══ one transaction ══▶ health_data (COPY) + outbox row
//!                  ▲                                                    │
//!                  └── 200 after commit                                 │ wake (NOTIFY, throttled) or poll
//!                                                                       ▼
//!                      relay: claim outbox rows ─▶ react ─▶ Redis: latest values, open alerts, channels
//!                                     └── evaluate ══ alert + notification rows
//!                                                        ▼
//!                      notify: lease addresses ─▶ WeChat · WeCom · DingTalk · Feishu · SMS · e-mail · webhook
//! ```
//!
//! The folders are the data flow. The upload half (`wire`, `http`, `ingest`) and the reaction half (`relay`,
//! `react`, `notify`) never call each other: they meet only in Postgres. `owners` finds who owns a device, for uploads that do
//! not say so; `keys` checks who sends a request; `buffer` keeps uploads while Postgres cannot store them; `cells` passes an upload on
//! whose devices live in another database.

pub mod accounts;
pub mod app;
pub mod buffer;
pub mod cache;
pub mod cells;
pub mod command;
pub mod config;
#[cfg(feature = "fleet")]
pub mod demo;
pub mod http;
pub mod ingest;
pub mod keys;
pub mod language;
pub mod lookup_cache;
pub mod metric;
pub mod model;
pub mod monitor;
pub mod notify;
pub mod owners;
pub mod page;
pub mod queue;
pub mod react;
pub mod relay;
pub mod schedule;
pub mod store;
pub mod stream;
pub mod tasks;
pub mod telemetry;
pub mod timeline;
pub mod wire;
