//! The files of `sql/functions`: the bodies of our functions and views, which have no version of their own.
//!
//! Before: `store::migrate` applies them after the migrations. After: `store::schema` compares their hash with the recorded one.

/// A file of `sql/functions`.
macro_rules! function {
    ($name:literal) => {
        ($name, include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/sql/functions/", $name, ".sql")))
    };
}

/// In the order in which they are applied.
pub(super) const FUNCTIONS: &[(&str, &str)] = &[
    function!("schema/schema_contract"),
    function!("schema/edition"),
    function!("schema/metric"),
    function!("rollups/rollup_comment"),
    function!("rollups/rollup_source"),
    function!("rollups/rollup_bucket"),
    function!("rollups/apache/rollup_layout"),
    function!("rollups/rollup_create"),
    function!("rollups/rollup_mark"),
    function!("rollups/rollup_refresh"),
    function!("rollups/community/rollup_continuous"),
    function!("rollups/refresh_rollups"),
    function!("policy/policy_relations"),
    function!("policy/policy_refusal"),
    function!("policy/plan_policies"),
    function!("policy/policy_jobs"),
    function!("policy/apply_policies"),
    function!("policy/watched_jobs"),
    function!("erasure/erase_rollups"),
    function!("erasure/erasure_scope"),
    function!("erasure/erase_step"),
    function!("erasure/erase_linked_rows"),
    function!("rollups/request_refresh"),
    function!("device/device_clock"),
    function!("cells/lives_elsewhere"),
    function!("cells/start_ids_at"),
    function!("alerts/alert_locks"),
    function!("alerts/rule_scope"),
    function!("alerts/rule_levels"),
    function!("alerts/rule_conditions"),
    function!("alerts/late_alerts"),
    function!("alerts/rule_readings"),
    function!("alerts/derive_alerts"),
    function!("alerts/rebuild_alerts"),
    function!("alerts/extend_alerts"),
    function!("alerts/evaluate_pairs"),
    function!("alerts/alert_audience"),
    function!("alerts/notification_steps"),
    function!("alerts/notify_alerts"),
    function!("alerts/evaluate_alerts"),
    function!("alerts/sweep_alerts"),
    function!("alerts/replay_rule"),
    function!("finish_batches"),
    function!("slice_batch"),
    function!("accounts/account_grants"),
    function!("device/device_owner_at"),
    function!("device/device_owner"),
    function!("cells/devices_of"),
    function!("device/bind_device"),
    function!("schema/database_origin"),
    function!("device/effective_ts"),
    function!("device/update_device_from_info"),
    function!("alerts/alert_rule_refusal"),
    function!("alerts/alert_actions"),
    function!("dashboard/by_name"),
    function!("dashboard/dashboard_tenants"),
    function!("dashboard/dashboard_views"),
    function!("dashboard/dashboard_records"),
    function!("dashboard/dashboard_functions"),
    function!("dashboard/dashboard_rollups"),
];

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::*;

    #[test]
    fn every_file_of_functions_is_applied() {
        let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/sql/functions"));
        let mut files = files_below(folder);
        let mut applied: Vec<PathBuf> =
            FUNCTIONS.iter().map(|(name, _)| folder.join(name).with_extension("sql")).collect();
        files.sort();
        applied.sort();
        assert_eq!(applied, files);
    }

    fn files_below(folder: &Path) -> Vec<PathBuf> {
        std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] })
            .collect()
    }
}
