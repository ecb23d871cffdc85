//! Whatever stands in a cell, nothing that looks at its text panics, hangs, or points outside of it.
//!
//! Five seconds from a fixed seed; `LOOPBOOK_FUZZ_SECONDS` and `LOOPBOOK_FUZZ_SEED` ask for more.

use super::Completeness;
use super::cell::{Notebook, SourceMap, is_complete, prepare, without_commands};
use super::commands;
use super::completion::cursor::{in_command, word_at};
use super::completion::{self, Names};
use super::errors::report;
use crate::wire::{byte_offset, code_point_offset};
use loopbook_channel::Mark;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::{Duration, Instant};

const CORPUS: [&str; 4] = [
    include_str!("cell/corpus/good.txt"),
    include_str!("cell/corpus/broken.txt"),
    include_str!("../../tests/rustc/sound.txt"),
    include_str!("../../tests/rustc/wrong.txt"),
];

/// What the fuzzer puts between pieces of cells.
const PIECES: [&str; 48] = [
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "<",
    ">",
    "\"",
    "'",
    "r#\"",
    "\"#",
    "b'",
    "c\"",
    "/*",
    "*/",
    "//",
    "///",
    "//!",
    "\\",
    "\n",
    "\r\n",
    "\r",
    "\t",
    "\0",
    "\u{feff}",
    "\u{2028}",
    "e\u{301}",
    "🦀",
    "ü",
    "#",
    "#![a]",
    "!",
    "?",
    "return ",
    ";",
    "::",
    ":dep a = \"1\"\n",
    ":tasks",
    "%",
    "mutex",
    "{mutex}",
    "static S: M<u8> = m();",
    "macro_rules! m ",
    "thread_local! { static T: u8 = 1 }",
    "impl A for B {}",
    "use a::{self, b as _, *};",
    "/*lb:1:1*/",
];

/// What one look at a cell may take at most, on the slowest machine: more is a hang.
const HANG: Duration = Duration::from_secs(60);

#[test]
fn nothing_that_looks_at_a_cell_minds_what_it_is() {
    let setting = |name: &str| std::env::var(name).ok().and_then(|value| value.parse::<u64>().ok());
    let time = Duration::from_secs(setting("LOOPBOOK_FUZZ_SECONDS").unwrap_or(5));
    let mut random = Random(setting("LOOPBOOK_FUZZ_SEED").unwrap_or(0x2545_f491_4f6c_dd1d) | 1);
    let corpus: Vec<_> = CORPUS.iter().flat_map(|cells| cells.split("%%%%")).collect();
    let (start, mut count, mut slowest) = (Instant::now(), 0, (Duration::ZERO, String::new()));
    while start.elapsed() < time {
        let code = mutated(&corpus, &mut random);
        let began = Instant::now();
        catch_unwind(AssertUnwindSafe(|| look_at(&code, &mut random))).unwrap_or_else(|panic| {
            eprintln!("number {count} was {code:?}");
            resume_unwind(panic)
        });
        slowest = slowest.max((began.elapsed(), code));
        assert!(slowest.0 < HANG, "{:?} for {:?}", slowest.0, slowest.1);
        count += 1;
    }
    eprintln!("{count} cells; the slowest took {:?}: {:?}", slowest.0, slowest.1);
    assert!(count > 10);
}

fn look_at(code: &str, random: &mut Random) {
    let mut notebook = Notebook::default();
    notebook.local_slots = random.below(2) == 0;
    let completeness = is_complete(code);
    match prepare(1, code, &notebook) {
        Ok(prepared) => {
            assert_ne!(completeness, Completeness::Invalid, "it can be prepared");
            look_at_map(&prepared.map, random);
            for command in &prepared.commands {
                let _ = commands::parse(&command.name, &command.args);
            }
            for variable in prepared.lets.iter().flat_map(|binding| &binding.names) {
                prepared.boxing(variable);
            }
            notebook.learn(&prepared);
            let again = prepare(2, code, &notebook);
            assert!(again.is_ok(), "{again:?}");
        }
        Err(problems) => {
            assert!(!problems.is_empty());
            let lines = code.split('\n').count() as u32;
            for span in problems.iter().flat_map(|problem| &problem.spans) {
                assert!((1..=lines).contains(&span.line) && (span.line..=lines).contains(&span.end_line), "{span:?}");
                assert!((span.line, span.col) <= (span.end_line, span.end_col), "{span:?}");
            }
            assert!(!report::problems(1, code, &problems).traceback.is_empty());
        }
    }
    Mark::find(code);
    assert_eq!(without_commands(code).len(), code.len());
    let (name, args) = code.split_once(' ').unwrap_or((code, ""));
    let _ = commands::parse(name, args);
    look_at_cursors(code, random);
}

fn look_at_map(map: &SourceMap, random: &mut Random) {
    for line in map.rewritten().lines() {
        let column = random.below(line.chars().count() + 3) as u32;
        let found = [map.locate(line, column), map.locate_end(line, column)];
        let lines = map.source().split('\n').count() as u32;
        assert!(found.iter().flatten().all(|(line, _)| (1..=lines).contains(line)), "{found:?} of {line}");
    }
    for line in map.compiled_lines() {
        let width = map.source().split('\n').nth(line.line as usize - 1).expect("a line").chars().count() as u32;
        let mut columns = line.stretches.iter().filter_map(|stretch| stretch.column);
        assert!(columns.all(|column| (1..=width + 1).contains(&column)), "{line:?}");
    }
    assert!(map.source_offset(random.below(map.rewritten().len() + 2)) <= map.source().len());
}

fn look_at_cursors(code: &str, random: &mut Random) {
    let names = Names::default();
    names.set([("mutex".to_owned(), completion::Known { kind: "instance", detail: "u8".into() })]);
    for _ in 0..4 {
        let cursor = random.below(code.len() + 3);
        let found = names.complete(code, cursor);
        assert!(
            found.start <= found.end && code.get(found.start..found.end).is_some(),
            "{}..{}",
            found.start,
            found.end
        );
        in_command(code, cursor);
        word_at(code, cursor);
        let offset = byte_offset(code, cursor);
        assert!(code.is_char_boundary(offset));
        assert_eq!(code_point_offset(code, offset), cursor.min(code.chars().count()));
    }
}

/// A cell of the corpus after a few accidents.
fn mutated(corpus: &[&str], random: &mut Random) -> String {
    let mut bytes = corpus[random.below(corpus.len())].as_bytes().to_vec();
    for _ in 0..=random.below(4) {
        let start = random.below(bytes.len() + 1);
        let end = (start + random.below(12)).min(bytes.len());
        let other = corpus[random.below(corpus.len())].as_bytes();
        let piece = PIECES[random.below(PIECES.len())].as_bytes();
        match random.below(8) {
            0 => drop(bytes.drain(start..end)),
            1 => bytes.truncate(start),
            2 => bytes.extend_from_within(start..end),
            3 => insert(&mut bytes, start, &other[random.below(other.len() + 1)..]),
            4 => insert(&mut bytes, start, &piece.repeat(1 + random.below(200 / piece.len()))),
            5 => bytes.splice(start..end, [random.below(256) as u8]).for_each(drop),
            _ => insert(&mut bytes, start, piece),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn insert(bytes: &mut Vec<u8>, at: usize, new: &[u8]) {
    bytes.splice(at..at, new.to_vec()).for_each(drop);
}

/// Xorshift.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit.max(1) as u64) as usize
    }
}
