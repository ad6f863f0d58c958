"""The worker of the example `celery`; how to start both is written there."""

import os

from celery import Celery

app = Celery("shop", broker=os.environ["BROKER"])


@app.task(name="shop.send_receipt")
def send_receipt(order_id, express):
    print(f"receipt for order {order_id}{', express' if express else ''}")


@app.task(name="shop.ask_for_review")
def ask_for_review(order_id):
    print(f"how did you like order {order_id}?")
