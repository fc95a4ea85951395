use analysis::Refusal;

use super::{Names, name, name_list};

/// Says why a criterion has no verdict, and what to do about it.
pub fn refusal_sentence(criterion: &str, refusal: &Refusal, names: &Names) -> String {
    let criterion = name(criterion);
    let Names { baseline, candidate, .. } = names;
    let rest = match refusal {
        Refusal::OneSided { candidate: true } => format!(
            "{candidate} was never scored on it. Score its run again with the criterion that {baseline} has."
        ),
        Refusal::OneSided { candidate: false } => format!(
            "{baseline} was never scored on it. Score the baseline's run again, or accept a new baseline."
        ),
        Refusal::CriterionChanged => "the criterion itself changed since the baseline. \
             Score both sides by the same criterion."
            .to_owned(),
        Refusal::ChecksChanged { names } => changed("check", names),
        Refusal::JudgesChanged { names } => changed("judge", names),
        Refusal::NothingDecided => {
            "no shared case has a result on both sides. Finish the runs, have them judged \
             (`trysquare score RUN --judge NAME`), or retry errors."
                .to_owned()
        }
        Refusal::Unlabelled => format!(
            "people decide it, and no shared case has their decision on both sides. {}",
            label_next(&criterion, names)
        ),
        Refusal::UnequallyDrawn => format!(
            "people decide it, and the outputs that they labelled were drawn with unequal chances, so \
             that counting them alike would say what was drawn more readily. {}, with a `--count` \
             that takes in every case.",
            label_next(&criterion, names).trim_end_matches('.')
        ),
        Refusal::OnlyDescribes => "nothing decides pass or fail on it. Name the categories that \
             pass, or give its cases a check."
            .to_owned(),
    };
    format!("No verdict on {criterion}: {rest}")
}

/// Says how people come to decide the outputs of both sides.
pub(crate) fn label_next(criterion: &str, names: &Names) -> String {
    let commands: Vec<String> = names
        .label
        .iter()
        .map(|what| format!("`trysquare label {what} --criterion {criterion}`"))
        .collect();
    format!("Label outputs of both sides: {}.", commands.join(" and "))
}

fn changed(noun: &str, names: &[String]) -> String {
    let list = name_list(names);
    let (plural, verb) = if names.len() == 1 { ("", "is") } else { ("s", "are") };
    format!(
        "the {noun}{plural} {list} {verb} not the same on both sides. \
         Score both runs again with the same version."
    )
}
