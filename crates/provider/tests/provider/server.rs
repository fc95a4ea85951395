//! A server that answers by script, byte for byte, and notes what it saw.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

/// What a scripted server does with one request.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    /// Sends bytes.
    Send(Vec<u8>),
    /// Sends each byte in a write of its own.
    Dribble(Vec<u8>),
    /// Waits until the client closes the connection.
    AwaitClose,
    /// Closes the connection at once.
    Close,
}

/// A scripted server on a port of its own.
pub(crate) struct Server {
    pub(crate) origin: String,
    seen: Arc<Mutex<Vec<String>>>,
    connections: Arc<Mutex<u32>>,
    /// Told when a request has been read whole.
    pub(crate) received: Arc<Notify>,
    /// Told when a client closed a connection on which the server was waiting.
    pub(crate) closed: Arc<Notify>,
}

impl Server {
    /// Starts a server that runs these steps for every request.
    pub(crate) async fn start(steps: Vec<Step>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Self {
            origin: format!("http://{}", listener.local_addr().unwrap()),
            seen: Arc::default(),
            connections: Arc::default(),
            received: Arc::default(),
            closed: Arc::default(),
        };
        let (seen, count) = (server.seen.clone(), server.connections.clone());
        let (received, closed) = (server.received.clone(), server.closed.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                *count.lock().unwrap() += 1;
                let (seen, steps) = (seen.clone(), steps.clone());
                let (received, closed) = (received.clone(), closed.clone());
                tokio::spawn(serve(stream, steps, seen, received, closed));
            }
        });
        server
    }

    /// Starts a server that gives one whole response to every request.
    pub(crate) async fn respond(status: &str, headers: &[&str], body: &str) -> Self {
        Self::start(vec![Step::Send(response(status, headers, body))]).await
    }

    /// Starts a server that streams these bytes and then ends the stream properly.
    pub(crate) async fn stream(kind: &str, body: &[u8]) -> Self {
        Self::start(vec![
            Step::Send(stream_head(kind)),
            Step::Send(chunk(body)),
            Step::Send(chunk(b"")),
        ])
        .await
    }

    /// Returns the requests as they came, heads and bodies.
    pub(crate) fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }

    /// Returns how many connections were opened.
    pub(crate) fn connections(&self) -> u32 {
        *self.connections.lock().unwrap()
    }
}

pub(crate) fn response(status: &str, headers: &[&str], body: &str) -> Vec<u8> {
    let mut head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n", body.len());
    for header in headers {
        head.push_str(&format!("{header}\r\n"));
    }
    format!("{head}\r\n{body}").into_bytes()
}

pub(crate) fn stream_head(kind: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ntransfer-encoding: chunked\r\n\r\n")
        .into_bytes()
}

/// Frames bytes as one chunk of a chunked body; no bytes end the body.
pub(crate) fn chunk(bytes: &[u8]) -> Vec<u8> {
    let mut framed = format!("{:x}\r\n", bytes.len()).into_bytes();
    framed.extend_from_slice(bytes);
    framed.extend_from_slice(b"\r\n");
    framed
}

async fn serve(
    mut stream: TcpStream,
    steps: Vec<Step>,
    seen: Arc<Mutex<Vec<String>>>,
    received: Arc<Notify>,
    closed: Arc<Notify>,
) {
    stream.set_nodelay(true).unwrap();
    let mut buffer = Vec::new();
    while let Some(request) = read_request(&mut stream, &mut buffer).await {
        seen.lock().unwrap().push(request);
        received.notify_one();
        for step in &steps {
            match step {
                Step::Send(bytes) => drop(stream.write_all(bytes).await),
                Step::Dribble(bytes) => {
                    for byte in bytes {
                        drop(stream.write_all(&[*byte]).await);
                        tokio::task::yield_now().await;
                    }
                }
                Step::AwaitClose => {
                    let mut one = [0u8; 1];
                    while matches!(stream.read(&mut one).await, Ok(length) if length > 0) {}
                    closed.notify_one();
                    return;
                }
                Step::Close => return,
            }
        }
    }
}

/// Reads one request, `None` when the client is gone.
async fn read_request(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<String> {
    loop {
        if let Some(end) = find(buffer, b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&buffer[..end]).to_ascii_lowercase();
            let length: usize = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length:"))
                .map_or(0, |value| value.trim().parse().unwrap());
            let whole = end + 4 + length;
            if buffer.len() >= whole {
                let request: Vec<u8> = buffer.drain(..whole).collect();
                return Some(String::from_utf8(request).unwrap());
            }
        }
        let mut more = [0u8; 4096];
        match stream.read(&mut more).await {
            Ok(length) if length > 0 => buffer.extend_from_slice(&more[..length]),
            _ => return None,
        }
    }
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}
