//! arguments → settings → telemetry → command

use clap::Parser;
use vitals::command::{self, Arguments};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> std::process::ExitCode {
    command::run(Arguments::parse()).await
}
