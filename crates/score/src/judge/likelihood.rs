//! The probability of a verdict, from the log-probabilities of the token that decides it.

use chat::{Reply, TokenLogprob};

const WORDS: [&str; 2] = ["pass", "fail"];

/// Returns the probability of `pass` at the token with which a verdict begins.
///
/// `at` is the byte of the reply's text where the verdict's word begins. Where both words are among
/// the alternatives, the probability of `pass` given one of them; where only one is, its own, the rest being
/// the other's. `None` if no log-probabilities came, if they do not spell the reply, or if the deciding token is
/// neither word's beginning.
pub(super) fn pass_probability(reply: &Reply, at: usize) -> Option<f64> {
    let (token, before) = deciding(reply, at)?;
    let lead = token.token.get(..before)?;
    let word_of = |text: &str| {
        let rest = text.strip_prefix(lead)?;
        WORDS
            .into_iter()
            .position(|word| !rest.is_empty() && (word.starts_with(rest) || rest.starts_with(word)))
    };
    let chosen = word_of(&token.token)?;
    let mut mass: [Option<f64>; 2] = [None; 2];
    let listed = token.top.iter().map(|(text, logprob)| (text.as_str(), *logprob));
    let is_listed = token.top.iter().any(|(text, _)| *text == token.token);
    let own = (!is_listed).then_some((token.token.as_str(), token.logprob));
    for (text, logprob) in listed.chain(own) {
        if let Some(word) = word_of(text) {
            *mass[word].get_or_insert(0.0) += logprob.exp();
        }
    }
    let probability = match mass {
        [Some(pass), Some(fail)] if pass + fail > 0.0 => pass / (pass + fail),
        [Some(pass), None] => pass,
        [None, Some(fail)] => 1.0 - fail,
        // Both so unlikely that they are 0: the one that was chosen is the only one to go by.
        _ => f64::from(u8::from(chosen == 0)),
    };
    probability.is_finite().then(|| probability.clamp(0.0, 1.0))
}

/// Returns the token that the byte of the text lies in, and how much of the token stands before it.
fn deciding(reply: &Reply, at: usize) -> Option<(&TokenLogprob, usize)> {
    let spelled: String = reply.logprobs.iter().map(|token| token.token.as_str()).collect();
    // Some providers trim the text and not the tokens.
    let at = at + spelled.find(&reply.text)?;
    let mut begins = 0;
    for token in &reply.logprobs {
        let ends = begins + token.token.len();
        if at < ends {
            return Some((token, at - begins));
        }
        begins = ends;
    }
    None
}
