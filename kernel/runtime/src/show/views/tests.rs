//! The task table, exactly.

use super::tasks;
use crate::support::examples::example_task as task;
use loopbook_channel::{Site, TaskInfo, TaskKind, TaskOrder, TaskState, WaitingOn};
use std::time::Duration;

fn plain(list: &[TaskInfo]) -> String {
    tasks(list, None)["text/plain"].as_str().expect("text").to_owned()
}

fn html(list: &[TaskInfo]) -> String {
    tasks(list, None)["text/html"].as_str().expect("text").to_owned()
}

#[test]
fn the_table_is_aligned_and_sorted_by_number() {
    let mut sleeping = task(12, "fetch", TaskState::Idle);
    sleeping.waiting_on = vec![WaitingOn::Sleep { seconds: 0.8 }, WaitingOn::Task { id: 7 }];
    let cell = TaskInfo { kind: TaskKind::Cell, site: None, line: None, ..task(2, "In[3]", TaskState::Running) };
    let expected = "\
2 tasks: 1 running, 1 idle
id  state    name   kind  cell:line  waiting on                      busy  scheduled    idle  polls  wakes
 2  running  In[3]  cell  In[3]                                    1.5 ms      80 µs  1.00 s      3      2
12  idle     fetch  task  In[3]:2    sleep, 800.0 ms left, task 7  1.5 ms      80 µs  1.00 s      3      2";
    assert_eq!(plain(&[sleeping, cell]), expected);
    assert_eq!(plain(&[]), "no tasks");
}

#[test]
fn wide_letters_take_two_columns() {
    let list = [task(1, "取得", TaskState::Idle), task(2, "load", TaskState::Idle)];
    let text = plain(&list);
    let [wide, narrow] = [1, 2].map(|row| text.lines().nth(row + 1).expect("a row"));
    assert!(wide.contains("  取得  task") && narrow.contains("  load  task"), "{text}");
}

#[test]
fn html_is_escaped_and_has_colours_for_states_only() {
    let html = html(&[task(1, "<script>&\"$x$", TaskState::Panicked)]);
    assert!(html.contains("&lt;script&gt;&amp;&quot;&#36;x&#36;"), "{html}");
    assert!(!html.contains("<script>"), "{html}");
    assert!(html.contains("<b><span style=\"color:#e0463e\">●</span> panicked</b>"), "{html}");
    assert_eq!(html.matches("<td").count(), 11);
}

#[test]
fn the_table_can_be_sorted_by_other_columns() {
    let busy = |id, milliseconds| {
        let busy = Duration::from_millis(milliseconds);
        TaskInfo { busy, ..task(id, &format!("task-{}", 9 - id), TaskState::Idle) }
    };
    let list = [busy(3, 20), busy(1, 5), busy(2, 700)];
    let order = |order| {
        let text = tasks(&list, Some(order))["text/plain"].as_str().expect("text").to_owned();
        let ids = text.lines().skip(2).map(|line| line.split_whitespace().next().expect("a number").to_owned());
        ids.collect::<String>()
    };
    assert_eq!(
        [order(TaskOrder::Id), order(TaskOrder::Busy), order(TaskOrder::Name), order(TaskOrder::Polls)],
        ["123", "231", "321", "123"]
    );
}

#[test]
fn many_tasks_are_folded_by_the_place_of_their_spawn() {
    let mut list: Vec<TaskInfo> = (10..1010).map(|id| task(id, "worker", TaskState::Idle)).collect();
    list[0].state = TaskState::Running;
    let elsewhere = Some(Site { cell: 1, line: 7, column: Some(1) });
    list.push(TaskInfo { site: elsewhere, line: Some(5), ..task(5, "lone", TaskState::Scheduled) });
    let text = plain(&list);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 4, "{text}");
    assert_eq!(lines[0], "1,001 tasks: 1 running, 1 scheduled, 999 idle");
    assert!(lines[2].contains("lone") && lines[2].contains("In[3]:5"), "{text}");
    assert!(lines[3].contains("10…1009") && lines[3].contains("1 running, 999 idle"), "{text}");
    assert!(html(&list).contains("spawned at In[1]:7:1"));
}

#[test]
fn places_beyond_the_limit_are_counted() {
    let list: Vec<TaskInfo> =
        (1..=60).map(|id| TaskInfo { line: Some(id as u32), ..task(id, "w", TaskState::Idle) }).collect();
    let text = plain(&list);
    assert_eq!(text.lines().last(), Some("and 10 more places with fewer tasks"));
    assert_eq!(text.lines().count(), 53);
}
