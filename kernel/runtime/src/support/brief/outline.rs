//! `Debug` text as it is written, of which the outline is kept: of each list in it, also within others, the first and last
//! items, of each long text its two ends.
//!
//! What is text and what is a list is told by brackets, commas and quotes alone. So a `Debug` of the user's own that writes
//! them in its own way may be shortened at odd places; it is never longer than the limits below say.

use super::{Debug, Instant, Run, SHOWN_WHOLE, Short, Size, grouped};
use std::collections::VecDeque;
use std::fmt::{self, Write};

/// So many items of a list are kept.
pub(super) const FIRST_ITEMS: usize = 20;
pub(super) const LAST_ITEMS: usize = 10;
/// So many fields of a struct or tuple, which people rather want to see all.
const FIRST_FIELDS: usize = 40;
const LAST_FIELDS: usize = 20;
/// Characters of a list or a long text, by how many lists it lies in.
const ROOM: [usize; 4] = [5_000, 4_000, 600, 150];
/// Brackets deeper than this are text.
const DEEPEST: usize = 64;
/// Whether it is time to stop is looked at after so many characters or pieces.
const BETWEEN_LOOKS: u32 = 4_096;

/// How long a value is looked at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// Until this moment at most.
    pub(super) until: Instant,
    /// For so many characters at most.
    pub(super) characters: u64,
}

/// See above.
pub(super) struct Outline {
    /// All of it, as long as it is short.
    whole: Short,
    groups: Vec<Group>,
    /// Open brackets that are deeper than [`DEEPEST`].
    too_deep: usize,
    reading: Reading,
    characters: u64,
    /// How many items the list has had that is the whole value.
    items: Option<u64>,
    patience: Patience,
    since_look: u32,
    stopped: bool,
}

/// Where in the text we are.
enum Reading {
    Plain,
    /// Behind a quotation mark.
    Text {
        text: Run,
        escaped: bool,
    },
    /// Behind an apostrophe, which may begin a character.
    Apostrophe,
    /// Behind the character that follows it, which counts for nothing else.
    Character,
    /// The same if that is a backslash: what follows it closes nothing.
    Escape {
        first: bool,
    },
}

/// What stands between two brackets, or the whole.
struct Group {
    open: Option<char>,
    /// Whether it is a struct, a tuple or the like, rather than a list.
    fields: bool,
    /// Whether its brackets have blanks inside, as those of structs.
    spaced: bool,
    /// How many lists it lies in, itself included.
    level: usize,
    first: Vec<String>,
    last: VecDeque<String>,
    between: u64,
    shortened: bool,
    item: Run,
}

impl Outline {
    /// The outline of a value that lies in `level` lists, as far as patience goes, and how much it is in all.
    pub(super) fn of(value: &dyn Debug, patience: Patience, level: usize) -> (String, Size) {
        let mut outline = Self {
            whole: Short::new(SHOWN_WHOLE),
            groups: vec![Group::new(None, level)],
            too_deep: 0,
            reading: Reading::Plain,
            characters: 0,
            items: None,
            patience,
            since_look: 0,
            stopped: false,
        };
        // A `Debug` that says that it failed has written what it could.
        let _ = write!(outline, "{value:?}");
        outline.finish()
    }

    fn finish(mut self) -> (String, Size) {
        if self.whole.room > 0 {
            return (self.whole.text, Size::Whole);
        }
        if let Reading::Text { text, .. } = std::mem::replace(&mut self.reading, Reading::Plain) {
            let open = format!("\"{}", text.text());
            self.innermost().item.push_part(&open, text.is_shortened());
        }
        while self.groups.len() > 1 {
            self.close(None);
        }
        let size = match self.items {
            _ if self.stopped => Size::Unknown,
            Some(items) if self.groups[0].shortened || self.groups[0].item.is_shortened() => Size::Items(items),
            _ => Size::Characters(self.characters),
        };
        (self.groups[0].item.text(), size)
    }

    fn innermost(&mut self) -> &mut Group {
        let last = self.groups.len() - 1;
        &mut self.groups[last]
    }

    fn read(&mut self, c: char) {
        match &mut self.reading {
            Reading::Plain => self.read_plain(c),
            Reading::Text { text, escaped } => {
                let ends = c == '"' && !*escaped;
                *escaped = c == '\\' && !*escaped;
                if !ends {
                    return text.push(c);
                }
                let (quoted, shortened) = (format!("\"{}\"", text.text()), text.is_shortened());
                self.reading = Reading::Plain;
                self.innermost().item.push_part(&quoted, shortened);
            }
            Reading::Apostrophe => {
                self.reading = if c == '\\' { Reading::Escape { first: true } } else { Reading::Character };
                self.innermost().item.push(c);
            }
            Reading::Escape { first } => {
                self.reading = if c == '\'' && !*first { Reading::Plain } else { Reading::Escape { first: false } };
                self.innermost().item.push(c);
            }
            Reading::Character => {
                self.reading = Reading::Plain;
                // An apostrophe closes it; anything else shows that it was none.
                if c == '\'' { self.innermost().item.push(c) } else { self.read_plain(c) }
            }
        }
    }

    fn read_plain(&mut self, c: char) {
        match c {
            '"' => {
                let room = room(self.innermost().level + 2);
                self.reading = Reading::Text { text: Run::new(room - room / 4, room / 4), escaped: false };
            }
            '\'' => {
                self.reading = Reading::Apostrophe;
                self.innermost().item.push(c);
            }
            '[' | '{' | '(' if self.groups.len() >= DEEPEST => {
                self.too_deep += 1;
                self.innermost().item.push(c);
            }
            '[' | '{' | '(' => {
                let level = self.innermost().level;
                let group = Group::new(Some(c), if c == '(' { level } else { level + 1 });
                self.groups.push(group);
            }
            ']' | '}' | ')' if self.too_deep > 0 => {
                self.too_deep -= 1;
                self.innermost().item.push(c);
            }
            ']' | '}' | ')' if self.innermost().open == Some(opening(c)) => self.close(Some(c)),
            ',' if self.innermost().open.is_some() => self.innermost().end_item(),
            // The blank behind a bracket tells a struct from a map.
            ' ' if self.innermost().is_empty() && self.innermost().open == Some('{') => {
                let group = self.innermost();
                if !group.fields {
                    (group.fields, group.spaced) = (true, true);
                    group.level -= 1;
                    group.item = group.new_item();
                }
            }
            c if c.is_whitespace() && self.innermost().open.is_some() && self.innermost().item.is_blank() => {}
            c => self.innermost().item.push(c),
        }
    }

    /// Ends the innermost group, and puts it into the one around it. Without its bracket if it has none.
    fn close(&mut self, bracket: Option<char>) {
        let Some(mut group) = self.groups.pop() else { return };
        if !group.item.is_blank() {
            group.end_item();
        }
        let count = group.first.len() as u64 + group.between + group.last.len() as u64;
        let shortened = group.shortened || group.between > 0;
        let is_all = self.groups.len() == 1 && self.groups[0].item.is_blank() && !group.fields;
        self.items = is_all.then_some(count);
        let text = group.text(bracket, self.stopped);
        self.innermost().item.push_part(&text, shortened || text.contains(" more …"));
    }

    fn is_late(&mut self) -> bool {
        self.since_look += 1;
        if self.since_look >= BETWEEN_LOOKS {
            self.since_look = 0;
            self.stopped |= Instant::now() >= self.patience.until;
        }
        self.stopped |= self.characters >= self.patience.characters;
        self.stopped
    }
}

impl Write for Outline {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        // It says itself when it has had enough.
        let _ = self.whole.write_str(text);
        for c in text.chars() {
            if self.is_late() {
                return Err(fmt::Error);
            }
            self.characters += 1;
            self.read(c);
        }
        if self.stopped { Err(fmt::Error) } else { Ok(()) }
    }
}

impl Group {
    fn new(open: Option<char>, level: usize) -> Self {
        let room = room(level);
        Self {
            open,
            fields: open == Some('('),
            spaced: false,
            level,
            first: Vec::new(),
            last: VecDeque::new(),
            between: 0,
            shortened: false,
            item: Run::new(room - room / 4, room / 4),
        }
    }

    fn new_item(&self) -> Run {
        let room = room(self.level);
        Run::new(room - room / 4, room / 4)
    }

    fn is_empty(&self) -> bool {
        self.first.is_empty() && self.item.last().is_none()
    }

    fn end_item(&mut self) {
        let (most_first, most_last) = if self.fields { (FIRST_FIELDS, LAST_FIELDS) } else { (FIRST_ITEMS, LAST_ITEMS) };
        let next = self.new_item();
        let item = std::mem::replace(&mut self.item, next);
        self.shortened |= item.is_shortened();
        if self.first.len() < most_first {
            self.first.push(item.text().trim_end().to_owned());
            return;
        }
        self.last.push_back(item.text().trim_end().to_owned());
        if self.last.len() > most_last {
            self.last.pop_front();
            self.between += 1;
        }
    }

    /// All of it with its brackets; of a group that was not read to its end only the beginning.
    fn text(self, bracket: Option<char>, stopped: bool) -> String {
        let blank = if self.spaced { " " } else { "" };
        let inner = if stopped {
            let unseen = self.between + self.last.len() as u64;
            let mut texts = self.first;
            texts.push(format!("… at least {} more …", grouped(unseen)));
            texts.join(", ")
        } else {
            join(self.first, self.last.into(), self.between, self.level)
        };
        let open = self.open.map(String::from).unwrap_or_default();
        let close = bracket.map(String::from).unwrap_or_default();
        format!("{open}{blank}{inner}{blank}{close}")
    }
}

/// The items with commas between them, and the number of those that lie between the first and the last. Only as many as
/// have room at this level, but at least one of the first and one of the last.
pub(super) fn join(mut first: Vec<String>, mut last: Vec<String>, between: u64, level: usize) -> String {
    let room = room(level);
    let length = |text: &String| text.chars().count() + 2;
    let fit = |texts: &mut dyn Iterator<Item = &String>, room: usize| {
        let mut used = 0;
        let fits = |text: &&String| {
            used += length(text);
            used <= room
        };
        texts.take_while(fits).count().max(1)
    };
    let all = first.len() + last.len();
    if first.iter().chain(&last).map(length).sum::<usize>() > room {
        let kept_first = fit(&mut first.iter(), room - room / 4);
        let kept_last = fit(&mut last.iter().rev(), room / 4).min(last.len());
        first.truncate(kept_first);
        last.drain(..last.len() - kept_last);
    }
    let left_out = between + (all - first.len() - last.len()) as u64;
    if left_out > 0 {
        first.push(format!("… {} more …", grouped(left_out)));
    }
    first.append(&mut last);
    first.join(", ")
}

fn room(level: usize) -> usize {
    ROOM[level.min(ROOM.len() - 1)]
}

fn opening(close: char) -> char {
    match close {
        ']' => '[',
        '}' => '{',
        _ => '(',
    }
}
