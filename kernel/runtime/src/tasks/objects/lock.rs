//! A lock for which tasks have waited: who holds it.

use super::{Number, Object};
use crate::tasks::{events::WaitKind, objects::Resource, registry};
use loopbook_channel::{LockKind, TaskId, WaitingOn};
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

/// So many holders of one lock are noted; more readers than that are not.
pub(crate) const SLOTS: usize = 8;

/// Nobody has said yet what is in this slot.
const UNKNOWN: u64 = u64::MAX;

/// How a task holds a lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u64)]
pub(crate) enum Mode {
    Read = 1,
    Write = 2,
    UpgradableRead = 3,
}

/// One holder as a word: the task, or 0 for none, and how it holds the lock. No holder is 0.
pub(crate) fn word(task: Option<TaskId>, mode: Mode) -> u64 {
    task.unwrap_or(0) << 2 | mode as u64
}

/// The same holder, who has the lock in another way.
pub(crate) fn again(word: u64, mode: Mode) -> u64 {
    word & !3 | mode as u64
}

/// The shared half of a lock, which tells who holds it when the lock itself cannot be asked.
pub(crate) struct Lock {
    number: Number,
    is_mutex: bool,
    holders: [AtomicU64; SLOTS],
}

impl Lock {
    /// A lock of which nothing is known; [`Lock::learn`] and [`Lock::set`] tell.
    pub(crate) fn new(number: Number, is_mutex: bool) -> Self {
        Self { number, is_mutex, holders: [const { AtomicU64::new(UNKNOWN) }; SLOTS] }
    }

    /// Notes a holder, or 0.
    pub(crate) fn set(&self, slot: usize, word: u64) {
        self.holders[slot].store(word, Release);
    }

    /// Notes what was there when this was made, unless somebody has noted something newer.
    pub(crate) fn learn(&self, slot: usize, word: u64) {
        let _ = self.holders[slot].compare_exchange(UNKNOWN, word, Release, Relaxed);
    }

    /// Notes that a holder has gone, unless somebody else has come.
    pub(crate) fn clear(&self, slot: usize, word: u64) {
        for known in [UNKNOWN, word] {
            let _ = self.holders[slot].compare_exchange(known, 0, Release, Relaxed);
        }
    }

    /// The word for a wait; `slot` is the one that an upgrade has already.
    pub(crate) fn how(kind: LockKind, slot: usize) -> u32 {
        kind as u32 | (slot as u32) << 8
    }

    /// The holders, but for that of one slot: the task, and how it holds the lock.
    fn holders(&self, except: Option<usize>) -> impl Iterator<Item = (Option<TaskId>, u64)> + '_ {
        self.holders.iter().enumerate().filter_map(move |(slot, word)| {
            let word = word.load(Acquire);
            let holds = word != 0 && word != UNKNOWN && Some(slot) != except;
            holds.then(|| ((word >> 2 != 0).then_some(word >> 2), word & 3))
        })
    }
}

const KINDS: [LockKind; 5] =
    [LockKind::Mutex, LockKind::Read, LockKind::UpgradableRead, LockKind::Write, LockKind::Upgrade];

impl Object for Lock {
    fn number(&self) -> &Number {
        &self.number
    }

    fn waiting(&self, how: u32) -> WaitingOn {
        let kind = KINDS.into_iter().find(|kind| *kind as u32 == how & 0xff).unwrap_or(LockKind::Mutex);
        let own = (kind == LockKind::Upgrade).then_some((how >> 8) as usize);
        let in_the_way = |mode: u64| match kind {
            LockKind::Read => mode == Mode::Write as u64,
            LockKind::UpgradableRead => mode != Mode::Read as u64,
            _ => true,
        };
        let holders: Vec<Option<TaskId>> =
            self.holders(own).filter(|(_, mode)| in_the_way(*mode)).map(|(task, _)| task).collect();
        let owners: Vec<TaskId> = holders.iter().flatten().copied().collect();
        let owner = owners.first().copied();
        let abandoned = owner.is_some_and(|owner| registry::record(owner).is_none());
        WaitingOn::Lock { id: self.number.id, kind, owner, owners, held: !holders.is_empty(), abandoned }
    }

    fn wait_kind(&self, _how: u32) -> WaitKind {
        WaitKind::Lock
    }

    fn resource(&self, waiters: Vec<TaskId>) -> Resource {
        let holders: Vec<(Option<TaskId>, u64)> = self.holders(None).collect();
        let verb = match holders.first() {
            None => "free",
            Some((_, mode)) if *mode == Mode::Write as u64 => "locked by",
            Some(_) => "read by",
        };
        let tasks: Vec<String> = holders.iter().filter_map(|(task, _)| Some(format!("task {}", (*task)?))).collect();
        let by = match (holders.is_empty(), tasks.is_empty()) {
            (true, _) => String::new(),
            (false, true) => " no task".to_owned(),
            (false, false) => format!(" {}", tasks.join(", ")),
        };
        Resource {
            kind: if self.is_mutex { "mutex" } else { "rwlock" }.into(),
            what: format!("#{}, {verb}{by}, made at {}", self.number.id, self.number.place()),
            waits: (!waiters.is_empty()).then(|| "to be let in".into()),
            tasks: waiters,
        }
    }
}
