//! A pass rate as people read it: never without its interval and the number of cases.

use app::{Estimate, PassRate};

use crate::output::FAINT;

/// Writes a rate, its interval and its n: `86.3 % · 77–92 · n 80`.
pub(super) fn text(rate: &PassRate) -> String {
    let Some(share) = rate.rate.value() else { return "–".to_owned() };
    let interval = match rate.interval {
        Estimate::Value { value } => {
            format!("{:.0}–{:.0}", 100.0 * value.low(), 100.0 * value.high())
        }
        Estimate::Undefined { reason } => format!("no interval: {}", in_words(reason)),
    };
    // Half a tenth goes up, as people round.
    let percent = (1_000.0 * share).round() / 10.0;
    format!("{percent:.1} % · {interval} · n {}", rate.cases)
}

fn in_words(reason: &str) -> String {
    match reason {
        "zero_variance" => "no spread".to_owned(),
        _ => reason.replace('_', " "),
    }
}

/// Says what a reader has to know of the intervals in a table, if there is anything.
pub(super) fn remarks<'r>(rates: impl Iterator<Item = &'r PassRate>) -> String {
    let clustered: Vec<&PassRate> = rates.filter(|rate| rate.clusters < rate.cases).collect();
    let Some(fewest) = clustered.iter().map(|rate| rate.clusters).min() else {
        return String::new();
    };
    let clusters = "n counts cases; in the interval those of one cluster count together";
    let mut out = format!("{FAINT}{clusters}{FAINT:#}\n");
    if clustered.iter().any(|rate| rate.has_few_clusters()) {
        let few = format!("few clusters ({fewest}): the interval leans on an assumption");
        out += &format!("{FAINT}{few}{FAINT:#}\n");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(cases: &[(u32, u32, usize)]) -> PassRate {
        let cases: Vec<_> = cases
            .iter()
            .map(|&(passed, decided, cluster)| app::CasePasses { passed, decided, cluster })
            .collect();
        app::pass_rate(&cases).unwrap()
    }

    #[test]
    fn a_rate_stands_with_its_interval_and_its_n() {
        let most = (0..80).map(|n| (u32::from(n < 69), 1, n)).collect::<Vec<_>>();
        assert_eq!(text(&rate(&most)), "86.3 % · 77–92 · n 80");
        assert_eq!(text(&rate(&[(0, 0, 0)])), "–");
        assert_eq!(text(&rate(&[(1, 2, 0), (1, 2, 1)])), "50.0 % · no interval: no spread · n 2");
        assert_eq!(text(&rate(&[(1, 2, 0)])), "50.0 % · no interval: too few · n 1");
        assert_eq!(text(&rate(&[(1, 1, 0), (0, 1, 0)])), "50.0 % · no interval: one cluster · n 2");
    }

    #[test]
    fn clusters_and_their_number_are_remarked() {
        let plain = |text: String| anstream::adapter::strip_str(&text).to_string();
        let single = rate(&[(1, 1, 0), (0, 1, 1)]);
        assert_eq!(remarks([&single].into_iter()), "");
        let few = rate(&[(1, 1, 0), (0, 1, 1), (1, 1, 1)]);
        assert_eq!(
            plain(remarks([&single, &few].into_iter())),
            "n counts cases; in the interval those of one cluster count together\n\
             few clusters (2): the interval leans on an assumption\n"
        );
    }
}
