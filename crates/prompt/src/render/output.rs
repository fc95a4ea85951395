//! What a template renders: text and marks, and the messages that they make.
//!
//! Marks (a change of role, the place of the history, media, sections) are data beside the text and
//! not text in it, so no value of a variable can forge one.

use chat::{Part, Role};
use serde_json::{Map, Value};

use crate::message::{RenderedMessage, RenderedPart};
use crate::template::is_space;

/// A piece of what was rendered.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Piece {
    Text(String),
    Media { url: String, content_type: Option<String> },
    Section(String),
    Role { role: Role, metadata: Map<String, Value> },
    History,
}

/// The pieces in order.
#[derive(Debug, Default)]
pub(super) struct Output {
    pieces: Vec<Piece>,
}

impl Output {
    pub(super) fn text(&mut self, text: &str) {
        match self.pieces.last_mut() {
            _ if text.is_empty() => {}
            Some(Piece::Text(last)) => last.push_str(text),
            _ => self.pieces.push(Piece::Text(text.to_owned())),
        }
    }

    pub(super) fn mark(&mut self, piece: Piece) {
        self.pieces.push(piece);
    }

    /// Adds what a partial rendered, with `indent` at the start of each of its lines; returns how
    /// many times the indent was added.
    pub(super) fn indented(&mut self, partial: Self, indent: &str) -> usize {
        let (mut at_line_start, mut added) = (true, 0);
        for piece in partial.pieces {
            let Piece::Text(text) = piece else {
                if std::mem::take(&mut at_line_start) {
                    self.text(indent);
                    added += 1;
                }
                self.mark(piece);
                continue;
            };
            for line in text.split_inclusive('\n') {
                if at_line_start {
                    self.text(indent);
                    added += 1;
                }
                self.text(line);
                at_line_start = line.ends_with('\n');
            }
        }
        added
    }

    /// Returns the messages, the history among them.
    pub(super) fn into_messages(self, history: &[RenderedMessage]) -> Vec<RenderedMessage> {
        let mut drafts = vec![Draft::new(Role::User)];
        let mut content = Vec::new();
        let mut pieces = self.pieces.into_iter();
        loop {
            let piece = pieces.next();
            if !matches!(piece, None | Some(Piece::Role { .. } | Piece::History)) {
                content.extend(piece);
                continue;
            }
            add_content(&mut drafts, std::mem::take(&mut content));
            match piece {
                Some(Piece::Role { role, metadata }) => change_role(&mut drafts, role, metadata),
                Some(Piece::History) => place_history(&mut drafts, history),
                _ => break,
            }
        }
        let messages = drafts.into_iter().filter_map(Draft::into_message).collect();
        insert_history(messages, history)
    }
}

/// A message that is being put together.
enum Draft {
    Open { role: Role, metadata: Map<String, Value>, content: Vec<Piece> },
    Done(RenderedMessage),
}

impl Draft {
    fn new(role: Role) -> Self {
        Self::Open { role, metadata: Map::new(), content: Vec::new() }
    }

    /// Returns the message, `None` if nothing was said.
    fn into_message(self) -> Option<RenderedMessage> {
        match self {
            Self::Done(message) => Some(message),
            Self::Open { content, .. } if content.is_empty() => None,
            Self::Open { role, metadata, content } => {
                let parts = content.into_iter().filter_map(to_part).collect();
                Some(RenderedMessage { role, parts, metadata })
            }
        }
    }
}

fn is_blank(text: &str) -> bool {
    text.chars().all(is_space)
}

/// Turns a piece of content into a part; blank text between media and sections is none.
fn to_part(piece: Piece) -> Option<RenderedPart> {
    match piece {
        Piece::Text(text) if is_blank(&text) => None,
        Piece::Text(text) => Some(RenderedPart::Said { part: Part::Text { text } }),
        Piece::Media { url, content_type } => {
            Some(RenderedPart::Said { part: Part::Media { url, content_type } })
        }
        Piece::Section(purpose) => Some(RenderedPart::Section { purpose }),
        Piece::Role { .. } | Piece::History => None,
    }
}

/// Adds content to the last message, unless all of it is blank.
fn add_content(drafts: &mut [Draft], pieces: Vec<Piece>) {
    let says = |piece: &Piece| !matches!(piece, Piece::Text(text) if is_blank(text));
    if let Some(Draft::Open { content, .. }) = drafts.last_mut()
        && pieces.iter().any(says)
    {
        content.extend(pieces);
    }
}

/// Starts a message, or gives the last one its role if nothing was said in it yet.
fn change_role(drafts: &mut Vec<Draft>, new: Role, more: Map<String, Value>) {
    match drafts.last_mut() {
        Some(Draft::Open { role, metadata, content }) if content.is_empty() => {
            *role = new;
            metadata.extend(more);
        }
        _ => drafts.push(Draft::Open { role: new, metadata: more, content: Vec::new() }),
    }
}

/// Places the history where the template asks for it; what follows is the model's, as the format
/// says, unless a role is named.
fn place_history(drafts: &mut Vec<Draft>, history: &[RenderedMessage]) {
    for message in history {
        let mut message = message.clone();
        message.metadata.insert("purpose".to_owned(), Value::from("history"));
        drafts.push(Draft::Done(message));
    }
    drafts.push(Draft::new(Role::Model));
}

/// Inserts the history where the template did not place it: before the last message if the user
/// speaks in it, else at the end.
fn insert_history(
    mut messages: Vec<RenderedMessage>,
    history: &[RenderedMessage],
) -> Vec<RenderedMessage> {
    if messages.iter().any(RenderedMessage::is_history) {
        return messages;
    }
    let at = match messages.last() {
        Some(last) if last.role == Role::User => messages.len() - 1,
        _ => messages.len(),
    };
    messages.splice(at..at, history.iter().cloned());
    messages
}
