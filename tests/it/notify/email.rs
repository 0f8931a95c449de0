//! E-mail, against an SMTP server that is not ours.

use std::io;
use std::net::{IpAddr, TcpListener};
use std::sync::{Arc, Mutex};

use mail_parser::{MessageParser, MimeHeaders};
use mailin_embedded::response::{INTERNAL_ERROR, NO_MAILBOX, OK};
use mailin_embedded::{Handler, Response, Server, SslConfig};
use serde_json::json;

use super::house::House;
use crate::harness::eventually;

/// Takes mail for anybody but `nobody@`, and for `busy@` only the second time.
#[derive(Clone, Default)]
pub struct Mailbox {
    mails: Arc<Mutex<Vec<String>>>,
    refused_busy: Arc<Mutex<bool>>,
    mail: Vec<u8>,
}

impl Handler for Mailbox {
    fn mail(&mut self, _: IpAddr, _: &str, _: &str) -> Response {
        self.mail.clear();
        OK
    }

    fn rcpt(&mut self, to: &str) -> Response {
        if to.starts_with("nobody@") {
            return NO_MAILBOX;
        }
        let first = to.starts_with("busy@")
            && !std::mem::replace(&mut *self.refused_busy.lock().expect("whole"), true);
        if first { INTERNAL_ERROR } else { OK }
    }

    fn data(&mut self, line: &[u8]) -> io::Result<()> {
        self.mail.extend_from_slice(line);
        Ok(())
    }

    fn data_end(&mut self) -> Response {
        self.mails.lock().expect("whole").push(String::from_utf8_lossy(&self.mail).into_owned());
        OK
    }
}

impl Mailbox {
    /// Serves on a free port until the process ends; gives the port.
    pub fn serve(&self, tls: SslConfig) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let mut server = Server::new(self.clone());
        server.with_name("mail.example.org").with_tcp_listener(listener);
        server.with_ssl(tls).expect("a certificate");
        std::thread::spawn(move || server.serve().expect("serves"));
        port
    }

    pub fn mails(&self) -> Vec<String> {
        self.mails.lock().expect("whole").clone()
    }
}

#[tokio::test]
async fn a_mail_names_the_alerts_and_keeps_its_message_id_at_every_attempt() {
    let house = House::new().await;
    let mailbox = Mailbox::default();
    let port = mailbox.serve(SslConfig::None);
    for address in ["nurse@example.org", "busy@example.org", "nobody@example.org", "no address"] {
        house.subscribe("email", address).await;
    }
    let service = house
        .serve(|settings| {
            settings.notify.smtp_url = format!("smtp://127.0.0.1:{port}");
            settings.notify.smtp_from = "vitals <alerts@example.org>".into();
        })
        .await;
    house.fire(&["SN-1", "SN-2"], "critical").await;
    house.until("dead", 4).await;
    house.until("sent", 4).await;
    let mails = eventually("two mails", || async {
        let mails = mailbox.mails();
        (mails.len() >= 2).then_some(mails)
    })
    .await;
    assert_eq!(mails.len(), 2);
    let mail = mails.iter().find(|mail| mail.contains("To: nurse@example.org")).expect("hers");
    for line in [
        "Subject: 2 alerts, 2 critical",
        "[critical] SN-1: heart rate 150",
        "[critical] SN-2: heart rate 150",
        "From: vitals <alerts@example.org>",
    ] {
        assert!(mail.contains(line), "{line}\n{mail}");
    }
    let id = house.value("select max(message_id::text) from notification where address like 'busy%'").await;
    let message_id = format!("Message-ID: <{}@example.org>", id.as_str().expect("a number"));
    assert!(mails.iter().any(|mail| mail.contains(&message_id)), "{mails:?}");
    let error = |address: &str| {
        let query = format!("select max(error) from notification where address = '{address}'");
        let house = &house;
        async move { house.value(&query).await.as_str().unwrap_or_default().to_owned() }
    };
    assert!(error("nobody@example.org").await.contains("Mailbox unavailable"));
    assert!(error("busy@example.org").await.contains("local error in processing"));
    assert!(error("no address").await.starts_with("the address is not one"));
    let attempts = house.value("select max(attempts) from notification where address like 'nobody%'").await;
    assert_eq!(attempts, 1, "5xx is final");
    service.finish().await;
}

#[tokio::test]
async fn a_mail_in_chinese_is_what_a_mail_reader_shows() {
    let house = House::new().await;
    let mailbox = Mailbox::default();
    let port = mailbox.serve(SslConfig::None);
    house.subscribe("email", "nurse@example.org").await;
    house.run("update contact set language = 'zh'").await;
    let service = house
        .serve(|settings| {
            settings.notify.smtp_url = format!("smtp://127.0.0.1:{port}");
            settings.notify.smtp_from = "vitals <alerts@example.org>".into();
        })
        .await;
    let event = json!({ "eventType": "FALLDOWN_EVENT", "eventValue": "1", "deviceSn": "FALL-1" });
    assert_eq!(service.post("/upload_common_event", event.to_string()).await.status, 200);
    let mail = eventually("a mail", async || mailbox.mails().pop()).await;
    let (headers, _) = mail.split_once("\r\n\r\n").expect("headers and a body");
    assert!(headers.is_ascii() && headers.lines().all(|line| line.len() <= 78), "{headers}");
    assert!(headers.contains("Subject: =?utf-8?"), "{headers}");
    assert!(mail.is_ascii(), "every server can pass it on: {mail}");
    let read = MessageParser::default().parse(mail.as_bytes()).expect("a mail");
    assert_eq!(read.subject(), Some("【危急】跌倒"));
    let content = read.content_type().expect("a type");
    assert_eq!((content.ctype(), content.subtype()), ("text", Some("plain")));
    assert_eq!(content.attribute("charset"), Some("utf-8"));
    let text = read.body_text(0).expect("a text");
    assert!(text.starts_with("【危急】FALL-1:检测到跌倒,20"), "{text}");
    service.finish().await;
}

#[tokio::test]
async fn a_mail_server_that_is_away_is_tried_again() {
    let house = House::new().await;
    house.subscribe("email", "nurse@example.org").await;
    let service = house
        .serve(|settings| {
            settings.notify.smtp_url = "smtp://user:s3cret@127.0.0.1:9".into();
            settings.notify.smtp_from = "alerts@example.org".into();
            settings.notify.attempts = 2;
        })
        .await;
    house.fire(&["SN-1"], "major").await;
    house.until("dead", 1).await;
    let error = house.value("select error from notification").await;
    let error = error.as_str().expect("words");
    assert!(error.contains("refused") && !error.contains("s3cret"), "{error}");
    assert_eq!(house.value("select attempts from notification").await, 2);
    service.finish().await;
}
