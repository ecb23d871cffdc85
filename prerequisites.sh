# What install.sh and tests/run need on a machine, and how they get it: each function sets up one thing if it is missing and
# can be had without asking, and says so in one line. If it cannot, it says what is missing and what to do, and fails.
#
# To be sourced by bash. System packages are installed only by root, and only with apt-get.

readonly MINIMUM_RUST=1.95
readonly MINIMUM_PYTHON=3.10

# rustup installs there, but a shell that was open before does not know it.
PATH=$PATH:${CARGO_HOME:-${HOME-}/.cargo}/bin

# cargo and rustc, new enough.
need_rust() {
    local tool version
    for tool in cargo rustc; do
        command -v "$tool" >/dev/null || missing "Rust (no $tool)" 'install it with rustup: https://rustup.rs' || return
    done
    if ! rustc --version &>/dev/null && command -v rustup >/dev/null && ! rustup default &>/dev/null; then
        set_up 'Rust: rustup had no toolchain' rustup default stable || true
    fi
    version=$(rust_version) || missing 'a rustc that runs' 'choose a toolchain: rustup default stable' || return
    # What is called "stable" is meant to be updated. Another toolchain was chosen: it stays as it is.
    if ! at_least "$MINIMUM_RUST" "$version" && [[ $(rustup show active-toolchain 2>/dev/null) == stable-* ]]; then
        set_up "Rust $MINIMUM_RUST or newer: stable was $version" rustup update stable || true
        version=$(rust_version) || version=none
    fi
    at_least "$MINIMUM_RUST" "$version" ||
        missing "Rust $MINIMUM_RUST or newer (this is $version)" 'rustup update stable, and rustup default stable'
}

# The source of the standard library: rust-analyzer reads it, without it no type is inferred.
need_rust_source() {
    ! has_rust_source || return 0
    if command -v rustup >/dev/null; then
        set_up 'the source of the standard library' rustup component add rust-src || true
    elif can_install_packages; then
        install_packages rust-src || true
    fi
    has_rust_source || missing 'rust-src (the source of the standard library)' \
        'rustup component add rust-src   (without rustup: your system'\''s package rust-src)'
}

# A C compiler that links: some have no C library to link with.
need_linker() {
    ! links || return 0
    ! can_install_packages || install_packages gcc libc6-dev || true
    links || missing 'a C compiler that can link (cc)' \
        'apt install gcc libc6-dev   (Fedora: dnf install gcc; macOS: xcode-select --install)'
}

# python3, new enough.
need_python() {
    if ! command -v python3 >/dev/null && can_install_packages; then
        install_packages python3 python3-venv || true
    fi
    command -v python3 >/dev/null || missing python3 'install Python 3, for example: apt install python3' || return
    local version
    version=$(python3 -c 'import platform; print(platform.python_version())')
    at_least "$MINIMUM_PYTHON" "$version" ||
        missing "Python $MINIMUM_PYTHON or newer (this is $version)" 'install a newer python3'
}

# A virtual environment in $1 with exactly the requirements of the files behind it. It is made anew if they have changed.
need_python_packages() {
    local environment=$1 wanted
    shift
    wanted=$(cat -- "$@")
    if [[ -x $environment/bin/python && $wanted == "$(cat -- "$environment/requirements.txt" 2>/dev/null)" ]]; then
        return
    fi
    local -a from=()
    local file
    for file; do from+=(-r "$file"); done
    rm -rf -- "$environment"
    make_environment "$environment" ||
        missing 'Python'\''s module for virtual environments' 'apt install python3-venv' || return
    in_environment "$environment" install --quiet --disable-pip-version-check "${from[@]}" ||
        missing 'Python packages, which could not be installed' 'check the network (and pip'\''s proxy settings)' || return
    # Written last: an environment without it is made anew.
    printf '%s\n' "$wanted" >"$environment/requirements.txt"
}

# A Chromium for the tests in a browser.
need_chromium() {
    ! has_chromium || return 0
    ! can_install_packages || install_packages chromium || true
    has_chromium || missing 'Chromium' 'apt install chromium   (or name one in LOOPBOOK_CHROMIUM)'
}

rust_version() {
    local version
    version=$(rustc --version) || return
    version=${version#rustc }
    printf '%s' "${version%% *}"
}

has_rust_source() {
    [[ -f $(rustc --print sysroot)/lib/rustlib/src/rust/library/std/src/lib.rs ]]
}

links() {
    local compiler
    for compiler in cc gcc clang; do
        if command -v "$compiler" >/dev/null && "$compiler" -x c -o /dev/null - <<<'int main(void) { return 0; }' 2>/dev/null; then
            return
        fi
    done
    return 1
}

has_chromium() {
    [[ -n ${LOOPBOOK_CHROMIUM-} || -n $(command -v chromium chromium-browser google-chrome google-chrome-stable) ]]
}

# Makes a virtual environment in $1. Debian has the module apart from Python, and lacks pip then: an environment without pip
# is filled by another one (in_environment).
make_environment() {
    python3 -m venv "$1" &>/dev/null && return
    rm -rf -- "$1"
    python3 -m virtualenv --quiet "$1" &>/dev/null && return
    if can_install_packages && install_packages python3-venv && python3 -m venv "$1"; then
        return
    fi
    rm -rf -- "$1"
    python3 -m venv --without-pip "$1" || return
    has_pip_for "$1" || fetch_pip "$1"
}

# Runs pip for the environment $1: its own, else the system's, else the wheel that fetch_pip has brought.
in_environment() {
    local environment=$1
    shift
    if [[ -x $environment/bin/pip ]]; then
        "$environment/bin/pip" "$@"
    elif [[ -d $environment/pip ]]; then
        PYTHONPATH=$(printf '%s\n' "$environment"/pip/*.whl | head -n 1) "$environment/bin/python" -m pip "$@"
    else
        python3 -m pip --python "$environment/bin/python" "$@"
    fi
}

has_pip_for() {
    python3 -m pip --python "$1/bin/python" --version &>/dev/null
}

# Brings Debian's pip into the environment $1: everybody may download a package, only root can install it.
fetch_pip() {
    command -v apt-get >/dev/null || return
    echo "setting up pip, in $1"
    mkdir -p -- "$1/pip"
    (
        cd -- "$1/pip" && apt-get download -qq python3-pip-whl && dpkg-deb --extract python3-pip-whl_*.deb . &&
            mv usr/share/python-wheels/pip-*.whl . && rm -r usr python3-pip-whl_*.deb
    )
}

can_install_packages() {
    ((EUID == 0)) && command -v apt-get >/dev/null
}

install_packages() {
    set_up "$* (Debian packages)" apt_install "$@"
}

apt_install() {
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq && apt-get install -qq --yes --no-install-recommends "$@"
}

# Says what is being set up, and runs the command for it, whose words are shown only if it fails.
set_up() {
    local what=$1 said
    shift
    echo "setting up $what"
    said=$("$@" 2>&1 </dev/null) || { printf '%s\n' "$said" >&2 && return 1; }
}

# Whether version $2 is $1 or newer.
at_least() {
    [[ $(printf '%s\n' "$1" "$2" | sort -V | head -n 1) == "$1" ]]
}

# What is missing, and what to do about it.
missing() {
    printf '\n%s: this is missing: %s\n  what to do: %s\n  then run it again\n' "$0" "$1" "$2" >&2
    return 1
}
