//! Where watches reach the service: the base of the URLs in their configuration.

use std::net::SocketAddr;

use super::Settings;

impl Settings {
    /// Base of the URLs in the configuration of watches, without a slash at its end, for a service that listens on `bound`.
    /// `None`: that address is unspecified, so the host of the watch's request is used.
    pub fn public_url(&self, bound: SocketAddr) -> Option<String> {
        match self.public_base_url.trim_end_matches('/') {
            "" if bound.ip().is_unspecified() => None,
            "" => Some(format!("{}://{bound}", self.scheme())),
            url => Some(url.to_owned()),
        }
    }

    /// Whether the service terminates TLS.
    pub fn has_tls(&self) -> bool {
        !self.tls_certificate.as_os_str().is_empty()
    }

    /// The scheme of the service's own URLs.
    pub fn scheme(&self) -> &'static str {
        if self.has_tls() { "https" } else { "http" }
    }
}

/// Why `public_base_url` is invalid; `None`: it is valid.
pub(super) fn invalid_reason(url: &str) -> Option<String> {
    let is_web = ["http://", "https://"]
        .iter()
        .any(|scheme| url.strip_prefix(scheme).is_some_and(|rest| !rest.trim_start_matches('/').is_empty()));
    // Watches split their configuration at semicolons.
    let is_plain = !url.contains(|c: char| c == ';' || c.is_whitespace() || c.is_control());
    let is_valid = url.is_empty() || is_web && is_plain;
    (!is_valid).then(|| {
        format!("public_base_url = \"{url}\" is not an http(s) URL, or contains a semicolon or white space")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_derived_from_an_address_that_others_can_reach() {
        let mut settings = Settings::defaults();
        let loopback = "127.0.0.1:8080".parse().expect("an address");
        let any = "0.0.0.0:8080".parse().expect("an address");
        assert_eq!(settings.public_url(loopback).as_deref(), Some("http://127.0.0.1:8080"));
        assert_eq!(settings.public_url(any), None);
        settings.tls_certificate = "vitals.pem".into();
        assert_eq!(settings.public_url(loopback).as_deref(), Some("https://127.0.0.1:8080"));
        settings.public_base_url = "https://vitals.example.org/api/".to_owned();
        assert_eq!(settings.public_url(any).as_deref(), Some("https://vitals.example.org/api"));
    }

    #[test]
    fn a_url_that_watches_could_not_parse_is_refused() {
        for bad in ["vitals.example.org", "ftp://x", "http://", "http://a;b", "http://a b"] {
            assert!(invalid_reason(bad).is_some(), "{bad}");
        }
        for good in ["", "http://a", "https://a.example:8443/b"] {
            assert_eq!(invalid_reason(good), None, "{good}");
        }
    }
}
