//! What to try: while the demo runs, and after it.
//!
//! Before: `mod`. After: a person with a second terminal.
//! Promise: the lines work as they are printed, with the URLs of this run.

use super::directory::Credentials;
use super::stack::Stack;
use super::table::{dim, print_line, title};
use crate::app::Service;
use crate::config::Settings;

/// While it runs: the page, and what to try from another terminal.
pub(super) fn invite(
    settings: &Settings,
    service: &Service,
    stack: &Stack,
    device_sn: &str,
    credentials: &Credentials,
) {
    let Credentials { authorization, login, password, .. } = credentials;
    let address = service.address();
    let upload = r#"{"data":{"deviceSn":"SIM-MYWATCH-00001","heart_rate":72,"body_temperature":"36.6"}}"#;
    let strong = |text: &str| console::Style::new().for_stderr().bold().apply_to(text.to_owned());
    eprintln!(
        "\nOpen {} and log in as {}, password {}",
        strong(&format!("http://{address}/")),
        strong(login),
        strong(password)
    );
    eprintln!("\nWhile it runs, from another terminal:");
    eprintln!(
        "  curl -s http://{address}/upload_health_data \\\n    -H 'Content-Type: application/json' \\\n    \
         -H 'Authorization: {authorization}' -d '{upload}'"
    );
    eprintln!("{}", looking(settings, stack, device_sn));
}

/// How it ends.
pub(super) fn until_interrupted() {
    eprintln!("Ctrl-C ends the uploads and shows what came of them.\n");
}

/// Where to go from here.
///
/// # Errors
/// It cannot be written.
pub(super) fn next(
    stays_up: bool,
    settings: &Settings,
    stack: &Stack,
    device_sn: &str,
) -> anyhow::Result<()> {
    print_line!("{}", title("Where to go next"));
    if stays_up {
        let (database, redis) = (&settings.database_url, &settings.redis_url);
        print_line!(
            "  VITALS_DATABASE_URL='{database}' VITALS_REDIS_URL='{redis}' cargo run --release -- serve"
        );
        print_line!("{}", looking(settings, stack, device_sn));
        return Ok(());
    }
    for (command, does) in [
        ("demo", "goes on until Ctrl-C, to look around in"),
        ("demo --keep", "leaves the servers up, with what is in them"),
        ("simulate --help", "the fleet as a load generator"),
    ] {
        print_line!("  cargo run --release -- {command:16} {}", dim().apply_to(does));
    }
    Ok(())
}

fn looking(settings: &Settings, stack: &Stack, device_sn: &str) -> String {
    let hours = format!(
        "select bucket, samples, heart_rate_avg from health_hourly \
         where device_sn = '{device_sn}' order by bucket desc limit 5"
    );
    let (database, script) = (&settings.database_url, stack.script().display());
    format!(
        "  psql '{database}' \\\n    -c \"{hours}\"\n  \
           {script} psql        # the same server, where there is no psql on this machine\n  \
           {script} redis-cli hgetall health_data:{device_sn}\n"
    )
}
