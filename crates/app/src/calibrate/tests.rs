use std::sync::Arc;

use analysis::calibration::{Correction, NotCorrected};
use analysis::{
    CaseResults, Origin, SampleResult, Scorer, SetCriterion, Value, VariantResults, Verdict,
};
use evalset::{
    Act, Dealing, Drawn, JudgeState, LabelEvent, LabelRow, LabelSubject, LabelValue,
    LabelledOutput, SplitPolicy, SplitShares,
};
use score::Outcome;
use store::Judgement;
use tempfile::TempDir;
use values::{ContentHash, Id, Timestamp};

use super::trust::judge_today;
use super::*;
use crate::{Environment, Host, JudgeNext};

const SET: &str = "\
variants: {terse: {prompt: reply}}
candidate: terse
margin: 0.05
criteria:
  polite: {source: judge, rubric: Thanks and asks.}
primary: polite
judges: [polite]
split: {train: 0, dev: 0}
gate: {min_trust: polite}
";
const JUDGE: &str = "---\nmodel: local/small\ninput: {schema: {output: string}}\noutput:\n  \
                     schema: {reason: string, verdict: string}\n---\nIs it polite? {{output}}\n";

/// A project whose judge said of each case what is given, as people did.
struct World {
    folder: TempDir,
    app: App,
}

fn now() -> Timestamp {
    Timestamp::from_unix_ms(1_800_000_000_000)
}

impl World {
    /// Pairs of what people and the judge say, whether they pass.
    fn new(said: &[(bool, bool)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let environment: Environment = Arc::new(|_| None);
        let app = App::new(Host {
            settings_folder: folder.path().join("settings"),
            smollm2_file: folder.path().join("model.gguf"),
            environment,
            now,
            random: || [7; 10],
        });
        let world = Self { folder, app };
        world.write("trysquare.yaml", "format: 1\n");
        world.write("prompts/reply.prompt", "---\nmodel: local/small\n---\nHello {{name}}\n");
        world.write("judges/polite.prompt", JUDGE);
        world.write("evalsets/replies/evalset.yaml", SET);
        let case = |n: usize| format!("{{\"id\":\"c{n:03}\",\"inputs\":{{\"name\":\"n{n}\"}}}}\n");
        let cases: String = (0..said.len()).map(case).collect();
        world.write("evalsets/replies/cases.jsonl", &cases);
        world.label_and_judge(said);
        world
    }

    fn write(&self, inside: &str, text: &str) {
        let path = self.folder.path().join(inside);
        files::create_folder(path.parent().unwrap()).unwrap();
        files::write_atomic(&path, text.as_bytes()).unwrap();
    }

    fn label_and_judge(&self, said: &[(bool, bool)]) {
        let (project, _) = self.app.open(Some(self.folder.path())).unwrap();
        let world = open_world(&project, self.app.store(&project).unwrap(), "replies").unwrap();
        let (folder, set) = (world.folder, world.set);
        let criterion = set.criterion("polite").unwrap();
        let version = judge_today(&project, &set.judges[0], criterion).unwrap().unwrap().version;
        let (mut labels, mut judgements) = (Vec::new(), Vec::new());
        for (number, (case, (human, judge))) in folder.cases.iter().zip(said).enumerate() {
            let output = LabelledOutput::One(ContentHash::of_bytes(case.id.as_bytes()));
            let mut random = [0; 10];
            random[..8].copy_from_slice(&number.to_be_bytes());
            let time = Timestamp::from_unix_ms(1_700_000_000_000);
            labels.push(LabelRow::Event(Box::new(LabelEvent {
                id: Id::new(time, random),
                time,
                labeller: "ann".to_owned(),
                subject: LabelSubject {
                    case: case.id.clone(),
                    case_hash: case.content_hash(),
                    output,
                    criterion: "polite".to_owned(),
                },
                act: Act::Label(if *human { LabelValue::Pass } else { LabelValue::Fail }),
                note: None,
                replaces: Vec::new(),
                rubric: Some(criterion.rubric_hash()),
                drawn: Some(Drawn::Random { probability: 1.0 }),
                dealt: None,
                blind: None,
                seconds: None,
                external: Vec::new(),
                other: Map::new(),
            })));
            judgements.push(Judgement {
                case: case.id.clone(),
                case_hash: case.content_hash(),
                output,
                criterion: "polite".to_owned(),
                judge: "polite".to_owned(),
                version,
                swapped: false,
                sample: 0,
                outcome: if *judge { Outcome::Pass } else { Outcome::Fail },
                probability: None,
                reason: "because".to_owned(),
                raw: None,
                judged: time,
            });
        }
        self.write("evalsets/replies/labels.jsonl", &evalset::write_labels(labels));
        let store = self.app.store(&project).unwrap();
        store::wait(|done| store.add_judgements("replies", judgements, done)).unwrap();
    }

    fn calibrate(&self) -> Result<CalibrationReport, AppError> {
        let request = CalibrateRequest {
            judge: "polite".to_owned(),
            set: None,
            criterion: None,
            run: None,
            split: Split::Test,
            epsilon: 0.15,
        };
        self.app.calibrate(Some(self.folder.path()), &request)
    }

    fn state(&self) -> Option<JudgeState> {
        self.state_for(None)
    }

    /// The state for results that a version of the judge scored.
    fn state_for(&self, version: Option<ContentHash>) -> Option<JudgeState> {
        let (project, _) = self.app.open(Some(self.folder.path())).unwrap();
        let world = open_world(&project, self.app.store(&project).unwrap(), "replies").unwrap();
        let criterion = world.set.criterion("polite").unwrap();
        let scorer = version.map(|hash| Scorer { name: "polite".to_owned(), hash });
        let results = VariantResults {
            variant: run::Variant {
                name: "terse".to_owned(),
                source: run::VariantSource::Outputs { name: "outputs".to_owned() },
                hash: ContentHash::of_bytes(b"terse"),
            },
            origin: Origin::Baseline {
                run: Id::new(Timestamp::from_unix_ms(0), [0; 10]),
                accepted: Timestamp::from_unix_ms(0),
            },
            eval_set: "replies".to_owned(),
            eval_set_hash: ContentHash::of_bytes(b"replies"),
            samples: 1,
            replayed: false,
            criteria: vec![SetCriterion {
                name: "polite".to_owned(),
                hash: criterion.content_hash(),
                source: criterion.source,
                scorers: scorer.into_iter().collect(),
            }],
            primary: Some(0),
            cases: Vec::new(),
        };
        judges_of(&project, &world.set, &[&results]).unwrap()["polite"][0].state
    }
}

fn said(both: usize, passes: usize, fails: usize, neither: usize) -> Vec<(bool, bool)> {
    let kinds =
        [(both, true, true), (passes, true, false), (fails, false, true), (neither, false, false)];
    let all =
        kinds.into_iter().flat_map(|(n, human, judge)| std::iter::repeat_n((human, judge), n));
    all.collect()
}

#[test]
fn a_calibration_writes_the_certificate_whatever_the_state() {
    for (all, state) in [
        (said(58, 2, 5, 45), JudgeState::Trusted),
        (said(58, 2, 6, 44), JudgeState::NotYet),
        (said(20, 0, 0, 5), JudgeState::TooFew),
    ] {
        let world = World::new(&all);
        assert_eq!(world.state(), None);
        let report = world.calibrate().unwrap();
        assert_eq!(report.calibration.standing.state, state);
        assert_eq!(report.uses, Some(1));
        assert_eq!(report.certificate.as_deref(), Some("judges/polite.trust.json"));
        assert_eq!(world.state(), Some(state));
    }
}

#[test]
fn another_prompt_rubric_or_threshold_makes_a_judge_stale() {
    let world = World::new(&said(20, 0, 0, 20));
    world.calibrate().unwrap();
    let is_stale_after = |file: &str, was: &str, text: &str| {
        assert_eq!(world.state(), Some(JudgeState::Trusted));
        world.write(file, text);
        let state = world.state();
        world.write(file, was);
        state == Some(JudgeState::Stale)
    };
    let judge = JUDGE.replace("polite?", "kind?");
    assert!(is_stale_after("judges/polite.prompt", JUDGE, &judge));
    let judge = JUDGE.replace("local/small", "local/large");
    assert!(is_stale_after("judges/polite.prompt", JUDGE, &judge));
    let set = "evalsets/replies/evalset.yaml";
    assert!(is_stale_after(set, SET, &SET.replace("Thanks", "Thanks twice")));
    let threshold = SET.replace("[polite]", "[{judge: polite, threshold: 0.7}]");
    assert!(is_stale_after(set, SET, &threshold));
    assert!(!is_stale_after(set, SET, &SET.replace("0.05", "0.02")));
}

#[test]
fn a_changed_judge_that_judged_nothing_yet_has_no_figures() {
    let world = World::new(&said(20, 0, 0, 20));
    world.calibrate().unwrap();
    world.write("judges/polite.prompt", &JUDGE.replace("polite?", "kind?"));
    let error = world.calibrate().unwrap_err();
    assert!(error.message.contains("has judged nothing"), "{}", error.message);
}

#[test]
fn the_second_version_on_the_same_labels_is_optimistic() {
    let all = said(20, 0, 0, 20);
    let world = World::new(&all);
    world.calibrate().unwrap();
    let path = world.folder.path().join("judges/polite.trust.json");
    let before = files::read_text(&path).unwrap();
    world.calibrate().unwrap();
    assert_eq!(files::read_text(&path).unwrap(), before);
    world.write("judges/polite.prompt", &JUDGE.replace("polite?", "kind?"));
    world.label_and_judge(&all);
    let report = world.calibrate().unwrap();
    assert_eq!((report.uses, report.changed.as_slice()), (Some(2), ["its prompt"].as_slice()));
}

#[test]
fn other_splits_are_refused_and_drawing_them_anew_takes_the_certificate_back() {
    let world = World::new(&said(58, 2, 5, 45));
    let folder = Some(world.folder.path());
    world.calibrate().unwrap();
    let file = "evalsets/replies/labels.jsonl";
    let labels = files::read_text(&world.folder.path().join(file)).unwrap();
    let dealing = LabelRow::Split(Dealing {
        id: Id::new(Timestamp::from_unix_ms(5), [5; 10]),
        time: Timestamp::from_unix_ms(5),
        labeller: "trysquare".to_owned(),
        policy: SplitPolicy { seed: 5, shares: SplitShares::new(0, 0).unwrap() },
        replaces: Vec::new(),
        other: Map::new(),
    });
    world.write(file, &format!("{}\n{labels}", dealing.row()));
    let error = world.calibrate().unwrap_err();
    assert!(error.message.contains("the seed was 5 and is 0"), "{}", error.message);
    let hint = error.hint.unwrap();
    assert!(hint.contains("`trysquare calibrate polite --resplit`"), "{hint}");
    assert_eq!(world.state(), Some(JudgeState::Trusted), "nothing is taken back yet");
    let done = world.app.resplit(folder, Some("replies")).unwrap();
    assert_eq!(done.changes, ["the seed was 5 and is 0"]);
    assert_eq!(done.certificates, ["judges/polite.trust.json"]);
    assert_eq!(world.state(), None);
    assert_eq!(world.calibrate().unwrap().uses, Some(1));
    assert_eq!(world.state(), Some(JudgeState::Trusted));
    assert_eq!(world.app.resplit(folder, None).unwrap().changes, Vec::<String>::new());
}

#[test]
fn a_file_of_labels_is_known_by_its_bytes_until_they_change() {
    let world = World::new(&said(2, 0, 0, 2));
    let folder = Some(world.folder.path());
    let (project, _) = world.app.open(folder).unwrap();
    let store = world.app.store(&project).unwrap();
    let file = "evalsets/replies/labels.jsonl";
    let text = || files::read_text(&world.folder.path().join(file)).unwrap();
    let known = || {
        open_world(&project, store.clone(), "replies").unwrap();
        let known = store.label_file("replies").unwrap().unwrap();
        assert_eq!(known.hash, ContentHash::of_bytes(text().as_bytes()));
        known.is_canonical
    };
    assert!(known());
    let canonical = text();
    let mut lines: Vec<&str> = canonical.lines().collect();
    lines.reverse();
    world.write(file, &lines[1..].join("\n"));
    assert!(!known(), "the rows of it stand in another order");
    assert_eq!(store.labels("replies").unwrap().len(), 4, "what it no longer holds stays here");
    // A write sorts it, and what it lacks comes back only when it is asked for.
    assert_eq!(world.app.export_labels(folder, None, true).unwrap().added, 1);
    assert_eq!(text(), canonical);
    assert!(known());
}

#[test]
fn a_broken_certificate_is_no_missing_one() {
    let world = World::new(&said(20, 0, 0, 20));
    world.write("judges/polite.trust.json", "{\"format\": 1}");
    assert!(world.calibrate().unwrap_err().message.contains("missing field"));
}

#[test]
fn a_line_of_the_files_that_cannot_be_read_is_named_and_no_certificate_is_written() {
    for file in ["outputs.jsonl", "labels.jsonl"] {
        let world = World::new(&said(58, 2, 5, 45));
        world.write(&format!("evalsets/replies/{file}"), "{\"format\":1,\n");
        let error = world.calibrate().unwrap_err();
        let found = format!("{:?}", error.diagnostics);
        assert!(found.contains(file), "{error} {found}");
        assert!(!world.folder.path().join("judges/polite.trust.json").exists());
    }
}

#[test]
fn scores_of_another_version_of_a_judge_are_not_trusted() {
    let world = World::new(&said(58, 2, 5, 45));
    world.calibrate().unwrap();
    let (project, _) = world.app.open(Some(world.folder.path())).unwrap();
    let labels = open_world(&project, world.app.store(&project).unwrap(), "replies").unwrap();
    let criterion = labels.set.criterion("polite").unwrap();
    let today = judge_today(&project, &labels.set.judges[0], criterion).unwrap().unwrap();
    assert_eq!(world.state_for(Some(today.version)), Some(JudgeState::Trusted));
    let another = ContentHash::of_bytes(b"another");
    assert_eq!(world.state_for(Some(another)), Some(JudgeState::Stale));
}

#[test]
fn a_judge_is_shown_with_its_state_and_what_to_do_next() {
    for (all, state, next) in [
        (said(58, 2, 5, 45), JudgeState::Trusted, JudgeNext::Nothing),
        (said(58, 2, 6, 44), JudgeState::NotYet, JudgeNext::Improve),
        (said(20, 0, 0, 5), JudgeState::TooFew, JudgeNext::Label),
    ] {
        let world = World::new(&all);
        let shown = || {
            let judge = world.app.judge(Some(world.folder.path()), "polite").unwrap();
            assert_eq!(judge.sees, ["output"]);
            judge.uses.into_iter().next().unwrap()
        };
        let before = shown();
        assert_eq!((before.state, before.next), (None, JudgeNext::Calibrate));
        assert_eq!(before.judged, all.len() as u64);
        world.calibrate().unwrap();
        let after = shown();
        assert_eq!((after.state, after.next), (Some(state), next));
        let found = after.calibration.unwrap();
        assert_eq!((found.calibrated, found.uses), (now(), 1));
        assert_eq!(found.true_passes.of + found.true_fails.of, all.len() as u64);
        world.write("judges/polite.prompt", &JUDGE.replace("polite?", "kind?"));
        let changed = shown();
        assert_eq!((changed.state, changed.judged), (Some(JudgeState::Stale), 0));
        assert_eq!(changed.changed, ["its prompt"]);
        assert_eq!(changed.next, JudgeNext::Judge { run: None, is_latest: false });
    }
}

/// One side of a comparison on `polite`: for each case an output and what the judge said of it.
fn side(world: &World, name: &str, said: &[(String, bool)]) -> crate::compare::Loaded {
    let (project, _) = world.app.open(Some(world.folder.path())).unwrap();
    let opened = open_world(&project, world.app.store(&project).unwrap(), "replies").unwrap();
    let criterion = opened.set.criterion("polite").unwrap();
    let cases = opened.folder.cases.iter().zip(said).map(|(case, (output, passes))| CaseResults {
        id: case.id.clone(),
        hash: case.content_hash(),
        cluster: None,
        tags: Vec::new(),
        samples: vec![SampleResult {
            output: Some(ContentHash::of_bytes(output.as_bytes())),
            values: vec![Value::Number(f64::from(u8::from(*passes)))],
            measured: None,
        }],
    });
    let run = Id::new(Timestamp::from_unix_ms(0), [0; 10]);
    let results = VariantResults {
        variant: run::Variant {
            name: name.to_owned(),
            source: run::VariantSource::Outputs { name: name.to_owned() },
            hash: ContentHash::of_bytes(name.as_bytes()),
        },
        origin: Origin::Baseline { run, accepted: Timestamp::from_unix_ms(0) },
        eval_set: "replies".to_owned(),
        eval_set_hash: ContentHash::of_bytes(b"replies"),
        samples: 1,
        replayed: false,
        criteria: vec![SetCriterion {
            name: "polite".to_owned(),
            hash: criterion.content_hash(),
            source: criterion.source,
            scorers: Vec::new(),
        }],
        primary: Some(0),
        cases: cases.collect(),
    };
    let kept = crate::compare::Kept::Outputs(evalset::Outputs::default());
    crate::compare::Loaded { until_decided: false, set: opened.set, results, kept }
}

#[test]
fn the_difference_that_a_judge_sees_is_corrected_where_people_labelled_both_sides() {
    // People pass 60 of the candidate's outputs and none of the baseline's; the judge sees 90 more.
    let all = said(60, 0, 30, 10);
    let world = World::new(&all);
    let ids: Vec<String> = (0..all.len()).map(|number| format!("c{number:03}")).collect();
    let of = |prefix: &str, judge: &dyn Fn(usize) -> bool| -> Vec<(String, bool)> {
        ids.iter().enumerate().map(|(at, id)| (format!("{prefix}{id}"), judge(at))).collect()
    };
    let baseline = side(&world, "old", &of("old ", &|_| false));
    let candidate = side(&world, "new", &of("", &|at| all[at].1));
    let corrected = || {
        let (project, _) = world.app.open(Some(world.folder.path())).unwrap();
        let store = world.app.store(&project).unwrap();
        let options = analysis::CompareOptions { margin: Some(0.05), ..Default::default() };
        let none = analysis::LookHistory::default();
        let compared =
            analysis::compare(&baseline.results, &candidate.results, &options, &none).unwrap();
        let found = crate::corrected::corrected(&project, &store, &compared, &baseline, &candidate);
        found.unwrap().remove(0)
    };
    let Correction::Not { reason } = corrected().difference.correction else {
        panic!("nobody labelled the baseline's outputs");
    };
    assert_eq!(reason, NotCorrected::NoPairs);
    let file = "evalsets/replies/labels.jsonl";
    let labels = files::read_text(&world.folder.path().join(file)).unwrap();
    let mut rows = labels.clone();
    for line in labels.lines() {
        let mut row: serde_json::Value = serde_json::from_str(line).unwrap();
        let old = format!("old {}", row["case"].as_str().unwrap());
        row["output"] = ContentHash::of_bytes(old.as_bytes()).to_string().into();
        row["value"] = "fail".into();
        let id = row["id"].as_str().unwrap().to_owned();
        row["id"] = format!("{}ff", &id[..id.len() - 2]).into();
        rows += &format!("{row}\n");
    }
    world.write(file, &rows);
    let found = corrected();
    assert_eq!(found.verdict, Some(Verdict::Better));
    let Correction::Corrected { estimate, interval, labels, judge_says, .. } =
        found.difference.correction
    else {
        panic!("{found:?}");
    };
    assert_eq!(labels, 100);
    assert!((judge_says.value().unwrap() - 0.9).abs() < 1e-9, "{judge_says:?}");
    assert!((estimate.value().unwrap() - 0.6).abs() < 1e-9, "{estimate:?}");
    let interval = interval.value().unwrap();
    assert!(interval.low() > 0.4 && interval.high() < 0.75, "{interval:?}");
}
