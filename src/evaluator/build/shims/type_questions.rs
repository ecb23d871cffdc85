//! How rustc tells the types of variables while it compiles the cell that defines them.
//!
//! It prints the MIR of the cell's function as it has built it, which is before borrows are checked and long before code is
//! generated, with the type of each variable as the parameter of `put_variable`. For that it has to print types with their paths
//! everywhere, also in its messages, where people are better off without. If one of those has a path, rustc says them once
//! more the usual way, without generating code.
//!
//! A type that has no name, or none that a cell can use, is reported as evcxr would, in its words, so that evcxr fails with
//! them and the kernel knows what to do (`errors::not_stored`). Whether a path of another crate, or through a module, leads
//! to something public, rustc is asked when it is first seen, again without generating code.

use super::rustc_alone::SavedCommand;
use super::state::State;
use super::variable_types::{Asked, VariableTypes};
use crate::evaluator::support::typename::{self, Named, Root};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;
use std::process::Output;

/// Has rustc print the MIR of the cell's own function, and of the closures that it consists of.
const PRINT: &str = "-Zdump-mir=run_user_code_ & built";

/// Has rustc print every type with its path.
const WITH_PATHS: &str = "-Ztrim-diagnostic-paths=no";

/// What evcxr's code stores a variable by.
const STORES: &str = "put_variable::<";

/// The variables whose types a cell asks.
#[derive(Debug, Default)]
pub(super) struct Questions(Vec<Asked>);

/// What comes of a compilation that has answered.
pub(super) enum Told {
    /// The types are known, or the cell has errors.
    Enough,
    /// They are in the cell's text now, which must be compiled once more.
    Written,
    /// A variable cannot be stored, as evcxr would say.
    Refused(String),
}

impl Questions {
    pub(super) fn of(asked: Vec<Asked>) -> Self {
        Self(asked)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Makes the call and learns the types of the variables. The error inside is what evcxr would say of a variable.
    ///
    /// # Errors
    /// If rustc cannot be started, or what it has said not be read.
    pub(super) fn compile(
        &self,
        state: &State,
        command: &SavedCommand,
        rustc: &Path,
    ) -> io::Result<Result<Output, String>> {
        if self.is_empty() {
            return command.call(rustc, &[]).map(Ok);
        }
        let mut output = command.call(rustc, &self.flags(state))?;
        if !has_understood(&output) {
            return Ok(Ok(output));
        }
        match self.settle(state, command, rustc, output.status.success(), &messages(&output.stderr))? {
            Told::Refused(message) => return Ok(Err(message)),
            Told::Written => return command.call(rustc, &[]).map(Ok),
            Told::Enough => {}
        }
        // With a path in a message, it is not the message that people are used to.
        if messages(&output.stderr).iter().any(has_path) {
            let usual = command.check(state, rustc, &[])?;
            if usual.status.success() == output.status.success() {
                output.stderr = usual.stderr;
            }
        }
        Ok(Ok(output))
    }

    /// What is known of the variables, by name: so that it can be told again without rustc.
    pub(super) fn answers(&self, state: &State) -> Vec<(String, String)> {
        let types = VariableTypes::load(state);
        let answer = |asked: &Asked| (asked.name.clone(), types.code(&asked.placeholder).to_owned());
        self.0.iter().map(answer).collect()
    }

    /// Learns what is known of the variables from what [`Questions::answers`] has given.
    ///
    /// # Errors
    /// If it cannot be noted, or something is missing.
    pub(super) fn learn(&self, state: &State, answers: &[(String, String)]) -> io::Result<()> {
        if self.is_empty() {
            return Ok(());
        }
        let mut types = VariableTypes::load(state);
        for asked in &self.0 {
            let known = answers.iter().find(|(name, _)| *name == asked.name);
            let (_, code) = known.ok_or_else(|| io::Error::other("the type of a variable is not known"))?;
            types.learn(asked, code);
        }
        types.save(state)
    }

    /// The same after cargo has compiled the cell.
    pub(super) fn after_cargo(&self, state: &State, command: &SavedCommand, rustc: &Path) -> io::Result<Told> {
        let output = understood(command.check(state, rustc, &self.flags(state))?)?;
        self.settle(state, command, rustc, output.status.success(), &messages(&output.stderr))
    }

    fn flags(&self, state: &State) -> [String; 3] {
        let directory = state.mir();
        let _there_need_be_none = fs::remove_dir_all(&directory);
        [PRINT.to_owned(), format!("-Zdump-mir-dir={}", directory.display()), WITH_PATHS.to_owned()]
    }

    /// Takes note of what rustc has printed.
    fn settle(
        &self,
        state: &State,
        command: &SavedCommand,
        rustc: &Path,
        success: bool,
        said: &[Value],
    ) -> io::Result<Told> {
        let file = state.cell();
        let text = fs::read_to_string(&file)?;
        let mut types = VariableTypes::load(state);
        let crates = Crates { command, text: &text };
        let printed = printed(state)?;
        let mut named = Vec::new();
        for asked in &self.0 {
            // The end of the cell is never reached, or there are errors; then nothing is stored.
            let Some(ty) = printed.get(asked.name.as_str()) else { continue };
            match typename::named(&asked.name, ty, |first| crates.root(first)) {
                Ok(ty) => named.push((asked, ty)),
                Err(message) if success || said.iter().all(is_about_storing) => return Ok(Told::Refused(message)),
                Err(_) => {}
            }
        }
        if !success {
            return Ok(Told::Enough);
        }
        let is_doubtful =
            |ty: &Named| !ty.is_certain && !typename::foreign(&ty.code).all(|path| types.public.contains(path));
        let is_pointer = named.iter().any(|(_, ty)| ty.is_function);
        if is_pointer || named.iter().any(|(_, ty)| is_doubtful(ty)) {
            fs::write(&file, written(&text, &named))?;
            let output = understood(command.check(state, rustc, &[])?)?;
            if !output.status.success() {
                return Ok(Told::Refused(refusal(&named, &messages(&output.stderr))));
            }
            let seen = named.iter().flat_map(|(_, ty)| typename::foreign(&ty.code)).map(str::to_owned);
            types.public.extend(seen.collect::<Vec<_>>());
        }
        for asked in &self.0 {
            let known = named.iter().find(|(other, _)| *other == asked);
            types.learn(asked, known.map_or("()", |(_, ty)| &ty.code));
        }
        types.save(state)?;
        Ok(if is_pointer { Told::Written } else { Told::Enough })
    }
}

/// Whether rustc has come to an end with the cell, be it to errors.
fn has_understood(output: &Output) -> bool {
    matches!(output.status.code(), Some(0 | 1))
}

fn understood(output: Output) -> io::Result<Output> {
    if has_understood(&output) { Ok(output) } else { Err(io::Error::other("rustc has failed")) }
}

/// The crates that a cell sees.
struct Crates<'a> {
    command: &'a SavedCommand,
    text: &'a str,
}

impl Crates<'_> {
    /// Where a path leads that rustc has printed: it prints the name that a crate has itself.
    fn root(&self, first: &str) -> Root {
        if ["core", "std"].contains(&first) {
            // What a module of the notebook hides is worth a second look.
            let is_hidden = self.text.contains(&format!("mod {first}"));
            return if is_hidden { Root::Crate(first.to_owned()) } else { Root::Std };
        }
        let own_name = |library: &str| {
            let file = Path::new(library).file_stem()?.to_str()?.strip_prefix("lib")?.to_owned();
            Some(file.rsplit_once('-').map_or(file.clone(), |(name, _)| name.to_owned()))
        };
        let known = self.command.externs().filter_map(|given| given.split_once('='));
        let mut found = known.filter(|(_, library)| own_name(library).is_some_and(|name| name == first));
        match (found.next(), found.next()) {
            (Some((name, _)), None) => Root::Crate(name.to_owned()),
            // With two versions of one crate, nobody knows which one is meant: what is written then is not found.
            _ => Root::Notebook,
        }
    }
}

/// The text of a cell with the types of its new variables.
fn written(text: &str, named: &[(&Asked, Named)]) -> String {
    named.iter().fold(text.to_owned(), |text, (asked, ty)| {
        let stored = |ty: &str| format!("{STORES}{ty}>(stringify!({}),", asked.name);
        text.replace(&stored("_"), &stored(&ty.code))
    })
}

/// What evcxr would say of the variable that is not stored by its name.
fn refusal(named: &[(&Asked, Named)], errors: &[Value]) -> String {
    let is_meant =
        |name: &str| errors.iter().any(|error| lines(error).any(|line| line.contains(&format!("stringify!({name}),"))));
    let doubtful = || named.iter().find(|(_, ty)| !ty.is_certain);
    let found = named.iter().find(|(asked, _)| is_meant(&asked.name)).or_else(doubtful).or(named.first());
    let Some((asked, ty)) = found else { return "a variable cannot be stored".to_owned() };
    let is_unseen = errors
        .iter()
        .any(|error| ["E0412", "E0425", "E0433", "E0603"].iter().any(|code| error["code"]["code"] == *code));
    if is_unseen { typename::unknown(&asked.name) } else { typename::unnameable(&asked.name, &ty.code) }
}

/// The types that rustc has printed, by variable.
fn printed(state: &State) -> io::Result<BTreeMap<String, String>> {
    let mut found = BTreeMap::new();
    let files = match fs::read_dir(state.mir()) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(found),
        files => files?,
    };
    for file in files {
        found.extend(stored(&fs::read_to_string(file?.path())?));
    }
    Ok(found)
}

/// The variables that a function stores, with their types.
fn stored(mir: &str) -> Vec<(String, String)> {
    let (mut found, mut name) = (Vec::new(), None);
    for line in mir.lines() {
        if let Some((_, text)) = line.split_once("= const \"") {
            name = text.split('"').next().map(unescaped);
        } else if let Some((_, call)) = line.split_once(STORES)
            && let Some(ty) = up_to_end(call)
            && let Some(name) = name.take()
        {
            found.push((name, ty.to_owned()));
        }
    }
    found
}

/// A name as it is written, from how `Debug` has it: marks that belong to the letter before are `\u{…}` there.
fn unescaped(name: &str) -> String {
    let mut parts = name.split("\\u{");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |plain, part| {
        let (code, rest) = part.split_once('}').unwrap_or_default();
        let character = u32::from_str_radix(code, 16).ok().and_then(char::from_u32);
        plain + &character.map(String::from).unwrap_or_default() + rest
    })
}

/// What stands before the `>` that closes.
fn up_to_end(text: &str) -> Option<&str> {
    let (mut depth, mut before) = (0_usize, ' ');
    for (at, c) in text.char_indices() {
        match c {
            '<' | '{' | '(' | '[' => depth += 1,
            '>' if before == '-' => {}
            '>' if depth == 0 => return Some(&text[..at]),
            '>' | '}' | ')' | ']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        before = c;
    }
    None
}

fn messages(stderr: &[u8]) -> Vec<Value> {
    let lines = String::from_utf8_lossy(stderr);
    lines.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// Whether a message is none of the cell's, but about a variable that is stored.
fn is_about_storing(message: &Value) -> bool {
    let is_error = message["level"] == "error" && message["spans"].as_array().is_some_and(|spans| !spans.is_empty());
    !is_error || lines(message).any(|line| line.contains(STORES))
}

/// The lines that a message points to.
fn lines(message: &Value) -> impl Iterator<Item = &str> {
    let spans = message["spans"].as_array().into_iter().flatten();
    let lines = spans.flat_map(|span| span["text"].as_array().into_iter().flatten());
    lines.filter_map(|line| line["text"].as_str())
}

/// Whether a path stands in what rustc says itself.
fn has_path(said: &Value) -> bool {
    match said {
        Value::String(text) => text.contains("::"),
        Value::Array(parts) => parts.iter().any(has_path),
        Value::Object(parts) => parts.iter().any(|(name, part)| {
            !["rendered", "text", "file_name", "explanation", "artifact"].contains(&name.as_str()) && has_path(part)
        }),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn types_are_read_out_of_the_mir() {
        let mir = "
        _86 = const \"a\";
        _85 = &(*_86);
        _83 = rt::VariableStore::put_variable::<i32>(move _84, move _85, move _87) -> [return: bb54, unwind: bb158];
        _1 = const \"f\";
        _2 = store::put_variable::<(u8, {closure@l.rs:1:2: 3:4}, fn(u8) -> Vec<u8> {f::<u8>})>(move _84) -> [return: bb4];";
        let pair = |name: &str, ty: &str| (name.to_owned(), ty.to_owned());
        let closure = "(u8, {closure@l.rs:1:2: 3:4}, fn(u8) -> Vec<u8> {f::<u8>})";
        assert_eq!(stored(mir), [pair("a", "i32"), pair("f", closure)]);
    }

    #[test]
    fn only_what_rustc_says_itself_tells_that_its_paths_are_long() {
        let span = |label: &str| json!({"spans": [{"label": label, "text": [{"text": "std::mem::drop(x)"}]}], "rendered": "a::b"});
        assert!(!has_path(&span("expected `Vec<u8>`")));
        assert!(has_path(&span("expected `std::vec::Vec<u8>`")));
    }

    #[test]
    fn an_error_in_the_cell_comes_before_what_is_wrong_with_storing() {
        let error = |line: &str| json!({"level": "error", "spans": [{"text": [{"text": line}]}]});
        assert!(is_about_storing(&error("s.put_variable::<_>(stringify!(f), f);")));
        assert!(!is_about_storing(&error("let f = g();")));
        assert!(is_about_storing(
            &json!({"level": "error", "spans": [], "message": "aborting due to 1 previous error"})
        ));
    }

    #[test]
    fn types_are_written_where_they_were_asked() {
        let asked = Asked { name: "f".into(), placeholder: "p".into() };
        let ty = Named { code: "fn(u8)".into(), is_function: true, is_certain: true };
        let text = "s.put_variable::<_>(stringify!(f), f); s.put_variable::<_>(stringify!(ff), ff);";
        let expected = "s.put_variable::<fn(u8)>(stringify!(f), f); s.put_variable::<_>(stringify!(ff), ff);";
        assert_eq!(written(text, &[(&asked, ty)]), expected);
    }

    #[test]
    fn a_name_is_read_as_it_is_written() {
        assert_eq!(unescaped("plain"), "plain");
        assert_eq!(unescaped("म\\u{942}ल\\u{94d}य"), "मूल्य");
    }
}
