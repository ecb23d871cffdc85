//! Cells of a subshell that hold nothing but commands which only look: they are answered at once, whatever the main shell
//! does.

use super::RustEvaluator;
use crate::evaluator::commands::{self, Command};
use crate::evaluator::execution::Executions;
use crate::evaluator::link::Connection;
use crate::evaluator::names::Names;
use crate::evaluator::{Cell, Event, Outcome, cell, report};
use loopbook_channel::MimeBundle;
use std::sync::Arc;

impl RustEvaluator {
    /// Answers the cell if it needs no compiler. False if it does.
    pub(super) fn answer_aside(&self, cell: &Cell) -> bool {
        let Some(commands) = only_looks(&cell.code) else { return false };
        let (executions, names, cell) = (self.executions.clone(), self.names.clone(), cell.clone());
        async_std::task::spawn(async move {
            let mut outcome = Outcome::Ok;
            for (line, command) in commands {
                match look(&command, &names, executions.connection()).await {
                    Ok(event) if cell.silent => drop(event),
                    Ok(Shown::Page(data)) => send(&executions, Event::Page { cell: cell.id, data }).await,
                    Ok(Shown::Display(data)) => send(&executions, report::display(cell.id, data)).await,
                    Err(why) => {
                        outcome = Outcome::Error(report::command(&why, cell.number, line));
                        break;
                    }
                }
            }
            send(&executions, Event::Done { cell: cell.id, outcome }).await;
        });
        true
    }
}

/// What a command shows.
enum Shown {
    Display(MimeBundle),
    Page(MimeBundle),
}

/// The commands of the cell with their lines, if there is nothing else in it and none of them changes anything.
fn only_looks(code: &str) -> Option<Vec<(u32, Command)>> {
    let prepared = cell::prepare(0, code, &cell::Known::default()).ok()?;
    if !prepared.rust.trim().is_empty() || prepared.commands.is_empty() {
        return None;
    }
    let parsed = |command: &cell::Command| Some((command.line, commands::parse(&command.name, &command.args).ok()?));
    let parsed: Vec<(u32, Command)> = prepared.commands.iter().map(parsed).collect::<Option<_>>()?;
    let looks = |command: &Command| {
        use Command::{Ask, Help, Type, Vars, Version};
        matches!(command, Ask(_) | Help(_) | Type(_) | Vars | Version)
    };
    parsed.iter().all(|(_, command)| looks(command)).then_some(parsed)
}

async fn look(command: &Command, names: &Names, child: Option<Arc<Connection>>) -> Result<Shown, String> {
    match command {
        Command::Ask(query) => {
            let child = child.ok_or("the loop has not started: run a cell in the main shell first")?;
            let mut bundle = child.query(query.clone()).await?;
            // JupyterLab prefers a JSON viewer to a table.
            bundle.remove("application/json");
            Ok(Shown::Display(bundle))
        }
        Command::Help(Some(name)) => match names.describe(name, true) {
            Some(bundle) => Ok(Shown::Page(bundle)),
            None => Ok(Shown::Page(text(commands::help(Some(name))?))),
        },
        Command::Type(name) => {
            let ty = names.type_of(name).ok_or_else(|| format!("there is no variable `{name}`; `:vars` lists them"))?;
            Ok(Shown::Display(text(format!("{name}: {ty}"))))
        }
        Command::Vars => Ok(Shown::Display(text(names.variables()))),
        Command::Version => Ok(Shown::Display(text(commands::version()))),
        _ => Ok(Shown::Page(text(commands::help(None)?))),
    }
}

async fn send(executions: &Executions, event: Event) {
    let sender = executions.events();
    // Nobody listens any more when the kernel is at its end.
    let _ = sender.send(event).await;
}

fn text(text: String) -> MimeBundle {
    MimeBundle::from([("text/plain".to_owned(), text.into())])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_commands_that_change_nothing_are_answered_aside() {
        for code in [":tasks --all", ":help\n:vars", "// look\n:type x", ":version\n"] {
            assert!(only_looks(code).is_some(), "{code}");
        }
        for code in ["1", ":tasks\n1", ":restart", ":dep rand", ":opt 2", "", ":nonsense", "}"] {
            assert!(only_looks(code).is_none(), "{code}");
        }
    }
}
