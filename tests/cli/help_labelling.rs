use crate::help::explained;

#[test]
#[expect(clippy::too_many_lines, reason = "it is the help of every command")]
fn labels_explain_themselves() {
    insta::assert_snapshot!(explained(&[
        &["label"],
        &["label", "next"],
        &["label", "stats"],
        &["label", "conflicts"],
        &["label", "adjudicate"],
        &["label", "import"],
        &["label", "export"],
        &["label", "purge"],
    ]), @r#"
    == label
    Label outputs in the terminal, and look at the labels that there are

    Usage: trysquare label [OPTIONS] [SET]
           trysquare label <COMMAND>

    Commands:
      next        Print what is to be labelled next, with the probability of each draw
      stats       Say who labelled what, and how far people agree
      conflicts   Print what people disagree on
      adjudicate  Decide what people disagree on; who said what is hidden
      import      Bring in what people and judges said elsewhere
      export      Bring what was labelled here into labels.jsonl
      purge       Remove labels for ever, as personal data must be; no other copy of the file brings
                  them back
      help        Print this message or the help of the given subcommand(s)

    Arguments:
      [SET]  The eval set: a folder in evalsets/ [default: the newest run's]

    Options:
          --run <RUN>         The run whose outputs are labelled [default: the set's newest]
          --criterion <NAME>  The criterion [default: the primary one]
          --labeller <NAME>   Who labels [default: git's user.name, else you are asked]
          --queue <QUEUE>     How cases are chosen [default: measure] [possible values: measure, hunt,
                              overlap]
          --count <N>         How many cases a draw for measuring expects; decide it before you start
                              [default: 100]
          --for <A> <B>       Label the outputs of both of these variants for each case
          --pairs             Label which output of the two is better
          --blind             Hide model, variant and judge; the default
          --no-blind          Show variant and scores; the labels say so
          --resplit           Take seed, shares and clusters as they are now, though labelled cases
                              change their split; takes back the certificates of the set's judges

    Examples:
      trysquare label                                  label the newest run, drawn at random
      trysquare label replies --criterion polite       one criterion of one set
      trysquare label replies --queue hunt             the most suspicious outputs first
      trysquare label replies --queue overlap          what somebody else labelled
      trysquare label replies --for A B --pairs        which of two outputs is better
      trysquare label stats replies                    who labelled what, and who agrees
      trysquare label import --map map.yaml rows.csv   what was said elsewhere
      trysquare label replies --resplit                after a change of seed, shares or clusters

    Keys: 1 pass, 2 fail (then a note, Enter), d defer, n note, f flag, u undo, q quit. Of a pair: 1 the
    first, 2 the second, 3 neither. Categories by number; a graded criterion takes a number and Enter.
    Without a terminal the same keys are read from standard input.

    == label next
    Print what is to be labelled next, with the probability of each draw

    Usage: trysquare label next [OPTIONS] [SET]

    Arguments:
      [SET]  The eval set: a folder in evalsets/ [default: the newest run's]

    Options:
          --run <RUN>         The run whose outputs are labelled [default: the set's newest]
          --criterion <NAME>  The criterion [default: the primary one]
          --labeller <NAME>   Who labels [default: git's user.name, else you are asked]
          --queue <QUEUE>     How cases are chosen [default: measure] [possible values: measure, hunt,
                              overlap]
          --count <N>         How many cases a draw for measuring expects; decide it before you start
                              [default: 100]
          --for <A> <B>       Label the outputs of both of these variants for each case
          --pairs             Label which output of the two is better
          --blind             Hide model, variant and judge; the default
          --no-blind          Show variant and scores; the labels say so

    Examples:
      trysquare label next replies --count 60     about sixty cases, drawn at random
      trysquare label next replies --for A B      the outputs of both variants, for a comparison
      trysquare label next replies --queue hunt   the most suspicious first; enters no rate

    == label stats
    Say who labelled what, and how far people agree

    Usage: trysquare label stats [OPTIONS] [SET]

    Arguments:
      [SET]  The eval set [default: the newest run's]

    Options:

    Examples:
      trysquare label stats replies
      trysquare label stats replies --format json

    == label conflicts
    Print what people disagree on

    Usage: trysquare label conflicts [OPTIONS] [SET]

    Arguments:
      [SET]  The eval set [default: the newest run's]

    Options:

    Examples:
      trysquare label conflicts replies    who said what is hidden; decide with `label adjudicate`

    == label adjudicate
    Decide what people disagree on; who said what is hidden

    Usage: trysquare label adjudicate [OPTIONS] [SET]

    Arguments:
      [SET]  The eval set [default: the newest run's]

    Options:
          --labeller <NAME>  Who decides [default: git's user.name, else you are asked]

    Examples:
      trysquare label adjudicate replies --labeller eve

    Keys: 1 take A, 2 take B (and so on), e decide otherwise (then the value and a reason, each with
    Enter), d leave it, q quit.

    == label import
    Bring in what people and judges said elsewhere

    Usage: trysquare label import [OPTIONS] --map <FILE> [DATA]...

    Arguments:
      [DATA]...  Files of rows: a JSON list, JSONL or CSV [default: standard input]

    Options:
          --map <FILE>       The mapping
          --set <NAME>       The eval set [default: the newest run's]
          --preview          Say what would be imported, and write nothing
          --skip-bad         Leave out rows that cannot be read

    Examples:
      trysquare label import --map map.yaml rows.csv --preview   what it would bring, and the first rows
      trysquare label import --map map.yaml --set replies a.jsonl b.jsonl

    A mapping says where in a row the case, its outputs and the values stand: docs/formats/label-map.md.
    Nothing is written unless every row is sound. The same file again brings nothing.

    == label export
    Bring what was labelled here into labels.jsonl

    Usage: trysquare label export [OPTIONS] [SET]

    Arguments:
      [SET]  The eval set [default: the newest run's]

    Options:
          --all              Also what the file once had and holds no longer, as after a switch of
                             branches

    Examples:
      trysquare label export replies
      trysquare label export replies --all   also what another branch's file has

    == label purge
    Remove labels for ever, as personal data must be; no other copy of the file brings them back

    Usage: trysquare label purge [OPTIONS] [SET]

    Arguments:
      [SET]  The eval set [default: the newest run's]

    Options:
          --event <ID>       An event (may be repeated)
          --case <ID>        Everything about a case, its outputs too (may be repeated)
          --output <HASH>    Everything about an output, its text too (may be repeated)
          --by <NAME>        Everything that a person did, and kinds of failures that name them (may be
                             repeated)
          --labeller <NAME>  Who purges [default: git's user.name, else you are asked]
          --yes              Do not ask

    Examples:
      trysquare label purge replies --case m-017        a case: its labels, and what models said of it
      trysquare label purge replies --by "Ana Lima"    all that a person did, and kinds of failures that
      name her
      trysquare label purge replies --event 0197c2f0-7c1a-7000-8000-000000000000 --yes

    With a note goes how it was sorted, and a kind of failure that nothing else was sorted into.
    "#);
}
