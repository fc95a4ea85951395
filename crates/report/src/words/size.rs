use analysis::{Advice, Needed, Question, Sizes};

use crate::number::{counted, fixed, plain_points};

/// Says how many cases a question needs, for a verdict that these cases do not decide; `None` if that
/// is not known.
pub fn needed_sentence(needed: &Needed) -> Option<String> {
    let cases = counted(usize::try_from(needed.cases.value()?).unwrap_or(usize::MAX), "case");
    let question = match needed.question {
        Question::NoWorse { margin } => {
            format!("rule out a loss of {} points", plain_points(margin))
        }
        Question::See { change } => format!("see a change of {} points", plain_points(change)),
    };
    Some(match needed.advice {
        Some(Advice::Enough) => format!(
            "It has the {cases} that are enough to {question} as a rule; the difference that was \
             seen is too close to call."
        ),
        Some(Advice::AddSamples { samples }) => format!(
            "To {question} this set needs about {cases}, or {samples} samples of each case: most of \
             the uncertainty is noise between samples."
        ),
        Some(Advice::AddCases { .. }) | None => {
            format!("To {question} this set needs about {cases}.")
        }
    })
}

/// Says what the cases can show, and how much of the uncertainty is noise between samples.
pub fn sizes_sentence(sizes: &Sizes, cases: usize) -> Option<String> {
    let detectable = sizes.detectable.value()?;
    let power = fixed(sizes.power * 100.0, 0);
    let noise = sizes.sampling_share.value().map_or(String::new(), |share| {
        let share = fixed(share * 100.0, 0);
        format!(" {share} % of the uncertainty is noise between samples of a case.")
    });
    let points = fixed(detectable * 100.0, 1);
    Some(format!(
        "{} are enough to see a true change of {points} points ({power} % power).{noise}",
        counted(cases, "case")
    ))
}
