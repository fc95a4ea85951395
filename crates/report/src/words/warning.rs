use analysis::Warning;

use super::refusal::label_next;
use super::{Names, name};
use crate::number::{count, counted, fixed, level};

const NO_PRIMARY: &str = "The set declares no primary criterion, so no verdict is the one that counts. \
     Declare one in evalset.yaml.";
const NO_MARGIN: &str = "The set declares no margin, so \"no worse\" cannot be shown. Declare `margin` in \
     evalset.yaml before the next run.";

/// Says what stands above a verdict, and what to do about it.
pub fn warning_sentence(warning: &Warning, names: &Names) -> String {
    let Names { baseline, candidate, .. } = names;
    match warning {
        Warning::SetsDiffer { shared, only_baseline, only_candidate, changed } => format!(
            "Different eval-set versions: {} compared, {} only in {baseline}, {} only in \
             {candidate}, {} changed. Run both on the same set to compare all of them.",
            counted(*shared, "shared case"),
            count(*only_baseline),
            count(*only_candidate),
            count(*changed)
        ),
        Warning::NothingShared => "No case is the same on both sides, so nothing is compared. \
             Run both on the same version of the set."
            .to_owned(),
        Warning::ManyLeftOut { criterion, left_out, of } => format!(
            "{}: {} of {} left out, because a side has no usable result. \
             Retry errors before relying on this verdict.",
            name(criterion),
            count(*left_out),
            counted(*of, "shared case")
        ),
        Warning::UnequallyLeftOut { criterion, baseline: a, candidate: b, p_value } => format!(
            "{}: {baseline} lacks results on {} and {candidate} on {} (p {}), so what is left may \
             not be comparable. Retry errors, or look at the cases that are left out.",
            name(criterion),
            counted(*a, "case"),
            count(*b),
            p_words(*p_value)
        ),
        Warning::SamplesLeftOut { criterion, baseline: a, candidate: b } => format!(
            "{}: some samples have no usable result ({} of {baseline}, {} of {candidate}); their \
             cases count by the samples that have one. Retry errors to complete them.",
            name(criterion),
            count(*a),
            count(*b)
        ),
        Warning::FewClusters { criterion, clusters } => format!(
            "{}: only {}, so the interval leans on an assumption. \
             Add cases from other clusters, at least ten in all.",
            name(criterion),
            counted(*clusters, "cluster")
        ),
        Warning::OpenLabels { criterion, decided, of, .. } => {
            open_labels(criterion, (*decided, *of), open_outputs(warning), names)
        }
        Warning::AnswersAgain { criterion, earlier, confidence } => {
            answers_again(criterion, *earlier, *confidence)
        }
        Warning::SamplesDiffer { baseline: a, candidate: b } => format!(
            "{baseline} was sampled {a} and {candidate} {b} times a case; case means are compared. \
             Run both with the same number of samples for the sharpest comparison."
        ),
        Warning::SameVariant => "Both sides are the same prompt version, model and config, so any \
             change is chance. Name two different variants to compare them."
            .to_owned(),
        Warning::NoPrimary => NO_PRIMARY.to_owned(),
        Warning::NoMargin => NO_MARGIN.to_owned(),
    }
}

/// Says that the same question was tried before.
fn answers_again(criterion: &str, earlier: u32, confidence: f64) -> String {
    let shown = if earlier == 1 {
        "a verdict was".to_owned()
    } else {
        format!("{} verdicts were", count(earlier as usize))
    };
    format!(
        "{}: {shown} shown before of these versions and cases with other answers, or with the same \
         answers judged otherwise (a mended judge, another threshold). Each further try halves the \
         error that its interval allows, here at {}, so that trying again until the verdict pleases \
         does not pay. More cases or more samples say more.",
        name(criterion),
        level(confidence)
    )
}

/// Returns the outputs of both sides that people have not decided so that they count, by why.
fn open_outputs(warning: &Warning) -> [[usize; 2]; 4] {
    match warning {
        Warning::OpenLabels { unlabelled, disputed, not_drawn, unequally_drawn, .. } => {
            [*unlabelled, *disputed, *not_drawn, *unequally_drawn]
        }
        _ => [[0; 2]; 4],
    }
}

/// Says what people have not decided.
fn open_labels(
    criterion: &str,
    (decided, of): (usize, usize),
    [unlabelled, disputed, not_drawn, unequally_drawn]: [[usize; 2]; 4],
    names: &Names,
) -> String {
    let kinds = [
        ("unlabelled", unlabelled),
        ("disputed", disputed),
        ("chosen for labelling and not drawn by chance", not_drawn),
        ("drawn for labelling with unequal chances", unequally_drawn),
    ];
    let said: Vec<String> = kinds
        .into_iter()
        .filter(|(_, [a, b])| a + b > 0)
        .map(|(what, [a, b])| {
            format!(
                "{} of {} and {} of {} are {what}",
                counted(a, "output"),
                names.baseline,
                count(b),
                names.candidate
            )
        })
        .collect();
    let adjudicate = if disputed.iter().sum::<usize>() > 0 {
        " Decide what people disagree on: `trysquare label adjudicate`."
    } else {
        ""
    };
    format!(
        "{}: people decided {} of {} on both sides; {}. These count neither as passes nor as fails. \
         {}{adjudicate}",
        name(criterion),
        count(decided),
        counted(of, "shared case"),
        said.join("; "),
        label_next(criterion, names)
    )
}

/// Returns a p-value with its relation (`= 0.03`, `< 0.001`).
pub(crate) fn p_words(p: f64) -> String {
    if p < 0.001 { "< 0.001".to_owned() } else { format!("= {}", fixed(p, 3)) }
}
