"""Completion by rust-analyzer: what a value's type has, whatever the kernel does at the moment."""

import time

import pytest

from client import SLACK
from starting import connect_apart, eventually, resident_bytes, running_kernel
from test_protocol import reply_to

# JupyterLab's completer gives up after this.
COMPLETER = 1.0
PATIENCE = 60
NAMES = 'let names: Vec<String> = vec!["a".into()];'
LARGE = "".join(
    "#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]\n"
    f"struct Record{n} {{ id: u64, tags: std::collections::BTreeMap<String, Vec<u32>> }}\n"
    for n in range(600)
)


@pytest.fixture
def asking(fresh_kernel):
    """A second client: what it reads is nobody else's."""
    client = connect_apart(fresh_kernel.manager)
    yield client
    client.stop_channels()


def matches(client, code):
    return reply_to(client, client.complete(code, len(code)))["content"]["matches"]


def warm(client):
    """Has rust-analyzer read everything that the first question needs."""
    eventually(lambda: "as_str" in matches(client, "String::new().as_s"), PATIENCE, "rust-analyzer answers")


def crate(directory, name, text):
    (directory / name / "src").mkdir(parents=True, exist_ok=True)
    (directory / name / "Cargo.toml").write_text(f'[package]\nname = "{name}"\nversion = "0.1.0"\nedition = "2024"\n')
    (directory / name / "src" / "lib.rs").write_text(text)


def test_completion_the_first_is_answered_soon_and_later_ones_are_full(fresh_kernel, asking):
    fresh_kernel.run("struct Station { height: f64 }\nlet station = Station { height: 2962.0 };").ok()
    begin = time.monotonic()
    assert matches(asking, "station.") == ["height"], "what the kernel itself knows"
    assert time.monotonic() - begin < COMPLETER * SLACK
    # What every type has by a trait, only rust-analyzer knows.
    eventually(lambda: "try_into" in matches(asking, "station."), PATIENCE, "all that a type has")
    assert "height" in matches(asking, "station.")


def test_completion_goes_on_while_a_cell_compiles_and_while_it_runs(fresh_kernel, asking):
    fresh_kernel.run(NAMES).ok()
    warm(asking)
    # Never compiled before, or it would come from the cache.
    unseen = f"const RUN: u128 = {time.time_ns()};\n"
    cell = fresh_kernel.start(unseen + LARGE + 'println!("runs");\ntask::sleep(Duration::from_secs(3600)).await;')
    answered = 0
    while not cell.stdout:
        assert "max_by_key" in matches(asking, "names.iter().max_by")
        answered += 1
        time.sleep(0.05)
    # The last one may have come when it had been compiled.
    assert answered >= 3, "they were answered while it compiled"
    fresh_kernel.until(lambda: cell.stdout == "runs\n")
    assert "max_by_key" in matches(asking, "names.iter().max_by")
    fresh_kernel.interrupt()
    fresh_kernel.wait(cell)


def test_completion_sees_what_a_type_has_by_now(fresh_kernel, asking):
    fresh_kernel.run("struct Station { height: f64 }\nlet station = Station { height: 2962.0 };").ok()
    eventually(lambda: "try_into" in matches(asking, "station."), PATIENCE, "all that a type has")
    assert "height" in matches(asking, "station.")
    fresh_kernel.run("struct Station { name: String }").ok()
    fresh_kernel.run("let station = Station { name: String::new() };").ok()
    names = matches(asking, "station.")
    assert "try_into" in names and "name" in names and "height" not in names
    assert "as_str" in matches(asking, "station.name.as_s")


def test_completion_sees_the_crates_of_the_notebook(fresh_kernel, asking, tmp_path):
    crate(tmp_path, "weather", "pub struct Report(u8);\nimpl Report { pub fn wind_speed(&self) -> u8 { self.0 } }\npub fn report() -> Report { Report(1) }\n")
    fresh_kernel.run(NAMES).ok()
    warm(asking)
    fresh_kernel.run(f':dep weather = {{ path = "{tmp_path}/weather" }}').ok()
    eventually(lambda: "wind_speed" in matches(asking, "weather::report().wi"), PATIENCE, "the crate is known")
    assert "report" in matches(asking, "use weather::rep")
    # Its text changes.
    crate(tmp_path, "weather", "pub struct Report(u8);\nimpl Report { pub fn rain_fall(&self) -> u8 { self.0 } }\npub fn report() -> Report { Report(1) }\n")
    fresh_kernel.run("weather::report().rain_fall()").ok()
    eventually(lambda: "rain_fall" in matches(asking, "weather::report().ra"), PATIENCE, "what is new in it is known")
    fresh_kernel.run(":clear").ok()
    eventually(lambda: not matches(asking, "weather::report().ra"), PATIENCE, "the crate is gone")
    assert "as_str" in matches(asking, "String::new().as_s")


def test_completion_takes_no_memory_before_the_first(kernel_name, tmp_path):
    with running_kernel(kernel_name, tmp_path) as kernel:
        kernel.run(NAMES).ok()
        before = resident_bytes(kernel.mark)
        warm(kernel.client)
        after = resident_bytes(kernel.mark)
        print(f"{before / 1e6:.0f} MB before, {after / 1e6:.0f} MB behind the first completion")
        assert after > 1.3 * before
