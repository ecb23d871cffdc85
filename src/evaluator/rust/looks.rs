//! Commands that only look: the same in the main shell and in a subshell, but for who knows what the notebook holds.

use super::live::Live;
use crate::evaluator::child::executions::Executions;
use crate::evaluator::commands::{self, Look};
use crate::evaluator::completion::Names;
use crate::evaluator::errors::report;
use crate::evaluator::{Cell, Event, MAIN_SHELL};
use loopbook_channel::MimeBundle;
use std::sync::Arc;

/// Who knows what the notebook holds.
pub(super) trait Knows {
    /// The variables with their types, in alphabetical order.
    fn variables_and_types(&self) -> Vec<(String, String)>;

    /// What is known of a name.
    fn look_up(&mut self, name: &str) -> Option<MimeBundle>;

    /// Where a variable has gone that there was: a sentence.
    fn where_gone(&self, name: &str) -> Option<String>;
}

/// Subshells know what the last cell of the main shell has left.
impl Knows for Names {
    fn variables_and_types(&self) -> Vec<(String, String)> {
        self.variables()
    }

    fn look_up(&mut self, name: &str) -> Option<MimeBundle> {
        Self::look_up(self, name, true)
    }

    fn where_gone(&self, _: &str) -> Option<String> {
        None
    }
}

/// Looks, and gives what there is to show, unless the cell is silent or it has been shown. The error is a sentence for the
/// user.
pub(super) async fn look(
    look: &Look,
    cell: &Cell,
    executions: &Arc<Executions>,
    live: &Arc<Live>,
    notebook: &mut impl Knows,
) -> Result<Option<Event>, String> {
    let text = match look {
        Look::Follow(_) if cell.silent => return Ok(None),
        Look::Follow(query) => {
            live.clone().show(executions.clone(), cell.id, query.clone()).await?;
            return Ok(None);
        }
        Look::Ask(query) => {
            let shell = if cell.shell == MAIN_SHELL { "" } else { " in the main shell" };
            let not_started = || format!("the loop has not started: run a cell{shell} first");
            let connection = executions.connection().ok_or_else(not_started)?;
            // Without data: JupyterLab prefers a JSON viewer to a table.
            let bundle = connection.query(query.clone(), false).await?;
            return Ok((!cell.silent).then(|| report::display(cell.id, bundle)));
        }
        Look::Help(name) => {
            let data = help(name.as_deref(), notebook)?;
            return Ok(Some(Event::Page { cell: cell.id, data }));
        }
        Look::Type(name) => {
            let variables = notebook.variables_and_types();
            let found = variables.into_iter().find(|(variable, _)| variable == name).map(line);
            let missing = || format!("there is no variable `{name}`; `:vars` lists them");
            found.ok_or_else(|| notebook.where_gone(name).unwrap_or_else(missing))?
        }
        Look::Vars => {
            let lines: Vec<_> = notebook.variables_and_types().into_iter().map(line).collect();
            if lines.is_empty() { "There are no variables.".to_owned() } else { lines.join("\n") }
        }
        Look::Version => commands::version(),
    };
    let bundle = MimeBundle::from([("text/plain".to_owned(), text.into())]);
    Ok((!cell.silent).then(|| report::display(cell.id, bundle)))
}

fn line((name, ty): (String, String)) -> String {
    format!("{name}: {ty}")
}

/// What is known of a command or a name, or the list of all commands.
fn help(name: Option<&str>, notebook: &mut impl Knows) -> Result<MimeBundle, String> {
    match (commands::help(name), name) {
        (Err(_), Some(name)) if !name.starts_with(':') => notebook.look_up(name).ok_or_else(|| unknown(name)),
        (about_command, _) => about_command,
    }
}

/// What to say of a name that nobody knows.
pub(super) fn unknown(name: &str) -> String {
    format!(
        "nothing is known of `{name}`: names are those of the notebook, of std, async_std, futures, tokio and loopbook, and \
         what was imported; others need their path, as in `?rand::random` (`:help` lists the commands)"
    )
}
