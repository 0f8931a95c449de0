//! stub
#[allow(missing_docs)]
#[allow(clippy::missing_errors_doc)]
pub async fn run(_s: &crate::config::Settings) -> anyhow::Result<std::process::ExitCode> {
    unimplemented!()
}
