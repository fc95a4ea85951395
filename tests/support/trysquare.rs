//! The `trysquare` program, as the tests of this package start it.

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}
