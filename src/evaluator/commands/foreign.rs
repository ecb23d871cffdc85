//! Commands of IPython, of shells and of evcxr, and what to use here instead.

/// Names without their `%`, `!` or colon, and a sentence without its full stop.
const INSTEAD: [(&[&str], &str); 31] = [
    (
        &["time", "timeit", "prun"],
        "`:timing` says how long each cell takes, `loopbook::cost(future).await` measures a future, and \
         `loopbook::cost_of(|| …)` code that waits for nothing",
    ),
    (&["who", "whos", "who_ls"], "`:vars` lists the variables with their types"),
    (&["pip", "conda", "mamba", "uv", "cargo"], "`:dep NAME = \"VERSION\"` adds a crate"),
    (&["show_deps"], "`:deps` lists the crates that were added"),
    (&["cd", "pushd", "popd"], "`std::env::set_current_dir(\"…\")?` changes the directory of the cells"),
    (&["pwd"], "`std::env::current_dir()?` says in which directory the cells run"),
    (
        &["set_env", "dotenv", "export", "setenv"],
        "`:env NAME=VALUE` sets a variable for the cells, `std::env::var(\"NAME\")?` reads one",
    ),
    (
        &["matplotlib", "pylab", "plotly"],
        "nothing has to be switched on: a figure is shown by `loopbook::Svg(text)`, `loopbook::Png(bytes)` or \
         `loopbook::Html(text)`, and crates that draw are added with `:dep`",
    ),
    (
        &["run", "load", "loadpy"],
        "there is none: code of a file of yours is used as a crate, with `:dep NAME = { path = \"…\" }`",
    ),
    (&["writefile", "file", "tee"], "`std::fs::write(\"NAME\", \"TEXT\")?` writes a file"),
    (&["html", "HTML"], "`loopbook::Html(\"…\".to_string())` as the last line of a cell shows HTML"),
    (&["svg", "SVG"], "`loopbook::Svg(\"…\".to_string())` as the last line of a cell shows a figure"),
    (
        &["markdown", "latex"],
        "`loopbook::Markdown(\"…\".to_string())` as the last line of a cell shows Markdown, with formulas between dollar signs",
    ),
    (
        &["javascript", "js"],
        "`loopbook::display_as(\"application/javascript\", \"…\")` hands it to front ends that run it; JupyterLab may not",
    ),
    (
        &["reset", "reset_selective", "xdel"],
        "`:clear` begins the notebook anew, `drop(name)` ends one variable, `:restart` all variables and tasks",
    ),
    (
        &["debug", "pdb", "breakpoint"],
        "there is no debugger: `dbg!(value)` shows a value and its place, `:pstree` at which `.await` each task stands",
    ),
    (&["tb", "xmode"], "`:explain` says more about the last error of the compiler; a panic always names its line"),
    (&["lsmagic", "magic", "quickref"], "`:help` lists the commands"),
    (&["pinfo", "pinfo2", "pdoc", "pdef", "psource", "pfile", "page"], "`?NAME` shows what is known of a name"),
    (
        &["history", "hist", "recall", "rerun", "rep", "macro", "save", "notebook", "edit"],
        "there is none: the front end has the history and the cells",
    ),
    (
        &["load_ext", "reload_ext", "unload_ext", "autoreload", "aimport"],
        "there are no extensions, and nothing is reloaded: define an item anew, or repeat the `:dep` line of a crate with a path",
    ),
    (
        &["capture", "store"],
        "there is none: a value is kept in a variable, and a file is written with `std::fs::write`",
    ),
    (&["autoawait", "gui"], "nothing has to be switched on: `.await` works in every cell"),
    (&["memit", "mprun", "lprun"], "there is none for memory; `:timeline` and `:tasks` show who used how much time"),
    (&["quit", "q", "exit"], "the front end ends the kernel: choose Shut Down in its Kernel menu"),
    (&["precision"], "write the format into the cell, as in `println!(\"{value:.2}\")` or `{value:#?}`"),
    (
        &[
            "config",
            "automagic",
            "colors",
            "alias",
            "unalias",
            "bookmark",
            "doctest_mode",
            "dirs",
            "pprint",
            "logstart",
        ],
        "there is none, and nothing of the kind to set",
    ),
    (&["last_source"], "`:expand-cell` at the top of a cell shows what the compiler gets"),
    (&["test", "pytest"], "call the function: a cell that panics has failed"),
    (&["ps", "top", "jobs"], "`:tasks` shows the tasks, `:loop` the threads, `:pstree` who waits for whom"),
    (&["sql", "R", "cython", "rust", "perl", "ruby", "python", "python2", "python3", "pypy"], SHELL),
];

/// What to say about a shell, or another language.
const SHELL: &str = "other programs are run with `std::process::Command::new(\"sh\").args([\"-c\", \"…\"]).output()?`";

/// What there is here for a magic of IPython's, a command of a shell or of evcxr's, by its name.
///
/// ```
/// use loopbook_kernel::evaluator::commands::foreign::instead;
/// assert!(instead("timeit").unwrap().contains("`:timing`"));
/// assert_eq!(instead("nonsense"), None);
/// ```
pub fn instead(name: &str) -> Option<&'static str> {
    INSTEAD.iter().find(|(names, _)| names.contains(&name)).map(|(_, sentence)| *sentence)
}

/// What to say about a line that begins with `%`: its name, and what there is instead.
pub(in crate::evaluator) fn magic(line: &str) -> (String, String) {
    /// Those that hand the cell to another program.
    const PROGRAMS: [&str; 9] = ["bash", "sh", "script", "system", "sx", "cmd", "ls", "cat", "mkdir"];
    let name = line.trim_start_matches('%').split_whitespace().next().unwrap_or_default();
    let percents = &line[..line.len() - line.trim_start_matches('%').len()];
    let own = super::find(&format!(":{name}"));
    let sentence = match (instead(name), own) {
        (Some(sentence), _) => sentence.to_owned(),
        (None, Some(own)) => format!("here it is `{}`: {}", own.usage(), own.help.trim_end_matches('.')),
        (None, None) if PROGRAMS.contains(&name) => SHELL.to_owned(),
        (None, None) => "there is no such command here; `:help` lists those that there are".to_owned(),
    };
    (format!("{percents}{name}"), sentence)
}

/// What to say about a line for a shell, without its `!`.
pub(in crate::evaluator) fn shell(line: &str) -> String {
    let name = line.split_whitespace().next().unwrap_or_default();
    // `ps` is a program; only what cannot work from a program, or has a better way here, is another matter.
    match name {
        "pip" | "conda" | "mamba" | "uv" | "cargo" | "cd" | "pwd" | "export" => {
            instead(name).unwrap_or(SHELL).to_owned()
        }
        _ => format!(
            "run it from Rust: `let output = std::process::Command::new(\"sh\").args([\"-c\", {line:?}]).output()?; \
             println!(\"{{}}\", String::from_utf8_lossy(&output.stdout));`"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluator::commands::{self, COMMANDS};

    #[test]
    fn common_magics_name_what_there_is_here() {
        for (line, wanted) in [
            ("%time", ":timing"),
            ("%%timeit f(1)", "loopbook::cost"),
            ("%who", ":vars"),
            ("%pip install numpy", ":dep"),
            ("%cd ..", "set_current_dir"),
            ("%env A=b", ":env NAME=VALUE"),
            ("%matplotlib inline", "Svg"),
            ("%run x.py", ":dep NAME = { path"),
            ("%%writefile a.txt", "std::fs::write"),
            ("%%html", "Html"),
            ("%reset -f", ":clear"),
            ("%debug", "dbg!"),
            ("%%bash", "Command::new"),
            ("%nonsense", ":help"),
        ] {
            let (name, sentence) = magic(line);
            assert!(sentence.contains(wanted), "{line}: {sentence}");
            assert!(line.starts_with(&name) && !name.contains(' '), "{name}");
        }
    }

    #[test]
    fn a_shell_line_can_be_pasted_as_rust() {
        assert!(shell("ls -l \"a b\"").contains(r#"["-c", "ls -l \"a b\""]"#));
        assert!(shell("pip install numpy").contains(":dep"));
    }

    #[test]
    fn no_name_stands_twice_and_commands_that_are_named_exist() {
        let mut seen = std::collections::BTreeSet::new();
        for (names, sentence) in INSTEAD {
            for name in names {
                assert!(seen.insert(*name), "{name}");
            }
            for command in sentence.split('`').skip(1).step_by(2).filter(|code| code.starts_with(':')) {
                let name = command.split_whitespace().next().unwrap_or_default();
                assert!(COMMANDS.iter().any(|known| known.name == name), "{command} in {sentence}");
            }
        }
    }

    #[test]
    fn a_command_of_another_program_names_the_one_of_this() {
        assert!(commands::parse(":time", "1+1").unwrap_err().contains("`:timing`"));
        assert!(commands::parse(":who", "").unwrap_err().contains("`:vars`"));
        assert!(commands::parse(":tims", "").unwrap_err().contains("there is no command"));
    }
}
