//! What commands make of their arguments.

use super::*;
use loopbook_channel::TaskOrder;

#[test]
fn tasks_understands_its_options() {
    assert_eq!(parse(":tasks", ""), Ok(Command::Look(Look::Ask(Query::Tasks { all: false, cell: None, sort: None }))));
    assert_eq!(
        parse(":tasks", "--cell 3 --all"),
        Ok(Command::Look(Look::Ask(Query::Tasks { all: true, cell: Some(3), sort: None })))
    );
    assert_eq!(
        parse(":tasks", "--live"),
        Ok(Command::Look(Look::Follow(Query::Tasks { all: false, cell: None, sort: None })))
    );
    let busy = Query::Tasks { all: false, cell: None, sort: Some(TaskOrder::Busy) };
    assert_eq!(parse(":tasks", "--sort busy"), Ok(Command::Look(Look::Ask(busy))));
    for wrong in ["--sort", "--sort colour"] {
        assert!(parse(":tasks", wrong).unwrap_err().contains("`scheduled`"), "{wrong}");
    }
    assert!(parse(":tasks", "--cell x").unwrap_err().contains("number of a cell"));
    assert!(parse(":tasks", "everything").unwrap_err().contains("`everything`"));
}

#[test]
fn a_task_is_named_by_its_number() {
    assert_eq!(parse(":task", "7"), Ok(Command::Look(Look::Ask(Query::Task { id: 7 }))));
    assert_eq!(parse(":pstree", ""), Ok(Command::Look(Look::Ask(Query::Tree { id: None }))));
    assert_eq!(parse(":pstree", " 7"), Ok(Command::Look(Look::Ask(Query::Tree { id: Some(7) }))));
    for (name, args) in [(":task", ""), (":task", "-1"), (":pstree", "x")] {
        assert!(parse(name, args).unwrap_err().contains("number of a task"), "{name} {args}");
    }
}

#[test]
fn a_timeline_is_of_a_cell_or_of_the_last_seconds() {
    let timeline = |cell, last| Ok(Command::Look(Look::Ask(Query::Timeline { cell, last })));
    assert_eq!(parse(":timeline", ""), timeline(None, None));
    assert_eq!(parse(":timeline", "--cell 3 --last 5s"), timeline(Some(3), Some(5.0)));
    assert_eq!(parse(":timeline", "--last 250ms"), timeline(None, Some(0.25)));
    for wrong in ["5s", "--last", "--last x", "--last -1s", "--last inf", "--cell x"] {
        assert!(parse(":timeline", wrong).unwrap_err().contains("--last"), "{wrong}");
    }
}

#[test]
fn the_loop_is_shown_resized_and_watched_or_not() {
    assert_eq!(parse(":loop", ""), Ok(Command::Look(Look::Ask(Query::Loop))));
    assert_eq!(parse(":loop", " threads 1"), Ok(Command::Look(Look::Ask(Query::Threads { count: 1 }))));
    assert_eq!(parse(":loop", "unwatch"), Ok(Command::Look(Look::Ask(Query::Watch { on: false }))));
    for wrong in ["threads", "threads 0", "threads -1", "threads two", "watch off", "stop"] {
        assert!(parse(":loop", wrong).unwrap_err().contains("threads N"), "{wrong}");
    }
}

#[test]
fn cancel_takes_a_task_or_a_cell() {
    assert_eq!(parse(":cancel", "7"), Ok(Command::Look(Look::Ask(Query::Cancel { id: 7 }))));
    assert_eq!(parse(":cancel", "--cell 3"), Ok(Command::Look(Look::Ask(Query::CancelCell { cell: 3 }))));
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
    assert!(all["text/plain"].as_str().unwrap().ends_with(&crate::evaluator::support::prelude::sentence()));
    assert_eq!(all["text/html"].as_str().unwrap().matches("<tr>").count(), COMMANDS.len());
    assert!(one["text/plain"].as_str().unwrap().contains("--cell") && help(Some(":nonsense")).is_err());
    assert!(help(Some("t")).is_err(), "a variable may be called so");
}

/// A value that a command takes.
fn sample(value: Value) -> &'static str {
    match value {
        Value::Cell | Value::Lines | Value::Task | Value::Threads => "3",
        Value::Time => "5s",
        Value::Column | Value::Level => value.choices()[0],
        Value::Crate | Value::Name | Value::Text | Value::Topic => "name",
    }
}

#[test]
fn every_argument_that_is_declared_is_understood_and_stands_in_the_help() {
    let all = help(None).unwrap()["text/plain"].to_string();
    for command in COMMANDS {
        let about = help(Some(command.name)).unwrap()["text/plain"].to_string();
        assert!(about.contains(&command.usage()) && all.contains(&command.usage()), "{}", command.name);
        for argument in command.arguments.all() {
            let given = [argument.word, argument.value.map_or("", sample)].join(" ");
            let understood = parse(command.name, &given);
            assert!(understood.is_ok() && understood != parse(command.name, ""), "{} {given}", command.name);
            assert!(command.usage().contains(argument.word), "{} {given}", command.name);
            // A word or a value too many is refused with what the command takes.
            for wrong in [format!("{given} --nonsense"), format!("{} --nonsense", argument.word)] {
                let why = parse(command.name, &wrong).unwrap_err();
                assert!(why.starts_with(&format!("`{}` takes ", command.name)), "{wrong}: {why}");
                assert!(why.contains(argument.word), "{wrong}: {why}");
                let choices = argument.value.filter(|value| *value == Value::Column).map_or(Vec::new(), Value::choices);
                assert!(choices.iter().all(|choice| why.contains(&format!("`{choice}`"))), "{why}");
            }
        }
    }
}

#[test]
fn commands_that_take_nothing_say_so() {
    for command in COMMANDS.iter().filter(|command| matches!(command.arguments, Arguments::Nothing)) {
        assert!(parse(command.name, "").is_ok(), "{}", command.name);
        let why = parse(command.name, "x").unwrap_err();
        assert_eq!(why, format!("`{}` takes no arguments; `x` is one too many", command.name));
    }
}
