use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// A connection that remembers every byte it received and can end in a reset.
pub(crate) struct Connection {
    stream: TcpStream,
    reset: Arc<AtomicBool>,
    received: Option<Arc<Mutex<Vec<u8>>>>,
}

impl Connection {
    pub(crate) fn new(
        stream: TcpStream,
        reset: Arc<AtomicBool>,
        received: Option<Arc<Mutex<Vec<u8>>>>,
    ) -> Self {
        Self { stream, reset, received }
    }

    fn resets(&self) -> bool {
        self.reset.load(Ordering::Acquire)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if self.resets() {
            // With no time to linger, closing the socket sends RST in place of FIN. A socket that
            // refuses the option is closed anyhow, which no client can mistake for an answer.
            self.stream.set_zero_linger().ok();
        }
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if let (Some(received), Poll::Ready(Ok(()))) = (&self.received, &polled) {
            let mut received = received.lock().expect("no holder of this lock panics");
            received.extend_from_slice(&buffer.filled()[before..]);
        }
        polled
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.resets() {
            // A FIN now would reach the client before the RST.
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
