"""A Celery worker that writes down what it runs."""

import json
import os
import time

from celery import Celery
from record import record

app = Celery("tests", broker=os.environ["BROKER"])
app.conf.update(
    worker_hijack_root_logger=True,
    worker_cancel_long_running_tasks_on_connection_loss=True,
    broker_connection_retry_on_startup=True,
    **json.loads(os.environ.get("CONFIG", "{}")),
)


def note(task, args, kwargs):
    request = task.request
    record(
        task.name,
        request.id,
        args,
        kwargs,
        # RabbitMQ's own, such as what it says of a delay, has times in it.
        headers=request.headers and {name: value for name, value in request.headers.items() if name != "x-death"},
        retries=request.retries,
        timelimit=request.timelimit,
        ignore_result=request.ignore_result,
        root_id=request.root_id,
        parent_id=request.parent_id,
        origin=request.origin,
        shadow=request.shadow,
        reply_to=request.reply_to,
        priority=request.delivery_info["priority"],
        queue=request.delivery_info["routing_key"],
        argsrepr=request.argsrepr,
        kwargsrepr=request.kwargsrepr,
    )


def noted(self, *args, **kwargs):
    note(self, args, kwargs)


for name in ["note", "none", "positional", "numbers", "texts", "any", "secret"]:
    app.task(noted, bind=True, name=f"tests.{name}")


@app.task(bind=True, name="tests.slow")
def slow(self, *args, **kwargs):
    note(self, args, kwargs)
    # Longer than any limit a test sets, and in small steps: a soft limit interrupts between them.
    for _ in range(600):
        time.sleep(0.1)
