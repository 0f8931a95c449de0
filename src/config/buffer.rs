//! Which settings of the buffer are invalid.

use super::{BufferMode, Settings};

/// Why they are invalid; `None`: they are valid.
pub(super) fn invalid_reason(settings: &Settings) -> Option<String> {
    if settings.buffer == BufferMode::Off {
        let reason =
            "buffer_shadow tries the buffer that the setting buffer names: set it to outage or always";
        return settings.buffer_shadow.then(|| reason.to_owned());
    }
    if settings.buffer_url.is_empty() {
        return Some("buffer needs a Redis: set buffer_url, or buffer = \"off\"".to_owned());
    }
    let view = addresses(&settings.redis_url);
    if addresses(&settings.buffer_url).any(|address| view.clone().any(|other| other == address)) {
        return Some(
            "buffer_url names a server of redis_url: the view may be evicted and emptied at any time, buffered uploads may not. \
             Give the buffer a Redis of its own"
                .to_owned(),
        );
    }
    if settings.buffer_copies == 0 || settings.buffer_max_bytes == 0 {
        return Some("buffer_copies and buffer_max_bytes must be at least 1".to_owned());
    }
    (settings.buffer_after_ms >= settings.commit_deadline_ms).then(|| {
        format!(
            "buffer_after_ms = {} is not less than commit_deadline_ms = {}: no time would be left for the buffer",
            settings.buffer_after_ms, settings.commit_deadline_ms
        )
    })
}

/// Host and port of each address of a URL.
fn addresses(url: &str) -> impl Iterator<Item = &str> + Clone {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = &rest[..rest.find(['/', '?']).unwrap_or(rest.len())];
    authority.rsplit_once('@').map_or(authority, |(_, hosts)| hosts).split(',').map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(change: impl FnOnce(&mut Settings)) -> Option<String> {
        let mut settings = Settings::defaults();
        settings.buffer = BufferMode::Outage;
        settings.buffer_url = "redis://127.0.0.1:6390/0".to_owned();
        change(&mut settings);
        invalid_reason(&settings)
    }

    #[test]
    fn a_buffer_needs_a_server_of_its_own_and_time() {
        assert_eq!(refusal(|_| ()), None);
        let reason = |change: fn(&mut Settings)| refusal(change).expect("must be refused");
        assert!(reason(|settings| settings.buffer_url.clear()).contains("buffer_url"));
        let shadow_of_none = |settings: &mut Settings| {
            (settings.buffer, settings.buffer_shadow) = (BufferMode::Off, true);
        };
        assert!(reason(shadow_of_none).contains("buffer_shadow"));
        assert!(
            reason(|settings| settings.buffer_url = "redis://u:p@a:1, 127.0.0.1:6379/3".into())
                .contains("redis_url")
        );
        assert!(reason(|settings| settings.buffer_copies = 0).contains("buffer_copies"));
        assert!(reason(|settings| settings.buffer_after_ms = 8000).contains("commit_deadline_ms"));
    }
}
