"""The calls that each system has a file of, and where the files are."""

import json
from datetime import datetime, timezone
from pathlib import Path

HERE = Path(__file__).parent
ID = "11111111-1111-4111-8111-111111111111"
NOW = datetime(2030, 1, 2, 3, 4, 5, 678901, tzinfo=timezone.utc)
VALUES = {
    "order_id": 42,
    "note": "h\u00e9llo \u2603 \U0001f600 \"it's\" \\ \n\x00",
    "large": 2**70,
    "nothing": None,
    "nested": {"a": [1, {"b": None}], "f": 1.5, "t": True, "e": []},
}
CALLS = {
    "none": ("wire.none", (), {}),
    "named": ("wire.named", (), VALUES),
    "positional": ("wire.positional", (1, "zwei", None), {}),
    "options": ("wire.none", (), {}),
}


def write(system, name, **content):
    path = HERE / system / f"{name}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(content, indent=1) + "\n")


def columns(cursor, table, names, on_sqlite):
    """All of the only row, as the database itself writes it; bytes as Postgres does. Takes it out."""
    texts = [f'CAST("{name}" AS text)' for name in names]
    if on_sqlite:
        hexadecimal = "CASE typeof(\"{0}\") WHEN 'blob' THEN '\\x' || lower(hex(\"{0}\")) ELSE {1} END"
        texts = [hexadecimal.format(name, text) for name, text in zip(names, texts)]
    cursor.execute(f"SELECT {', '.join(texts)} FROM {table}")
    (row,) = cursor.fetchall()
    cursor.execute(f"DELETE FROM {table}")
    return dict(zip(names, row))
