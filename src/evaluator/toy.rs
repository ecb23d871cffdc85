//! The toy language of the fast tests: each line of a cell is a command that makes one event. Nothing in it takes time.
//!
//! | line | event |
//! |---|---|
//! | `print TEXT`, `eprint TEXT` | a line on stdout, stderr |
//! | `write TEXT` | the same on stdout without the newline; `\n`, `\r`, `\\` and `\xff` mean what they do in Rust |
//! | `repeat N TEXT` | N times `print TEXT` |
//! | `1+1` | the result |
//! | `show TEXT`, `show-as ID TEXT`, `update ID TEXT`, `clear` | displays |
//! | `input PROMPT`, `password PROMPT` | asks, and prints the answer |
//! | `page TEXT` | something for the pager |
//! | `wait` | waits for [`Toy::go`] or an interrupt |
//! | `flood N` | prints N MiB, as fast as the kernel takes them; runs on when the cell has ended |
//! | `fail TEXT` | ends the cell with an error |
//! | `late TEXT` | a line on stdout after the cell has ended |

use super::{Cell, Completeness, Completion, Completions, Evaluator, Event, Outcome, Printing, Report, ShellId};
use async_std::channel::{Receiver, Sender, unbounded};
use futures::future::{self, BoxFuture, FutureExt};
use loopbook_channel::{CellId, DisplayKind, InputError, MimeBundle, Query, Stream};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

const WORDS: [&str; 13] = [
    "clear", "eprint", "fail", "input", "late", "password", "print", "repeat", "show", "show-as", "update", "wait",
    "write",
];

/// Events that may wait for the dispatcher during a `flood`.
const AHEAD: usize = 256;

/// Bytes that a `flood` prints at once.
const WAVE: usize = 1 << 14;

/// An evaluator of the toy language.
pub struct Toy {
    events: Sender<Event>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    shells: BTreeMap<ShellId, Shell>,
    questions: u64,
}

/// The cells of one shell.
#[derive(Default)]
struct Shell {
    jobs: VecDeque<Job>,
    blocked: Option<Blocked>,
}

/// A cell and what is left of it.
struct Job {
    cell: Cell,
    lines: VecDeque<String>,
    late: Vec<String>,
}

/// What the first of the jobs waits for.
#[derive(PartialEq)]
enum Blocked {
    Go,
    Answer(u64),
}

/// What a line leads to.
enum Step {
    Next,
    Block(Blocked),
    Fail(Report),
}

impl Toy {
    /// An evaluator and where it reports.
    pub fn new() -> (Arc<Self>, Receiver<Event>) {
        let (events, receiver) = unbounded();
        let toy = Self { events, state: Mutex::default() };
        toy.send(Event::Ready { message: "the toy language needs no warming".to_owned() });
        (Arc::new(toy), receiver)
    }

    /// Lets the cell of this shell go on that `wait`s.
    pub fn go(&self, shell: ShellId) {
        let State { shells, questions } = &mut *self.lock();
        let Some(shell) = shells.get_mut(&shell) else { return };
        if shell.blocked == Some(Blocked::Go) {
            shell.blocked = None;
            self.advance(shell, questions);
        }
    }

    /// Reports this, whatever the cells do: what background tasks of real cells can.
    pub fn send(&self, event: Event) {
        // Nobody listens any more when the kernel is at its end.
        let _ = self.events.try_send(event);
    }

    /// Runs as far as possible.
    fn advance(&self, shell: &mut Shell, questions: &mut u64) {
        while shell.blocked.is_none()
            && let Some(job) = shell.jobs.front_mut()
        {
            let Some(line) = job.lines.pop_front() else {
                self.finish(shell, Outcome::Ok);
                continue;
            };
            match self.step(questions, job, &line) {
                Step::Next => {}
                Step::Block(blocked) => shell.blocked = Some(blocked),
                Step::Fail(report) => self.finish(shell, Outcome::Error(report)),
            }
        }
    }

    fn step(&self, questions: &mut u64, job: &mut Job, line: &str) -> Step {
        let cell = job.cell.id;
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "print" => self.print(cell, Stream::Stdout, &format!("{rest}\n")),
            "eprint" => self.print(cell, Stream::Stderr, &format!("{rest}\n")),
            "write" => self.send(Event::Output { cell, stream: Stream::Stdout, bytes: unescape(rest) }),
            "repeat" => {
                let (count, text) = rest.split_once(' ').unwrap_or((rest, ""));
                let count = count.parse().unwrap_or(0);
                (0..count).for_each(|_| self.print(cell, Stream::Stdout, &format!("{text}\n")));
            }
            "show" => self.display(cell, DisplayKind::Display, rest, None),
            "show-as" | "update" => {
                let (id, text) = rest.split_once(' ').unwrap_or((rest, ""));
                let kind = if word == "update" { DisplayKind::Update } else { DisplayKind::Display };
                self.display(cell, kind, text, Some(id.to_owned()));
            }
            "output" => {
                let wish = rest.parse().map_or(Printing::Rest(None), |lines| Printing::Limit(Some(lines)));
                self.send(Event::Printing { cell, wish });
            }
            "itself" => self.send(Event::ShowsItself { cell, begins: rest == "begins" }),
            "clear" => self.send(Event::ClearOutput { cell, wait: rest == "wait" }),
            "input" | "password" => {
                *questions += 1;
                let (id, prompt, password) = (*questions, rest.to_owned(), word == "password");
                self.send(Event::Input { id, cell, prompt, password });
                return Step::Block(Blocked::Answer(id));
            }
            "page" => {
                let data = MimeBundle::from([("text/plain".to_owned(), rest.into())]);
                self.send(Event::Page { cell, data });
            }
            "flood" => drop(async_std::task::spawn(flood(self.events.clone(), cell, rest.parse().unwrap_or(0)))),
            "wait" => return Step::Block(Blocked::Go),
            "late" => job.late.push(rest.to_owned()),
            "fail" => return Step::Fail(report("Error", rest)),
            "" => {}
            _ => match add(line) {
                Some(sum) => self.display(cell, DisplayKind::Result, &sum.to_string(), None),
                None => return Step::Fail(report("CompileError", &format!("cannot find `{word}`"))),
            },
        }
        Step::Next
    }

    /// Ends the first of the jobs.
    fn finish(&self, shell: &mut Shell, outcome: Outcome) {
        shell.blocked = None;
        let Some(job) = shell.jobs.pop_front() else { return };
        let cell = job.cell.id;
        self.send(Event::Done { cell, outcome });
        job.late.iter().for_each(|text| self.print(cell, Stream::Stdout, &format!("{text}\n")));
    }

    fn print(&self, cell: CellId, stream: Stream, text: &str) {
        self.send(Event::Output { cell, stream, bytes: text.as_bytes().to_vec() });
    }

    fn display(&self, cell: CellId, kind: DisplayKind, text: &str, display_id: Option<String>) {
        let data = MimeBundle::from([("text/plain".to_owned(), text.into())]);
        self.send(Event::display(cell, kind, data, display_id));
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Evaluator for Toy {
    fn start(&self, cell: Cell) {
        let State { shells, questions } = &mut *self.lock();
        let lines = cell.code.lines().map(|line| line.trim().to_owned()).collect();
        let shell = shells.entry(cell.shell).or_default();
        shell.jobs.push_back(Job { cell, lines, late: Vec::new() });
        self.advance(shell, questions);
    }

    fn interrupt(&self, cell: CellId) {
        let State { shells, questions } = &mut *self.lock();
        let runs = |shell: &&mut Shell| shell.jobs.front().is_some_and(|job| job.cell.id == cell);
        let Some(shell) = shells.values_mut().find(runs) else { return };
        self.finish(shell, Outcome::Error(report("Interrupted", "the cell was interrupted")));
        self.advance(shell, questions);
    }

    fn reply_to_input(&self, id: u64, reply: Result<String, InputError>) {
        let State { shells, questions } = &mut *self.lock();
        let asks = |shell: &&mut Shell| shell.blocked == Some(Blocked::Answer(id));
        let Some(shell) = shells.values_mut().find(asks) else { return };
        shell.blocked = None;
        match (reply, shell.jobs.front()) {
            (Ok(line), Some(job)) => self.print(job.cell.id, Stream::Stdout, &format!("answer: {line}\n")),
            (Err(error), _) => self.finish(shell, Outcome::Error(report("Error", &format!("no input: {error:?}")))),
            (Ok(_), None) => {}
        }
        self.advance(shell, questions);
    }

    fn complete(&self, code: String, cursor: usize) -> BoxFuture<'static, Completions> {
        let start = code[..cursor].rfind(char::is_whitespace).map_or(0, |space| space + 1);
        let begun = |word: &&str| word.starts_with(&code[start..cursor]);
        let item = |text: &str| Completion { text: text.to_owned(), kind: "keyword", signature: None };
        let items = WORDS.into_iter().filter(begun).map(item).collect();
        future::ready(Completions { start, end: cursor, items }).boxed()
    }

    fn inspect(&self, code: String, cursor: usize, detailed: bool) -> BoxFuture<'static, Option<MimeBundle>> {
        let word = code[..cursor].split_whitespace().next_back().filter(|word| WORDS.contains(word));
        let text =
            word.map(|word| if detailed { format!("the command `{word}`, in detail") } else { format!("`{word}`") });
        future::ready(text.map(|text| MimeBundle::from([("text/plain".to_owned(), text.into())]))).boxed()
    }

    fn is_complete(&self, code: &str) -> Completeness {
        match code {
            _ if code.ends_with('\\') => Completeness::Incomplete { indent: "  ".to_owned() },
            _ if code.starts_with(')') => Completeness::Invalid,
            _ => Completeness::Complete,
        }
    }

    fn query(&self, _query: Query) -> BoxFuture<'static, Result<MimeBundle, String>> {
        future::ready(Err("the toy language has no tasks".to_owned())).boxed()
    }

    fn shutdown(&self) {
        self.lock().shells.clear();
    }
}

/// Prints this many MiB of lines, and waits whenever too many of them are on their way.
async fn flood(events: Sender<Event>, cell: CellId, megabytes: usize) {
    let line = format!("{}\n", "~".repeat(63));
    let wave = line.repeat(WAVE / line.len()).into_bytes();
    for _ in 0..megabytes * ((1 << 20) / WAVE) {
        while events.len() > AHEAD {
            async_std::task::sleep(Duration::from_millis(1)).await;
        }
        let printed = Event::Output { cell, stream: Stream::Stdout, bytes: wave.clone() };
        if events.send(printed).await.is_err() {
            return;
        }
    }
    let end = Event::Output { cell, stream: Stream::Stdout, bytes: b"end of the flood\n".to_vec() };
    // Nobody listens any more when the kernel is at its end.
    let _ = events.send(end).await;
}

fn add(line: &str) -> Option<i64> {
    line.split('+').map(|number| number.trim().parse::<i64>().ok()).sum()
}

fn report(ename: &str, evalue: &str) -> Report {
    let traceback = vec![format!("\u{1b}[31m{ename}\u{1b}[0m: {evalue}")];
    Report { ename: ename.to_owned(), evalue: evalue.to_owned(), traceback }
}

/// The bytes that a text with escapes stands for. An escape that is none stays as it is.
fn unescape(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some(escape) = rest.find('\\') {
        bytes.extend_from_slice(&rest.as_bytes()[..escape]);
        rest = &rest[escape + 1..];
        let hex = rest.strip_prefix('x').and_then(|hex| hex.get(..2)).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        let (byte, length) = match (rest.bytes().next(), hex) {
            (_, Some(byte)) => (byte, 3),
            (Some(b'n'), _) => (b'\n', 1),
            (Some(b'r'), _) => (b'\r', 1),
            (Some(b'\\'), _) => (b'\\', 1),
            _ => (b'\\', 0),
        };
        bytes.push(byte);
        rest = &rest[length..];
    }
    bytes.extend_from_slice(rest.as_bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_stand_for_bytes() {
        assert_eq!(unescape(r"a\n\xff\\n\q\"), b"a\n\xff\\n\\q\\");
    }

    #[test]
    fn sums_are_results() {
        assert_eq!((add("1+ 2"), add("1+x"), add("")), (Some(3), None, None));
    }
}
