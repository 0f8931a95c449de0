//! Telling people: who is told, by which way, and what becomes of it.

mod delivery;
mod details;
mod email;
mod house;
mod robots;
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
