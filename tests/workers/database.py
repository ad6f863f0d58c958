"""Django's description of the database at a URL."""

from urllib.parse import unquote, urlsplit


def database(url):
    # A worker may keep its connection from one task to the next.
    keeps = {"CONN_MAX_AGE": None}
    url = urlsplit(url)
    if url.scheme == "sqlite":
        # What survives a crash is not the question here.
        options = {"timeout": 30, "init_command": "PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF"}
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": unquote(url.path), "OPTIONS": options} | keeps
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": url.path[1:],
        "USER": url.username,
        "PASSWORD": url.password or "",
        "HOST": url.hostname,
        "PORT": url.port,
    } | keeps
