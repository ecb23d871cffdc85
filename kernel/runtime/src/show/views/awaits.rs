//! The `.await`s at which a task stands, in words.

use crate::support::{units::duration, words::waiting_on};
use loopbook_channel::{AwaitSite, TaskInfo, TaskState, grouped, line_label};

/// How many `.await`s a field of a table shows.
const SHOWN: usize = 8;

/// What a table says a task waits for: what is known of it, else the innermost `.await`.
pub(super) fn reason(task: &TaskInfo) -> String {
    if !task.waiting_on.is_empty() || task.state == TaskState::Running {
        return waiting_on(&task.waiting_on);
    }
    let mut innermost = groups(&task.awaits).into_iter().filter_map(|group| {
        let ends = group.windows(2).position(|pair| pair[1].depth <= pair[0].depth);
        group.get(ends.unwrap_or(group.len() - 1))
    });
    let Some(first) = innermost.next() else { return String::new() };
    match innermost.count() {
        0 => place(first),
        others => format!("{} and {} more", place(first), grouped(others as u64)),
    }
}

/// All `.await`s on one line: `a › b, c` if the task awaits `b` inside of `a`, and `c` at the same time.
pub(super) fn path(awaits: &[AwaitSite]) -> String {
    let mut text = String::new();
    for (at, site) in awaits.iter().take(SHOWN).enumerate() {
        let is_inside = at.checked_sub(1).is_some_and(|before| awaits[before].depth < site.depth);
        text += if at == 0 {
            ""
        } else if is_inside {
            " › "
        } else {
            ", "
        };
        text += &place(site);
    }
    if awaits.len() > SHOWN {
        text += &format!(" and {} more", grouped((awaits.len() - SHOWN) as u64));
    }
    text
}

/// `In[3]:7 fetch(n), for 1.2 s`.
pub(super) fn line(site: &AwaitSite) -> String {
    format!("{}, for {}", place(site), duration(site.since))
}

/// Each of the outermost, with those inside of it behind it.
pub(super) fn groups(awaits: &[AwaitSite]) -> Vec<&[AwaitSite]> {
    let outermost = awaits.first().map_or(0, |first| first.depth);
    awaits.chunk_by(|_, next| next.depth > outermost).collect()
}

fn place(site: &AwaitSite) -> String {
    format!("{} {}", line_label(site.cell, site.line), site.text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::support::examples::example_task;
    use loopbook_channel::WaitingOn;
    use std::time::Duration;

    fn site(text: &'static str, depth: u32) -> AwaitSite {
        AwaitSite { cell: 3, line: 7, column: 1, text: text.into(), depth, since: Duration::from_millis(1200) }
    }

    #[test]
    fn the_innermost_await_is_the_last_reason_that_is_told() {
        let mut task = example_task(1, "t", TaskState::Idle);
        assert_eq!(reason(&task), "");
        task.awaits = vec![site("outer()", 0), site("inner()", 1)];
        assert_eq!(reason(&task), "In[3]:7 inner()");
        task.awaits.push(site("beside()", 0));
        assert_eq!(reason(&task), "In[3]:7 inner() and 1 more");
        task.waiting_on = vec![WaitingOn::Task { id: 5 }];
        assert_eq!(reason(&task), "task 5");
    }

    #[test]
    fn a_path_says_what_is_inside_of_what() {
        let awaits = [site("a", 0), site("b", 1), site("c", 0)];
        assert_eq!(path(&awaits), "In[3]:7 a › In[3]:7 b, In[3]:7 c");
        assert_eq!(line(&awaits[0]), "In[3]:7 a, for 1.20 s");
        assert_eq!(groups(&awaits).iter().map(|group| group.len()).collect::<Vec<_>>(), [2, 1]);
    }
}
