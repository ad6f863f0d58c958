"""The tasks of the files in `tests/wire`, and what writes those of Django: `capture_wire` runs that."""

import json
from datetime import datetime, timedelta, timezone
from importlib.metadata import version
from pathlib import Path
from unittest import mock
from uuid import UUID

from django_tasks import default_task_backend, task

NOW = datetime(2030, 1, 2, 3, 4, 5, 678901, tzinfo=timezone.utc)
FILES = Path(__file__).parent.parent.parent / "wire"


def fixed_id():
    return UUID("11111111-1111-4111-8111-111111111111")


@task
def none(): ...


@task
def named(**kwargs): ...


@task
def positional(*args): ...


def columns(connection):
    """All of the only row, as the database itself writes it."""
    from django_tasks_db.models import DBTaskResult

    table = DBTaskResult._meta.db_table
    names = sorted(field.column for field in DBTaskResult._meta.fields)
    with connection.cursor() as cursor:
        cursor.execute("SELECT " + ", ".join(f'CAST("{name}" AS text)' for name in names) + f" FROM {table}")
        (row,) = cursor.fetchall()
        cursor.execute(f"DELETE FROM {table}")
    return dict(zip(names, row))


def of_django_tasks():
    from django.db import connection

    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET TIME ZONE 'UTC'")
    default_task_backend.id_function = fixed_id
    libraries = ("django-tasks-db", "django-tasks", "Django")
    lib = ", ".join(f"{name} {version(name)}" for name in libraries)
    nul = "" if connection.vendor == "postgresql" else "\x00"
    values = {
        "order_id": 42,
        "note": "h\u00e9llo \u2603 \U0001f600 \"it's\" \\ \n" + nul,
        "large": 2**70,
        "nothing": None,
        "nested": {"a": [1, {"b": None}], "f": 1.5, "t": True, "e": []},
    }
    urgent = none.using(priority=6, queue_name="special", run_after=NOW + timedelta(minutes=5))
    calls = {
        "none": (none, [], {}),
        "named": (named, [], values),
        "positional": (positional, [1, "zwei", None], {}),
        "options": (urgent, [], {}),
    }
    for name, (called, args, kwargs) in calls.items():
        with mock.patch("django.utils.timezone.now", lambda: NOW):
            called.enqueue(*args, **kwargs)
        content = {"lib": lib, "volatile": [], "columns": columns(connection)}
        path = FILES / "django_tasks" / f"{connection.vendor}_{name}.json"
        path.write_text(json.dumps(content, indent=1) + "\n")
