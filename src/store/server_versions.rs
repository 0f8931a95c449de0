//! The versions of PostgreSQL and TimescaleDB: which this program needs, which it is tested with, which are known not to go together.
//!
//! Before: `vitals check` asks. After: nobody. docker/README.md, "Versions", has the same for people.

use tokio_postgres::Client;

use super::rollups::Edition;
use super::{StoreError, statement};

/// Major version of PostgreSQL this program needs at least, and is tested with.
const POSTGRES: i32 = 17;

/// Version of TimescaleDB an edition needs at least. Community: `refresh_continuous_aggregate` has no `options` before it.
const fn minimum(edition: Edition) -> Version {
    match edition {
        Edition::Apache => Version(2, 19, 0),
        Edition::Community => Version(2, 21, 0),
    }
}

/// Version of TimescaleDB an edition is tested with: Debian's package, the image of docker/compose.yml.
const fn tested(edition: Edition) -> Version {
    match edition {
        Edition::Apache => Version(2, 19, 3),
        Edition::Community => Version(2, 29, 2),
    }
}

/// A version of TimescaleDB.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Version(u32, u32, u32);

impl Version {
    /// Of `2.29.2`, also where something follows.
    fn of(text: &str) -> Option<Self> {
        let mut numbers = text.split(|c: char| !c.is_ascii_digit()).map(|number| number.parse().ok());
        Some(Self(numbers.next()??, numbers.next()??, numbers.next().flatten().unwrap_or_default()))
    }
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

/// What the server runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Versions {
    /// As `server_version_num`: 170012.
    pub postgres: i32,
    /// As `pg_extension` has it: 2.29.2.
    pub timescaledb: String,
}

/// What there is to say of a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// As this program is tested, or newer.
    Good(String),
    /// It may go well; or there is something to know.
    Warn(String),
    /// It is older than what this program needs.
    Bad(String),
}

impl Versions {
    /// What there is to say of PostgreSQL.
    pub fn postgres(&self) -> Verdict {
        let (major, minor) = (self.postgres / 10_000, self.postgres % 10_000);
        let text = format!("{major}.{minor}");
        match major {
            ..POSTGRES => Verdict::Bad(format!("{text}; this program needs PostgreSQL {POSTGRES} or later")),
            POSTGRES => Verdict::Good(text),
            _ => Verdict::Warn(format!(
                "{text}, which is newer than {POSTGRES}, with which this program is tested"
            )),
        }
    }

    /// What there is to say of TimescaleDB.
    pub fn timescaledb(&self, edition: Edition) -> Verdict {
        let text = &self.timescaledb;
        let (minimum, tested) = (minimum(edition), tested(edition));
        match Version::of(text) {
            Some(found) if found < minimum => Verdict::Bad(format!(
                "{text}; this program needs {minimum} or later of this edition. After its package: `alter extension timescaledb update`"
            )),
            Some(found) if found < tested => Verdict::Warn(format!(
                "{text}, which is older than {tested}, with which this program is tested"
            )),
            Some(found) if found > tested => {
                Verdict::Good(format!("{text} (this program is tested with {tested})"))
            }
            _ => Verdict::Good(text.clone()),
        }
    }

    /// What is known of the two together.
    pub fn together(&self, edition: Edition) -> Option<&'static str> {
        let is_known =
            edition == Edition::Community && self.postgres == 170_012 && self.timescaledb == "2.29.2";
        is_known.then_some(
            "PostgreSQL 17.12 with TimescaleDB 2.29.2: every job of TimescaleDB ends in an error after its work is committed, counts as \
             failed, and is started up to five times more rarely. Nothing is lost, and the service refreshes the rollups by itself. \
             Update TimescaleDB as soon as a release fixes it: see Versions in docker/README.md",
        )
    }
}

/// Asks the server; TimescaleDB has to be in the database.
///
/// # Errors
/// The database is away.
pub async fn read(client: &Client) -> Result<Versions, StoreError> {
    let statement = statement!("health", "versions");
    let failed = |source| StoreError::Postgres { statement: statement.name, source };
    let row = client.query_one(statement.sql, &[]).await.map_err(failed)?;
    Ok(Versions { postgres: row.get("postgres"), timescaledb: row.get("timescaledb") })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(postgres: i32, timescaledb: &str) -> Versions {
        Versions { postgres, timescaledb: timescaledb.into() }
    }

    #[test]
    fn what_is_older_than_needed_is_bad_and_what_is_older_than_tested_is_warned_of() {
        let postgres = |number| of(number, "2.29.2").postgres();
        assert!(
            matches!(postgres(160_010), Verdict::Bad(text) if text.contains("16.10") && text.contains("17 or later"))
        );
        assert_eq!(postgres(170_012), Verdict::Good("17.12".into()));
        assert!(matches!(postgres(180_006), Verdict::Warn(_)));
        let community = |text| of(170_012, text).timescaledb(Edition::Community);
        assert!(matches!(community("2.20.3"), Verdict::Bad(text) if text.contains("2.21.0")));
        assert!(matches!(community("2.28.3"), Verdict::Warn(text) if text.contains("2.29.2")));
        assert_eq!(community("2.29.2"), Verdict::Good("2.29.2".into()));
        assert!(matches!(community("2.30.0-dev"), Verdict::Good(_)));
        let apache = |text| of(170_012, text).timescaledb(Edition::Apache);
        assert!(matches!(apache("2.9.1"), Verdict::Bad(_)));
        assert_eq!(apache("2.19.3"), Verdict::Good("2.19.3".into()));
    }

    #[test]
    fn what_does_not_go_together_is_said_of_those_two_alone() {
        assert!(of(170_012, "2.29.2").together(Edition::Community).is_some());
        assert!(of(170_012, "2.29.2").together(Edition::Apache).is_none());
        assert!(of(170_011, "2.29.2").together(Edition::Community).is_none());
        assert!(of(170_012, "2.30.0").together(Edition::Community).is_none());
    }

    #[test]
    fn the_image_of_compose_is_what_is_tested() {
        let compose = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/docker/compose.yml"));
        let image = format!("timescale/timescaledb:{}-pg{POSTGRES}", tested(Edition::Community));
        let images: Vec<&str> =
            compose.lines().filter_map(|line| line.trim().strip_prefix("image: timescale/")).collect();
        assert!(!images.is_empty());
        for found in images {
            assert_eq!(format!("timescale/{found}"), image);
        }
    }
}
