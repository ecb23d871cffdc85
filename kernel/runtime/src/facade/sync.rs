//! `async_std::sync` with the same signatures, except that the inspector knows who holds a lock and who waits for it.
//!
//! Each lock is async-std's own around `()`, with the value in a field next to it. So most of the code is compiled
//! once, here, whatever the type of the value.

mod barrier;
mod condvar;
mod holders;
mod mutex;
mod rwlock;

pub use async_std::sync::{Arc, BarrierWaitResult, Weak};
pub use barrier::{Barrier, BarrierWait};
pub use condvar::{Condvar, WaitTimeoutResult};
pub use mutex::{Lock, LockArc, Mutex, MutexGuard, MutexGuardArc};
pub use rwlock::{
    Read, ReadArc, RwLock, RwLockReadGuard, RwLockReadGuardArc, RwLockUpgradableReadGuard,
    RwLockUpgradableReadGuardArc, RwLockWriteGuard, RwLockWriteGuardArc, UpgradableRead, UpgradableReadArc, Upgrade,
    UpgradeArc, Write, WriteArc,
};
