"""Writes the files of Huey anew, from the version of the environment it is run in: 2 or 3."""

import sys
from datetime import timedelta
from importlib.metadata import version
from unittest import mock

import plain_pickle
import redis
from calls import CALLS, ID, NOW, write
from huey import PriorityRedisHuey, RedisHuey
from huey.serializer import SignedSerializer

(REDIS,) = sys.argv[1:]
MAJOR = version("huey")[0]


def task_of(huey, path):
    module, name = path.split(".")

    def function(*args, **kwargs): ...

    function.__module__ = module
    return huey.task(name=name)(function)


def of_huey():
    client = redis.Redis.from_url(REDIS)
    for name, (path, args, kwargs) in (CALLS | {"signed": CALLS["named"]}).items():
        prioritised = name == "options"
        serializer = SignedSerializer("s3cret-\u00fcn\u00ef", salt="wire") if name == "signed" else None
        huey = (PriorityRedisHuey if prioritised else RedisHuey)("wire-app", url=REDIS, serializer=serializer)
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
        (key,) = client.keys("huey.redis.*")
        content = {"lib": f"huey {version('huey')}", "volatile": [], "list": key.decode()}
        if prioritised:
            ((member, score),) = client.zrange(key, 0, -1, withscores=True)
            content |= {"volatile": ["the first 8 bytes"], "score": int(score), "raw_hex": member.hex()}
        else:
            content["raw_hex"] = client.lrange(key, 0, -1)[0].hex()
        client.delete(key)
        write("huey", f"v{MAJOR}_{name}", **content)


of_huey()
