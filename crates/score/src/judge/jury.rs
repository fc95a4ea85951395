use evalset::{JuryRule, JurySpec};
use serde_json::json;
use values::ContentHash;

use super::Judged;
use crate::criterion::weighted;
use crate::finding::{Finding, Unknown};
use crate::quote::shorten;
use crate::{MAX_REASON_CHARS, Outcome};

/// What one member of a jury said of an output.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct JuryMember<'a> {
    /// The member's name in the eval set.
    pub name: &'a str,
    /// What it said. An error, unreadable or skipped result is a member without an opinion.
    pub judged: &'a Judged,
}

/// Combines what the members of a jury said of one output or pair.
///
/// By majority, what more than half of *all* members say stands; members without an opinion do not
/// shrink the jury. Where the opinions that are missing could still make a majority, the result is theirs:
/// error before unreadable before skipped. Where they could not, the jury is split: a preference is then a
/// tie, everything else `skipped`, which is neither a pass nor a fail.
///
/// By mean, a pass counts as 1, a fail as 0, and a member that gives a probability with it. A threshold
/// turns the mean into pass or fail; a result that stands whatever the missing members would have
/// said stands. The mean is kept as the probability if every member gave one.
///
/// The reason names each member's answer. No member at all is `skipped`.
pub fn jury(spec: &JurySpec, members: &[JuryMember<'_>]) -> Judged {
    let said =
        |member: &JuryMember<'_>| format!("`{}` {}", member.name, word(&member.judged.outcome));
    let opinions: Vec<String> = members.iter().map(said).collect();
    let opinions = opinions.join(", ");
    let (outcome, about) = match spec.rule {
        _ if members.is_empty() => (Outcome::Skipped, "no member of the jury was asked".to_owned()),
        JuryRule::Majority => majority(members),
        JuryRule::Mean => mean(members, spec.threshold),
    };
    let reason = if opinions.is_empty() { about } else { format!("{about}: {opinions}") };
    let probabilities: Option<Vec<f64>> =
        members.iter().map(|member| member.judged.probability).collect();
    let probability = probabilities
        .filter(|all| spec.rule == JuryRule::Mean && !all.is_empty())
        .map(|all| all.iter().sum::<f64>() / all.len() as f64);
    Judged { outcome, probability, reason: shorten(&reason, MAX_REASON_CHARS) }
}

/// Returns the version of a judge: what is asked, and how the set reads the answer.
///
/// `asked` is the version of its prompt with its model and config. A judge that the set reads as it is has
/// that version; one with a threshold, or that reads one of several criteria, has another, because it says
/// other things of the same answers.
pub fn judge_version(
    asked: ContentHash,
    threshold: Option<f64>,
    reads: Option<&str>,
) -> ContentHash {
    if threshold.is_none() && reads.is_none() {
        return asked;
    }
    let document = json!({"asked": asked, "threshold": threshold, "reads": reads});
    ContentHash::of_document("trysquare-judge-v1", &document)
}

/// Returns the version of a jury: what its members are, each with its threshold, and how they decide.
///
/// `members` holds each member's version and threshold, in any order. A jury of other members, or of the
/// same with another version of one of them, is another judge and calibrated anew.
pub fn jury_version(spec: &JurySpec, members: &[(ContentHash, Option<f64>)]) -> ContentHash {
    let mut members: Vec<(String, Option<f64>)> =
        members.iter().map(|(version, threshold)| (version.to_string(), *threshold)).collect();
    members.sort_by(|a, b| {
        let order = |threshold: Option<f64>| threshold.unwrap_or(-1.0);
        a.0.cmp(&b.0).then(order(a.1).total_cmp(&order(b.1)))
    });
    let document =
        json!({"rule": spec.rule.name(), "threshold": spec.threshold, "members": members});
    ContentHash::of_document("trysquare-jury-v1", &document)
}

fn majority(members: &[JuryMember<'_>]) -> (Outcome, String) {
    let outcomes = || members.iter().map(|member| &member.judged.outcome);
    let votes = |outcome: &Outcome| outcomes().filter(|other| *other == outcome).count();
    let all = members.len();
    let voting = || outcomes().filter(|outcome| unknown(outcome).is_none());
    let Some(leading) =
        voting().reduce(|best, next| if votes(next) > votes(best) { next } else { best })
    else {
        return (missing(outcomes()), "no member of the jury could decide".to_owned());
    };
    let most = votes(leading);
    if most * 2 > all {
        return (leading.clone(), format!("{most} of {all} members agree"));
    }
    let without = all - voting().count();
    if (most + without) * 2 > all {
        let about = format!("{without} of {all} members gave no opinion, which could decide");
        return (missing(outcomes()), about);
    }
    let is_preference = |outcome: &Outcome| matches!(outcome, Outcome::Category { name } if ["a", "b", "tie"].contains(&name.as_str()));
    if voting().all(is_preference) {
        return (Outcome::Category { name: "tie".to_owned() }, "the jury is split".to_owned());
    }
    (Outcome::Skipped, "the jury is split".to_owned())
}

fn mean(members: &[JuryMember<'_>], threshold: Option<f64>) -> (Outcome, String) {
    let finding =
        |member: &JuryMember<'_>| match (&member.judged.outcome, member.judged.probability) {
            (Outcome::Pass | Outcome::Fail | Outcome::Number { .. }, Some(probability)) => {
                Finding::number(probability, "")
            }
            (Outcome::Pass, None) => Finding::number(1.0, ""),
            (Outcome::Fail, None) => Finding::number(0.0, ""),
            (Outcome::Number { value }, None) => Finding::number(*value, ""),
            (Outcome::Category { .. }, _) => {
                Finding::unknown(Unknown::Unreadable, "a category has no mean")
            }
            (other, _) => {
                Finding::unknown(unknown(other).unwrap_or(Unknown::Skipped), "no opinion")
            }
        };
    let findings: Vec<Finding> = members.iter().map(finding).collect();
    let weights = vec![1.0; findings.len()];
    let (outcome, reason) = weighted(&weights, findings, threshold).into_outcome();
    (outcome, reason.replacen("weighted mean", "mean", 1))
}

/// Why an outcome is no opinion; none if it is one.
fn unknown(outcome: &Outcome) -> Option<Unknown> {
    match outcome {
        Outcome::Error => Some(Unknown::Error),
        Outcome::Unreadable => Some(Unknown::Unreadable),
        // Without a threshold a number is no vote.
        Outcome::Skipped | Outcome::Number { .. } => Some(Unknown::Skipped),
        Outcome::Pass | Outcome::Fail | Outcome::Category { .. } => None,
    }
}

/// The worst of what is missing.
fn missing<'a>(outcomes: impl Iterator<Item = &'a Outcome>) -> Outcome {
    match outcomes.filter_map(unknown).max() {
        Some(Unknown::Error) => Outcome::Error,
        Some(Unknown::Unreadable) => Outcome::Unreadable,
        _ => Outcome::Skipped,
    }
}

fn word(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Number { value } => format!("{value:.3}"),
        Outcome::Category { name } => name.clone(),
        Outcome::Error => "error".to_owned(),
        other => other.status().word().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use evalset::EvalSet;
    use proptest::prelude::*;

    use super::*;

    fn spec(rule: &str) -> JurySpec {
        let text = format!(
            "judges:\n  - {{judge: x, criterion: panel}}\n  - {{judge: y, criterion: panel}}\n  \
             - {{judge: z, criterion: panel}}\njuries:\n  panel: {{members: [x, y, z]{rule}}}"
        );
        let (set, found) = EvalSet::read("evalset.yaml", text);
        assert!(found.is_empty(), "{found:?}");
        set.unwrap().juries.remove(0)
    }

    fn said(outcome: Outcome) -> Judged {
        Judged { outcome, probability: None, reason: String::new() }
    }

    fn decide(rule: &str, outcomes: &[Outcome]) -> Judged {
        let judged: Vec<Judged> = outcomes.iter().cloned().map(said).collect();
        let names = ["x", "y", "z", "w"];
        let members: Vec<JuryMember<'_>> =
            names.iter().zip(&judged).map(|(name, judged)| JuryMember { name, judged }).collect();
        jury(&spec(rule), &members)
    }

    fn category(name: &str) -> Outcome {
        Outcome::Category { name: name.to_owned() }
    }

    #[test]
    fn more_than_half_of_all_members_decide() {
        use Outcome::{Error, Fail, Pass, Skipped, Unreadable};
        let found = decide("", &[Pass, Fail, Pass]);
        assert_eq!(found.outcome, Pass);
        assert_eq!(found.reason, "2 of 3 members agree: `x` pass, `y` fail, `z` pass");
        assert_eq!(decide("", &[Pass, Unreadable, Pass]).outcome, Pass, "nothing could change it");
        assert_eq!(decide("", &[Pass, Unreadable, Fail]).outcome, Unreadable);
        assert_eq!(
            decide("", &[Pass, Unreadable, Error]).outcome,
            Error,
            "the worst of what lacks"
        );
        assert_eq!(decide("", &[Pass, Pass, Fail, Fail]).outcome, Skipped, "split");
        assert_eq!(decide("", &[Pass, Fail, Outcome::Number { value: 0.9 }]).outcome, Skipped);
        assert_eq!(decide("", &[]).outcome, Skipped);
        assert_eq!(
            decide("", &[category("a"), category("b"), category("tie")]).outcome,
            category("tie")
        );
        assert_eq!(
            decide("", &[category("late"), category("wrong"), category("rude")]).outcome,
            Skipped
        );
    }

    #[test]
    fn a_mean_stands_if_missing_members_could_not_change_it() {
        use Outcome::{Fail, Pass, Unreadable};
        let rule = ", rule: mean, threshold: 0.6";
        let found = decide(rule, &[Pass, Fail, Pass]);
        assert_eq!(found.outcome, Pass);
        assert_eq!(
            found.reason,
            "the mean of 3 scores is 0.667, which reaches the threshold 0.6: `x` pass, `y` fail, `z` pass"
        );
        assert_eq!(decide(rule, &[Pass, Pass, Unreadable]).outcome, Pass);
        assert_eq!(decide(rule, &[Pass, Fail, Unreadable]).outcome, Unreadable);
        assert_eq!(decide(rule, &[Fail, Fail, Unreadable]).outcome, Fail);
        assert_eq!(decide(", rule: mean", &[Pass, Fail]).outcome, Outcome::Number { value: 0.5 });
    }

    #[test]
    fn a_mean_is_of_probabilities_where_members_give_them() {
        let judged: Vec<Judged> = [(Outcome::Pass, 0.6), (Outcome::Fail, 0.1)]
            .into_iter()
            .map(|(outcome, value)| Judged { probability: Some(value), ..said(outcome) })
            .collect();
        let members: Vec<JuryMember<'_>> =
            judged.iter().map(|judged| JuryMember { name: "x", judged }).collect();
        let found = jury(&spec(", rule: mean, threshold: 0.4"), &members);
        assert_eq!(found.outcome, Outcome::Fail, "0.35, although the mean of the verdicts is 0.5");
        assert!((found.probability.unwrap() - 0.35).abs() < 1e-12);
    }

    #[test]
    fn the_version_is_that_of_the_members_and_the_rule() {
        let hash = |text: &str| ContentHash::of_document("t", &json!(text));
        let (a, b) = (hash("a"), hash("b"));
        let version = jury_version(&spec(""), &[(a, None), (b, Some(0.5))]);
        assert_eq!(version, jury_version(&spec(""), &[(b, Some(0.5)), (a, None)]));
        for other in [vec![(a, None), (b, None)], vec![(a, None)], vec![(a, Some(0.5)), (b, None)]]
        {
            assert_ne!(version, jury_version(&spec(""), &other));
        }
        assert_ne!(version, jury_version(&spec(", rule: mean"), &[(a, None), (b, Some(0.5))]));
    }

    fn outcomes() -> impl Strategy<Value = Outcome> {
        use Outcome::{Error, Fail, Pass, Skipped, Unreadable};
        prop::sample::select(vec![Pass, Fail, Error, Unreadable, Skipped])
    }

    proptest! {
        /// A result that is decided stays whatever the members without an opinion would have said.
        #[test]
        fn no_missing_member_could_turn_a_verdict(
            outcomes in prop::collection::vec(outcomes(), 1..4),
            instead in prop::collection::vec(any::<bool>(), 4),
            mean in any::<bool>(),
        ) {
            let rule = if mean { ", rule: mean, threshold: 0.5" } else { "" };
            let before = decide(rule, &outcomes).outcome;
            if matches!(before, Outcome::Pass | Outcome::Fail) {
                let whole: Vec<Outcome> = outcomes.iter().zip(instead).map(|(outcome, passes)| {
                    match (unknown(outcome), passes) {
                        (None, _) => outcome.clone(),
                        (Some(_), true) => Outcome::Pass,
                        (Some(_), false) => Outcome::Fail,
                    }
                }).collect();
                prop_assert_eq!(decide(rule, &whole).outcome, before);
            }
        }
    }
}
