//! What people read of the commands: in `:help` and in tooltips.

use super::list::{COMMANDS, Description, find};
use super::refusal;
use crate::evaluator::support::prelude;
use loopbook_channel::{Escaped, MimeBundle};
use std::fmt::Display;

/// The table of `:help`, or one command's entry, as `text/plain` and `text/html`.
///
/// # Errors
/// If there is no such command; the text says what there is instead.
pub fn help(name: Option<&str>) -> Result<MimeBundle, String> {
    let Some(name) = name else { return Ok(table()) };
    let wanted = format!(":{}", name.trim_start_matches(':'));
    // No other spelling: `t` is `:type` where a command is typed, and here more likely a variable.
    let is_name = COMMANDS.iter().any(|command| command.name == wanted);
    is_name.then(|| describe(&wanted, false)).flatten().ok_or_else(|| refusal(&wanted))
}

fn table() -> MimeBundle {
    let width = COMMANDS.iter().map(|command| command.usage().len()).max().unwrap_or(0);
    let lines: Vec<_> =
        COMMANDS.iter().map(|command| format!("{:width$}  {}", command.usage(), command.help)).collect();
    // Beside the plain lines, because a page that is narrower than they are would break them within words.
    let cell =
        |text: &dyn Display| format!("<td style=\"text-align:left;padding:2px 8px;vertical-align:top\">{text}</td>");
    let row = |command: &Description| {
        let usage = format!("<code style=\"white-space:nowrap\">{}</code>", Escaped(&command.usage()));
        format!("<tr>{}{}</tr>", cell(&usage), cell(&Escaped(command.help)))
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
    let html =
        parts.map(
            |(n, part)| if n % 2 == 1 { format!("<code>{}</code>", Escaped(part)) } else { Escaped(part).to_string() },
        );
    (sentence.clone(), format!("<p>{}</p>", html.collect::<String>()))
}

/// What is known of a command, by its name with the colon: `text/plain`, `text/markdown` and `text/html`; if `detailed`,
/// also how to learn of the others. `None` if there is no such command.
pub fn describe(name: &str, detailed: bool) -> Option<MimeBundle> {
    let command = find(name)?;
    let (usage, help) = (command.usage(), command.help);
    let more = if detailed { "`:help` lists all commands." } else { "" };
    let plain = [&usage, help, more].join("\n");
    let markdown = format!("```text\n{usage}\n```\n{help}\n\n{more}");
    let [usage, help, more] = [&usage, help, more].map(Escaped);
    let html = format!("<pre><code>{usage}</code></pre><p>{help}</p><p>{more}</p>");
    let bundle = [("text/plain", plain.trim_end()), ("text/markdown", markdown.trim_end()), ("text/html", &html)];
    Some(bundle.into_iter().map(|(mime, text)| (mime.to_owned(), text.into())).collect())
}
