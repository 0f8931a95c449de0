//! The HTTP API: the whole route table on one screen.
//!
//! Before: devices, care staff, operators and Prometheus; `access` has authenticated them. After: `wire` reads, `ingest` commits,
//! `http::error` answers.
//! Promise: every answer is JSON (except `/metrics` and the pages); every error says what is wrong, and the service goes
//! on.

mod access;
mod access_log;
mod api;
mod body;
mod connections;
mod cors;
mod device_config;
mod device_info;
mod elsewhere;
mod error;
mod event;
mod headers;
mod health;
mod item_errors;
mod measure;
mod openapi;
mod operations;
mod page;
mod read_body;
pub mod retention;
pub mod server;
mod services;
mod session;
mod state;
mod submit;
pub mod tls;
pub mod unknown_names;
mod watch_log;

use std::sync::Arc;

use axum::Router;
use axum::extract::Extension;
use axum::middleware::{from_fn, from_fn_with_state};
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::config::Settings;
pub use access::Callers;
pub use error::HttpError;
pub use services::{Services, TestSender};
pub use state::State;

/// Every route. A handler is named after its path, below `/api/` with the method in front, and documents itself what it takes and
/// returns.
fn routes() -> OpenApiRouter<Arc<State>> {
    OpenApiRouter::with_openapi(openapi::DocumentHead::openapi()).merge(uploads()).merge(readers())
}

/// What devices send, over and over.
fn uploads() -> OpenApiRouter<Arc<State>> {
    OpenApiRouter::new()
        .routes(routes!(health::upload_health_data))
        .routes(routes!(health::upload_health_data_batch))
        .routes(routes!(device_info::upload_device_info))
        .routes(routes!(event::upload_common_event))
        .routes(routes!(watch_log::upload_watch_log))
}

/// All other routes.
fn readers() -> OpenApiRouter<Arc<State>> {
    OpenApiRouter::new()
        .routes(routes!(device_config::fetch_health_data_config))
        // care staff and their programs
        .routes(routes!(api::alert::get_api_alerts))
        .routes(routes!(api::alert::get_api_alerts_summary))
        .routes(routes!(api::alert::get_api_alerts_id))
        .routes(routes!(api::alert_step::post_api_alerts_id_acknowledge))
        .routes(routes!(api::alert_step::post_api_alerts_id_resolve))
        .routes(routes!(api::alert_step::post_api_alerts_id_note))
        .routes(routes!(api::alert_assignment::post_api_alerts_id_assign))
        .routes(routes!(api::alert_silence::get_api_alerts_silences))
        .routes(routes!(api::alert_silence::post_api_alerts_silences))
        .routes(routes!(api::alert_silence::delete_api_alerts_silences_id))
        .routes(routes!(api::alert_rule::get_api_alerts_rules))
        .routes(routes!(api::alert_rule::post_api_alerts_rules))
        .routes(routes!(api::alert_rule::get_api_alerts_rules_id))
        .routes(routes!(api::alert_rule::put_api_alerts_rules_id))
        .routes(routes!(api::alert_rule::delete_api_alerts_rules_id))
        .routes(routes!(api::alert_rule::get_api_alerts_rules_id_versions))
        .routes(routes!(api::contact::get_api_contacts))
        .routes(routes!(api::contact_address::get_api_contact_addresses))
        .routes(routes!(api::contact_address::post_api_contact_addresses))
        .routes(routes!(api::contact_address::patch_api_contact_addresses_id))
        .routes(routes!(api::contact_address::delete_api_contact_addresses_id))
        .routes(routes!(api::contact_address::post_api_contact_addresses_id_test))
        .routes(routes!(api::notification_route::get_api_notification_routes))
        .routes(routes!(api::notification_route::post_api_notification_routes))
        .routes(routes!(api::notification_route::get_api_notification_routes_id))
        .routes(routes!(api::notification_route::put_api_notification_routes_id))
        .routes(routes!(api::notification_route::delete_api_notification_routes_id))
        .routes(routes!(api::route_test::post_api_notification_routes_id_test))
        .routes(routes!(api::shift::get_api_shifts))
        .routes(routes!(api::shift::post_api_shifts))
        .routes(routes!(api::shift::delete_api_shifts_id))
        .routes(routes!(api::device_clock::get_api_device_clocks))
        // readers of health data
        .routes(routes!(api::reading::overview::get_api_overview))
        .routes(routes!(api::reading::person::get_api_people))
        .routes(routes!(api::reading::person::get_api_people_id))
        .routes(routes!(api::reading::person::get_api_people_id_latest))
        .routes(routes!(api::reading::series::get_api_people_id_series))
        .routes(routes!(api::reading::record::get_api_people_id_nights))
        .routes(routes!(api::reading::record::get_api_people_id_exercise))
        .routes(routes!(api::reading::record::get_api_people_id_workouts))
        .routes(routes!(api::reading::record::get_api_people_id_events))
        .routes(routes!(api::reading::record::get_api_people_id_track))
        .routes(routes!(api::reading::device::get_api_devices))
        .routes(routes!(api::reading::device::get_api_devices_sn))
        .routes(routes!(api::reading::device::get_api_devices_sn_latest))
        .routes(routes!(api::reading::series::get_api_devices_sn_series))
        .routes(routes!(api::reading::record::get_api_devices_sn_nights))
        .routes(routes!(api::reading::record::get_api_devices_sn_exercise))
        .routes(routes!(api::reading::record::get_api_devices_sn_workouts))
        .routes(routes!(api::reading::record::get_api_devices_sn_events))
        .routes(routes!(api::reading::record::get_api_devices_sn_track))
        .routes(routes!(api::reading::series::get_api_series))
        // pages
        .routes(routes!(page::wall::get_wall))
        .routes(routes!(page::wall::get_fragments_part))
        .routes(routes!(page::login::get_login))
        .routes(routes!(page::asset::get_assets_name))
        .routes(routes!(page::alerts::get_alerts))
        .routes(routes!(page::alerts::get_alerts_id))
        .routes(routes!(page::alerts::get_fragments_alert_list))
        .routes(routes!(page::alert_steps::post_alerts_actions))
        .routes(routes!(page::alert_steps::post_alerts_id_acknowledge))
        .routes(routes!(page::alert_steps::post_alerts_id_note))
        .routes(routes!(page::alert_steps::post_alerts_id_assign))
        .routes(routes!(page::alert_steps::post_alerts_id_silence))
        .routes(routes!(page::alert_steps::post_alerts_id_resolve))
        .routes(routes!(page::people::get_people))
        .routes(routes!(page::people::get_devices))
        .routes(routes!(page::person::get_people_id))
        .routes(routes!(page::person::get_devices_sn))
        .routes(routes!(page::person::get_fragments_person_now))
        .routes(routes!(page::limits::post_people_id_limits))
        // administrators with a browser
        .routes(routes!(page::admin::get_admin))
        .routes(routes!(page::admin::rules::get_admin_rules))
        .routes(routes!(page::admin::rules::get_admin_rules_id))
        .routes(routes!(page::admin::rules::post_admin_rules))
        .routes(routes!(page::admin::rules::post_admin_rules_id))
        .routes(routes!(page::admin::silences::get_admin_silences))
        .routes(routes!(page::admin::silences::post_admin_silences_id))
        .routes(routes!(page::admin::keys::get_admin_keys))
        .routes(routes!(page::admin::keys::post_admin_keys))
        .routes(routes!(page::admin::keys::post_admin_keys_id))
        .routes(routes!(page::admin::policies::get_admin_policies))
        .routes(routes!(page::admin::policies::post_admin_policies))
        .routes(routes!(page::admin::shifts::get_admin_shifts))
        .routes(routes!(page::admin::shifts::post_admin_shifts))
        .routes(routes!(page::admin::shifts::post_admin_shifts_id))
        .routes(routes!(page::admin::contacts::get_admin_contacts))
        .routes(routes!(page::admin::contacts::post_admin_contacts_addresses))
        .routes(routes!(page::admin::contacts::post_admin_contacts_addresses_id))
        .routes(routes!(page::admin::routes::post_admin_contacts_routes))
        .routes(routes!(page::admin::routes::post_admin_contacts_routes_id))
        .routes(routes!(page::admin::accounts::get_admin_accounts))
        .routes(routes!(page::admin::accounts::post_admin_accounts))
        .routes(routes!(page::admin::accounts::post_admin_accounts_id))
        .routes(routes!(page::admin::kiosks::post_admin_kiosks))
        .routes(routes!(page::admin::kiosks::post_admin_kiosks_id))
        .routes(routes!(page::admin::rejected::get_admin_rejected))
        .routes(routes!(page::admin::rejected::post_admin_rejected))
        // operators
        .routes(routes!(operations::livez))
        .routes(routes!(operations::health))
        .routes(routes!(operations::readyz))
        .routes(routes!(operations::metrics))
        .routes(routes!(api::health::get_api_health))
        .routes(routes!(api::stats::get_api_stats))
        .routes(routes!(api::batch_processor::get_api_batch_processor_health))
        .routes(routes!(api::batch_processor::get_api_batch_processor_metrics))
        .routes(routes!(api::system_alert::get_api_system_alerts))
        .routes(routes!(api::connections::get_api_connections))
        // people
        .routes(routes!(session::post_login))
        .routes(routes!(session::get_login_oidc))
        .routes(routes!(session::get_login_oidc_callback))
        .routes(routes!(session::post_logout))
        .routes(routes!(session::post_session_grant))
        .routes(routes!(session::post_session_language))
        .routes(routes!(session::get_kiosk_token))
        // readers
        .routes(routes!(api::stream::get_api_stream))
        .routes(routes!(openapi::root))
        .routes(routes!(openapi::openapi_json))
        .routes(routes!(openapi::docs))
        .routes(routes!(openapi::docs_file))
}

/// The routes, and the layers around them. Each layer copies what is inside of it for each request: an upload has those alone that do
/// something for it.
pub fn router(state: Arc<State>, settings: &Settings) -> Router {
    let document = openapi::Document::new(&routes().into_openapi(), settings.authentication);
    let (uploads, _) = uploads().split_for_parts();
    let uploads = uploads
        .method_not_allowed_fallback(error::wrong_method)
        .layer(from_fn_with_state(state.clone(), elsewhere::pass_on))
        .layer(from_fn_with_state(state.clone(), access::check));
    let (readers, _) = readers().split_for_parts();
    let readers = readers
        .fallback(error::no_such_route)
        .method_not_allowed_fallback(error::wrong_method)
        .layer(from_fn_with_state(state.clone(), access_log::note))
        .layer(Extension(document))
        .layer(from_fn_with_state(state.clone(), api::note_change))
        .layer(from_fn_with_state(state.clone(), access::check))
        .layer(from_fn_with_state(state.clone(), page::refusal::show))
        .layer(from_fn_with_state(settings.language, error::localize));
    let routes = readers.merge(uploads).layer(from_fn(measure::measure));
    headers::add(cors::add(routes, settings), settings).with_state(state)
}
