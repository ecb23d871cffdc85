//! What polls futures: the threads of the pool, and `block_on`.

pub(crate) mod block_on;
pub(crate) mod pool;
