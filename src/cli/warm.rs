//! `loopbook warm`: compiles the crates that cells link, once per machine, and shows how far it is.

use loopbook_channel::counted;
use std::io::{self, IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::time::Instant;

use crate::evaluator::build::shims::BuildProgress;
use crate::evaluator::build::template::{self, Condition, Look};
use crate::evaluator::build::toolchain::Toolchain;
use crate::home::Home;

pub(super) fn warm() -> anyhow::Result<()> {
    let started = Instant::now();
    let mut line = ProgressLine { is_terminal: io::stdout().is_terminal(), width: 0 };
    let (home, toolchain) = (Home::find()?, Toolchain::find()?);
    if let Condition::Damaged(files) = template::condition(&home, &toolchain, Look::Contents) {
        println!("mending the compiled crates: {}", files_damaged(&files));
    }
    let built = template::warm(&home, &toolchain, Look::Contents, &mut |progress| line.show(&progress));
    line.end();
    println!("ready: {} ({:.0} s)", built?.directory().display(), started.elapsed().as_secs_f64());
    Ok(())
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
