"""Tasks that write down what they are run with."""

import time

from django_tasks import task
from record import record


def noted(context, *args, **kwargs):
    result = context.task_result
    run_after = result.task.run_after
    record(
        result.db_result.task_path,
        result.id,
        args,
        kwargs,
        queue=result.task.queue_name,
        priority=result.task.priority,
        backend=result.backend,
        run_after=run_after and run_after.isoformat(),
        attempts=result.attempts,
    )


def failed(context, *args, **kwargs):
    noted(context, *args, **kwargs)
    raise RuntimeError("as the test wants it")


note = none = positional = numbers = texts = any = secret = task(takes_context=True)(noted)
failing = task(takes_context=True)(failed)
