//! `/assets/{name}`: the style, the module and the icon of the pages.
//!
//! Before: a page has named the file with the hash of its content. After: the browser keeps it for ever.

use std::io::Write;
use std::sync::LazyLock;

use axum::Extension;
use axum::extract::Path;
use axum::http::{HeaderMap, HeaderValue, Uri, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;

use super::super::error::{OpenErrors, no_such_route};
use super::super::headers::Cacheable;
use super::preferences::parameter;
use crate::page::assets::{self, Asset};

/// A year, the longest that caches are said to keep anything.
const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// The address names no content, or another one than this: a page of another version may ask.
const REVALIDATE: &str = "no-cache";

static PACKED: LazyLock<Vec<(&'static str, Bytes)>> =
    LazyLock::new(|| assets::all().iter().map(|asset| (asset.name, packed(asset.body))).collect());

fn packed(body: &str) -> Bytes {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder
        .write_all(body.as_bytes())
        .and_then(|()| encoder.finish())
        .expect("memory takes every byte")
        .into()
}

/// A file that pages load
#[utoipa::path(get, path = "/assets/{name}", tag = "pages", security(()),
    params(
        ("name" = String, Path, description = "Name of the file", example = "style.css"),
        ("v" = Option<String>, Query, description = "Hash of its content: with it the file may be kept for ever"),
    ),
    responses(
        OpenErrors,
        (status = 200, description = "The file", content((String = "text/css"), (String = "text/javascript"), (String = "image/svg+xml"))),
        (status = 404, description = "There is no such file", body = super::super::error::ErrorAnswer),
    ))]
pub(in crate::http) async fn get_assets_name(
    Path(name): Path<String>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let Some(asset) = assets::find(&name) else { return no_such_route().await };
    let is_current = parameter(&uri, "v") == Some(asset.hash.as_str());
    let kept = [
        (header::CACHE_CONTROL, HeaderValue::from_static(if is_current { FOR_EVER } else { REVALIDATE })),
        (header::VARY, HeaderValue::from_static("Accept-Encoding")),
        (header::CONTENT_TYPE, HeaderValue::from_static(asset.content_type)),
    ];
    (Extension(Cacheable), kept, body(asset, &headers)).into_response()
}

fn body(asset: &'static Asset, headers: &HeaderMap) -> Response {
    let unpacks = headers
        .get_all(header::ACCEPT_ENCODING)
        .iter()
        .any(|accepted| accepted.to_str().is_ok_and(|accepted| accepted.contains("gzip")));
    match PACKED.iter().find(|(name, _)| unpacks && *name == asset.name) {
        Some((_, packed)) => ([(header::CONTENT_ENCODING, "gzip")], packed.clone()).into_response(),
        None => asset.body.into_response(),
    }
}
