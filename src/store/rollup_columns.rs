//! Columns that are added to rollups that exist.
//!
//! Before: `store::rollups` finds a rollup that was made from another SELECT. After: it has the columns that the SELECT of this program
//! has behind those of before.
//! Promise: nothing is computed again, and nothing else of a rollup is ever changed.

use tokio_postgres::{Row, Transaction};

use super::StoreError;

/// First version of TimescaleDB that can add columns to a continuous aggregate.
const ADDS_COLUMNS: (u32, u32) = (2, 28);

const EXTEND: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/sql/queries/rollups/extend.sql"));

/// Adds to the rollup what `text`, its SELECT of now, has behind the columns of the recorded one.
///
/// # Errors
/// [`StoreError::State`]: it differs in something else, or this TimescaleDB cannot.
pub(super) async fn extend(
    transaction: &Transaction<'_>,
    name: &str,
    text: &str,
    recorded: &Row,
) -> Result<(), StoreError> {
    let made_from: &str = recorded.get("definition");
    if made_from == text {
        return Ok(());
    }
    let Some(added) = added_columns(made_from, text) else {
        return Err(StoreError::State(format!(
            "{name} was made from another definition than sql/rollups/{name}.sql of this program. It is not made anew, \
             since raw rows it stands for may be gone: run the program it was made by, or write a migration that says what \
             becomes of its rows. While every raw row is still there: `select vitals.drop_rollups()`, then migrate again"
        )));
    };
    let timescaledb: &str = recorded.get("timescaledb");
    if recorded.get::<_, &str>("kept_by") == "timescaledb" && !adds_columns(timescaledb) {
        let (major, minor) = ADDS_COLUMNS;
        return Err(StoreError::State(format!(
            "{name} gets columns, which TimescaleDB {timescaledb} cannot add to a continuous aggregate: install {major}.{minor} or \
             newer, run `alter extension timescaledb update` in this database, then migrate again. Nothing was changed"
        )));
    }
    let (columns, expressions): (Vec<&str>, Vec<&str>) = added.into_iter().unzip();
    transaction
        .execute(EXTEND, &[&name, &text, &columns, &expressions])
        .await
        .map(drop)
        .map_err(|source| StoreError::Postgres { statement: "rollups.extend", source })
}

/// The columns, each its name and its expression, that `new` has behind all those of `old`; `None`: that is not all they differ in.
fn added_columns<'a>(old: &str, new: &'a str) -> Option<Vec<(&'a str, &'a str)>> {
    let (old_columns, old_rest) = old.split_once("\nfrom ")?;
    let (new_columns, new_rest) = new.split_once("\nfrom ")?;
    let added = new_columns.strip_prefix(old_columns)?.strip_prefix(',')?;
    if old_rest != new_rest {
        return None;
    }
    added
        .split(",\n")
        .map(|column| column.trim().rsplit_once(" as ").map(|(expression, name)| (name, expression)))
        .collect()
}

fn adds_columns(version: &str) -> bool {
    let mut numbers = version.split('.').map_while(|part| part.parse::<u32>().ok());
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) >= ADDS_COLUMNS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_may_be_added_behind_the_others_and_nowhere_else() {
        let old = "select\n    a,\n    min(b) as b_min\nfrom c\ngroup by a";
        let new = "select\n    a,\n    min(b) as b_min,\n    min(d) as d_min,\n    sum(e) / sum(f) as e_avg\nfrom c\ngroup by a";
        assert_eq!(added_columns(old, new), Some(vec![("d_min", "min(d)"), ("e_avg", "sum(e) / sum(f)")]));
        for other in [
            "select\n    min(d) as d_min,\n    a,\n    min(b) as b_min\nfrom c\ngroup by a",
            "select\n    a,\n    min(b) as b_min_of_all\nfrom c\ngroup by a",
            "select\n    a,\n    min(b) as b_min,\n    min(d) as d_min\nfrom other\ngroup by a",
            "select\n    a\nfrom c\ngroup by a",
        ] {
            assert_eq!(added_columns(old, other), None, "{other}");
        }
    }

    #[test]
    fn continuous_aggregates_take_columns_since_timescaledb_2_28() {
        for (version, can) in
            [("2.21.4", false), ("2.27.2", false), ("2.28.0", true), ("2.29.2", true), ("3.0", true)]
        {
            assert_eq!(adds_columns(version), can, "{version}");
        }
    }
}
