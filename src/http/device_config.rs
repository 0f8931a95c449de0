//! `GET /fetch_health_data_config`: what a watch reads at start and every few hours.
//!
//! Before: a watch, which waits 2 s. After: `store::device_config` has what DBAs set.
//! Promise: an answer within [`super::access::CONFIG_KEY_TIMEOUT`] plus [`TIMEOUT`]; with an empty database the defaults make a
//! working watch; a watch that lives in another cell is given the URLs of that cell, with the key that it has here. Source: the wire contract,
//! section 4.

mod enrolment;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Extension, Query, State as Shared};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, header};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use super::State;
use super::access::Caller;
use super::error::{AccessError, ConfigError, ConfigRefusal};
use crate::store::device_config::{self, DeviceConfig, Interface, Metric};
use crate::store::{Kind, StoreError};
use enrolment::Header;

/// Longest time for the database: a watch waits 2 s, and then falls back to what it was built with.
const TIMEOUT: Duration = Duration::from_millis(1400);

/// What the firmware reads as "none".
const NONE: i32 = -1;

/// Stands for an empty part of an interface: the firmware drops empty parts at the end, and then reads one that is missing.
const NOTHING: &str = "None";

/// The configuration of a watch
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ConfigAnswer {
    /// The tenant, up to 19 digits; "0": none
    #[schema(examples("1939964806110937090"))]
    customer_id: String,
    /// The organisation unit; absent where there is none
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    org_id: Option<i64>,
    /// The wearer; absent where there is none
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<i64>,
    /// Name of the tenant; empty: none
    customer_name: String,
    /// "wifi" or "bluetooth"
    #[schema(examples("wifi"))]
    upload_method: String,
    /// 1: the watch checks its licence
    is_support_license: u8,
    license_key: i32,
    /// Samples the watch keeps while it cannot upload
    cache_max_count: i32,
    /// 1: kept samples are uploaded later
    enable_resume: u8,
    upload_retry_count: i32,
    /// Seconds
    upload_retry_interval: i32,
    /// Type → "intervalSec:collect:realtime:warnHigh:warnLow:warnCount"; -1: none
    #[schema(example = json!({ "heart_rate": "20:1:1:120.0:50.0:5" }))]
    health_data: BTreeMap<String, String>,
    /// Name → "url;intervalSec;enabled;apiId;authHeader"; an interval of 0 stops it, "None" is none
    #[schema(example = json!({ "健康数据上传接口": "http://127.0.0.1:8080/upload_health_data;60;1;None;None" }))]
    interface_data: BTreeMap<String, String>,
}

/// How a watch says which it is
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "the document has to tell what is read from pairs")]
pub(super) struct ConfigParams {
    /// The tenant it was given last; empty or 0: none. Also: `customerId`.
    #[param(example = "1939964806110937090")]
    customer_id: Option<String>,
    /// Its serial. Also: `device_sn`.
    #[param(rename = "deviceSn", example = "CRFTQ23409001890")]
    device_sn: Option<String>,
}

type Parameters = Vec<(String, String)>;

/// What a watch reads at start and every few hours
///
/// A bound device gets the configuration of its own tenant, whatever it names; another device that of the tenant it names, or the defaults. While no
/// tenant is known at all, any may be named. With a key of one tenant: that of the key. Without any key, where keys are asked for:
/// whoever `enrolment` says, with a key of the device in `interface_data`, good for its uploads alone; who comes with such a key is
/// handed the same. A device that lives in another cell gets the URLs of that cell.
#[utoipa::path(get, path = "/fetch_health_data_config", tag = "devices", params(ConfigParams),
    security((), ("bearer" = ["upload", "own_tenant"]), ("basic" = ["upload", "own_tenant"])), responses(
    AccessError,
    (status = 200, description = "What to measure, and where to send it", body = ConfigAnswer),
    (status = 400, description = "Nobody knows the tenant that is named", body = ConfigRefusal),
    (status = 500, description = "A fault of the service; its log says more", body = ConfigRefusal),
    (status = 503, description = "The database does not answer in time", body = ConfigRefusal,
        headers(("Retry-After" = u64, description = "Seconds after which to come again"))),
))]
pub(super) async fn fetch_health_data_config(
    Shared(state): Shared<Arc<State>>,
    parameters: Result<Query<Parameters>, QueryRejection>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
) -> Result<Json<ConfigAnswer>, ConfigError> {
    let Query(parameters) = parameters.unwrap_or_default();
    let named = value(&parameters, &["deviceSn", "device_sn"])
        .filter(|device_sn| !device_sn.contains(char::is_control))
        .unwrap_or_default();
    let device_sn = state.requested_device(named, &caller)?;
    let customer_id = state.requested_tenant(customer_id(&parameters)?, &caller)?;
    let base_url = state.base_url(&headers);
    let answering = async {
        match device_config::read(&state.store, customer_id, device_sn).await {
            Ok(Some(mut config)) => {
                let base_url = state.base_url_of_cell(&mut config, device_sn, base_url);
                // If an operator has set a header for every interface of this service, no device key is needed.
                let lacks_header =
                    config.interfaces.iter().any(|one| is_ours(one, &base_url) && !one.has_header());
                let header = state.header_for(&config, device_sn, &caller, lacks_header).await?;
                Ok(Json(answer(config, &base_url, &header)))
            }
            Ok(None) => Err(ConfigError::Tenant(format!("customer {customer_id} is not known"))),
            Err(error) => Err(refusal(&error)),
        }
    };
    tokio::time::timeout(TIMEOUT, answering).await.unwrap_or(Err(ConfigError::Unavailable))
}

/// The first of these parameters that holds a value.
fn value<'a>(parameters: &'a Parameters, names: &[&str]) -> Option<&'a str> {
    names
        .iter()
        .flat_map(|name| parameters.iter().filter(move |(given, _)| given == name))
        .map(|(_, value)| value.trim())
        .find(|value| !matches!(*value, "" | "null"))
}

/// The tenant that is named; 0: none is.
fn customer_id(parameters: &Parameters) -> Result<i64, ConfigError> {
    let Some(text) = value(parameters, &["customer_id", "customerId"]) else { return Ok(0) };
    match text.parse::<i64>() {
        Ok(id) if id >= 0 => Ok(id),
        _ => Err(ConfigError::Tenant("customer_id is not a number of at most 64 bits".to_owned())),
    }
}

fn refusal(error: &StoreError) -> ConfigError {
    match error.kind() {
        Kind::Down | Kind::Retry => ConfigError::Unavailable,
        Kind::Conflict | Kind::Refused | Kind::Bug => {
            tracing::error!(%error, "configuration of a device not read");
            ConfigError::Failed
        }
    }
}

fn answer(config: DeviceConfig, base_url: &str, header: &Header) -> ConfigAnswer {
    ConfigAnswer {
        customer_id: config.owner.customer_id.unwrap_or(0).to_string(),
        org_id: config.owner.org_id,
        user_id: config.owner.user_id,
        customer_name: config.customer_name,
        upload_method: config.upload_method,
        is_support_license: config.is_support_license.into(),
        license_key: config.license_key,
        cache_max_count: config.cache_max_count,
        enable_resume: config.enable_resume.into(),
        upload_retry_count: config.upload_retry_count,
        upload_retry_interval: config.upload_retry_interval_seconds,
        health_data: config.metrics.into_iter().map(metric).collect(),
        interface_data: config.interfaces.into_iter().map(|one| interface(one, base_url, header)).collect(),
    }
}

fn metric(metric: Metric) -> (String, String) {
    let bound = |value: Option<f64>| value.map_or(NONE.to_string(), |value| format!("{value:.1}"));
    let text = format!(
        "{}:{}:{}:{}:{}:{}",
        metric.interval_seconds.unwrap_or(NONE),
        u8::from(metric.collect),
        u8::from(metric.realtime),
        bound(metric.warn_high),
        bound(metric.warn_low),
        metric.warn_count.unwrap_or(NONE)
    );
    (metric.metric, text)
}

/// Whether it belongs to this service.
fn is_ours(Interface { path, .. }: &Interface, base_url: &str) -> bool {
    let is_below = || path.strip_prefix(base_url).is_some_and(|rest| rest.starts_with('/'));
    path.starts_with('/') || !base_url.is_empty() && is_below()
}

fn interface(interface: Interface, base_url: &str, header: &Header) -> (String, String) {
    let is_ours = is_ours(&interface, base_url);
    let Interface { name, path, interval_seconds, enabled, api_id, auth_header } = interface;
    let auth_header = header.of(auth_header, is_ours);
    let base_url = if path.starts_with('/') { base_url } else { "" };
    // The firmware reads only the interval.
    let interval_seconds = if enabled { interval_seconds } else { 0 };
    let [api_id, auth_header] =
        [&api_id, &auth_header].map(|part| if part.trim().is_empty() { NOTHING } else { part.as_str() });
    (name, format!("{base_url}{path};{interval_seconds};{};{api_id};{auth_header}", u8::from(enabled)))
}

impl State {
    /// Where the watch that sent these headers reaches this service.
    fn base_url(&self, headers: &HeaderMap) -> String {
        let requested = || {
            let host = headers.get(header::HOST)?.to_str().ok()?.parse::<Authority>().ok()?;
            // A semicolon is allowed in a host, but ends a URL for the watch.
            (!host.as_str().contains([';', '@'])).then(|| format!("{}://{host}", self.scheme))
        };
        self.public_url.clone().or_else(requested).unwrap_or_default()
    }
}

impl State {
    /// Where the watch reaches the cell in which it lives, which may be another one; `own` is where it reaches this service. The interfaces
    /// that are this service's become those of that cell.
    fn base_url_of_cell(&self, config: &mut DeviceConfig, device_sn: &str, own: String) -> String {
        let placements = self.cells.placements();
        let Some(cell) = placements.elsewhere(config.owner.customer_id.unwrap_or_default(), device_sn) else {
            return own;
        };
        for interface in config.interfaces.iter_mut().filter(|one| is_ours(one, &own)) {
            if let Some(path) = interface.path.strip_prefix(&own) {
                interface.path = path.to_owned();
            }
        }
        cell.public_url.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameters(pairs: &[(&str, &str)]) -> Parameters {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn the_first_spelling_that_holds_a_value_wins() {
        let given = parameters(&[("customerId", "7"), ("customer_id", ""), ("customer_id", "null")]);
        assert_eq!(customer_id(&given).ok(), Some(7));
        let given = parameters(&[("customerId", "7"), ("customer_id", "1939964806110937090")]);
        assert_eq!(customer_id(&given).ok(), Some(1_939_964_806_110_937_090));
        assert_eq!(customer_id(&parameters(&[])).ok(), Some(0));
    }

    #[test]
    fn a_tenant_that_is_no_number_is_refused() {
        for text in ["abc", "-1", "9223372036854775808", "1.0"] {
            assert!(customer_id(&parameters(&[("customer_id", text)])).is_err(), "{text}");
        }
    }

    #[test]
    fn the_key_of_a_device_goes_to_this_service_alone() {
        let sent = |path: &str, set: &str, header: &Header| {
            let interface_set = Interface {
                name: "n".into(),
                path: path.into(),
                interval_seconds: 60,
                enabled: true,
                api_id: String::new(),
                auth_header: set.into(),
            };
            interface(interface_set, "https://v.example", header).1.splitn(5, ';').nth(4).map(str::to_owned)
        };
        let sent = |path: &str, set: &str, header: &Header| sent(path, set, header).expect("five parts");
        let own = Header::OfDevice("Bearer own".into());
        assert_eq!(sent("/a", "Bearer set", &own), "Bearer own");
        assert_eq!(sent("https://v.example/a", "Bearer set", &own), "Bearer own");
        assert_eq!(sent("https://v.example.org/a", "Bearer set", &own), "None");
        let as_set = Header::AsSet(Some("Bearer own".into()));
        assert_eq!(sent("/a", "Bearer set", &as_set), "Bearer set");
        assert_eq!(sent("/a", "", &as_set), "Bearer own");
        assert_eq!(sent("https://v.example.org/a", "", &as_set), "None");
        assert_eq!(sent("https://v.example.org/a", "Bearer set", &as_set), "Bearer set");
    }

    #[test]
    fn what_is_not_set_is_minus_one() {
        let none = Metric {
            metric: "ecg".into(),
            interval_seconds: None,
            collect: false,
            realtime: false,
            warn_high: None,
            warn_low: None,
            warn_count: None,
        };
        assert_eq!(metric(none).1, "-1:0:0:-1:-1:-1");
    }
}
