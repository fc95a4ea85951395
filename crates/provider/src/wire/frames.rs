//! Cutting a byte stream into events.
//!
//! Everything works on bytes and cuts at line ends only, so a character that is split over two
//! network chunks is whole again before anybody reads it.

/// A line or an event is longer than the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an event of the stream is larger than {limit} bytes")]
pub struct FrameTooLarge {
    /// The limit in bytes.
    pub limit: usize,
}

/// One event of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame<'a> {
    /// The event's name, empty where the stream gives none.
    pub name: &'a [u8],
    /// The event's data: of server-sent events, the data lines joined by a line feed.
    pub data: &'a [u8],
}

/// Cuts a stream into events, whatever chunks it arrives in.
#[derive(Debug)]
pub struct Frames {
    lines: Lines,
    syntax: Syntax,
    name: Vec<u8>,
    data: Vec<u8>,
    handed_out: bool,
    limit: usize,
}

/// How a stream separates its events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Syntax {
    /// `text/event-stream`: an empty line ends an event.
    ServerSentEvents,
    /// One JSON document a line.
    JsonLines,
}

impl Frames {
    /// Makes a cutter whose events, and whose unfinished lines, are at most `limit` bytes.
    pub fn new(syntax: Syntax, limit: usize) -> Self {
        Self {
            lines: Lines::new(syntax == Syntax::ServerSentEvents),
            syntax,
            name: Vec::new(),
            data: Vec::new(),
            handed_out: false,
            limit,
        }
    }

    /// Takes the next bytes of the stream.
    pub fn push(&mut self, chunk: &[u8]) {
        self.lines.push(chunk);
    }

    /// Returns the next complete event, `None` until more bytes arrive.
    ///
    /// # Errors
    /// [`FrameTooLarge`] if an event or an unfinished line passes the limit.
    pub fn next_frame(&mut self) -> Result<Option<Frame<'_>>, FrameTooLarge> {
        match self.syntax {
            Syntax::ServerSentEvents => self.next_event(),
            Syntax::JsonLines => self.next_json_line(),
        }
    }

    /// Returns what stands after the last line end, once the stream is over.
    ///
    /// A JSON document delimits itself, so the last line may lack its end; a server-sent event
    /// without its empty line is unfinished, and is not returned.
    pub fn rest(&self) -> Option<Frame<'_>> {
        let rest = self.lines.unfinished().trim_ascii();
        (self.syntax == Syntax::JsonLines && !rest.is_empty())
            .then_some(Frame { name: b"", data: rest })
    }

    fn next_event(&mut self) -> Result<Option<Frame<'_>>, FrameTooLarge> {
        if std::mem::take(&mut self.handed_out) {
            self.data.clear();
            self.name.clear();
        }
        let too_large = FrameTooLarge { limit: self.limit };
        while let Some(line) = self.lines.next_line() {
            if line.is_empty() {
                if !self.data.is_empty() {
                    self.handed_out = true;
                    break;
                }
                // An event without data is not an event.
                self.name.clear();
                continue;
            }
            let (field, value) = split_field(line);
            match field {
                b"data" => {
                    // Each data line keeps its line feed until the event is handed out, so that an
                    // empty one still counts.
                    self.data.extend_from_slice(value);
                    self.data.push(b'\n');
                }
                b"event" => {
                    self.name.clear();
                    self.name.extend_from_slice(value);
                }
                // Comments, ids, retry times and unknown fields carry nothing for us.
                _ => {}
            }
            if self.data.len() + self.name.len() > self.limit {
                return Err(too_large);
            }
        }
        if self.handed_out {
            let end = self.data.len() - 1;
            return Ok(Some(Frame { name: &self.name, data: &self.data[..end] }));
        }
        if self.lines.unfinished().len() > self.limit { Err(too_large) } else { Ok(None) }
    }

    fn next_json_line(&mut self) -> Result<Option<Frame<'_>>, FrameTooLarge> {
        let too_large = FrameTooLarge { limit: self.limit };
        self.data.clear();
        while let Some(line) = self.lines.next_line() {
            let line = line.trim_ascii();
            if line.len() > self.limit {
                return Err(too_large);
            }
            if !line.is_empty() {
                self.data.extend_from_slice(line);
                break;
            }
        }
        if !self.data.is_empty() {
            return Ok(Some(Frame { name: b"", data: &self.data }));
        }
        if self.lines.unfinished().len() > self.limit { Err(too_large) } else { Ok(None) }
    }
}

fn split_field(line: &[u8]) -> (&[u8], &[u8]) {
    let Some(colon) = line.iter().position(|byte| *byte == b':') else {
        return (line, b"");
    };
    let value = &line[colon + 1..];
    (&line[..colon], value.strip_prefix(b" ").unwrap_or(value))
}

/// Cuts bytes into lines.
#[derive(Debug)]
struct Lines {
    buffer: Vec<u8>,
    /// Where the next line begins.
    start: usize,
    /// Up to where no line end was found, so that a long line is not searched again and again.
    searched: usize,
    /// Server-sent events also end lines with a carriage return, alone or before the line feed,
    /// and may begin with a byte order mark.
    server_sent: bool,
    at_stream_start: bool,
    after_return: bool,
}

impl Lines {
    fn new(server_sent: bool) -> Self {
        Self {
            buffer: Vec::new(),
            start: 0,
            searched: 0,
            server_sent,
            at_stream_start: true,
            after_return: false,
        }
    }

    fn push(&mut self, chunk: &[u8]) {
        self.buffer.drain(..self.start);
        self.searched -= self.start;
        self.start = 0;
        self.buffer.extend_from_slice(chunk);
    }

    fn unfinished(&self) -> &[u8] {
        &self.buffer[self.start..]
    }

    fn next_line(&mut self) -> Option<&[u8]> {
        if self.after_return && self.start < self.buffer.len() {
            self.after_return = false;
            if self.buffer[self.start] == b'\n' {
                self.start += 1;
                self.searched = self.searched.max(self.start);
            }
        }
        let server_sent = self.server_sent;
        let is_end = |byte: &u8| *byte == b'\n' || (server_sent && *byte == b'\r');
        let Some(found) = self.buffer[self.searched..].iter().position(is_end) else {
            self.searched = self.buffer.len();
            return None;
        };
        let (begin, end) = (self.start, self.searched + found);
        self.after_return = self.buffer[end] == b'\r';
        self.start = end + 1;
        self.searched = self.start;
        let line = &self.buffer[begin..end];
        if std::mem::take(&mut self.at_stream_start) && server_sent {
            return Some(line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(line));
        }
        Some(line)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(syntax: Syntax, chunks: &[&[u8]]) -> Vec<(String, String)> {
        let mut frames = Frames::new(syntax, 1 << 16);
        let mut out = Vec::new();
        for chunk in chunks {
            frames.push(chunk);
            while let Some(frame) = frames.next_frame().unwrap() {
                out.push(text(frame));
            }
        }
        out.extend(frames.rest().map(text));
        out
    }

    fn text(frame: Frame<'_>) -> (String, String) {
        let read = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        (read(frame.name), read(frame.data))
    }

    const EVENTS: &str = "\u{feff}: welcome\r\n\r\nevent: message_start\r\ndata: {\"a\":\"äöü 🦀\"}\r\n\r\n\
        data: first\ndata:\ndata:  third\n\nevent: ping\n\nid: 7\nretry: 10\ndata\n\n\
        data: 日本\r\rdata: [DONE]\n\ndata: unfinished";

    #[test]
    fn events_follow_the_server_sent_events_standard() {
        let expected = [
            ("message_start", "{\"a\":\"äöü 🦀\"}"),
            ("", "first\n\n third"),
            ("", ""),
            ("", "日本"),
            ("", "[DONE]"),
        ]
        .map(|(name, data)| (name.to_owned(), data.to_owned()));
        assert_eq!(read(Syntax::ServerSentEvents, &[EVENTS.as_bytes()]), expected);
    }

    #[test]
    fn every_single_byte_boundary_gives_the_same_events() {
        let lines = "{\"text\":\"äöü 🦀\"}\n\r\n{\"b\":2}\r\n{\"done\":true}";
        for (syntax, corpus) in [(Syntax::ServerSentEvents, EVENTS), (Syntax::JsonLines, lines)] {
            let bytes = corpus.as_bytes();
            let whole = read(syntax, &[bytes]);
            assert!(whole.len() > 2);
            for at in 0..=bytes.len() {
                let (left, right) = bytes.split_at(at);
                assert_eq!(read(syntax, &[left, right]), whole, "split at byte {at}");
            }
            let single: Vec<&[u8]> = bytes.chunks(1).collect();
            assert_eq!(read(syntax, &single), whole);
        }
    }

    #[test]
    fn endless_lines_and_endless_events_are_stopped() {
        for syntax in [Syntax::ServerSentEvents, Syntax::JsonLines] {
            let mut frames = Frames::new(syntax, 100);
            frames.push(&[b'x'; 101]);
            assert_eq!(frames.next_frame(), Err(FrameTooLarge { limit: 100 }));
        }
        let mut frames = Frames::new(Syntax::ServerSentEvents, 100);
        frames.push("data: xxxxxxxxxx\n".repeat(20).as_bytes());
        assert_eq!(frames.next_frame(), Err(FrameTooLarge { limit: 100 }));
    }

    proptest! {
        #[test]
        fn any_bytes_in_any_chunks_give_the_same_events(
            bytes in proptest::collection::vec(
                prop_oneof![Just(b'\n'), Just(b'\r'), Just(b':'), Just(b' '), Just(b'd'), any::<u8>()],
                0..200,
            ),
            cuts in proptest::collection::vec(0usize..200, 0..8),
        ) {
            let collect = |chunks: &[&[u8]], syntax| {
                let mut frames = Frames::new(syntax, 1 << 16);
                let mut out = Vec::new();
                for chunk in chunks {
                    frames.push(chunk);
                    while let Some(frame) = frames.next_frame().unwrap() {
                        out.push((frame.name.to_vec(), frame.data.to_vec()));
                    }
                }
                out
            };
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
            cuts.extend([0, bytes.len()]);
            cuts.sort_unstable();
            let chunks: Vec<&[u8]> = cuts.windows(2).map(|w| &bytes[w[0]..w[1]]).collect();
            for syntax in [Syntax::ServerSentEvents, Syntax::JsonLines] {
                prop_assert_eq!(collect(&chunks, syntax), collect(&[&bytes], syntax));
            }
        }
    }
}
