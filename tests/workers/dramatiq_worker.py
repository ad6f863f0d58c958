"""A Dramatiq worker that writes down what it runs."""

import json
import os
import time

import dramatiq
from dramatiq.middleware import CurrentMessage
from record import record

url = os.environ["BROKER"]
settings = json.loads(os.environ.get("CONFIG", "{}"))
if url.startswith("redis"):
    from dramatiq.brokers.redis import RedisBroker

    broker = RedisBroker(url=url, **settings)
else:
    from dramatiq.brokers.rabbitmq import RabbitmqBroker

    broker = RabbitmqBroker(url=url, **settings)
broker.add_middleware(CurrentMessage())
dramatiq.set_broker(broker)


def note(args, kwargs):
    message = CurrentMessage.get_current_message()
    record(
        message.actor_name,
        message.message_id,
        args,
        kwargs,
        options={key: value for key, value in message.options.items() if key != "traceback"},
        queue=message.queue_name,
        timestamp=message.message_timestamp,
    )


def noted(*args, **kwargs):
    note(args, kwargs)


def failing(*args, **kwargs):
    note(args, kwargs)
    raise RuntimeError("as the test wants it")


def slow(*args, **kwargs):
    note(args, kwargs)
    for _ in range(600):
        time.sleep(0.1)


first, *others = os.environ["QUEUES"].split(",")
for name in ["note", "none", "positional", "numbers", "texts", "any", "secret"]:
    dramatiq.actor(noted, actor_name=f"tests.{name}", queue_name=first)
dramatiq.actor(failing, actor_name="tests.failing", queue_name=first, min_backoff=50, max_backoff=100)
dramatiq.actor(slow, actor_name="tests.slow", queue_name=first, max_retries=0)
for queue in others:
    # A worker reads the queues that its actors declare.
    broker.declare_queue(queue)
