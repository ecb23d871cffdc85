//! Collections that give their ends and their length without a look at what lies between.

use super::outline::{FIRST_ITEMS, LAST_ITEMS, Outline, Patience, join};
use super::{Debug, Instant, MOST_READ_OF_ITEM};
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap, HashSet, LinkedList, VecDeque};

/// What is given the items, each with its key if it has one; false ends it.
pub(super) type Take<'a> = dyn FnMut(Option<&dyn Debug>, &dyn Debug) -> bool + 'a;

/// A collection whose items have `Debug`.
pub trait Items {
    /// How many there are.
    fn count(&self) -> usize;

    /// What its `Debug` puts around them.
    fn brackets(&self) -> [&'static str; 2] {
        ["[", "]"]
    }

    /// Hands out items from the first on, a map's values with their keys, until that gives false.
    fn first(&self, take: &mut Take<'_>);

    /// The same from the last on, backwards; nothing if there is no way back.
    fn last(&self, take: &mut Take<'_>);
}

macro_rules! lists {
    ($([$($parameters:tt)*] $list:ty, $brackets:expr;)+) => {
        $(impl<$($parameters)*> Items for $list {
            fn count(&self) -> usize {
                self.len()
            }

            fn brackets(&self) -> [&'static str; 2] {
                $brackets
            }

            fn first(&self, take: &mut Take<'_>) {
                for item in self.iter() {
                    if !take(None, item) {
                        break;
                    }
                }
            }

            fn last(&self, take: &mut Take<'_>) {
                for item in self.iter().rev() {
                    if !take(None, item) {
                        break;
                    }
                }
            }
        })+
    };
}
lists! {
    [T: Debug] [T], ["[", "]"];
    [T: Debug] Vec<T>, ["[", "]"];
    [T: Debug, const N: usize] [T; N], ["[", "]"];
    [T: Debug] VecDeque<T>, ["[", "]"];
    [T: Debug] LinkedList<T>, ["[", "]"];
    [T: Debug] BinaryHeap<T>, ["[", "]"];
    [T: Debug] BTreeSet<T>, ["{", "}"];
}

impl<T: Debug, S> Items for HashSet<T, S> {
    fn count(&self) -> usize {
        self.len()
    }

    fn brackets(&self) -> [&'static str; 2] {
        ["{", "}"]
    }

    fn first(&self, take: &mut Take<'_>) {
        for item in self {
            if !take(None, item) {
                break;
            }
        }
    }

    fn last(&self, _take: &mut Take<'_>) {}
}

impl<K: Debug, V: Debug, S> Items for HashMap<K, V, S> {
    fn count(&self) -> usize {
        self.len()
    }

    fn brackets(&self) -> [&'static str; 2] {
        ["{", "}"]
    }

    fn first(&self, take: &mut Take<'_>) {
        for (key, value) in self {
            if !take(Some(key), value) {
                break;
            }
        }
    }

    fn last(&self, _take: &mut Take<'_>) {}
}

impl<K: Debug, V: Debug> Items for BTreeMap<K, V> {
    fn count(&self) -> usize {
        self.len()
    }

    fn brackets(&self) -> [&'static str; 2] {
        ["{", "}"]
    }

    fn first(&self, take: &mut Take<'_>) {
        for (key, value) in self {
            if !take(Some(key), value) {
                break;
            }
        }
    }

    fn last(&self, take: &mut Take<'_>) {
        for (key, value) in self.iter().rev() {
            if !take(Some(key), value) {
                break;
            }
        }
    }
}

impl<C: Items + ?Sized> Items for &C {
    fn count(&self) -> usize {
        C::count(self)
    }

    fn brackets(&self) -> [&'static str; 2] {
        C::brackets(self)
    }

    fn first(&self, take: &mut Take<'_>) {
        C::first(self, take);
    }

    fn last(&self, take: &mut Take<'_>) {
        C::last(self, take);
    }
}

/// The first and the last items, each in short, and how many lie between. Nothing is looked at after `until`.
pub(super) fn ends(items: &dyn Items, until: Instant) -> String {
    let count = items.count();
    let [mut first, mut last] = [Vec::new(), Vec::new()];
    let take = |texts: &mut Vec<String>, most: usize, key: Option<&dyn Debug>, value: &dyn Debug| {
        let look = |value| Outline::of(value, Patience { until, characters: MOST_READ_OF_ITEM }, 1).0;
        let key = key.map(|key| format!("{}: ", look(key))).unwrap_or_default();
        texts.push(key + &look(value));
        texts.len() < most && Instant::now() < until
    };
    items.first(&mut |key, value| take(&mut first, FIRST_ITEMS.min(count), key, value));
    let most_last = LAST_ITEMS.min(count - first.len());
    if most_last > 0 {
        items.last(&mut |key, value| take(&mut last, most_last, key, value));
    }
    let between = count - first.len() - last.len();
    let [open, close] = items.brackets();
    last.reverse();
    format!("{open}{}{close}", join(first, last, between as u64, 0))
}
