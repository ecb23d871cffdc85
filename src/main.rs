//! The program `loopbook`. Started under the name of one of Rust's tools, it is the shim for that tool.

use std::process::ExitCode;

use loopbook_kernel::cli;
use loopbook_kernel::evaluator::build::shims;

fn main() -> ExitCode {
    shims::run_as_tool().unwrap_or_else(cli::main)
}
