//! Certificates for Redis, where `redis_url` begins with `rediss://`.

use std::path::{Path, PathBuf};

use confique::Config;

/// Files, PEM each; read at start.
#[derive(Debug, Clone, Config)]
pub struct RedisSettings {
    /// Certificates of the CAs by which Redis is verified. Empty: those the machine trusts.
    #[config(env = "VITALS_REDIS_CA", default = "")]
    pub ca: PathBuf,

    /// Our own certificate chain, where Redis asks for one.
    #[config(env = "VITALS_REDIS_CERTIFICATE", default = "")]
    pub certificate: PathBuf,

    /// Private key of `redis.certificate`.
    #[config(env = "VITALS_REDIS_KEY", default = "")]
    pub key: PathBuf,
}

impl RedisSettings {
    /// The file of a setting, if it names one.
    pub fn file(setting: &Path) -> Option<&Path> {
        (!setting.as_os_str().is_empty()).then_some(setting)
    }

    /// Says what is wrong with them for this URL.
    pub(super) fn fault(&self, url: &str) -> Option<&'static str> {
        let [ca, certificate, key] =
            [&self.ca, &self.certificate, &self.key].map(|each| Self::file(each).is_some());
        if certificate != key {
            return Some("redis.certificate and redis.key go together: both are files, or neither is");
        }
        if (ca || certificate) && !url.starts_with("rediss://") {
            return Some(
                "redis.ca and redis.certificate need a redis_url that begins with rediss://, or nothing is encrypted",
            );
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::super::Settings;

    #[test]
    fn files_for_a_redis_that_is_not_encrypted_are_refused() {
        let mut settings = Settings::defaults();
        settings.redis.ca = "ca.pem".into();
        let refusal = settings.check().expect_err("must be refused").to_string();
        assert!(refusal.contains("rediss://"), "{refusal}");
        settings.redis_url = "rediss://cache:6380".into();
        settings.check().expect("encrypted");
        settings.redis.key = "a.key".into();
        let refusal = settings.check().expect_err("must be refused").to_string();
        assert!(refusal.contains("redis.certificate"), "{refusal}");
    }
}
