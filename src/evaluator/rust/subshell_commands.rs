//! Commands in cells of a subshell. Those that only look are done at once, whatever the main shell does; those that change
//! the notebook wait for the main shell.

use super::RustEvaluator;
use super::live::Live;
use crate::evaluator::cell::subshell::{Plan, plan};
use crate::evaluator::child::connection::Connection;
use crate::evaluator::child::executions::Executions;
use crate::evaluator::commands::{self, Command};
use crate::evaluator::completion::Names;
use crate::evaluator::errors::report;
use crate::evaluator::{Cell, Event, Outcome};
use loopbook_channel::MimeBundle;
use std::sync::Arc;

impl RustEvaluator {
    /// Takes a cell of a subshell, unless it changes the notebook: that is for the evaluator's thread, and given back.
    pub(super) fn take_aside(&self, cell: Cell) -> Option<Cell> {
        let plan = match plan(&cell.code) {
            Plan::Change => return Some(cell),
            plan => plan,
        };
        let (executions, names, subshells) = (self.executions.clone(), self.names.clone(), self.subshells.clone());
        let live = self.live.clone();
        executions.begin_in_subshell(&cell);
        async_std::task::spawn(async move {
            let outcome = match plan {
                Plan::Change => return,
                Plan::Refuse { why, line } => Outcome::Error(report::command(&why, cell.number, line)),
                Plan::Run { looks, has_code } => {
                    let outcome = look_all(&cell, looks, &names, &executions, &live).await;
                    if has_code && outcome == Outcome::Ok {
                        return subshells.submit(cell);
                    }
                    outcome
                }
            };
            if executions.take_from_subshell(cell.id) {
                send(&executions, Event::Done { cell: cell.id, outcome }).await;
            }
        });
        None
    }
}

async fn look_all(
    cell: &Cell,
    commands: Vec<(u32, Command)>,
    names: &Names,
    executions: &Arc<Executions>,
    live: &Arc<Live>,
) -> Outcome {
    for (line, command) in commands {
        if let Command::Follow(query) = &command {
            if !cell.silent
                && let Err(why) = live.clone().show(executions.clone(), cell.id, query.clone()).await
            {
                return Outcome::Error(report::command(&why, cell.number, line));
            }
            continue;
        }
        match look(&command, names, executions.connection()).await {
            Ok(event) if cell.silent => drop(event),
            Ok(Shown::Page(data)) => send(executions, Event::Page { cell: cell.id, data }).await,
            Ok(Shown::Display(data)) => send(executions, report::display(cell.id, data)).await,
            Err(why) => return Outcome::Error(report::command(&why, cell.number, line)),
        }
    }
    Outcome::Ok
}

/// What a command shows.
enum Shown {
    Display(MimeBundle),
    Page(MimeBundle),
}

async fn look(command: &Command, names: &Names, child: Option<Arc<Connection>>) -> Result<Shown, String> {
    match command {
        Command::Ask(query) => {
            let child = child.ok_or("the loop has not started: run a cell in the main shell first")?;
            // Without data: JupyterLab prefers a JSON viewer to a table.
            Ok(Shown::Display(child.query(query.clone(), false).await?))
        }
        Command::Help(Some(name)) => match names.look_up(name, true) {
            Some(bundle) => Ok(Shown::Page(bundle)),
            None => Ok(Shown::Page(commands::help(Some(name))?)),
        },
        Command::Type(name) => {
            let ty = names.type_of(name).ok_or_else(|| format!("there is no variable `{name}`; `:vars` lists them"))?;
            Ok(Shown::Display(text(format!("{name}: {ty}"))))
        }
        Command::Vars => Ok(Shown::Display(text(names.variables()))),
        Command::Version => Ok(Shown::Display(text(commands::version()))),
        _ => Ok(Shown::Page(commands::help(None)?)),
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
