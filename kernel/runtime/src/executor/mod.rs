//! What polls futures: the threads of the pool, `block_on`, and the cell's own thread.

pub(crate) mod block_on;
pub(crate) mod cell_body;
pub(crate) mod pool;
