//! The tree of one task. Places in it are reused; a key knows whether its own has been.

use super::Place;
use crate::support::clock::Moment;
use loopbook_channel::AwaitSite;
use std::borrow::Cow;

/// The most places that are told of one task.
const MOST: usize = 100;

/// A future's place in the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key {
    slot: u32,
    serial: u32,
}

impl Key {
    /// What those have around them that have nothing around them.
    pub(crate) const ROOT: Self = Self { slot: u32::MAX, serial: 0 };
}

/// What a task awaits in code of cells.
#[derive(Default)]
pub(crate) struct Tree {
    slots: Vec<Slot>,
    /// One more than the first free slot; 0 if there is none.
    free: u32,
    serial: u32,
}

struct Slot {
    /// `None` if the slot is free.
    place: Option<&'static Place>,
    serial: u32,
    /// Of a free slot: which is the next, as in [`Tree::free`].
    parent: Key,
    since: Moment,
}

impl Tree {
    /// A future is pending, inside of `parent`.
    pub(crate) fn add(&mut self, place: &'static Place, parent: Key, since: Moment) -> Key {
        self.serial = self.serial.wrapping_add(1);
        let slot = Slot { place: Some(place), serial: self.serial, parent, since };
        let at = match self.free.checked_sub(1) {
            Some(at) => {
                let free = &mut self.slots[at as usize];
                self.free = free.parent.slot;
                *free = slot;
                at
            }
            None => {
                if self.slots.is_empty() {
                    self.slots.reserve_exact(2);
                }
                self.slots.push(slot);
                self.slots.len() as u32 - 1
            }
        };
        Key { slot: at, serial: self.serial }
    }

    /// Another future has come to await it.
    pub(crate) fn set_parent(&mut self, key: Key, parent: Key) {
        if let Some(slot) = self.get_mut(key) {
            slot.parent = parent;
        }
    }

    /// It is done, or dropped.
    pub(crate) fn remove(&mut self, key: Key) {
        let next = Key { slot: self.free, serial: 0 };
        if let Some(slot) = self.get_mut(key) {
            slot.place = None;
            slot.parent = next;
            self.free = key.slot + 1;
        }
    }

    /// The task has ended.
    pub(crate) fn clear(&mut self) {
        // Serial numbers go on: keys from before are those of nobody.
        (self.slots, self.free) = (Vec::new(), 0);
    }

    /// The places, each before those inside of it and those in the order in which they began to wait; at most [`MOST`].
    /// Those inside of a future that is no longer there are left out: nobody awaits them now.
    pub(crate) fn sites(&self, now: Moment) -> Vec<AwaitSite> {
        let mut edges: Vec<(u32, u32, u32)> = Vec::new();
        for (at, slot) in (0..).zip(&self.slots) {
            if slot.place.is_some() && (slot.parent == Key::ROOT || self.get(slot.parent).is_some()) {
                edges.push((slot.parent.slot, slot.serial, at));
            }
        }
        edges.sort_unstable();
        let inside = |parent: u32| {
            let start = edges.partition_point(|edge| edge.0 < parent);
            edges[start..].iter().take_while(move |edge| edge.0 == parent).map(|edge| edge.2)
        };
        let mut sites = Vec::new();
        let mut path = vec![inside(Key::ROOT.slot)];
        while let Some(siblings) = path.last_mut() {
            let Some(at) = siblings.next().filter(|_| sites.len() < MOST) else {
                path.pop();
                continue;
            };
            let slot = &self.slots[at as usize];
            let Some(&(cell, line, column, text)) = slot.place else { continue };
            let (depth, since) = (path.len() as u32 - 1, now.since(slot.since));
            sites.push(AwaitSite { cell, line, column, text: Cow::Borrowed(text), depth, since });
            path.push(inside(at));
        }
        sites
    }

    fn get(&self, key: Key) -> Option<&Slot> {
        self.slots.get(key.slot as usize).filter(|slot| slot.place.is_some() && slot.serial == key.serial)
    }

    fn get_mut(&mut self, key: Key) -> Option<&mut Slot> {
        let slot = self.slots.get_mut(key.slot as usize);
        slot.filter(|slot| slot.place.is_some() && slot.serial == key.serial)
    }
}
