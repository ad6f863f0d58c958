"""The workloads of the process benchmark, for the Python original.

Reads lines `WORKLOAD COUNT` and answers each with one figure: nanoseconds for each intent (or scope, if it is empty),
or bytes for each buffered intent.
"""

import sys
import time
import tracemalloc

import airlock


def task(number, text):
    pass


def enqueue(count):
    for number in range(count):
        airlock.enqueue(task, number, "0123456789abcdef")


def one_scope(policy):
    def run(count):
        with airlock.scope(policy=policy()):
            enqueue(count)

    return run


def nested(count):
    with airlock.scope(), airlock.scope(), airlock.scope():
        enqueue(count)


def tens(count):
    for _ in range(count // 10):
        with airlock.scope():
            enqueue(10)


def empty(count):
    for _ in range(count):
        with airlock.scope():
            pass


BLOCKED = {"mail", "sms", "push", "fax", "letter", "call", "page", "ping", "audit", "bill"}
WORKLOADS = {
    "allow_all": one_scope(airlock.AllowAll),
    "drop_all": one_scope(airlock.DropAll),
    "block_tasks": one_scope(lambda: airlock.BlockTasks(BLOCKED)),
    "nested": nested,
    "tens": tens,
    "empty": empty,
}


def bytes_buffered(count):
    """What a buffered intent takes, its arguments aside: they were there before."""
    arguments = [(number, "0123456789abcdef") for number in range(count)]
    tracemalloc.start()
    with airlock.scope(policy=airlock.DropAll()):
        before, _ = tracemalloc.get_traced_memory()
        for number, text in arguments:
            airlock.enqueue(task, number, text)
        after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return (after - before) / count


def nanoseconds(workload, count):
    start = time.perf_counter_ns()
    workload(count)
    return (time.perf_counter_ns() - start) / count


for line in sys.stdin:
    name, count = line.split()
    figure = bytes_buffered(int(count)) if name == "bytes" else nanoseconds(WORKLOADS[name], int(count))
    print(figure, flush=True)
