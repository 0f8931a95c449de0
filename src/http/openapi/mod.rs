//! The OpenAPI document, and a page to read it on.
//!
//! Before: `http::routes` collects the description of each handler. After: `/openapi.json`, `/docs`.
//! Promise: no route can be added without its description (`routes!` takes both from the handler); the page loads
//! nothing from anywhere else.
//!
//! To describe a route: `#[utoipa::path(…)]` on the handler, which is named as its path; `utoipa::ToSchema` on the
//! answer; `HttpError` among the responses; the shape of the body in a file here, and how the fleet sends it in
//! [`EXAMPLES`].

mod device;
mod health;
mod page;

use axum::extract::Extension;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde_json::{Map, Value, json};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};

use super::error::OpenErrors;
use super::headers::Cacheable;
use crate::config::Authentication;
pub(super) use device::{DeviceInfoUpload, EventUpload, WatchLogUpload};
pub(super) use health::{HealthBatch, HealthUpload};
pub(super) use page::{__path_docs, __path_docs_file, __path_root, docs, docs_file, root};

/// What the document says besides its routes.
#[derive(OpenApi)]
#[openapi(
    info(title = "vitals", description = include_str!("about.md")),
    tags(
        (name = "devices", description = "What watches, phones and gateways send."),
        (name = "reading", description = "People, devices, and what they recorded, for programs and spreadsheets; as JSON, NDJSON or CSV. It takes a key with the scope `read`; one of a tenant or a unit sees that tenant or unit."),
        (name = "alerts", description = "What care staff and their programs ask and do. To look takes a key with the scope `read` or `respond`, to act on alerts one with `respond`, to change rules one with `admin`."),
        (name = "operators", description = "What those who run the service ask."),
        (name = "pages", description = "What people look at in a browser. A reader without a session is led to `/login`."),
        (name = "people", description = "Logging in and out. A browser that is logged in may do what a key with the scopes of the role does, in the tenant or unit of the grant in use: viewer (`read`), responder (`read`, `respond`), admin (`read`, `respond`, `admin`). A change needs `Sec-Fetch-Site: same-origin`, or the `Origin` of the service, which browsers send by themselves."),
        (name = "readers", description = "This document.")
    ),
    modifiers(&Keys)
)]
pub(super) struct DocumentHead;

/// How a key is sent.
struct Keys;

impl Modify for Keys {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let components = document.components.get_or_insert_default();
        for (name, scheme, description) in [
            ("bearer", HttpAuthScheme::Bearer, "A key of `vitals keys`"),
            ("basic", HttpAuthScheme::Basic, "A key of `vitals keys` as the password; any user"),
        ] {
            let scheme = HttpBuilder::new().scheme(scheme).description(Some(description)).build();
            components.add_security_scheme(name, SecurityScheme::Http(scheme));
        }
    }
}

/// `tests/fixtures/<name>.json`.
macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/", $name, ".json"))
    };
}

/// Bodies as the fleet sends them: path, name, who sends it, text.
const EXAMPLES: &[(&str, &str, &str, &str)] = &[
    ("/upload_health_data", "watch_single", "a watch: one sample", fixture!("watch_single")),
    ("/upload_health_data", "watch_array", "a watch: cached samples", fixture!("watch_array")),
    ("/upload_health_data", "phone_envelope", "the phone app", fixture!("phone_envelope")),
    ("/upload_health_data", "older_phone_path", "an older phone app", fixture!("older_phone_path")),
    ("/upload_health_data", "pinyin", "the oldest names; ids beside the item", fixture!("pinyin")),
    ("/upload_health_data_batch", "batch", "a gateway; two records cannot be stored", fixture!("batch")),
    ("/upload_device_info", "watch_device_info", "a watch", fixture!("watch_device_info")),
    ("/upload_device_info", "phone_device_info", "the phone app", fixture!("phone_device_info")),
    ("/upload_common_event", "watch_event", "a watch: an alarm with its sample", fixture!("watch_event")),
    ("/upload_common_event", "phone_event", "the phone app", fixture!("phone_event")),
    ("/upload_watch_log", "watch_log", "a watch", fixture!("watch_log")),
];

/// The document as it is served.
#[derive(Debug, Clone)]
pub(super) struct Document(Bytes);

impl Document {
    /// Adds the examples to what the routes say, and writes it down once. Where nobody is asked for a key, no route says it
    /// needs one.
    pub(super) fn new(api: &utoipa::openapi::OpenApi, authentication: Authentication) -> Self {
        let mut document = serde_json::to_value(api).expect("a document is JSON");
        for (path, name, summary, text) in EXAMPLES {
            let value: Value = serde_json::from_str(text).expect("fixtures are JSON");
            let body = &mut document["paths"][*path]["post"]["requestBody"]["content"]["application/json"];
            body["examples"][*name] = json!({ "summary": summary, "value": value });
        }
        if authentication == Authentication::Off {
            for operation in operations(&mut document) {
                operation.remove("security");
            }
        }
        Self(document.to_string().into())
    }
}

fn operations(document: &mut Value) -> impl Iterator<Item = &mut Map<String, Value>> {
    let paths = document["paths"].as_object_mut().into_iter().flat_map(Map::values_mut);
    paths.filter_map(Value::as_object_mut).flat_map(Map::values_mut).filter_map(Value::as_object_mut)
}

/// This document
#[utoipa::path(get, path = "/openapi.json", tag = "readers", security(()), responses(
    OpenErrors,
    (status = 200, description = "What this version of the service does, as OpenAPI 3.1", body = Value),
))]
pub(super) async fn openapi_json(Extension(Document(json)): Extension<Document>) -> Response {
    (Extension(Cacheable), [(header::CONTENT_TYPE, "application/json")], json).into_response()
}
