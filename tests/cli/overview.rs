use crate::sandbox::Sandbox;

#[test]
#[expect(clippy::too_many_lines, reason = "it is the help of the whole program")]
fn the_program_explains_itself() {
    insta::assert_snapshot!(Sandbox::new().run(&["--help"]), @r"
    Is the new prompt better, and how do we know?

    Usage: trysquare [OPTIONS] <COMMAND>

    Commands:
      run          Run an eval set: every case with every variant
      runs         List runs, or export the record of one
      show         Show the results of a run, or one cell of it
      compare      Say whether one variant is better than another, and how sure that is
      score        Score a run again with today's checks, or score outputs made elsewhere
      calibrate    Measure a judge against people's labels, and write its certificate
      judge        List judges and how far each can be trusted, or show one
      resume       Go on with a run that was stopped or whose process died
      retry        Send only the cells of a run again that ended in an error
      cancel       Ask a run in another process to stop; it can be resumed
      models       List providers and models, and what is known of them
      estimate     Say what a run will take, before it starts: tokens and dollars, as a range
      costs        Show what the runs of this project cost, judges apart, and what is left of its
                   budgets
      prices       Show what the models of this project cost, and since when that is known
      key          Keep keys in the system's keyring, bound to one origin each
      trust        Review and trust the programs that this project declares
      cache        Show or clear the cache of responses
      doctor       Check this installation and project; list every host that was contacted
      init         Start a project
      validate     Check every file of the project and print everything that is wrong
      fmt          Make JSONL files canonical: key order, numbers, line ends
      plan-size    Say how many cases a change needs to be seen
      gate         Decide whether the candidate may ship: run it, compare it with the baseline, apply
                   the rules
      label        Label outputs in the terminal, and look at the labels that there are
      failures     Sort what went wrong into kinds, and see how often each occurs
      baseline     Approve the results of a run, and show what is approved
      pin          Pin the version of a prompt that an environment uses, or list the pins
      prompt       Look at prompts: list, render, compare, history, export
      completions  Print a completion script for a shell
      help         Print this message or the help of the given subcommand(s)

    Options:
          --project <DIR>
              The project's folder [default: this one or the nearest above with trysquare.yaml]

          --format <FORMAT>
              How results are printed

              Possible values:
              - human: For people
              - json:  One JSON document
              - jsonl: One JSON object a line
              
              [default: human]

          --color <COLOR>
              When to colour; NO_COLOR is honoured

              Possible values:
              - auto:   On a terminal
              - always: Always
              - never:  Never
              
              [default: auto]

      -h, --help
              Print help (see a summary with '-h')

      -V, --version
              Print version

    Examples:
      trysquare init my-project          start a project
      trysquare validate                 check every file of it
      trysquare run order-number         run an eval set
      trysquare show latest --failures   see what failed

    Exit codes: 0 complete, 1 a gate or --fail-on-failures, 2 wrong usage or input, 3 incomplete.
    --- exit 0
    ");
}
