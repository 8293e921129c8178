//! A connection that fails when it is closed, after the whole answer or in the middle of it.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::super::fetch::exchanged;
use super::*;

/// Answers the first request with these bytes; whatever comes after is a failure.
struct Failing {
    answer: Option<&'static [u8]>,
    asked: bool,
    waiting: Option<Waker>,
}

fn reset<T>() -> Poll<io::Result<T>> {
    Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()))
}

impl AsyncRead for Failing {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if !self.asked {
            self.waiting = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let Some(answer) = self.answer.take() else { return reset() };
        into.put_slice(answer);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Failing {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.asked = true;
        if let Some(waiting) = self.waiting.take() {
            waiting.wake();
        }
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        reset()
    }
}

#[tokio::test]
async fn a_whole_answer_is_taken_however_the_connection_ends() {
    let to = address("http://127.0.0.1/keys").unwrap();
    let ask = |answer: &'static str| {
        let (answer, to) = (Some(answer.as_bytes()), &to);
        async move { exchanged(to, Failing { answer, asked: false, waiting: None }).await }
    };
    for head in ["content-length: 4\r\nconnection: close", "content-length: 4", "content-length: 4\r\nx: y"] {
        let answer: &'static str = format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\nkeys").leak();
        for _ in 0..20 {
            assert_eq!(ask(answer).await.as_deref(), Ok(b"keys".as_slice()), "{head}");
        }
    }
    for part in [
        "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nkeys",
        // It would end with the connection, so that nobody knows whether it is whole.
        "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nkeys",
        "HTTP/1.1 200 OK\r\ncont",
        "",
    ] {
        assert!(ask(part).await.is_err(), "{part}");
    }
}
