//! A real nginx or HAProxy with the files of `docker/`, in which addresses, ports and certificates are those of a test.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicUsize, Ordering};

use rcgen::generate_simple_self_signed;
use tokio::process::{Child, Command};

use super::{eventually, free_port};

/// Which one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BalancerKind {
    Nginx,
    Haproxy,
}

/// What stands behind it.
#[derive(Debug, Clone, Default)]
pub struct Behind {
    /// Two instances, as `host:port`.
    pub instances: [String; 2],
    /// Changes of its files by whoever installs it: what is replaced, and by what.
    pub edits: Vec<(&'static str, String)>,
    /// The site of nginx: `vitals` or `moving`.
    pub site: &'static str,
}

/// A running balancer. It ends with the value.
pub struct Balancer {
    _child: Child,
    folder: PathBuf,
    /// Without TLS.
    pub url: String,
    /// With TLS, by [`Balancer::certificate`].
    pub tls_url: String,
    /// What clients trust (PEM).
    pub certificate: String,
}

impl Drop for Balancer {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

impl Balancer {
    /// Starts it in front of these. `None`, after printing why: it is not installed.
    pub async fn start(kind: BalancerKind, behind: &Behind) -> Option<Self> {
        let name = if kind == BalancerKind::Nginx { "nginx" } else { "haproxy" };
        let Some(program) = program(name).await else {
            eprintln!("skipped: {name} is not installed (Debian: apt-get install {name})");
            return None;
        };
        let folder = new_folder(name);
        let made = generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
        let (certificate, key) = (made.cert.pem(), made.signing_key.serialize_pem());
        write(&folder, "tls/certificate.pem", &certificate);
        write(&folder, "tls/key.pem", &key);
        write(&folder, "tls/balancer.pem", &(certificate.clone() + key.as_str()));
        let (port, tls_port) = (free_port(), free_port());
        let places = places(&folder, behind, port, tls_port);
        let mut command = Command::new(program);
        match kind {
            BalancerKind::Nginx => {
                copy("docker/nginx", &folder.join("vitals"), &behind.edits, &places);
                write(&folder, "nginx.conf", &main_of_nginx(behind.site));
                command
                    .args(["-e", "stderr", "-c", "nginx.conf", "-p"])
                    .arg(format!("{}/", folder.display()));
            }
            BalancerKind::Haproxy => {
                copy("docker/haproxy", &folder, &behind.edits, &places);
                command.arg("-db").arg("-f").arg(folder.join("vitals.cfg"));
            }
        }
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).kill_on_drop(true).spawn();
        let balancer = Self {
            _child: child.expect("it can be run"),
            folder,
            url: format!("http://127.0.0.1:{port}"),
            tls_url: format!("https://localhost:{tls_port}"),
            certificate,
        };
        eventually("the balancer answers", async || {
            reqwest::get(format!("{}/livez", balancer.url)).await.is_ok().then_some(())
        })
        .await;
        Some(balancer)
    }
}

/// The program of the path, or where Debian installs it.
async fn program(name: &str) -> Option<String> {
    for candidate in [name.to_owned(), format!("/usr/sbin/{name}")] {
        if Command::new(&candidate).arg("-v").output().await.is_ok() {
            return Some(candidate);
        }
    }
    None
}

fn new_folder(name: &str) -> PathBuf {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let folder =
        Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}-{number}", std::process::id()));
    fs::create_dir_all(folder.join("tls")).expect("a folder");
    folder
}

fn write(folder: &Path, name: &str, text: &str) {
    fs::write(folder.join(name), text).expect("written");
}

fn places(folder: &Path, behind: &Behind, port: u16, tls_port: u16) -> Vec<(&'static str, String)> {
    vec![
        ("listen 80 ", format!("listen 127.0.0.1:{port} ")),
        ("listen 443 ", format!("listen 127.0.0.1:{tls_port} ")),
        ("bind :80\n", format!("bind 127.0.0.1:{port}\n")),
        ("bind :443 ", format!("bind 127.0.0.1:{tls_port} ")),
        // The limit of open files may be low where tests run.
        ("maxconn 10000", "maxconn 1000".to_owned()),
        ("127.0.0.1:8081", behind.instances[0].clone()),
        ("127.0.0.1:8082", behind.instances[1].clone()),
        ("/etc/vitals/tls", folder.join("tls").display().to_string()),
    ]
}

fn copy(from: &str, to: &Path, edits: &[(&'static str, String)], places: &[(&str, String)]) {
    fs::create_dir_all(to).expect("a folder");
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join(from);
    let mut unused: Vec<&str> = edits.iter().map(|(from, _)| *from).collect();
    for file in fs::read_dir(from).expect("files") {
        let file = file.expect("a file");
        let mut text = fs::read_to_string(file.path()).expect("text");
        unused.retain(|edit| !text.contains(edit));
        for (old, new) in edits.iter().chain(places) {
            text = text.replace(old, new);
        }
        fs::write(to.join(file.file_name()), text).expect("written");
    }
    assert!(unused.is_empty(), "in no file: {unused:?}");
}

/// What Debian's own `nginx.conf` has around a site; one process, which ends with its test.
fn main_of_nginx(site: &str) -> String {
    let mut main = String::from(
        "daemon off;\nmaster_process off;\nuser root;\npid nginx.pid;\nerror_log stderr crit;\nevents {}\nhttp {\n",
    );
    for kind in ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"] {
        main += &format!("    {kind}_temp_path {kind};\n");
    }
    format!("{main}    include vitals/{site}.conf;\n}}\n")
}

/// The address of a URL without a path, as the files of a balancer have it.
pub fn authority(url: &str) -> String {
    let address: SocketAddr =
        url.rsplit('/').next().expect("an authority").parse().expect("an address with a port");
    address.to_string()
}
