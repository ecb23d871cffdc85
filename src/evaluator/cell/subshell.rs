//! What becomes of a cell of a subshell: commands that only look are done at once, those that change the notebook wait for
//! the main shell.

use super::{Command as Line, Notebook, prepare};
use crate::evaluator::commands::{self, Command, Look};

/// What is to be done with a cell of a subshell.
#[derive(Debug, PartialEq)]
pub enum Plan {
    /// Its commands change the notebook.
    Change,
    /// A command is wrong, or is in bad company.
    Refuse {
        /// The reason, a sentence.
        why: String,
        /// The command's line, from 1.
        line: u32,
    },
    /// Commands that only look, and Rust behind them.
    Run {
        /// Each with its line, from 1.
        looks: Vec<(u32, Look)>,
        /// Whether Rust follows.
        has_code: bool,
    },
}

/// Decides it from the cell's text.
///
/// ```
/// use loopbook_kernel::evaluator::cell::subshell::{Plan, plan};
/// assert_eq!(plan(":dep rand"), Plan::Change);
/// assert!(matches!(plan(":dep rand\n1"), Plan::Refuse { line: 1, .. }));
/// ```
pub fn plan(code: &str) -> Plan {
    // What does not parse as Rust is reported when it is compiled.
    let Ok(prepared) = prepare(0, code, &Notebook::default()) else {
        return Plan::Run { looks: Vec::new(), has_code: true };
    };
    let has_code = !prepared.rust.trim().is_empty();
    let mut looks = Vec::new();
    for Line { name, args, line } in &prepared.commands {
        match commands::parse(name, args) {
            Ok(Command::Look(look)) => looks.push((*line, look)),
            Ok(_) if !has_code => return Plan::Change,
            Ok(_) => {
                let why = format!(
                    "`{name}` changes the notebook, and waits for the main shell; in a subshell it needs a cell without \
                     code"
                );
                return Plan::Refuse { why, line: *line };
            }
            Err(why) => return Plan::Refuse { why, line: *line },
        }
    }
    Plan::Run { looks, has_code }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_commands_that_change_nothing_are_obeyed_aside() {
        for (code, count) in [(":tasks --all", 1), (":help\n:vars", 2), ("// look\n:type x", 1), (":version\n1", 1)] {
            let Plan::Run { looks, has_code } = plan(code) else { panic!("{code}") };
            assert_eq!((looks.len(), has_code), (count, code.ends_with('1')), "{code}");
        }
        for code in [":restart", ":dep rand", ":opt 2", ":tasks\n:clear"] {
            assert_eq!(plan(code), Plan::Change, "{code}");
        }
    }

    #[test]
    fn code_of_a_subshell_does_not_wait_for_the_main_shell() {
        for code in ["1", "}", "// nothing", ""] {
            let Plan::Run { looks, .. } = plan(code) else { panic!("{code}") };
            assert!(looks.is_empty());
        }
        for (code, name) in
            [(":restart\n1", "`:restart` changes"), (":nonsense", "`:nonsense`"), (":tasks --wrong\n1", "`:tasks`")]
        {
            let Plan::Refuse { why, line: 1 } = plan(code) else { panic!("{code}") };
            assert!(why.contains(name), "{code}: {why}");
        }
    }
}
