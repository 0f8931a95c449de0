//! Options that select rejects → a filter of the table.
//!
//! Before: clap. After: `store::rejected_upload`.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::command::time_option;
use crate::model::Source;
use crate::store::rejected_upload::Filter;

/// Which rejects. An option that is given several times matches any of its values.
#[derive(Debug, clap::Args)]
pub(super) struct FilterOptions {
    /// Of this device (serial)
    #[arg(long, value_name = "SERIAL")]
    device: Vec<String>,

    /// Refused for this reason: no_serial, bad_time, future, too_old, out_of_range, bad_value, not_an_object,
    /// other_tenant, other_device, refused_by_database
    #[arg(long, value_name = "REASON")]
    reason: Vec<String>,

    /// Of this kind: health, health_batch, device_info, event
    #[arg(long, value_name = "SOURCE", value_parser = source)]
    source: Vec<Source>,

    /// Received since: an age (2h, 90m, 3d) or a time (2026-01-31, "2026-01-31 08:00", in the device time zone; RFC 3339)
    #[arg(long, visible_alias = "since", value_name = "TIME")]
    from: Option<String>,

    /// Received before: as --from
    #[arg(long, value_name = "TIME")]
    to: Option<String>,
}

/// Rejects by id, or by a filter.
#[derive(Debug, clap::Args)]
pub(super) struct Selection {
    /// Ids, as `list` shows them
    #[arg(value_name = "ID")]
    ids: Vec<i64>,

    #[command(flatten)]
    filter: FilterOptions,

    /// Most rejects, oldest first
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) limit: Option<u64>,
}

impl Selection {
    /// As a filter, with times in `zone` where they name none.
    pub(super) fn filter(&self, zone: &TimeZone) -> anyhow::Result<Filter> {
        Ok(Filter { ids: none_if_empty(&self.ids), ..self.filter.filter(zone)? })
    }
}

impl FilterOptions {
    /// As a filter, with times in `zone` where they name none.
    pub(super) fn filter(&self, zone: &TimeZone) -> anyhow::Result<Filter> {
        let now = Timestamp::now().to_zoned(zone.clone());
        let time = |text: &Option<String>, option| time_option::parse(text.as_deref(), option, &now);
        Ok(Filter {
            ids: None,
            devices: none_if_empty(&self.device),
            reasons: none_if_empty(&self.reason),
            sources: none_if_empty(&self.source)
                .map(|sources| sources.into_iter().map(Source::name).collect()),
            from: time(&self.from, "--from")?,
            to: time(&self.to, "--to")?,
        })
    }
}

fn none_if_empty<T: Clone>(named: &[T]) -> Option<Vec<T>> {
    (!named.is_empty()).then(|| named.to_vec())
}

fn source(name: &str) -> Result<Source, String> {
    Source::of_name(name).ok_or_else(|| {
        let names = Source::ALL.map(Source::name).join(", ");
        format!("one of: {names}")
    })
}
