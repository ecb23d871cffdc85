//! What tasks wait for that is not a task: locks, channels, timeouts.
#![deny(warnings)]

use loopbook::facade::channel::{self, Receiver};
use loopbook::facade::future::timeout;
use loopbook::facade::prelude::{FutureExt as _, StreamExt as _};
use loopbook::facade::sync::{Arc, Barrier, Condvar, Mutex, RwLock, RwLockUpgradableReadGuard, RwLockWriteGuard};
use loopbook::facade::task::{self, JoinHandle};
use loopbook::{LockKind, Operation, TaskInfo, TaskState, WaitingOn, gather, resources};
use std::future::{Future, pending};
use std::time::{Duration, Instant};

const LONG: Duration = Duration::from_secs(600);

fn named<T: Send + 'static>(name: &str, future: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
    task::Builder::new().name(name.to_owned()).spawn(future).expect("a thread for it")
}

/// Waits until a task is idle and waits for something as wanted.
fn until<T>(name: &str, wanted: impl Fn(&TaskInfo) -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        let tasks = loopbook::all_tasks();
        let task = tasks.iter().find(|task| task.name.as_deref() == Some(name) && task.state == TaskState::Idle);
        if let Some(found) = task.and_then(&wanted) {
            return found;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "{tasks:#?}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn waits(name: &str) -> WaitingOn {
    until(name, |task| task.waiting_on.first().cloned())
}

fn id(name: &str) -> u64 {
    until(name, |task| Some(task.id))
}

/// The tables' words for what a task waits for.
fn words(name: &str) -> String {
    let tasks: Vec<TaskInfo> =
        loopbook::all_tasks().into_iter().filter(|task| task.name.as_deref() == Some(name)).collect();
    let table = loopbook::__bundle!(tasks).expect("shows as a table");
    table["text/plain"].as_str().expect("text").to_owned()
}

/// The line of `resources()` about what has this number.
fn resource(number: u64) -> Option<String> {
    let prefix = format!("#{number},");
    resources()
        .into_iter()
        .find(|resource| resource.what.starts_with(&prefix))
        .map(|it| format!("{} {}", it.kind, it.what))
}

#[test]
fn who_waits_for_a_mutex_names_its_owner_and_the_lock_leaves_the_table() {
    let mutex = Arc::new(Mutex::new(0));
    let held = Arc::clone(&mutex);
    let holder = named("mutex holder", async move {
        let _guard = held.lock().await;
        task::sleep(LONG).await;
    });
    let owner = id("mutex holder");
    let wanted = Arc::clone(&mutex);
    let waiter = named("mutex waiter", async move { *wanted.lock().await += 1 });
    let WaitingOn::Lock { id, kind, owner: Some(known), owners, held: true, abandoned: false } = waits("mutex waiter")
    else {
        panic!("{}", words("mutex waiter"));
    };
    assert_eq!((kind, known, owners), (LockKind::Mutex, owner, vec![owner]));
    assert!(words("mutex waiter").contains(&format!("lock #{id}, held by task {owner}")), "{}", words("mutex waiter"));
    let line = resource(id).expect("listed");
    assert!(line.starts_with("mutex") && line.contains(&format!("locked by task {owner}")), "{line}");
    assert!(line.contains("tests/waits.rs:"), "{line}");
    let graph = loopbook::call_graph(
        loopbook::all_tasks().iter().find(|task| task.name.as_deref() == Some("mutex waiter")).expect("lives").id,
    );
    let graph = graph.expect("it waits");
    assert_eq!(graph.awaits.iter().map(|task| task.task).collect::<Vec<_>>(), [owner], "{graph}");
    task::block_on(holder.cancel());
    task::block_on(waiter);
    assert_eq!(*task::block_on(mutex.lock()), 1);
    assert!(resource(id).expect("it lives").contains("free"));
    drop(mutex);
    assert_eq!(resource(id), None);
}

#[test]
fn readers_and_writers_are_told_apart() {
    let lock = Arc::new(RwLock::new(()));
    let (one, two) = (Arc::clone(&lock), Arc::clone(&lock));
    let readers = [("reader one", one), ("reader two", two)].map(|(name, lock)| {
        named(name, async move {
            let _guard = lock.read().await;
            task::sleep(LONG).await;
        })
    });
    let mut holding = [id("reader one"), id("reader two")];
    until("reader one", |task| (!task.waiting_on.is_empty()).then_some(()));
    until("reader two", |task| (!task.waiting_on.is_empty()).then_some(()));
    let wanted = Arc::clone(&lock);
    let writer = named("writer", async move { drop(wanted.write().await) });
    let WaitingOn::Lock { kind: LockKind::Write, mut owners, owner: Some(first), .. } = waits("writer") else {
        panic!("{}", words("writer"));
    };
    assert!(holding.contains(&first));
    owners.sort_unstable();
    holding.sort_unstable();
    assert_eq!(owners, holding);
    // Nobody writes, and yet a reader has to wait: behind the writer.
    let wanted = Arc::clone(&lock);
    let third = named("reader three", async move { drop(wanted.read_arc().await) });
    let WaitingOn::Lock { id, kind: LockKind::Read, owner: None, held: false, .. } = waits("reader three") else {
        panic!("{}", words("reader three"));
    };
    assert!(words("reader three").contains("behind a task that waits to write"));
    assert!(resource(id).expect("listed").contains("read by task"));
    for reader in readers {
        task::block_on(reader.cancel());
    }
    task::block_on(writer);
    task::block_on(third);
}

#[test]
fn guards_become_one_another_and_the_owner_stays_known() {
    let lock = Arc::new(RwLock::new(1));
    let held = Arc::clone(&lock);
    let (tell, told) = std::sync::mpsc::channel();
    let holder = named("upgrades", async move {
        let guard = held.upgradable_read().await;
        let reader = held.read().await;
        let Err(guard) = RwLockUpgradableReadGuard::try_upgrade(guard) else { panic!("somebody reads") };
        drop(reader);
        let mut guard = RwLockUpgradableReadGuard::upgrade(guard).await;
        *guard += 1;
        let guard = RwLockWriteGuard::downgrade_to_upgradable(guard);
        tell.send(*guard).expect("somebody listens");
        task::sleep(LONG).await;
        drop(RwLockUpgradableReadGuard::downgrade(guard));
    });
    assert_eq!(told.recv(), Ok(2));
    assert_eq!(*task::block_on(lock.read()), 2);
    assert!(lock.try_write().is_none() && lock.try_upgradable_read().is_none());
    let wanted = Arc::clone(&lock);
    let writer = named("writes after", async move { *wanted.write_arc().await = 7 });
    let WaitingOn::Lock { owner, .. } = waits("writes after") else { panic!("{}", words("writes after")) };
    assert_eq!(owner, Some(id("upgrades")));
    task::block_on(holder.cancel());
    task::block_on(writer);
    assert_eq!(format!("{lock:?}"), "RwLock { value: 7 }");
}

#[test]
fn who_sends_and_who_receives_is_told_and_how_full_the_channel_is() {
    let (sender, receiver) = channel::bounded::<i32>(2);
    let sends = named("sends", async move {
        for number in 0..3 {
            sender.send(number).await.expect("somebody receives");
        }
        sender
    });
    let WaitingOn::Channel { id, operation: Operation::Send, length: 2, capacity: Some(2) } = waits("sends") else {
        panic!("{}", words("sends"));
    };
    assert!(words("sends").contains(&format!("send to channel #{id} (2 of 2)")), "{}", words("sends"));
    let line = resource(id).expect("listed");
    assert!(line.contains("2 of 2 messages, 1 sender, 1 receiver"), "{line}");
    assert_eq!(task::block_on(receiver.recv()), Ok(0));
    let sender = task::block_on(sends);
    assert_eq!((receiver.len(), receiver.sender_count(), sender.receiver_count()), (2, 1, 1));
    let receives = named("receives", async move { receiver.collect::<Vec<_>>().await });
    let empty = WaitingOn::Channel { id, operation: Operation::Receive, length: 0, capacity: Some(2) };
    until("receives", |task| (task.waiting_on == [empty.clone()]).then_some(()));
    let (another, weak) = (sender.clone(), sender.downgrade());
    assert!(resource(id).expect("listed").contains("2 senders"));
    drop((sender, another));
    assert_eq!(task::block_on(receives), [1, 2]);
    assert!(weak.upgrade().is_none());
    drop(weak);
    assert_eq!(resource(id), None);
}

#[test]
fn a_stream_that_is_no_longer_awaited_is_no_longer_told() {
    let (sender, mut receiver) = channel::unbounded::<()>();
    let task = named("gave up", async move {
        let late = timeout(Duration::from_millis(20), receiver.next()).await;
        assert!(late.is_err());
        task::sleep(LONG).await;
        drop(receiver);
    });
    until("gave up", |task| match task.waiting_on[..] {
        [WaitingOn::Sleep { .. }] => Some(()),
        _ => None,
    });
    drop((task, sender));
}

#[test]
fn timeouts_stand_beside_what_they_limit() {
    let (sender, receiver) = channel::unbounded::<()>();
    let waiting = named("in time", async move { timeout(LONG, receiver.recv()).await });
    until("in time", |task| match task.waiting_on[..] {
        [WaitingOn::Channel { capacity: None, .. }, WaitingOn::Timeout { seconds }] => {
            assert!(seconds > 500.0 && seconds <= 600.0);
            Some(())
        }
        _ => None,
    });
    assert!(words("in time").contains("timeout, ") && words("in time").contains("(no limit)"));
    assert!(resources().iter().any(|resource| resource.kind == "timer"));
    sender.try_send(()).expect("no limit");
    assert_eq!(task::block_on(waiting), Ok(Ok(())));
    let by_method = named("by method", pending::<()>().timeout(LONG));
    until("by method", |task| matches!(task.waiting_on[..], [WaitingOn::Timeout { .. }]).then_some(()));
    drop(by_method);
    let late = task::block_on(pending::<()>().timeout(Duration::from_millis(5)));
    assert_eq!(late.map_err(|late| late.to_string()), Err("future has timed out".into()));
}

#[test]
fn condition_variables_and_barriers_are_told() {
    let pair = Arc::new((Mutex::new(false), Condvar::new()));
    let theirs = Arc::clone(&pair);
    let waits_for_it = named("waits for it", async move {
        let guard = theirs.1.wait_until(theirs.0.lock().await, |ready| *ready).await;
        assert!(*guard);
    });
    let WaitingOn::Condvar { id } = waits("waits for it") else { panic!("{}", words("waits for it")) };
    assert!(resource(id).expect("listed").starts_with("condvar"));
    *task::block_on(pair.0.lock()) = true;
    pair.1.notify_one();
    task::block_on(waits_for_it);
    let (guard, result) =
        task::block_on(async { pair.1.wait_timeout(pair.0.lock().await, Duration::from_millis(5)).await });
    assert!(result.timed_out() && *guard);

    let barrier = Arc::new(Barrier::new(3));
    let parties: Vec<JoinHandle<bool>> = (0..2)
        .map(|number| {
            let barrier = Arc::clone(&barrier);
            named(&format!("party {number}"), async move { barrier.wait().await.is_leader() })
        })
        .collect();
    let two = |task: &TaskInfo| {
        matches!(task.waiting_on[..], [WaitingOn::Barrier { waiting: 2, needed: 3, .. }]).then_some(())
    };
    until("party 0", two);
    until("party 1", two);
    let mine = task::block_on(barrier.wait()).is_leader();
    let leaders = parties.into_iter().map(task::block_on).filter(|leader| *leader).count() + usize::from(mine);
    assert_eq!(leaders, 1);
}

#[test]
fn what_waits_inside_a_branch_is_the_branch() {
    let mutex = Arc::new(Mutex::new(0));
    let theirs = Arc::clone(&mutex);
    let guard = task::block_on(mutex.lock());
    let gathers = named("gathers", async move {
        let (one, two) = gather!(theirs.lock(), async { 4 });
        *one + two
    });
    let branch = until("theirs.lock()", |task| task.waiting_on.first().cloned().map(|wait| (task.kind, wait)));
    assert!(matches!(branch, (loopbook::TaskKind::Branch, WaitingOn::Lock { held: true, .. })), "{branch:?}");
    drop(guard);
    assert_eq!(task::block_on(gathers), 4);
}

#[test]
fn locks_are_locks() {
    static COUNT: Mutex<u64> = Mutex::new(0);
    let shared = Arc::new(RwLock::new(0));
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let shared = Arc::clone(&shared);
            task::spawn(async move {
                for round in 0..2_000 {
                    *COUNT.lock().await += 1;
                    let before = *shared.read().await;
                    let mut now = shared.write().await;
                    assert!(*now >= before);
                    *now += 1;
                    drop(now);
                    if round % 64 == 0 {
                        loopbook::all_tasks();
                    }
                }
            })
        })
        .collect();
    tasks.into_iter().for_each(task::block_on);
    assert_eq!(*task::block_on(COUNT.lock()), 16_000);
    assert_eq!(task::block_on(shared.read()).to_string(), "16000");
}

/// Compiles if all that async-std's own types can do can be done with these.
#[test]
fn types_are_as_capable_as_async_stds() {
    fn both<T: Send + Sync + std::fmt::Debug>() {}
    fn movable<T: Unpin>() {}
    type Inside = std::cell::Cell<i32>;
    both::<Arc<Mutex<Inside>>>();
    both::<channel::Sender<Inside>>();
    both::<Receiver<Inside>>();
    movable::<Receiver<std::marker::PhantomPinned>>();
    movable::<channel::Recv<'_, i32>>();
    fn moved<T: Send>(_: T) {}
    let mutex: Arc<Mutex<Inside>> = Arc::default();
    moved(mutex.lock());
    moved(mutex.lock_arc());
    let dynamic: Arc<Mutex<dyn Fn() -> i32 + Send>> = Arc::new(Mutex::new(|| 4));
    assert_eq!(task::block_on(async { (dynamic.lock_arc().await)() }), 4);
    let text: Arc<RwLock<[i32]>> = Arc::new(RwLock::new([1, 2]));
    assert_eq!(format!("{:?} {:?}", text.try_read(), Mutex::from(3)), "Some([1, 2]) Mutex { data: 3 }");
    let (held, free) = (Mutex::new(1), Mutex::new("text"));
    let guard = held.try_lock().expect("free");
    assert!(held.try_lock().is_none());
    assert_eq!(format!("{held:?} {guard} {}", free.into_inner()), "Mutex { data: <locked> } 1 text");
    let joined = task::spawn(async { 1 }.join(async { 2 }));
    assert_eq!(task::block_on(joined), (1, 2));
    assert_eq!(task::block_on(task::spawn_blocking(move || mutex.lock_blocking().get())), 0);
}
