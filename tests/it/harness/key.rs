//! API keys, created as an operator creates them.

use super::{Database, vitals};

/// Runs `vitals keys create` with `arguments`; gives what it prints.
pub async fn key(database: &Database, arguments: &[&str]) -> String {
    let output = vitals(database, &[&["keys", "create"], arguments].concat()).await;
    assert_eq!(output.code, 0, "{output:?}");
    output.out.trim_end().to_owned()
}

/// An `Authorization` with a new key of these scopes, of one tenant or (0) of every one.
pub async fn authorization(database: &Database, scopes: &[&str], tenant: i64) -> String {
    let (name, tenant) = (format!("{}-{tenant}", scopes.join("-")), tenant.to_string());
    let mut arguments = vec![name.as_str(), "--as", "bearer"];
    arguments.extend(scopes.iter().flat_map(|scope| ["--scope", scope]));
    if tenant != "0" {
        arguments.extend(["--tenant", &tenant]);
    }
    key(database, &arguments).await
}
