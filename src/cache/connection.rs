//! A connection to a single Redis, or to a Redis Cluster: whichever the server says it is.
//!
//! Before: `cache` sends commands together. After: Redis.
//! Promise: of a cluster every command reaches the master of its key. The commands of one call are written without waiting for one
//! another's answers; each is redirected by itself (MOVED, ASK), so that a slot that moves delays no other.

use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{join_all, select_ok};
use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::cluster_async::ClusterConnection;
use redis::cluster_routing::{
    MultipleNodeRoutingInfo, ResponsePolicy, Route, RoutingInfo, SingleNodeRoutingInfo, Slot, SlotAddr,
};
use redis::{
    Arg, AsyncConnectionConfig, Client, Cmd, ErrorKind, FromRedisValue, InfoDict, Pipeline, RedisError,
    RedisResult, ServerErrorKind, Value, cmd, from_redis_value, pipe,
};

use super::CacheError;
use super::tls::Servers;

/// A connection; clones are the same one.
#[derive(Clone)]
pub(super) enum Connection {
    /// To the only server.
    Single(MultiplexedConnection),
    /// To every node of a cluster.
    Cluster(ClusterConnection),
}

impl Connection {
    /// Connects to whichever of `servers` answers first, and to its whole cluster if it is a node of one.
    pub(super) async fn open(servers: &Servers, deadline: Duration) -> Result<Self, CacheError> {
        // Deadlines are kept in `cache`, around every call; the library's own would only end calls earlier.
        let config = AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None);
        let connecting = servers.clients.iter().map(|client| first_answer(client, &config).boxed());
        let ((address, connection, server), _) = select_ok(connecting).await?;
        if server.is_cluster {
            let client = servers.cluster_client(deadline)?;
            return Ok(Self::Cluster(client.get_async_connection().await?));
        }
        if servers.clients.len() > 1 {
            return Err(CacheError::NoCluster(address));
        }
        if server.is_replica {
            return Err(CacheError::Replica(address));
        }
        Ok(Self::Single(connection))
    }

    /// Sends commands together; gives their answers in the same order.
    pub(super) async fn send<T: FromRedisValue>(&mut self, pipeline: &Pipeline) -> RedisResult<T> {
        match self {
            Self::Single(connection) => pipeline.query_async(connection).await,
            Self::Cluster(connection) => send_to_cluster(connection, pipeline).await,
        }
    }

    /// Sends commands, in order, to the master that holds `slot`. The first one names a key of the slot: so a server that does not hold
    /// it any more redirects all of them.
    pub(super) async fn send_to<T: FromRedisValue>(
        &mut self,
        slot: Option<Slot>,
        pipeline: &Pipeline,
    ) -> RedisResult<T> {
        let (Self::Cluster(connection), Some(slot)) = (&mut *self, slot) else {
            return self.send(pipeline).await;
        };
        let route = SingleNodeRoutingInfo::SpecificNode(Route::with_slot(slot, SlotAddr::Master));
        let answers = connection.route_pipeline(pipeline.clone(), 0, pipeline.len(), route).await?;
        Ok(from_redis_value(Value::Array(answers).extract_error()?)?)
    }

    /// The slots of a cluster as one of its masters knows them; `None`: it is a single Redis.
    pub(super) async fn slots(&mut self) -> RedisResult<Option<Value>> {
        let Self::Cluster(connection) = self else { return Ok(None) };
        let routing = RoutingInfo::SingleNode(SingleNodeRoutingInfo::RandomPrimary);
        let mut command = cmd("CLUSTER");
        command.arg("SLOTS");
        Ok(Some(connection.route_command(command, routing).await?.extract_error()?))
    }
}

/// What a server says about itself.
struct Server {
    is_cluster: bool,
    is_replica: bool,
}

async fn first_answer(
    client: &Client,
    config: &AsyncConnectionConfig,
) -> RedisResult<(String, MultiplexedConnection, Server)> {
    let mut connection = client.get_multiplexed_async_connection_with_config(config).await?;
    let mut ask = pipe();
    ask.cmd("INFO").arg("cluster").cmd("INFO").arg("replication");
    let (cluster, replication): (InfoDict, InfoDict) = ask.query_async(&mut connection).await?;
    let server = Server {
        is_cluster: cluster.get::<u8>("cluster_enabled") == Some(1),
        is_replica: replication.get::<String>("role").as_deref() == Some("slave"),
    };
    Ok((client.get_connection_info().addr().to_string(), connection, server))
}

async fn send_to_cluster<T: FromRedisValue>(
    connection: &ClusterConnection,
    pipeline: &Pipeline,
) -> RedisResult<T> {
    let commands: Vec<&Cmd> = pipeline.cmd_iter().collect();
    let mut answers = join_all(commands.iter().map(|command| send_one(connection, command))).await;
    let unknown: Vec<usize> = (0..answers.len()).filter(|at| is_unknown_script(&answers[*at])).collect();
    if !unknown.is_empty() {
        load_script(connection, &commands).await?;
        let repeated = join_all(unknown.iter().map(|at| send_one(connection, commands[*at]))).await;
        for (at, answer) in unknown.into_iter().zip(repeated) {
            answers[at] = answer;
        }
    }
    let answers = answers.into_iter().collect::<RedisResult<Vec<Value>>>()?;
    Ok(from_redis_value(Value::Array(answers))?)
}

async fn send_one(connection: &ClusterConnection, command: &Cmd) -> RedisResult<Value> {
    connection.clone().req_packed_command(command).await?.extract_error()
}

fn is_unknown_script(answer: &RedisResult<Value>) -> bool {
    answer.as_ref().is_err_and(|error| error.kind() == ErrorKind::Server(ServerErrorKind::NoScript))
}

/// Makes every master cache the script that the first command carries and the others name: that one reached its own master only.
async fn load_script(connection: &ClusterConnection, commands: &[&Cmd]) -> RedisResult<()> {
    let Some(Arg::Simple(script)) = commands.first().and_then(|first| first.args_iter().nth(1)) else {
        return Ok(());
    };
    let mut load = cmd("SCRIPT");
    load.arg("LOAD").arg(script);
    let all =
        RoutingInfo::MultiNode((MultipleNodeRoutingInfo::AllMasters, Some(ResponsePolicy::AllSucceeded)));
    connection.clone().route_command(load, all).await?.extract_error()?;
    Ok(())
}

/// Whether a later connection may reach a server that takes the command: the connection broke, the server is a replica now, is loading
/// its data, or a part of the cluster is away.
pub(super) fn is_broken(error: &RedisError) -> bool {
    let kind = error.kind();
    error.is_io_error()
        || error.is_unrecoverable_error()
        || error.is_cluster_error()
        || [ServerErrorKind::ReadOnly, ServerErrorKind::MasterDown, ServerErrorKind::BusyLoading]
            .map(ErrorKind::Server)
            .contains(&kind)
}
