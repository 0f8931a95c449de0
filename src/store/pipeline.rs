//! Pipelining: several statements are sent on one connection before the first answer is awaited.
//!
//! Before: a caller has statements of which none needs the answer of another. After: PostgreSQL runs them in the order in which they
//! were sent; inside a transaction, those behind a failed one fail too.
//! Promise: [`pipeline!`] sends the statements in the order in which they are written, and nothing is awaited in between. Only
//! [`send`] makes a [`Sent`], and only a [`Sent`] has an answer. Every statement has to be prepared on the connection beforehand
//! ([`super::Statement::prepare`]): one that is not would be sent after those behind it.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

/// A statement that was sent. Its answer may have arrived.
#[must_use]
pub(super) enum Sent<'s, S: Future> {
    Awaited(Pin<&'s mut S>),
    Answered(S::Output),
}

/// Sends a statement, and does not wait for its answer: a statement of tokio-postgres is sent when its future is polled for the
/// first time.
pub(super) async fn send<S: Future>(mut statement: Pin<&mut S>) -> Sent<'_, S> {
    let first_poll = poll_fn(|context| Poll::Ready(statement.as_mut().poll(context))).await;
    match first_poll {
        Poll::Pending => Sent::Awaited(statement),
        Poll::Ready(answer) => Sent::Answered(answer),
    }
}

impl<S: Future> Sent<'_, S> {
    pub(super) async fn answer(self) -> S::Output {
        match self {
            Self::Awaited(statement) => statement.await,
            Self::Answered(answer) => answer,
        }
    }
}

/// `pipeline! { begun = begin(), added = add() }` sends both statements in this order, waits for both answers, and leaves them in the
/// variables `begun` and `added`.
macro_rules! pipeline {
    ($($answer:ident = $statement:expr),+ $(,)?) => {
        // In a block, so that the statements are dropped before what follows: it may be a large future too.
        let ($($answer,)+) = {
            $(let $answer = std::pin::pin!($statement);)+
            $(let $answer = $crate::store::pipeline::send($answer).await;)+
            $(let $answer = $answer.answer().await;)+
            ($($answer,)+)
        };
    };
}
pub(super) use pipeline;

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    /// Notes when it is sent, and when its answer is taken, after as many more polls.
    async fn statement(log: &RefCell<Vec<String>>, name: &'static str, polls: u32) -> &'static str {
        log.borrow_mut().push(format!("{name} sent"));
        for _ in 0..polls {
            tokio::task::yield_now().await;
        }
        log.borrow_mut().push(format!("{name} answered"));
        name
    }

    #[tokio::test]
    async fn statements_are_sent_in_their_order_before_any_answer_is_awaited() {
        let log = RefCell::default();
        pipeline! {
            begun = statement(&log, "begin", 3),
            added = statement(&log, "add", 1),
            committed = statement(&log, "commit", 2),
        }
        assert_eq!((begun, added, committed), ("begin", "add", "commit"));
        let expected =
            ["begin sent", "add sent", "commit sent", "begin answered", "add answered", "commit answered"];
        assert_eq!(*log.borrow(), expected);
    }

    #[tokio::test]
    async fn a_statement_that_has_nothing_to_send_is_answered_at_once() {
        let log = RefCell::default();
        pipeline! {
            nothing = async { 0 },
            added = statement(&log, "add", 1),
        }
        assert_eq!((nothing, added), (0, "add"));
    }
}
