"""Writes the files of Django-Q2 anew."""

import sys
import time
from importlib.metadata import version
from unittest import mock
from uuid import UUID

import django
import plain_pickle
import redis
from calls import CALLS, ID, NOW, columns, write
from database import database
from django.conf import settings
from django.db import connection

# Redis, or a database that has been migrated.
(BROKER,) = sys.argv[1:]
ON_REDIS = BROKER.startswith("redis")
settings.configure(
    SECRET_KEY="wire-secret-key-\u00fcn\u00ef",
    INSTALLED_APPS=["django_q"],
    USE_TZ=True,
    DATABASES={} if ON_REDIS else {"default": database(BROKER)},
    Q_CLUSTER={"name": "wire", "timeout": 60, "retry": 120, **({"redis": BROKER} if ON_REDIS else {"orm": "default"})},
)
django.setup()

from django_q.conf import Conf  # noqa: E402
from django_q.tasks import async_task  # noqa: E402

OPTIONS = {
    "hook": "wire.hooks.done",
    "group": "a group",
    "save": True,
    "ack_failure": False,
    "cluster": "long",
    "timeout": 9,
}


def of_django_q():
    lib = f"django-q2 {version('django-q2')}, Django {version('django')}"
    clock = mock.patch.object(time, "time", lambda: NOW.timestamp())
    # What `Q_CLUSTER` says goes with every task that says nothing else.
    none = CALLS["none"]
    more = {"mirrored": none, "overriding": none} if ON_REDIS else {}
    for name, (path, args, kwargs) in (CALLS | more).items():
        options, label = (OPTIONS, "a label") if name == "options" else ({}, path)
        if name == "mirrored":
            options = {"timeout": 9}
        if name == "overriding":
            options = {"cached": 0, "ack_failure": False}
        with (
            clock,
            mock.patch.object(Conf, "CACHED", 60 if name in more else False),
            mock.patch.object(Conf, "ACK_FAILURES", name in more),
            mock.patch("django_q.tasks.timezone.now", lambda: NOW),
            mock.patch("django_q.tasks.uuid", lambda: ("unused", UUID(ID).hex)),
            mock.patch("django_q.signing.pickle", plain_pickle),
        ):
            async_task(path, *args, q_options=dict(options), task_name=label, **kwargs)
        if ON_REDIS:
            client = redis.Redis.from_url(BROKER)
            (key,) = client.keys("django_q:*:q")
            raw = client.lpop(key).decode()
            write("django_q", name, lib=lib, volatile=[], list=key.decode(), raw=raw)
            continue
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                cursor.execute("SET TIME ZONE 'UTC'")
            names = ["id", "key", "lock", "payload"]
            row = columns(cursor, "django_q_ormq", names, connection.vendor == "sqlite")
        write("django_q", f"{connection.vendor}_{name}", lib=lib, volatile=["id"], columns=row)


of_django_q()
