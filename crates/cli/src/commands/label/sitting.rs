//! Labelling and adjudicating, one thing after the other.

use std::time::Instant;

use app::{AppError, Criterion, CriterionKind, LabelDesk, LabelRequest, LabelValue, Preference};

use super::keys::{Key, Keys};
use super::screen;
use crate::commands::Context;
use crate::exit::Exit;

/// Labels until nothing is left or the person quits.
pub(super) fn label(context: &Context<'_>, request: &LabelRequest) -> Result<Exit, AppError> {
    let mut desk = context.app.label_desk(context.folder(), request)?;
    let mut keys = Keys::open()?;
    let worked = work(context, &mut desk, &mut keys);
    let left = desk.left();
    drop(keys);
    // The file gets what was labelled, however the sitting ended.
    let closed = desk.close();
    worked?;
    closed?;
    if left == 0 {
        context
            .output
            .text("Nothing is left to label here. `trysquare label stats` shows who agrees.\n");
    }
    Ok(Exit::Complete)
}

fn work(context: &Context<'_>, desk: &mut LabelDesk, keys: &mut Keys) -> Result<(), AppError> {
    let say = |keys: &Keys, text: &str| context.output.text(&keys.lines(text));
    let criterion = desk.criterion().clone();
    while let Some(item) = desk.next() {
        let is_pair = item.shown.len() == 2;
        say(keys, &screen::item(item, &criterion));
        let began = Instant::now();
        let seconds = || Some(began.elapsed().as_secs());
        loop {
            let symbol = match keys.next()? {
                Key::Character(symbol) => symbol,
                // A pipe ends its lines.
                Key::Enter | Key::Backspace => continue,
                Key::End => return Ok(()),
            };
            match symbol {
                'q' => return Ok(()),
                'd' => desk.defer()?,
                'f' => {
                    desk.flag()?;
                    say(keys, "flagged · saved\n");
                    continue;
                }
                'n' => {
                    say(keys, "note: ");
                    let Some(note) = keys.line("")? else { return Ok(()) };
                    if !note.is_empty() {
                        desk.note(note)?;
                        say(keys, "saved\n");
                    }
                    continue;
                }
                'u' => {
                    if !desk.undo()? {
                        say(keys, "there is nothing to undo in this sitting\n");
                        continue;
                    }
                }
                other => {
                    let Some(value) = value(other, &criterion, is_pair, keys)? else { continue };
                    let Some(note) = note_of(&value, keys, context)? else { return Ok(()) };
                    let note = (!note.is_empty()).then_some(note);
                    desk.record(&value, note, seconds())?;
                }
            }
            break;
        }
        say(keys, &screen::left(desk.left(), desk.total(), desk.backlog().as_deref()));
        if desk.next().is_none() {
            last_chance(context, desk, keys)?;
        }
    }
    Ok(())
}

/// Lets the person take back the last label of all, until they quit.
fn last_chance(
    context: &Context<'_>,
    desk: &mut LabelDesk,
    keys: &mut Keys,
) -> Result<(), AppError> {
    context.output.text(&keys.lines("That was the last one: u undo, q quit\n"));
    loop {
        match keys.next()? {
            Key::End | Key::Character('q') => return Ok(()),
            Key::Character('u') if desk.undo()? => return Ok(()),
            Key::Character(_) | Key::Enter | Key::Backspace => {}
        }
    }
}

/// Returns what a key says, `None` if it says nothing.
fn value(
    key: char,
    criterion: &Criterion,
    is_pair: bool,
    keys: &mut Keys,
) -> Result<Option<LabelValue>, AppError> {
    if is_pair {
        return Ok(match key {
            '1' => Some(LabelValue::Prefers(Preference::A)),
            '2' => Some(LabelValue::Prefers(Preference::B)),
            '3' => Some(LabelValue::Prefers(Preference::Tie)),
            _ => None,
        });
    }
    match &criterion.kind {
        CriterionKind::Binary => Ok(match key {
            '1' => Some(LabelValue::Pass),
            '2' => Some(LabelValue::Fail),
            _ => None,
        }),
        CriterionKind::Graded if key.is_ascii_digit() || key == '.' => {
            Ok(keys.line(&key.to_string())?.and_then(|line| share(&line)))
        }
        CriterionKind::Categorical { categories, .. } if key.is_ascii_digit() => {
            let line = if categories.len() > 9 {
                keys.line(&key.to_string())?.unwrap_or_default()
            } else {
                key.to_string()
            };
            let place = line.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
            let name = place.and_then(|place| categories.get(place));
            Ok(name.map(|name| LabelValue::Category(name.clone())))
        }
        CriterionKind::Graded | CriterionKind::Categorical { .. } => Ok(None),
    }
}

fn share(line: &str) -> Option<LabelValue> {
    let share: f64 = line.parse().ok()?;
    (0.0..=1.0).contains(&share).then_some(LabelValue::Number(share))
}

/// Asks why something fails, empty if nothing is said; `None` if the person breaks it off.
fn note_of(
    value: &LabelValue,
    keys: &mut Keys,
    context: &Context<'_>,
) -> Result<Option<String>, AppError> {
    if *value != LabelValue::Fail {
        return Ok(Some(String::new()));
    }
    context.output.text(&keys.lines("what is wrong (Enter to leave it): "));
    keys.line("")
}

/// Decides conflicts until none is left or the person quits.
pub(super) fn adjudicate(
    context: &Context<'_>,
    set: Option<&str>,
    labeller: &str,
) -> Result<Exit, AppError> {
    let mut desk = context.app.conflict_desk(context.folder(), set, labeller)?;
    let mut keys = Keys::open()?;
    let say = |keys: &Keys, text: &str| context.output.text(&keys.lines(text));
    let mut work = || -> Result<(), AppError> {
        while let Some(conflict) = desk.next() {
            let (criterion, is_pair) = (desk.criterion().cloned(), conflict.outputs.len() == 2);
            say(&keys, &screen::conflict(conflict, criterion.as_ref()));
            let opinions: Vec<_> =
                conflict.opinions.iter().map(|opinion| opinion.decision.clone()).collect();
            say(&keys, "1 take A, 2 take B, e decide otherwise, d leave it, q quit\n");
            let Some(decision) = decide(&opinions, criterion.as_ref(), is_pair, &mut keys, &say)?
            else {
                return Ok(());
            };
            match decision {
                Decision::Leave => desk.skip(),
                Decision::Take(value, note) => {
                    desk.adjudicate(value, note)?;
                    say(&keys, &format!("{} left · saved\n", desk.left()));
                }
            }
        }
        Ok(())
    };
    let worked = work();
    drop(keys);
    let closed = desk.close();
    worked?;
    closed?;
    Ok(Exit::Complete)
}

enum Decision {
    Leave,
    Take(LabelValue, Option<String>),
}

/// Returns what was decided; `None` if the person quits.
fn decide(
    opinions: &[LabelValue],
    criterion: Option<&Criterion>,
    is_pair: bool,
    keys: &mut Keys,
    say: &impl Fn(&Keys, &str),
) -> Result<Option<Decision>, AppError> {
    loop {
        let symbol = match keys.next()? {
            Key::Character(symbol) => symbol,
            Key::Enter | Key::Backspace => continue,
            Key::End => return Ok(None),
        };
        let place = symbol.to_digit(10).and_then(|digit| digit.checked_sub(1));
        let taken = place.and_then(|place| opinions.get(usize::try_from(place).ok()?));
        match (symbol, taken, criterion) {
            ('q', ..) => return Ok(None),
            ('d', ..) => return Ok(Some(Decision::Leave)),
            (_, Some(value), _) => return Ok(Some(Decision::Take(value.clone(), None))),
            ('e', _, Some(criterion)) => {
                say(keys, "value (the key that a labeller would press): ");
                let Key::Character(key) = keys.next()? else { return Ok(None) };
                say(keys, "\n");
                let Some(value) = value(key, criterion, is_pair, keys)? else { continue };
                say(keys, "why: ");
                let Some(note) = keys.line("")? else { return Ok(None) };
                let note = (!note.is_empty()).then_some(note);
                return Ok(Some(Decision::Take(value, note)));
            }
            _ => {}
        }
    }
}
