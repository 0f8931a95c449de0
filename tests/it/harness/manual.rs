//! Commands of a document, run as a reader runs them: word for word, in a shell, with programs that mean the servers of the tests.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;

use tokio::process::Command;

/// The commands below a heading, block by block. More than are wanted may follow.
pub fn commands_below<const N: usize>(document: &str, heading: &str) -> [String; N] {
    let section = document.split(&format!("{heading}\n")).nth(1).expect("a section");
    let mut blocks = section.split("```sh\n").skip(1).map(|block| block.split("```").next().expect("an end"));
    [(); N].map(|()| blocks.next().expect("a block").to_owned())
}

/// Puts a program into a folder, a script of a shell.
pub fn add_program(folder: &Path, name: &str, script: &str) {
    std::fs::create_dir_all(folder).expect("a folder");
    let file = folder.join(name);
    std::fs::write(&file, format!("#!/bin/bash\n{script}\n")).expect("written");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).expect("made a program");
}

/// Runs commands in a folder until one fails, which fails the test; a program that is in `programs` is found there.
pub async fn run_commands(commands: &str, folder: &Path, programs: &Path, variables: &[(&str, String)]) {
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").expect("a path"));
    let output = Command::new("bash")
        .args(["-eu", "-o", "pipefail", "-c", commands])
        .current_dir(folder)
        .env("PATH", path)
        .envs(variables.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::null())
        .output()
        .await
        .expect("bash");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{commands}\n{}\n{}", text(&output.stdout), text(&output.stderr));
}
