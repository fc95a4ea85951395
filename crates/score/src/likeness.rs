//! How alike two texts are: similarity ratio, ROUGE-L, Levenshtein.
//!
//! All three take time with the product of the lengths. What both texts share at their start and end
//! is taken off first; what is left is compared only up to [`MAX_COMPARED_PAIRS`] pairs. Above that
//! the lengths alone give a bound, which often decides; where it does not, the check is skipped, and
//! says so. No number is ever an approximation.

use evalset::check::{Bindings, Measure, ResolveError, TextTemplate};

use crate::distance::{edit_distance, longest_common_subsequence};
use crate::finding::Finding;
use crate::quote::quote;

/// The most pairs of characters, or of words, that are compared: about 31,000 by 31,000.
pub const MAX_COMPARED_PAIRS: usize = 1_000_000_000;

/// A share, or, where the texts are too long, a bound that their lengths give.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Share {
    Exact(f64),
    AtMost(f64),
}

/// Returns twice the length of the longest common subsequence over all characters of both texts: 1 for
/// equal texts (two empty ones too), 0 for texts without a common character.
///
/// This is the ratio that difflib and the crate `similar` aim at, without their shortcuts.
///
/// `None` if the texts are too long ([`MAX_COMPARED_PAIRS`]).
pub fn similarity(one: &str, other: &str) -> Option<f64> {
    exact(similarity_share(&chars(one), &chars(other)))
}

/// Returns the ROUGE-L F1 of two texts: the harmonic mean of the shares of their words that their
/// longest common subsequence covers.
///
/// Words are lower-cased maximal runs of letters and digits of any script; nothing is stemmed. Two
/// texts without words give 1, one of them 0. `None` if the texts are too long.
///
/// # Source
/// Lin (2004), ROUGE: a package for automatic evaluation of summaries, equations 2 to 4 with β = 1.
pub fn rouge_l(one: &str, other: &str) -> Option<f64> {
    exact(rouge_share(&words(one), &words(other)))
}

/// Returns the least number of characters to insert, delete or replace to turn one text into the
/// other. `None` if the texts are too long.
///
/// # Source
/// Levenshtein (1966), Soviet Physics Doklady 10, 707–710.
pub fn levenshtein(one: &str, other: &str) -> Option<usize> {
    let (one, other) = (chars(one), chars(other));
    let (one, other, _) = without_common_ends(&one, &other);
    fits(one.len(), other.len()).then(|| edit_distance(one, other))
}

fn exact(share: Share) -> Option<f64> {
    match share {
        Share::Exact(share) => Some(share),
        Share::AtMost(_) => None,
    }
}

fn chars(text: &str) -> Vec<char> {
    text.chars().collect()
}

fn words(text: &str) -> Vec<String> {
    let lower = text.to_lowercase();
    let words = lower.split(|symbol: char| !symbol.is_alphanumeric());
    words.filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

fn fits(one: usize, other: usize) -> bool {
    one.saturating_mul(other) <= MAX_COMPARED_PAIRS
}

/// Takes off what both start and end with, and returns its length.
fn without_common_ends<'a, T: PartialEq>(
    one: &'a [T],
    other: &'a [T],
) -> (&'a [T], &'a [T], usize) {
    let start = one.iter().zip(other).take_while(|(one, other)| one == other).count();
    let (one, other) = (&one[start..], &other[start..]);
    let pairs = one.iter().rev().zip(other.iter().rev());
    let end = pairs.take_while(|(one, other)| one == other).count();
    (&one[..one.len() - end], &other[..other.len() - end], start + end)
}

fn similarity_share(one: &[char], other: &[char]) -> Share {
    let total = one.len() + other.len();
    if total == 0 {
        return Share::Exact(1.0);
    }
    let (left, right, shared) = without_common_ends(one, other);
    if !fits(left.len(), right.len()) {
        let most = shared + left.len().min(right.len());
        return Share::AtMost(2.0 * most as f64 / total as f64);
    }
    let kept = longest_common_subsequence(left, right);
    Share::Exact(2.0 * (shared + kept) as f64 / total as f64)
}

fn rouge_share(one: &[String], other: &[String]) -> Share {
    let total = one.len() + other.len();
    if total == 0 {
        return Share::Exact(1.0);
    }
    let (left, right, shared) = without_common_ends(one, other);
    // The harmonic mean of c/n and c/m is 2c/(n+m).
    let share = |common: usize| 2.0 * common as f64 / total as f64;
    if fits(left.len(), right.len()) {
        Share::Exact(share(shared + longest_common_subsequence(left, right)))
    } else {
        Share::AtMost(share(shared + left.len().min(right.len())))
    }
}

pub(crate) fn alike(
    measure: Measure,
    value: &TextTemplate,
    threshold: Option<f64>,
    output: &str,
    bindings: Bindings<'_>,
) -> Result<Finding, ResolveError> {
    let expected = value.resolve(bindings)?;
    let (name, share) = match measure {
        Measure::Similarity => ("similarity", similarity_share(&chars(&expected), &chars(output))),
        Measure::RougeL => ("ROUGE-L", rouge_share(&words(&expected), &words(output))),
    };
    Ok(finding_of(name, share, threshold, &expected, output))
}

fn finding_of(
    name: &str,
    share: Share,
    threshold: Option<f64>,
    expected: &str,
    output: &str,
) -> Finding {
    let texts = format!("of {} to {}", quote(output), quote(expected));
    match (share, threshold) {
        (Share::Exact(share), _) => {
            Finding::number(share, format!("the {name} {texts} is {share:.3}"))
        }
        (Share::AtMost(most), Some(threshold)) if most < threshold => Finding::fail(format!(
            "the {name} {texts} is at most {most:.3}, below the threshold {threshold}"
        )),
        (Share::AtMost(_), _) => too_long(name, &texts),
    }
}

fn too_long(name: &str, texts: &str) -> Finding {
    Finding::skipped(format!(
        "the {name} {texts} is not computed: comparing them takes more than {MAX_COMPARED_PAIRS} steps"
    ))
}

pub(crate) fn edits(
    value: &TextTemplate,
    max: Option<u64>,
    threshold: Option<f64>,
    output: &str,
    bindings: Bindings<'_>,
) -> Result<Finding, ResolveError> {
    let expected = value.resolve(bindings)?;
    let (found, wanted) = (output.chars().count(), expected.chars().count());
    let longer = found.max(wanted);
    let least = found.abs_diff(wanted);
    let share = |edits: usize| {
        if longer == 0 { 1.0 } else { 1.0 - edits as f64 / longer as f64 }
    };
    let texts = format!("between {} and {}", quote(output), quote(&expected));
    let distance = levenshtein(&expected, output);
    Ok(match (distance, max) {
        (Some(distance), Some(max)) => {
            let passed = u64::try_from(distance).is_ok_and(|distance| distance <= max);
            Finding::decided(passed, format!("{distance} edits {texts}, at most {max} are allowed"))
        }
        (None, Some(max)) if u64::try_from(least).is_ok_and(|least| least > max) => {
            Finding::fail(format!("at least {least} edits {texts}, at most {max} are allowed"))
        }
        (None, Some(_)) => too_long("number of edits", &texts),
        (Some(distance), None) => {
            let reason = format!(
                "{distance} edits {texts}, {:.3} of the longer is the same",
                share(distance)
            );
            Finding::number(share(distance), reason)
        }
        (None, None) => finding_of(
            "share of unedited text",
            Share::AtMost(share(least)),
            threshold,
            &expected,
            output,
        ),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn near(found: Option<f64>, expected: f64) {
        let found = found.unwrap();
        assert!((found - expected).abs() < 1e-12, "found {found}, expected {expected}");
    }

    #[test]
    fn similarity_is_the_ratio_of_kept_characters() {
        near(similarity("abcd", "abcd"), 1.0);
        near(similarity("", ""), 1.0);
        near(similarity("abc", ""), 0.0);
        // By hand: "b", "c", "d" are kept, 2·3/8.
        near(similarity("abcd", "bcde"), 0.75);
    }

    #[test]
    fn rouge_l_of_lins_example() {
        // Lin (2004), section 3.1: S1 "police killed the gunman" as reference; S2 "police kill the
        // gunman" shares 3 of 4 words in order, S3 "the gunman kill police" 2 of 4.
        near(rouge_l("police killed the gunman", "police kill the gunman"), 0.75);
        near(rouge_l("police killed the gunman", "the gunman kill police"), 0.5);
        near(rouge_l("Grüße, Welt!", "grüße welt"), 1.0);
        near(rouge_l("...", "?"), 1.0);
        near(rouge_l("a", "?"), 0.0);
    }

    #[test]
    fn levenshtein_of_the_textbook() {
        assert_eq!(levenshtein("kitten", "sitting"), Some(3));
        assert_eq!(levenshtein("", "äö"), Some(2));
    }

    #[test]
    fn long_texts_are_compared_where_they_differ_little_and_else_not_at_all() {
        let long = "ab ".repeat(400_000);
        near(similarity(&long, &long), 1.0);
        let edited = format!("{}X{}", &long[..600_000], &long[600_000..]);
        assert_eq!(levenshtein(&long, &edited), Some(1));
        let other = "cd ".repeat(400_000);
        assert_eq!(similarity(&long, &other), None);
        assert_eq!(levenshtein(&long, &other), None);
        assert_eq!(rouge_l(&long, &other), None);
        near(similarity(&long, "ab"), 4.0 / 1_200_002.0);
    }

    proptest! {
        #[test]
        fn measures_are_shares_and_one_for_equal_texts(one in "[ab ]{0,12}", other in "[ab ]{0,12}") {
            for measure in [similarity, rouge_l] {
                let share = measure(&one, &other).unwrap();
                prop_assert!((0.0..=1.0).contains(&share));
                prop_assert!((measure(&one, &one).unwrap() - 1.0).abs() < 1e-12);
                prop_assert!((measure(&other, &one).unwrap() - share).abs() < 1e-12);
            }
        }

        #[test]
        fn taking_off_common_ends_changes_no_distance(one in "[abc]{0,12}", other in "[abc]{0,12}") {
            prop_assert_eq!(levenshtein(&one, &other).unwrap(), strsim::levenshtein(&one, &other));
        }

        #[test]
        fn similarity_of_short_texts_is_that_of_similar(one in "[abc]{0,12}", other in "[abc]{0,12}") {
            let ratio = similar::TextDiff::from_chars(one.as_str(), other.as_str()).ratio();
            prop_assert!((similarity(&one, &other).unwrap() - f64::from(ratio)).abs() < 1e-6);
        }
    }
}
