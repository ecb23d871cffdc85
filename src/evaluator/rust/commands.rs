//! What the commands of a cell do.

use super::looks::{self, Knows, unknown};
use super::session::{Session, open_context};
use crate::evaluator::build::built_in::CARGO_CONFIG;
use crate::evaluator::build::dependencies::Dependency;
use crate::evaluator::cell::PreparedCell;
use crate::evaluator::commands::{Command, Look};
use crate::evaluator::errors::gone::How;
use crate::evaluator::errors::report;
use crate::evaluator::support::wording;
use crate::evaluator::{Cell, Event};
use loopbook_channel::MimeBundle;

/// What follows a command.
pub(super) enum Next {
    /// The rest of the cell.
    GoOn,
    /// Nothing: the command was about the rest of the cell.
    Stop,
}

impl Session {
    /// Does what a command says. The error is a sentence for the user.
    pub(super) fn run_command(
        &mut self,
        cell: &Cell,
        command: &Command,
        prepared: &PreparedCell,
    ) -> Result<Next, String> {
        match command {
            Command::Look(look) => self.look(cell, look)?,
            Command::Clear => self.clear(cell)?,
            Command::Dep(lines) => self.add_dependencies(cell, lines)?,
            Command::Deps => self.list_dependencies(cell),
            Command::Doc(name) => {
                let bundle = self.look_up(name).ok_or_else(|| unknown(name))?;
                self.show(cell, bundle);
            }
            Command::Env(name, value) => self.set_variable(cell, name, value)?,
            Command::Explain(code) => self.explain(cell, code.as_deref())?,
            Command::ExpandCell => {
                self.show_text(cell, &prepared.rust);
                return Ok(Next::Stop);
            }
            Command::Opt(level) => self.optimise(cell, level)?,
            Command::Output(wish) => self.executions.send(Event::Printing { cell: cell.id, wish: *wish }),
            Command::Restart => self.restart(cell),
            Command::Timing => {
                self.timing = !self.timing;
                let text = if self.timing { "Each cell now says what of it took how long." } else { "Timing is off." };
                self.show_text(cell, text);
            }
            Command::Types => {
                self.notebook.typed = !self.notebook.typed;
                let text = if self.notebook.typed {
                    "From the next cell on, values show their types."
                } else {
                    "Types are off."
                };
                self.show_text(cell, text);
            }
        }
        Ok(Next::GoOn)
    }

    pub(super) fn show_text(&self, cell: &Cell, text: &str) {
        self.show(cell, MimeBundle::from([("text/plain".to_owned(), text.into())]));
    }

    pub(super) fn show(&self, cell: &Cell, data: MimeBundle) {
        if !cell.silent {
            self.executions.send(report::display(cell.id, data));
        }
    }

    fn look(&mut self, cell: &Cell, look: &Look) -> Result<(), String> {
        let (executions, live) = (self.executions.clone(), self.live.clone());
        let shown = async_std::task::block_on(looks::look(look, cell, &executions, &live, self))?;
        shown.into_iter().for_each(|event| executions.send(event));
        Ok(())
    }

    /// Sets it in the process that runs the cells, by a cell of our own.
    fn set_variable(&mut self, cell: &Cell, name: &str, value: &str) -> Result<(), String> {
        let code = format!("unsafe {{ ::std::env::set_var({name:?}, {value:?}) }};");
        self.context.execute(&code).map_err(|error| format!("`{name}` could not be set: {error}"))?;
        self.show_text(cell, &format!("{name} is now {value:?} for the cells."));
        Ok(())
    }

    fn explain(&self, cell: &Cell, code: Option<&str>) -> Result<(), String> {
        let code = code
            .or(self.last_code.as_deref())
            .ok_or("no cell has failed yet, or the last error has no code that rustc explains")?;
        let told = self.environment.explain(code).map_err(|error| format!("rustc could not be asked: {error}"))?;
        let told = told.ok_or_else(|| format!("rustc knows no error {code}"))?;
        let data = [("text/plain", told.clone()), ("text/markdown", told)];
        self.show(cell, data.map(|(mime, text)| (mime.to_owned(), text.into())).into());
        Ok(())
    }

    fn list_dependencies(&self, cell: &Cell) {
        let lines: Vec<_> = self.dependencies.iter().map(Dependency::line).collect();
        let text = if lines.is_empty() { "No crates were added.".to_owned() } else { lines.join("\n") };
        self.show_text(cell, &text);
    }

    fn restart(&mut self, cell: &Cell) {
        let lost = self.variables();
        self.note_all_gone(cell.number, &How::Command(":restart"));
        let left = self.replace_child();
        let lost =
            if lost.is_empty() { "There were no variables.".into() } else { format!("Gone: {}.", lost.join(", ")) };
        let kept = "Background tasks have ended. Functions, types, `use` and dependencies are kept.";
        let left = wording::programs_left(&left).unwrap_or_default();
        let text = format!("The process that runs the cells was restarted. {lost} {kept} {left}");
        self.show_text(cell, text.trim_end());
    }

    /// Begins the notebook anew: nothing that a cell defined is left.
    fn clear(&mut self, cell: &Cell) -> Result<(), String> {
        self.note_all_gone(cell.number, &How::Command(":clear"));
        self.end_child();
        self.restore_runtime().map_err(|error| format!("the runtime cannot be put back: {error}"))?;
        let (context, last_words) =
            open_context(self.environment.child_command()).map_err(|error| wording::sentence(&error))?;
        self.replace_context(context, last_words);
        self.forget_everything();
        self.show_text(cell, "Everything was cleared: variables, tasks, functions, types, `use` and dependencies.");
        Ok(())
    }

    /// Ends the process that runs the cells; evcxr notices and starts another. Gives the names of programs that go on.
    pub(super) fn replace_child(&mut self) -> Vec<String> {
        let left = self.end_child();
        let _it_has_ended = self.context.execute("();");
        self.had_child = false;
        left
    }

    fn end_child(&self) -> Vec<String> {
        let Some(connection) = self.executions.connection() else { return Vec::new() };
        let left = connection.kill();
        let _it_was_killed = self.executions.wait_for_last_words();
        left
    }

    /// Cells are compiled with this level from now on; what they link stays as it is.
    fn optimise(&mut self, cell: &Cell, level: &str) -> Result<(), String> {
        let before = std::mem::replace(&mut self.level, level.to_owned());
        if let Err(error) = self.write_level() {
            self.level = before;
            return Err(format!("the level cannot be changed: {error}"));
        }
        let loops = match level {
            "0" | "1" => "",
            _ => {
                " Their loops no longer look for interrupts: ending one takes a second interrupt, which costs the variables."
            }
        };
        self.show_text(
            cell,
            &format!("Cells are now compiled with opt-level {level}. The runtime stays optimised.{loops}"),
        );
        Ok(())
    }

    /// Tells cargo the level that cells are compiled with.
    ///
    /// # Errors
    /// If the working directory cannot be written.
    pub(super) fn write_level(&self) -> std::io::Result<()> {
        let config = CARGO_CONFIG.replacen("opt-level = 0", &format!("opt-level = {}", self.level), 1);
        std::fs::write(self.environment.work.root().join(".cargo/config.toml"), config)
    }
}

/// The main shell knows what evcxr does, and rust-analyzer.
impl Knows for Session {
    fn variables_and_types(&self) -> Vec<(String, String)> {
        self.shown_variables().into_iter().collect()
    }

    fn look_up(&mut self, name: &str) -> Option<MimeBundle> {
        Self::look_up(self, name)
    }

    fn where_gone(&self, name: &str) -> Option<String> {
        self.gone.about(name).map(|(sentence, _)| sentence)
    }
}
