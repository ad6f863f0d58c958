"""Publishes as many messages as each line of standard input asks for, and answers when they are sent."""

import sys

system, url = sys.argv[1:3]
if system == "celery":
    from celery import Celery

    app = Celery("bench", broker=url)
    app.conf.broker_transport_options = {"confirm_publish": True} if url.startswith("amqp") else {}

    @app.task(name="tests.order_paid")
    def order_paid(order, customer, express): ...

    producer = app.amqp.Producer(app.connection_for_write(), auto_declare=False)

    def publish(count):
        for order in range(count):
            order_paid.apply_async(
                kwargs=dict(order=order, customer="customer@example.org", express=True), producer=producer
            )
elif system == "huey":
    from huey import RedisHuey

    huey = RedisHuey(url=url, results=False)

    @huey.task()
    def order_paid(order, customer, express): ...

    def publish(count):
        for order in range(count):
            order_paid(order=order, customer="customer@example.org", express=True)

elif system == "django_q":
    import logging

    import django
    from django.conf import settings

    settings.configure(
        SECRET_KEY="of no concern",
        INSTALLED_APPS=["django_q"],
        USE_TZ=True,
        Q_CLUSTER={"redis": url, "timeout": 60, "retry": 120},
    )
    django.setup()
    from django_q.brokers import get_broker
    from django_q.tasks import async_task

    logging.getLogger("django-q").setLevel(logging.ERROR)
    broker = get_broker()

    def publish(count):
        for order in range(count):
            async_task("tests.order_paid", order=order, customer="customer@example.org", express=True, broker=broker)

else:
    import dramatiq

    if url.startswith("amqp"):
        from dramatiq.brokers.rabbitmq import RabbitmqBroker

        broker = RabbitmqBroker(url=url, confirm_delivery=True)
    else:
        from dramatiq.brokers.redis import RedisBroker

        broker = RedisBroker(url=url)
    dramatiq.set_broker(broker)

    @dramatiq.actor(actor_name="tests.order_paid")
    def order_paid(order, customer, express): ...

    def publish(count):
        for order in range(count):
            order_paid.send(order=order, customer="customer@example.org", express=True)


for line in sys.stdin:
    publish(int(line))
    print("done", flush=True)
