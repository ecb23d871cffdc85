//! Every command, with all that parsing, help and completion know of it.
//!
//! A new command needs a row here, a variant of [`Command`] (`commands/mod.rs`) and what that does (`rust/commands.rs`). One that only
//! looks makes a [`Look`] (done in `rust/looks.rs`), and works in subshells too. One that asks the inspector what it can already
//! answer needs the row alone.

use super::arguments::{Argument, Arguments, Given, Value, Wrong, order, seconds};
use super::{Command, Look, Printing};
use loopbook_channel::Query;

/// A command.
#[derive(Debug)]
pub struct Description {
    /// With its colon.
    pub name: &'static str,
    /// What stands behind it.
    pub arguments: Arguments,
    /// What it takes, for those who gave something else: goes on where "`:name` takes" ends.
    takes: &'static str,
    /// One sentence.
    pub help: &'static str,
    /// Makes a command of its arguments, which are as declared.
    understand: fn(&Given<'_>) -> Result<Command, String>,
}

/// Every command that does something, in alphabetical order.
pub const COMMANDS: &[Description] = &[
    Description {
        name: ":cancel",
        arguments: Arguments::One(&[Argument::value(Value::Task), Argument::with("--cell", Value::Cell)]),
        takes: "the number of a task, as `:tasks` shows it, or `--cell` and the N of `In[N]`",
        help: "Ends a task by its number, or all that a cell has started.",
        understand: |given| match (given.number("--cell"), given.number("")) {
            (Some(cell), _) => ask(Query::CancelCell { cell }),
            (None, id) => ask(Query::Cancel { id: id.unwrap_or_default() }),
        },
    },
    Description {
        name: ":clear",
        help: "Begins the notebook anew; nothing that a cell defined is left.",
        understand: |_| Ok(Command::Clear),
        ..PLAIN
    },
    Description {
        name: ":dep",
        arguments: Arguments::Text {
            usage: "NAME [= SPEC]",
            value: Value::Crate,
            example: Some(":dep NAME = \"VERSION\""),
        },
        help: "Adds a crate, as a line of Cargo.toml would.",
        understand: |given| Ok(Command::Dep(vec![given.text().to_owned()])),
        ..PLAIN
    },
    Description {
        name: ":deps",
        help: "Lists the crates that were added.",
        understand: |_| Ok(Command::Deps),
        ..PLAIN
    },
    Description {
        name: ":doc",
        arguments: Arguments::Text { usage: "NAME", value: Value::Name, example: Some(":doc NAME") },
        help: "Shows the documentation of a name.",
        understand: |given| Ok(Command::Doc(given.text().to_owned())),
        ..PLAIN
    },
    Description {
        name: ":env",
        arguments: Arguments::Text { usage: "NAME=VALUE", value: Value::Text, example: None },
        help: "Sets an environment variable for the cells, until their process is restarted.",
        understand: |given| variable(given.text()),
        ..PLAIN
    },
    Description {
        name: ":expand-cell",
        help: "Shows what the compiler gets for the rest of the cell, and does not run it.",
        understand: |_| Ok(Command::ExpandCell),
        ..PLAIN
    },
    Description {
        name: ":explain",
        arguments: Arguments::Text { usage: "[CODE]", value: Value::Text, example: None },
        help: "Shows what rustc has to say about an error code, as in `:explain E0308`, or about the last one.",
        understand: |given| explain(given.text()),
        ..PLAIN
    },
    Description {
        name: ":help",
        arguments: Arguments::Text { usage: "[NAME]", value: Value::Topic, example: None },
        help: "Lists the commands, or explains one.",
        understand: |given| look(Look::Help(Some(given.text().to_owned()).filter(|name| !name.is_empty()))),
        ..PLAIN
    },
    Description {
        name: ":lints",
        help: "Shows what was noticed of tasks that keep others from running, and what to do about it.",
        understand: |_| ask(Query::Lints),
        ..PLAIN
    },
    Description {
        name: ":loop",
        arguments: Arguments::AtMostOne(&[
            Argument::with("threads", Value::Threads),
            Argument::word("watch"),
            Argument::word("unwatch"),
        ]),
        takes: "`threads N`, with N from 1 on, `watch` or `unwatch`",
        help: "Shows the loop's threads and what each of them does, how late it wakes tasks, and its numbers; or gives it \
               N threads; or watches new tasks or does not.",
        understand: |given| {
            ask(match given.number("threads") {
                Some(count) => Query::Threads { count },
                None if given.has("watch") || given.has("unwatch") => Query::Watch { on: given.has("watch") },
                None => Query::Loop,
            })
        },
    },
    Description {
        name: ":opt",
        arguments: Arguments::One(&[Argument::value(Value::Level)]),
        takes: "a level from 0 to 3, as in `:opt 2`",
        help: "Compiles cells with this optimisation level; the runtime is always optimised.",
        understand: |given| Ok(Command::Opt(given.text().to_owned())),
    },
    Description {
        name: ":output",
        arguments: Arguments::AtMostOne(&[
            Argument::with("--cell", Value::Cell),
            Argument::word("full"),
            Argument::value(Value::Lines),
        ]),
        takes: "`--cell` and the N of `In[N]`, the number of lines that a cell may print, or `full`",
        help: "Shows the rest of what a cell has printed, if it was too much to be shown; or sets how many lines are.",
        understand: |given| {
            let lines = given.number("");
            let is_limit = lines.is_some() || given.has("full");
            let rest = Printing::Rest(given.number("--cell"));
            Ok(Command::Output(if is_limit { Printing::Limit(lines) } else { rest }))
        },
    },
    Description {
        name: ":pstree",
        arguments: Arguments::AtMostOne(&[Argument::value(Value::Task)]),
        takes: "the number of a task, as `:tasks` shows it",
        help: "Shows who waits for whom: from one task down, or from all that nobody waits for.",
        understand: |given| ask(Query::Tree { id: given.number("") }),
    },
    Description {
        name: ":resources",
        help: "Shows the timers, locks, channels and sockets that tasks wait for.",
        understand: |_| ask(Query::Resources),
        ..PLAIN
    },
    Description {
        name: ":restart",
        help: "Restarts the process that runs the cells; functions, types, `use` and dependencies are kept.",
        understand: |_| Ok(Command::Restart),
        ..PLAIN
    },
    Description {
        name: ":task",
        arguments: Arguments::One(&[Argument::value(Value::Task)]),
        takes: "the number of a task, as `:tasks` shows it",
        help: "Shows all that is known of a task.",
        understand: |given| ask(Query::Task { id: given.number("").unwrap_or_default() }),
    },
    Description {
        name: ":tasks",
        arguments: Arguments::Options(&[
            Argument::word("--all"),
            Argument { remark: "; N is the number of a cell, as in `In[N]`", ..Argument::with("--cell", Value::Cell) },
            Argument::with("--sort", Value::Column),
            Argument::word("--live"),
        ]),
        takes: "`--all`, `--cell N`, `--live` and `--sort` with one of `id`, `name`, `state`, `cell`, `busy`, \
                `scheduled`, `idle`, `polls`, `wakes`",
        help: "Shows the tasks of the loop: unfinished ones, or all; those of one cell; by number or another column; kept up to \
               date until they end.",
        understand: |given| {
            let sort = given.text_of("--sort").and_then(order);
            let query = Query::Tasks { all: given.has("--all"), cell: given.number("--cell"), sort };
            look(if given.has("--live") { Look::Follow(query) } else { Look::Ask(query) })
        },
    },
    Description {
        name: ":timeline",
        arguments: Arguments::Options(&[Argument::with("--cell", Value::Cell), Argument::with("--last", Value::Time)]),
        takes: "`--cell N`, the number of a cell as in `In[N]`, and `--last` with a time such as `5s` or `300ms`",
        help: "Draws when which task ran, was ready and waited: all, those of one cell, or only the last seconds.",
        understand: |given| {
            let last = given.text_of("--last").and_then(seconds);
            ask(Query::Timeline { cell: given.number("--cell"), last })
        },
    },
    Description {
        name: ":timing",
        help: "Switches on or off that each cell says how long it took: its preparation, each round of the compiler and why there was one \
             more, loading and running.",
        understand: |_| Ok(Command::Timing),
        ..PLAIN
    },
    Description {
        name: ":type",
        arguments: Arguments::Text { usage: "NAME", value: Value::Name, example: Some(":type NAME") },
        help: "Shows the type of a variable.",
        understand: |given| look(Look::Type(given.text().to_owned())),
        ..PLAIN
    },
    Description {
        name: ":types",
        help: "Switches on or off that the type of a cell's value is shown before the value.",
        understand: |_| Ok(Command::Types),
        ..PLAIN
    },
    Description {
        name: ":vars",
        help: "Lists the variables of the notebook with their types.",
        understand: |_| look(Look::Vars),
        ..PLAIN
    },
    Description {
        name: ":version",
        help: "Shows the versions of the kernel and of evcxr.",
        understand: |_| look(Look::Version),
        ..PLAIN
    },
];

/// What commands have in common of which nothing else is said.
const PLAIN: Description = Description {
    name: "",
    arguments: Arguments::Nothing,
    takes: "no arguments",
    help: "",
    understand: |_| Err(String::new()),
};

/// The command of this name, with its colon.
pub fn find(name: &str) -> Option<&'static Description> {
    let name = if name == ":t" { ":type" } else { name };
    COMMANDS.iter().find(|command| command.name == name)
}

impl Description {
    /// Name and arguments.
    ///
    /// ```
    /// use loopbook_kernel::evaluator::commands::find;
    /// assert_eq!(find(":timeline").unwrap().usage(), ":timeline [--cell N] [--last 5s]");
    /// ```
    pub fn usage(&self) -> String {
        [self.name, &self.arguments.usage()].join(" ").trim_end().to_owned()
    }

    /// Understands what stands behind the command, trimmed. The error is a sentence for the user.
    pub(super) fn parse(&self, args: &str) -> Result<Command, String> {
        let given = self.arguments.read(args).map_err(|wrong| {
            let sentence = format!("`{}` takes {}", self.name, self.takes);
            match wrong {
                Wrong::TooMany => format!("{sentence}; `{args}` is one too many"),
                Wrong::Missing(example) => format!("an argument is missing: `{example}`"),
                Wrong::Words => sentence,
                Wrong::Value(remark) => format!("{sentence}{remark}"),
                Wrong::Unknown(word) if self.takes.contains(&format!("`{word}`")) => sentence,
                Wrong::Unknown(word) => format!("{sentence}, not `{word}`"),
            }
        })?;
        (self.understand)(&given)
    }
}

fn look(look: Look) -> Result<Command, String> {
    Ok(Command::Look(look))
}

fn ask(query: Query) -> Result<Command, String> {
    look(Look::Ask(query))
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
