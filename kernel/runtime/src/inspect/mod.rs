//! What cells learn of the loop and its tasks: lists, graphs, counts, timelines.

pub(crate) mod graph;
pub(crate) mod loop_stats;
pub(crate) mod reactor;
pub(crate) mod resources;
pub(crate) mod tasks;
pub(crate) mod timeline;
