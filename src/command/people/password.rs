//! Reading a password.
//!
//! Before: `vitals people create` and `vitals people password`. After: the hash. Promise: it is not shown, and not kept.

use std::io::{IsTerminal, stdin};

use anyhow::{Context, bail};
use console::Term;

use crate::accounts::password::{hash_password, refusal};
use crate::config::Settings;

/// Reads a password for this login name: from the terminal, twice and without showing it, else the first line of standard input.
pub(super) fn read_and_hash(login: &str, settings: &Settings) -> anyhow::Result<String> {
    let password = if stdin().is_terminal() { ask()? } else { first_line()? };
    if let Some(refusal) = refusal(&password, login, settings.login.password_min_chars) {
        bail!(refusal);
    }
    Ok(hash_password(&password)?)
}

fn ask() -> anyhow::Result<String> {
    let terminal = Term::stderr();
    let read = |question: &str| {
        eprint!("{question}: ");
        terminal.read_secure_line().context("the password was not read")
    };
    let password = read("password")?;
    if read("the same once more")? != password {
        bail!("the two passwords differ");
    }
    Ok(password)
}

fn first_line() -> anyhow::Result<String> {
    let mut line = String::new();
    stdin().read_line(&mut line).context("the password was not read from standard input")?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}
