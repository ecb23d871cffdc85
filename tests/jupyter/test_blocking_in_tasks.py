"""Blocking inside of tasks does not kill the loop."""

import pytest

from starting import running_kernel

BOTH_BLOCK = """
use async_std::task;
use std::time::Duration;
async fn blocks(n: u32) -> u32 {
    task::block_on(async move {
        task::spawn(async move { task::sleep(Duration::from_millis(50)).await; n }).await
    })
}
let handles: Vec<_> = (0..WORKERS).map(|n| task::spawn(blocks(n))).collect();
let mut sum = 0;
for handle in handles { sum += handle.await; }
sum
"""


@pytest.mark.parametrize("workers", [1, 2])
def test_as_many_blocking_tasks_as_workers_end(kernel_name, tmp_path, workers):
    with running_kernel(kernel_name, tmp_path, env={"ASYNC_STD_THREAD_COUNT": str(workers)}) as kernel:
        blocking = 2 * workers
        result = kernel.run(BOTH_BLOCK.replace("WORKERS", str(blocking))).ok()
        assert result.text == str(sum(range(blocking)))
        assert kernel.run("task::spawn(async { 42 }).await").ok().text == "42", "the loop lives on"
        lints = kernel.run(":lints").ok()
        assert "block" in str(lints.displays + lints.of("result"))
        assert "lint nested_block_on" in str(result.displays) and ".await" in str(result.displays)
        found = kernel.run("loopbook::lints()[0].clone()").ok().text
        assert "nested_block_on" in found and "cell: Some(1)" in found
        kernel.check_leftovers()


def test_spawn_local_inside_a_nested_block_on_runs(kernel):
    code = """
    async_std::task::block_on(async {
        async_std::task::block_on(async { async_std::task::spawn_local(async { 42 }).await })
    })
    """
    assert kernel.run(code).ok().text == "42"


def test_block_on_inside_of_a_task_inside_of_block_on_returns(kernel):
    code = """
    use async_std::task;
    use std::time::Duration;
    task::block_on(async {
        task::spawn(async { task::block_on(async { task::sleep(Duration::from_millis(10)).await; 42 }) }).await
    })
    """
    assert kernel.run(code).ok().text == "42"
