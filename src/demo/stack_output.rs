//! What `docker/stack` prints: variables for a shell, and a list of nodes.
//!
//! Before: the script. After: `stack`.

use anyhow::Context;

/// A node of a cluster, as `docker/stack nodes` lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) name: String,
    /// What it is at the moment: `primary`, `standby`, `master`…; `-`: it does not answer.
    pub(super) role: String,
    /// `running`, `stopped`, `frozen` or `isolated`.
    pub(super) state: String,
}

/// The lines `export NAME=VALUE` of the script.
#[derive(Debug)]
pub(super) struct Variables(pub(super) Vec<(String, String)>);

impl Variables {
    pub(super) fn read(output: &str) -> Self {
        let line = |line: &str| {
            let (name, value) = line.strip_prefix("export ")?.split_once('=')?;
            Some((name.to_owned(), unquoted(value)))
        };
        Self(output.lines().filter_map(line).collect())
    }

    /// The value of one.
    ///
    /// # Errors
    /// It is not there.
    pub(super) fn get(&self, name: &str) -> anyhow::Result<&str> {
        let variable = self.0.iter().find(|variable| variable.0 == name);
        let (_, value) = variable.with_context(|| format!("`docker/stack up` printed no {name}"))?;
        Ok(value)
    }
}

/// A word as the script writes it for a shell, as far as URLs need it: in quotes, or with `\&` for `&`.
fn unquoted(word: &str) -> String {
    let word = word.trim();
    if let Some(quoted) = word.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) {
        return quoted.to_owned();
    }
    let mut text = String::with_capacity(word.len());
    let mut letters = word.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => text.extend(letters.next()),
            other => text.push(other),
        }
    }
    text
}

/// Name, role, address and state of each, below a heading.
pub(super) fn nodes_in(listed: &str) -> Vec<Node> {
    let node = |line: &str| {
        let mut words = line.split_whitespace().map(str::to_owned);
        let (name, role, _, state) = (words.next()?, words.next()?, words.next()?, words.next()?);
        Some(Node { name, role, state })
    };
    listed.lines().skip(1).filter_map(node).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DATABASE: &str = "VITALS_DATABASE_URL";
    const REDIS: &str = "VITALS_REDIS_URL";

    #[test]
    fn the_variables_are_read_among_other_lines() {
        let output = "hello\nexport VITALS_DATABASE_URL=postgres://a:b@127.0.0.1:1/vitals\\?x=1\\&y=2\nexport VITALS_REDIS_URL='redis://127.0.0.1:2/0?a=1&b=2'\n";
        let variables = Variables::read(output);
        assert_eq!(variables.0.len(), 2);
        assert_eq!(variables.get(DATABASE).expect("there"), "postgres://a:b@127.0.0.1:1/vitals?x=1&y=2");
        assert_eq!(variables.get(REDIS).expect("there"), "redis://127.0.0.1:2/0?a=1&b=2");
    }

    #[test]
    fn a_missing_url_is_named() {
        let variables = Variables::read("export VITALS_DATABASE_URL=x");
        let error = variables.get(REDIS).expect_err("one is missing").to_string();
        assert!(error.contains("VITALS_REDIS_URL"), "{error}");
    }

    #[test]
    fn nodes_are_read_below_their_heading() {
        let listed = "NODE ROLE ADDRESS STATE\npostgres1 primary 198.18.3.11:5432 running\nredis6 - 198.18.3.36:6379 stopped\n";
        let nodes = nodes_in(listed);
        let (first, last) = (&nodes[0], &nodes[1]);
        assert_eq!(
            (first.name.as_str(), first.role.as_str(), first.state.as_str()),
            ("postgres1", "primary", "running")
        );
        assert_eq!((last.name.as_str(), last.role.as_str(), last.state.as_str()), ("redis6", "-", "stopped"));
    }
}
