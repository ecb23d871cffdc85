//! The outbox, through which every message leaves. Printed text waits here for more of its kind; everything else sends
//! it on its way first, so the order in which things are said is the order in which they arrive.

use crate::transport::Outgoing;
use crate::wire::{Content, Parent, Session, StreamText};
use async_std::channel::Sender;
use loopbook_channel::Stream;

/// Text is sent at the latest when this many bytes wait. Clients take a thousand messages on stock before they stop to
/// read, so larger ones would make long pauses.
const MAX_TEXT: usize = 64 * 1024;

/// Seals messages and queues them for the sockets.
pub(super) struct Outbox {
    session: Session,
    outgoing: Sender<Outgoing>,
    text: Option<Text>,
}

/// Printed text of one cell and stream.
struct Text {
    parent: Option<Parent>,
    content: StreamText,
}

impl Outbox {
    pub(super) fn new(session: Session, outgoing: Sender<Outgoing>) -> Self {
        Self { session, outgoing, text: None }
    }

    /// The session, to open what arrives.
    pub(super) fn session(&mut self) -> &mut Session {
        &mut self.session
    }

    /// Replies to a request.
    pub(super) async fn reply(&mut self, parent: &Parent, content: &impl Content) {
        self.flush().await;
        self.send(self.session.reply(parent, content)).await;
    }

    /// Asks the client that sent the request; gives the question's `msg_id`.
    pub(super) async fn ask(&mut self, parent: &Parent, content: &impl Content) -> String {
        self.flush().await;
        let (question, msg_id) = self.session.ask(parent, content);
        self.send(question).await;
        msg_id
    }

    /// Tells everybody.
    pub(super) async fn publish(&mut self, parent: Option<&Parent>, content: &impl Content) {
        self.flush().await;
        self.send(self.session.publish(parent, content)).await;
    }

    /// Tells those who subscribed to this topic something that no request caused.
    pub(super) async fn publish_under(&mut self, topic: Vec<u8>, content: &impl Content) {
        self.flush().await;
        self.send(self.session.publish_under(topic, None, content)).await;
    }

    /// Publishes printed text, together with what of its kind waits or comes soon.
    pub(super) async fn print(&mut self, parent: Option<&Parent>, stream: Stream, printed: &str) {
        if printed.is_empty() {
            return;
        }
        let same = |text: &Text| text.content.name == stream && text.parent.as_ref() == parent;
        if !self.text.as_ref().is_some_and(same) {
            self.flush().await;
        }
        let new = || Text { parent: parent.cloned(), content: StreamText { name: stream, text: String::new() } };
        let text = &mut self.text.get_or_insert_with(new).content.text;
        text.push_str(printed);
        if text.len() >= MAX_TEXT {
            self.flush().await;
        }
    }

    /// Whether text waits.
    pub(super) fn has_text(&self) -> bool {
        self.text.is_some()
    }

    /// Sends the text that waits.
    pub(super) async fn flush(&mut self) {
        if let Some(Text { parent, content }) = self.text.take() {
            self.send(self.session.publish(parent.as_ref(), &content)).await;
        }
    }

    /// Fails only when the sockets are gone; then the inbox says so too.
    async fn send(&self, message: Outgoing) {
        if self.outgoing.send(message).await.is_err() {
            tracing::debug!("a message was not sent: the sockets are closed");
        }
    }
}
