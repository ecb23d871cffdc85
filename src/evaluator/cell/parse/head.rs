//! What precedes Rust in a cell: line ends, a byte order mark, a shebang, notebook comments and commands.
//!
//! All of it is blanked, character for character, so that lines and columns stay what the user sees.

use super::problem::Problem;
use crate::evaluator::commands::foreign;
use std::ops::Range;

/// A command: a line that begins with a colon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// Its line in the cell, from 1.
    pub line: u32,
    /// Its name with the colon: `:tasks`.
    pub name: String,
    /// What follows the name, trimmed.
    pub args: String,
}

/// A cell without what is not Rust.
#[derive(Debug)]
pub(in crate::evaluator::cell) struct Cleaned {
    pub(in crate::evaluator::cell) text: String,
    pub(in crate::evaluator::cell) commands: Vec<Command>,
}

/// Takes the commands out of a cell and blanks what is not Rust.
pub(in crate::evaluator::cell) fn clean(code: &str) -> Result<Cleaned, Vec<Problem>> {
    // rustc reads `\r\n` as `\n` everywhere, also in strings. The byte order mark is one character for the user too.
    let mut text = code.replace("\r\n", "\n");
    if let Some(rest) = text.strip_prefix('\u{feff}') {
        text = format!(" {rest}");
    }
    let mut commands = Vec::new();
    let mut blanks = Vec::new();
    let mut problems = Vec::new();
    for (index, (range, line)) in head(&text).enumerate() {
        match line {
            Line::Rust | Line::Nothing => {}
            Line::Comment => blanks.push(range),
            Line::Command { name, args } => {
                commands.push(Command { line: index as u32 + 1, name, args });
                blanks.push(range);
            }
            Line::Refused(refusal) => problems.push(refusal.problem(&text, trimmed(&text, range))),
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    for range in blanks.into_iter().rev() {
        let blank = " ".repeat(text[range.clone()].chars().count());
        text.replace_range(range, &blank);
    }
    Ok(Cleaned { text, commands })
}

/// The cell with blanks in place of what is not Rust, as many as bytes, so that offsets stay: what completion and
/// documentation look at.
///
/// ```
/// use loopbook_kernel::evaluator::cell::without_commands;
/// assert_eq!(without_commands("# a\n:vars\nx"), "   \n     \nx");
/// ```
pub fn without_commands(code: &str) -> String {
    let mut text = code.strip_prefix('\u{feff}').map_or_else(|| code.to_owned(), |rest| format!("   {rest}"));
    for (range, _) in head(code).filter(|(_, line)| !matches!(line, Line::Nothing)) {
        text.replace_range(range.clone(), &" ".repeat(range.len()));
    }
    text
}

/// The lines of a cell that begin with the colon of a command, from it on; also those whose command has no name yet.
pub fn command_lines(code: &str) -> impl Iterator<Item = Range<usize>> {
    head(code).filter_map(|(range, _)| {
        let colon = range.end - code[range.clone()].trim_start().len();
        code[colon..range.end].starts_with(':').then_some(colon..range.end)
    })
}

/// What precedes the Rust of a cell: each of its lines, without the byte order mark and the `\n`.
fn head(code: &str) -> impl Iterator<Item = (Range<usize>, Line)> {
    let mut start = code.len() - code.strip_prefix('\u{feff}').unwrap_or(code).len();
    let lines = code[start..].split_inclusive('\n').map(move |line| {
        let range = start..start + line.trim_end_matches('\n').len();
        start += line.len();
        (range.clone(), kind(&code[range]))
    });
    lines.take_while(|(_, line)| !matches!(line, Line::Rust))
}

enum Line {
    /// Rust begins.
    Rust,
    /// Blank, or a Rust comment.
    Nothing,
    /// A comment that is not Rust's.
    Comment,
    Command {
        name: String,
        args: String,
    },
    Refused(Refusal),
}

fn kind(line: &str) -> Line {
    let trimmed = line.trim();
    if trimmed.is_empty() || (trimmed.starts_with("//") && !is_doc(trimmed)) {
        return Line::Nothing;
    }
    if let Some(rest) = trimmed.strip_prefix('#') {
        // Also a shebang, which no `[` follows.
        let rest = rest.trim_start();
        let is_attribute = rest.strip_prefix('!').unwrap_or(rest).trim_start().starts_with('[');
        return if is_attribute { Line::Rust } else { Line::Comment };
    }
    if trimmed.starts_with('%') {
        return Line::Refused(Refusal::Magic);
    }
    if let Some(rest) = trimmed.strip_prefix('!') {
        return if is_shell(rest) { Line::Refused(Refusal::Shell) } else { Line::Rust };
    }
    if let Some(name) = trimmed.strip_prefix('?') {
        // Whoever comes from IPython asks like this.
        return Line::Command { name: ":help".to_owned(), args: name.trim_start_matches('?').trim().to_owned() };
    }
    let Some(rest) = trimmed.strip_prefix(':').filter(|rest| !rest.starts_with(':')) else { return Line::Rust };
    if !rest.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return Line::Refused(Refusal::Nameless);
    }
    let (name, args) = trimmed.split_once(char::is_whitespace).unwrap_or((trimmed, ""));
    Line::Command { name: name.to_owned(), args: args.trim().to_owned() }
}

/// Whether a line behind its `!` reads like a shell's command and not like the rest of `!x.is_empty()`.
fn is_shell(rest: &str) -> bool {
    let after_name = rest.trim_start_matches(|c: char| c.is_alphanumeric() || c == '_');
    let is_call = after_name.starts_with(['.', '(', '[', ':']) && after_name.contains(['(', '[']);
    let is_name = rest.starts_with(|c: char| c.is_ascii_alphabetic());
    (is_name && !is_call) || rest.starts_with(['.', '/'])
}

/// Doc comments belong to the item below, so Rust begins with them.
fn is_doc(comment: &str) -> bool {
    (comment.starts_with("///") && !comment.starts_with("////")) || comment.starts_with("//!")
}

enum Refusal {
    Magic,
    Shell,
    Nameless,
}

impl Refusal {
    fn problem(self, text: &str, range: Range<usize>) -> Problem {
        let problem = match self {
            Self::Magic => {
                let (name, instead) = foreign::magic(&text[range.clone()]);
                Problem::new(format!("`{name}` is IPython's"), text, range, "not a command here").with_help(instead)
            }
            Self::Shell => {
                let instead = foreign::shell(&text[range.start + 1..range.end]);
                Problem::new("lines that begin with `!` are not run in a shell", text, range, "not a command here")
                    .with_help(instead)
                    .with_help("if this is meant as `not`, put it in parentheses")
            }
            Self::Nameless => Problem::new("a command needs a name behind its colon", text, range, "no name")
                .with_help("`:help` lists the commands"),
        };
        problem.of_command()
    }
}

fn trimmed(text: &str, range: Range<usize>) -> Range<usize> {
    let line = &text[range.clone()];
    let start = range.start + line.len() - line.trim_start().len();
    start..start + line.trim().len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cleaned(code: &str) -> Cleaned {
        clean(code).expect("a clean cell")
    }

    #[test]
    fn commands_are_taken_from_the_top() {
        let cell = cleaned("// c\n\n:dep serde = \"1\"\n  :tasks  --all \nlet x = 1;\n");
        assert_eq!(cell.text.lines().map(str::trim).collect::<Vec<_>>(), ["// c", "", "", "", "let x = 1;"]);
        let names: Vec<_> = cell.commands.iter().map(|c| (c.line, c.name.as_str(), c.args.as_str())).collect();
        assert_eq!(names, [(3, ":dep", "serde = \"1\""), (4, ":tasks", "--all")]);
    }

    #[test]
    fn a_question_mark_asks_for_help() {
        let commands = cleaned("?Vec\n?? gather!\n?").commands;
        assert!(commands.iter().all(|command| command.name == ":help"));
        assert_eq!(commands.iter().map(|command| command.args.as_str()).collect::<Vec<_>>(), ["Vec", "gather!", ""]);
    }

    #[test]
    fn a_path_is_not_a_command() {
        assert!(cleaned("::std::mem::drop(1)").commands.is_empty());
    }

    #[test]
    fn what_notebooks_put_on_top_is_blanked() {
        assert_eq!(cleaned("# YOUR CODE HERE\nx").text, "                \nx");
        assert_eq!(cleaned("#!/usr/bin/env run\nx").text.trim(), "x");
        assert_eq!(cleaned("\u{feff}x\r\ny\r\n").text, " x\ny\n");
        for attribute in ["#![allow(unused)]", "#[derive(Debug)]", "#! [a]"] {
            assert_eq!(cleaned(attribute).text, attribute);
        }
    }

    #[test]
    fn what_is_not_rust_is_blanked_byte_for_byte() {
        for (code, rust) in [
            ("# größe\n:dep a\n?b\n// c\nx", "// c\nx"),
            ("\u{feff}%time\r\nx", "x"),
            ("!x.is_empty()\n:tasks", "!x.is_empty()\n:tasks"),
            ("#[a]\nfn f() {}", "#[a]\nfn f() {}"),
        ] {
            let text = without_commands(code);
            assert_eq!((text.trim_start(), text.len()), (rust, code.len()), "{code}");
        }
    }

    #[test]
    fn lines_for_other_kernels_are_refused_with_a_hint() {
        for line in ["!ls -l", "%%time", "%matplotlib", ":", ": x"] {
            let problems = clean(&format!("\n{line}\n")).expect_err(line);
            assert_eq!(problems[0].place(), (2, 1), "{line}");
            assert!(!problems[0].help.is_empty() && problems[0].is_command, "{line}");
        }
        for rust in ["!(a)", "!a.is_empty()", "!f()", "!a[0]", "!!a"] {
            assert_eq!(cleaned(rust).text, rust);
        }
    }
}
