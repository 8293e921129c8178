//! A connection -> the same connection, closed so that the other side receives all that was sent to it.
//!
//! A socket that is closed while bytes of the other side lie unread in it throws away what it has not sent yet
//! and answers with a reset (RFC 1122, section 4.2.2.13). HTTP/2 clients send window updates until the last byte
//! has come, so the end of a large result would be lost whenever the server closes the connection right after
//! it. Instead the server says that it sends no more, and reads until the client has closed its side as well.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Sleep;
use tonic::transport::server::{Connected, TcpConnectInfo};

use crate::running::Counted;

/// How long a client may take to read what is on its way and to close its side.
const PATIENCE: Duration = Duration::from_secs(5);

/// See the module's words.
pub struct Lingering {
    stream: TcpStream,
    patience: Duration,
    closing: Option<Pin<Box<Sleep>>>,
    /// One of the connections that are open.
    _open: Option<Counted>,
}

impl Lingering {
    pub fn new(stream: TcpStream) -> Self {
        Self { stream, patience: PATIENCE, closing: None, _open: None }
    }

    /// The same, counted for as long as it is open.
    pub fn counted(self, open: Counted) -> Self {
        Self { _open: Some(open), ..self }
    }
}

impl Connected for Lingering {
    type ConnectInfo = TcpConnectInfo;

    fn connect_info(&self) -> TcpConnectInfo {
        self.stream.connect_info()
    }
}

impl AsyncRead for Lingering {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, to: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, to)
    }
}

impl AsyncWrite for Lingering {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Self { stream, patience, closing, .. } = &mut *self;
        if closing.is_none() {
            ready!(Pin::new(&mut *stream).poll_shutdown(context))?;
        }
        let end = closing.get_or_insert_with(|| Box::pin(tokio::time::sleep(*patience)));
        let mut unread = [0; 4096];
        loop {
            let mut unread = ReadBuf::new(&mut unread);
            match Pin::new(&mut *stream).poll_read(context, &mut unread) {
                Poll::Ready(Ok(())) if !unread.filled().is_empty() => {}
                // The client has closed its side, or is gone.
                Poll::Ready(_) => return Poll::Ready(Ok(())),
                Poll::Pending => return end.as_mut().poll(context).map(Ok),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    /// What a client reads that has sent bytes which the server does not read, after the server has closed.
    async fn read_by_a_client(close: impl AsyncFnOnce(TcpStream)) -> io::Result<usize> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let mut client = TcpStream::connect(listener.local_addr()?).await?;
        let (mut server, _) = listener.accept().await?;
        client.write_all(&[1; 1000]).await?;
        server.readable().await?;
        server.write_all(&[2; 100_000]).await?;
        let reading = async {
            let mut read = Vec::new();
            let result = client.read_to_end(&mut read).await;
            drop(client);
            result
        };
        tokio::join!(close(server), reading).1
    }

    #[tokio::test]
    async fn all_that_was_sent_is_received() {
        let plain = async |server: TcpStream| drop(server);
        assert_eq!(read_by_a_client(plain).await.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
        let lingering = async |server: TcpStream| Lingering::new(server).shutdown().await.unwrap();
        assert_eq!(read_by_a_client(lingering).await.unwrap(), 100_000);
    }

    #[tokio::test]
    async fn a_client_that_does_not_close_is_left() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (stream, _) = listener.accept().await.unwrap();
        let patience = Duration::from_millis(1);
        Lingering { patience, ..Lingering::new(stream) }.shutdown().await.unwrap();
        drop(client);
    }
}
