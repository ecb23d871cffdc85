//! Comms of front ends to the loop's inspector, answered as they come, whatever runs.

use super::Kernel;
use super::event::{Answer, AnswerContent};
use crate::wire::{
    CommAnswer, CommClose, CommData, CommInfoReply, CommInfoRequest, CommMessage, CommOpen, INSPECT, Parent,
};
use futures::future::FutureExt;
use std::collections::BTreeSet;

/// The comms that are open.
#[derive(Debug, Default)]
pub(super) struct Comms(BTreeSet<String>);

/// So many may be open: a front end that forgets to close them must not fill the memory.
const MOST: usize = 10_000;

impl Kernel {
    /// A front end opens a comm. True if an answer follows.
    pub(super) async fn open_comm(&mut self, parent: &Parent, comm: CommOpen) -> bool {
        let CommOpen { comm_id, target_name, data } = comm;
        if target_name != INSPECT || self.comms.0.len() >= MOST {
            tracing::info!("a front end opened a comm to `{target_name}`, which the kernel does not have");
            self.outbox.publish(Some(parent), &CommClose::new(comm_id)).await;
            return false;
        }
        self.comms.0.insert(comm_id.clone());
        self.ask_on_comm(parent, comm_id, &data)
    }

    /// A front end says something on a comm. True if an answer follows.
    pub(super) fn hear_comm(&mut self, parent: &Parent, comm: CommMessage) -> bool {
        if !self.comms.0.contains(&comm.comm_id) {
            tracing::debug!("a message for the comm {}, which is not open", comm.comm_id);
            return false;
        }
        self.ask_on_comm(parent, comm.comm_id, &comm.data)
    }

    /// A front end closes a comm.
    pub(super) fn close_comm(&mut self, comm: &CommMessage) {
        self.comms.0.remove(&comm.comm_id);
    }

    /// Says which comms are open.
    pub(super) async fn list_comms(&mut self, parent: &Parent, request: CommInfoRequest) {
        let wanted = request.target_name.is_none_or(|target| target == INSPECT);
        let open = if wanted { self.comms.0.clone() } else { BTreeSet::new() };
        self.outbox.reply(parent, &CommInfoReply::new(open)).await;
    }

    fn ask_on_comm(&mut self, parent: &Parent, comm: String, data: &CommData) -> bool {
        let Some(query) = data.query() else { return false };
        let (evaluator, parent, name) = (self.evaluator.clone(), parent.clone(), data.name());
        let answer = async move {
            let answer = match query {
                Ok(query) => evaluator.query(query).await,
                Err(why) => Err(why),
            };
            Answer { parent, content: AnswerContent::Comm(CommAnswer::new(comm, name, answer)) }
        };
        self.inbox.expect(answer.boxed());
        true
    }
}
