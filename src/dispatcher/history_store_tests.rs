//! Finding what was executed, and files that are damaged, locked or shared.

use super::*;
use crate::evaluator::MAIN_SHELL;
use tempfile::TempDir;

fn inputs(keeper: &mut Keeper, access: Access) -> Vec<String> {
    let request = HistoryRequest { output: false, access };
    keeper.find(MAIN_SHELL, &request).into_iter().map(|entry| entry.input).collect()
}

fn fill(keeper: &mut Keeper) {
    for (line, input) in ["a = 1", "b", "a = 1", "a = 2"].into_iter().enumerate() {
        keeper.record(MAIN_SHELL, line as u32 + 1, input);
    }
}

fn filled() -> Keeper {
    let mut keeper = Keeper::in_memory();
    fill(&mut keeper);
    keeper
}

fn place() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let file = directory.path().join("history.sqlite");
    (directory, file)
}

fn range(session: i64) -> Access {
    Access::Range { session, start: 0, stop: None }
}

#[test]
fn the_tail_is_the_end_in_order() {
    assert_eq!(inputs(&mut filled(), Access::Tail { n: 2 }), ["a = 1", "a = 2"]);
    assert_eq!(inputs(&mut filled(), Access::Tail { n: usize::MAX }).len(), 4);
}

#[test]
fn a_range_excludes_its_end() {
    let range = |session, start, stop| Access::Range { session, start, stop };
    assert_eq!(inputs(&mut filled(), range(0, 2, Some(4))), ["b", "a = 1"]);
    assert_eq!(inputs(&mut filled(), range(1, 4, None)), ["a = 2"]);
    assert!(inputs(&mut filled(), range(-1, 0, None)).is_empty());
    assert!(inputs(&mut filled(), range(i64::MIN, 0, None)).is_empty());
}

#[test]
fn a_search_gives_the_newest_that_match() {
    let search = |pattern: &str, n, unique| Access::Search { pattern: pattern.to_owned(), n, unique };
    assert_eq!(inputs(&mut filled(), search("a*", Some(2), false)), ["a = 1", "a = 2"]);
    assert_eq!(inputs(&mut filled(), search("a*", None, true)), ["a = 1", "a = 2"]);
    assert_eq!(inputs(&mut filled(), search("a*", None, false)).len(), 3);
    assert_eq!(inputs(&mut filled(), search("? = [2-9]", None, false)), ["a = 2"]);
    assert!(inputs(&mut filled(), search("a", None, false)).is_empty());
}

#[test]
fn the_output_belongs_to_its_line() {
    let mut keeper = filled();
    keeper.set_output(MAIN_SHELL, 4, "2");
    keeper.set_output(MAIN_SHELL, 9, "nobody's");
    let found = keeper.find(MAIN_SHELL, &HistoryRequest { output: true, access: Access::Tail { n: 2 } });
    assert_eq!(found[0].output, Some(None));
    assert_eq!(found[1].output, Some(Some("2".to_owned())));
}

#[test]
fn every_shell_has_a_session_of_its_own() {
    let mut keeper = filled();
    keeper.record(7, 1, "theirs");
    let found = keeper.find(7, &HistoryRequest { output: false, access: range(0) });
    assert_eq!(found.iter().map(|entry| (entry.session, entry.line)).collect::<Vec<_>>(), [(2, 1)]);
    assert_eq!(inputs(&mut keeper, range(0)).len(), 4);
}

#[test]
fn two_kernels_share_a_file_and_each_sees_its_own_end_first() {
    let (_directory, file) = place();
    let (mut first, mut second) = (Keeper::open(file.clone()), Keeper::open(file));
    for line in 1..=20 {
        first.record(MAIN_SHELL, line, &format!("first {line}"));
        second.record(MAIN_SHELL, line, &format!("second {line}"));
    }
    assert_eq!(inputs(&mut first, Access::Tail { n: 2 }), ["first 19", "first 20"]);
    assert_eq!(inputs(&mut second, Access::Tail { n: 21 })[..2], ["first 20", "second 1"]);
    assert_eq!(inputs(&mut second, range(-1))[0], "first 1");
}

#[test]
fn only_its_owner_can_read_the_file() {
    use std::os::unix::fs::PermissionsExt as _;
    let (_directory, file) = place();
    fill(&mut Keeper::open(file.clone()));
    assert_eq!(fs::metadata(file).expect("it is there").permissions().mode() & 0o077, 0);
}

#[test]
fn what_is_no_database_is_put_aside_and_a_new_history_begins() {
    let (directory, file) = place();
    fs::write(&file, "this is a shopping list\n".repeat(100)).expect("a writable directory");
    let mut keeper = Keeper::open(file.clone());
    fill(&mut keeper);
    assert_eq!(inputs(&mut Keeper::open(file), Access::Tail { n: 9 }).len(), 4);
    let kept = fs::read_dir(directory.path()).expect("a directory").flatten();
    assert_eq!(kept.filter(|entry| entry.file_name().to_string_lossy().contains("damaged")).count(), 1);
}

#[test]
fn another_programs_tables_are_put_aside_too() {
    let (_directory, file) = place();
    let other = Connection::open(&file).expect("a database");
    other.execute_batch("CREATE TABLE entries (session, line, source)").expect("a table");
    drop(other);
    let mut keeper = Keeper::open(file);
    fill(&mut keeper);
    assert_eq!(inputs(&mut keeper, Access::Tail { n: 9 }).len(), 4);
}

#[test]
fn damage_that_comes_while_the_kernel_runs_costs_no_later_entry() {
    let (_directory, file) = place();
    let mut keeper = Keeper::open(file.clone());
    fill(&mut keeper);
    fs::write(&file, vec![0x55; 40_000]).expect("a writable file");
    fill(&mut keeper);
    assert_eq!(inputs(&mut keeper, Access::Tail { n: 4 }), ["a = 1", "b", "a = 1", "a = 2"]);
}

#[test]
fn where_nothing_can_be_written_memory_serves() {
    let (directory, _file) = place();
    let mut keeper = Keeper::open(directory.path().join("a\0b"));
    fill(&mut keeper);
    assert_eq!(inputs(&mut keeper, Access::Tail { n: 9 }).len(), 4);
    fs::write(directory.path().join("file"), "").expect("a writable directory");
    let mut keeper = Keeper::open(directory.path().join("file/history.sqlite"));
    fill(&mut keeper);
    assert_eq!(inputs(&mut keeper, Access::Tail { n: 9 }).len(), 4);
}
