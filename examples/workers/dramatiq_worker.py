"""The worker of the example `dramatiq`; how to start both is written there."""

import os

import dramatiq

if os.environ["BROKER"].startswith("amqp"):
    from dramatiq.brokers.rabbitmq import RabbitmqBroker as Broker
else:
    from dramatiq.brokers.redis import RedisBroker as Broker

dramatiq.set_broker(Broker(url=os.environ["BROKER"]))


@dramatiq.actor(queue_name="mail")
def send_receipt(order_id, express):
    print(f"receipt for order {order_id}{', express' if express else ''}")


@dramatiq.actor(queue_name="mail")
def ask_for_review(order_id):
    print(f"how did you like order {order_id}?")
