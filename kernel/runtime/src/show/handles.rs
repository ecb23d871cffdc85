//! Handles of tasks and threads in one line: in the `Debug` of most are numbers that stand nowhere else.

use crate::facade::task;

/// What can be waited for.
pub trait Handle {
    /// What it is, how far that is, and what to do with it.
    fn line(&self) -> String;
}

impl<T> Handle for task::JoinHandle<T> {
    fn line(&self) -> String {
        self.describe()
    }
}

impl<T> Handle for tokio::task::JoinHandle<T> {
    fn line(&self) -> String {
        let state = if self.is_finished() { "ended" } else { "not ended" };
        format!("JoinHandle of tokio's task {}, {state}: write `.await` behind it for what came of it", self.id())
    }
}

impl<T> Handle for std::thread::JoinHandle<T> {
    fn line(&self) -> String {
        let named = self.thread().name().map_or_else(|| "a thread".to_owned(), |name| format!("the thread \"{name}\""));
        let state = if self.is_finished() { "ended" } else { "running" };
        format!("JoinHandle of {named}, {state}: `.join()` waits for it, and blocks the cell meanwhile")
    }
}

impl Handle for async_std::task::Task {
    fn line(&self) -> String {
        let name = self.name().map(|name| format!(" \"{name}\"")).unwrap_or_default();
        format!("the task{name}, async-std's number {}; `:tasks` has numbers of its own", self.id())
    }
}
