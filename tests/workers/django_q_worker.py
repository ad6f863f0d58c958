"""A cluster of Django-Q2 that writes down what it runs."""

import json
import logging
import os
import sys
import time
from pathlib import Path
from types import ModuleType
from uuid import UUID

import django
from django.conf import settings
from django.core.management import call_command
from database import database
from record import record

FOLDER = Path(os.environ["RUNS"]).parent
broker = os.environ["BROKER"]
results = {"ENGINE": "django.db.backends.sqlite3", "NAME": FOLDER / "results.sqlite3"}
cluster = {
    "name": os.environ["QUEUES"],
    **({"redis": broker} if broker.startswith("redis") else {"orm": "default", "poll": 0.1}),
    "workers": 1,
    "timeout": 60,
    "retry": 120,
    "save_limit": -1,
    "scheduler": False,
}
settings.configure(
    SECRET_KEY=os.environ["SECRET_KEY"],
    INSTALLED_APPS=["django_q"],
    DATABASES={"default": results if broker.startswith("redis") else database(broker)},
    USE_TZ=True,
    Q_CLUSTER=cluster | json.loads(os.environ.get("CONFIG", "{}")),
)
django.setup()

from django_q.models import Task  # noqa: E402
from django_q.signals import pre_execute  # noqa: E402

current = {}


def remember(sender, func, task, **kwargs):
    current.update(task)


pre_execute.connect(remember)


def note(args, kwargs):
    seen = {key: current.get(key) for key in ["name", "group", "hook", "save", "ack_failure", "cluster"]}
    record(current["func"], str(UUID(hex=current["id"])), args, kwargs, started=current["started"].isoformat(), **seen)


def noted(*args, **kwargs):
    note(args, kwargs)
    current.clear()


def slow(*args, **kwargs):
    note(args, kwargs)
    for _ in range(600):
        time.sleep(0.1)


def failing(*args, **kwargs):
    note(args, kwargs)
    raise RuntimeError("as the test wants it")


def hook(task):
    """Called with the row of the result, in another process than the task."""
    seen = {"func": task.func, "name": task.name, "group": task.group, "success": task.success}
    record("tests.hook", str(UUID(hex=task.id)), task.args, task.kwargs, rows=Task.objects.count(), **seen)


# The functions lie where the tasks of the test say.
tests = sys.modules["tests"] = ModuleType("tests")
for name in ["note", "none", "positional", "numbers", "texts", "any", "secret"]:
    setattr(tests, name, noted)
tests.slow, tests.failing, tests.hook = slow, failing, hook

logging.getLogger("django-q").setLevel(logging.INFO)
call_command("migrate", verbosity=0)
call_command("qcluster")
