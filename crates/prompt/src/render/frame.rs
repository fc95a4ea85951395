//! Where a rendering stands: the context, what surrounds it, and the `@` variables.

use std::borrow::Cow;

use serde_json::Value;

use super::value::Found;
use crate::prompt::Template;
use crate::template::{Inline, Program, Statement};

/// The place of a program that is being rendered.
///
/// Frames form a list on the stack, innermost first; `parent` is the place that surrounds the
/// program in its file, or that included the file.
pub(super) struct Frame<'f> {
    pub(super) file: &'f Template,
    pub(super) program: &'f Program,
    pub(super) context: Option<&'f Value>,
    pub(super) parent: Option<&'f Frame<'f>>,
    /// Whether `../` counts this frame: not if it only repeats its parent's context.
    pub(super) counts: bool,
    /// Whether this is the start of a file, which does not see the names of `as |…|` outside it.
    pub(super) starts_file: bool,
    /// What `as |…|` names here.
    pub(super) names: Vec<(&'f str, Found<'f>)>,
    /// The block of a partial block, whose inline partials the file that it calls can use.
    pub(super) provided: Option<(&'f Program, &'f Frame<'f>)>,
}

impl<'f> Frame<'f> {
    /// Makes the frame of an arm of a block in this frame, with the same context.
    pub(super) fn arm(&'f self, program: &'f Program) -> Self {
        Frame {
            file: self.file,
            program,
            context: self.context,
            parent: Some(self),
            counts: false,
            starts_file: false,
            names: Vec::new(),
            provided: None,
        }
    }

    /// Makes the frame of an arm with a context of its own.
    pub(super) fn with_context(&'f self, program: &'f Program, context: Option<&'f Value>) -> Self {
        let same = match (context, self.context) {
            (Some(new), Some(old)) => std::ptr::eq(new, old),
            (None, None) => true,
            _ => false,
        };
        Frame { context, counts: !same, ..self.arm(program) }
    }

    /// Returns the context `levels` up.
    pub(super) fn context_up(&self, mut levels: usize) -> Option<&'f Value> {
        let mut frame = self;
        loop {
            if frame.counts || frame.parent.is_none() {
                if levels == 0 {
                    return frame.context;
                }
                levels -= 1;
            }
            frame = frame.parent?;
        }
    }

    /// Returns the value that `as |…|` gave a name.
    pub(super) fn named(&self, name: &str) -> Found<'f> {
        let mut frame = self;
        loop {
            if let Some((_, value)) = frame.names.iter().find(|(known, _)| *known == name) {
                return value.clone();
            }
            if frame.starts_file {
                return None;
            }
            frame = frame.parent?;
        }
    }

    /// Returns the inline partial of a name, and the frame that it was defined in.
    pub(super) fn inline(&'f self, name: &str) -> Option<(&'f Inline, &'f Frame<'f>)> {
        let mut frame = self;
        loop {
            if let Some(inline) = inline_of(frame.program, name) {
                return Some((inline, frame));
            }
            if let Some((program, definer)) = frame.provided
                && let Some(inline) = inline_of(program, name)
            {
                return Some((inline, definer));
            }
            frame = frame.parent?;
        }
    }
}

fn inline_of<'f>(program: &'f Program, name: &str) -> Option<&'f Inline> {
    program.body.iter().rev().find_map(|statement| match statement {
        Statement::Inline(inline) if inline.name == name => Some(&**inline),
        _ => None,
    })
}

/// The `@` variables that loops and partial blocks set, innermost first.
pub(super) struct Data<'f> {
    pub(super) parent: Option<&'f Data<'f>>,
    pub(super) turn: Option<Turn>,
    /// The block that the partial block around the file passed, if any.
    pub(super) block: Option<BlockOfPartial<'f>>,
}

/// One turn of a loop.
pub(super) struct Turn {
    pub(super) index: usize,
    pub(super) key: Value,
    pub(super) last: bool,
}

/// What `{{> @partial-block}}` renders.
#[derive(Clone, Copy)]
pub(super) struct BlockOfPartial<'f> {
    pub(super) program: &'f Program,
    pub(super) frame: &'f Frame<'f>,
    pub(super) data: &'f Data<'f>,
}

impl<'f> Data<'f> {
    /// Returns the loop variable of a name, `loops` loops up.
    pub(super) fn loop_variable(&self, name: &str, mut loops: usize) -> Found<'f> {
        let mut data = Some(self);
        while let Some(here) = data {
            if let Some(turn) = &here.turn {
                if loops == 0 {
                    return turn.variable(name).map(Cow::Owned);
                }
                loops -= 1;
            }
            data = here.parent;
        }
        None
    }
}

impl Turn {
    fn variable(&self, name: &str) -> Option<Value> {
        match name {
            "index" => Some(Value::from(self.index)),
            "key" => Some(self.key.clone()),
            "first" => Some(Value::from(self.index == 0)),
            "last" => Some(Value::from(self.last)),
            _ => None,
        }
    }
}
