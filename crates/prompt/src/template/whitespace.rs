//! Whitespace control, as Handlebars defines it.
//!
//! `{{~` and `~}}` remove all whitespace on their side. A block tag, partial or comment that stands
//! alone on its line takes the whole line with it.

use super::ast::{Block, Content, Partial, Program, Statement, Strip};

/// What a statement does to its neighbours.
#[derive(Default)]
struct Effect {
    strip: Strip,
    open_standalone: bool,
    close_standalone: bool,
    inline_standalone: bool,
}

/// Applies whitespace control to a whole template.
pub(super) fn control(program: &mut Program) {
    visit(program, true);
}

fn visit(program: &mut Program, root: bool) {
    let body = &mut program.body;
    for at in 0..body.len() {
        let Some(effect) = effect_of(&mut body[at]) else { continue };
        let before = is_previous_blank(body, at, root);
        let after = is_next_blank(body, Some(at), root);
        if effect.strip.close {
            omit_right(body, Some(at), true);
        }
        if effect.strip.open {
            omit_left(body, at, true);
        }
        if effect.inline_standalone && before && after {
            omit_right(body, Some(at), false);
            if omit_left(body, at, false) {
                keep_indent(body, at);
            }
        }
        if effect.open_standalone && before {
            if let Some(first) = first_arm(&mut body[at]) {
                omit_right(&mut first.body, None, false);
            }
            omit_left(body, at, false);
        }
        if effect.close_standalone && after {
            omit_right(body, Some(at), false);
            if let Some(last) = last_arm(&mut body[at]) {
                let end = last.body.len();
                omit_left(&mut last.body, end, false);
            }
        }
    }
}

fn effect_of(statement: &mut Statement) -> Option<Effect> {
    Some(match statement {
        Statement::Content(_) => return None,
        Statement::Mustache(mustache) => Effect { strip: mustache.strip, ..Effect::default() },
        Statement::Comment(strip) => {
            Effect { strip: *strip, inline_standalone: true, ..Effect::default() }
        }
        Statement::Block(block) => block_effect(block),
        Statement::Inline(inline) => {
            let strips = inline.strips;
            one_arm_effect(&mut inline.program, strips.open, strips.close)
        }
        Statement::Partial(partial) => partial_effect(partial),
    })
}

fn partial_effect(partial: &mut Partial) -> Effect {
    let strips = partial.strips;
    match &mut partial.block {
        Some(block) => one_arm_effect(block, strips.open, strips.close),
        None => Effect { strip: strips.open, inline_standalone: true, ..Effect::default() },
    }
}

fn one_arm_effect(program: &mut Program, open: Strip, close: Strip) -> Effect {
    visit(program, false);
    let end = program.body.len();
    let effect = Effect {
        strip: Strip { open: open.open, close: close.close },
        open_standalone: is_next_blank(&program.body, None, false),
        close_standalone: is_previous_blank(&program.body, end, false),
        inline_standalone: false,
    };
    if open.close {
        omit_right(&mut program.body, None, true);
    }
    if close.open {
        omit_left(&mut program.body, end, true);
    }
    effect
}

fn block_effect(block: &mut Block) -> Effect {
    let strips = block.strips;
    let (program, inverse) = match (&mut block.program, &mut block.inverse) {
        (Some(program), Some(inverse)) => (program, inverse),
        (Some(only), None) | (None, Some(only)) => {
            return one_arm_effect(only, strips.open, strips.close);
        }
        (None, None) => return Effect::default(),
    };
    visit(program, false);
    visit(inverse, false);
    let end = program.body.len();
    let first_inverse = first_of_chain(inverse);
    let first_end = first_inverse.body.len();
    let effect = Effect {
        strip: Strip { open: strips.open.open, close: strips.close.close },
        open_standalone: is_next_blank(&program.body, None, false),
        close_standalone: is_previous_blank(&first_inverse.body, first_end, false),
        inline_standalone: false,
    };
    if strips.open.close {
        omit_right(&mut program.body, None, true);
    }
    if strips.inverse.open {
        omit_left(&mut program.body, end, true);
    }
    if strips.inverse.close {
        omit_right(&mut first_inverse.body, None, true);
    }
    let else_alone = is_previous_blank(&program.body, end, false)
        && is_next_blank(&first_inverse.body, None, false);
    if strips.close.open {
        let last = last_of_chain(inverse);
        let last_end = last.body.len();
        omit_left(&mut last.body, last_end, true);
    }
    if else_alone {
        omit_left(&mut program.body, end, false);
        omit_right(&mut first_of_chain(inverse).body, None, false);
    }
    effect
}

/// Returns the arm of the first `else if`, or the `else` arm itself.
fn first_of_chain(inverse: &mut Program) -> &mut Program {
    if inverse.chained { chained_arm(inverse) } else { inverse }
}

fn last_of_chain(mut inverse: &mut Program) -> &mut Program {
    while inverse.chained {
        inverse = chained_arm(inverse);
    }
    inverse
}

fn chained_arm(inverse: &mut Program) -> &mut Program {
    match inverse.body.first_mut() {
        Some(Statement::Block(block)) => {
            block.program.as_mut().expect("the parser gives every `else if` an arm")
        }
        _ => unreachable!("the parser puts exactly one block into a chained arm"),
    }
}

fn first_arm(statement: &mut Statement) -> Option<&mut Program> {
    match statement {
        Statement::Block(block) => block.program.as_mut().or(block.inverse.as_mut()),
        Statement::Inline(inline) => Some(&mut inline.program),
        Statement::Partial(partial) => partial.block.as_mut(),
        _ => None,
    }
}

fn last_arm(statement: &mut Statement) -> Option<&mut Program> {
    match statement {
        Statement::Block(block) => block.inverse.as_mut().or(block.program.as_mut()),
        other => first_arm(other),
    }
}

fn keep_indent(body: &mut [Statement], at: usize) {
    let indent = match at.checked_sub(1).map(|before| &body[before]) {
        Some(Statement::Content(content)) => {
            let kept = content.original.trim_end_matches([' ', '\t']);
            content.original[kept.len()..].to_owned()
        }
        _ => return,
    };
    if let Statement::Partial(partial) = &mut body[at] {
        partial.indent = indent;
    }
}

/// Tells whether only blanks stand between the line's start and the statement `at`.
fn is_previous_blank(body: &[Statement], at: usize, root: bool) -> bool {
    let Some(before) = at.checked_sub(1) else { return root };
    let Statement::Content(content) = &body[before] else { return false };
    let line = content.original.trim_end_matches(is_space_in_line);
    line.ends_with('\n') || (before == 0 && root && line.is_empty())
}

/// Tells whether only blanks stand between the statement `at` and the line's end; `None` asks about
/// the start of the body.
fn is_next_blank(body: &[Statement], at: Option<usize>, root: bool) -> bool {
    let next = at.map_or(0, |at| at + 1);
    let Some(statement) = body.get(next) else { return root };
    let Statement::Content(content) = statement else { return false };
    let rest = content.original.trim_start_matches(is_space_in_line);
    rest.starts_with('\n') || (next + 1 == body.len() && root && rest.is_empty())
}

fn is_space_in_line(character: char) -> bool {
    character != '\n' && is_space(character)
}

/// Tells whether JavaScript, in which the format is defined, calls the character white space.
pub(crate) fn is_space(character: char) -> bool {
    character == '\u{feff}' || (character.is_whitespace() && character != '\u{85}')
}

/// Strips the text after the statement `at`; `None` means the first of the body.
fn omit_right(body: &mut [Statement], at: Option<usize>, all: bool) {
    let Some(Statement::Content(content)) = body.get_mut(at.map_or(0, |at| at + 1)) else {
        return;
    };
    if content.right_stripped && !all {
        return;
    }
    let kept = if all {
        content.value.trim_start_matches(is_space)
    } else {
        let rest = content.value.trim_start_matches([' ', '\t']);
        rest.strip_prefix('\n').unwrap_or(rest)
    };
    content.right_stripped = kept.len() != content.value.len();
    content.value = kept.to_owned();
}

/// Strips the text before the statement `at`; tells whether anything was stripped.
fn omit_left(body: &mut [Statement], at: usize, all: bool) -> bool {
    let Some(Statement::Content(content)) = at.checked_sub(1).and_then(|at| body.get_mut(at))
    else {
        return false;
    };
    strip_left(content, all)
}

fn strip_left(content: &mut Content, all: bool) -> bool {
    if content.left_stripped && !all {
        return false;
    }
    let kept = if all {
        content.value.trim_end_matches(is_space)
    } else {
        content.value.trim_end_matches([' ', '\t'])
    };
    content.left_stripped = kept.len() != content.value.len();
    content.value.truncate(kept.len());
    content.left_stripped
}
