use crate::help::explained;

#[test]
fn judges_explain_themselves() {
    insta::assert_snapshot!(explained(&[&["judge"], &["judge", "list"], &["judge", "show"]]), @r"
    == judge
    List judges and how far each can be trusted, or show one

    Usage: trysquare judge [OPTIONS]
           trysquare judge <COMMAND>

    Commands:
      list   List the judges: what each decides, and how far it can be trusted
      show   Show a judge: what it sees and answers, how it was calibrated, what to do next
      probe  Measure what sways a judge: pleas for a pass, repetition, length, format, order
      help   Print this message or the help of the given subcommand(s)

    Options:

    == judge list
    List the judges: what each decides, and how far it can be trusted

    Usage: trysquare judge list [OPTIONS]

    Options:

    == judge show
    Show a judge: what it sees and answers, how it was calibrated, what to do next

    Usage: trysquare judge show [OPTIONS] <JUDGE>

    Arguments:
      <JUDGE>  The judge: its file's name in judges/, or its name in an eval set

    Options:

    Examples:
      trysquare judge show helpful
      trysquare judge show helpful --format json   every hash and figure
    ");
}

#[test]
fn probing_explains_itself() {
    insta::assert_snapshot!(explained(&[&["judge", "probe"]]), @r"
    == judge probe
    Measure what sways a judge: pleas for a pass, repetition, length, format, order

    Usage: trysquare judge probe [OPTIONS] <JUDGE>

    Arguments:
      <JUDGE>  The judge, as evalset.yaml names it

    Options:
          --set <NAME>          The eval set [default: the only one that has this judge]
          --run <RUN>           Use outputs of this run [default: the newest of the set]
          --cases <N>           Use outputs of so many cases [default: 20]
          --times <K>           Judge each output so often, to see whether it says the same again
                                [default: 3]
          --dry-run             Print how many calls that is and what they may cost, and send nothing
          --report <KIND=FILE>  Write the findings into a file as well (md or json; may be repeated, or
                                separated by commas)
          --replay              Answer from the eval set's recorded.jsonl only
          --record              Write the replies into the eval set's recorded.jsonl

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
      trysquare judge probe polite --dry-run           how many calls that is, and what they may cost
      trysquare judge probe polite --cases 10 --times 5
      trysquare judge probe polite --run latest --report md=probe.md

    It shows the judge outputs of a run of its eval set, as they are and changed, and texts that ask
    for a good verdict. It needs no labels and says nothing of whether the judge is right: see
    `trysquare calibrate`.
    ");
}
