//! Completions on a command line: the commands, and what each of them takes. What that is, its usage says: `--all` is an
//! option, `own|current` are words to choose from, `NAME` is a name of the notebook, or of a crate behind `:dep`.

use crate::evaluator::Completion;
use crate::evaluator::build::cached_crates::Crates;
use crate::evaluator::commands::{COMMANDS, Description, ORDERS};

/// Completes the end of `line`, which begins with the command's colon. `names` are those of the notebook that begin with a
/// word. Gives the length of the word that a completion replaces, in bytes, too.
pub(in crate::evaluator) fn complete(
    line: &str,
    crates: &Crates,
    names: impl Fn(&str) -> Vec<Completion>,
) -> (usize, Vec<Completion>) {
    let Some((command, args)) = line.split_once(char::is_whitespace) else {
        let begun = COMMANDS.iter().filter(|command| command.name.starts_with(line));
        return (line.len(), begun.map(|command| item(command.name, "magic", command.usage)).collect());
    };
    let word = args.rsplit(|c: char| c.is_whitespace() || c == '=').next().unwrap_or_default();
    let Some(command) = COMMANDS.iter().find(|known| known.name == command) else { return (word.len(), Vec::new()) };
    let items = match command.name {
        ":dep" => dependency(args, word, crates),
        _ => by_usage(command, args, word, names),
    };
    (word.len(), items)
}

fn by_usage(command: &Description, args: &str, word: &str, names: impl Fn(&str) -> Vec<Completion>) -> Vec<Completion> {
    let earlier: Vec<&str> = args[..args.len() - word.len()].split_whitespace().collect();
    if earlier.last() == Some(&"--sort") {
        let begun = ORDERS.iter().filter(|(name, _)| name.starts_with(word));
        return begun.map(|(name, _)| item(name, "keyword", command.usage)).collect();
    }
    let mut items = Vec::new();
    for argument in arguments(command) {
        let is_option = argument.starts_with("--");
        let is_word = argument.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
        if argument == "NAME" && earlier.is_empty() {
            items.extend(named(command, word));
            items.extend(names(word));
        } else if is_word && argument.starts_with(word) && !earlier.contains(&argument) {
            // A word to choose stands alone; options stand beside others.
            if is_option || earlier.is_empty() {
                items.push(item(argument, "keyword", command.usage));
            }
        }
    }
    items
}

/// Behind `:help`, commands are names too, with or without their colon.
fn named(command: &Description, word: &str) -> Vec<Completion> {
    if command.name != ":help" {
        return Vec::new();
    }
    let begun = COMMANDS.iter().filter(|known| known.name[1..].starts_with(word) || known.name.starts_with(word));
    let as_typed = |name: &'static str| if word.starts_with(':') { name } else { &name[1..] };
    begun.map(|known| item(as_typed(known.name), "magic", known.usage)).collect()
}

/// `:dep NAME = VERSION`: what was fetched before needs no network.
fn dependency(args: &str, word: &str, crates: &Crates) -> Vec<Completion> {
    let Some((name, spec)) = args.split_once('=') else {
        return if args == word { crates.beginning_with(word) } else { Vec::new() };
    };
    if spec.trim_start() == word { crates.versions(name.trim(), word) } else { Vec::new() }
}

/// The words of a usage behind the command's name: `[--all] [--cell N]` is `--all`, `--cell` and `N`.
fn arguments(command: &Description) -> impl Iterator<Item = &'static str> {
    let usage = command.usage.strip_prefix(command.name).unwrap_or_default();
    usage.split(|c: char| c.is_whitespace() || "[]|=".contains(c)).filter(|word| !word.is_empty())
}

fn item(text: &str, kind: &'static str, signature: &str) -> Completion {
    Completion { text: text.to_owned(), kind, signature: Some(signature.to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(line: &str) -> Vec<String> {
        let crates = Crates::of(["serde-1.0.2", "serde-1.0.10", "serde_json-1.0.0", "rand-0.9.0"]);
        let names = |word: &str| {
            let known = ["count", "config"].into_iter().filter(|name| name.starts_with(word));
            known.map(|name| item(name, "instance", "u32")).collect()
        };
        complete(line, &crates, names).1.into_iter().map(|item| item.text).collect()
    }

    #[test]
    fn a_command_completes_to_its_name() {
        assert_eq!(texts(":tas"), [":task", ":tasks"]);
        assert!(texts(":").len() > 10);
    }

    #[test]
    fn options_complete_once() {
        assert_eq!(texts(":tasks --"), ["--all", "--cell", "--sort", "--live"]);
        assert_eq!(texts(":tasks --all --"), ["--cell", "--sort", "--live"]);
        assert_eq!(texts(":tasks --sort s"), ["state", "scheduled"]);
        assert!(texts(":tasks --cell ").iter().all(|text| text != "N"));
    }

    #[test]
    fn words_to_choose_from_complete() {
        assert_eq!(texts(":opt "), ["0", "1", "2", "3"]);
        assert!(texts(":opt 2 ").is_empty());
    }

    #[test]
    fn names_of_the_notebook_complete_where_a_name_is_wanted() {
        assert_eq!(texts(":type co"), ["count", "config"]);
        assert!(texts(":type count co").is_empty());
        assert!(texts(":vars co").is_empty());
    }

    #[test]
    fn help_knows_the_commands_with_and_without_colon() {
        assert_eq!(texts(":help task"), ["task", "tasks"]);
        assert_eq!(texts(":help :tasks"), [":tasks"]);
    }

    #[test]
    fn dependencies_complete_to_crates_and_their_versions() {
        assert_eq!(texts(":dep ser"), ["serde", "serde_json"]);
        assert_eq!(texts(":dep serde = "), ["\"1.0.10\"", "\"1.0.2\""]);
        assert_eq!(texts(":dep serde = \"1.0.1"), ["\"1.0.10\""]);
        assert!(texts(":dep serde = { version ").is_empty());
        assert!(texts(":dep no_such = ").is_empty());
    }

    #[test]
    fn an_unknown_command_takes_nothing() {
        assert!(texts(":nonsense --").is_empty());
    }
}
