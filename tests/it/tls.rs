//! TLS: the service speaks it when it is given a certificate, and takes the next one without a restart.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use rcgen::{CertifiedKey, KeyPair};
use reqwest::tls::Version;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use vitals::config::Settings;

use crate::harness::{Database, Service, TIMEOUT, command, eventually};

/// Two files, to be written anew.
struct Files {
    certificate: PathBuf,
    key: PathBuf,
}

impl Files {
    fn new(name: &str) -> (Self, CertifiedKey<KeyPair>) {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
        let certificate = folder.join(format!("served-{name}.pem"));
        let files = Self { certificate, key: folder.join(format!("served-{name}.key")) };
        let made = made();
        files.write(&made);
        (files, made)
    }

    fn write(&self, made: &CertifiedKey<KeyPair>) {
        std::fs::write(&self.certificate, made.cert.pem()).expect("written");
        std::fs::write(&self.key, made.signing_key.serialize_pem()).expect("written");
    }

    async fn serve(&self, database: &Database, change: impl FnOnce(&mut Settings)) -> Service {
        Service::start_with(database, |settings| {
            settings.tls_certificate.clone_from(&self.certificate);
            settings.tls_key.clone_from(&self.key);
            change(settings);
        })
        .await
    }
}

fn made() -> CertifiedKey<KeyPair> {
    let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
    rcgen::generate_simple_self_signed(names).expect("a certificate")
}

/// Trusts this certificate and no other; a new connection for each request.
fn trusting(made: &CertifiedKey<KeyPair>, version: Option<Version>) -> reqwest::Client {
    let root = reqwest::Certificate::from_pem(made.cert.pem().as_bytes()).expect("a certificate");
    let builder = reqwest::Client::builder().tls_certs_only([root]).pool_max_idle_per_host(0);
    let builder = match version {
        Some(version) => builder.tls_version_min(version).tls_version_max(version),
        None => builder,
    };
    builder.build().expect("a client")
}

fn https(service: &Service, path: &str) -> String {
    format!("{}{path}", service.url().replace("http://", "https://"))
}

#[tokio::test]
async fn with_a_certificate_the_service_speaks_tls_and_nothing_else() {
    let database = Database::new().await;
    let (files, made) = Files::new("speaks");
    let service = files.serve(&database, |_| ()).await;
    for version in [Version::TLS_1_2, Version::TLS_1_3] {
        let client = trusting(&made, Some(version));
        let answer = client.get(https(&service, "/livez")).send().await.expect("an answer");
        assert_eq!(answer.status(), 200, "{version:?}");
        assert_eq!(answer.headers()["strict-transport-security"], "max-age=63072000");
    }
    let config = https(&service, "/fetch_health_data_config");
    let config = trusting(&made, None).get(config).send().await.expect("an answer");
    let config = config.text().await.expect("a body");
    assert!(config.contains("https://127.0.0.1:") && !config.contains("http://"), "{config}");
    let (_, another) = Files::new("not-served");
    assert!(trusting(&another, None).get(https(&service, "/livez")).send().await.is_err());
    assert!(reqwest::get(format!("{}/livez", service.url())).await.is_err(), "no plain HTTP");
    service.drained().await;
    service.stop().await;
}

#[tokio::test]
async fn a_renewed_certificate_is_used_and_a_broken_one_is_not() {
    let database = Database::new().await;
    let (files, first) = Files::new("renewed");
    let service = files.serve(&database, |_| ()).await;
    let does = async |made: &CertifiedKey<KeyPair>| {
        trusting(made, None).get(https(&service, "/livez")).send().await.is_ok()
    };
    assert!(does(&first).await);
    let second = made();
    files.write(&second);
    eventually("the new one is used", async || does(&second).await.then_some(())).await;
    assert!(!does(&first).await);
    // The key of another: half of a renewal.
    std::fs::write(&files.key, made().signing_key.serialize_pem()).expect("written");
    let broken_at = Instant::now();
    eventually("it was looked at", async || {
        assert!(does(&second).await, "the last one that fitted holds");
        (broken_at.elapsed() > vitals::http::tls::FOLLOW_EVERY + Duration::from_millis(500)).then_some(())
    })
    .await;
    let third = made();
    files.write(&third);
    eventually("the next one is used", async || does(&third).await.then_some(())).await;
    service.drained().await;
    service.stop().await;
}

#[tokio::test]
async fn a_handshake_that_does_not_end_is_ended() {
    let database = Database::new().await;
    let (files, _) = Files::new("slow");
    let service = files.serve(&database, |settings| settings.idle_timeout_ms = 500).await;
    let address = service.url().replace("http://", "");
    for said in [&b""[..], b"\x16\x03\x01\x02\x00\x01", b"GET /livez HTTP/1.1\r\n\r\n"] {
        let mut stream = TcpStream::connect(&address).await.expect("connects");
        stream.write_all(said).await.expect("written");
        let mut rest = Vec::new();
        let ending = stream.read_to_end(&mut rest);
        let _ = tokio::time::timeout(TIMEOUT, ending).await.expect("closed in time");
    }
    service.drained().await;
    service.stop().await;
}

#[tokio::test]
async fn a_certificate_that_cannot_be_used_is_refused_at_start() {
    let database = Database::new().await;
    let (files, _) = Files::new("unfit");
    std::fs::write(&files.key, made().signing_key.serialize_pem()).expect("written");
    let (other, _) = Files::new("empty");
    std::fs::write(&other.certificate, "nothing").expect("written");
    for (files, reason) in [(&files, "tls_key"), (&other, "no certificate")] {
        let mut serving = command(&database, &["serve"]);
        serving.env("VITALS_LISTEN", "127.0.0.1:0").kill_on_drop(true);
        serving.env("VITALS_TLS_CERTIFICATE", &files.certificate).env("VITALS_TLS_KEY", &files.key);
        let output = serving.output().await.expect("it can be run");
        let said = String::from_utf8(output.stderr).expect("text");
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains(reason), "{said}");
    }
}
