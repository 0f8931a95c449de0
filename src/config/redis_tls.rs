//! Certificates for Redis, where `redis_url` begins with `rediss://`.

use std::path::{Path, PathBuf};

use confique::Config;

/// Files in PEM format, read at start.
#[derive(Debug, Clone, Config)]
pub struct RedisSettings {
    /// CA certificates that verify the certificate of Redis. Empty: those the machine trusts.
    #[config(env = "VITALS_REDIS_CA", default = "")]
    pub ca: PathBuf,

    /// Certificate chain of the service as a client, if Redis requires one.
    #[config(env = "VITALS_REDIS_CERTIFICATE", default = "")]
    pub certificate: PathBuf,

    /// Private key of `redis.certificate`.
    #[config(env = "VITALS_REDIS_KEY", default = "")]
    pub key: PathBuf,
}

impl RedisSettings {
    /// The path of a setting, if it is set.
    pub fn file(setting: &Path) -> Option<&Path> {
        (!setting.as_os_str().is_empty()).then_some(setting)
    }

    /// Why they are invalid for this URL; `None`: they are valid.
    pub(super) fn invalid_reason(&self, url: &str) -> Option<&'static str> {
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
