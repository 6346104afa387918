# Sourced by the scripts in this folder and by ./test and ./demo.
# shellcheck shell=bash

stint_root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1
# What these scripts start (compiler, tests) is done before a profile of its hot paths would pay: gathering it costs a
# build a third of its time.
export DOTNET_TieredPGO=0

say() { printf '%s\n' "$*"; }

step() { printf '\n== %s\n' "$*"; }

fail() {
    printf '%s: %s\n' "$(basename "$0")" "$*" >&2
    exit 1
}

has() { command -v "$1" >/dev/null 2>&1; }

# Whether this can become root, with a question to the person at the terminal if need be.
may_be_root() {
    [ "$(id -u)" = 0 ] || { has sudo && { sudo -n true 2>/dev/null || { [ -t 0 ] && sudo -v; }; }; }
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    else
        sudo "$@"
    fi
}

# The user PostgreSQL runs as. It refuses to run as root.
server_user() {
    if [ "$(id -u)" != 0 ]; then
        id -un
    elif id postgres >/dev/null 2>&1; then
        echo postgres
    else
        echo nobody
    fi
}

as_server_user() {
    if [ "$(id -u)" != 0 ]; then
        "$@"
    else
        local user
        user=$(server_user)
        setpriv --reuid "$user" --regid "$(id -gn "$user")" --init-groups "$@"
    fi
}

# Where the servers from npm live. Outside the checkout, because the checkout may lie in a folder that the
# user who runs PostgreSQL cannot enter; named by the lock file, so that two versions of it never mix.
npm_servers() {
    local base
    if [ "$(id -u)" = 0 ]; then
        base=/var/cache/stint
    else
        base=${XDG_CACHE_HOME:-$HOME/.cache}/stint
    fi
    echo "$base/servers-$(cat "$stint_root"/eng/npm/package.json "$stint_root"/eng/npm/package-lock.json | sha256sum | cut -c1-12)"
}

# The folder with initdb, pg_ctl and postgres of one major version; empty when it is not installed.
postgres_bin() {
    local from_debian=/usr/lib/postgresql/$1/bin
    local from_npm
    from_npm=$(npm_servers)/node_modules/postgres-$1/native/bin
    if [ -x "$from_debian/postgres" ]; then
        echo "$from_debian"
    elif [ -x "$from_npm/postgres" ]; then
        echo "$from_npm"
    fi
}

# A TCP port on loopback that nobody listens on now. Below the range that the kernel hands out by itself, so
# that no outgoing connection takes it between the asking and the using.
free_port() {
    local port try
    for try in $(seq 1 200); do
        port=$((20000 + (RANDOM * 32768 + RANDOM + try) % 12000))
        if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
            echo "$port"
            return
        fi
    done
    fail "no free port on loopback"
}

# When a process started, in clock ticks since boot; empty when there is none of that id. With the id it names
# one process for ever, which the id alone does not.
process_start() {
    # The second field may hold blanks and brackets, so counting begins behind the last bracket.
    sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f20
}
