"""A Huey consumer that writes down what it runs; of Huey 3 and of Huey 2."""

import json
import os
import time

import huey as library
from huey.serializer import Serializer, SignedSerializer
from record import record

# `storage`: the class; `serializer`: what the serializer takes; the rest is for the class.
settings = json.loads(os.environ.get("CONFIG", "{}"))
if "serializer" in settings:
    kind = SignedSerializer if "secret" in settings["serializer"] else Serializer
    settings["serializer"] = kind(**settings["serializer"])
if os.environ["BROKER"].startswith("redis"):
    settings["url"] = os.environ["BROKER"]
huey = getattr(library, settings.pop("storage", "RedisHuey"))(os.environ["QUEUES"], **settings)
FIELDS = ["retries", "retry_delay", "retry_backoff", "priority", "timeout"]


def note(task, args, kwargs):
    seen = {field: getattr(task, field, None) for field in FIELDS}
    record(f"{task.__module__}.{task.name}", task.id, args, kwargs, queue=huey.name, **seen)


def noted(*args, task, **kwargs):
    note(task, args, kwargs)


def slow(*args, task, **kwargs):
    note(task, args, kwargs)
    for _ in range(600):
        time.sleep(0.1)


def failing(*args, task, **kwargs):
    note(task, args, kwargs)
    raise RuntimeError("as the test wants it")


def fleeting(*args, task, **kwargs):
    """Fails, and has an expiry of its own."""
    note(task, args, kwargs)
    raise RuntimeError("as the test wants it")


fleeting.__module__ = noted.__module__ = slow.__module__ = failing.__module__ = "tests"
for name in ["note", "none", "positional", "numbers", "texts", "any", "secret"]:
    huey.task(name=name, context=True)(noted)
huey.task(name="slow", context=True)(slow)
huey.task(name="failing", context=True)(failing)
huey.task(name="fleeting", context=True, expires=60)(fleeting)
