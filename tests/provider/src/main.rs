//! Runs the test provider by hand: `test-provider [PORT] [DELAY_MS]` echoes until it is stopped.

use std::io::Write;
use std::time::Duration;

use test_provider::{Behaviour, Keep, Options, TestProvider};

fn main() -> std::io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let mut number = |name: &str| match arguments.next() {
        None => Ok(0),
        Some(text) => text.parse::<u16>().map_err(|_| {
            std::io::Error::other(format!("{name} is `{text}`: expected a number up to 65535"))
        }),
    };
    let port = number("PORT")?;
    let delay = Duration::from_millis(number("DELAY_MS")?.into());
    let options = Options { keep: Keep::Sums, port, ..Options::default() };
    let server =
        TestProvider::start_with(options, move |seen| Behaviour::echo(seen).delayed(delay));
    let mut out = std::io::stdout();
    writeln!(out, "{}", server.origin())?;
    out.flush()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(tokio::signal::ctrl_c())?;
    let (calls, usage) = server.billed_sum();
    writeln!(out, "{calls} calls billed: {usage:?}")
}
