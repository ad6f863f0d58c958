"""The worker of the example `django_q`; how to start both is written there. A Django project in one file."""

import os


def send_receipt(order_id, express):
    print(f"receipt for order {order_id}{', express' if express else ''}")


def ask_for_review(order_id):
    print(f"how did you like order {order_id}?")


if __name__ == "__main__":
    import django
    from django.conf import settings
    from django.core.management import call_command

    settings.configure(
        SECRET_KEY=os.environ["SECRET_KEY"],
        INSTALLED_APPS=["django_q"],
        # Results are not kept here.
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
        USE_TZ=True,
        Q_CLUSTER={
            "name": "shop",
            "redis": os.environ["BROKER"],
            "workers": 1,
            "timeout": 60,
            "retry": 120,
            "save_limit": -1,
            "scheduler": False,
        },
    )
    django.setup()
    call_command("qcluster")
