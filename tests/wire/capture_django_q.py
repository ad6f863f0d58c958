"""Writes the files of Django-Q2 anew."""

import sys
import time
from importlib.metadata import version
from unittest import mock
from uuid import UUID

import django
import plain_pickle
import redis
from calls import CALLS, ID, NOW, write
from django.conf import settings

(REDIS,) = sys.argv[1:]
settings.configure(
    SECRET_KEY="wire-secret-key-\u00fcn\u00ef",
    INSTALLED_APPS=["django_q"],
    USE_TZ=True,
    Q_CLUSTER={"name": "wire", "redis": REDIS, "timeout": 60, "retry": 120},
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
    client = redis.Redis.from_url(REDIS)
    clock = mock.patch.object(time, "time", lambda: NOW.timestamp())
    # What `Q_CLUSTER` says goes with every task that says nothing else.
    none = CALLS["none"]
    more = {"mirrored": none, "overriding": none}
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
        (key,) = client.keys("django_q:*:q")
        raw = client.lpop(key).decode()
        write("django_q", name, lib=lib, volatile=[], list=key.decode(), raw=raw)


of_django_q()
