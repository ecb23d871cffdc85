//! Text that comes a character at a time, and of which the beginning and the end are kept.

use super::grouped;
use std::collections::VecDeque;

/// See above.
#[derive(Debug)]
pub(super) struct Run {
    first: String,
    last: VecDeque<char>,
    /// Room for more at the beginning, in characters.
    room: usize,
    /// The most that is kept of the end.
    most_last: usize,
    between: u64,
    /// Whether some of the characters stand for others that are left out already.
    shortened: bool,
}

impl Run {
    /// A run that keeps so many characters of its beginning and of its end.
    pub(super) fn new(first: usize, last: usize) -> Self {
        let (text, end) = (String::new(), VecDeque::new());
        Self { first: text, last: end, room: first, most_last: last, between: 0, shortened: false }
    }

    pub(super) fn push(&mut self, c: char) {
        if self.room > 0 {
            self.room -= 1;
            self.first.push(c);
            return;
        }
        self.last.push_back(c);
        if self.last.len() > self.most_last {
            self.last.pop_front();
            self.between += 1;
        }
    }

    /// Adds a text from which something may be left out already.
    pub(super) fn push_part(&mut self, text: &str, shortened: bool) {
        self.shortened |= shortened;
        text.chars().for_each(|c| self.push(c));
    }

    /// The last character.
    pub(super) fn last(&self) -> Option<char> {
        self.last.back().copied().or_else(|| self.first.chars().next_back())
    }

    pub(super) fn is_blank(&self) -> bool {
        self.last.is_empty() && self.first.trim().is_empty()
    }

    /// Whether something is left out.
    pub(super) fn is_shortened(&self) -> bool {
        self.shortened || self.between > 0
    }

    /// What is kept, with the number of what is not between the two ends.
    pub(super) fn text(&self) -> String {
        let mut text = self.first.clone();
        if self.between > 0 {
            match self.shortened {
                true => text.push_str("… and more …"),
                false => text += &format!("… {} characters …", grouped(self.between)),
            }
        }
        text.extend(&self.last);
        text
    }
}
