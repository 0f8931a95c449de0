//! TLS: whom the machine trusts is trusted, nobody else.

use std::path::PathBuf;
use std::sync::Arc;

use mailin_embedded::SslConfig;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use super::email::Mailbox;
use super::house::House;
use crate::harness::Process;

/// A certificate for localhost, as files and as it is.
struct Certificate {
    file: PathBuf,
    key_file: PathBuf,
    key: rcgen::CertifiedKey<rcgen::KeyPair>,
}

impl Certificate {
    fn new(name: &str) -> Self {
        let key = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
        let (file, key_file) = (folder.join(format!("{name}.pem")), folder.join(format!("{name}.key")));
        std::fs::write(&file, key.cert.pem()).expect("written");
        std::fs::write(&key_file, key.signing_key.serialize_pem()).expect("written");
        Self { file, key_file, key }
    }

    fn path(&self) -> String {
        self.file.to_string_lossy().into_owned()
    }

    /// Serves HTTPS that answers 204 to whatever comes; gives the port.
    async fn serve_https(&self) -> u16 {
        let key = PrivateKeyDer::try_from(self.key.signing_key.serialize_der()).expect("a key");
        let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![self.key.cert.der().clone()], key)
            .expect("a certificate");
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                // Whoever does not trust us goes away here.
                let Ok(mut stream) = acceptor.accept(stream).await else { continue };
                let mut request = [0; 65_536];
                let read = stream.read(&mut request).await.unwrap_or_default();
                assert!(read > 0, "a request");
                let _ = stream.write_all(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n").await;
                let _ = stream.shutdown().await;
            }
        });
        port
    }
}

async fn send(house: &House, trusted: &str, smtp_port: u16) -> Process {
    let smtp = format!("smtp://localhost:{smtp_port}?tls=required");
    let variables = [
        ("SSL_CERT_FILE", trusted),
        ("VITALS_NOTIFY_WEBHOOK_ALLOW_PRIVATE", "true"),
        ("VITALS_NOTIFY_ATTEMPTS", "1"),
        ("VITALS_NOTIFY_SMTP_URL", &smtp),
        ("VITALS_NOTIFY_SMTP_FROM", "alerts@example.org"),
    ];
    let process = Process::serve(&house.database, &variables).await;
    house.fire(&["SN-1"], "critical").await;
    process
}

#[tokio::test]
async fn a_webhook_and_a_mail_server_that_the_machine_trusts_are_told() {
    let house = House::new().await;
    let certificate = Certificate::new("trusted");
    let mailbox = Mailbox::default();
    let tls = SslConfig::SelfSigned {
        cert_path: certificate.path(),
        key_path: certificate.key_file.to_string_lossy().into_owned(),
    };
    let smtp_port = mailbox.serve(tls);
    house.subscribe("webhook", &format!("https://localhost:{}/", certificate.serve_https().await)).await;
    house.subscribe("email", "nurse@example.org").await;
    let process = send(&house, &certificate.path(), smtp_port).await;
    house.until("sent", 2).await;
    assert_eq!(mailbox.mails().len(), 1);
    process.signal("TERM");
    assert!(process.ended().await.success());
}

#[tokio::test]
async fn others_are_not() {
    let house = House::new().await;
    let (certificate, other) = (Certificate::new("untrusted"), Certificate::new("other"));
    let mailbox = Mailbox::default();
    // This one does not speak TLS at all, and is told nothing in plain text.
    let smtp_port = mailbox.serve(SslConfig::None);
    house.subscribe("webhook", &format!("https://localhost:{}/", certificate.serve_https().await)).await;
    house.subscribe("email", "nurse@example.org").await;
    let process = send(&house, &other.path(), smtp_port).await;
    house.until("dead", 2).await;
    let error = house.value("select error from notification where channel = 'webhook'").await;
    assert!(error.as_str().expect("words").contains("certificate"), "{error}");
    assert_eq!(mailbox.mails().len(), 0);
    process.signal("TERM");
    assert!(process.ended().await.success());
}
