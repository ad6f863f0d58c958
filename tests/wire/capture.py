"""Writes the files beside this one anew, from what the real libraries send. Started with two empty brokers by

    cargo run -p airlock-tests --all-features --bin capture_wire

Ids and times are fixed where the libraries let them be; what still differs from run to run is named in each file under
`volatile`.
"""

import sys
from datetime import timedelta
from importlib.metadata import version
from unittest import mock

import celery
import dramatiq
import pika
import redis
from calls import CALLS, ID, NOW, write
from dramatiq.brokers.rabbitmq import RabbitmqBroker
from dramatiq.brokers.redis import RedisBroker

REDIS, AMQP = sys.argv[1:]
NOW_MS = 1893553445678


def get(queue):
    connection = pika.BlockingConnection(pika.URLParameters(AMQP))
    _, properties, body = connection.channel().basic_get(queue, auto_ack=True)
    connection.close()
    set_ones = {key: value for key, value in vars(properties).items() if value is not None}
    return {"routing_key": queue, "properties": set_ones, "body_raw": body.decode()}


def of_celery():
    lib = f"celery {version('celery')}, kombu {version('kombu')}"
    client = redis.Redis.from_url(REDIS)
    for name, (task, args, kwargs) in CALLS.items():
        options = {}
        if name == "options":
            options = {
                "eta": NOW + timedelta(minutes=5),
                "expires": NOW + timedelta(hours=1),
                "priority": 6,
                "time_limit": 30,
                "soft_time_limit": 20,
                "ignore_result": True,
                "shadow": "a note",
                "root_id": "root",
                "parent_id": "parent",
                "reply_to": "answers",
                "headers": {"x-air": "1"},
            }
        for transport, url in (("redis", REDIS), ("amqp", AMQP)):
            app = celery.Celery("wire", broker=url)
            volatile = [] if name == "options" else ["reply_to"]
            now = mock.patch.object(type(app), "now", lambda self: NOW)
            with now, mock.patch("celery.app.amqp.anon_nodename", lambda: "gen1@host"):
                app.send_task(task, args, kwargs, task_id=ID, queue="wire", **options)
            if transport == "amqp":
                write("celery", f"amqp_{name}", lib=lib, volatile=volatile, **get("wire"))
                continue
            (key,) = [key for key in client.keys() if client.type(key) == b"list"]
            volatile.append("delivery_tag")
            write("celery", f"redis_{name}", lib=lib, volatile=volatile, list=key.decode(), raw=client.lpop(key).decode())


def of_dramatiq():
    lib = f"dramatiq {version('dramatiq')}"
    client = redis.Redis.from_url(REDIS)
    for name, (actor, args, kwargs) in CALLS.items():
        for transport, broker in (("redis", RedisBroker(url=REDIS)), ("amqp", RabbitmqBroker(url=AMQP, max_priority=10))):
            options, delay = {}, None
            if name == "options":
                options = {"max_retries": 2, "time_limit": 5000, "max_age": 90000}
                if transport == "amqp":
                    options["broker_priority"] = 3
                options |= {"min_backoff": 1000, "on_failure": "wire.none"}
                delay = 60000
            queue = f"dramatiq_{name}"
            broker.declare_queue(queue, **({"ensure": True} if transport == "amqp" else {}))
            message = dramatiq.Message(queue, actor, tuple(args), kwargs, options, ID, NOW_MS)
            with mock.patch(f"dramatiq.brokers.{'redis' if transport == 'redis' else 'rabbitmq'}.current_millis", lambda: NOW_MS):
                broker.enqueue(message, delay=delay)
            suffix = ".DQ" if delay else ""
            if transport == "amqp":
                write("dramatiq", f"amqp_{name}", lib=lib, volatile=[], **get(queue + suffix))
                continue
            key = f"dramatiq:{queue}{suffix}"
            field = client.lpop(key)
            raw = client.hget(f"{key}.msgs", field)
            write(
                "dramatiq",
                f"redis_{name}",
                lib=lib,
                volatile=["redis_message_id"],
                list=key,
                hash=f"{key}.msgs",
                field=field.decode(),
                raw=raw.decode(),
            )


of_celery()
of_dramatiq()
