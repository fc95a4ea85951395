use crate::sandbox::Sandbox;

const TONE: &str = "---\ndescription: Whether it is polite.\nmodel: openai/gpt-5-mini\noutput:\n  \
                    schema:\n    reason: string\n    score(enum): [1, 2, 3]\n---\n\
                    {{input.message}} {{#if expected}}{{expected}}{{/if}} {{output}}\n";

#[test]
fn a_project_without_judges_says_how_to_make_one() {
    let sandbox = Sandbox::with_project();
    insta::assert_snapshot!(sandbox.run(&["judge", "list"]), @r"
    No judges yet: each is a file judges/NAME.prompt that an evalset.yaml names under `judges`.
    --- exit 0
    ");
    let unknown = sandbox.run(&["judge", "show", "tone"]);
    assert_eq!(unknown.code, 2, "{unknown}");
    assert!(unknown.stderr.contains("there is no judge `tone`"), "{unknown}");
}

#[test]
fn judges_that_decide_nothing_or_have_errors_are_listed_as_such() {
    let sandbox = Sandbox::with_project();
    sandbox.write("judges/tone.prompt", TONE);
    sandbox.write("judges/broken.prompt", "---\nmodel: [\n---\n{{output}}\n");
    insta::assert_snapshot!(sandbox.run(&["judge"]), @r"
    judge   version       model              eval set  criterion  state
    broken  has errors    –                  –         –          in no eval set
    tone    41497f8c719d  openai/gpt-5-mini  –         –          in no eval set

    Next
      trysquare validate    it has errors
    --- exit 0
    ");
    insta::assert_snapshot!(sandbox.run(&["judge", "show", "tone"]), @r"
    tone
    description  Whether it is polite.
    file         judges/tone.prompt
    version      41497f8c719d9b53f8e72750900c0a10d4c3a9718ac9dff571845f129432731e
    model        openai/gpt-5-mini
    sees         input.message, expected, output
    answers      a score from 1 to 3

    No eval set has it: `judges: [tone]` in an evalset.yaml lets it decide there.
    --- exit 0
    ");
}

#[test]
fn a_judge_says_what_it_decides_and_what_to_do_next() {
    let sandbox = Sandbox::with_project();
    sandbox.write("judges/tone.prompt", TONE);
    let file = "evalsets/order-number/evalset.yaml";
    let set = sandbox.read(file);
    let judges = "judges: [{judge: tone, name: polite, model: openai/gpt-5, threshold: 0.7}]\n";
    sandbox.write(file, &format!("{set}\n{judges}"));
    insta::assert_snapshot!(sandbox.run(&["judge", "show", "polite"]), @r"
    tone
    description  Whether it is polite.
    file         judges/tone.prompt
    version      41497f8c719d9b53f8e72750900c0a10d4c3a9718ac9dff571845f129432731e
    model        openai/gpt-5-mini
    sees         input.message, expected, output
    answers      a score from 1 to 3

    polite of order-number  not calibrated
    called       polite
    model        openai/gpt-5
    judged       nothing as it is today, on this machine

    Next
      trysquare run order-number    there is nothing yet that it could judge
    --- exit 0
    ");
    sandbox.write("judges/tone.trust.json", "{}");
    let shown = sandbox.run(&["judge", "show", "tone"]);
    assert!(shown.stdout.contains("tone.trust.json: "), "{shown}");
}

#[test]
fn a_jury_is_listed_and_its_members_are_shown_to_decide_through_it() {
    let sandbox = Sandbox::with_project();
    sandbox.write("judges/tone.prompt", TONE);
    sandbox.write("judges/manners.prompt", &TONE.replace("polite", "kind"));
    let file = "evalsets/order-number/evalset.yaml";
    let set = sandbox.read(file);
    let set = set.replace("criteria:\n", "criteria:\n  polite: {source: judge}\n");
    let judges = "judges:\n  - {judge: tone, criterion: polite, threshold: 0.7}\n  \
                  - {judge: manners, criterion: polite, threshold: 0.7}\n\
                  juries:\n  panel: {members: [tone, manners], rule: mean, threshold: 0.5, criterion: polite}\n";
    sandbox.write(file, &format!("{set}\n{judges}"));
    insta::assert_snapshot!(sandbox.run(&["judge", "list"]), @r"
    judge    version       model              eval set      criterion  state
    manners  7d2d382f8562  openai/gpt-5-mini  order-number  polite     jury panel
    tone     41497f8c719d  openai/gpt-5-mini  order-number  polite     jury panel
    panel    c6d8bce58d97  2 judges           order-number  polite     not calibrated

    Next
      trysquare run order-number    there is nothing yet that it could judge
    --- exit 0
    ");
    insta::assert_snapshot!(sandbox.run(&["judge", "show", "panel"]), @r"
    panel
    version      c6d8bce58d970a035df9c28a2f47996cffee2f2d1b57abeeebf8b5fef1761cdf
    model        openai/gpt-5-mini, openai/gpt-5-mini
    answers      the mean of tone, manners

    polite of order-number  not calibrated
    judged       nothing as it is today, on this machine

    Next
      trysquare run order-number    there is nothing yet that it could judge
    --- exit 0
    ");
    let member = sandbox.run(&["judge", "show", "tone"]);
    assert!(member.stdout.contains("a member of the jury panel"), "{member}");
    assert!(!member.stdout.contains("Next"), "its own certificate decides nothing: {member}");
}
