"""A name that means nothing any more: the error says where it has gone, for every way in which a variable goes."""

# The cells that cost `p`, and what is said of it then; N is the number of the last of them.
WAYS = [
    (["let p2 = p;"], "`p` was moved in In[N], line 1"),
    (["let n = 1;\nfn take(p: Point) {}\ntake(p);"], "`p` was moved in In[N], line 3"),
    (["let h = task::spawn(async move { let q = p; q.x });"], "`p` was moved in In[N], line 1"),
    (["println!(\"x\");\ndrop(p);"], "`p` was dropped in In[N], line 2"),
    (["let q = p.name;"], "a part of `p` was moved in In[N], line 1"),
    (["drop(p); let p = Point { x: 2, name: String::new() }; panic!(\"no\");"], "`p` was lost in In[N]"),
    (["struct Point { x: i64, name: String }"], "`p` was dropped in In[N], which changed the definition of `Point`"),
    (["let p = |x: i32| x; p(1)"], "`p` of In[N], line 1, was not kept: it is a closure"),
    (["std::process::exit(3);"], "`p` went with the process that ran the cells, which ended in In[N]"),
    ([":restart"], "`p` went with `:restart` in In[N]"),
    ([":clear"], "`p` went with `:clear` in In[N]"),
    ([":restart", "let p = 5; panic!(\"no\");"], "`p` was never made: In[N], line 1, which defines it, failed"),
    ([":restart", "let p: u8 = \"x\";"], "`p` was never made: In[N], line 1, which defines it, did not compile"),
]

NOTEBOOK = "struct Point { x: i32, name: String }\nlet p = Point { x: 1, name: \"a\".to_owned() }; let pp = 1;"


def test_the_error_says_where_a_variable_has_gone(kernel):
    kernel.run(":clear").ok()
    for cells, expected in WAYS:
        kernel.run(NOTEBOOK).ok()
        for cell in cells:
            last = kernel.run(cell)
        expected = expected.replace("[N]", f"[{last.reply['execution_count']}]")
        result = kernel.run("let other = 1;\nprintln!(\"{}\", p.x);")
        assert result.reply["ename"] == "CompileError", (cells, result)
        assert expected in result.reply["evalue"] and ", line 2, column 16)" in result.reply["evalue"], result.reply["evalue"]
        assert "similar name" not in result.report and "cannot find" not in result.report, result.report


# The cells that cost `v`, and the advice: what it says, and what it must not say.
ADVICE = [
    (["let v = task::spawn(async { 5 });", "v.await"], "`let r = v.await;`", "&v"),
    (["async fn f() -> u8 { 1 }\nlet v = f();", "let all = vec![v]; drop(all);"], "`let r = v.await;`", "clone"),
    (["let v = task::spawn(async { 5 });\nv.await"], "`let r = v.await;`", "clone"),
    (["let v = vec![task::spawn(async { 5 })];", "gather_all(v).await"], "`let r = gather_all(v).await;`", "&v"),
    (["let v = vec![1];", "task::spawn(async move { v.len() }).await"], "`let v2 = v.clone();` before", "&v"),
    (["let v = String::new();", "std::thread::spawn(move || v.len()).join().unwrap()"], "`let v2 = v.clone();` before", "&v"),
    (["struct Own(u8);\nlet v = Own(1);", "task::spawn(async move { let v = v; v.0 }).await"], "Arc::new(v)", "&v"),
    (["struct Own(u8);\nlet v = Own(1);", "let other = vec![v];"], "as in `&v`", "clone"),
    (["#[derive(Clone)] struct Copied(u8);\nlet v = Copied(1);", "let other = vec![v];"], "`v.clone()`", "Arc"),
    (["let v = std::thread::spawn(|| 1);", "v.join().unwrap()"], "keep that in a variable", "clone"),
    (["let v = vec![1];", "v.into_iter().count()"], "call it on `v.clone()`", "Arc"),
]


def test_the_advice_is_what_would_have_worked(kernel):
    kernel.run(":clear").ok()
    for cells, advice, wrong in ADVICE:
        for cell in cells:
            kernel.run(cell).ok()
        report = kernel.run("v").report
        assert "`v` was moved in" in report and advice in report and wrong not in report, (cells, report)


def test_what_is_gone_is_not_compared_with_similar_names(kernel):
    kernel.run(":clear").ok()
    kernel.run("struct Abf(u8);\nlet abf = vec![1]; drop(abf);").ok()
    report = kernel.run("abf").report
    assert "`abf` was dropped in" in report and "similar" not in report, report


def test_a_name_that_comes_back_is_forgotten(kernel):
    kernel.run(":clear").ok()
    kernel.run('let s = String::from("a"); drop(s);').ok()
    assert "`s` was dropped in" in kernel.run("s").reply["evalue"]
    kernel.run("let s = 5;").ok()
    assert kernel.run("s").ok().text == "5"
    kernel.run("let f = |x: i32| x + 1; f(1)").ok()
    assert "was not kept" in kernel.run("f(2)").reply["evalue"]
    kernel.run("fn f(x: i32) -> i32 { x + 2 }").ok()
    assert kernel.run("f(2)").ok().text == "4"
    assert "cannot find value `unheard_of`" in kernel.run("unheard_of").reply["evalue"]
