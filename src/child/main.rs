//! The program that loads and runs the cells.
//!
//! evcxr starts it and speaks to it in lines: `LOAD_AND_RUN <shared object> <function>` comes in, evcxr's markers and
//! `EVCXR_EXECUTION_COMPLETE` go out. That conversation is kept on private descriptors; user code gets descriptors 0, 1
//! and 2 of its own. What it writes and reads there goes through this program's `write` and `read`, which stand before
//! libc's for everything that is loaded, to the runtime (`kernel/runtime`) that the cells bring with them.
//!
//! In reading order: `descriptors`, `cells`, `loading` and `dl`, `runtime`, `interpose`; `stacks` and `fatal`: how much
//! stack there is, and what is said when a signal ends this process.

mod cells;
mod descriptors;
mod dl;
mod fatal;
mod interpose;
mod loading;
mod runtime;
mod stacks;

use cells::Cells;
use descriptors::Descriptors;
use loopbook_channel::USER_BACKTRACE_ENV;
use std::io::{BufRead, BufReader, Write};

fn main() {
    // The kernel kills this process when it ends in order, and the system does so when it cannot.
    end_with_parent();
    give_environment_back();
    let descriptors = match Descriptors::arrange() {
        Ok(descriptors) => descriptors,
        Err(error) => {
            eprintln!("the process for the cells could not arrange its descriptors: {error}");
            std::process::exit(99);
        }
    };
    loading::keep_descriptors_back();
    fatal::install(descriptors.last_words());
    stacks::prepare_main();
    if let Err(problem) = converse(&descriptors) {
        // Nobody else is left to be told.
        let _ = writeln!(descriptors.errors(), "{problem}");
        exit(99);
    }
    // evcxr has hung up: the kernel is gone, or about to end this process itself.
    end_group(0);
    exit(0)
}

/// Runs cells until evcxr hangs up.
fn converse(descriptors: &Descriptors) -> Result<(), String> {
    let mut cells = Cells::new(descriptors.pipes());
    for line in BufReader::new(descriptors.commands()).lines() {
        let line = line.map_err(|error| format!("evcxr's commands cannot be read: {error}"))?;
        let Some((library, function)) = line.strip_prefix("LOAD_AND_RUN ").and_then(|rest| rest.rsplit_once(' '))
        else {
            return Err(format!("evcxr sent a command that this version does not know: {line}"));
        };
        cells.load_and_run(library, function)?;
        runtime::say("EVCXR_EXECUTION_COMPLETE");
    }
    Ok(())
}

/// Leaves at once: destructors of user code that runs on other threads are not waited for.
fn exit(status: i32) -> ! {
    // SAFETY: always sound; nothing runs after it.
    unsafe { libc::_exit(status) }
}

/// User code must not believe that it is evcxr's, and evcxr's wish for backtraces is not the user's.
fn give_environment_back() {
    let wished = std::env::var_os(USER_BACKTRACE_ENV);
    // SAFETY: no other thread exists yet.
    unsafe {
        for name in ["EVCXR_IS_RUNTIME", USER_BACKTRACE_ENV, "RUST_BACKTRACE"] {
            std::env::remove_var(name);
        }
        if let Some(wished) = wished {
            std::env::set_var("RUST_BACKTRACE", wished);
        }
    }
}

/// Dies with the thread that started this process (the kernel's evaluator, which lives as long as the kernel), and stands
/// in a process group of its own, so that Ctrl-C in the kernel's terminal does not reach it. The programs that cells start
/// stand there too, and end with it.
fn end_with_parent() {
    // The last of those numbers that the system leaves to programs.
    let signal = libc::SIGRTMAX();
    // SAFETY: system calls on this process itself; the handler only calls what handlers may call.
    unsafe {
        libc::setpgid(0, 0);
        libc::signal(signal, end_group as extern "C" fn(libc::c_int) as *const () as libc::sighandler_t);
        libc::prctl(libc::PR_SET_PDEATHSIG, signal);
    }
}

/// The kernel has died without a word.
extern "C" fn end_group(_signal: libc::c_int) {
    // SAFETY: system calls that signal handlers may make. A process that was forked off is not its group's leader.
    unsafe {
        let process = libc::getpid();
        libc::kill(if libc::getpgrp() == process { 0 } else { process }, libc::SIGKILL);
    }
}
