//! Telling people: who is told, by which way, and what becomes of it.

mod delivery;
mod email;
mod house;
mod routing;
mod sharing;
mod steps;
mod text;
mod tls;
mod webhook;
mod wechat;
mod wecom;
