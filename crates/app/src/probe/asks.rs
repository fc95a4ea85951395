use score::probe::{Change, Injection, NON_ANSWER, Wish};

use super::subjects::Subject;

/// One question of a probe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Asked {
    /// The place of the output or pair that it is about.
    pub(super) subject: usize,
    /// What it is for.
    pub(super) ask: Ask,
    /// What the judge is shown: one output, or two in this order.
    pub(super) shown: Vec<String>,
}

/// What a question of a probe is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ask {
    /// An output without content, in the place of the first.
    Empty,
    /// The same with an injection.
    Injected(Injection),
    /// What the run made, as it is, for the k-th time from 0.
    Plain(u32),
    /// The first output of it changed in what does not matter.
    Changed(Change),
    /// A pair in the other order.
    Swapped,
}

impl Asked {
    /// Returns the repetition that the call is.
    pub(super) fn sample(&self) -> u32 {
        match self.ask {
            Ask::Plain(time) => time,
            _ => 0,
        }
    }

    /// Tells whether the cache has no part in the answer: a repetition that came from it would repeat
    /// nothing.
    pub(super) fn is_drawn_anew(&self) -> bool {
        matches!(self.ask, Ask::Plain(time) if time > 0)
    }
}

/// Returns all questions, those about one output or pair together.
///
/// Without a wish no injection is tried: no answer is better than another.
pub(super) fn asked(subjects: &[Subject], wish: Option<&Wish>, times: u32) -> Vec<Asked> {
    let mut all = Vec::new();
    for (place, subject) in subjects.iter().enumerate() {
        let mut ask = |ask, first: Option<String>| {
            let mut shown = subject.texts.clone();
            if let (Some(first), Some(slot)) = (first, shown.first_mut()) {
                *slot = first;
            }
            all.push(Asked { subject: place, ask, shown });
        };
        if let Some(wish) = wish {
            ask(Ask::Empty, Some(NON_ANSWER.to_owned()));
            for family in Injection::ALL {
                ask(Ask::Injected(family), Some(family.output(wish, place)));
            }
        }
        for time in 0..times {
            ask(Ask::Plain(time), None);
        }
        for change in Change::ALL {
            ask(Ask::Changed(change), Some(change.of(&subject.texts[0])));
        }
        if subject.texts.len() > 1 {
            let shown = subject.texts.iter().rev().cloned().collect();
            all.push(Asked { subject: place, ask: Ask::Swapped, shown });
        }
    }
    all
}

/// Returns what is asked in words, with the number of questions.
pub(super) fn parts(asked: &[Asked]) -> Vec<(&'static str, usize)> {
    let count = |is_one: fn(&Ask) -> bool| asked.iter().filter(|one| is_one(&one.ask)).count();
    let all = [
        ("an output without content", count(|ask| matches!(ask, Ask::Empty))),
        ("the same, asking for a good verdict", count(|ask| matches!(ask, Ask::Injected(_)))),
        ("outputs of the run as they are", count(|ask| matches!(ask, Ask::Plain(0)))),
        ("the same again, not from the cache", count(|ask| matches!(ask, Ask::Plain(1..)))),
        ("the same, longer or formatted", count(|ask| matches!(ask, Ask::Changed(_)))),
        ("pairs in the other order", count(|ask| matches!(ask, Ask::Swapped))),
    ];
    all.into_iter().filter(|(_, count)| *count > 0).collect()
}
