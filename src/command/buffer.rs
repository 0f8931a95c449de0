//! `vitals buffer`: how full the buffer is, what is in it, and draining it without a running service.
//!
//! Before: an operator. After: `cache::stream`, and for `drain` the parts of the service that drain.
//! Promise: works with and without a running service. Only `drain` and `drop` change anything; what `drop` deletes was acknowledged, and is lost.

mod drain;

use std::process::ExitCode;
use std::str::FromStr;

use anyhow::{Context, bail};
use jiff::SignedDuration;
use serde_json::json;

use super::text::{age, aligned, confirm, escape_control, grouped, print};
use crate::buffer::{self, ServerReport};
use crate::cache::Cache;
use crate::cache::stream::{self, StreamEntry, StreamStatus, UploadStream};
use crate::config::Settings;

/// What `vitals buffer` does.
#[derive(Debug, clap::Subcommand)]
pub enum Action {
    /// Show how many uploads wait, since when, and in which streams
    Status {
        /// One JSON object
        #[arg(long)]
        json: bool,
    },
    /// Commit buffered uploads until none is left, as a running service does
    Drain,
    /// Show an upload as it was sent
    Inspect {
        /// Its stream and its number there, as `status` shows the oldest of each stream
        id: EntryId,
    },
    /// Delete an upload, which is lost then, although it was acknowledged
    Drop {
        /// Its stream and its number there
        id: EntryId,
        /// Do not ask for confirmation
        #[arg(long)]
        yes: bool,
    },
}

/// An upload in the buffer: `17:1764171234567-0`.
#[derive(Debug, Clone)]
pub struct EntryId {
    stream: UploadStream,
    number: String,
}

impl FromStr for EntryId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let invalid = || format!("{text} is no id of a buffered upload, such as 17:1764171234567-0");
        let (stream, number) = text.split_once(':').ok_or_else(invalid)?;
        let stream = UploadStream::of_name(stream).ok_or_else(invalid)?;
        let is_number =
            !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
        if is_number { Ok(Self { stream, number: number.to_owned() }) } else { Err(invalid()) }
    }
}

/// Runs the action.
///
/// # Errors
/// The settings name no buffer, it does not answer, there is no such upload, or a deletion was not confirmed.
pub async fn run(action: Action, settings: &Settings) -> anyhow::Result<ExitCode> {
    if settings.buffer_url.is_empty() {
        bail!("there is no buffer: buffer_url is empty");
    }
    let cache = Cache::of_buffer(settings)?;
    cache.connect().await.with_context(|| format!("the buffer at {}", cache.server()))?;
    match action {
        Action::Status { json } => status(&cache, settings.buffer_copies, json).await,
        Action::Drain => Box::pin(drain::run(&cache, settings)).await,
        Action::Inspect { id } => inspect(&cache, &id).await,
        Action::Drop { id, yes } => drop_entry(&cache, &id, yes).await,
    }
}

async fn status(cache: &Cache, copies: u32, as_json: bool) -> anyhow::Result<ExitCode> {
    let refusal = ServerReport::read(cache).await?.into_refusal(copies);
    let measured = stream::measure(cache).await?;
    let shadow = stream::shadow::read(cache).await?;
    let uploads: u64 = measured.iter().map(|status| status.uploads).sum();
    let bytes: u64 = measured.iter().map(|status| status.bytes).sum();
    let mut occupied = Vec::new();
    for (stream, status) in UploadStream::all().zip(&measured).filter(|(_, status)| status.uploads > 0) {
        let oldest = stream::first(cache, stream).await?;
        occupied.push((stream, *status, oldest));
    }
    if as_json {
        let json_of =
            |(stream, status, oldest): &(_, _, Option<_>)| json_of(*stream, status, oldest.as_ref());
        let streams: Vec<_> = occupied.iter().map(json_of).collect();
        print(&format!(
            "{}\n",
            json!({ "uploads": uploads, "bytes": bytes, "refusal": refusal, "streams": streams, "shadow": shadow })
        ))?;
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(refusal) = refusal {
        print(&format!("takes no uploads: {refusal}\n"))?;
    }
    print(&format!("{} uploads wait, {} bytes\n", grouped(uploads), grouped(bytes)))?;
    if !occupied.is_empty() {
        let mut lines = vec![["stream", "uploads", "read", "bytes", "waits", "oldest"].map(str::to_owned)];
        lines.extend(occupied.iter().map(|(stream, status, oldest)| {
            [
                stream.name(),
                grouped(status.uploads),
                grouped(status.pending),
                grouped(status.bytes),
                age(SignedDuration::try_from(status.oldest).unwrap_or_default()),
                oldest.as_ref().map_or_else(String::new, |entry| id_of(*stream, entry)),
            ]
        }));
        print(&aligned(&lines))?;
    }
    if let Some(shadow) = shadow {
        let compared = format!("{} compared records are stored as they are", grouped(shadow.compared()));
        print(&format!("shadow: {}\n", shadow.finding().unwrap_or(compared)))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn id_of(stream: UploadStream, entry: &StreamEntry) -> String {
    format!("{}:{}", stream.name(), entry.id)
}

fn json_of(stream: UploadStream, status: &StreamStatus, oldest: Option<&StreamEntry>) -> serde_json::Value {
    json!({
        "stream": stream.name(),
        "uploads": status.uploads,
        "pending": status.pending,
        "lag": status.lag,
        "bytes": status.bytes,
        "oldest_seconds": status.oldest.as_secs_f64(),
        "oldest_id": oldest.map(|entry| id_of(stream, entry)),
    })
}

async fn find(cache: &Cache, id: &EntryId) -> anyhow::Result<StreamEntry> {
    let found = stream::find(cache, id.stream, &id.number).await?;
    found.with_context(|| format!("there is no upload {}:{} in the buffer", id.stream.name(), id.number))
}

async fn inspect(cache: &Cache, id: &EntryId) -> anyhow::Result<ExitCode> {
    let entry = find(cache, id).await?;
    match buffer::read_entry(&entry) {
        Ok(upload) => print(&format!("{}\n", escape_control(&serde_json::to_string_pretty(&upload)?)))?,
        Err(error) => bail!("{error}"),
    }
    Ok(ExitCode::SUCCESS)
}

async fn drop_entry(cache: &Cache, id: &EntryId, yes: bool) -> anyhow::Result<ExitCode> {
    find(cache, id).await?;
    let question = "Delete this upload? It was acknowledged, so nobody will send it again. [y/N] ";
    if !yes && !confirm(question)? {
        bail!("nothing was deleted");
    }
    stream::remove(cache, id.stream, std::slice::from_ref(&id.number)).await?;
    print("deleted\n")?;
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_names_a_stream_and_a_number() {
        let id: EntryId = "urgent-7:1764171234567-0".parse().expect("one");
        assert_eq!((id.stream, id.number.as_str()), (UploadStream::new(7, true), "1764171234567-0"));
        for text in ["", "7", "7:", "64:1-0", "x:1-0", "7:*", "7:1-0 "] {
            assert!(text.parse::<EntryId>().is_err(), "{text}");
        }
    }
}
