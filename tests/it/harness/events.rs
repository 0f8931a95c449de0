//! A client of `GET /api/stream` that did not come from this tree: it reads what the standard of server-sent events says.

use std::collections::VecDeque;

use serde_json::Value;

use super::TIMEOUT;

/// An event.
#[derive(Debug, Clone, PartialEq)]
pub struct StreamEvent {
    pub name: String,
    /// Empty: it has none.
    pub id: String,
    pub data: Value,
}

/// An open stream.
pub struct EventStream {
    answer: reqwest::Response,
    received: String,
    events: VecDeque<StreamEvent>,
}

impl EventStream {
    /// Opens it; `path` may have a query. An empty authorization is none.
    pub async fn open(url: &str, path: &str, authorization: &str) -> Self {
        Self::open_with(url, path, &[("authorization", authorization)]).await
    }

    /// Opens it with headers; those without a value are left out.
    pub async fn open_with(url: &str, path: &str, headers: &[(&str, &str)]) -> Self {
        let mut request = reqwest::Client::new().get(format!("{url}{path}"));
        for (name, value) in headers.iter().filter(|(_, value)| !value.is_empty()) {
            request = request.header(*name, *value);
        }
        let answer = request.send().await.expect("an answer");
        assert_eq!(answer.status(), 200, "{path}");
        let kind = answer.headers()["content-type"].to_str().expect("text");
        assert!(kind.starts_with("text/event-stream"), "{kind}");
        Self { answer, received: String::new(), events: VecDeque::new() }
    }

    /// The next event but heartbeats; `None`: the stream has ended.
    pub async fn next(&mut self) -> Option<StreamEvent> {
        let next = async {
            loop {
                if let Some(event) = self.events.pop_front() {
                    if event.name != "tick" {
                        return Some(event);
                    }
                } else {
                    // An error is an end, too: the service may have been killed.
                    let chunk = self.answer.chunk().await.ok().flatten()?;
                    self.receive(std::str::from_utf8(&chunk).expect("text"));
                }
            }
        };
        tokio::time::timeout(TIMEOUT, next).await.expect("an event, or the end, in time")
    }

    /// Events up to the first that `is_last`, which is among them.
    pub async fn until(&mut self, is_last: impl Fn(&StreamEvent) -> bool) -> Vec<StreamEvent> {
        let mut events = Vec::new();
        loop {
            let event = self.next().await.expect("the stream goes on");
            let ends = is_last(&event);
            events.push(event);
            if ends {
                return events;
            }
        }
    }

    /// Reads until it ends.
    pub async fn end(mut self) {
        while self.next().await.is_some() {}
    }

    fn receive(&mut self, text: &str) {
        self.received += text;
        while let Some((event, rest)) = self.received.split_once("\n\n") {
            let field = |name: &str| {
                let lines = event.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
                lines.map(|value| value.strip_prefix(' ').unwrap_or(value)).collect::<Vec<_>>().join("\n")
            };
            let data = field("data");
            if !data.is_empty() {
                let data = serde_json::from_str(&data).expect("JSON");
                self.events.push_back(StreamEvent { name: field("event"), id: field("id"), data });
            }
            self.received = rest.to_owned();
        }
    }
}
