//! Settings of other sites that may call the API from a browser.

use confique::Config;

/// Other sites.
#[derive(Debug, Clone, Config)]
pub struct CorsSettings {
    /// Origins of the sites whose pages may call the routes below `/api/` with a key: `https://portal.example.org`, several separated by
    /// commas. Empty: none, CORS is off.
    #[config(env = "VITALS_CORS_ORIGINS", default = [], parse_env = confique::env::parse::list_by_comma)]
    pub origins: Vec<String>,
}

impl CorsSettings {
    /// Why they cannot be used; `None`: they can.
    pub(super) fn invalid_reason(&self) -> Option<String> {
        let invalid = self.origins.iter().find(|origin| !is_origin(origin))?;
        Some(format!("cors.origins: {invalid:?} is no origin such as https://portal.example.org"))
    }
}

/// Scheme and host, perhaps with a port, as browsers send it.
fn is_origin(text: &str) -> bool {
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).unwrap_or_default();
    let is_of_host =
        |sign: char| sign.is_ascii_lowercase() || sign.is_ascii_digit() || ".-:[]".contains(sign);
    !host.is_empty() && host.chars().all(is_of_host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_has_a_scheme_and_a_host_and_no_path() {
        for text in ["https://portal.example.org", "http://127.0.0.1:3000", "https://[::1]:8443"] {
            assert!(is_origin(text), "{text}");
        }
        for text in [
            "",
            "*",
            "null",
            "portal.example.org",
            "https://",
            "https://Example.org",
            "https://a.org/",
            "ftp://a.org",
        ] {
            assert!(!is_origin(text), "{text}");
        }
    }
}
