//! A quick look at a cell before it is parsed: brackets, strings and comments, and how deeply it nests.
//!
//! It finds what a parser reports badly (a bracket that nobody closes is an error at the end of the text) and what a
//! parser does not survive: parsers recurse, and a text of a million `(` or `!` would overflow the kernel's stack.

use super::fault::{Fault, closing};
use ra_ap_parser::LexedStr;
use ra_ap_syntax::{Edition, SyntaxKind, T};

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

/// Scans a whole cell, token by token, as the parser will get them.
pub(in crate::evaluator::cell) fn scan(text: &str) -> Scan {
    let lexed = LexedStr::new(Edition::Edition2024, text);
    let endless = endless(&lexed);
    let mut scanner = Scanner { text, levels: vec![Level::default()], ..Scanner::EMPTY };
    for token in 0..lexed.len() {
        scanner.at = lexed.text_start(token);
        scanner.token(lexed.kind(token), lexed.text(token));
        if let Some((_, fault)) = endless.as_ref().filter(|(begun, _)| *begun == token) {
            scanner.fault.get_or_insert_with(|| fault.clone());
        }
        if scanner.fault.is_some() {
            break;
        }
    }
    let unclosed = scanner.levels.len() - 1;
    if scanner.fault.is_none() && unclosed > 0 {
        let level = &scanner.levels[unclosed];
        let suspect = scanner.suspect.filter(|inner| *inner > level.at && level.open == b'{');
        scanner.fault = Some(Fault::Unclosed { open: level.open as char, at: level.at, suspect });
    }
    Scan { fault: scanner.fault, longest: scanner.longest, open: unclosed }
}

/// The first token that does not end, and what to say of it.
fn endless(lexed: &LexedStr<'_>) -> Option<(usize, Fault)> {
    lexed.errors().find_map(|(token, message)| {
        let (text, range) = (lexed.text(token), lexed.text_range(token));
        // The lexer does not tell a raw string that does not end from one that does not begin.
        let is_raw = message == "Invalid raw string literal" && text.contains('"') && range.end == lexed.as_str().len();
        let (what, end) = match lexed.kind(token) {
            SyntaxKind::STRING | SyntaxKind::BYTE_STRING | SyntaxKind::C_STRING if is_raw => {
                ("raw string", if text.contains("#\"") { "\"#" } else { "\"" })
            }
            _ if !message.starts_with("Missing trailing ") => return None,
            SyntaxKind::COMMENT => ("comment", "*/"),
            SyntaxKind::CHAR | SyntaxKind::BYTE => ("character", "'"),
            _ => ("string", "\""),
        };
        let first_line = text.lines().next().unwrap_or_default().len();
        Some((token, Fault::Endless { what, end, at: range.start..range.start + first_line }))
    })
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
    /// Where the token at hand begins.
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

impl Scanner<'_> {
    const EMPTY: Scanner<'static> = Scanner {
        text: "",
        at: 0,
        levels: Vec::new(),
        longest: 0,
        fault: None,
        suspect: None,
        line: (0, 0),
        after_block: false,
        after_bang: false,
    };

    fn token(&mut self, kind: SyntaxKind, text: &str) {
        let first = text.as_bytes()[0];
        match kind {
            SyntaxKind::WHITESPACE | SyntaxKind::COMMENT => {}
            T!['('] | T!['['] | T!['{'] => self.open(first),
            T![')'] | T![']'] | T!['}'] => self.close(first),
            // `else` and `as` go on with what a block has begun.
            T![else] | T![as] => self.count(b'.'),
            // `macro_rules! name { … }`: the name leaves the `!` before it in force.
            _ if first.is_ascii_alphanumeric() || first == b'_' || first >= 0x80 => {
                self.count(b'a');
                self.after_bang &= !text.ends_with(['"', '\'']);
            }
            kind => {
                self.count(first);
                self.after_bang = kind == T![!];
            }
        }
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
    }

    fn close(&mut self, close: u8) {
        let at = self.at;
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
        let newline = self.text.as_bytes()[searched..at].iter().rposition(|byte| *byte == b'\n');
        self.line = (newline.map_or(start, |newline| searched + newline + 1), at);
        self.line.0
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
            // Too long for a character, but it ends.
            "f('ab') // '",
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
