"""Writes the files of Huey anew, from the version of the environment it is run in: 2 or 3."""

import sys
from datetime import timedelta
from importlib.metadata import version
from unittest import mock

import huey as library
import plain_pickle
import redis
from calls import CALLS, ID, NOW, columns, write
from huey.serializer import SignedSerializer

# The file of a SQLite database, and the URL of Postgres if this version has a storage there.
REDIS, SQLITE, *POSTGRES = sys.argv[1:]
MAJOR = version("huey")[0]


def task_of(huey, path):
    module, name = path.split(".")

    def function(*args, **kwargs): ...

    function.__module__ = module
    return huey.task(name=name)(function)


def enqueue(huey, name):
    path, args, kwargs = (CALLS | {"signed": CALLS["named"]})[name]
    task = task_of(huey, path).task_class(args, kwargs, id=ID)
    # A producer in Python has the task and its defaults; one elsewhere leaves them to the consumer.
    task.retries = task.retry_delay = task.retry_backoff = None
    if name == "options":
        task.eta = (NOW + timedelta(minutes=5)).replace(tzinfo=None)
        # As it is from a producer that says when, and not in how many seconds.
        task.expires = NOW + timedelta(hours=1)
        task.expires_resolved = (NOW + timedelta(hours=1)).replace(tzinfo=None)
        task.retries, task.retry_delay, task.priority = 2, 5, 7
        if MAJOR == "3":
            task.timeout, task.retry_backoff = 9, 2
    with mock.patch("huey.serializer.pickle", plain_pickle):
        huey.enqueue(task)


def of_redis():
    client = redis.Redis.from_url(REDIS)
    for name in [*CALLS, "signed"]:
        prioritised = name == "options"
        serializer = SignedSerializer("s3cret-\u00fcn\u00ef", salt="wire") if name == "signed" else None
        storage = library.PriorityRedisHuey if prioritised else library.RedisHuey
        enqueue(storage("wire-app", url=REDIS, serializer=serializer), name)
        (key,) = client.keys("huey.redis.*")
        content = {"lib": f"huey {version('huey')}", "volatile": [], "list": key.decode()}
        if prioritised:
            ((member, score),) = client.zrange(key, 0, -1, withscores=True)
            content |= {"volatile": ["the first 8 bytes"], "score": int(score), "raw_hex": member.hex()}
        else:
            content["raw_hex"] = client.lrange(key, 0, -1)[0].hex()
        client.delete(key)
        write("huey", f"v{MAJOR}_{name}", **content)


def of_sql(vendor, table, open_huey):
    for name in CALLS:
        huey = open_huey()
        enqueue(huey, name)
        with huey.storage.db(commit=True) as cursor:
            row = columns(cursor, table, ["data", "id", "priority", "queue"], vendor == "sqlite")
        write("huey", f"v{MAJOR}_{vendor}_{name}", lib=f"huey {version('huey')}", volatile=["id"], columns=row)


of_redis()
of_sql("sqlite", "task", lambda: library.SqliteHuey("wire-app", filename=SQLITE))
for url in POSTGRES:
    of_sql("postgresql", "huey_task", lambda: library.PostgresHuey("wire-app", dsn=url))
