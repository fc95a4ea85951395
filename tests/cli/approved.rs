//! A project with results that can be approved: a real provider on this machine echoes what it is
//! asked, one prompt asks for what each case expects, and one does not.

use test_provider::TestProvider;

use crate::sandbox::Sandbox;

/// The number of cases.
pub(crate) const CASES: usize = 40;

/// Makes the project; the provider answers as long as it is kept.
pub(crate) fn project() -> (Sandbox, TestProvider) {
    let (sandbox, server) = (Sandbox::new(), TestProvider::echoing());
    let origin = server.origin();
    sandbox.write(
        "trysquare.yaml",
        &format!(
            "format: 1\nproviders:\n  local:\n    protocol: openai-chat\n    base_url: {origin}/v1\n    \
             models:\n      m:\n        prices: {{input: 1, output: 2}}\n"
        ),
    );
    for (name, end) in [("ask", ""), ("loud", "!")] {
        let text = format!(
            "---\nmodel: local/m\nconfig: {{maxOutputTokens: 16, temperature: 0}}\ninput:\n  schema:\n    \
             message: string\n---\n{{{{message}}}}{end}\n"
        );
        sandbox.write(&format!("prompts/{name}.prompt"), &text);
    }
    sandbox.write(
        "evalsets/echo/evalset.yaml",
        "format: 1\nvariants:\n  ask:\n  loud:\ncandidate: ask\nmargin: 0.05\nprimary: exact\nchecks:\n  \
         - {name: exact, kind: equals, value: \"{{expected}}\"}\n",
    );
    let mut rows = String::new();
    for number in 0..CASES {
        let row = format!(
            "{{\"id\":\"m-{number:02}\",\"inputs\":{{\"message\":\"m-{number:02}\"}},\"expected\":\"echo: m-{number:02}\"}}\n"
        );
        rows += &row;
    }
    sandbox.write("evalsets/echo/cases.jsonl", &rows);
    (sandbox, server)
}

/// Makes the project, and runs its eval set once.
pub(crate) fn run_once() -> (Sandbox, TestProvider) {
    let (sandbox, server) = project();
    let ran = sandbox.run(&["run", "echo"]);
    assert_eq!(ran.code, 0, "{ran}");
    (sandbox, server)
}
