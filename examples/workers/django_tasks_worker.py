"""The worker of the example `django_tasks`; how to start both is written there. A Django project in one file."""

import os
import sys
from urllib.parse import urlsplit

from django.conf import settings


def database(url):
    at = urlsplit(url)
    if at.scheme == "sqlite":
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": at.path}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": at.path.lstrip("/"),
        "HOST": at.hostname,
        "PORT": at.port or 5432,
        "USER": at.username,
        "PASSWORD": at.password,
    }


if not settings.configured:
    settings.configure(
        SECRET_KEY=os.environ["SECRET_KEY"],
        INSTALLED_APPS=["django_tasks", "django_tasks_db"],
        DATABASES={"default": database(os.environ["BROKER"])},
        USE_TZ=True,
        TASKS={"default": {"BACKEND": "django_tasks_db.DatabaseBackend", "QUEUES": ["default", "mail"]}},
    )
    import django

    django.setup()

from django_tasks import task  # noqa: E402: Django has to be set up before


@task(queue_name="mail")
def send_receipt(order_id, express):
    print(f"receipt for order {order_id}{', express' if express else ''}")


@task(queue_name="mail")
def ask_for_review(order_id):
    print(f"how did you like order {order_id}?")


if __name__ == "__main__":
    from django.core.management import execute_from_command_line

    # Tasks are looked up by the name of their module.
    sys.modules["django_tasks_worker"] = sys.modules["__main__"]
    execute_from_command_line(sys.argv)
