"""A project with nothing but its tasks, on the database whose URL is in BROKER."""

import json
import os
from urllib.parse import unquote, urlsplit

url = urlsplit(os.environ["BROKER"])
if url.scheme == "sqlite":
    # What survives a crash is not the question here.
    options = {"timeout": 30, "init_command": "PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF"}
    database = {"ENGINE": "django.db.backends.sqlite3", "NAME": unquote(url.path), "OPTIONS": options}
else:
    database = {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": url.path[1:],
        "USER": url.username,
        "PASSWORD": url.password or "",
        "HOST": url.hostname,
        "PORT": url.port,
    }

# A worker may keep its connection from one task to the next.
DATABASES = {"default": database | {"CONN_MAX_AGE": None}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = ["django_tasks", "django_tasks_db"]
SECRET_KEY = "of the tests"
TASKS = {
    "default": {"BACKEND": "django_tasks_db.DatabaseBackend", "QUEUES": []},
    "other": {"BACKEND": "django_tasks_db.DatabaseBackend", "QUEUES": []},
}
USE_TZ = True
LOGGING = {
    "version": 1,
    "formatters": {"plain": {"format": "%(levelname)s %(name)s %(message)s"}},
    "handlers": {"out": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["out"], "level": "INFO"},
}
globals().update(json.loads(os.environ.get("CONFIG", "{}")))
