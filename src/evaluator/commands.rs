//! The commands that a cell can begin with: a closed list, each ours or refused with a reason.
//!
//! None of evcxr's own commands is passed on blindly: several of them lose state, end the kernel, or replace the crates
//! that the loop lives in.

use super::names::escape;
use loopbook_channel::{MimeBundle, Query};

/// A command as `:help` and completion show it.
#[derive(Debug)]
pub struct Description {
    /// With its colon.
    pub name: &'static str,
    /// Name and arguments.
    pub usage: &'static str,
    /// One sentence.
    pub help: &'static str,
}

/// Every command that does something, in alphabetical order.
pub const COMMANDS: &[Description] = &[
    Description {
        name: ":cancel",
        usage: ":cancel ID | --cell N",
        help: "Ends a task by its number, or all that a cell has started.",
    },
    Description {
        name: ":clear",
        usage: ":clear",
        help: "Begins the notebook anew; nothing that a cell defined is left.",
    },
    Description { name: ":dep", usage: ":dep NAME [= SPEC]", help: "Adds a crate, as a line of Cargo.toml would." },
    Description { name: ":deps", usage: ":deps", help: "Lists the crates that were added." },
    Description { name: ":doc", usage: ":doc NAME", help: "Shows the documentation of a name." },
    Description {
        name: ":env",
        usage: ":env NAME=VALUE",
        help: "Sets an environment variable for the cells, until their process is restarted.",
    },
    Description {
        name: ":expand-cell",
        usage: ":expand-cell",
        help: "Shows what the compiler gets for the rest of the cell, and does not run it.",
    },
    Description {
        name: ":explain",
        usage: ":explain [CODE]",
        help: "Shows what rustc has to say about an error code, as in `:explain E0308`, or about the last one.",
    },
    Description { name: ":help", usage: ":help [NAME]", help: "Lists the commands, or explains one." },
    Description {
        name: ":lints",
        usage: ":lints",
        help: "Shows what was noticed of tasks that keep others from running, and what to do about it.",
    },
    Description {
        name: ":opt",
        usage: ":opt 0|1|2|3",
        help: "Compiles cells with this optimisation level; the runtime is always optimised.",
    },
    Description {
        name: ":restart",
        usage: ":restart",
        help: "Restarts the process that runs the cells; functions, types, `use` and dependencies are kept.",
    },
    Description {
        name: ":tasks",
        usage: ":tasks [--all] [--cell N]",
        help: "Shows the tasks of the loop: unfinished ones, or all; those of one cell.",
    },
    Description { name: ":timing", usage: ":timing", help: "Switches on or off that each cell says how long it took." },
    Description { name: ":type", usage: ":type NAME", help: "Shows the type of a variable." },
    Description {
        name: ":types",
        usage: ":types",
        help: "Switches on or off that the type of a cell's value is shown before the value.",
    },
    Description { name: ":vars", usage: ":vars", help: "Lists the variables of the notebook with their types." },
    Description { name: ":version", usage: ":version", help: "Shows the versions of the kernel and of evcxr." },
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
    /// `:restart`.
    Restart,
    /// `:timing`.
    Timing,
    /// What the inspector answers.
    Ask(Query),
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
        ":opt" if ["0", "1", "2", "3"].contains(&args) => Ok(Command::Opt(args.to_owned())),
        ":opt" => Err("`:opt` takes a level from 0 to 3, as in `:opt 2`".into()),
        ":restart" => none(args, Command::Restart, ":restart"),
        ":tasks" => tasks(args),
        ":timing" => none(args, Command::Timing, ":timing"),
        ":type" | ":t" => Ok(Command::Type(required(args, ":type NAME")?)),
        ":types" => none(args, Command::Types, ":types"),
        ":vars" => none(args, Command::Vars, ":vars"),
        ":version" => none(args, Command::Version, ":version"),
        _ => Err(refusal(name)),
    }
}

/// The table of `:help`, or one command's entry, as `text/plain` and `text/html`.
///
/// # Errors
/// If there is no such command; the text says what there is instead.
pub fn help(name: Option<&str>) -> Result<MimeBundle, String> {
    let Some(name) = name else { return Ok(table()) };
    let wanted = format!(":{}", name.trim_start_matches(':'));
    describe(&wanted, false).ok_or_else(|| refusal(&wanted))
}

fn table() -> MimeBundle {
    let width = COMMANDS.iter().map(|command| command.usage.len()).max().unwrap_or(0);
    let lines: Vec<_> = COMMANDS.iter().map(|command| format!("{:width$}  {}", command.usage, command.help)).collect();
    // Beside the plain lines, because a page that is narrower than they are would break them within words.
    let cell = |text: &str| format!("<td style=\"text-align:left;padding:2px 8px;vertical-align:top\">{text}</td>");
    let row = |command: &Description| {
        let usage = format!("<code style=\"white-space:nowrap\">{}</code>", escape(command.usage));
        format!("<tr>{}{}</tr>", cell(&usage), cell(&escape(command.help)))
    };
    let html = format!("<table>{}</table>", COMMANDS.iter().map(row).collect::<String>());
    MimeBundle::from([("text/plain".to_owned(), lines.join("\n").into()), ("text/html".to_owned(), html.into())])
}

/// What `:version` says.
pub fn version() -> String {
    format!("loopbook {} on evcxr 0.22.0", env!("CARGO_PKG_VERSION"))
}

/// What is known of a command, by its name with the colon: `text/plain`, `text/markdown` and `text/html`; if `detailed`,
/// also how to learn of the others. `None` if there is no such command.
pub fn describe(name: &str, detailed: bool) -> Option<MimeBundle> {
    let Description { usage, help, .. } = COMMANDS.iter().find(|command| command.name == name)?;
    let more = if detailed { "`:help` lists all commands." } else { "" };
    let plain = [*usage, *help, more].join("\n");
    let markdown = format!("```text\n{usage}\n```\n{help}\n\n{more}");
    let [usage, help, more] = [usage, help, more].map(escape);
    let html = format!("<pre><code>{usage}</code></pre><p>{help}</p><p>{more}</p>");
    let bundle = [("text/plain", plain.trim_end()), ("text/markdown", markdown.trim_end()), ("text/html", &html)];
    Some(bundle.into_iter().map(|(mime, text)| (mime.to_owned(), text.into())).collect())
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
    let is_code =
        |code: &str| code.len() == 5 && code.starts_with('E') && code[1..].bytes().all(|b| b.is_ascii_digit());
    match args {
        "" => Ok(Command::Explain(None)),
        code if is_code(code) => Ok(Command::Explain(Some(code.to_owned()))),
        _ => Err("`:explain` takes the code of an error, as in `:explain E0308`".into()),
    }
}

fn tasks(args: &str) -> Result<Command, String> {
    let usage = "`:tasks` takes `--all` and `--cell N`";
    let (mut all, mut cell) = (false, None);
    let mut words = args.split_whitespace();
    while let Some(word) = words.next() {
        match word {
            "--all" => all = true,
            "--cell" => {
                let number = words.next().and_then(|word| word.parse().ok());
                cell = Some(number.ok_or_else(|| format!("{usage}; N is the number of a cell, as in `In[N]`"))?);
            }
            other => return Err(format!("{usage}, not `{other}`")),
        }
    }
    Ok(Command::Ask(Query::Tasks { all, cell }))
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

fn none(args: &str, command: Command, name: &str) -> Result<Command, String> {
    if args.is_empty() { Ok(command) } else { Err(format!("`{name}` takes no arguments; `{args}` is one too many")) }
}

fn required(args: &str, usage: &str) -> Result<String, String> {
    if args.is_empty() { Err(format!("an argument is missing: `{usage}`")) } else { Ok(args.to_owned()) }
}

fn refusal(name: &str) -> String {
    let reason = match name {
        ":quit" | ":q" | ":exit" => "the front end ends the kernel: choose Shut Down in its Kernel menu",
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
        assert_eq!(parse(":tasks", ""), Ok(Command::Ask(Query::Tasks { all: false, cell: None })));
        assert_eq!(parse(":tasks", "--cell 3 --all"), Ok(Command::Ask(Query::Tasks { all: true, cell: Some(3) })));
        assert!(parse(":tasks", "--cell x").unwrap_err().contains("number of a cell"));
        assert!(parse(":tasks", "everything").unwrap_err().contains("`everything`"));
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
    fn commands_that_would_lose_state_are_refused_with_a_reason() {
        for name in [":quit", ":toolchain", ":load_config", ":sccache"] {
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
    }

    #[test]
    fn a_dependency_needs_a_name() {
        assert_eq!(parse(":dep", " rand "), Ok(Command::Dep(vec!["rand".into()])));
        assert!(parse(":dep", "").unwrap_err().contains(":dep NAME"));
    }

    #[test]
    fn help_explains_one_command_or_lists_all() {
        let (all, one) = (help(None).unwrap(), help(Some("tasks")).unwrap());
        assert_eq!(all["text/plain"].as_str().unwrap().lines().count(), COMMANDS.len());
        assert_eq!(all["text/html"].as_str().unwrap().matches("<tr>").count(), COMMANDS.len());
        assert!(one["text/plain"].as_str().unwrap().contains("--cell"));
        assert!(help(Some(":nonsense")).is_err());
    }
}
