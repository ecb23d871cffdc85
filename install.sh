#!/usr/bin/env bash
# Sets up Loopbook on a machine that has Rust and Python: sets up what else is missing, builds the program, makes the kernel
# known to Jupyter, compiles what every notebook needs, and runs the tour to prove it. Running it again does no harm and is
# quick. `loopbook uninstall` takes all of it back.
set -euo pipefail

readonly NEEDED_MB=3072

usage() {
    cat <<'TEXT'
usage: ./install.sh [--lab] [options of `loopbook install`]

  --lab                open JupyterLab on the notebooks at the end
  --user               install for the current user (the default)
  --sys-prefix         install into the Python environment of the python3 in PATH
  --prefix DIR         install below DIR
  --name NAME          name of the kernel (default: loopbook)
  --display-name NAME  name that JupyterLab shows (default: Rust (async))
TEXT
}

main() {
    local open_lab=false kernel_name=loopbook prefix='' sys_prefix=false
    local -a install_options=()
    while (($#)); do
        case $1 in
            --lab) open_lab=true ;;
            --user) install_options+=("$1") ;;
            --sys-prefix) install_options+=("$1") && sys_prefix=true ;;
            --prefix=* | --name=* | --display-name=*) set -- "${1%%=*}" "${1#*=}" "${@:2}" && continue ;;
            --prefix) need_value "$@" && prefix=$(realpath -m -- "$2") && install_options+=("$1" "$prefix") && shift ;;
            --name) need_value "$@" && install_options+=("$1" "$2") && kernel_name=$2 && shift ;;
            --display-name) need_value "$@" && install_options+=("$1" "$2") && shift ;;
            -h | --help) usage && exit ;;
            *) usage >&2 && fail "unknown option $1" ;;
        esac
        shift
    done

    cd -- "$(dirname -- "${BASH_SOURCE[0]}")"
    source ./prerequisites.sh
    say 'looking for what is needed'
    need_rust
    need_rust_source
    need_linker
    need_python
    ! $sys_prefix || prefix=$(python3 -c 'import sys; print(sys.prefix)')
    local data=${XDG_DATA_HOME:-${HOME:?is not set}/.local/share}/loopbook bin=${HOME-}/.local/bin
    if [[ -n $prefix ]]; then
        data=$prefix/share/loopbook bin=$prefix/bin
        # Jupyter looks into a prefix only if it is its own, or named here.
        export JUPYTER_PATH=$prefix/share/jupyter${JUPYTER_PATH:+:$JUPYTER_PATH}
    fi
    mkdir -p -- "$data"
    if [[ ! -x $data/bin/loopbook ]]; then
        check_disk "$PWD"
        check_disk "$data"
    fi

    local jupyter
    find_jupyter "$data/jupyter"

    say 'building (the first time takes about 6 minutes)'
    cargo build --release --locked
    "$(target_directory)/release/loopbook" install "${install_options[@]}"

    say 'compiling the crates that notebooks use (once per compiler)'
    "$data/bin/loopbook" warm

    say 'running the tour with the installed kernel'
    run_tour "$data/tour"
    finish
}

finish() {
    local -a lab=("$jupyter" lab "$PWD/notebooks")
    # Jupyter's server refuses to run as root, as in a container, unless it is told that this is meant.
    ((EUID)) || lab+=(--allow-root)
    [[ -z $prefix ]] || lab=(env "JUPYTER_PATH=$JUPYTER_PATH" "${lab[@]}")
    say 'done'
    printf 'The tour as it ran here:  %s\n' "$data/tour/00_tour.html"
    printf 'To open the notebooks:    %s\n' "${lab[*]@Q}"
    printf 'To check, or remove it:   loopbook doctor, loopbook uninstall\n'
    if [[ $(type -P loopbook) != "$bin/loopbook" ]]; then
        printf '  for which this line is to be added to ~/.profile:  export PATH="%s:$PATH"\n' "${bin/#$HOME/\$HOME}"
    fi
    if $open_lab; then
        exec "${lab[@]}"
    fi
}

check_disk() {
    local free
    free=$(df -Pm -- "$1" | awk 'NR == 2 { print $4 }')
    ((free >= NEEDED_MB)) ||
        fail "only $free MB are free at $1: $NEEDED_MB MB are needed" 'free some disk space'
}

# Sets `jupyter` to a program that has lab and nbconvert: the one in PATH, or one in an environment of our own at $1.
find_jupyter() {
    jupyter=$(command -v jupyter || true)
    if [[ -n $jupyter ]] && "$jupyter" lab --version &>/dev/null && "$jupyter" nbconvert --version &>/dev/null; then
        return
    fi
    jupyter=$1/bin/jupyter
    say "there is no JupyterLab in PATH: using one in $1"
    need_python_packages "$1" kernel/requirements.txt
}

target_directory() {
    cargo metadata --format-version 1 --no-deps --locked |
        python3 -c 'import json, sys; print(json.load(sys.stdin)["target_directory"])'
}

# Background tasks print between cells: nbconvert shows that only under the running cell.
run_tour() {
    mkdir -p -- "$1"
    LOOPBOOK_LATE_OUTPUT=current "$jupyter" nbconvert --log-level WARN --execute --to html \
        --ExecutePreprocessor.kernel_name="$kernel_name" --ExecutePreprocessor.timeout=600 \
        --output-dir "$1" notebooks/00_tour.ipynb ||
        fail 'the tour does not run' "$data/bin/loopbook doctor"
}

need_value() {
    (($# >= 2)) || fail "$1 needs a value"
}

say() {
    printf '\n== %s\n' "$1"
}

# What is wrong, and what to do about it.
fail() {
    printf '\ninstall.sh: %s\n' "$1" >&2
    (($# < 2)) || printf '  what to do: %s\n  then run install.sh again\n' "$2" >&2
    exit 1
}

main "$@"
