"""The function of the example `lambda`: its handler is `lambda_handler.handler`, on any Python that AWS has."""


def send_receipt(order_id, express=False):
    print(f"receipt for order {order_id}{', express' if express else ''}")


TASKS = {"shop.send_receipt": send_receipt}


def handler(event, context):
    """What it raises makes Lambda run the event again, as the function is set to."""
    TASKS[event["task"]](*event["args"], **event["kwargs"])
