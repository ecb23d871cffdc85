//! The list of commands with their help texts, for `:help`, completions and tooltips.

use super::refusal;
use crate::evaluator::ground::html::escape;
use crate::evaluator::ground::prelude;
use loopbook_channel::MimeBundle;

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
        name: ":loop",
        usage: ":loop [threads N | watch | unwatch]",
        help: "Shows the loop's threads and what each of them does, how late it wakes tasks, and its numbers; or gives it \
               N threads; or watches new tasks or does not.",
    },
    Description {
        name: ":opt",
        usage: ":opt 0|1|2|3",
        help: "Compiles cells with this optimisation level; the runtime is always optimised.",
    },
    Description {
        name: ":output",
        usage: ":output [--cell N | full | LINES]",
        help: "Shows the rest of what a cell has printed, if it was too much to be shown; or sets how many lines are.",
    },
    Description {
        name: ":pstree",
        usage: ":pstree [ID]",
        help: "Shows who waits for whom: from one task down, or from all that nobody waits for.",
    },
    Description {
        name: ":resources",
        usage: ":resources",
        help: "Shows the timers, locks, channels and sockets that tasks wait for.",
    },
    Description {
        name: ":restart",
        usage: ":restart",
        help: "Restarts the process that runs the cells; functions, types, `use` and dependencies are kept.",
    },
    Description { name: ":task", usage: ":task ID", help: "Shows all that is known of a task." },
    Description {
        name: ":tasks",
        usage: ":tasks [--all] [--cell N] [--sort COLUMN] [--live]",
        help: "Shows the tasks of the loop: unfinished ones, or all; those of one cell; by number or another column; kept up to \
               date until they end.",
    },
    Description {
        name: ":timeline",
        usage: ":timeline [--cell N] [--last 5s]",
        help: "Draws when which task ran, was ready and waited: all, those of one cell, or only the last seconds.",
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
    let rows = COMMANDS.iter().map(row).collect::<String>();
    let (names, names_html) = prelude_lines();
    let (plain, html) = (format!("{}\n\n{names}", lines.join("\n")), format!("<table>{rows}</table>{names_html}"));
    MimeBundle::from([("text/plain".to_owned(), plain.into()), ("text/html".to_owned(), html.into())])
}

/// Which names need no `use`: as text and as HTML.
fn prelude_lines() -> (String, String) {
    let sentence = prelude::sentence();
    let parts = sentence.split('`').enumerate();
    let html = parts.map(|(n, part)| if n % 2 == 1 { format!("<code>{}</code>", escape(part)) } else { escape(part) });
    (sentence.clone(), format!("<p>{}</p>", html.collect::<String>()))
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
