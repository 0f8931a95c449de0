//! What WeChat and WeCom answer: a 200 with `errcode` in the body.
//!
//! Before: `wechat`, `wecom`, `wecom_robot` send a request. After: they have a verdict. Promise: `errcode` decides, never the status
//! alone; the error of the provider is kept.
//! Codes: <https://developer.work.weixin.qq.com/document/path/90313> and
//! <https://developers.weixin.qq.com/doc/offiaccount/Getting_Started/Global_Return_Code.html>.

use reqwest::{RequestBuilder, StatusCode, Url};
use serde::Deserialize;

use super::client::{self, Answered};
use super::decide::Attempt;

/// An answer; fields that it lacks are empty.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Answer {
    pub(super) errcode: i64,
    pub(super) errmsg: String,
    /// Of a token.
    pub(super) access_token: String,
    /// How long the token holds, seconds.
    pub(super) expires_in: u64,
    /// Users a WeCom message did not go to, though it was taken.
    pub(super) invaliduser: String,
}

/// What a code means.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The access token is not (or no longer) good.
    Token(String),
    /// The message has come to an end, or not.
    Attempt(Attempt),
}

/// Sends a request and reads the answer.
///
/// # Errors
/// There is none, or none that can be read.
pub(super) async fn send(request: RequestBuilder) -> Result<Answer, Attempt> {
    let answer = client::exchange(request).await?;
    if !answer.status.is_success() {
        return Err(classify_status(&answer));
    }
    serde_json::from_slice(&answer.body).map_err(|_| classify_status(&answer))
}

/// What an answer without a code says; one with a good status is none of the provider.
pub(super) fn classify_status(answer: &Answered) -> Attempt {
    match answer.status {
        StatusCode::TOO_MANY_REQUESTS => {
            Attempt::Limited { reason: "HTTP 429".to_owned(), wait: answer.retry_after }
        }
        status if status.is_success() => Attempt::failed("the answer is not what the provider speaks"),
        status => Attempt::failed(format!("HTTP {}", status.as_u16())),
    }
}

/// Settings a channel cannot do without.
///
/// # Errors
/// Names the first that is empty.
pub(super) fn require(settings: &[(&str, &str)]) -> Result<(), String> {
    match settings.iter().find(|(_, value)| value.is_empty()) {
        Some((name, _)) => Err(format!("{name} is not set")),
        None => Ok(()),
    }
}

/// `path` below a base, a setting by name and value.
///
/// # Errors
/// The base is no URL.
pub(super) fn url((name, base): (&str, &str), path: &str) -> Result<Url, String> {
    format!("{}{path}", base.trim_end_matches('/'))
        .parse()
        .map_err(|error| format!("{name} is no URL: {error}"))
}

/// What an answer means for the message.
pub(super) fn classify(answer: &Answer) -> Verdict {
    let reason = format!("{} {}", answer.errcode, answer.errmsg);
    match answer.errcode {
        0 => Verdict::Attempt(Attempt::Delivered),
        // Token: invalid credential, invalid, expired.
        40001 | 40014 | 42001 => Verdict::Token(reason),
        // Quotas by the day and the minute; too much at once.
        45009 | 45011 | 45033 => Verdict::Attempt(Attempt::limited(reason)),
        // Receiver: no such user, has not subscribed, has refused; template, arguments, content, application, robot.
        40003 | 43004 | 43101 | 40037 | 47003 | 40031 | 46004 | 60111 | 81013 | 40058 | 40008 | 45002
        | 45008 | 40056 | 301_002 | 93000 => Verdict::Attempt(Attempt::Refused(reason)),
        // -1 is busy; what is not known may pass.
        _ => Verdict::Attempt(Attempt::failed(reason)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn classified(errcode: i64) -> Verdict {
        classify(&Answer { errcode, errmsg: "so".into(), ..Answer::default() })
    }

    #[test]
    fn a_code_says_what_to_do() {
        assert_eq!(classified(0), Verdict::Attempt(Attempt::Delivered));
        assert_eq!(classified(-1), Verdict::Attempt(Attempt::failed("-1 so")));
        assert_eq!(classified(99_999), Verdict::Attempt(Attempt::failed("99999 so")));
        for token in [40001, 40014, 42001] {
            assert_eq!(classified(token), Verdict::Token(format!("{token} so")));
        }
        for limit in [45009, 45011] {
            assert_eq!(classified(limit), Verdict::Attempt(Attempt::limited(format!("{limit} so"))));
        }
        for refusal in [40003, 43004, 43101, 93000] {
            assert_eq!(classified(refusal), Verdict::Attempt(Attempt::Refused(format!("{refusal} so"))));
        }
    }
}
