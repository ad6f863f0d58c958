"""A project with nothing but its tasks, on the database whose URL is in BROKER."""

import json
import os

from database import database

DATABASES = {"default": database(os.environ["BROKER"])}
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
