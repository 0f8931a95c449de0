//! `GET /api/connections`: who has connections to this instance open.
//!
//! Before: operators. After: `http::connections`. Promise: answered from memory, whatever is away.

use std::sync::Arc;

use axum::Json;
use axum::extract::State as Shared;
use serde::Serialize;
use utoipa::ToSchema;

use super::ApiError;
use super::query::Parameters;
use crate::http::State;
use crate::http::connections::Holder;
use crate::http::error::ListErrors;

/// Addresses and networks that are listed.
const MOST: usize = 20;

/// The open connections of this instance
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http) struct ConnectionReport {
    /// That are open
    open: usize,
    /// That may be open
    limit: usize,
    /// That one address may hold, unless it is a trusted proxy's
    address_limit: usize,
    /// That one network may hold
    network_limit: usize,
    /// What they do
    states: ConnectionStates,
    /// The addresses (IPv6: the /64) that hold most, at most 20
    addresses: Vec<ConnectionHolder>,
    /// The networks (IPv4 /24, IPv6 /48) that hold most, at most 20
    networks: Vec<ConnectionHolder>,
}

/// How many connections do what
#[derive(Debug, Serialize, ToSchema)]
struct ConnectionStates {
    /// Shake hands
    handshake: usize,
    /// Wait for a request
    waiting: usize,
    /// Have a request read or answered
    answering: usize,
}

/// Who holds connections
#[derive(Debug, Serialize, ToSchema)]
struct ConnectionHolder {
    /// The address, or the network
    #[schema(examples("192.0.2.1"))]
    of: String,
    /// How many
    connections: usize,
    /// How many of them have a request read or answered
    answering: usize,
    /// How long the oldest of them has been open, seconds
    oldest_seconds: f64,
}

/// Who holds the connections
#[utoipa::path(get, path = "/api/connections", tag = "operators",
    security(("bearer" = ["read"]), ("basic" = ["read"])),
    responses((status = 200, description = "Those of this instance", body = ConnectionReport), ListErrors))]
pub(in crate::http) async fn get_api_connections(
    Shared(state): Shared<Arc<State>>,
    parameters: Parameters,
) -> Result<Json<ConnectionReport>, ApiError> {
    parameters.end()?;
    let connections = state.connections();
    let limits = connections.limits();
    let [handshake, waiting, answering] = connections.by_state().map(|(_, count)| count);
    Ok(Json(ConnectionReport {
        open: handshake + waiting + answering,
        limit: limits.all,
        address_limit: limits.per_address,
        network_limit: limits.per_network,
        states: ConnectionStates { handshake, waiting, answering },
        addresses: connections.addresses(MOST).into_iter().map(holder).collect(),
        networks: connections.networks(MOST).into_iter().map(holder).collect(),
    }))
}

fn holder<K: ToString>(holder: Holder<K>) -> ConnectionHolder {
    ConnectionHolder {
        of: holder.of.to_string(),
        connections: holder.connections,
        answering: holder.answering,
        oldest_seconds: holder.oldest.elapsed().as_secs_f64(),
    }
}
