//! Keys, from a terminal one by one as they are pressed, or from a pipe.

use std::io::{self, IsTerminal, Read, Write};

use app::AppError;

/// A keyboard. While it lives, the terminal hands over each key as it is pressed.
pub(super) struct Keys {
    input: io::Stdin,
    is_raw: bool,
}

/// What was typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    /// A character.
    Character(char),
    /// Enter.
    Enter,
    /// Backspace.
    Backspace,
    /// Ctrl-C, Ctrl-D, or the end of the pipe.
    End,
}

impl Keys {
    /// Takes over the terminal, if there is one.
    pub(super) fn open() -> Result<Self, AppError> {
        let input = io::stdin();
        let is_raw = input.is_terminal();
        if is_raw {
            crossterm::terminal::enable_raw_mode().map_err(|error| {
                AppError::input("the terminal cannot be read key by key").caused_by(error)
            })?;
        }
        Ok(Self { input, is_raw })
    }

    /// Returns text as this terminal needs it: a raw one does not return the carriage by itself.
    pub(super) fn lines(&self, text: &str) -> String {
        if self.is_raw { text.replace('\n', "\r\n") } else { text.to_owned() }
    }

    /// Waits for a key.
    pub(super) fn next(&mut self) -> Result<Key, AppError> {
        let first = match self.byte()? {
            None | Some(3 | 4) => return Ok(Key::End),
            Some(b'\r' | b'\n') => return Ok(Key::Enter),
            Some(8 | 127) => return Ok(Key::Backspace),
            Some(first) => first,
        };
        let more = match first {
            0xc0..=0xdf => 1,
            0xe0..=0xef => 2,
            0xf0..=0xf7 => 3,
            _ => 0,
        };
        let mut bytes = vec![first];
        for _ in 0..more {
            bytes.extend(self.byte()?);
        }
        let text = String::from_utf8_lossy(&bytes);
        Ok(text.chars().next().map_or(Key::End, Key::Character))
    }

    /// Reads a line, showing it as it is typed; `None` if it is broken off.
    pub(super) fn line(&mut self, begin: &str) -> Result<Option<String>, AppError> {
        let mut line = begin.to_owned();
        self.echo(begin);
        loop {
            match self.next()? {
                Key::Enter => {
                    self.echo("\r\n");
                    return Ok(Some(line.trim().to_owned()));
                }
                Key::Backspace => {
                    if line.pop().is_some() {
                        self.echo("\u{8} \u{8}");
                    }
                }
                Key::Character(symbol) if !document::is_deceptive(symbol) => {
                    line.push(symbol);
                    self.echo(symbol.encode_utf8(&mut [0; 4]));
                }
                Key::Character(_) => {}
                Key::End => return Ok(None),
            }
        }
    }

    fn echo(&self, text: &str) {
        if self.is_raw {
            let mut out = io::stdout().lock();
            // A terminal that is gone is noticed at the next key.
            drop(out.write_all(text.as_bytes()).and_then(|()| out.flush()));
        }
    }

    /// Reads one byte, and no more: what follows is for whoever reads next.
    fn byte(&mut self) -> Result<Option<u8>, AppError> {
        let mut byte = [0];
        loop {
            match self.input.lock().read(&mut byte) {
                Ok(0) => return Ok(None),
                Ok(_) => return Ok(Some(byte[0])),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    return Err(AppError::input("the keys cannot be read").caused_by(error));
                }
            }
        }
    }
}

impl Drop for Keys {
    fn drop(&mut self) {
        if self.is_raw {
            // There is nobody left to tell.
            drop(crossterm::terminal::disable_raw_mode());
        }
    }
}
