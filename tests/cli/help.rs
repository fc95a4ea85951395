use crate::sandbox::Sandbox;

const COMMANDS: [&[&str]; 35] = [
    &["run"],
    &["runs"],
    &["runs", "export"],
    &["show"],
    &["compare"],
    &["score"],
    &["calibrate"],
    &["resume"],
    &["retry"],
    &["cancel"],
    &["models"],
    &["key"],
    &["key", "set"],
    &["key", "list"],
    &["key", "test"],
    &["key", "remove"],
    &["trust"],
    &["cache"],
    &["doctor"],
    &["init"],
    &["validate"],
    &["fmt"],
    &["plan-size"],
    &["gate"],
    &["baseline", "accept"],
    &["baseline", "show"],
    &["pin"],
    &["prompt", "list"],
    &["prompt", "show"],
    &["prompt", "render"],
    &["prompt", "vars"],
    &["prompt", "diff"],
    &["prompt", "export"],
    &["prompt", "log"],
    &["completions"],
];

/// Without the options that every command has.
fn own_part(help: &str) -> String {
    let mut out = String::new();
    let mut lines = help.lines().peekable();
    while let Some(line) = lines.next() {
        let option = line.trim_start();
        if ["--project", "--format", "--color", "-h, --help"]
            .iter()
            .any(|own| option.starts_with(own))
        {
            while lines.peek().is_some_and(|next| next.starts_with("          ")) {
                lines.next();
            }
            continue;
        }
        out += line.trim_end();
        out.push('\n');
    }
    out
}

/// The help of commands, one after the other.
pub(crate) fn explained(commands: &[&[&str]]) -> String {
    let sandbox = Sandbox::new();
    let mut all = String::new();
    for command in commands {
        let ran = sandbox.run(&[command, &["-h"][..]].concat());
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{command:?}");
        for common in ["--project <DIR>", "--format <FORMAT>", "--color <COLOR>"] {
            assert!(ran.stdout.contains(common), "{command:?} lacks {common}");
        }
        all += &format!("== {}\n{}\n", command.join(" "), own_part(&ran.stdout));
    }
    all
}

#[test]
#[expect(clippy::too_many_lines, reason = "it is the help of every command")]
fn every_command_explains_itself() {
    insta::assert_snapshot!(explained(&COMMANDS), @r#"
    == run
    Run an eval set: every case with every variant

    Usage: trysquare run [OPTIONS] <SET>

    Arguments:
      <SET>  The eval set: a folder in evalsets/

    Options:
          --variant <NAME>     Run only these variants (may be repeated)
          --case <ID>          Run only these cases (may be repeated)
          --tag <TAG>          Run only cases with this tag (may be repeated)
          --samples <N>        How often each case is sampled [default: the eval set's]
          --seed <N>           The seed that shuffles the plan [default: the eval set's]
          --dry-run            Print the plan and what it may cost, and send nothing
          --replay             Answer from the eval set's recorded.jsonl only
          --record             Write the responses into the eval set's recorded.jsonl
          --no-judges          Do not call the eval set's judges
          --fail-on-failures   Exit with 1 if a cell fails
          --until-decided      End as soon as it is decided whether the candidate is better, or no worse
          --goal <GOAL>        What is to be decided [default: better] [possible values: better,
                               no-worse]
          --against <VARIANT>  What the candidate is compared with [default: the first other variant]

    Sending:
          --no-cache         Do not read or write the cache
          --refresh          Do not read the cache, but write it
          --concurrency <N>  At most so many calls at once to one provider

    Spending:
          --cap <USD>          Stop before this run has spent so many dollars
          --cap-request <USD>  Refuse a request that may cost more dollars
          --cap-day <USD>      Stop before this project has spent so many dollars today (UTC)
          --cap-project <USD>  Stop before this project has ever spent so many dollars
          --allow-unpriced     Allow models without a price although a cap is set

    Permissions:
          --allow-origin <ORIGIN>  Allow this project to send to an origin, for this command (may be
                                   repeated)
          --allow-key <BINDING>    Allow a key for an origin, for this command:
                                   NAME=ORIGIN[,env=VARIABLE]
          --trust <HASH>           Trust the project's programs if they still have this hash

    Examples:
      trysquare run order-number --dry-run             print the plan, send nothing
      trysquare run order-number --variant examples    one variant only
      trysquare run order-number --replay              answer from recorded.jsonl, no key needed
      trysquare run order-number --cap 0.50            stop before 50 cents are spent
      trysquare run order-number --until-decided       stop as soon as the verdict is clear

    == runs
    List runs, or export the record of one

    Usage: trysquare runs [OPTIONS]
           trysquare runs <COMMAND>

    Commands:
      export  Write the whole record of a run as JSONL
      help    Print this message or the help of the given subcommand(s)

    Options:
          --limit <N>        At most so many, newest first [default: 20]

    == runs export
    Write the whole record of a run as JSONL

    Usage: trysquare runs export [OPTIONS] <RUN>

    Arguments:
      <RUN>  The run: its id, the beginning of it, or `latest`

    Options:
      -o, --output <FILE>    The file [default: standard output]

    == show
    Show the results of a run, or one cell of it

    Usage: trysquare show [OPTIONS] <RUN>

    Arguments:
      <RUN>  The run: its id, the beginning of it, or `latest`

    Options:
          --case <ID>        Show every cell of this case in full
          --variant <NAME>   Only this variant
          --failures         List the cells that failed, with the reason
          --errors           List the cells that ended in an error
          --limit <N>        List at most so many cells [default: 20]
          --raw              With --case: print the requests and replies as they went over the wire

    Examples:
      trysquare show latest --failures
      trysquare show latest --case m-042
      trysquare show latest --case m-042 --variant examples --raw

    == compare
    Say whether one variant is better than another, and how sure that is

    Usage: trysquare compare [OPTIONS] <BASELINE> <CANDIDATE>...

    Arguments:
      <BASELINE>      What to compare with
      <CANDIDATE>...  What may be better; several share the level of one claim

    Options:
          --set <NAME>          The eval set whose latest run is meant [default: any]
          --report <KIND=FILE>  Write the report into a file: KIND=FILE with md, html, junit, csv or
                                json (may be repeated)
          --cases <N>           Print at most so many cases of each list; files hold more [default: 5]

    Examples:
      trysquare compare instruction examples           two variants of the latest run
      trysquare compare 019f2a 019f3b                  the candidates of two runs
      trysquare compare 019f2a/examples latest/terse   a variant of each
      trysquare compare old new1 new2 --report md=comparison.md,html=comparison.html

    A side is a run (its id, the beginning of it, or `latest`), RUN/VARIANT, or a variant of the
    latest run; the first may be `baseline`, what was approved. The exit code is 0 whatever the
    verdict.

    == score
    Score a run again with today's checks, or score outputs made elsewhere

    Usage: trysquare score [OPTIONS] [RUN]

    Arguments:
      [RUN]  The run to score again: its id, the beginning of it, or `latest`

    Options:
          --outputs <FILE>   Score these outputs instead: JSONL with case, output, and optionally
                             variant and sample
          --set <NAME>       The eval set of --outputs
          --judge <NAME>     Have this judge of the eval set judge the outputs (may be repeated)
          --replay           Answer for the judges from the eval set's recorded.jsonl only
          --record           Write the replies of the judges into the eval set's recorded.jsonl

    Sending:
          --no-cache         Do not read or write the cache
          --refresh          Do not read the cache, but write it
          --concurrency <N>  At most so many calls at once to one provider

    Spending:
          --cap <USD>          Stop before this run has spent so many dollars
          --cap-request <USD>  Refuse a request that may cost more dollars
          --cap-day <USD>      Stop before this project has spent so many dollars today (UTC)
          --cap-project <USD>  Stop before this project has ever spent so many dollars
          --allow-unpriced     Allow models without a price although a cap is set

    Permissions:
          --allow-origin <ORIGIN>  Allow this project to send to an origin, for this command (may be
                                   repeated)
          --allow-key <BINDING>    Allow a key for an origin, for this command:
                                   NAME=ORIGIN[,env=VARIABLE]
          --trust <HASH>           Trust the project's programs if they still have this hash

    Examples:
      trysquare score latest                    by today's checks; nothing is sent
      trysquare score latest --judge helpful    and by a judge as it is today
      trysquare score --set order-number --outputs answers.jsonl

    A line of --outputs: {"case": "m-042", "output": "A-48213", "variant": "ours"}

    == calibrate
    Measure a judge against people's labels, and write its certificate

    Usage: trysquare calibrate [OPTIONS] <JUDGE>

    Arguments:
      <JUDGE>  The judge, as evalset.yaml names it

    Options:
          --set <NAME>          The eval set [default: the only one that has this judge]
          --criterion <NAME>    The criterion [default: the judge's own]
          --run <RUN>           Correct the pass rates of this run [default: the newest of the set]
          --split <SPLIT>       The part of the set to measure on [default: test] [possible values:
                                train, dev, test]
          --epsilon <SHARE>     How much dearer a person is, in the test whether the judge can stand in
                                for one: 0.2 where experts label, 0.15 skilled people, 0.1 a crowd
                                [default: 0.15]
          --report <KIND=FILE>  Write the report into a file as well (md, html or json; may be repeated,
                                or separated by commas)
          --resplit             Take seed, shares and clusters as they are now, though labelled cases
                                change their split; takes back the certificates of the set's judges

    Examples:
      trysquare calibrate polite --set replies          measure on the test split
      trysquare calibrate polite --split dev            while you work on the judge's prompt
      trysquare calibrate polite --report md=judge.md

    The test split gives the certificate judges/NAME.trust.json. Every version of a judge that is
    tried on the same test labels makes them less worth; use dev until the prompt is done.

    == resume
    Go on with a run that was stopped or whose process died

    Usage: trysquare resume [OPTIONS] <RUN>

    Arguments:
      <RUN>  The run: its id, the beginning of it, or `latest`

    Options:

    Sending:
          --no-cache         Do not read or write the cache
          --refresh          Do not read the cache, but write it
          --concurrency <N>  At most so many calls at once to one provider

    Spending:
          --cap <USD>          Stop before this run has spent so many dollars
          --cap-request <USD>  Refuse a request that may cost more dollars
          --cap-day <USD>      Stop before this project has spent so many dollars today (UTC)
          --cap-project <USD>  Stop before this project has ever spent so many dollars
          --allow-unpriced     Allow models without a price although a cap is set

    Permissions:
          --allow-origin <ORIGIN>  Allow this project to send to an origin, for this command (may be
                                   repeated)
          --allow-key <BINDING>    Allow a key for an origin, for this command:
                                   NAME=ORIGIN[,env=VARIABLE]
          --trust <HASH>           Trust the project's programs if they still have this hash

    == retry
    Send only the cells of a run again that ended in an error

    Usage: trysquare retry [OPTIONS] <RUN>

    Arguments:
      <RUN>  The run: its id, the beginning of it, or `latest`

    Options:

    Sending:
          --no-cache         Do not read or write the cache
          --refresh          Do not read the cache, but write it
          --concurrency <N>  At most so many calls at once to one provider

    Spending:
          --cap <USD>          Stop before this run has spent so many dollars
          --cap-request <USD>  Refuse a request that may cost more dollars
          --cap-day <USD>      Stop before this project has spent so many dollars today (UTC)
          --cap-project <USD>  Stop before this project has ever spent so many dollars
          --allow-unpriced     Allow models without a price although a cap is set

    Permissions:
          --allow-origin <ORIGIN>  Allow this project to send to an origin, for this command (may be
                                   repeated)
          --allow-key <BINDING>    Allow a key for an origin, for this command:
                                   NAME=ORIGIN[,env=VARIABLE]
          --trust <HASH>           Trust the project's programs if they still have this hash

    == cancel
    Ask a run in another process to stop; it can be resumed

    Usage: trysquare cancel [OPTIONS] <RUN>

    Arguments:
      <RUN>  The run: its id, the beginning of it, or `latest`

    Options:

    == models
    List providers and models, and what is known of them

    Usage: trysquare models [OPTIONS]

    Options:

    == key
    Keep keys in the system's keyring, bound to one origin each

    Usage: trysquare key [OPTIONS] <COMMAND>

    Commands:
      set     Store a key for one origin; the secret is read from the terminal or standard input
      list    List keys, where they are and where they may go; never the keys
      test    Send the smallest request that shows whether a key works
      remove  Remove a key
      help    Print this message or the help of the given subcommand(s)

    Options:

    == key set
    Store a key for one origin; the secret is read from the terminal or standard input

    Usage: trysquare key set [OPTIONS] <NAME>

    Arguments:
      <NAME>  The name by which projects ask for it

    Options:
          --origin <ORIGIN>  The only origin that it may be sent to [default: known for well-known
                             names]
          --env <VARIABLE>   Read the secret from this environment variable instead of the keyring

    Examples:
      trysquare key set openai
      trysquare key set router --origin https://openrouter.ai
      trysquare key set openai --env OPENAI_API_KEY   nothing is stored, the variable is read

    == key list
    List keys, where they are and where they may go; never the keys

    Usage: trysquare key list [OPTIONS]

    Options:

    == key test
    Send the smallest request that shows whether a key works

    Usage: trysquare key test [OPTIONS] <NAME>

    Arguments:
      <NAME>  The key's name

    Options:

    == key remove
    Remove a key

    Usage: trysquare key remove [OPTIONS] <NAME>

    Arguments:
      <NAME>  The key's name

    Options:

    == trust
    Review and trust the programs that this project declares

    Usage: trysquare trust [OPTIONS]

    Options:
          --show             Print what would be trusted, and its hash
          --revoke           Take trust in this project back
          --hash <HASH>      Trust without asking, if the hash is still this one

    == cache
    Show or clear the cache of responses

    Usage: trysquare cache [OPTIONS]

    Options:
          --clear            Remove every cached response

    == doctor
    Check this installation and project; list every host that was contacted

    Usage: trysquare doctor [OPTIONS]

    Options:

    == init
    Start a project

    Usage: trysquare init [OPTIONS] [FOLDER]

    Arguments:
      [FOLDER]  The folder [default: this one]

    Options:
          --sample           Write the sample: 137 customer messages, three prompts, recorded answers

    == validate
    Check every file of the project and print everything that is wrong

    Usage: trysquare validate [OPTIONS]

    Options:
          --strict           Treat warnings as errors

    == fmt
    Make JSONL files canonical: key order, numbers, line ends

    Usage: trysquare fmt [OPTIONS]

    Options:
          --check            Change nothing; exit with 2 if a file is not canonical

    == plan-size
    Say how many cases a change needs to be seen

    Usage: trysquare plan-size [OPTIONS] [SIDE]...

    Arguments:
      [SIDE]...  Two sides, as `compare` names them, whose results say how much cases differ

    Options:
          --set <NAME>            The eval set whose latest run is meant [default: any]
          --change <POINTS>       The change to be seen, in points [default: 5]
          --discordant <PERCENT>  Assume that so many percent of the cases differ
          --power <PERCENT>       The chance of seeing the change, in percent [default: 80]
          --cases <N>             Say what this number of cases can show [default: those that are there]
          --samples <K>           Plan with K samples of each case [default: as many as the sides have]

    Examples:
      trysquare plan-size instruction examples --change 5   at what two variants show
      trysquare plan-size instruction examples --samples 3  with three samples of each case
      trysquare plan-size --discordant 20 --change 5        if one case in five differs
      trysquare plan-size --discordant 20 --cases 200       what 200 cases can show

    == gate
    Decide whether the candidate may ship: run it, compare it with the baseline, apply the rules

    Usage: trysquare gate [OPTIONS] <SET>

    Arguments:
      <SET>  The eval set: a folder in evalsets/ with a baseline.json

    Options:
          --replay              Answer from recorded.jsonl only; what was not recorded is an error
          --verify <N>          Send N of the recorded requests again, chosen by chance, and tell which
                                answers differ
          --report <KIND=FILE>  Write the report into a file: KIND=FILE with md, html, junit, csv or
                                json (may be repeated)
          --cases <N>           Print at most so many cases of each list; files hold more [default: 5]

    Sending:
          --no-cache         Do not read or write the cache
          --refresh          Do not read the cache, but write it
          --concurrency <N>  At most so many calls at once to one provider

    Spending:
          --cap <USD>          Stop before this run has spent so many dollars
          --cap-request <USD>  Refuse a request that may cost more dollars
          --cap-day <USD>      Stop before this project has spent so many dollars today (UTC)
          --cap-project <USD>  Stop before this project has ever spent so many dollars
          --allow-unpriced     Allow models without a price although a cap is set

    Permissions:
          --allow-origin <ORIGIN>  Allow this project to send to an origin, for this command (may be
                                   repeated)
          --allow-key <BINDING>    Allow a key for an origin, for this command:
                                   NAME=ORIGIN[,env=VARIABLE]
          --trust <HASH>           Trust the project's programs if they still have this hash

    Examples:
      trysquare gate order-number --replay                         in CI: no key, no network
      trysquare gate order-number --report md=gate.md,junit=gate.xml
      trysquare gate order-number --replay --verify 5              ask the model five of them again

    Exit codes: 0 it may ship; 1 a rule failed, or evidence is short and that blocks; 2 wrong usage or
    input; 3 a cell is missing, failed, unreadable or was not recorded.

    == baseline accept
    Write the results of a run as what the gate compares with

    Usage: trysquare baseline accept [OPTIONS] <RUN>

    Arguments:
      <RUN>  The run: its id, the beginning of it, or `latest`

    Options:
          --variant <NAME>     The variant [default: the eval set's candidate]
          --override <REASON>  Accept it although something speaks against it; the reason is kept in the
                               file

    Examples:
      trysquare baseline accept latest
      trysquare baseline accept latest --variant examples
      trysquare baseline accept latest --override "the broken case was wrong"

    A run is refused that is not finished, covers the set only in part, has errors or unreadable
    scores, or does not pass the gate against the baseline that it would replace.

    == baseline show
    Print what is approved

    Usage: trysquare baseline show [OPTIONS] [SET]

    Arguments:
      [SET]  The eval set [default: all that have a baseline]

    Options:

    == pin
    Pin the version of a prompt that an environment uses, or list the pins

    Usage: trysquare pin [OPTIONS] [NAME@VERSION]

    Arguments:
      [NAME@VERSION]  The prompt and its version, 12 to 64 hex digits [default: list the pins]

    Options:
          --env <NAME>         The environment [default, to list: all]
          --override <REASON>  Pin it although no committed baseline names it; the reason is kept in
                               trysquare.yaml

    Examples:
      trysquare pin triage@9c6146d58873 --env production
      trysquare pin triage@9c6146d58873 --env production --override "hotfix, see the incident"
      trysquare pin --env production          list its pins

    A version is refused that no committed baseline.json names.

    == prompt list
    List the prompts with their versions

    Usage: trysquare prompt list [OPTIONS]

    Options:

    == prompt show
    Print a prompt's model, config, schemas, variables and template

    Usage: trysquare prompt show [OPTIONS] <NAME>

    Arguments:
      <NAME>  The prompt's name, or NAME@GITREF

    Options:

    == prompt render
    Print the messages that a case would send

    Usage: trysquare prompt render [OPTIONS] --case <ID> <NAME>

    Arguments:
      <NAME>  The prompt's name, or NAME@GITREF

    Options:
          --case <ID>        The case
          --set <NAME>       The eval set of the case [default: the one that has it]

    == prompt vars
    List the variables that a prompt uses, and where

    Usage: trysquare prompt vars [OPTIONS] <NAME>

    Arguments:
      <NAME>  The prompt's name

    Options:

    == prompt diff
    Show what differs between two prompts: files, NAME@GITREF, or version hashes

    Usage: trysquare prompt diff [OPTIONS] <A> <B>

    Arguments:
      <A>  The first
      <B>  The second

    Options:

    == prompt export
    Write what a service loads: every pinned prompt with model, config, schemas and hashes

    Usage: trysquare prompt export [OPTIONS] --env <NAME>

    Options:
          --env <NAME>       The environment
          --out <DIR>        The folder to write into [default: standard output]

    Examples:
      trysquare prompt export --env production --out build/prompts   one JSON file a prompt
      trysquare prompt export --env production                       print them

    A version is looked up in the files, then in git's history, then in the record of runs.

    == prompt log
    List every version of a prompt in git with commit, author, date and message

    Usage: trysquare prompt log [OPTIONS] <NAME>

    Arguments:
      <NAME>  The prompt's name

    Options:

    == completions
    Print a completion script for a shell

    Usage: trysquare completions [OPTIONS] <SHELL>

    Arguments:
      <SHELL>  The shell [possible values: bash, elvish, fish, powershell, zsh]

    Options:
    "#);
}
