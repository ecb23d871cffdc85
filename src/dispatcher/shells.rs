//! The main shell and the subshells (JEP 91): who waits and what runs in each of them.

use crate::evaluator::{MAIN_SHELL, ShellId};
use crate::wire::{ErrorInfo, ExecuteRequest, Expression, Metadata, Parent, Payload};
use loopbook_channel::{CellId, MimeBundle};
use std::collections::{BTreeMap, VecDeque};
use std::time::Instant;

/// How requests name a shell: `None` is the main one.
pub(super) type ShellKey = Option<String>;

/// All shells; the main one is always there.
#[derive(Debug)]
pub(super) struct Shells {
    shells: BTreeMap<ShellKey, Shell>,
    last_shell: ShellId,
    last_cell: CellId,
}

/// A queue of cells with a count of its own.
#[derive(Debug, Default)]
pub(super) struct Shell {
    id: ShellId,
    pub(super) queue: VecDeque<(Parent, ExecuteRequest)>,
    pub(super) running: Option<Running>,
    count: u32,
}

/// The cell that a shell runs.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) cell: CellId,
    pub(super) parent: Parent,
    pub(super) request: ExecuteRequest,
    pub(super) number: u32,
    pub(super) began: Instant,
    pub(super) payload: Vec<Payload>,
    pub(super) expressions: Expressions,
}

/// The user expressions of a cell.
#[derive(Debug, Default)]
pub(super) struct Expressions {
    waiting: VecDeque<(String, String)>,
    current: Option<Current>,
    results: BTreeMap<String, Expression>,
}

/// The expression that is evaluated, as a cell of its own.
#[derive(Debug)]
struct Current {
    cell: CellId,
    key: String,
    value: Option<(MimeBundle, Metadata)>,
}

impl Default for Shells {
    fn default() -> Self {
        let main = Shell { id: MAIN_SHELL, ..Shell::default() };
        Self { shells: BTreeMap::from([(None, main)]), last_shell: MAIN_SHELL, last_cell: 0 }
    }
}

impl Shells {
    /// Makes a subshell.
    pub(super) fn create(&mut self, id: String) {
        self.last_shell += 1;
        self.shells.insert(Some(id), Shell { id: self.last_shell, ..Shell::default() });
    }

    /// Forgets a subshell.
    pub(super) fn remove(&mut self, key: &ShellKey) {
        if key.is_some() {
            self.shells.remove(key);
        }
    }

    /// The keys of all shells, the oldest first.
    pub(super) fn keys(&self) -> Vec<ShellKey> {
        let mut shells: Vec<_> = self.shells.iter().collect();
        shells.sort_by_key(|(_, shell)| shell.id);
        shells.into_iter().map(|(key, _)| key.clone()).collect()
    }

    /// The evaluator's number of a shell; `None` if there is no such shell.
    pub(super) fn id(&self, key: &ShellKey) -> Option<ShellId> {
        self.shells.get(key).map(|shell| shell.id)
    }

    pub(super) fn get_mut(&mut self, key: &ShellKey) -> Option<&mut Shell> {
        self.shells.get_mut(key)
    }

    /// What runs in the main shell.
    pub(super) fn main(&self) -> Option<&Running> {
        self.shells.get(&None)?.running.as_ref()
    }

    /// What runs, in all shells.
    pub(super) fn running(&self) -> impl Iterator<Item = &Running> {
        self.shells.values().filter_map(|shell| shell.running.as_ref())
    }

    /// The execution that evaluates this cell, or this cell's expressions.
    pub(super) fn of(&self, cell: CellId) -> Option<&Running> {
        self.running().find(|running| running.cell == cell || running.evaluating() == cell)
    }

    /// The execution that evaluates this right now, and its shell and number.
    pub(super) fn evaluating_mut(&mut self, cell: CellId) -> Option<(&ShellKey, &mut Running)> {
        let running = self.shells.iter_mut().filter_map(|(key, shell)| Some((key, shell.running.as_mut()?)));
        running.into_iter().find(|(_, running)| running.evaluating() == cell)
    }

    /// The number of the shell that evaluates this right now.
    pub(super) fn shell_evaluating(&self, cell: CellId) -> Option<ShellId> {
        let evaluates = |shell: &&Shell| shell.running.as_ref().is_some_and(|running| running.evaluating() == cell);
        self.shells.values().find(evaluates).map(|shell| shell.id)
    }

    /// Makes the oldest waiting request of a shell the running one, unless another one runs.
    pub(super) fn advance(&mut self, key: &ShellKey) -> Option<(ShellId, &Running)> {
        let shell = self.shells.get_mut(key).filter(|shell| shell.running.is_none())?;
        let (parent, request) = shell.queue.pop_front()?;
        self.last_cell += 1;
        shell.count += u32::from(request.store_history());
        let waiting = request.user_expressions.clone().into_iter().collect();
        let running = Running {
            cell: self.last_cell,
            parent,
            request,
            number: shell.count,
            began: Instant::now(),
            payload: Vec::new(),
            expressions: Expressions { waiting, ..Expressions::default() },
        };
        Some((shell.id, shell.running.insert(running)))
    }

    /// Makes the next expression of the running cell the evaluated one, and gives its text.
    pub(super) fn next_expression(&mut self, key: &ShellKey) -> Option<(ShellId, &Running, String)> {
        let shell = self.shells.get_mut(key)?;
        let running = shell.running.as_mut()?;
        let (key, code) = running.expressions.waiting.pop_front()?;
        self.last_cell += 1;
        running.expressions.current = Some(Current { cell: self.last_cell, key, value: None });
        Some((shell.id, running, code))
    }
}

impl Running {
    /// What the evaluator works on: the cell, or one of its expressions.
    pub(super) fn evaluating(&self) -> CellId {
        self.expressions.current.as_ref().map_or(self.cell, |current| current.cell)
    }

    /// Whether the cell itself is done.
    pub(super) fn evaluates_expression(&self) -> bool {
        self.expressions.current.is_some()
    }

    /// Shows this in the front end's pager when the cell is done.
    pub(super) fn add_page(&mut self, data: MimeBundle) {
        self.payload.push(Payload::Page { data, start: 0 });
    }
}

impl Expressions {
    /// What the expression that is evaluated comes to.
    pub(super) fn set_value(&mut self, data: MimeBundle, metadata: Metadata) {
        if let Some(current) = &mut self.current {
            current.value = Some((data, metadata));
        }
    }

    /// The expression has been evaluated. One that shows nothing is `()`.
    pub(super) fn succeed(&mut self) {
        let Some(Current { key, value, .. }) = self.current.take() else { return };
        let unit = || (MimeBundle::from([("text/plain".to_owned(), "()".into())]), Metadata::new());
        let (data, metadata) = value.unwrap_or_else(unit);
        self.results.insert(key, Expression::Ok { data, metadata });
    }

    /// The expression has failed. Who interrupts one means all of them.
    pub(super) fn fail(&mut self, error: ErrorInfo) {
        let Some(Current { key, .. }) = self.current.take() else { return };
        let others = if error.ename == "Interrupted" { std::mem::take(&mut self.waiting) } else { VecDeque::new() };
        for key in others.into_iter().map(|(key, _)| key).chain([key]) {
            self.results.insert(key, Expression::Error { error: error.clone() });
        }
    }

    /// What became of each of them.
    pub(super) fn results(&self) -> BTreeMap<String, Expression> {
        self.results.clone()
    }
}
