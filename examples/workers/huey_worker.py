"""The worker of the example `huey`; how to start both is written there."""

import os

from huey import RedisHuey
from huey.serializer import SignedSerializer

secret = os.environ.get("HUEY_SECRET")
huey = RedisHuey("shop", url=os.environ["BROKER"], serializer=SignedSerializer(secret) if secret else None)


@huey.task()
def send_receipt(order_id, express):
    print(f"receipt for order {order_id}{', express' if express else ''}")


@huey.task()
def ask_for_review(order_id):
    print(f"how did you like order {order_id}?")
