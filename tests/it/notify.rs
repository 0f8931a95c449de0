//! Telling people: who is told, by which way, and what becomes of it.

mod alarms;
mod delivery;
mod details;
mod duty;
mod email;
mod evening;
mod house;
mod robots;
mod route_test;
mod routing;
mod sharing;
mod sms;
mod steps;
mod test_message;
mod text;
mod tls;
mod webhook;
mod wechat;
mod wecom;
