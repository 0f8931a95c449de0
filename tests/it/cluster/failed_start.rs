//! A cluster that does not come up leaves nothing running.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::harness::{Cluster, add_program};

/// Takes the place of `mkfifo`, which is called for each node before it starts: for the last node of PostgreSQL it does something else.
fn sabotage(folder: &Path, instead: &str) {
    let script =
        format!("PATH=${{PATH#*:}}\ncase \"$*\" in *postgres3.gate) {instead} ;; esac\nexec mkfifo \"$@\"");
    add_program(folder, "mkfifo", &script);
}

/// Processes of this stack: each sandbox has its folder among its arguments.
fn nodes_of(name: &str) -> Vec<String> {
    let processes = std::fs::read_dir("/proc").expect("processes").flatten();
    let lines = processes.filter_map(|process| std::fs::read(process.path().join("cmdline")).ok());
    let lines = lines.map(|line| String::from_utf8_lossy(&line).replace('\0', " "));
    lines.filter(|line| line.starts_with("bwrap ") && line.contains(&format!("-{name}/"))).collect()
}

/// Whether it came up.
fn up(stack: &mut Command) -> bool {
    let status = stack.args(["up", "--cluster"]).stdin(Stdio::null()).stdout(Stdio::null()).status();
    status.expect("it can be run").success()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_that_does_not_come_up_leaves_nothing_running_even_if_the_first_attempt_was_killed() {
    let name = format!("failing-{}", std::process::id());
    let folder = std::env::temp_dir().join(&name);
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").expect("a path"));
    let Some(_reserved) = Cluster::reserve(&name).await else { return };
    let attempt = || up(Cluster::of_its_own(&name).env("PATH", &path));
    sabotage(&folder, "kill -KILL $PPID; exit 1");
    assert!(!attempt());
    if nodes_of(&name).is_empty() {
        eprintln!("skipped: no network can be made for a cluster");
        return;
    }
    for _ in ["after one that was killed", "from nothing"] {
        sabotage(&folder, "exit 1");
        assert!(!attempt());
        assert_eq!(nodes_of(&name), Vec::<String>::new());
    }
    std::fs::remove_dir_all(&folder).expect("removed");
}
