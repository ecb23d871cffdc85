//! The limit on what a cell prints: so much is shown at once. What follows is counted and kept, and its last lines are
//! shown: a page of a million lines helps nobody. `:output` shows the rest.
//!
//! It is kept in a file without a name, which is gone with the kernel.

use super::Kernel;
use crate::evaluator::Printing;
use crate::wire::Metadata;
use loopbook_channel::{CellId, DisplayKind, MimeBundle, Stream, counted};
use std::collections::VecDeque;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::time::{Duration, Instant};

/// Environment variable with the number of lines that a cell may print before what follows is only counted, or `full`.
pub const PRINTED_LINES_ENV: &str = "LOOPBOOK_PRINTED_LINES";
/// That number, if nothing is said: what people and programs print to be read is whole.
const LINES: u64 = 200_000;
/// Lines are taken to have so many bytes, so that a long one counts as several.
const BYTES_PER_LINE: u64 = 160;
/// More than so many bytes of one cell are not kept.
const MOST_KEPT: u64 = 1 << 30;
/// So many of the last lines are shown, and so many characters of each.
const LAST_LINES: usize = 20;
const LAST_CHARACTERS: usize = 500;
/// While a cell prints, what is said of it is brought up to date this often.
const BETWEEN_UPDATES: Duration = Duration::from_millis(500);

/// How many lines of a cell are shown; `None` if all are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Limit(pub(super) Option<u64>);

impl Limit {
    /// What [`PRINTED_LINES_ENV`] says. What is no number is logged and ignored.
    pub(super) fn from_env() -> Self {
        match std::env::var(PRINTED_LINES_ENV).as_deref() {
            Ok("full") => Self(None),
            Ok(text) => Self(Some(text.parse().unwrap_or_else(|_| {
                tracing::warn!("{PRINTED_LINES_ENV}: `{text}` is neither a number of lines nor `full`");
                LINES
            }))),
            Err(_) => Self(Some(LINES)),
        }
    }
}

/// What a cell has printed.
#[derive(Debug, Default)]
pub(super) struct Printed {
    lines: u64,
    bytes: u64,
    /// Bytes of the line that has not ended, as far as they are seen: a carriage return begins it anew.
    line: u64,
    rest: Option<Rest>,
}

/// What was not shown.
#[derive(Debug)]
struct Rest {
    /// `None` if there is no room for it.
    file: Option<File>,
    lines: u64,
    bytes: u64,
    last: VecDeque<String>,
    /// When the user was last told of it, and whether there is more to tell.
    told: Option<Instant>,
    is_new: bool,
}

impl Printed {
    /// Takes what is printed, and gives the part that is shown.
    pub(super) fn admit<'a>(&mut self, text: &'a str, Limit(limit): Limit) -> &'a str {
        let Some(limit) = limit.filter(|_| !text.is_empty()) else { return text };
        let mut shown = 0;
        if self.rest.is_none() {
            for line in text.split_inclusive('\n') {
                if self.lines >= limit || self.bytes + self.line >= limit * BYTES_PER_LINE {
                    break;
                }
                shown += line.len();
                let seen = line.trim_end().rsplit('\r').next().map_or(0, str::len) as u64;
                self.line = if line.contains('\r') { seen } else { self.line + seen };
                if line.ends_with('\n') {
                    (self.lines, self.bytes, self.line) = (self.lines + 1, self.bytes + self.line + 1, 0);
                }
            }
        }
        let (shown, kept) = text.split_at(shown);
        if !kept.is_empty() {
            self.rest.get_or_insert_with(Rest::new).keep(kept);
        }
        shown
    }

    /// Everything that was shown has vanished.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// What to say of the part that is not shown, and whether nothing was said before. `None` if there is nothing new, or
    /// it was said just now and the cell goes on (`waits`).
    pub(super) fn news(&mut self, number: u32, waits: bool) -> Option<(MimeBundle, bool)> {
        let rest = self.rest.as_mut().filter(|rest| rest.is_new)?;
        if waits && rest.told.is_some_and(|told| told.elapsed() < BETWEEN_UPDATES) {
            return None;
        }
        let is_first = rest.told.replace(Instant::now()).is_none();
        rest.is_new = false;
        Some((MimeBundle::from([("text/plain".to_owned(), rest.sentence(number).into())]), is_first))
    }

    /// Whether there is something to say that has not been said.
    pub(super) fn has_news(&self) -> bool {
        self.rest.as_ref().is_some_and(|rest| rest.is_new)
    }

    /// The part that was not shown; `None` if there is none, and an error if it could not be kept.
    pub(super) fn rest(&mut self) -> Option<std::io::Result<String>> {
        let rest = self.rest.as_mut()?;
        let Some(file) = &mut rest.file else { return Some(Err(std::io::ErrorKind::StorageFull.into())) };
        let mut bytes = Vec::new();
        let read = file.seek(SeekFrom::Start(0)).and_then(|_| file.read_to_end(&mut bytes));
        Some(read.map(|_| String::from_utf8_lossy(&bytes).into_owned()))
    }
}

impl Rest {
    fn new() -> Self {
        let file = tempfile::tempfile().inspect_err(|error| tracing::warn!("what is printed is not kept: {error}"));
        Self { file: file.ok(), lines: 0, bytes: 0, last: VecDeque::new(), told: None, is_new: false }
    }

    fn keep(&mut self, text: &str) {
        self.bytes += text.len() as u64;
        self.is_new = true;
        let kept = self.file.as_mut().is_some_and(|file| {
            self.bytes <= MOST_KEPT && file.seek(SeekFrom::End(0)).is_ok() && file.write_all(text.as_bytes()).is_ok()
        });
        if !kept {
            self.file = None;
        }
        for line in text.split_inclusive('\n') {
            match self.last.back_mut() {
                Some(last) if !last.ends_with('\n') => last.push_str(line),
                _ => self.last.push_back(line.to_owned()),
            }
            self.lines += u64::from(line.ends_with('\n'));
            if self.last.len() > LAST_LINES {
                self.last.pop_front();
            }
            if let Some(last) = self.last.back_mut().filter(|last| last.len() > 8 * LAST_CHARACTERS) {
                let end = last.ends_with('\n');
                *last = last.chars().take(LAST_CHARACTERS).chain(Some('…')).chain(end.then_some('\n')).collect();
            }
        }
    }

    fn sentence(&self, number: u32) -> String {
        let more = match self.lines {
            0 => "More".to_owned(),
            lines => counted(lines as usize, "more line"),
        };
        let how = match self.file {
            Some(_) => format!("`:output --cell {number}` shows it"),
            None => "There was no room to keep all of it".to_owned(),
        };
        let last: String = self.last.iter().map(String::as_str).collect();
        let bytes = counted(self.bytes as usize, "byte");
        format!("… {more}, {bytes} in all. {how}. The last of it:\n{}", last.trim_end_matches('\n'))
    }
}

impl Kernel {
    /// Says what is new of the part of a cell's output that is not shown; if it `waits`, not too often.
    pub(super) async fn tell_of_rest(&mut self, cell: CellId, waits: bool) {
        let Some((data, is_first)) = self.outputs.news(cell, waits) else { return };
        let kind = if is_first { DisplayKind::Display } else { DisplayKind::Update };
        let id = format!("loopbook-printed-{}-{cell}", std::process::id());
        self.publish_display(cell, kind, data, Metadata::new(), Some(id)).await;
    }

    /// Does what `:output` says.
    pub(super) async fn obey_output(&mut self, cell: CellId, wish: Printing) {
        let text = match wish {
            Printing::Limit(lines) => {
                self.outputs.limit = Limit(lines);
                match lines {
                    None => "All that cells print is shown from now on.".to_owned(),
                    Some(lines) => {
                        format!("Cells show the first {} that they print from now on.", counted(lines as usize, "line"))
                    }
                }
            }
            Printing::Rest(of) => match self.outputs.rest(of) {
                Some(Ok(text)) => return self.print_whole(cell, &text).await,
                Some(Err(_)) => "There was no room to keep what the cell has printed.".to_owned(),
                None => "Nothing was left out: all that was printed is shown.".to_owned(),
            },
        };
        let data = MimeBundle::from([("text/plain".to_owned(), text.into())]);
        self.display_plainly(cell, data).await;
    }

    async fn print_whole(&mut self, cell: CellId, text: &str) {
        const LINES_AT_ONCE: usize = 1_000;
        let parent = self.outputs.parent(cell);
        let mut lines = text.split_inclusive('\n').peekable();
        while lines.peek().is_some() {
            let some: String = lines.by_ref().take(LINES_AT_ONCE).collect();
            self.outbox.print(parent.as_ref(), Stream::Stdout, &some).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEN: Limit = Limit(Some(10));

    #[test]
    fn what_is_within_the_limit_is_shown() {
        let mut printed = Printed::default();
        for n in 0..10 {
            assert_eq!(printed.admit(&format!("line {n}\n"), TEN), format!("line {n}\n"));
        }
        assert!(!printed.has_news() && printed.news(7, false).is_none());
    }

    #[test]
    fn what_follows_is_counted_and_kept() {
        let mut printed = Printed::default();
        let text: String = (0..100).map(|n| format!("line {n}\n")).collect();
        let shown = printed.admit(&text, TEN);
        assert_eq!(shown.lines().count(), 10);
        assert_eq!(printed.admit("end", TEN), "");
        let (bundle, is_first) = printed.news(7, true).unwrap();
        let told = bundle["text/plain"].as_str().unwrap();
        assert!(
            is_first && told.starts_with("… 90 more lines, 723 bytes in all. `:output --cell 7` shows it"),
            "{told}"
        );
        assert!(told.contains("\nline 81\n") && told.ends_with("line 99\nend"), "{told}");
        assert_eq!(shown.to_owned() + &printed.rest().unwrap().unwrap(), text + "end");
        printed.admit("!", TEN);
        assert!(printed.news(7, true).is_none(), "not so soon");
        assert!(printed.has_news() && !printed.news(7, false).unwrap().1);
    }

    #[test]
    fn one_line_is_no_lines_and_large_numbers_can_be_read() {
        let told = |text: &str| {
            let mut printed = Printed::default();
            printed.admit(text, TEN);
            printed.news(7, false).unwrap().0["text/plain"].as_str().unwrap().to_owned()
        };
        let one = told(&"line\n".repeat(11));
        assert!(one.starts_with("… 1 more line, 5 bytes in all."), "{one}");
        let many = told(&"line\n".repeat(300_010));
        assert!(many.starts_with("… 300,000 more lines, 1,500,000 bytes in all."), "{many}");
    }

    #[test]
    fn long_lines_count_as_several_and_a_progress_bar_as_one() {
        let mut printed = Printed::default();
        assert_eq!(printed.admit(&"x".repeat(2_000), TEN).len(), 2_000);
        assert_eq!(printed.admit("more", TEN), "");
        let mut bar = Printed::default();
        for percent in 0..10_000 {
            assert_ne!(bar.admit(&format!("\r{percent} of many that are to be done"), TEN), "");
        }
        bar.clear();
        assert_eq!(bar.admit("a\n", TEN), "a\n");
    }

    #[test]
    fn nothing_is_held_back_without_a_limit() {
        let text = "a\n".repeat(1_000_000);
        assert_eq!(Printed::default().admit(&text, Limit(None)).len(), text.len());
    }
}
