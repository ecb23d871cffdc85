"""The cells that `measure.py` runs: what people write in notebooks, once for each kernel, in that kernel's own idiom.

`@` stands for a number that is another one each time, so that no cell is one that has been run before.
"""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Cell:
    """One kind of cell. What evcxr_jupyter gets is what we get, if it is not said."""

    kind: str
    loopbook: str
    ipykernel: str
    other: str | None = None
    fails: bool = False

    def code(self, kernel, number):
        """What `kernel` is to run for the `number`th time."""
        texts = {"loopbook": self.loopbook, "ipykernel": self.ipykernel, "evcxr_jupyter": self.other or self.loopbook}
        return texts[kernel].replace("@", str(number))


# What a notebook has done before: not measured.
SETUP = {
    "loopbook": ["async fn f(n: u64) -> u64 { n + 1 }", "let base = 1u64;"],
    "evcxr_jupyter": [
        ':dep async-std = { version = "1", features = ["attributes"] }\n:dep futures = "0.3"',
        "use async_std::task;\nuse std::time::Duration;",
        "async fn f(n: u64) -> u64 { n + 1 }",
        "let base = 1u64;",
    ],
    "ipykernel": ["import asyncio, time, collections\nasync def f(n): return n + 1", "base = 1"],
}

CELLS = [
    Cell("an expression", "@ + 1", "@ + 1"),
    Cell("println!", 'println!("line {}", @);', 'print(f"line {@}")'),
    Cell("let of a number", "let number = @u64;", "number = @"),
    Cell("let of a text", 'let text = String::from("text @");', 'text = "text @"'),
    Cell("let of a vector", "let numbers = vec![@u64, 2, 3];", "numbers = [@, 2, 3]"),
    Cell("let of an inferred type", "let total = base + @;", "total = base + @"),
    Cell("a function", "fn double(n: u64) -> u64 { n * 2 + @ }", "def double(n): return n * 2 + @"),
    Cell("a call of a function", "double(@)", "double(@)"),
    Cell("a generic function", "fn largest<T: Ord + Copy>(items: &[T]) -> Option<T> { let _ = @; items.iter().copied().max() }",
         "def largest(items): return max(items, default=None) if @ else None"),
    Cell("a struct with a method",
         "#[derive(Debug, Clone)]\nstruct Point@ { x: i64 }\nimpl Point@ { fn doubled(&self) -> i64 { self.x * 2 } }",
         "class Point@:\n    def __init__(self, x): self.x = x\n    def doubled(self): return self.x * 2"),
    Cell("a value of a struct", "Point@ { x: @ }.doubled()", "Point@(@).doubled()"),
    Cell("an enum and a match",
         "enum Shape@ { Dot, Line(f64) }\nmatch Shape@::Line(2.0) { Shape@::Dot => 0.0, Shape@::Line(long) => long }",
         "match ('line', 2.0 + @):\n    case ('line', long): result = long\nresult"),
    Cell("a function defined anew", "fn answer() -> u64 { @ }\nanswer()", "def answer(): return @\nanswer()"),
    Cell("a closure", "let add = |n: u64| n + @;\nprintln!(\"{}\", add(1));", "add = lambda n: n + @\nprint(add(1))",
         other="{ let add = |n: u64| n + @;\nprintln!(\"{}\", add(1)); }"),
    Cell("iterators", "(0..100u64).filter(|n| n % 3 == 0).map(|n| n * @).sum::<u64>()",
         "sum(n * @ for n in range(100) if n % 3 == 0)"),
    Cell("a sorted vector", "let mut items = vec![3, @, 1];\nitems.sort();\nitems", "items = [3, @, 1]\nitems.sort()\nitems"),
    Cell("a map", "use std::collections::HashMap;\nlet counts = HashMap::from([(\"a\", @), (\"b\", 2)]);\ncounts[\"a\"]",
         "counts = {'a': @, 'b': 2}\ncounts['a']"),
    Cell("text taken apart", '"a b c @".split(\' \').map(str::to_uppercase).collect::<Vec<_>>().join("-")',
         '"-".join(word.upper() for word in "a b c @".split(" "))'),
    Cell("format!", 'format!("{:>8.3}|{}", 1.5 + @ as f64, base)', 'f"{1.5 + @:>8.3f}|{base}"'),
    Cell("a loop", "let mut sum = 0u64;\nfor n in 0..1000u64 { sum = sum.wrapping_add(n * @); }\nprintln!(\"{sum}\");",
         "sum_ = 0\nfor n in range(1000): sum_ += n * @\nprint(sum_)"),
    Cell("`?`", 'let parsed = "@".parse::<u64>()?;\nprintln!("{parsed}");', 'parsed = int("@")\nprint(parsed)'),
    Cell("a Result", '"x@".parse::<u64>().is_err()', "try: int('x@')\nexcept ValueError: print(True)"),
    Cell("an error of the compiler", "let wrong: u64 = \"@\";", "1 + '@'", fails=True),
    Cell("a panic", "panic!(\"on purpose @\");", "raise RuntimeError('on purpose @')", fails=True),
    Cell("an async fn", "async fn fetch(n: u64) -> u64 { f(n).await + @ }", "async def fetch(n): return await f(n) + @"),
    Cell("await", "f(@).await", "await f(@)"),
    Cell("let of an awaited value", "let awaited = f(@).await;", "awaited = await f(@)"),
    Cell("let of a spawned task", "let handle = task::spawn(f(@));", "handle = asyncio.ensure_future(f(@))"),
    Cell("await of a task", "handle.await", "await handle"),
    Cell("spawn and await", "let task_@ = task::spawn(async move { f(@).await * 2 });\ntask_@.await",
         "task_@ = asyncio.ensure_future(f(@))\nawait task_@"),
    Cell("together", "gather!(f(@), f(2), f(3))", "await asyncio.gather(f(@), f(2), f(3))",
         "futures::join!(f(@), f(2), f(3))\n"),
    Cell("a channel",
         "let (sender, receiver) = async_std::channel::unbounded();\nsender.send(@u64).await?;\nreceiver.recv().await?",
         "queue = asyncio.Queue()\nawait queue.put(@)\nawait queue.get()",
         "let (sender, receiver) = async_std::channel::unbounded();\nsender.send(@u64).await?;\n"
         "println!(\"{}\", receiver.recv().await?);"),
    Cell("a timeout", "async_std::future::timeout(Duration::from_secs(5), f(@)).await.is_ok()",
         "await asyncio.wait_for(f(@), 5)"),
    Cell("a sleep of 1 ms", "task::sleep(Duration::from_millis(1)).await;\nprintln!(\"{}\", @);",
         "await asyncio.sleep(0.001)\nprint(@)"),
]

# A notebook of ten cells that sleep nowhere, to be run again in a new kernel.
NOTEBOOK = [
    ("fn square(n: u64) -> u64 { n * n }", "def square(n): return n * n"),
    ("let numbers = vec![1u64, 2, 3];", "numbers = [1, 2, 3]"),
    ("numbers.iter().map(|n| square(*n)).sum::<u64>()", "sum(square(n) for n in numbers)"),
    ("#[derive(Debug, Clone)]\nstruct Item { name: String, price: f64 }",
     "class Item:\n    def __init__(self, name, price): self.name, self.price = name, price"),
    ("let items = vec![Item { name: \"tea\".to_string(), price: 2.5 }];", "items = [Item('tea', 2.5)]"),
    ("for item in &items { println!(\"{}: {:.2}\", item.name, item.price); }",
     "for item in items: print(f'{item.name}: {item.price:.2f}')"),
    ("async fn next(n: u64) -> u64 { n + 1 }", "async def next_(n): return n + 1"),
    ("let four = next(3).await;", "four = await next_(3)"),
    ("println!(\"{four}\");", "print(four)"),
    ("square(four) + numbers.len() as u64", "square(four) + len(numbers)"),
]
