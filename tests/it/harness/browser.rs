//! A browser as far as logging in needs one: cookies, and the headers that say which page a request comes from.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::sync::Mutex;

use reqwest::header::{COOKIE, LOCATION, SET_COOKIE};
use reqwest::redirect::Policy;
use reqwest::{Method, Response};
use serde_json::Value;
use tokio::io::AsyncWriteExt;

use super::process::CommandOutput;
use super::{Database, Service, command};

/// A password that is long enough.
pub const PASSWORD: &str = "correct horse battery staple";

/// Runs `vitals people` with this password on standard input.
pub async fn people(database: &Database, arguments: &[&str], password: &str) -> CommandOutput {
    let mut command = command(database, &[&["people"], arguments].concat());
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.kill_on_drop(true).spawn().expect("it can be run");
    let mut stdin = child.stdin.take().expect("piped");
    // A command that asks for no password may have ended already.
    let _ = stdin.write_all(format!("{password}\n").as_bytes()).await;
    drop(stdin);
    let output = child.wait_with_output().await.expect("ends");
    CommandOutput {
        code: output.status.code().expect("not by a signal"),
        out: String::from_utf8(output.stdout).expect("text"),
        err: String::from_utf8(output.stderr).expect("text"),
    }
}

/// An account with [`PASSWORD`]; `arguments` name it and say what it may do.
pub async fn account(database: &Database, arguments: &[&str]) {
    let output = people(database, &[&["create"], arguments].concat(), PASSWORD).await;
    assert_eq!(output.code, 0, "{output:?}");
}

/// An answer to a browser.
#[derive(Debug)]
pub struct PageAnswer {
    pub status: u16,
    /// Where it leads.
    pub location: String,
    pub text: String,
}

impl PageAnswer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_default()
    }
}

/// A browser with its cookies.
pub struct Browser {
    http: reqwest::Client,
    url: String,
    cookies: Mutex<BTreeMap<String, String>>,
}

impl Browser {
    pub fn new(service: &Service) -> Self {
        Self::at(&service.url())
    }

    pub fn at(url: &str) -> Self {
        let http = reqwest::Client::builder().redirect(Policy::none()).build().expect("a client");
        Self { http, url: url.to_owned(), cookies: Mutex::default() }
    }

    /// A browser that is logged in.
    pub async fn logged_in(service: &Service, login: &str) -> Self {
        let browser = Self::new(service);
        let answer = browser.log_in(login, PASSWORD).await;
        assert_eq!((answer.status, answer.location.as_str()), (303, "/wall"), "{answer:?}");
        browser
    }

    /// Sends the form of the login page.
    pub async fn log_in(&self, login: &str, password: &str) -> PageAnswer {
        self.submit("/login", &[("login", login), ("password", password)]).await
    }

    /// Opens a page or reads from the API.
    pub async fn get(&self, path: &str) -> PageAnswer {
        self.send(Method::GET, path, &[], None).await
    }

    /// Opens a page as a person does.
    pub async fn open(&self, path: &str) -> PageAnswer {
        self.send(Method::GET, path, &[("accept", "text/html,application/xhtml+xml")], None).await
    }

    /// Sends a form of a page of the service.
    pub async fn submit(&self, path: &str, fields: &[(&str, &str)]) -> PageAnswer {
        self.submit_from(path, fields, &[("sec-fetch-site", "same-origin")]).await
    }

    /// Sends a form with these headers.
    pub async fn submit_from(
        &self,
        path: &str,
        fields: &[(&str, &str)],
        headers: &[(&str, &str)],
    ) -> PageAnswer {
        let url = reqwest::Url::parse_with_params("http://form", fields).expect("fields");
        let body = url.query().unwrap_or_default().to_owned();
        let form = [("content-type", "application/x-www-form-urlencoded")];
        self.send(Method::POST, path, &[headers, &form].concat(), Some(body)).await
    }

    /// Sends JSON from a page of the service.
    pub async fn post_json(&self, path: &str, body: &Value) -> PageAnswer {
        let headers = [("content-type", "application/json"), ("sec-fetch-site", "same-origin")];
        self.send(Method::POST, path, &headers, Some(body.to_string())).await
    }

    /// A cookie; empty: there is none.
    pub fn cookie(&self, name: &str) -> String {
        self.cookies.lock().expect("whole").get(name).cloned().unwrap_or_default()
    }

    /// Sets a cookie, as if the browser had it.
    pub fn set_cookie(&self, name: &str, value: &str) {
        self.cookies.lock().expect("whole").insert(name.to_owned(), value.to_owned());
    }

    /// The same browser at another instance.
    pub fn moved_to(&self, service: &Service) -> Self {
        let moved = Self::new(service);
        *moved.cookies.lock().expect("whole") = self.cookies.lock().expect("whole").clone();
        moved
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<String>,
    ) -> PageAnswer {
        let mut request = self.http.request(method, format!("{}{path}", self.url));
        let cookies: Vec<String> = self
            .cookies
            .lock()
            .expect("whole")
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        if !cookies.is_empty() {
            request = request.header(COOKIE, cookies.join("; "));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.body(body.unwrap_or_default()).send().await.expect("an answer");
        self.keep_cookies(&response);
        let location = response.headers().get(LOCATION).map(|place| place.to_str().expect("text").to_owned());
        PageAnswer {
            status: response.status().as_u16(),
            location: location.unwrap_or_default(),
            text: response.text().await.expect("a body"),
        }
    }

    fn keep_cookies(&self, response: &Response) {
        let mut cookies = self.cookies.lock().expect("whole");
        for line in response.headers().get_all(SET_COOKIE) {
            let line = line.to_str().expect("text");
            let (name, rest) = line.split_once('=').expect("a cookie");
            let is_secret = ["vitals_session", "vitals_kiosk", "vitals_oidc"].contains(&name);
            assert!(!is_secret || line.contains("; HttpOnly; SameSite=Lax"), "{line}");
            let value = rest.split(';').next().unwrap_or_default();
            if line.contains("Max-Age=0") {
                cookies.remove(name);
            } else {
                cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }
}
