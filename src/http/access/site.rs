//! Which site a request comes from. A browser sends cookies along with what other sites make it send.
//!
//! Before: the headers of a request. After: `access` refuses a change that another site has caused.
//! Promise: a page of another site cannot change anything in the name of a person who is logged in: `SameSite=Lax` keeps cookies away
//! from it, and this check does not rely on it.

use axum::http::{HeaderMap, header};

/// Which site a request comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http) enum Site {
    /// A page of this service, or the person at the browser.
    Own,
    /// A page of another site.
    Other,
    /// No browser says so.
    Unknown,
}

impl Site {
    /// Of a request with these headers; `own` is the origin under which people use the service, if a setting says so.
    pub(in crate::http) fn of(headers: &HeaderMap, own: Option<&str>) -> Self {
        if let Some(site) = headers.get("sec-fetch-site") {
            let is_own = matches!(site.as_bytes(), b"same-origin" | b"none");
            return if is_own { Self::Own } else { Self::Other };
        }
        let mut origins = headers.get_all(header::ORIGIN).iter();
        let Some(origin) = origins.next() else { return Self::Unknown };
        let Ok(origin) = origin.to_str() else { return Self::Other };
        if origins.next().is_some() {
            return Self::Other;
        }
        // A proxy may speak TLS for this service.
        let authority = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
        let is_own = own == Some(origin)
            || authority.zip(host).is_some_and(|(authority, host)| authority.eq_ignore_ascii_case(host));
        if is_own { Self::Own } else { Self::Other }
    }
}

/// The origin of a URL: `https://vitals.example.org/path` is `https://vitals.example.org`.
pub(super) fn origin_of(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let authority = rest.split('/').next().filter(|authority| !authority.is_empty())?;
    Some(format!("{scheme}://{authority}").to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(&'static str, &'static str)]) -> Site {
        let headers = pairs
            .iter()
            .map(|(name, value)| (name.parse().expect("a name"), value.parse().expect("a value")));
        Site::of(&headers.collect(), Some("https://vitals.example.org"))
    }

    #[test]
    fn a_request_of_another_site_is_known_by_its_headers() {
        for own in [
            &[("sec-fetch-site", "same-origin")][..],
            &[("sec-fetch-site", "none")],
            &[("origin", "http://10.0.0.1:8080"), ("host", "10.0.0.1:8080")],
            // Behind a proxy that sets another Host.
            &[("origin", "https://vitals.example.org"), ("host", "backend")],
        ] {
            assert_eq!(of(own), Site::Own, "{own:?}");
        }
        for other in [
            &[("sec-fetch-site", "cross-site")][..],
            // Another service of the same organisation.
            &[("sec-fetch-site", "same-site")],
            &[("sec-fetch-site", "cross-site"), ("origin", "https://vitals.example.org")],
            &[("origin", "https://evil.example.org"), ("host", "vitals.example.org")],
            &[("origin", "https://vitals.example.org.evil.example"), ("host", "vitals.example.org")],
            &[("origin", "null"), ("host", "vitals.example.org")],
            &[("origin", "ftp://vitals.example.org"), ("host", "vitals.example.org")],
        ] {
            assert_eq!(of(other), Site::Other, "{other:?}");
        }
        assert_eq!(of(&[("host", "vitals.example.org")]), Site::Unknown);
    }

    #[test]
    fn a_request_with_two_origins_is_one_of_another_site() {
        let mut headers = HeaderMap::new();
        for origin in ["https://vitals.example.org", "https://evil.example.org"] {
            headers.append(header::ORIGIN, origin.parse().expect("a value"));
        }
        assert_eq!(Site::of(&headers, Some("https://vitals.example.org")), Site::Other);
    }

    #[test]
    fn the_origin_of_a_url_has_no_path() {
        assert_eq!(
            origin_of("https://Vitals.example.org/api/").as_deref(),
            Some("https://vitals.example.org")
        );
        assert_eq!(origin_of(""), None);
    }
}
