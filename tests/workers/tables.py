"""Makes the tables of Django's tasks, Django-Q and Huey in the database whose URL is in BROKER, as the libraries make them."""

import os
from urllib.parse import unquote, urlsplit

import django
import huey
from database import database
from django.conf import settings
from django.core.management import call_command

url = os.environ["BROKER"]
settings.configure(
    SECRET_KEY="of the tests",
    INSTALLED_APPS=["django_tasks", "django_tasks_db", "django_q"],
    DATABASES={"default": database(url)},
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    TASKS={"default": {"BACKEND": "django_tasks_db.DatabaseBackend", "QUEUES": []}},
    USE_TZ=True,
)
django.setup()
call_command("migrate", verbosity=0)
if url.startswith("sqlite"):
    huey.SqliteHuey(filename=unquote(urlsplit(url).path))
else:
    huey.PostgresHuey(dsn=url)
