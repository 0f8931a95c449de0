//! Settings: names nobody knows, and older ones. What the values may be is tested beside `src/config`.

use std::path::Path;

use crate::harness::{CommandOutput, Database, command};

/// `vitals check` with a settings file and variables.
async fn check(database: &Database, file: Option<&str>, variables: &[(&str, &str)]) -> CommandOutput {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{}.toml", database.settings().instance));
    let mut command = command(database, &["check"]);
    if let Some(text) = file {
        std::fs::write(&path, text).expect("written");
        command.arg("--config").arg(&path);
    }
    let output = command.envs(variables.iter().copied()).output().await.expect("it can be run");
    let _ = std::fs::remove_file(&path);
    CommandOutput {
        code: output.status.code().expect("not by a signal"),
        out: String::from_utf8(output.stdout).expect("text"),
        err: String::from_utf8(output.stderr).expect("text"),
    }
}

#[tokio::test]
async fn an_unknown_key_of_the_file_is_refused_with_its_line_and_the_nearest_name() {
    let database = Database::new().await;
    let nested =
        check(&database, Some("linger_ms = 3\n\n[notify]\nwebhook_alow_private = true\n"), &[]).await;
    assert_eq!(nested.code, 1, "{nested:?}");
    assert!(nested.err.contains("line 4: there is no setting notify.webhook_alow_private"), "{}", nested.err);
    assert!(nested.err.contains("notify.webhook_allow_private"), "{}", nested.err);
    let top = check(&database, Some("linger_sm = 3\n"), &[]).await;
    assert!(top.code == 1 && top.err.contains("the nearest is linger_ms"), "{top:?}");
    let good = check(&database, Some("linger_ms = 3\n[notify]\nwebhook_allow_private = true\n"), &[]).await;
    assert_eq!(good.code, 0, "{good:?}");
}

#[tokio::test]
async fn a_variable_is_named_as_its_setting_an_older_name_works_and_the_two_may_not_differ() {
    let database = Database::new().await;
    const NEW: &str = "VITALS_NOTIFY_WEBHOOK_ALLOW_PRIVATE";
    const OLD: &str = "VITALS_WEBHOOK_ALLOW_PRIVATE";
    for variables in [vec![(NEW, "true")], vec![(OLD, "true")], vec![(OLD, "true"), (NEW, "true")]] {
        let said = check(&database, None, &variables).await;
        assert_eq!(said.code, 0, "{variables:?} {said:?}");
    }
    let differ = check(&database, None, &[(OLD, "true"), (NEW, "false")]).await;
    assert!(differ.code == 1 && differ.err.contains(OLD) && differ.err.contains(NEW), "{differ:?}");
    let misspelt = check(&database, None, &[("VITALS_NOTIFY_WEBHOOK_ALOW_PRIVATE", "true")]).await;
    assert!(misspelt.code == 1 && misspelt.err.contains(&format!("the nearest is {NEW}")), "{misspelt:?}");
    // An older name is no less a value: one that cannot be is refused by that name.
    let bad = check(&database, None, &[("VITALS_MAX_HEADER_BYTES", "1")]).await;
    assert!(bad.code == 1 && bad.err.contains("limits.max_header_bytes"), "{bad:?}");
}
