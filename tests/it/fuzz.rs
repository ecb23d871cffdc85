//! Mutated messages against a whole kernel: no crash, no hang, no reply to what is not signed, a line in the log for
//! whatever is refused, and every valid request still answered.
//!
//! `LOOPBOOK_FUZZ_SECONDS=600 CARGO_TARGET_DIR=target/fast cargo test --no-default-features --test it fuzz` takes ten
//! minutes; the seed of a failure is in its message, and `LOOPBOOK_FUZZ_SEED` repeats it.

use crate::support::KEY;
use async_std::channel::{Receiver, Sender, unbounded};
use futures::executor::LocalPool;
use futures::future::FutureExt;
use futures::task::LocalSpawnExt;
use loopbook_kernel::dispatcher::{Kernel, Settings};
use loopbook_kernel::evaluator::toy::Toy;
use loopbook_kernel::transport::{Channel, Incoming, Outgoing, Transport};
use loopbook_kernel::wire::{DELIMITER, Frames, Signer};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Messages of the run that is part of every test run.
const MESSAGES: usize = 10_000;

/// A kernel is replaced after so many messages, so that its history does not slow the run down.
const PER_KERNEL: usize = 2_000;

const CONTENTS: [(&str, &str); 14] = [
    ("kernel_info_request", "{}"),
    (
        "execute_request",
        r#"{"code":"print a\n1+1","silent":false,"store_history":true,"user_expressions":{"x":"1+1"}}"#,
    ),
    ("execute_request", r#"{"code":"fail \ud83e\udd80","allow_stdin":false,"stop_on_error":true}"#),
    ("complete_request", r#"{"code":"né🦀 pr","cursor_pos":6}"#),
    ("inspect_request", r#"{"code":"print","cursor_pos":3,"detail_level":1}"#),
    ("is_complete_request", r#"{"code":"1+\\"}"#),
    ("history_request", r#"{"hist_access_type":"search","pattern":"*[a-z]?","n":3,"unique":true,"output":true}"#),
    ("history_request", r#"{"hist_access_type":"range","session":-1,"start":1,"stop":9223372036854775807}"#),
    ("comm_open", r#"{"comm_id":"c","target_name":"t","data":{"a":[1,2.5e10,null]}}"#),
    ("comm_info_request", r#"{"target_name":"t"}"#),
    ("interrupt_request", "{}"),
    ("create_subshell_request", "{}"),
    ("delete_subshell_request", r#"{"subshell_id":"none"}"#),
    ("input_reply", r#"{"value":"x"}"#),
];

const PIECES: [&[u8]; 16] = [
    b"",
    b"\"",
    b"{",
    b"]",
    b"\\",
    b"null",
    b"-1",
    b"1e999",
    b"18446744073709551616",
    b"\\ud800",
    b"\xff\xfe",
    b"\0",
    "\u{202e}🦀e\u{301}".as_bytes(),
    b"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
    b"\",\"subshell_id\":\"x",
    b"<IDS|MSG>",
];

#[test]
fn mutated_messages_do_no_harm() {
    let seconds = std::env::var("LOOPBOOK_FUZZ_SECONDS").ok().and_then(|text| text.parse().ok());
    let until = seconds.map(|seconds| Instant::now() + Duration::from_secs(seconds));
    let mut seed = std::env::var("LOOPBOOK_FUZZ_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(1);
    let mut sent = 0;
    while until.map_or(sent < MESSAGES, |until| Instant::now() < until) {
        let refused = Arc::new(AtomicUsize::new(0));
        let lines = Lines(refused.clone());
        let log = tracing_subscriber::fmt().with_ansi(false).with_writer(move || lines.clone()).finish();
        tracing::subscriber::with_default(log, || Target::new(seed, refused).run());
        sent += PER_KERNEL;
        seed += 1;
    }
    println!("{sent} messages");
}

/// A kernel, and what has been sent to it.
struct Target {
    pool: LocalPool,
    incoming: Sender<Incoming>,
    outgoing: Receiver<Outgoing>,
    signer: Signer,
    random: Random,
    seed: u64,
    log: Arc<AtomicUsize>,
    _toy: Arc<Toy>,
}

/// What was done to a message.
enum Mutation {
    /// It is signed, whatever it says.
    Signed,
    /// Not even that: a reply would be a mistake.
    Unsigned,
}

impl Target {
    fn new(seed: u64, log: Arc<AtomicUsize>) -> Self {
        let (incoming, from_client) = unbounded();
        let (to_client, outgoing) = unbounded();
        let (toy, events) = Toy::new();
        let settings = Settings { key: KEY.to_vec(), ..Settings::default() };
        let transport = Transport { incoming: from_client, outgoing: to_client };
        let kernel = Kernel::new(transport, toy.clone(), events, settings);
        let pool = LocalPool::new();
        pool.spawner().spawn_local(kernel.run().map(|_exit| ())).expect("the pool is new");
        let (signer, random) = (Signer::new(KEY), Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1));
        Self { pool, incoming, outgoing, signer, random, seed, log, _toy: toy }
    }

    fn run(mut self) {
        self.settle();
        for number in 0..PER_KERNEL {
            let channel = [Channel::Shell, Channel::Control, Channel::Stdin][self.random.below(3)];
            let (frames, mutation) = self.mutated(number);
            let logged = self.log.load(Ordering::Relaxed);
            self.send(channel, frames.clone());
            let replies = self.settle();
            if matches!(mutation, Mutation::Unsigned) {
                let seed = self.seed;
                assert_eq!(replies, 0, "seed {seed}, message {number}: a reply to what is not signed: {frames:?}");
                assert!(self.log.load(Ordering::Relaxed) > logged, "seed {seed}, message {number}: no line in the log");
            }
            self.check_alive(number);
        }
    }

    /// A message with a mistake in what is signed, or in its frames afterwards.
    fn mutated(&mut self, number: usize) -> (Vec<Vec<u8>>, Mutation) {
        let (msg_type, content) = CONTENTS[self.random.below(CONTENTS.len())];
        let mut parts = [header(number, msg_type), b"{}".to_vec(), b"{}".to_vec(), content.as_bytes().to_vec()];
        let deep = self.random.below(2) == 0;
        if deep {
            for _ in 0..=self.random.below(3) {
                let part = [0, 0, 1, 2, 3, 3, 3][self.random.below(7)];
                self.mutate_bytes(&mut parts[part]);
            }
        }
        let [header, parent, metadata, content] = parts;
        let identities = vec![b"client".to_vec()];
        let whole = Frames { identities, header, parent, metadata, content, buffers: Vec::new() };
        let mut frames = self.signer.seal(whole);
        if deep {
            return (frames, Mutation::Signed);
        }
        let signed = signed_part(&frames);
        for _ in 0..=self.random.below(2) {
            self.mutate_frames(&mut frames);
        }
        let mutation = if signed_part(&frames) == signed { Mutation::Signed } else { Mutation::Unsigned };
        (frames, mutation)
    }

    fn mutate_bytes(&mut self, bytes: &mut Vec<u8>) {
        let at = self.random.below(bytes.len() + 1);
        let end = at + self.random.below(bytes.len() - at + 1);
        match self.random.below(5) {
            0 => bytes.truncate(at),
            1 => drop(bytes.drain(at..end)),
            2 => {
                let copy = bytes[at..end].to_vec();
                bytes.splice(at..at, copy);
            }
            3 if at < bytes.len() => bytes[at] ^= 1 << self.random.below(8),
            _ => {
                let piece = PIECES[self.random.below(PIECES.len())];
                bytes.splice(at..end.min(at + 3), piece.iter().copied());
            }
        }
    }

    fn mutate_frames(&mut self, frames: &mut Vec<Vec<u8>>) {
        if frames.is_empty() {
            return;
        }
        let (frame, other) = (self.random.below(frames.len()), self.random.below(frames.len()));
        match self.random.below(7) {
            0 => drop(frames.remove(frame)),
            1 => frames.truncate(frame),
            2 => frames.swap(frame, other),
            3 => frames.insert(frame, frames[other].clone()),
            4 => frames[frame].clear(),
            5 => frames.insert(frame, vec![b'x'; self.random.below(100_000)]),
            _ => {
                let mut bytes = std::mem::take(&mut frames[frame]);
                self.mutate_bytes(&mut bytes);
                frames[frame] = bytes;
            }
        }
    }

    #[track_caller]
    fn check_alive(&mut self, number: usize) {
        let identities = vec![b"honest".to_vec()];
        let header = header(PER_KERNEL + number, "is_complete_request");
        let content = br#"{"code":"1"}"#.to_vec();
        let (parent, metadata) = (b"{}".to_vec(), b"{}".to_vec());
        let honest = Frames { identities, header, parent, metadata, content, buffers: Vec::new() };
        self.send(Channel::Shell, self.signer.seal(honest));
        // Busy, the reply, idle.
        assert_eq!(self.settle(), 3, "seed {}, message {number}: a valid request is not answered", self.seed);
    }

    fn send(&self, channel: Channel, frames: Vec<Vec<u8>>) {
        self.incoming.try_send(Incoming::Message { channel, frames }).expect("the kernel listens");
    }

    /// Lets the kernel run until nothing more can happen, and counts what it said.
    fn settle(&mut self) -> usize {
        self.pool.run_until_stalled();
        std::iter::from_fn(|| self.outgoing.try_recv().ok()).count()
    }
}

fn header(number: usize, msg_type: &str) -> Vec<u8> {
    let (session, date) = ("s", "2026-01-01T00:00:00Z");
    format!(
        r#"{{"msg_id":"{number}","msg_type":"{msg_type}","session":"{session}","username":"me","date":"{date}","version":"5.3"}}"#
    )
    .into_bytes()
}

/// The signature and what it signs: in Jupyter, bytes that move from one frame to the next do not change it.
fn signed_part(frames: &[Vec<u8>]) -> Option<(Vec<u8>, Vec<u8>)> {
    let delimiter = frames.iter().position(|frame| frame == DELIMITER)?;
    let [signature, signed @ ..] = frames.get(delimiter + 1..delimiter + 6)? else { return None };
    Some((signature.clone(), signed.concat()))
}

/// Counts what is written to a log, in lines.
#[derive(Clone)]
struct Lines(Arc<AtomicUsize>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.fetch_add(bytes.iter().filter(|byte| **byte == b'\n').count(), Ordering::Relaxed);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// xorshift: the same numbers for the same seed, everywhere.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }
}
