//! A kernel with the toy evaluator in memory, and clients that speak to it by script.
//!
//! Everything runs on the test's own thread until nothing more can happen, so a transcript is the same in every run.

use crate::{schema, transcript};
use async_std::channel::{Receiver, Sender, unbounded};
use expect_test::Expect;
use futures::executor::LocalPool;
use futures::task::LocalSpawnExt;
use loopbook_channel::Stream;
use loopbook_kernel::dispatcher::{Exit, Kernel, LateOutputSwitch, Settings, Signal};
use loopbook_kernel::evaluator::toy::Toy;
use loopbook_kernel::evaluator::{Event, MAIN_SHELL};
use loopbook_kernel::transport::{Channel, Incoming, Outgoing, Transport};
use loopbook_kernel::wire::{Frames, Signer};
use serde_json::{Value, json};
use std::cell::Cell;
use std::collections::HashSet;
use std::fmt::Write;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

pub(crate) const KEY: &[u8] = b"a key for tests";

/// Runs the script, one step a line, and compares every message with what is expected.
///
/// The transcript has each step after `>`, then the messages that it led to: the number of the request that is their
/// parent (`-` if none), the channel, the type and what it says. Steps joined by ` & ` arrive together.
#[track_caller]
pub(crate) fn check(script: &str, expected: Expect) {
    expected.assert_eq(&Session::new().run(script));
}

/// A kernel and its clients.
pub(crate) struct Session {
    pool: LocalPool,
    incoming: Sender<Incoming>,
    outgoing: Receiver<Outgoing>,
    pub(crate) signals: Sender<Signal>,
    pub(crate) toy: Arc<Toy>,
    pub(crate) late_output: LateOutputSwitch,
    signer: Signer,
    requests: Vec<Request>,
    seen_ids: HashSet<String>,
    question: Option<(usize, String)>,
    /// Ids of subshells; scripts and transcripts call the first one `sub1`.
    subshells: Vec<String>,
    /// The subshell that the step goes to, as the script calls it.
    shell: Option<String>,
    exit: Rc<Cell<Option<Exit>>>,
}

/// A request that a client sent.
struct Request {
    client: String,
    channel: Channel,
    header: String,
    open: bool,
}

/// A message from the kernel, verified.
pub(crate) struct Received {
    /// Number of the request that is its parent.
    pub(crate) parent: Option<usize>,
    pub(crate) channel: Channel,
    pub(crate) msg_type: String,
    pub(crate) msg_id: String,
    pub(crate) content: Value,
}

impl Session {
    /// A kernel that gathers output until something else is said.
    pub(crate) fn new() -> Self {
        Self::with_gather_output(Duration::from_secs(3600))
    }

    pub(crate) fn with_gather_output(gather_output: Duration) -> Self {
        let (incoming, from_client) = unbounded();
        let (to_client, outgoing) = unbounded();
        let (toy, events) = Toy::new();
        let late_output = LateOutputSwitch::default();
        let settings = Settings {
            key: KEY.to_vec(),
            rust_version: "1.95.0".to_owned(),
            late_output: late_output.clone(),
            gather_output,
            history: None,
        };
        let transport = Transport { incoming: from_client, outgoing: to_client };
        let kernel = Kernel::new(transport, toy.clone(), events, settings);
        let signals = kernel.signals();
        let exit = Rc::new(Cell::new(None));
        let pool = LocalPool::new();
        let exited = exit.clone();
        pool.spawner().spawn_local(async move { exited.set(Some(kernel.run().await)) }).expect("the pool is new");
        let mut session = Self {
            pool,
            incoming,
            outgoing,
            signals,
            toy,
            late_output,
            signer: Signer::new(KEY),
            requests: Vec::new(),
            seen_ids: HashSet::new(),
            question: None,
            subshells: Vec::new(),
            shell: None,
            exit,
        };
        let start: Vec<String> = session.settle().iter().map(transcript::line).collect();
        assert_eq!(start, ["- iopub status starting"]);
        session
    }

    /// The transcript of a script.
    #[track_caller]
    pub(crate) fn run(&mut self, script: &str) -> String {
        let mut transcript = String::new();
        let mut write = |line: String| writeln!(transcript, "{line}").expect("writing to a string");
        for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let received = self.step(line);
            write(format!("> {line}"));
            received.iter().map(transcript::line).for_each(&mut write);
        }
        // What came since the last step, if a test did something else meanwhile.
        self.settle().iter().map(transcript::line).for_each(&mut write);
        self.endings().into_iter().for_each(write);
        transcript
    }

    /// Does what one line of a script says, and gives all messages that it led to.
    #[track_caller]
    pub(crate) fn step(&mut self, line: &str) -> Vec<Received> {
        line.split(" & ").for_each(|action| self.act(action));
        self.settle()
    }

    /// Does what a line says and waits until a message of this type has come, which only time may bring. Gives the lines
    /// of the transcript.
    #[track_caller]
    pub(crate) fn step_until(&mut self, line: &str, msg_type: &str) -> Vec<String> {
        let mut received = self.step(line);
        while received.iter().all(|message| message.msg_type != msg_type) {
            let next = async_std::future::timeout(Duration::from_secs(60), self.outgoing.recv());
            let message = self.pool.run_until(next).expect("a message within a minute").expect("the kernel lives");
            received.push(self.verify(message));
        }
        received.iter().map(transcript::line).collect()
    }

    /// Puts frames on the wire as they are.
    pub(crate) fn send_frames(&mut self, channel: Channel, frames: Vec<Vec<u8>>) {
        self.incoming.try_send(Incoming::Message { channel, frames }).expect("the kernel listens");
    }

    /// The frames of a new request of this client.
    pub(crate) fn request_frames(
        &mut self,
        client: &str,
        channel: Channel,
        msg_type: &str,
        content: &str,
    ) -> Vec<Vec<u8>> {
        let number = self.requests.len() + 1;
        // A field that the kernel does not know must come back with the parent header.
        let shell = self.shell.as_ref().map(|name| format!(r#", "subshell_id": "{name}""#)).unwrap_or_default();
        let header = self.with_ids(&format!(
            r#"{{"msg_id": "{number}", "msg_type": "{msg_type}", "session": "{client}", "username": "me",
                "date": "2026-01-01T00:00:00Z", "version": "5.3", "extra": [1.50]{shell}}}"#
        ));
        let open = channel != Channel::Stdin;
        self.requests.push(Request { client: client.to_owned(), channel, header: header.clone(), open });
        self.seal(client, header, b"{}".to_vec(), &self.with_ids(content))
    }

    /// A text for the kernel: its subshells have ids that no script can know.
    fn with_ids(&self, text: &str) -> String {
        let ids = self.subshells.iter().enumerate();
        ids.fold(text.to_owned(), |text, (index, id)| text.replace(&format!("sub{}", index + 1), id))
    }

    /// What the kernel said, as a script would say it.
    fn with_names(&mut self, msg_type: &str, content: Value) -> Value {
        if let Some(id) = content["subshell_id"].as_str().filter(|_| msg_type == "create_subshell_reply") {
            self.subshells.push(id.to_owned());
        }
        let ids = self.subshells.iter().enumerate();
        let text = ids.fold(content.to_string(), |text, (index, id)| text.replace(id, &format!("sub{}", index + 1)));
        serde_json::from_str(&text).expect("ids are plain text")
    }

    fn seal(&self, client: &str, header: String, parent: Vec<u8>, content: &str) -> Vec<Vec<u8>> {
        self.signer.seal(Frames {
            identities: identities(client),
            header: header.into_bytes(),
            parent,
            metadata: b"{}".to_vec(),
            content: content.as_bytes().to_vec(),
            buffers: Vec::new(),
        })
    }

    /// Subscribes to a topic of any bytes.
    pub(crate) fn subscribe(&mut self, topic: Vec<u8>) -> Vec<Received> {
        self.incoming.try_send(Incoming::Subscribed { topic }).expect("the kernel listens");
        self.settle()
    }

    /// How the kernel ended, if it did.
    pub(crate) fn exit(&self) -> Option<Exit> {
        self.exit.get()
    }

    fn request(&mut self, client: &str, channel: Channel, msg_type: &str, content: &Value) {
        let frames = self.request_frames(client, channel, msg_type, &content.to_string());
        self.send_frames(channel, frames);
    }

    #[track_caller]
    fn act(&mut self, action: &str) {
        let (verb, rest) = action.split_once(' ').unwrap_or((action, ""));
        let (verb, options) = verb.trim_end_matches(']').split_once('[').unwrap_or((verb, ""));
        let (verb, client) = verb.split_once('@').unwrap_or((verb, "A"));
        let (shell, control) = (Channel::Shell, Channel::Control);
        self.shell = options.split(',').find(|option| option.starts_with("sub")).map(str::to_owned);
        match verb {
            "execute" => {
                let content = json!({
                    "code": rest.replace("; ", "\n"),
                    "silent": options.contains("silent"),
                    "store_history": !options.contains("unstored"),
                    "allow_stdin": !options.contains("no-stdin"),
                    "stop_on_error": !options.contains("go-on"),
                });
                self.request(client, shell, "execute_request", &content);
            }
            "complete" | "inspect" => {
                let (before, after) = rest.split_once('|').expect("the cursor is written as |");
                let level = u8::from(options.contains("detailed"));
                let cursor = before.chars().count();
                let content = json!({"code": format!("{before}{after}"), "cursor_pos": cursor, "detail_level": level});
                self.request(client, shell, &format!("{verb}_request"), &content);
            }
            "is_complete" => self.request(client, shell, "is_complete_request", &json!({ "code": rest })),
            "interrupt" => self.request(client, control, "interrupt_request", &json!({})),
            "shutdown" => self.request(client, control, "shutdown_request", &json!({"restart": options == "restart"})),
            "request" => {
                let mut words = rest.splitn(3, ' ');
                let mut word = || words.next().expect("request CHANNEL TYPE JSON");
                let channel = channel(word());
                let frames = self.request_frames(client, channel, word(), word());
                self.send_frames(channel, frames);
            }
            "answer" => self.answer(client, options, rest),
            "subscribe" => {
                let topic = rest.as_bytes().to_vec();
                self.incoming.try_send(Incoming::Subscribed { topic }).expect("the kernel listens");
            }
            "task" | "task-error" => {
                let (cell, text) = rest.split_once(' ').expect("task CELL TEXT");
                let stream = if verb == "task" { Stream::Stdout } else { Stream::Stderr };
                let bytes = text.replace("\\n", "\n").into_bytes();
                self.toy.send(Event::Output { cell: cell.parse().expect("the number of a cell"), stream, bytes });
            }
            "task-clears" => {
                self.toy.send(Event::ClearOutput { cell: rest.parse().expect("the number of a cell"), wait: true });
            }
            "task-asks" => self.toy.send(Event::Input {
                id: 1000,
                cell: rest.parse().expect("the number of a cell"),
                prompt: "task? ".to_owned(),
                password: false,
            }),
            "go" => self.toy.go(rest.parse().unwrap_or(MAIN_SHELL)),
            _ => panic!("no step is called `{verb}`"),
        }
    }

    fn answer(&mut self, client: &str, options: &str, text: &str) {
        let (number, msg_id) = self.question.clone().expect("the kernel has asked something");
        // Some clients do not say what they answer.
        let parent = if options == "bare" { "{}".to_owned() } else { json!({ "msg_id": msg_id }).to_string() };
        assert!(number <= self.requests.len());
        let header =
            json!({"msg_id": format!("answer to {msg_id} {text}"), "msg_type": "input_reply", "session": client});
        let content = json!({ "value": text }).to_string();
        let frames = self.seal(client, header.to_string(), parent.into_bytes(), &content);
        self.send_frames(Channel::Stdin, frames);
    }

    /// Lets the kernel run until nothing more can happen, and takes all that it said.
    #[track_caller]
    fn settle(&mut self) -> Vec<Received> {
        self.pool.run_until_stalled();
        let mut received = Vec::new();
        while let Ok(message) = self.outgoing.try_recv() {
            received.push(self.verify(message));
        }
        received
    }

    /// What the transcript says behind all messages: that the kernel ended, and which requests it never finished.
    fn endings(&self) -> Vec<String> {
        let open = self.requests.iter().enumerate().filter(|(_, request)| request.open);
        let open: Vec<String> = open.map(|(index, _)| (index + 1).to_string()).collect();
        let exit = self.exit().map(|exit| format!("exit: {exit:?}"));
        let open = (!open.is_empty()).then(|| format!("not idle: {}", open.join(", ")));
        exit.into_iter().chain(open).collect()
    }

    /// Checks all that every message must be.
    #[track_caller]
    pub(crate) fn verify(&mut self, Outgoing { channel, frames }: Outgoing) -> Received {
        let Frames { identities: ids, header, parent, content, .. } =
            self.signer.open(frames).unwrap_or_else(|error| panic!("the kernel sent {error}"));
        let header: Value = serde_json::from_slice(&header).expect("a header is JSON");
        let content: Value = serde_json::from_slice(&content).expect("content is JSON");
        let text = |key: &str| header[key].as_str().unwrap_or_else(|| panic!("no `{key}` in {header}")).to_owned();
        let (msg_type, msg_id) = (text("msg_type"), text("msg_id"));
        let content = self.with_names(&msg_type, content);
        assert_eq!(text("version"), "5.5");
        assert!(text("date").ends_with('Z') && !text("session").is_empty() && !text("username").is_empty());
        assert!(self.seen_ids.insert(msg_id.clone()), "the msg_id {msg_id} came twice");
        if let Err(problem) = schema::check(channel, &msg_type, &content) {
            panic!("{msg_type} breaks the protocol: {problem}\n{content:#}");
        }
        let parent = self.find_parent(&parent);
        let request = parent.map(|number| &self.requests[number - 1]);
        match (channel, request) {
            (Channel::Iopub, _) => assert_eq!(ids.len(), 1, "a message on iopub has one topic"),
            (_, None) => panic!("{msg_type} on {channel:?} answers no request"),
            (_, Some(request)) => {
                assert_eq!(ids, identities(&request.client), "{msg_type} goes to the wrong client");
                assert!(channel == request.channel || channel == Channel::Stdin, "{msg_type} on the wrong channel");
            }
        }
        let received = Received { parent, channel, msg_type, msg_id, content };
        self.follow(&received);
        received
    }

    #[track_caller]
    fn find_parent(&self, parent: &[u8]) -> Option<usize> {
        if parent == b"{}" {
            return None;
        }
        let found = self.requests.iter().position(|request| request.header.as_bytes() == parent);
        assert!(found.is_some(), "no request has the header {}", String::from_utf8_lossy(parent));
        found.map(|index| index + 1)
    }

    /// Follows what is open: a request until `idle`, a question until it is answered.
    fn follow(&mut self, received: &Received) {
        let Some(number) = received.parent else { return };
        if received.msg_type == "input_request" {
            self.question = Some((number, received.msg_id.clone()));
        }
        if received.content["execution_state"] == "idle" {
            assert!(std::mem::take(&mut self.requests[number - 1].open), "request {number} became idle twice");
        }
    }
}

fn identities(client: &str) -> Vec<Vec<u8>> {
    vec![b"\x00hop".to_vec(), client.as_bytes().to_vec()]
}

fn channel(name: &str) -> Channel {
    match name {
        "shell" => Channel::Shell,
        "control" => Channel::Control,
        "stdin" => Channel::Stdin,
        _ => panic!("no channel is called `{name}`"),
    }
}
