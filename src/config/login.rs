//! How people log in, sections `[login]` and `[oidc]` of the file.

use std::time::Duration;

use confique::Config;

use super::Settings;
use crate::model::Role;

/// Sessions and passwords of people.
#[derive(Debug, Clone, Config)]
pub struct LoginSettings {
    /// How long a session lasts that nobody uses, minutes; at least 5.
    #[config(env = "VITALS_LOGIN_IDLE_MINUTES", default = 60)]
    pub idle_minutes: u32,

    /// How long a session lasts that is in use, hours; at most 720. The default is a shift.
    #[config(env = "VITALS_LOGIN_HOURS", default = 12)]
    pub hours: u32,

    /// Fewest characters of a password that is set from now on. There are no other rules, except that it is not the login name.
    #[config(env = "VITALS_LOGIN_PASSWORD_MIN_CHARS", default = 12)]
    pub password_min_chars: usize,

    /// Tries per minute to log in to one account, from anywhere; above, they are refused unseen. Counted by each instance.
    #[config(env = "VITALS_LOGIN_ACCOUNT_TRIES_PER_MINUTE", default = 10)]
    pub account_tries_per_minute: u32,

    /// Logins of one address (IPv6: of one /64) that may fail per minute; above, its logins are refused unseen. Counted by each instance.
    #[config(env = "VITALS_LOGIN_ADDRESS_FAILURES_PER_MINUTE", default = 30)]
    pub address_failures_per_minute: u32,
}

/// An OpenID Connect provider that vouches for people.
#[derive(Clone, Config)]
pub struct OidcSettings {
    /// URL of the provider, below which `/.well-known/openid-configuration` is found. Empty: there is none, people log in with passwords.
    /// With a provider `public_base_url` is needed: the provider sends people back to `/login/oidc/callback` below it.
    #[config(env = "VITALS_OIDC_ISSUER", default = "")]
    pub issuer: String,

    /// What the service is called at the provider.
    #[config(env = "VITALS_OIDC_CLIENT_ID", default = "")]
    pub client_id: String,

    /// The secret of the service at the provider. Empty: it has none (PKCE protects the code in any case).
    #[config(env = "VITALS_OIDC_CLIENT_SECRET", default = "")]
    pub client_secret: String,

    /// What the provider is asked for besides `openid`, separated by spaces.
    #[config(env = "VITALS_OIDC_SCOPES", default = "profile email")]
    pub scopes: String,

    /// Claim of the ID token that lists the groups of the person.
    #[config(env = "VITALS_OIDC_GROUPS_CLAIM", default = "groups")]
    pub groups_claim: String,

    /// What the members of groups may do, separated by commas: `group=role`, `group=role:tenant`, `group=role:tenant:unit`. Roles are
    /// viewer, responder and admin. Example: `vitals-ops=admin, ward-3=responder:1939964806110937090:1939964806110937099`.
    /// Whoever is in none of these groups is not let in, unless `vitals people grant` gave a role.
    #[config(env = "VITALS_OIDC_GRANTS", default = "")]
    pub grants: String,
}

/// What the members of a group at the provider may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupGrant {
    /// Name of the group.
    pub group: String,
    /// The role.
    pub role: Role,
    /// Its tenant; `None`: every one.
    pub customer_id: Option<i64>,
    /// Its unit; `None`: it is not limited to one.
    pub org_id: Option<i64>,
}

impl std::fmt::Debug for OidcSettings {
    /// Without the secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OidcSettings").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

impl LoginSettings {
    /// `idle_minutes` as a duration.
    pub fn idle(&self) -> Duration {
        Duration::from_secs(60 * u64::from(self.idle_minutes))
    }

    /// `hours` in seconds.
    pub fn seconds(&self) -> u32 {
        3600 * self.hours
    }

    fn invalid_reason(&self) -> Option<String> {
        if self.idle_minutes < 5 {
            return Some("login.idle_minutes must be at least 5: use is recorded once a minute".to_owned());
        }
        if !(1..=720).contains(&self.hours) {
            return Some(format!("login.hours = {} is not from 1 to 720", self.hours));
        }
        if self.password_min_chars < 8 {
            return Some("login.password_min_chars must be at least 8".to_owned());
        }
        let limits = [self.account_tries_per_minute, self.address_failures_per_minute];
        limits.contains(&0).then(|| {
            "login.account_tries_per_minute and login.address_failures_per_minute must be at least 1"
                .to_owned()
        })
    }
}

impl OidcSettings {
    /// Whether people can log in through a provider.
    pub fn is_on(&self) -> bool {
        !self.issuer.is_empty()
    }

    /// What the members of each group may do.
    ///
    /// # Errors
    /// Names the entry that is invalid.
    pub fn grants(&self) -> Result<Vec<GroupGrant>, String> {
        let all = self.grants.split(',').map(str::trim).filter(|text| !text.is_empty());
        all.map(|text| group_grant(text).ok_or_else(|| format!("\"{text}\" is not group=role:tenant:unit")))
            .collect()
    }

    fn invalid_reason(&self, public_base_url: &str) -> Option<String> {
        if let Err(reason) = self.grants() {
            return Some(format!("oidc.grants: {reason}"));
        }
        if !self.is_on() {
            return None;
        }
        if self.client_id.is_empty() {
            return Some("oidc.issuer is set and oidc.client_id is not".to_owned());
        }
        if public_base_url.is_empty() {
            return Some(
                "oidc.issuer needs public_base_url: the provider sends people back to /login/oidc/callback below it"
                    .to_owned(),
            );
        }
        let is_plain = self.issuer.strip_prefix("http://").is_some_and(|rest| {
            !["127.0.0.1", "[::1]", "localhost"].iter().any(|local| rest.starts_with(local))
        });
        is_plain.then(|| format!("oidc.issuer = \"{}\" is not https", self.issuer))
    }
}

fn group_grant(text: &str) -> Option<GroupGrant> {
    // The name of a group may hold an equals sign: cn=nurses,… is not possible, because commas separate entries.
    let (group, grant) = text.rsplit_once('=')?;
    let mut words = grant.split(':').map(str::trim);
    let role = words.next()?.parse().ok()?;
    let mut id = || match words.next() {
        None => Some(None),
        Some(word) => word.parse::<i64>().ok().filter(|id| *id > 0).map(Some),
    };
    let (customer_id, org_id) = (id()?, id()?);
    let group = group.trim();
    let is_complete = words.next().is_none() && !group.is_empty();
    is_complete.then(|| GroupGrant { group: group.to_owned(), role, customer_id, org_id })
}

/// Why the settings of `[login]` and `[oidc]` are invalid; `None`: they are valid.
pub(super) fn invalid_reason(settings: &Settings) -> Option<String> {
    settings.login.invalid_reason().or_else(|| settings.oidc.invalid_reason(&settings.public_base_url))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grants(text: &str) -> Result<Vec<GroupGrant>, String> {
        let mut settings = Settings::defaults().oidc;
        settings.grants = text.to_owned();
        settings.grants()
    }

    #[test]
    fn groups_stand_for_roles_in_tenants_and_units() {
        let read = grants("ops=admin, cn=nurses = responder:7:8,board=viewer:7,").expect("valid");
        let of = |group: &str, role, customer_id, org_id| GroupGrant {
            group: group.to_owned(),
            role,
            customer_id,
            org_id,
        };
        let expected = [
            of("ops", Role::Admin, None, None),
            of("cn=nurses", Role::Responder, Some(7), Some(8)),
            of("board", Role::Viewer, Some(7), None),
        ];
        assert_eq!(read, expected);
        for bad in [
            "ops",
            "ops=",
            "=admin",
            "ops=root",
            "ops=admin:x",
            "ops=admin:0",
            "ops=admin:1:2:3",
            "a=viewer:",
        ] {
            assert!(grants(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_provider_without_what_it_needs_is_refused() {
        let mut settings = Settings::defaults();
        settings.oidc.issuer = "https://id.example.org".to_owned();
        assert!(invalid_reason(&settings).is_some_and(|reason| reason.contains("client_id")));
        settings.oidc.client_id = "vitals".to_owned();
        assert!(invalid_reason(&settings).is_some_and(|reason| reason.contains("public_base_url")));
        settings.public_base_url = "https://vitals.example.org".to_owned();
        assert_eq!(invalid_reason(&settings), None);
        settings.oidc.issuer = "http://id.example.org".to_owned();
        assert!(invalid_reason(&settings).is_some_and(|reason| reason.contains("https")));
        settings.oidc.issuer = "http://127.0.0.1:4444".to_owned();
        assert_eq!(invalid_reason(&settings), None);
    }
}
