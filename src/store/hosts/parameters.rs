//! What a database URL says of hosts and of their sockets, in the words of libpq.
//!
//! Before: `store::url` takes the parameters out of `database_url`. After: `store::hosts` chooses a host.
//! Promise: what is not given has a value with which a host that is gone is noticed within seconds.
//! Source: PostgreSQL manual, "Parameter Key Words".

use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::TargetSessionAttrs;

use crate::store::url::Parameters;

/// Parameters that the driver does not know, knows in part, or measures in another unit.
pub(in crate::store) const NAMES: [&str; 5] = [
    "target_session_attrs",
    "tcp_user_timeout",
    "keepalives_idle",
    "keepalives_interval",
    "keepalives_count",
];

/// When an idle connection is probed first, seconds; then how often, and how many probes may stay unanswered.
const KEEPALIVES: (u64, u64, u32) = (10, 5, 3);

/// Which hosts are acceptable, in order of preference: a host that does not meet the first is tried again with the second.
pub(super) type Targets = &'static [TargetSessionAttrs];

/// Which host is wanted where the URL does not say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) enum DefaultTarget {
    /// Of several, the one that accepts writes.
    Primary,
    /// Any standby.
    Standby,
}

/// What the URL asks of a host; without a word, what `default` says.
///
/// # Errors
/// It is a word that libpq does not know.
pub(super) fn targets(given: &Parameters, default: DefaultTarget, hosts: usize) -> Result<Targets, String> {
    use TargetSessionAttrs::{Any, ReadOnly, ReadWrite};
    match given.value("target_session_attrs") {
        None if default == DefaultTarget::Standby => Ok(&[ReadOnly]),
        None if hosts > 1 => Ok(&[ReadWrite]),
        None | Some("any") => Ok(&[Any]),
        Some("read-write" | "primary") => Ok(&[ReadWrite]),
        Some("read-only" | "standby") => Ok(&[ReadOnly]),
        Some("prefer-standby") => Ok(&[ReadOnly, Any]),
        Some(word) => Err(format!(
            "target_session_attrs = {word} is none of any, read-write, read-only, primary, standby, prefer-standby"
        )),
    }
}

/// Sets how the system notices that the other side of a socket is gone. `unacknowledged` is the longest time that sent data may stay
/// unacknowledged, unless the URL has another.
///
/// # Errors
/// A value is not a number.
pub(super) fn set_socket_options(
    config: &mut Config,
    given: &Parameters,
    unacknowledged: Duration,
) -> Result<(), String> {
    let number = |name: &'static str, default: u64| match given.value(name).map(str::parse::<u64>) {
        // As libpq: zero is the default.
        None | Some(Ok(0)) => Ok(default),
        Some(Ok(number)) => Ok(number),
        Some(Err(_)) => Err(format!("{name} is not a number")),
    };
    let (idle, interval, count) = KEEPALIVES;
    let milliseconds = u64::try_from(unacknowledged.as_millis()).unwrap_or(u64::MAX);
    config
        .tcp_user_timeout(Duration::from_millis(number("tcp_user_timeout", milliseconds)?))
        .keepalives_idle(Duration::from_secs(number("keepalives_idle", idle)?))
        .keepalives_interval(Duration::from_secs(number("keepalives_interval", interval)?))
        .keepalives_retries(
            u32::try_from(number("keepalives_count", count.into())?)
                .map_err(|_| "keepalives_count is too large")?,
        );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::url::take;

    fn given(url: &str) -> Parameters {
        take(url, &NAMES).expect("a URL").1
    }

    #[test]
    fn of_several_hosts_the_one_that_accepts_writes_is_wanted_unless_the_url_says_otherwise() {
        let targets = |url: &str, hosts| targets(&given(url), DefaultTarget::Primary, hosts);
        assert_eq!(targets("postgres://a", 1).unwrap(), [TargetSessionAttrs::Any]);
        assert_eq!(targets("postgres://a,b", 2).unwrap(), [TargetSessionAttrs::ReadWrite]);
        assert_eq!(targets("postgres://a,b?target_session_attrs=any", 2).unwrap(), [TargetSessionAttrs::Any]);
        assert_eq!(
            targets("host=a target_session_attrs=prefer-standby", 1).unwrap(),
            [TargetSessionAttrs::ReadOnly, TargetSessionAttrs::Any]
        );
        assert!(targets("postgres://a?target_session_attrs=master", 1).unwrap_err().contains("standby"));
    }

    #[test]
    fn socket_options_are_in_the_units_of_libpq() {
        let options = |url: &str| {
            let mut config = Config::new();
            set_socket_options(&mut config, &given(url), Duration::from_secs(3)).map(|()| config)
        };
        let defaults = options("postgres://a").unwrap();
        assert_eq!(defaults.get_tcp_user_timeout(), Some(&Duration::from_secs(3)));
        assert_eq!(defaults.get_keepalives_idle(), Duration::from_secs(10));
        let set =
            options("postgres://a?tcp_user_timeout=1500&keepalives_idle=60&keepalives_count=9").unwrap();
        assert_eq!(set.get_tcp_user_timeout(), Some(&Duration::from_millis(1500)));
        assert_eq!(set.get_keepalives_idle(), Duration::from_secs(60));
        assert_eq!(set.get_keepalives_interval(), Some(Duration::from_secs(5)));
        assert_eq!(set.get_keepalives_retries(), Some(9));
        assert!(options("postgres://a?tcp_user_timeout=3s").is_err());
    }
}
