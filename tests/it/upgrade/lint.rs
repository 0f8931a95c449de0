//! The migrations, read as text: none locks a table that is large for long, and none that expands the schema takes from the programs of
//! the previous release what they use.

use vitals::store::program::{MigrationFile, Phase, Program};

use super::migrations_in;

/// The first migration that is applied while instances run. All before it belong to 0.2.0 or earlier, and an upgrade to 0.2.0 stops the
/// service, so they may lock what they like; several do.
const FIRST: i32 = 66;

/// Tables that have many rows in any installation that has run for a while, or that every commit writes to.
const LARGE: &[&str] = &[
    "alert",
    "alert_action",
    "device",
    "device_event",
    "device_info",
    "exercise_day",
    "health_data",
    "health_document",
    "notification",
    "outbox",
    "rejected_upload",
    "sleep_segment",
    "vitals.alert_change",
    "vitals.ingest_batch",
    "vitals.outbox_device",
    "vitals.rollup_dirty",
    "watch_log",
    "workout",
];

/// Functions whose value differs from row to row, so that a column with such a default is written into every row.
const VOLATILE: &[&str] = &["clock_timestamp", "gen_random_uuid", "nextval", "random", "uuidv7"];

/// The words of a statement in lower case. A literal is `''`, a body between dollars is `$$`.
type Words = Vec<String>;

/// The statements of a text, and those in its `do` blocks.
fn statements(sql: &str) -> Vec<Words> {
    let mut found = Vec::new();
    let mut words = Words::new();
    let mut rest = sql;
    while let Some(first) = rest.chars().next() {
        if rest.starts_with("--") {
            rest = rest.split_once('\n').map_or("", |(_, rest)| rest);
        } else if let Some(body) = rest.strip_prefix('\'') {
            rest = body.split_once('\'').map_or("", |(_, rest)| rest);
            words.push("''".to_owned());
        } else if first == '$' && dollar_quoted(rest).is_some() {
            let (body, behind) = dollar_quoted(rest).expect("just seen");
            if words.first().is_some_and(|word| word == "do") {
                found.extend(statements(body));
            }
            words.push("$$".to_owned());
            rest = behind;
        } else if first == ';' {
            found.push(std::mem::take(&mut words));
            rest = &rest[1..];
        } else {
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_' && c != '.').unwrap_or(rest.len());
            let end = if end == 0 { first.len_utf8() } else { end };
            let word = rest[..end].to_lowercase();
            if !word.trim().is_empty() {
                words.push(word.strip_prefix("public.").unwrap_or(&word).to_owned());
            }
            rest = &rest[end..];
        }
    }
    found.push(words);
    found.retain(|words| !words.is_empty());
    found
}

/// The body between dollars with which a text begins, and what comes after it.
fn dollar_quoted(text: &str) -> Option<(&str, &str)> {
    let (tag, body) = text[1..].split_once('$')?;
    if !tag.chars().all(|c| c.is_alphanumeric() || c == '_') {
        return None;
    }
    body.split_once(&format!("${tag}$"))
}

/// What comes after these words, which are anywhere in the statement; `?` words may be missing.
fn after<'a>(words: &'a [String], wanted: &[&str]) -> Option<&'a [String]> {
    (0..words.len()).find_map(|start| {
        let mut rest = &words[start..];
        for word in wanted {
            let (word, is_optional) = word.strip_prefix('?').map_or((*word, false), |word| (word, true));
            match rest.split_first() {
                Some((first, behind)) if first == word => rest = behind,
                _ if is_optional => {}
                _ => return None,
            }
        }
        Some(rest)
    })
}

fn has(words: &[String], wanted: &[&str]) -> bool {
    after(words, wanted).is_some()
}

/// The parts of an `alter table` between its commas outside of parentheses.
fn actions(words: &[String]) -> Vec<&[String]> {
    let mut depth = 0;
    words
        .split(|word| {
            depth += match word.as_str() {
                "(" => 1,
                ")" => -1,
                _ => 0,
            };
            depth == 0 && word == ","
        })
        .collect()
}

/// What is wrong with a file.
fn faults(file: &MigrationFile) -> Vec<String> {
    let statements = statements(file.sql());
    let created: Vec<&str> = statements
        .iter()
        .filter_map(|words| after(words, &["create", "table", "?if", "?not", "?exists"]))
        .filter_map(|rest| rest.first().map(String::as_str))
        .collect();
    let check = Check { phase: file.phase, is_outside: file.is_outside, created };
    let mut faults: Vec<String> = statements.iter().flat_map(|words| check.statement(words)).collect();
    let head: Vec<&str> = file.sql().lines().take_while(|line| line.starts_with("--")).collect();
    for line in ["-- Phase: ", "-- Locks: "] {
        if !head.iter().any(|found| found.starts_with(line)) {
            faults.push(format!("its head has no line `{line}…`"));
        }
    }
    if file.is_outside && file.sql().contains('$') {
        faults.push(
            "a file without a transaction is cut at semicolons: it cannot have a body between dollars".into(),
        );
    }
    faults
}

struct Check<'a> {
    phase: Phase,
    is_outside: bool,
    /// Tables that the file creates: nobody uses them yet.
    created: Vec<&'a str>,
}

impl Check<'_> {
    fn is_large(&self, table: &str) -> bool {
        LARGE.contains(&table) && !self.created.contains(&table)
    }

    fn statement(&self, words: &[String]) -> Vec<String> {
        let mut faults = Vec::new();
        let rest = after(words, &["alter", "table", "?if", "?exists", "?only"]);
        if let Some((table, rest)) = rest.and_then(<[String]>::split_first)
            && !self.created.contains(&table.as_str())
        {
            faults.extend(actions(rest).into_iter().filter_map(|action| self.action(table, action)));
        }
        faults.extend(self.index(words));
        faults.extend(self.rows(words));
        faults.extend(self.whole(words));
        faults
    }

    /// A part of an `alter table`.
    fn action(&self, table: &str, action: &[String]) -> Option<String> {
        let action: Vec<&str> = action.iter().map(String::as_str).filter(|word| *word != "column").collect();
        let contains = |wanted: &str| action.contains(&wanted);
        let (large, expands) = (self.is_large(table), self.phase == Phase::Expand);
        let not_valid = action.windows(2).any(|pair| pair == ["not", "valid"]);
        let not_null = action.windows(2).any(|pair| pair == ["not", "null"]);
        let fault = match action.as_slice() {
            ["add", "constraint" | "check" | "foreign" | "unique" | "primary" | "exclude", ..] => {
                let is_index = contains("unique") || contains("primary") || contains("exclude");
                let is_built = action.windows(2).any(|pair| pair == ["using", "index"]);
                (large && if is_index { !is_built } else { !not_valid }).then_some(
                    "reads every row under a lock: `not valid` and a later `validate constraint`, or `using index`",
                )
            }
            ["add", ..] if not_null && !contains("default") && !contains("generated") && expands => Some(
                "programs of the previous release insert rows without it: a default, or NULL until a contract",
            ),
            ["add", ..] if contains("generated") || VOLATILE.iter().any(|name| contains(name)) => {
                large.then_some("writes every row: a default that is the same for all, or none")
            }
            ["alter", _, "type", ..] | ["alter", _, "set", "data", "type", ..] => {
                Some("writes every row and breaks what was prepared: a new column")
            }
            ["alter", _, "set", "not", "null"] if large => {
                Some("reads every row under a lock: a check that is `not valid`, validated, then this")
            }
            ["alter", _, "set", "not", "null"] | ["alter", _, "drop", "default"] if expands => {
                Some("programs of the previous release insert rows without it: in a contract")
            }
            ["drop", "constraint", ..] => None,
            ["drop", ..] if expands => Some("programs of the previous release use it: in a contract"),
            ["rename", ..] if expands => {
                Some("programs of the previous release use the name: add the new one")
            }
            ["validate", ..] if large && !self.is_outside => {
                Some("reads every row while the transaction holds other locks: `-- Transaction: none`")
            }
            ["set", "tablespace" | "logged" | "unlogged", ..] if large => {
                Some("writes every row under a lock")
            }
            _ => None,
        };
        fault.map(|fault| format!("{table}: {}: {fault}", action.join(" ")))
    }

    fn index(&self, words: &[String]) -> Option<String> {
        let rest = after(words, &["create", "?unique", "index"])?;
        let is_concurrent = rest.first().is_some_and(|word| word == "concurrently");
        let table = after(rest, &["on", "?only"])?.first()?;
        let by_chunk = rest.iter().any(|word| word.ends_with("transaction_per_chunk"));
        let fault = if !self.is_outside {
            if is_concurrent || by_chunk {
                Some("cannot run in a transaction: `-- Transaction: none`")
            } else {
                self.is_large(table).then_some(
                    "locks the table against writes: `concurrently`, or by chunk, with `-- Transaction: none`",
                )
            }
        } else if table == "health_data" {
            (!by_chunk).then_some("a hypertable: `with (timescaledb.transaction_per_chunk)`")
        } else {
            (!is_concurrent).then_some("locks the table against writes: `concurrently`")
        };
        fault.map(|fault| format!("index on {table}: {fault}"))
    }

    /// Rows of a table that is large.
    fn rows(&self, words: &[String]) -> Option<String> {
        let table = after(words, &["update", "?only"])
            .filter(|rest| rest.iter().skip(1).take(2).any(|word| word == "set" || word == "as"))
            .or_else(|| after(words, &["delete", "from", "?only"]))?
            .first()?;
        (self.is_large(table) && !self.is_outside)
            .then(|| format!("{table}: writes rows while the transaction holds locks: in small steps, without a transaction"))
    }

    fn whole(&self, words: &[String]) -> Option<String> {
        let expands = self.phase == Phase::Expand;
        let begins =
            |wanted: &[&str]| words.iter().zip(wanted).filter(|(a, b)| a == b).count() == wanted.len();
        let fault = if begins(&["lock"]) || begins(&["cluster"]) || begins(&["truncate"]) {
            "locks a whole table"
        } else if begins(&["vacuum"]) && has(words, &["full"]) {
            "writes the table under a lock"
        } else if begins(&["reindex"]) && !has(words, &["concurrently"]) {
            "locks the table against writes: `concurrently`"
        } else if begins(&["refresh"]) && !has(words, &["concurrently"]) {
            "locks the view: `concurrently`"
        } else if expands && (begins(&["drop", "table"]) || begins(&["drop", "view"])) {
            "programs of the previous release use it: in a contract"
        } else if expands && begins(&["alter", "view"]) && has(words, &["rename"]) {
            "programs of the previous release use the name"
        } else {
            return None;
        };
        Some(format!("{}: {fault}", words.join(" ")))
    }
}

/// The files of a program from a number on.
fn files_from(files: &[(String, String)], first: i32) -> Vec<MigrationFile> {
    let files = files.iter().map(|(name, sql)| (name.as_str(), sql.as_str()));
    let program = Program::new("0.3.0", files).expect("understood");
    program.files().iter().filter(|file| file.version() >= first).cloned().collect()
}

fn found(sql: &str) -> Vec<String> {
    let sql = format!("-- Why.\n-- Locks: none.\n{sql}");
    let files = [("V100__case".to_owned(), sql)];
    faults(&files_from(&files, 1)[0])
}

#[test]
fn no_migration_locks_a_large_table_for_long_or_takes_what_an_older_program_uses() {
    let files = [migrations_in("migrations"), migrations_in("tests/fixtures/next_release")]
        .map(|files| files_from(&files, FIRST));
    let faults: Vec<String> = files
        .iter()
        .flatten()
        .flat_map(|file| faults(file).into_iter().map(move |fault| format!("{file}: {fault}")))
        .collect();
    assert!(faults.is_empty(), "{faults:#?}");
}

/// A schema is expanded, and then contracted: the files of a release come in this order.
#[test]
fn what_contracts_comes_after_all_that_expands_in_the_same_release() {
    let mut files = files_from(&migrations_in("migrations"), FIRST);
    files.retain(|file| file.version() > super::release::last_released());
    let contract = files.iter().position(|file| file.phase == Phase::Contract).unwrap_or(files.len());
    let late: Vec<String> = files[contract..]
        .iter()
        .filter(|file| file.phase == Phase::Expand)
        .map(ToString::to_string)
        .collect();
    assert_eq!(late, [""; 0], "after {}", files.get(contract).map(ToString::to_string).unwrap_or_default());
}

#[test]
fn what_is_quick_and_takes_nothing_passes() {
    for sql in [
        "-- Phase: expand\nalter table health_data add column x smallint;",
        "-- Phase: expand\nalter table alert add column x integer not null default 0, add column y timestamptz default now();",
        "-- Phase: expand\ncreate table t (a bigint not null, constraint t_pkey primary key (a)); create index t_idx on t (a);
         alter table t alter column a type text; update t set a = 1; drop index t_idx;",
        "-- Phase: expand\nalter table alert add constraint c check (x > 0) not valid;",
        "-- Phase: expand\nalter table contact add constraint c check (x in (1, 2)), drop constraint d;",
        "-- Phase: expand\ncomment on table alert is 'drop table; lock; update alert set x = 1';",
        "-- Phase: expand\ncreate function f() returns void language sql as $$ update alert set x = 1 $$;",
        "-- Phase: expand\n-- Transaction: none\ncreate unique index concurrently if not exists i on public.alert (x);",
        "-- Phase: expand\n-- Transaction: none\ncreate index i on public.health_data (x) with (timescaledb.transaction_per_chunk);",
        "-- Phase: expand\n-- Transaction: none\nalter table public.alert validate constraint c;",
        "-- Phase: contract\nalter table alert drop column x, rename column y to z; drop table t; drop view v;",
        "-- Phase: contract\nalter table alert add constraint u unique using index i;",
    ] {
        assert_eq!(found(sql), [""; 0], "{sql}");
    }
}

#[test]
fn what_locks_for_long_or_breaks_older_programs_is_found() {
    for (sql, fault) in [
        ("alter table health_data add column x uuid default gen_random_uuid();", "writes every row"),
        ("alter table public.alert add column x bigint generated always as identity;", "writes every row"),
        ("alter table contact add column x integer not null;", "insert rows without it"),
        ("alter table contact alter column name type varchar(9);", "breaks what was prepared"),
        ("alter table alert alter column x set data type text;", "breaks what was prepared"),
        ("alter table alert add column y int, add constraint c check (x > 0);", "reads every row"),
        ("alter table only device add constraint u unique (site);", "reads every row"),
        ("alter table outbox add constraint f foreign key (a, b) references t (a, b);", "reads every row"),
        ("alter table alert validate constraint c;", "holds other locks"),
        ("alter table alert alter x set not null;", "validated, then this"),
        ("alter table contact alter column x set not null;", "insert rows without it"),
        ("alter table contact alter column x drop default;", "insert rows without it"),
        ("alter table contact drop column x;", "in a contract"),
        ("alter table contact rename column x to y;", "add the new one"),
        ("alter table contact rename to person;", "add the new one"),
        ("alter view workout_named rename to w;", "use the name"),
        ("drop table if exists shift;", "in a contract"),
        ("drop view workout_named;", "in a contract"),
        ("create unique index i on alert (x);", "locks the table against writes"),
        ("create index concurrently i on public.alert (x);", "cannot run in a transaction"),
        ("-- Transaction: none\ncreate index i on public.alert (x);", "`concurrently`"),
        (
            "-- Transaction: none\ncreate index concurrently i on public.health_data (x);",
            "transaction_per_chunk",
        ),
        ("-- Transaction: none\ndo $$ begin perform 1; end $$;", "cut at semicolons"),
        ("update alert as a set x = 1;", "holds locks"),
        ("with old as (delete from rejected_upload returning 1) select 1;", "holds locks"),
        ("do $$ begin if true then update health_data set x = 1; end if; end $$;", "holds locks"),
        ("do $x$ begin alter table contact drop column y; end $x$;", "in a contract"),
        ("lock table contact;", "locks a whole table"),
        ("truncate contact;", "locks a whole table"),
        ("cluster contact using i;", "locks a whole table"),
        ("-- Transaction: none\nvacuum full contact;", "under a lock"),
        ("-- Transaction: none\nreindex table contact;", "`concurrently`"),
        ("refresh materialized view v;", "`concurrently`"),
    ] {
        let found = found(&format!("-- Phase: expand\n{sql}"));
        assert!(found.len() == 1 && found[0].contains(fault), "{sql}: {found:?}");
    }
    assert!(found("select 1;")[0].contains("Phase"));
}
