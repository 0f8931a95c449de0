//! The pages that people look at, as HTML: `layout` is the shell, each page has a file, `assets` holds the style and the module.
//!
//! Before: a handler of `http::page` has the values and the reader. After: the browser.
//! Promise: pure. A page is a function of its values, knows neither HTTP nor the database, and escapes every word that came from a
//! device or a person. No page has a script or a style inside it, so the Content-Security-Policy needs no exception.
//!
//! How to add a page: README.md beside this file.

pub mod admin;
pub mod alert;
pub mod alert_steps;
pub mod alerts;
pub mod assets;
pub mod chart;
pub mod device;
pub mod field;
pub mod format;
pub mod layout;
pub mod limits;
pub mod link;
pub mod login;
mod nav;
pub mod people;
pub mod person;
mod preferences;
pub mod record;
mod record_tables;
mod shortcuts;
pub mod state;
pub mod track;
pub mod vital;
pub mod wall;
pub mod when;

pub use layout::{Frame, document};
pub use maud::{Markup, PreEscaped};
pub use preferences::Theme;

/// Of the program: a page that is older than the service it talks to loads itself anew.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
