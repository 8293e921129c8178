//! What goes in: HTTP requests for `/metrics`. What comes out: the text of the metrics. Nothing else is answered, so
//! that a whole HTTP server would be too much.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

/// The longest head of a request, in bytes.
const HEAD_BYTES: usize = 8192;
/// How long a request may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// Requests that are answered at a time.
const AT_ONCE: usize = 8;

/// Answers until it is dropped.
pub(crate) async fn serve(listener: TcpListener, text: Arc<dyn Fn() -> String + Send + Sync>) {
    let turns = Arc::new(Semaphore::new(AT_ONCE));
    loop {
        let Ok(turn) = Arc::clone(&turns).acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, _)) => {
                let text = Arc::clone(&text);
                tokio::spawn(async move {
                    // Who is too slow, or has gone, asks again.
                    let _ = tokio::time::timeout(PATIENCE, answer(stream, text.as_ref())).await;
                    drop(turn);
                });
            }
            // Such as too many open files, which may pass.
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
}

async fn answer(mut stream: TcpStream, text: &(dyn Fn() -> String + Send + Sync)) -> io::Result<()> {
    let mut head = Vec::new();
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        if head.len() > HEAD_BYTES || stream.read_buf(&mut head).await? == 0 {
            break;
        }
    }
    let (status, body) = response(&head, text);
    let kind = "text/plain; version=0.0.4; charset=utf-8";
    let length = body.len();
    let head =
        format!("HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body.as_bytes()).await?;
    stream.shutdown().await
}

fn response(head: &[u8], text: &(dyn Fn() -> String + Send + Sync)) -> (&'static str, String) {
    let first = head.split(|byte| *byte == b'\r').next().unwrap_or_default();
    let words: Vec<&str> = std::str::from_utf8(first).unwrap_or_default().split(' ').collect();
    match words.as_slice() {
        ["GET", "/metrics", version] if version.starts_with("HTTP/1.") => ("200 OK", text()),
        ["GET", _, version] if version.starts_with("HTTP/1.") => {
            ("404 Not Found", "there is nothing here; the metrics are at /metrics\n".to_owned())
        }
        [_, _, version] if version.starts_with("HTTP/1.") => {
            ("405 Method Not Allowed", "the metrics can be read with GET\n".to_owned())
        }
        _ => ("400 Bad Request", "expected a request of HTTP/1.1\n".to_owned()),
    }
}
