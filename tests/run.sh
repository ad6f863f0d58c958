#!/usr/bin/env bash
# The whole test suite, from a fresh clone: `tests/run.sh`, or `tests/run.sh --long` with the soaks.
#
# It needs a Rust toolchain and a Debian or Ubuntu; what else is missing is installed here with apt-get, and the Python
# libraries go into environments of their own in target/. Tests start the servers and workers they need themselves, on
# free ports of the loopback interface, and stop them. A server that can't be started is a failure: nothing is skipped.
set -euo pipefail
cd "$(dirname "$0")/.."

long=no
case "${1:-}" in
    "") ;;
    --long) long=yes ;;
    *) echo "usage: tests/run.sh [--long]" >&2; exit 2 ;;
esac

if ! command -v cargo >/dev/null; then
    echo "cargo is missing; install Rust with rustup, then run this again" >&2
    exit 1
fi

step() { printf '\n== %s\n' "$*"; }

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

# What is begun here ends with this script, however that ends.
policy_made='' python='' ui=''
end() {
    [ -z "$policy_made" ] || as_root rm -f /usr/sbin/policy-rc.d
    [ -z "$python$ui" ] || kill $python $ui 2>/dev/null || true
}
trap end EXIT

step "servers and Python"
missing=()
command -v redis-server >/dev/null || missing+=(redis-server)
[ -x /usr/lib/rabbitmq/bin/rabbitmq-server ] || missing+=(rabbitmq-server)
[ -x /usr/sbin/pgbouncer ] || missing+=(pgbouncer)
compgen -G '/usr/lib/postgresql/*/bin/postgres' >/dev/null || missing+=(postgresql)
command -v openssl >/dev/null || missing+=(openssl)
command -v cc >/dev/null || missing+=(gcc libc6-dev)
python3 -c 'import ensurepip' 2>/dev/null || missing+=(python3 python3-venv)
if [ ${#missing[@]} -gt 0 ]; then
    # The packages would start servers of their own, for which there is no use here.
    policy=/usr/sbin/policy-rc.d
    if [ ! -e $policy ]; then
        policy_made=yes
        printf '#!/bin/sh\nexit 101\n' | as_root tee $policy >/dev/null
        as_root chmod +x $policy
    fi
    as_root apt-get -o DPkg::Lock::Timeout=300 update -qq
    as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get -o DPkg::Lock::Timeout=300 install -y -qq --no-install-recommends "${missing[@]}"
fi
# Made anew when the list of libraries has changed.
environment() {
    if ! cmp -s "$1" "$2/requirements.txt"; then
        rm -rf "$2"
        python3 -m venv "$2"
        "$2/bin/pip" install --quiet --disable-pip-version-check -r "$1"
        cp "$1" "$2/requirements.txt"
    fi
}
# While the tests compile.
{
    environment tests/requirements.txt target/python
    environment tests/requirements-huey2.txt target/python-huey2
} &
python=$!

step "tests and documentation tests"
# Most tests wait for a server or a worker most of the time: with two at once, cores would be idle.
[ "$(nproc)" -ge 3 ] || export RUST_TEST_THREADS=${RUST_TEST_THREADS:-3}
# The cases of tests/ui are a crate of their own, with the features of the test: with all of them it would build every
# client once more. They compile in what the other tests leave of the cores.
cargo test --workspace --all-features --no-run
cargo test -p airlock-tests --test macros --no-run
wait $python
python=''
nice -n 19 cargo test -p airlock-tests --test macros ui:: >target/ui.log 2>&1 &
ui=$!
failed=no
cargo test --workspace --all-features --no-fail-fast -- --skip ui:: || failed=yes
wait $ui || failed=yes
ui=''
cat target/ui.log
[ $failed = no ]

step "the examples run, and say what they should"
out=$(cargo run --quiet --example quickstart)
for line in \
    "3 enqueued: 3 dispatched" \
    "1 enqueued: 1 discarded" \
    "3 enqueued: 3 dropped" \
    "3 enqueued: 2 dispatched, 1 dropped" \
    "AssertNoEffects refuses it"; do
    grep -qF -- "$line" <<<"$out" || { echo "quickstart did not print: $line" >&2; exit 1; }
done
if grep -qF "tok_4242" <<<"$out"; then
    echo "quickstart printed a redacted value" >&2
    exit 1
fi
out=$(cargo run --quiet --example quickstart -- --orders examples/data/orders.jsonl)
grep -qF "293 orders processed, 7 refused" <<<"$out" || { echo "quickstart --orders miscounted" >&2; exit 1; }
grep -qF "examples/data/orders.jsonl:42:" <<<"$out" || { echo "quickstart --orders names no line" >&2; exit 1; }
out=$(cargo run --quiet -p airlock-examples --features tokio --example quickstart_async)
grep -qF "nothing escaped" <<<"$out" || { echo "quickstart_async did not end as it should" >&2; exit 1; }

out=$(cargo run --quiet -p airlock-examples --example executors)
for line in \
    "sent for order 42" \
    "calling shop.send_email with 34 bytes" \
    "would run shop.send_email(order_id=42, token=***)"; do
    grep -qF -- "$line" <<<"$out" || { echo "executors did not print: $line" >&2; exit 1; }
done

out=$(cargo run --quiet -p airlock-examples --features settings --example settings)
for line in \
    "examples/data/airlock.toml:3" \
    "posting shop.charge to https://***@hooks.example.org/***" \
    "3 enqueued: 2 dispatched, 1 dropped"; do
    grep -qF -- "$line" <<<"$out" || { echo "settings did not print: $line" >&2; exit 1; }
done
if grep -qF "hunter2" <<<"$out"; then
    echo "settings printed a password" >&2
    exit 1
fi
if AIRLOCK_POLICY=block_task cargo run --quiet -p airlock-examples --features settings --example settings 2>/dev/null; then
    echo "settings ran with a policy that there isn't" >&2
    exit 1
fi

# With the features of the tests, so that nothing is built once more for it.
out=$(cargo run --quiet --all-features --example web)
for line in \
    "2 enqueued: 1 written, 1 dispatched" \
    "1 enqueued: 1 discarded" \
    "no report: the scope was dropped" \
    "no answer: the client has gone" \
    "refuses a value by a constraint of the table" \
    "Huey 2 has no time limits" \
    "shop.send_receipt: dropped by BlockTasks" \
    'would dispatch shop.notify_warehouse(order_id=5, product="tea")' \
    "orders in the database: 2" \
    "receipts for Huey's consumers: 1"; do
    grep -qF -- "$line" <<<"$out" || { echo "web did not print: $line" >&2; exit 1; }
done

files=$(mktemp -d)
if out=$(TMPDIR=$files cargo run --quiet --all-features --example worker -- --crash 2>&1); then
    echo "worker did not crash" >&2
    exit 1
fi
out+=$(TMPDIR=$files cargo run --quiet --all-features --example worker)
rm -r "$files"
for line in \
    "order 3: the program dies while it is shipped" \
    "the start before left" \
    "order 2: shipped at attempt 3" \
    "5 orders: 5 packed, 5 shipped, 4 invited" \
    "dead: invite (the customer has no address) at attempt 1"; do
    grep -qF -- "$line" <<<"$out" || { echo "worker did not print: $line" >&2; exit 1; }
done

out=$(cargo run --quiet -p airlock-examples --features lambda --example lambda -- --event '{"task":"shop.send_receipt","args":[7]}')
grep -qF "receipt for order 7" <<<"$out" || { echo "lambda did not run its event" >&2; exit 1; }

step "quickstart builds no runtime, client or SDK"
tree=$(cargo tree -p airlock-examples --edges normal,build)
if grep -E '(tokio|async-std|smol|hyper|reqwest|lapin|redis|sqlx|aws-)' <<<"$tree"; then
    echo "the quickstart's dependencies grew a runtime, client or SDK" >&2
    exit 1
fi

step "what sends over tokio has no executor for it"
for feature in redis amqp sqlite postgres lambda; do
    on=$(cargo tree -p airlock --no-default-features --features "$feature" --depth 0 --format '{f}')
    if grep -qw tokio <<<"$on"; then
        echo "the feature $feature turns on the feature tokio: $on" >&2
        exit 1
    fi
done

step "breaking the library on purpose"
if [ "$long" = yes ]; then
    cargo run --quiet -p airlock-tests --bin mutants -- all
    AIRLOCK_MODEL_PROGRAMS=100000 cargo test -p airlock-tests --test model
    AIRLOCK_RANDOM_INTENTS=5000 cargo test -p airlock-tests --all-features --test live random
    AIRLOCK_FAULT_ROUNDS=100 cargo test -p airlock-tests --all-features --test brokers
    AIRLOCK_RELAYED_ORDERS=10000 cargo test -p airlock-tests --all-features --test live relay
    AIRLOCK_FAULT_ROUNDS=50 cargo test -p airlock-tests --all-features --test transactions
    AIRLOCK_FAULT_ROUNDS=200 cargo test -p airlock-tests --all-features --test outbox faults:: -- --nocapture
    AIRLOCK_TRACES=1000 cargo test -p airlock-tests --all-features --test outbox model::
else
    cargo run --quiet -p airlock-tests --bin mutants -- 3
fi
