//! How a person names a note and a category.

use std::collections::BTreeMap;

use document::is_deceptive;
use evalset::Category;
use values::Id;

use super::gather::FailureWorld;
use crate::AppError;

/// Digits of a short id, unless two notes end the same.
const SHORT: usize = 6;
/// Bytes of a category's name.
const NAME: usize = 100;
/// Bytes of a category's sentence.
const SENTENCE: usize = 500;

/// Returns the shortest end of each id, at least six digits, that no other one has.
///
/// The end, because ids that were made in one sitting begin alike.
pub(super) fn short_ids(ids: impl IntoIterator<Item = Id>) -> BTreeMap<Id, String> {
    let mut backwards: Vec<(String, Id)> =
        ids.into_iter().map(|id| (digits(id).chars().rev().collect(), id)).collect();
    backwards.sort();
    backwards.dedup();
    let shared = |a: &str, b: &str| a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count();
    let mut short = BTreeMap::new();
    for (place, (text, id)) in backwards.iter().enumerate() {
        let neighbours = [place.checked_sub(1), Some(place + 1)].into_iter().flatten();
        let others = neighbours.filter_map(|other| backwards.get(other));
        let needed = others.map(|(other, _)| shared(text, other) + 1).max().unwrap_or(0);
        let end: String = text.chars().take(needed.max(SHORT)).collect();
        short.insert(*id, end.chars().rev().collect());
    }
    short
}

fn digits(id: Id) -> String {
    id.to_string().replace('-', "")
}

impl FailureWorld {
    /// Returns the category of a name.
    pub(super) fn category(&self, name: &str) -> Result<&Category, AppError> {
        match self.world.categories.named(name).as_slice() {
            [one] => Ok(*one),
            [] => {
                let known = self.world.categories.current();
                let known: Vec<&str> = known.iter().map(|one| one.name.as_str()).collect();
                let hint = if known.is_empty() {
                    "make one with: trysquare failures group NAME NOTE… --sentence \"What it is.\""
                        .to_owned()
                } else {
                    format!("there are {}", known.join(", "))
                };
                Err(AppError::input(format!("there is no category `{name}`")).with_hint(hint))
            }
            several => Err(AppError::input(format!(
                "{} categories are called `{name}`, as when two people made one each",
                several.len()
            ))
            .with_hint(format!("make them one with: trysquare failures merge {name:?}"))),
        }
    }

    /// Returns the notes that are named, each by its id or the end of it.
    pub(super) fn named_notes(&self, names: &[String]) -> Result<Vec<Id>, AppError> {
        let known: Vec<(Id, String)> =
            self.notes.iter().map(|note| (note.event.id, digits(note.event.id))).collect();
        let find = |name: &String| {
            let end = name.trim().to_lowercase().replace('-', "");
            let fits = known.iter().filter(|(_, digits)| !end.is_empty() && digits.ends_with(&end));
            match fits.collect::<Vec<_>>().as_slice() {
                [(id, _)] => Ok(*id),
                [] => Err(AppError::input(format!("there is no note `{name}`"))
                    .with_hint("`trysquare failures list --all` prints each note with its id")),
                several => Err(AppError::input(format!("{} notes end in `{name}`", several.len()))
                    .with_hint("give more of the id's end")),
            }
        };
        names.iter().map(find).collect()
    }
}

/// Returns a name as it is kept, one line that can be typed again.
pub(super) fn fit_name(name: &str) -> Result<String, AppError> {
    let hint = "a name is one line of at most 100 bytes";
    fit(name, NAME).ok_or_else(|| AppError::input("this cannot name a category").with_hint(hint))
}

/// Returns a sentence as it is kept.
pub(super) fn fit_sentence(sentence: &str) -> Result<String, AppError> {
    fit(sentence, SENTENCE).ok_or_else(|| {
        AppError::input("this is no sentence that explains a category")
            .with_hint("say in one line, at most 500 bytes, by what another person can tell it")
    })
}

/// Returns the name of a category as that of a check or a judge, which are also file names.
pub(super) fn id_of_name(name: &str) -> String {
    let plain = |sign: char| if sign.is_alphanumeric() || "._".contains(sign) { sign } else { '-' };
    let text: String = name.to_lowercase().chars().map(plain).collect();
    let words: Vec<&str> = text.split('-').filter(|word| !word.is_empty()).collect();
    words.join("-")
}

fn fit(text: &str, bytes: usize) -> Option<String> {
    let text = text.trim();
    let is_plain = !text.contains(['\n', '\t']) && !text.contains(is_deceptive);
    (!text.is_empty() && text.len() <= bytes && is_plain).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> Id {
        text.parse().unwrap()
    }

    #[test]
    fn a_short_id_is_the_end_that_no_other_has() {
        let ids = [
            id("0197c2f0-7c1a-7000-8000-00000000abcd"),
            id("0197c2f0-7c1a-7000-8000-00000001abcd"),
            id("0197c2f0-7c1a-7000-8000-00000000abce"),
        ];
        let short = short_ids(ids.into_iter().chain(ids));
        assert_eq!(short.len(), 3);
        assert_eq!(short[&ids[0]], "00abcd");
        assert_eq!(short[&ids[1]], "01abcd");
        assert_eq!(short[&ids[2]], "00abce");
    }

    #[test]
    fn a_category_gives_a_check_its_name() {
        assert_eq!(id_of_name("Invented facts & figures"), "invented-facts-figures");
        assert_eq!(id_of_name("--Größe/2"), "größe-2");
    }

    #[test]
    fn names_and_sentences_are_one_line_that_can_be_seen() {
        assert_eq!(fit_name("  invented facts ").unwrap(), "invented facts");
        for bad in ["", " ", "a\nb", "a\u{1b}[31m", &"x".repeat(101)] {
            assert!(fit_name(bad).is_err(), "{bad:?}");
        }
        assert!(fit_sentence(&"x".repeat(501)).is_err());
    }
}
