//! Values in a few thousand characters, whatever their size: the first and last items, the number of all, and how to see
//! the rest.
//!
//! A long collection that we know gives its ends and its length ([`items`]). Everything else is written for a while, and
//! only the outline of it is kept ([`outline`]). So memory does not grow with the value, and time not for long. (What std
//! writes lists with goes through all items also when nobody wants to know of them any more, but then does nothing else.)
//!
//! The limit is in characters first and in time second, so that the same value shows the same text each time.

mod items;
mod outline;
mod run;
mod whole;

pub(crate) use items::Items;
pub use whole::{Whole, whole};

use loopbook_channel::{counted, grouped};
use outline::{Outline, Patience};
use run::Run;
use std::fmt::{self, Debug, Write};
use std::time::{Duration, Instant};

/// A value is shown as it is if its `Debug` has no more characters than this: a list of a thousand small numbers has not.
const SHOWN_WHOLE: usize = 5_000;
/// The same for text of the user's, in characters and lines.
const TEXT_SHOWN_WHOLE: usize = 20_000;
const LINES_SHOWN_WHOLE: usize = 1_000;
/// So much is read of a value's `Debug`, in characters, and of that of an item at one of the ends. About 0.2 s.
const MOST_READ: u64 = 10_000_000;
const MOST_READ_OF_ITEM: u64 = 300_000;
/// If the `Debug` is slow, it is left after this time all the same.
const LONGEST_LOOK: Duration = Duration::from_secs(2);

/// How to see what is left out.
const REMEDY: &str = "`loopbook::whole(&value)` shows all of it";

/// How much there is of something that is not shown whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Size {
    /// Nothing is left out.
    Whole,
    Items(u64),
    Characters(u64),
    /// Nobody has counted to the end.
    Unknown,
}

/// The `Debug` of a value, and a line that says so if something is left out. `items` is the value again, if it is a
/// collection that is known.
pub(crate) fn debug(value: &dyn Debug, items: Option<&dyn Items>) -> String {
    let until = Instant::now() + LONGEST_LOOK;
    let Some(items) = items else {
        return match Outline::of(value, Patience { until, characters: MOST_READ }, 0) {
            (text, Size::Whole) => text,
            (text, size) => format!("{text}\n{}", note(size)),
        };
    };
    // An item takes at least one character, a comma and a blank.
    let may_be_short = items.count() <= SHOWN_WHOLE / 3;
    if let Some(whole) = may_be_short.then(|| written_whole(value)).flatten() {
        return whole;
    }
    format!("{}\n{}", items::ends(items, until), note(Size::Items(items.count() as u64)))
}

/// The `Debug` of a text, likewise.
pub(crate) fn quoted(text: &str) -> String {
    let Some((first, last, between)) = ends(text, SHOWN_WHOLE - 1_000, 1_000) else { return format!("{text:?}") };
    let [first, last] = [first, last].map(|part| format!("{part:?}"));
    let (first, last) = (first.strip_suffix('"').unwrap_or(&first), last.strip_prefix('"').unwrap_or(&last));
    let all = Size::Characters(text.chars().count() as u64);
    format!("{first}… {} …{last}\n{}", counted(between, "character"), note(all))
}

/// A text that is shown: itself, or its beginning and its end.
pub(crate) fn shown_text(text: &str) -> String {
    const LAST_LINES: usize = LINES_SHOWN_WHOLE / 4;
    let lines = text.lines().count();
    if lines > LINES_SHOWN_WHOLE {
        let first: Vec<&str> = text.lines().take(LINES_SHOWN_WHOLE - LAST_LINES).collect();
        let last: Vec<&str> = text.lines().skip(lines - LAST_LINES).collect();
        let between = format!("… {} in between: {REMEDY} …", counted(lines - LINES_SHOWN_WHOLE, "line"));
        // Lines may be long.
        return [message(&first.join("\n")), between, message(&last.join("\n"))].join("\n");
    }
    match ends(text, TEXT_SHOWN_WHOLE - 5_000, 5_000) {
        None => text.to_owned(),
        Some((first, last, between)) => {
            format!("{first}\n… {} in between: {REMEDY} …\n{last}", counted(between, "character"))
        }
    }
}

/// What an error says: itself, or its beginning and its end.
pub(crate) fn message(text: &str) -> String {
    match ends(text, TEXT_SHOWN_WHOLE - 5_000, 5_000) {
        None => text.to_owned(),
        Some((first, last, between)) => format!("{first}… {} in between …{last}", counted(between, "character")),
    }
}

/// What an error says that has nothing but `Debug`.
pub(crate) fn debug_message(value: &dyn Debug) -> String {
    Outline::of(value, Patience { until: Instant::now() + LONGEST_LOOK, characters: MOST_READ }, 0).0
}

/// The beginning and the end of a text in so many characters, and how many lie between; `None` if none do.
fn ends(text: &str, first: usize, last: usize) -> Option<(&str, &str, usize)> {
    // A text of so many bytes cannot have more characters.
    if text.len() <= first + last {
        return None;
    }
    let all = text.chars().count();
    let between = all.checked_sub(first + last).filter(|&between| between > 0)?;
    let from = text.char_indices().nth(first)?.0;
    let to = text.char_indices().rev().nth(last - 1)?.0;
    Some((&text[..from], &text[to..], between))
}

fn note(size: Size) -> String {
    match size {
        Size::Whole => String::new(),
        Size::Items(count) => format!("{} in all; {REMEDY}", counted(count as usize, "item")),
        Size::Characters(count) => format!("{} in all; {REMEDY}", counted(count as usize, "character")),
        Size::Unknown => format!("This is only the beginning, because all of it takes long to write; {REMEDY}"),
    }
}

/// The `Debug` of a value that is short.
fn written_whole(value: &dyn Debug) -> Option<String> {
    let mut short = Short::new(SHOWN_WHOLE);
    // A `Debug` that says that it failed has written what it could.
    let _ = write!(short, "{value:?}");
    (short.room > 0).then_some(short.text)
}

/// Takes text as long as there is room.
struct Short {
    text: String,
    /// In characters; 0 if there was more.
    room: usize,
}

impl Short {
    fn new(room: usize) -> Self {
        Self { text: String::new(), room }
    }
}

impl Write for Short {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let length = text.chars().take(self.room).count();
        self.room -= length;
        if self.room == 0 {
            return Err(fmt::Error);
        }
        self.text.push_str(text);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
