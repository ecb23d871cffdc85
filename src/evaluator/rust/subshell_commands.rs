//! Commands in cells of a subshell. Those that only look are done at once, whatever the main shell does; those that change
//! the notebook wait for the main shell.

use super::RustEvaluator;
use super::live::Live;
use super::looks::look;
use crate::evaluator::cell::subshell::{Plan, plan};
use crate::evaluator::child::executions::Executions;
use crate::evaluator::commands::Look;
use crate::evaluator::completion::Names;
use crate::evaluator::errors::report;
use crate::evaluator::{Cell, Event, Outcome};
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
                    let outcome = look_all(&cell, looks, names, &executions, &live).await;
                    if has_code && outcome == Outcome::Ok {
                        return subshells.submit(cell);
                    }
                    outcome
                }
            };
            if executions.take_from_subshell(cell.id) {
                executions.send_async(Event::Done { cell: cell.id, outcome }).await;
            }
        });
        None
    }
}

async fn look_all(
    cell: &Cell,
    looks: Vec<(u32, Look)>,
    mut names: Names,
    executions: &Arc<Executions>,
    live: &Arc<Live>,
) -> Outcome {
    for (line, wanted) in looks {
        match look(&wanted, cell, executions, live, &mut names).await {
            Ok(None) => {}
            Ok(Some(event)) => executions.send_async(event).await,
            Err(why) => return Outcome::Error(report::command(&why, cell.number, line)),
        }
    }
    Outcome::Ok
}
