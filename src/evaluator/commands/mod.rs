//! The commands that a cell can begin with: a closed list, each ours or refused with a reason.
//!
//! None of evcxr's own commands is passed on blindly: several of them lose state, end the kernel, or replace the crates
//! that the loop lives in.

pub mod foreign;
mod list;

pub use list::{COMMANDS, Description, describe, help};

use super::Printing;
use loopbook_channel::{Query, TaskId, TaskOrder};

/// What `:tasks --sort` takes.
pub const ORDERS: [(&str, TaskOrder); 9] = [
    ("id", TaskOrder::Id),
    ("name", TaskOrder::Name),
    ("state", TaskOrder::State),
    ("cell", TaskOrder::Cell),
    ("busy", TaskOrder::Busy),
    ("scheduled", TaskOrder::Scheduled),
    ("idle", TaskOrder::Idle),
    ("polls", TaskOrder::Polls),
    ("wakes", TaskOrder::Wakes),
];

/// A command, understood.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// `:clear`.
    Clear,
    /// `:dep`: what stands behind it, for each of several that follow each other.
    Dep(Vec<String>),
    /// `:deps`.
    Deps,
    /// `:doc`.
    Doc(String),
    /// `:env`: a name and its value.
    Env(String, String),
    /// `:expand-cell`.
    ExpandCell,
    /// `:explain`: an error code, else that of the last error.
    Explain(Option<String>),
    /// `:help`.
    Help(Option<String>),
    /// `:opt`: the level.
    Opt(String),
    /// `:output`.
    Output(Printing),
    /// `:restart`.
    Restart,
    /// `:timing`.
    Timing,
    /// What the inspector answers.
    Ask(Query),
    /// The same, kept up to date.
    Follow(Query),
    /// `:type`.
    Type(String),
    /// `:types`.
    Types,
    /// `:vars`.
    Vars,
    /// `:version`.
    Version,
}

/// Understands a command: `name` with its colon, `args` as typed.
///
/// ```
/// use loopbook_kernel::evaluator::commands::{Command, parse};
/// assert_eq!(parse(":vars", ""), Ok(Command::Vars));
/// assert!(parse(":quit", "").unwrap_err().contains("Shut Down"));
/// ```
///
/// # Errors
/// A sentence for the user: what is wrong and what to type instead.
pub fn parse(name: &str, args: &str) -> Result<Command, String> {
    let args = args.trim();
    match name {
        ":cancel" => cancel(args),
        ":clear" => none(args, Command::Clear, ":clear"),
        ":dep" => Ok(Command::Dep(vec![required(args, ":dep NAME = \"VERSION\"")?])),
        ":deps" => none(args, Command::Deps, ":deps"),
        ":doc" => Ok(Command::Doc(required(args, ":doc NAME")?)),
        ":env" => variable(args),
        ":explain" => explain(args),
        ":expand-cell" => none(args, Command::ExpandCell, ":expand-cell"),
        ":help" => Ok(Command::Help((!args.is_empty()).then(|| args.to_owned()))),
        ":lints" => none(args, Command::Ask(Query::Lints), ":lints"),
        ":loop" => the_loop(args),
        ":opt" if ["0", "1", "2", "3"].contains(&args) => Ok(Command::Opt(args.to_owned())),
        ":opt" => Err("`:opt` takes a level from 0 to 3, as in `:opt 2`".into()),
        ":output" => output(args),
        ":pstree" if args.is_empty() => Ok(Command::Ask(Query::Tree { id: None })),
        ":pstree" => Ok(Command::Ask(Query::Tree { id: Some(task_id(args, ":pstree")?) })),
        ":resources" => none(args, Command::Ask(Query::Resources), ":resources"),
        ":restart" => none(args, Command::Restart, ":restart"),
        ":task" => Ok(Command::Ask(Query::Task { id: task_id(args, ":task")? })),
        ":tasks" => tasks(args),
        ":timeline" => timeline(args),
        ":timing" => none(args, Command::Timing, ":timing"),
        ":type" | ":t" => Ok(Command::Type(required(args, ":type NAME")?)),
        ":types" => none(args, Command::Types, ":types"),
        ":vars" => none(args, Command::Vars, ":vars"),
        ":version" => none(args, Command::Version, ":version"),
        _ => Err(refusal(name)),
    }
}

/// What `:version` says.
pub fn version() -> String {
    format!("loopbook {} on evcxr 0.22.0", env!("CARGO_PKG_VERSION"))
}

/// The name that a cell asks about if it is nothing but `NAME?`, as in IPython. For a variable that is an expression, so
/// ask only if it is none.
///
/// ```
/// use loopbook_kernel::evaluator::commands::asked_about;
/// assert_eq!(asked_about("task::spawn?"), Some("task::spawn"));
/// assert_eq!(asked_about("spawn()?"), None);
/// ```
pub fn asked_about(code: &str) -> Option<&str> {
    let name = code.trim().strip_suffix('?')?.trim_end_matches('?');
    let is_path = name.strip_suffix('!').unwrap_or(name).split("::").all(|part| {
        part.starts_with(|c: char| c.is_alphabetic() || c == '_')
            && part.chars().all(|c| c.is_alphanumeric() || c == '_')
    });
    is_path.then_some(name)
}

fn variable(args: &str) -> Result<Command, String> {
    let pair = args.split_once('=').map(|(name, value)| (name.trim(), value.trim()));
    let (name, value) = pair.unwrap_or_default();
    if name.is_empty() || name.contains(char::is_whitespace) || args.contains('\0') {
        return Err("`:env` takes a name and a value, as in `:env RUST_LOG=debug`".into());
    }
    Ok(Command::Env(name.to_owned(), value.to_owned()))
}

fn explain(args: &str) -> Result<Command, String> {
    let is_number = |digits: &str| digits.len() == 4 && digits.bytes().all(|b| b.is_ascii_digit());
    match args {
        "" => Ok(Command::Explain(None)),
        code if code.strip_prefix('E').is_some_and(is_number) => Ok(Command::Explain(Some(code.to_owned()))),
        name if name.contains('_') => Err(format!("`{name}` is no code: rustc explains errors, and no lints")),
        _ => Err("`:explain` takes the code of an error, as in `:explain E0308`".into()),
    }
}

fn the_loop(args: &str) -> Result<Command, String> {
    let words: Vec<_> = args.split_whitespace().collect();
    let query = match words[..] {
        [] => Some(Query::Loop),
        ["threads", count] => count.parse().ok().filter(|count| *count > 0).map(|count| Query::Threads { count }),
        ["watch"] => Some(Query::Watch { on: true }),
        ["unwatch"] => Some(Query::Watch { on: false }),
        _ => None,
    };
    let usage = "`:loop` takes `threads N`, with N from 1 on, `watch` or `unwatch`";
    query.map(Command::Ask).ok_or_else(|| usage.to_owned())
}

fn tasks(args: &str) -> Result<Command, String> {
    let usage = format!("`:tasks` takes `--all`, `--cell N`, `--live` and `--sort` with one of {}", names(&ORDERS));
    let (mut all, mut cell, mut sort, mut live) = (false, None, None, false);
    let mut words = args.split_whitespace();
    while let Some(word) = words.next() {
        match word {
            "--all" => all = true,
            "--live" => live = true,
            "--cell" => {
                let number = words.next().and_then(|word| word.parse().ok());
                cell = Some(number.ok_or_else(|| format!("{usage}; N is the number of a cell, as in `In[N]`"))?);
            }
            "--sort" => {
                let order = words.next().and_then(|word| ORDERS.iter().find(|(name, _)| *name == word));
                sort = Some(order.ok_or_else(|| usage.clone())?.1);
            }
            other => return Err(format!("{usage}, not `{other}`")),
        }
    }
    let query = Query::Tasks { all, cell, sort };
    Ok(if live { Command::Follow(query) } else { Command::Ask(query) })
}

fn names(orders: &[(&str, TaskOrder)]) -> String {
    orders.iter().map(|(name, _)| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn timeline(args: &str) -> Result<Command, String> {
    let usage = "`:timeline` takes `--cell N`, the number of a cell as in `In[N]`, and `--last` with a time such as `5s` or `300ms`";
    let (mut cell, mut last) = (None, None);
    let mut words = args.split_whitespace();
    while let Some(word) = words.next() {
        match (word, words.next()) {
            ("--cell", Some(number)) => cell = Some(number.parse().map_err(|_| usage)?),
            ("--last", Some(time)) => last = Some(seconds(time).ok_or(usage)?),
            _ => return Err(usage.to_owned()),
        }
    }
    Ok(Command::Ask(Query::Timeline { cell, last }))
}

/// A time as people write it: `5s`, `300ms`, `2m`, or a number of seconds.
fn seconds(text: &str) -> Option<f64> {
    let units = [("ms", 1e-3), ("s", 1.0), ("m", 60.0), ("", 1.0)];
    let (number, unit) = units.iter().find_map(|(name, unit)| Some((text.strip_suffix(name)?, unit)))?;
    let number: f64 = number.parse().ok()?;
    (number.is_finite() && number > 0.0).then_some(number * unit)
}

fn task_id(args: &str, name: &str) -> Result<TaskId, String> {
    args.parse().map_err(|_| format!("`{name}` takes the number of a task, as `:tasks` shows it"))
}

fn cancel(args: &str) -> Result<Command, String> {
    let words: Vec<_> = args.split_whitespace().collect();
    let query = match words[..] {
        ["--cell", cell] => cell.parse().ok().map(|cell| Query::CancelCell { cell }),
        [id] => id.parse().ok().map(|id| Query::Cancel { id }),
        _ => None,
    };
    let usage = "`:cancel` takes the number of a task, as `:tasks` shows it, or `--cell` and the N of `In[N]`";
    query.map(Command::Ask).ok_or_else(|| usage.to_owned())
}

fn output(args: &str) -> Result<Command, String> {
    let words: Vec<_> = args.split_whitespace().collect();
    let wish = match words[..] {
        [] => Some(Printing::Rest(None)),
        ["full"] => Some(Printing::Limit(None)),
        ["--cell", number] => number.parse().ok().map(|number| Printing::Rest(Some(number))),
        [lines] => lines.parse().ok().map(|lines| Printing::Limit(Some(lines))),
        _ => None,
    };
    let usage = "`:output` takes `--cell` and the N of `In[N]`, the number of lines that a cell may print, or `full`";
    wish.map(Command::Output).ok_or_else(|| usage.to_owned())
}

fn none(args: &str, command: Command, name: &str) -> Result<Command, String> {
    if args.is_empty() { Ok(command) } else { Err(format!("`{name}` takes no arguments; `{args}` is one too many")) }
}

fn required(args: &str, usage: &str) -> Result<String, String> {
    if args.is_empty() { Err(format!("an argument is missing: `{usage}`")) } else { Ok(args.to_owned()) }
}

fn refusal(name: &str) -> String {
    let reason = match name {
        ":load_config" => "evcxr's start-up files are not read; put `:dep` lines and `use` items into the first cell",
        ":toolchain" | ":linker" | ":codegen_backend" => {
            "the runtime that the cells share was compiled with one toolchain; run `loopbook warm` under another one \
             to change it"
        }
        ":fmt" => "write the format into the cell, as in `println!(\"{value:#?}\")`",
        ":efmt" => "a failed `?` shows what the error's `Display` says, and its sources; without one, its `Debug`",
        ":build_env" => "set it before the kernel starts, in its terminal or in kernel.json",
        ":internal_debug" | ":time_passes" | ":last_compile_dir" | ":last_error_json" | ":clear_cache" => {
            "it is about the insides of evcxr; `:expand-cell` shows what the compiler gets, `:timing` how long it takes"
        }
        ":sccache" | ":cache" | ":allow_static_linking" | ":offline" | ":preserve_vars_on_panic" => {
            "this setting of evcxr's would separate the cells from the loop that they share"
        }
        _ => return unknown(name),
    };
    format!("`{name}` is not available: {reason}")
}

fn unknown(name: &str) -> String {
    if let Some(instead) = foreign::instead(name.strip_prefix(':').unwrap_or(name)) {
        return format!("there is no command `{name}` here; {instead}");
    }
    let similar = COMMANDS.iter().map(|command| command.name).find(|known| {
        let start: String = name.chars().take(3).collect();
        start.chars().count() == 3 && known.starts_with(&start)
    });
    let hint = similar.map(|known| format!(", did you mean `{known}`?")).unwrap_or_default();
    format!("there is no command `{name}`{hint} (`:help` lists them all)")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tasks_understands_its_options() {
        assert_eq!(parse(":tasks", ""), Ok(Command::Ask(Query::Tasks { all: false, cell: None, sort: None })));
        assert_eq!(
            parse(":tasks", "--cell 3 --all"),
            Ok(Command::Ask(Query::Tasks { all: true, cell: Some(3), sort: None }))
        );
        assert_eq!(parse(":tasks", "--live"), Ok(Command::Follow(Query::Tasks { all: false, cell: None, sort: None })));
        let busy = Query::Tasks { all: false, cell: None, sort: Some(TaskOrder::Busy) };
        assert_eq!(parse(":tasks", "--sort busy"), Ok(Command::Ask(busy)));
        for wrong in ["--sort", "--sort colour"] {
            assert!(parse(":tasks", wrong).unwrap_err().contains("`scheduled`"), "{wrong}");
        }
        assert!(parse(":tasks", "--cell x").unwrap_err().contains("number of a cell"));
        assert!(parse(":tasks", "everything").unwrap_err().contains("`everything`"));
    }

    #[test]
    fn a_task_is_named_by_its_number() {
        assert_eq!(parse(":task", "7"), Ok(Command::Ask(Query::Task { id: 7 })));
        assert_eq!(parse(":pstree", ""), Ok(Command::Ask(Query::Tree { id: None })));
        assert_eq!(parse(":pstree", " 7"), Ok(Command::Ask(Query::Tree { id: Some(7) })));
        for (name, args) in [(":task", ""), (":task", "-1"), (":pstree", "x")] {
            assert!(parse(name, args).unwrap_err().contains("number of a task"), "{name} {args}");
        }
    }

    #[test]
    fn a_timeline_is_of_a_cell_or_of_the_last_seconds() {
        let timeline = |cell, last| Ok(Command::Ask(Query::Timeline { cell, last }));
        assert_eq!(parse(":timeline", ""), timeline(None, None));
        assert_eq!(parse(":timeline", "--cell 3 --last 5s"), timeline(Some(3), Some(5.0)));
        assert_eq!(parse(":timeline", "--last 250ms"), timeline(None, Some(0.25)));
        for wrong in ["5s", "--last", "--last x", "--last -1s", "--last inf", "--cell x"] {
            assert!(parse(":timeline", wrong).unwrap_err().contains("--last"), "{wrong}");
        }
    }

    #[test]
    fn the_loop_is_shown_resized_and_watched_or_not() {
        assert_eq!(parse(":loop", ""), Ok(Command::Ask(Query::Loop)));
        assert_eq!(parse(":loop", " threads 1"), Ok(Command::Ask(Query::Threads { count: 1 })));
        assert_eq!(parse(":loop", "unwatch"), Ok(Command::Ask(Query::Watch { on: false })));
        for wrong in ["threads", "threads 0", "threads -1", "threads two", "watch off", "stop"] {
            assert!(parse(":loop", wrong).unwrap_err().contains("threads N"), "{wrong}");
        }
    }

    #[test]
    fn cancel_takes_a_task_or_a_cell() {
        assert_eq!(parse(":cancel", "7"), Ok(Command::Ask(Query::Cancel { id: 7 })));
        assert_eq!(parse(":cancel", "--cell 3"), Ok(Command::Ask(Query::CancelCell { cell: 3 })));
        for wrong in ["", "x", "1 2", "--cell", "--cell x"] {
            assert!(parse(":cancel", wrong).unwrap_err().contains("number of a task"), "{wrong}");
        }
    }

    #[test]
    fn output_shows_the_rest_or_sets_the_limit() {
        assert_eq!(parse(":output", ""), Ok(Command::Output(Printing::Rest(None))));
        assert_eq!(parse(":output", "--cell 7"), Ok(Command::Output(Printing::Rest(Some(7)))));
        assert_eq!(parse(":output", "full"), Ok(Command::Output(Printing::Limit(None))));
        assert_eq!(parse(":output", "2000"), Ok(Command::Output(Printing::Limit(Some(2_000)))));
        for wrong in ["all", "-1", "--cell", "--cell x", "1 2"] {
            assert!(parse(":output", wrong).unwrap_err().contains("`full`"), "{wrong}");
        }
    }

    #[test]
    fn commands_that_would_lose_state_are_refused_with_a_reason() {
        for name in [":fmt", ":toolchain", ":load_config", ":sccache"] {
            assert!(parse(name, "").unwrap_err().contains("not available"), "{name}");
        }
    }

    #[test]
    fn an_unknown_command_says_so_and_survives_any_text() {
        assert!(parse(":tsaks", "").unwrap_err().contains("there is no command"));
        assert!(parse(":vasr", "").unwrap_err().contains(":help"));
        assert!(parse(":täsks", "").is_err());
    }

    #[test]
    fn environment_and_error_codes_are_understood() {
        assert_eq!(parse(":env", "A = b c"), Ok(Command::Env("A".into(), "b c".into())));
        assert_eq!(parse(":env", "A=\"b\""), Ok(Command::Env("A".into(), "\"b\"".into())));
        for wrong in ["", "A", "=b", "A B=c"] {
            assert!(parse(":env", wrong).unwrap_err().contains("RUST_LOG"), "{wrong}");
        }
        assert_eq!(parse(":explain", "E0308"), Ok(Command::Explain(Some("E0308".into()))));
        assert_eq!(parse(":explain", ""), Ok(Command::Explain(None)));
        for wrong in ["0308", "E308", "--help", "Eé08"] {
            assert!(parse(":explain", wrong).is_err(), "{wrong}");
        }
        assert!(parse(":explain", "unused_variables").unwrap_err().contains("no lints"));
    }

    #[test]
    fn a_dependency_needs_a_name() {
        assert_eq!(parse(":dep", " rand "), Ok(Command::Dep(vec!["rand".into()])));
        assert!(parse(":dep", "").unwrap_err().contains(":dep NAME"));
    }

    #[test]
    fn help_explains_one_command_or_lists_all() {
        let (all, one) = (help(None).unwrap(), help(Some("tasks")).unwrap());
        // One line each, a blank one, and the names that need no `use`.
        assert_eq!(all["text/plain"].as_str().unwrap().lines().count(), COMMANDS.len() + 2);
        assert!(all["text/plain"].as_str().unwrap().ends_with(&crate::evaluator::ground::prelude::sentence()));
        assert_eq!(all["text/html"].as_str().unwrap().matches("<tr>").count(), COMMANDS.len());
        assert!(one["text/plain"].as_str().unwrap().contains("--cell") && help(Some(":nonsense")).is_err());
    }
}
