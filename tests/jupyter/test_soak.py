"""A kernel that is used for long holds no more than one that is used for a while. The long version is `benches/soak.py`."""

from soak import grown, soak, soaking_kernel

CELLS = 45


def test_soak_nothing_is_left_of_cells_but_their_code(kernel_name, tmp_path):
    with soaking_kernel(kernel_name, tmp_path) as kernel:
        samples = soak(kernel, CELLS, each=5)
        assert not grown(samples, warm=15)
        kernel.check_leftovers()
