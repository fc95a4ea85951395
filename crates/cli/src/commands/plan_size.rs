//! `trysquare plan-size`

use app::{AppError, CompareRequest, MostHelps, SizeAnswer, SizeRequest, SizeSpread, Spread};

use super::Context;
use crate::args::PlanSize;
use crate::exit::Exit;

pub(super) fn plan_size(context: &Context<'_>, args: &PlanSize) -> Result<Exit, AppError> {
    let spread = match (&args.discordant, args.sides.as_slice()) {
        (Some(percent), []) => SizeSpread::Assumed(percent / 100.0),
        (None, [_, _]) => {
            let (sides, set) = (args.sides.clone(), args.set.clone());
            SizeSpread::Observed(CompareRequest { sides, set })
        }
        _ => {
            return Err(AppError::input("a size needs to know how much results differ").with_hint(
                "name two sides, as in `plan-size OLD NEW`, or assume: `plan-size --discordant 20`",
            ));
        }
    };
    let request = SizeRequest {
        change: args.change / 100.0,
        power: args.power.map(|percent| percent / 100.0),
        spread,
        cases: args.cases,
        samples: args.samples,
    };
    let answer = context.app.plan_size(context.folder(), &request)?;
    context.output.one(&answer, described);
    Ok(Exit::Complete)
}

fn described(answer: &SizeAnswer) -> String {
    let points = |share: f64| format!("{:.1} points", share * 100.0);
    let percent = |share: f64| format!("{:.0} %", share * 100.0);
    let differ = match answer.spread {
        // A change of so many points makes as many cases differ.
        Spread::Discordance { share } if share < answer.change => format!(
            "{:.1} % of the cases differ, and a change of that size makes no fewer differ",
            answer.change * 100.0
        ),
        Spread::Discordance { share } => format!("{:.1} % of the cases differ", share * 100.0),
        Spread::Variance { difference } => {
            format!(
                "the differences of cases have a standard deviation of {:.2}",
                difference.sqrt()
            )
        }
    };
    let mut out = match answer.cases.value() {
        Some(cases) => format!(
            "To see a change of {} with {} power you need about {cases} cases, if {differ}.\n",
            points(answer.change),
            percent(answer.power),
        ),
        None => format!("No number of cases follows: {differ}, so that nothing varies.\n"),
    };
    if answer.design_effect > 1.0 {
        out += &format!("Clusters cost a factor of {:.1} of that.\n", answer.design_effect);
    }
    if let Some(there) = answer.detectable {
        out += &match there.change.value() {
            Some(change) => format!(
                "With {} cases the smallest change that you would see is {}.\n",
                there.cases,
                points(change)
            ),
            None => format!("With {} cases no change could be seen.\n", there.cases),
        };
    }
    out + &noise(answer)
}

/// Says whether samples or cases help, of sides that were observed.
fn noise(answer: &SizeAnswer) -> String {
    let Some(samples) = answer.samples else { return String::new() };
    let plan = if samples == 1 {
        "1 sample a case".to_owned()
    } else {
        format!("{samples} samples a case")
    };
    let share = answer.sampling_share.unwrap_or(0.0) * 100.0;
    match answer.most_helps {
        Some(MostHelps::Samples) => format!(
            "Planned with {plan}. {share:.0} % of the uncertainty is noise between samples of \
             a case: more samples help most.\n"
        ),
        Some(MostHelps::Cases) => format!(
            "Planned with {plan}. {share:.0} % of the uncertainty is noise between samples of \
             a case: more cases help most.\n"
        ),
        None => "One sample a case does not tell whether samples or cases help most.\n".to_owned(),
    }
}
