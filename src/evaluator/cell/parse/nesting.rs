//! A quick look at a cell before it is parsed: brackets, strings and comments, and how deeply it nests.
//!
//! It finds what a parser reports badly (a bracket that nobody closes is an error at the end of the text) and what a
//! parser does not survive: parsers recurse, and a text of a million `(` or `!` would overflow the kernel's stack.

use super::fault::{Fault, closing};

/// Brackets that may be open at the same time.
const MAX_BRACKETS: usize = 200;

/// Tokens on the way from the cell to its innermost expression. More than anyone writes by hand.
const MAX_PARTS: usize = 2_000;

/// Blanks in front of a bracket up to which its indentation is looked at.
const MAX_INDENTATION: usize = 200;

/// What was found.
#[derive(Debug, Default)]
pub(in crate::evaluator::cell) struct Scan {
    /// What is wrong, if something is.
    pub(in crate::evaluator::cell) fault: Option<Fault>,
    /// An upper bound of how deeply a parser would recurse.
    pub(in crate::evaluator::cell) longest: usize,
    /// Brackets that are open at the end.
    pub(in crate::evaluator::cell) open: usize,
}

/// Scans a whole cell.
pub(in crate::evaluator::cell) fn scan(text: &str) -> Scan {
    let mut scanner = Scanner { text, bytes: text.as_bytes(), at: 0, levels: vec![Level::default()], ..Scanner::EMPTY };
    while scanner.at < scanner.bytes.len() && scanner.fault.is_none() {
        scanner.token();
    }
    let unclosed = scanner.levels.len() - 1;
    if scanner.fault.is_none() && unclosed > 0 {
        let level = &scanner.levels[unclosed];
        let suspect = scanner.suspect.filter(|inner| *inner > level.at && level.open == b'{');
        scanner.fault = Some(Fault::Unclosed { open: level.open as char, at: level.at, suspect });
    }
    Scan { fault: scanner.fault, longest: scanner.longest, open: unclosed }
}

/// What stands between an opening bracket and its end.
#[derive(Default)]
struct Level {
    open: u8,
    at: usize,
    /// Where its line begins.
    line: usize,
    /// Parts of everything around it.
    base: usize,
    /// `base` and the parts of the expression at hand.
    parts: usize,
    /// Arguments of a macro are not parsed: they nest only by brackets.
    flat: bool,
}

struct Scanner<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    levels: Vec<Level>,
    longest: usize,
    fault: Option<Fault>,
    /// The first `{` whose `}` begins a line with another indentation than its own line.
    suspect: Option<usize>,
    /// Where the last line that was asked for begins, and how far it was searched.
    line: (usize, usize),
    /// The last token was a `}`: a statement may have ended with it.
    after_block: bool,
    /// The last token was a `!`, or a `!` and a name: a bracket now holds a macro's arguments.
    after_bang: bool,
}

impl<'a> Scanner<'a> {
    const EMPTY: Scanner<'static> = Scanner {
        text: "",
        bytes: &[],
        at: 0,
        levels: Vec::new(),
        longest: 0,
        fault: None,
        suspect: None,
        line: (0, 0),
        after_block: false,
        after_bang: false,
    };

    fn token(&mut self) {
        let start = self.at;
        match self.bytes[start] {
            b' ' | b'\t' | b'\n' | b'\r' | 0x0c => self.at += 1,
            b'/' if self.peek(1) == Some(b'/') => {
                self.at = self.text[start..].find('\n').map_or(self.bytes.len(), |n| start + n)
            }
            b'/' if self.peek(1) == Some(b'*') => self.block_comment(),
            open @ (b'(' | b'[' | b'{') => self.open(open),
            close @ (b')' | b']' | b'}') => self.close(close),
            b'"' => {
                self.count(b'"');
                self.string(start, "string");
            }
            b'\'' => {
                self.count(b'\'');
                self.quote(start);
            }
            byte if byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80 => self.word(),
            byte => {
                self.count(byte);
                self.at += 1;
                self.after_bang = byte == b'!';
            }
        }
    }

    fn peek(&self, ahead: usize) -> Option<u8> {
        self.bytes.get(self.at + ahead).copied()
    }

    /// Counts a token that begins with `first`; `;` and `,` end what came before.
    fn count(&mut self, first: u8) {
        let ended = std::mem::take(&mut self.after_block)
            && (first.is_ascii_alphanumeric() || matches!(first, b'_' | b'#' | b'\'' | b'"' | b'(' | b'[' | b'{'));
        let at = self.at;
        let level = self.level();
        if ended || matches!(first, b';' | b',') {
            level.parts = level.base;
        }
        if !level.flat {
            level.parts += 1;
        }
        let parts = level.parts;
        self.longest = self.longest.max(parts);
        if parts > MAX_PARTS {
            self.fault.get_or_insert(Fault::TooDeep { at });
        }
    }

    fn level(&mut self) -> &mut Level {
        self.levels.last_mut().expect("the outermost level is never closed")
    }

    fn open(&mut self, open: u8) {
        self.count(open);
        let parts = self.level().parts;
        let flat = std::mem::take(&mut self.after_bang) || self.level().flat;
        let line = self.line_start(self.at);
        self.levels.push(Level { open, at: self.at, line, base: parts, parts, flat });
        if self.levels.len() > MAX_BRACKETS {
            self.fault.get_or_insert(Fault::TooDeep { at: self.at });
        }
        self.at += 1;
    }

    fn close(&mut self, close: u8) {
        let at = self.at;
        self.at += 1;
        self.after_bang = false;
        let level = self.level();
        let (open, opened, opened_in) = (level.open as char, level.at, level.line);
        if open == '\0' {
            self.fault = Some(Fault::Unopened { close: close as char, at });
        } else if closing(open) != close as char {
            self.fault = Some(Fault::Mismatch { open, opened, close: close as char, at });
        } else {
            self.levels.pop();
            self.after_block = close == b'}';
            if self.after_block && self.suspect.is_none() && self.is_indented_otherwise(opened_in, at) {
                self.suspect = Some(opened);
            }
        }
    }

    /// Whether the line begins with the bracket at `at`, and not as the line does that begins at `other`.
    fn is_indented_otherwise(&mut self, other: usize, at: usize) -> bool {
        let start = self.line_start(at);
        let blank = &self.text[start..at];
        let is_first = blank.len() <= MAX_INDENTATION && blank.bytes().all(|byte| matches!(byte, b' ' | b'\t'));
        let same = self.text[other..].strip_prefix(blank).is_some_and(|rest| !rest.starts_with([' ', '\t']));
        is_first && start != other && !same
    }

    /// Where the line around `at` begins; asked for places further and further behind.
    fn line_start(&mut self, at: usize) -> usize {
        let (start, searched) = self.line;
        let newline = self.bytes[searched..at].iter().rposition(|byte| *byte == b'\n');
        self.line = (newline.map_or(start, |newline| searched + newline + 1), at);
        self.line.0
    }

    /// A word or number, with the literals that begin like one (`r"…"`, `b'…'`, `c"…"`).
    fn word(&mut self) {
        let start = self.at;
        let is_part = |c: char| c.is_alphanumeric() || c == '_' || !c.is_ascii();
        let len = self.text[start..].find(|c| !is_part(c)).unwrap_or(self.bytes.len() - start);
        let word = &self.text[start..start + len];
        // `else` and `as` go on with what a block has begun.
        let first = if matches!(word, "else" | "as") { b'.' } else { b'a' };
        self.count(first);
        self.at += len;
        match (word, self.peek(0)) {
            ("r" | "br" | "cr", Some(b'"' | b'#')) => self.raw(start),
            ("b" | "c", Some(b'"')) => self.string(start, "string"),
            ("b", Some(b'\'')) => self.quote(start),
            // `macro_rules! name { … }`: the name leaves the `!` before it in force.
            _ => return,
        }
        self.after_bang = false;
    }

    fn string(&mut self, start: usize, what: &'static str) {
        self.after_bang = false;
        self.at += 1;
        while let Some(byte) = self.peek(0) {
            self.at += if byte == b'\\' { 2 } else { 1 };
            if byte == b'"' {
                return;
            }
        }
        self.endless(what, "\"", start);
    }

    /// A raw string, or a raw identifier.
    fn raw(&mut self, start: usize) {
        let hashes = self.bytes[self.at..].iter().take_while(|byte| **byte == b'#').count();
        if self.peek(hashes) != Some(b'"') {
            self.at += hashes;
            return;
        }
        let mut end = String::from("\"");
        end.push_str(&"#".repeat(hashes));
        let body = self.at + hashes + 1;
        match self.text[body..].find(&end) {
            Some(length) => self.at = body + length + end.len(),
            None => self.endless("raw string", if hashes == 0 { "\"" } else { "\"#" }, start),
        }
    }

    /// A character, or a lifetime.
    fn quote(&mut self, start: usize) {
        self.after_bang = false;
        self.at += 1;
        if self.peek(0) == Some(b'\\') {
            let rest = &self.bytes[self.at + 1..];
            let end = rest.iter().skip(1).position(|byte| matches!(byte, b'\'' | b'\n'));
            match end.filter(|end| rest[end + 1] == b'\'') {
                Some(end) => self.at += end + 3,
                None => self.endless("character", "'", start),
            }
            return;
        }
        let mut chars = self.text[self.at..].chars();
        let Some(first) = chars.next() else { return self.endless("character", "'", start) };
        if chars.next() == Some('\'') {
            self.at += first.len_utf8() + 1;
        } else if !(first.is_alphanumeric() || first == '_') {
            self.endless("character", "'", start);
        }
    }

    fn block_comment(&mut self) {
        let start = self.at;
        let mut depth = 0;
        while self.at < self.bytes.len() {
            match (self.bytes[self.at], self.peek(1)) {
                (b'/', Some(b'*')) => depth += 1,
                (b'*', Some(b'/')) => depth -= 1,
                _ => {
                    self.at += 1;
                    continue;
                }
            }
            self.at += 2;
            if depth == 0 {
                return;
            }
        }
        self.endless("comment", "*/", start);
    }

    fn endless(&mut self, what: &'static str, end: &'static str, start: usize) {
        let line_end = self.text[start..].find('\n').map_or(self.bytes.len(), |n| start + n);
        self.fault = Some(Fault::Endless { what, end, at: start..line_end });
        self.at = self.bytes.len();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_in_strings_comments_and_characters_do_not_count() {
        for text in [
            "\"(\"",
            "'('",
            "b'('",
            "// (",
            "/* ( /* { */ */",
            "r#\"(\"#",
            "br\"{\"",
            "c\"(\"",
            "'\\''",
            "'\\u{41}'",
            "let x: &'a str = r#type;",
            "'outer: loop { break 'outer; }",
            "\"\\\"(\"",
            "'é'",
            "b'\\''",
            "'\\\\'",
        ] {
            assert_eq!(scan(text).fault, None, "{text}");
        }
    }

    #[test]
    fn the_open_bracket_is_named() {
        assert_eq!(scan("f(a, {1)").fault, Some(Fault::Mismatch { open: '{', opened: 5, close: ')', at: 7 }));
        assert_eq!(scan("f(a, b").fault, Some(Fault::Unclosed { open: '(', at: 1, suspect: None }));
        let fault = scan("fn f() {\n    if a {\n}").fault;
        assert_eq!(fault, Some(Fault::Unclosed { open: '{', at: 7, suspect: Some(18) }));
        assert_eq!(scan("}").fault, Some(Fault::Unopened { close: '}', at: 0 }));
    }

    #[test]
    fn text_that_does_not_end_is_found() {
        for text in ["\"abc", "/* a", "r#\"a\"", "'\\n", "b\"", "\"a\\\"", "'", "c\"x"] {
            assert!(matches!(scan(text).fault, Some(Fault::Endless { .. })), "{text}: {:?}", scan(text).fault);
        }
    }

    #[test]
    fn what_no_parser_survives_is_refused() {
        for part in ["(", "!", "-", "a+", "a.b().", "if x {} else ", "S{}+", "a=", "Box<", "|x| ", "match x {} as y "] {
            let fault = scan(&part.repeat(100_000)).fault;
            assert!(matches!(fault, Some(Fault::TooDeep { .. })), "{part}: {fault:?}");
        }
    }

    #[test]
    fn long_texts_that_do_not_nest_are_fine() {
        for part in
            ["f();", "fn f() {}\n", "if x {}\n", "struct S { a: u8, b: u8 }\n", "x = y;", "#[a] fn f() { g(1) }\n"]
        {
            assert_eq!(scan(&part.repeat(100_000)).fault, None, "{part}");
        }
        assert_eq!(scan(&format!("vec![{}]", "1, ".repeat(300_000))).fault, None);
        assert_eq!(scan(&format!("html! {{ {} }}", "a b ".repeat(300_000))).fault, None);
    }
}
