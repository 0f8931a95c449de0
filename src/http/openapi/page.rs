//! The page on which the document can be read and tried: Swagger UI, from the binary.
//!
//! Before: a person with a browser. After: the browser reads `/openapi.json`.
//! Promise: nothing is loaded from another server, and a header forbids it to the browser.

use std::io::Read;
use std::sync::{Arc, LazyLock};

use axum::extract::{Extension, Path};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use flate2::read::GzDecoder;
use utoipa_swagger_ui::{Config, SwaggerFile};

use super::super::error::{OpenErrors, no_such_route};
use super::super::headers::Cacheable;

/// Relative to `/docs`, so that it holds behind a prefix too.
static CONFIG: LazyLock<Arc<Config<'static>>> = LazyLock::new(|| {
    // The validator is a service on the internet.
    Arc::new(Config::from("openapi.json").validator_url("none").deep_linking(true))
});

/// Scripts and pictures from here only; Swagger UI sets styles inline and holds a few pictures as data.
const ONLY_FROM_HERE: &str =
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'";

/// This document, to be read and tried
#[utoipa::path(get, path = "/docs", tag = "readers", security(()), responses(
    OpenErrors,
    (status = 200, description = "A page that needs scripts, and nothing from elsewhere", content_type = "text/html", body = String),
))]
pub(in crate::http) async fn docs() -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, ONLY_FROM_HERE),
    ];
    (Extension(Cacheable), headers, include_str!("docs.html")).into_response()
}

/// Leads a browser to the wall, and everybody else to this document
#[utoipa::path(get, path = "/", tag = "readers", security(()), responses(
    OpenErrors,
    (status = 303, description = "A browser (`Accept: text/html`) finds its page at `wall`, others at `docs`",
        headers(("location" = String, description = "Relative to this address"))),
))]
pub(in crate::http) async fn root(headers: HeaderMap) -> Response {
    let accepts_pages =
        |accepted: &HeaderValue| accepted.to_str().is_ok_and(|accepted| accepted.contains("text/html"));
    let is_browser = headers.get_all(header::ACCEPT).iter().any(accepts_pages);
    // Relative, so that it holds behind a prefix too.
    let address = [(header::LOCATION, if is_browser { "wall" } else { "docs" }), (header::VARY, "Accept")];
    (axum::http::StatusCode::SEE_OTHER, address).into_response()
}

/// Scripts and styles of the page
#[utoipa::path(get, path = "/docs/{file}", tag = "readers", security(()),
    params(("file" = String, Path, description = "Name of a file of Swagger UI", example = "swagger-ui.css")),
    responses(
        OpenErrors,
        (status = 200, description = "The file", content((String = "text/css"), (String = "text/javascript"),
            (String = "text/html"), (String = "image/png"))),
        (status = 404, description = "There is no such file", body = super::super::error::ErrorAnswer),
    ))]
pub(in crate::http) async fn docs_file(Path(file): Path<String>, headers: HeaderMap) -> Response {
    let found = utoipa_swagger_ui::serve(&file, Arc::clone(&CONFIG)).ok().flatten();
    match found {
        Some(file) => whole_file(file, &headers),
        None => no_such_route().await,
    }
}

/// Packed, unless the client cannot unpack.
fn whole_file(file: SwaggerFile<'static>, headers: &HeaderMap) -> Response {
    let content_type = (Extension(Cacheable), [(header::CONTENT_TYPE, file.content_type)]);
    if !file.gzpipped {
        return (content_type, file.bytes.into_owned()).into_response();
    }
    let unpacks = headers
        .get_all(header::ACCEPT_ENCODING)
        .iter()
        .any(|accepted| accepted.to_str().is_ok_and(|accepted| accepted.contains("gzip")));
    if unpacks {
        return (content_type, [(header::CONTENT_ENCODING, "gzip")], file.bytes.into_owned()).into_response();
    }
    let mut unpacked = Vec::new();
    match GzDecoder::new(file.bytes.as_ref()).read_to_end(&mut unpacked) {
        Ok(_) => (content_type, unpacked).into_response(),
        Err(_) => axum::http::StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
