//! How long preparing takes: in proportion to a cell's size, whatever it is made of.
//!
//! `cargo test --release --lib cell::time_tests -- --ignored --nocapture` prints the times of the corpus.

use super::{Notebook, prepare};
use std::time::Duration;

const GOOD: &str = include_str!("corpus/good.txt");

/// What large cells are made of; `#` is a number.
const SHAPES: [&str; 14] = [
    "let x# = f(#)?;\n",
    "let x# = f(#)?; ",
    "f(g(#)?, |x| x + #, \"text {#}\").await?;\n",
    "fn f#() -> u32 { let y = #; y + 1 }\n",
    "static S#: Mutex<u8> = Mutex::new(#); f(*S#);\n",
    "impl T# for A { fn f(&self) -> u8 { # } }\n",
    "impl A { fn f#(&self) -> u8 { # } }\n",
    "struct S# { a: u8 }\n",
    "use a::b#::{self, c, d as e};\n",
    "macro_rules! m# { ($x:expr) => { $x + # }; }\n",
    "println!(\"{} {mutex}\", mutex + #, x?);\n",
    "let s# = \"a\nb\nc\"; /* d\ne */\n",
    "thread_local! { static T#: Cell<u8> = Cell::new(#); }\n",
    "// comment #\n\n",
];

#[test]
fn the_time_grows_with_the_size() {
    for shape in SHAPES {
        let (small, large) = (shortest(&repeated(shape, 100)), shortest(&repeated(shape, 400)));
        // Four times the text; whatever is quadratic takes sixteen times as long.
        assert!(large < small * 8, "{shape:?}: {small:?}, then {large:?}");
    }
}

#[test]
#[ignore = "prints only"]
fn the_times_of_the_corpus_are_printed() {
    let mut times: Vec<_> = GOOD.split("%%%%\n").map(|cell| (shortest(cell), cell)).collect();
    times.sort();
    let (worst, cell) = times[times.len() - 1];
    eprintln!("{} cells: median {:?}, worst {worst:?} for\n{cell}", times.len(), times[times.len() / 2].0);
    for shape in SHAPES {
        let cell = repeated(shape, 1_000_000 / shape.len());
        eprintln!("{} kB of {shape:?}: {:?}", cell.len() / 1000, shortest(&cell));
    }
}

fn repeated(shape: &str, count: usize) -> String {
    (0..count).map(|number| shape.replace('#', &number.to_string())).collect()
}

/// Processor time, the best of three: the machine has other things to do.
fn shortest(cell: &str) -> Duration {
    let notebook = Notebook { local_slots: true, ..Notebook::default() };
    let times = (0..3).map(|_| {
        let start = processor_time();
        assert!(prepare(1, cell, &notebook).is_ok());
        processor_time() - start
    });
    times.min().unwrap()
}

/// What this thread has used so far.
fn processor_time() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the call fills in the structure that it is given.
    let done = unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut time) };
    assert_eq!(done, 0);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}
