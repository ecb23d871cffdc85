//! What is seen of tasks that gather, from inside and as a table.
#![deny(warnings)]

use loopbook::{TaskKind, TaskState, WaitingOn, facade::task, gather};
use std::time::Duration;

async fn nap(milliseconds: u64) {
    task::sleep(Duration::from_millis(milliseconds)).await;
}

#[test]
fn the_branches_of_a_gather_are_tasks_with_names_and_a_parent() {
    let gathering = task::Builder::new().name("gathering".into()).spawn(async {
        let parent = loopbook::current_task().expect("inside a task").id;
        let (_, _, seen) = gather!(nap(100), nap(120), async {
            nap(50).await;
            loopbook::all_tasks()
        });
        (parent, seen)
    });
    let (parent, seen) = task::block_on(gathering.expect("a thread for it"));
    let branches: Vec<_> = seen.iter().filter(|task| task.parent == Some(parent)).collect();
    let names: Vec<_> = branches.iter().map(|branch| branch.name.as_deref().unwrap_or_default()).collect();
    assert_eq!(names, ["nap(100)", "nap(120)", "async block"]);
    assert!(branches.iter().all(|branch| branch.kind == TaskKind::Branch));
    assert_eq!(branches[2].state, TaskState::Running);
    assert_eq!(branches[0].state, TaskState::Idle);
    assert!(matches!(branches[0].waiting_on[..], [WaitingOn::Sleep { .. }]), "{:?}", branches[0]);
    assert!(loopbook::finished_tasks().iter().any(|task| task.id == branches[0].id));

    let table = loopbook::__bundle!(seen).expect("tasks show as a table");
    let text = table["text/plain"].as_str().expect("text");
    assert!(text.contains("gathering") && text.contains("nap(120)") && text.contains("left"), "{text}");
}
