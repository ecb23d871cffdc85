//! `loopbook warm`: compiles the crates that cells link, once per machine, and shows how far it is; and what else is wanted,
//! so that the first notebook that asks for it has it at once.

use anyhow::Context as _;
use loopbook_channel::counted;
use serde::Deserialize;
use std::fs;
use std::io::{self, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Instant;

use crate::evaluator::build::dependencies::ahead;
use crate::evaluator::build::shims::BuildProgress;
use crate::evaluator::build::template::{self, Condition, Look, Template};
use crate::evaluator::build::toolchain::Toolchain;
use crate::home::Home;

/// `wanted` are crates as `:dep` takes them, or as `name@version`, and notebooks, by their files.
pub(super) fn warm(wanted: &[String]) -> anyhow::Result<()> {
    let started = Instant::now();
    let mut line = ProgressLine { is_terminal: io::stdout().is_terminal(), width: 0 };
    let (home, toolchain) = (Home::find()?, Toolchain::find()?);
    if let Condition::Damaged(files) = template::condition(&home, &toolchain, Look::Contents) {
        println!("mending the compiled crates: {}", files_damaged(&files));
    }
    let built = template::warm(&home, &toolchain, Look::Contents, &mut |progress| line.show(&progress));
    line.end();
    let template = built?;
    let (notebooks, crates): (Vec<_>, Vec<_>) = wanted.iter().partition(|name| name.ends_with(".ipynb"));
    let machine = Machine { home: &home, toolchain: &toolchain, template: &template };
    if !crates.is_empty() {
        let lines: Vec<String> = crates.into_iter().map(|name| as_dependency(name)).collect();
        machine.prepare(&lines, &std::env::current_dir()?).map_err(anyhow::Error::msg)?;
    }
    for notebook in notebooks {
        let lines = dependencies_of(Path::new(notebook)).with_context(|| format!("cannot read {notebook}"))?;
        let directory = Path::new(notebook).canonicalize()?.parent().map(Path::to_owned).unwrap_or_default();
        machine.prepare(&lines, &directory).map_err(|why| anyhow::anyhow!("{notebook}: {why}"))?;
    }
    println!("ready: {} ({:.0} s)", template.directory().display(), started.elapsed().as_secs_f64());
    Ok(())
}

/// What crates are compiled with and for.
struct Machine<'a> {
    home: &'a Home,
    toolchain: &'a Toolchain,
    template: &'a Template,
}

impl Machine<'_> {
    fn prepare(&self, lines: &[String], directory: &Path) -> Result<(), String> {
        let prepared = ahead::prepare(self.home, self.toolchain, self.template, lines, directory)?;
        println!(
            "{}",
            if prepared.is_empty() { "no crates of its own".to_owned() } else { format!("compiled {prepared}") }
        );
        Ok(())
    }
}

/// `name@version` is what cargo's own commands take.
fn as_dependency(name: &str) -> String {
    match name.split_once('@') {
        Some((name, version)) if !name.contains(['=', '/']) => format!("{name} = \"{version}\""),
        _ => name.to_owned(),
    }
}

/// A notebook's file, as far as it matters.
#[derive(Deserialize)]
struct Notebook {
    cells: Vec<Cell>,
}

#[derive(Deserialize)]
struct Cell {
    cell_type: String,
    source: Source,
}

/// Text, or its lines with their ends.
#[derive(Deserialize)]
#[serde(untagged)]
enum Source {
    Text(String),
    Lines(Vec<String>),
}

/// The arguments of all `:dep`s of a notebook.
fn dependencies_of(notebook: &Path) -> anyhow::Result<Vec<String>> {
    let notebook: Notebook = serde_json::from_slice(&fs::read(notebook)?)?;
    let code = notebook.cells.into_iter().filter(|cell| cell.cell_type == "code");
    let texts = code.map(|cell| match cell.source {
        Source::Text(text) => text,
        Source::Lines(lines) => lines.concat(),
    });
    let of_text = |text: String| -> Vec<String> {
        let lines = text.lines().filter_map(|line| line.trim().strip_prefix(":dep "));
        lines.map(|line| line.trim().to_owned()).collect()
    };
    Ok(texts.flat_map(of_text).collect())
}

/// How many files are damaged, and which one for example.
pub(super) fn files_damaged(files: &[PathBuf]) -> String {
    let first = files.first().map(|file| file.display().to_string()).unwrap_or_default();
    match files.len() {
        1 => format!("the file {first} is damaged"),
        several => format!("{} are damaged, such as {first}", counted(several, "file")),
    }
}

/// One line that is rewritten on a terminal; plain lines elsewhere.
struct ProgressLine {
    is_terminal: bool,
    width: usize,
}

impl ProgressLine {
    fn show(&mut self, progress: &BuildProgress) {
        let text = format!("compiling {} ({} of {})", progress.krate, progress.done, progress.total);
        if self.is_terminal {
            print!("\r{text:width$}", width = self.width);
            self.width = text.chars().count();
            // Nothing depends on the line: a closed terminal must not stop the build.
            let _ = io::stdout().flush();
        } else {
            println!("{text}");
        }
    }

    fn end(&mut self) {
        if self.width > 0 {
            print!("\r{:width$}\r", "", width = self.width);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crate_is_named_as_in_a_cell_or_as_cargo_has_it() {
        for (name, dependency) in [
            ("serde", "serde"),
            ("rand@0.9", "rand = \"0.9\""),
            ("rand = \"0.9\"", "rand = \"0.9\""),
            ("a = { git = \"ssh://git@x/y\" }", "a = { git = \"ssh://git@x/y\" }"),
        ] {
            assert_eq!(as_dependency(name), dependency);
        }
    }

    #[test]
    fn the_crates_of_a_notebook_are_those_of_its_code() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("a.ipynb");
        let text = r#"{"cells": [
            {"cell_type": "markdown", "source": [":dep no"]},
            {"cell_type": "code", "source": [":dep serde\n", ":dep rand = \"0.9\"\n", "let x = 1;"]},
            {"cell_type": "code", "source": "// none\n:dep regex"}
        ], "nbformat": 4}"#;
        fs::write(&file, text).unwrap();
        assert_eq!(dependencies_of(&file).unwrap(), ["serde", "rand = \"0.9\"", "regex"]);
        fs::write(&file, "no notebook").unwrap();
        assert!(dependencies_of(&file).is_err());
    }
}
