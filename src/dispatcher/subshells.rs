//! Requests about subshells (JEP 91), and which shell a request is for.

use super::Kernel;
use crate::transport::Channel;
use crate::wire::{
    Content, CreateSubshellReply, DeleteSubshellReply, DeleteSubshellRequest, ErrorReply, ListSubshellReply, Parent,
};
use uuid::Uuid;

impl Kernel {
    /// Makes a subshell and says its id.
    pub(super) async fn create_subshell(&mut self, parent: &Parent) {
        let id = Uuid::new_v4().to_string();
        self.shells.create(id.clone());
        self.outbox.reply(parent, &CreateSubshellReply::new(id)).await;
    }

    /// Ends a subshell: its cell is interrupted, and what waits in it never runs. Background tasks go on.
    pub(super) async fn delete_subshell(&mut self, parent: &Parent, request: DeleteSubshellRequest) {
        let (id, key) = (request.subshell_id.clone(), Some(request.subshell_id));
        if self.shells.id(&key).is_none() {
            self.refuse(parent, unknown(&id)).await;
            return;
        }
        self.abandon(&key, "the subshell was deleted while the cell ran").await;
        self.shells.remove(&key);
        self.outbox.reply(parent, &DeleteSubshellReply::default()).await;
    }

    /// Says which subshells there are.
    pub(super) async fn list_subshells(&mut self, parent: &Parent) {
        let ids = self.shells.keys().into_iter().flatten().collect();
        self.outbox.reply(parent, &ListSubshellReply::new(ids)).await;
    }

    /// Why a request for a shell that does not exist cannot be handled; `None` if the shell exists.
    pub(super) fn refusal_of_shell(&self, parent: &Parent) -> Option<String> {
        let key = &parent.header().subshell_id;
        // What comes on control is about the whole kernel.
        if parent.channel() != Channel::Shell {
            return None;
        }
        if self.shells.id(key).is_some() { None } else { key.as_deref().map(unknown) }
    }

    /// Replies that this request cannot be handled, if its kind has a reply.
    pub(super) async fn refuse(&mut self, parent: &Parent, why: String) {
        tracing::warn!("refused: {why}");
        if let Some(reply) = ErrorReply::to(&parent.header().msg_type, why) {
            debug_assert!(reply.msg_type().ends_with("_reply"), "only requests have replies");
            self.outbox.reply(parent, &reply).await;
        }
    }
}

fn unknown(id: &str) -> String {
    format!("there is no subshell `{id}` in this kernel; it was deleted, or the kernel has been restarted")
}
