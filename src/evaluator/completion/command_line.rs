//! Completions on a command line: the commands, and what each of them takes, as it is declared.

use crate::evaluator::Completion;
use crate::evaluator::build::cached_crates::Crates;
use crate::evaluator::commands::{Arguments, COMMANDS, Description, Value, find};

/// Completes the end of `line`, which begins with the command's colon. `names` are those of the notebook that begin with a
/// word. Gives the length of the word that a completion replaces, in bytes, too.
pub(in crate::evaluator) fn complete(
    line: &str,
    crates: &Crates,
    names: impl Fn(&str) -> Vec<Completion>,
) -> (usize, Vec<Completion>) {
    let Some((command, args)) = line.split_once(char::is_whitespace) else {
        let begun = COMMANDS.iter().filter(|command| command.name.starts_with(line));
        return (line.len(), begun.map(|command| item(command.name, "magic", &command.usage())).collect());
    };
    let word = args.rsplit(|c: char| c.is_whitespace() || c == '=').next().unwrap_or_default();
    let Some(command) = find(command) else { return (word.len(), Vec::new()) };
    let earlier: Vec<&str> = args[..args.len() - word.len()].split_whitespace().collect();
    let items = match command.arguments {
        Arguments::Text { value: Value::Crate, .. } => dependency(args, word, crates),
        Arguments::Text { value, .. } if earlier.is_empty() => {
            let topics = if value == Value::Topic { topics(word) } else { Vec::new() };
            let names = if matches!(value, Value::Name | Value::Topic) { names(word) } else { Vec::new() };
            [topics, names].concat()
        }
        _ => single_words(command, &earlier, word),
    };
    (word.len(), items)
}

/// Arguments that are words, and values of which there are few.
fn single_words(command: &Description, earlier: &[&str], word: &str) -> Vec<Completion> {
    let all = command.arguments.all();
    let behind = earlier.last().and_then(|last| all.iter().find(|argument| argument.word == *last));
    let wanted = match (behind.and_then(|argument| argument.value), command.arguments) {
        (Some(value), _) => value.choices(),
        (None, Arguments::Options(_)) => {
            all.iter().map(|option| option.word).filter(|option| !earlier.contains(option)).collect()
        }
        (None, _) if earlier.is_empty() => {
            let alone = all.iter().filter(|choice| choice.word.is_empty()).filter_map(|choice| choice.value);
            let words = all.iter().map(|choice| choice.word).filter(|word| !word.is_empty());
            words.chain(alone.flat_map(Value::choices)).collect()
        }
        (None, _) => Vec::new(),
    };
    let begun = wanted.into_iter().filter(|known| known.starts_with(word));
    begun.map(|known| item(known, "keyword", &command.usage())).collect()
}

/// Commands, which are names behind `:help`, with or without their colon.
fn topics(word: &str) -> Vec<Completion> {
    let begun = COMMANDS.iter().filter(|known| known.name[1..].starts_with(word) || known.name.starts_with(word));
    let as_typed = |name: &'static str| if word.starts_with(':') { name } else { &name[1..] };
    begun.map(|known| item(as_typed(known.name), "magic", &known.usage())).collect()
}

/// `:dep NAME = VERSION`: what was fetched before needs no network.
fn dependency(args: &str, word: &str, crates: &Crates) -> Vec<Completion> {
    let Some((name, spec)) = args.split_once('=') else {
        return if args == word { crates.beginning_with(word) } else { Vec::new() };
    };
    if spec.trim_start() == word { crates.versions(name.trim(), word) } else { Vec::new() }
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
        assert!(texts(":tasks --cell ").is_empty());
    }

    #[test]
    fn words_to_choose_from_complete() {
        assert_eq!(texts(":opt "), ["0", "1", "2", "3"]);
        assert!(texts(":opt 2 ").is_empty());
        assert_eq!(texts(":output "), ["--cell", "full"]);
    }

    #[test]
    fn every_argument_that_is_declared_completes() {
        for command in COMMANDS {
            for argument in command.arguments.all() {
                let before = [command.name, argument.word].join(" ");
                if !argument.word.is_empty() {
                    let begun = &before[..before.len() - 1];
                    assert!(texts(begun).contains(&argument.word.to_owned()), "{begun}");
                }
                for choice in argument.value.into_iter().flat_map(Value::choices) {
                    let begun = format!("{} {}", before.trim_end(), &choice[..1]);
                    assert!(texts(&begun).contains(&choice.to_owned()), "{begun}");
                }
            }
        }
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
