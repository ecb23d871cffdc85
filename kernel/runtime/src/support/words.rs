//! What tasks wait for, in words.

use super::units::seconds;
use loopbook_channel::{LockKind, Operation, WaitingOn, grouped};

/// What a task waits for, on one line: the first three, and how many more there are.
pub(crate) fn waiting_on(waits: &[WaitingOn]) -> String {
    const SHOWN: usize = 3;
    let words = waits.iter().take(SHOWN).map(wait);
    let mut text = words.collect::<Vec<_>>().join(", ");
    if waits.len() > SHOWN {
        text += &format!(" and {} more", grouped((waits.len() - SHOWN) as u64));
    }
    text
}

/// What a task waits for, in words.
pub(crate) fn wait(wait: &WaitingOn) -> String {
    match wait {
        WaitingOn::Sleep { seconds: left } => format!("sleep, {} left", seconds(*left)),
        WaitingOn::Timeout { seconds: left } => format!("timeout, {} left", seconds(*left)),
        WaitingOn::Task { id } => format!("task {id}"),
        WaitingOn::Lock { id, kind, owners, held, abandoned, .. } => {
            let wish = if *kind == LockKind::Mutex { "" } else { kind.word().trim_start_matches("rwlock") };
            let holders: Vec<String> = owners.iter().map(u64::to_string).collect();
            let ended = if *abandoned { ", which has ended" } else { "" };
            match (held, &holders[..]) {
                (false, _) if *kind == LockKind::Read => format!("lock #{id}{wish}, behind a task that waits to write"),
                (false, _) => format!("lock #{id}{wish}"),
                (true, []) => format!("lock #{id}{wish}, held by no task"),
                (true, [holder]) => format!("lock #{id}{wish}, held by task {holder}{ended}"),
                (true, holders) => format!("lock #{id}{wish}, held by tasks {}{ended}", holders.join(" ")),
            }
        }
        WaitingOn::Channel { id, operation, length, capacity } => {
            let room = capacity.map_or_else(|| "no limit".to_owned(), |capacity| format!("{length} of {capacity}"));
            match operation {
                Operation::Send => format!("send to channel #{id} ({room})"),
                Operation::Receive => format!("receive from channel #{id} ({room})"),
            }
        }
        WaitingOn::Condvar { id } => format!("condvar #{id}"),
        WaitingOn::Barrier { id, waiting, needed } => format!("barrier #{id} ({waiting} of {needed} are there)"),
        WaitingOn::Socket { operation, address, descriptor } => {
            let what = match operation.as_str() {
                "write" => "write to",
                "accept" => "accept on",
                _ => "read from",
            };
            match address {
                Some(address) => format!("{what} {address}"),
                None => format!("{what} descriptor {descriptor}"),
            }
        }
        WaitingOn::Other { what } => what.clone(),
    }
}
