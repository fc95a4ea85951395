//! The least client: one request on one connection, and every byte that comes back.

use std::io::{self, Read, Write};
use std::net::TcpStream;

use serde_json::Value;
use test_provider::TestProvider;

/// What came back.
pub(crate) struct Raw {
    pub(crate) bytes: Vec<u8>,
    /// How the connection ended, if not by closing.
    pub(crate) error: Option<io::Error>,
}

impl Raw {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    pub(crate) fn status(&self) -> u16 {
        self.text()[9..12].parse().unwrap()
    }

    pub(crate) fn head(&self) -> String {
        self.text().split("\r\n\r\n").next().unwrap().to_ascii_lowercase()
    }

    /// The body behind its transfer encoding, and whether HTTP says that it is whole.
    pub(crate) fn body(&self) -> (Vec<u8>, bool) {
        let at = self.bytes.windows(4).position(|w| w == b"\r\n\r\n").unwrap() + 4;
        let mut rest = &self.bytes[at..];
        let head = self.head();
        if let Some(line) = head.lines().find_map(|line| line.strip_prefix("content-length: ")) {
            return (rest.to_vec(), rest.len() == line.parse::<usize>().unwrap());
        }
        assert!(head.contains("transfer-encoding: chunked"), "{head}");
        let mut body = Vec::new();
        while let Some(end) = rest.windows(2).position(|w| w == b"\r\n") {
            let size = usize::from_str_radix(str::from_utf8(&rest[..end]).unwrap(), 16).unwrap();
            if size == 0 {
                return (body, true);
            }
            let chunk = &rest[end + 2..];
            body.extend_from_slice(&chunk[..size.min(chunk.len())]);
            let Some(next) = chunk.get(size + 2..) else { break };
            rest = next;
        }
        (body, false)
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body().0).unwrap()
    }

    pub(crate) fn body_text(&self) -> String {
        String::from_utf8(self.body().0).unwrap()
    }
}

/// Sends the request and hands over the connection before a byte was read.
pub(crate) fn send(server: &TestProvider, path: &str, body: &Value) -> TcpStream {
    let mut stream = TcpStream::connect(server.address()).unwrap();
    let body = body.to_string();
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\nauthorization: Bearer k\r\n\
         anthropic-version: 2023-06-01\r\ncontent-length: {}\r\n\r\n",
        server.address(),
        body.len()
    );
    stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
    stream
}

pub(crate) fn receive(mut stream: TcpStream) -> Raw {
    let mut bytes = Vec::new();
    let error = stream.read_to_end(&mut bytes).err();
    Raw { bytes, error }
}

pub(crate) fn post(server: &TestProvider, path: &str, body: &Value) -> Raw {
    receive(send(server, path, body))
}
