//! The masters that hold the streams, and what each of them promises about its data.

use futures_util::future::try_join_all;
use redis::{FromRedisValue, InfoDict, Pipeline, pipe};

use super::{PARTITIONS, UploadStream};
use crate::cache::master::{self, Master};
use crate::cache::{Cache, CacheError};

/// The masters, and which of them has the streams of a partition.
#[derive(Debug, Clone)]
pub struct StreamMasters {
    masters: Vec<Master>,
    of_partition: Vec<usize>,
}

/// What a master does with its data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Persistence {
    /// `maxmemory-policy`.
    pub eviction: String,
    /// Whether there is an append-only file.
    pub has_file: bool,
    /// `appendfsync`; `None`: the server does not say.
    pub fsync: Option<String>,
    /// `maxmemory`, bytes; 0: no limit.
    pub max_memory: u64,
    /// Its replicas that are connected.
    pub replicas: u32,
}

impl StreamMasters {
    /// Reads them.
    ///
    /// # Errors
    /// Redis did not answer, or there are slots without a master.
    pub async fn read(cache: &Cache) -> Result<Self, CacheError> {
        let masters = master::all(cache).await?;
        let of = |partition| {
            let slot = redis::cluster_routing::Slot::for_key(UploadStream::new(partition, false).key());
            masters.iter().position(|master| master.holds(slot)).unwrap_or_default()
        };
        let of_partition = (0..PARTITIONS).map(of).collect();
        Ok(Self { masters, of_partition })
    }

    /// The number of the master that has this stream.
    pub fn number_of(&self, stream: UploadStream) -> usize {
        self.of_partition[usize::from(stream.partition)]
    }

    /// What each of them does with its data.
    ///
    /// # Errors
    /// Redis did not answer.
    pub async fn persistence(&self, cache: &Cache) -> Result<Vec<Persistence>, CacheError> {
        let reading = self.masters.iter().map(async |master| {
            let mut pipeline = pipe();
            pipeline.cmd("INFO").arg("memory").cmd("INFO").arg("persistence").cmd("INFO").arg("replication");
            let (memory, file, replication): (InfoDict, InfoDict, InfoDict) =
                cache.send_to(master, &pipeline).await?;
            // Where CONFIG is not allowed, the rest is known all the same.
            let mut pipeline = pipe();
            pipeline.cmd("CONFIG").arg("GET").arg("appendfsync");
            let fsync: Option<Vec<Vec<String>>> = cache.send_to(master, &pipeline).await.ok();
            Ok::<_, CacheError>(Persistence {
                eviction: memory.get("maxmemory_policy").unwrap_or_default(),
                has_file: file.get::<u8>("aof_enabled") == Some(1),
                fsync: fsync.and_then(|answers| answers.into_iter().flatten().nth(1)),
                max_memory: memory.get("maxmemory").unwrap_or_default(),
                replicas: replication.get("connected_slaves").unwrap_or_default(),
            })
        });
        try_join_all(reading).await
    }

    pub(super) async fn send<T: FromRedisValue>(
        &self,
        cache: &Cache,
        number: usize,
        pipeline: &Pipeline,
    ) -> Result<T, CacheError> {
        match self.masters.get(number) {
            Some(master) => cache.send_to(master, pipeline).await,
            None => Err(CacheError::Away),
        }
    }
}
