"""A Dask cluster as an executor."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeVar

from spikeloom.errors import SpikeloomError

CONNECT_SECONDS = 10
T = TypeVar("T")


@contextmanager
def dask_executor(address: str | None) -> Iterator[Executor | None]:
    """The executor of the cluster at this address; None for none.

    Raises SpikeloomError where `distributed` is not installed, or nobody answers.
    """
    if address is None:
        yield None
        return
    try:
        from distributed import Client
    except ImportError:
        raise SpikeloomError("--dask", "needs the package distributed",
                             remedy='pip install "spikeloom[dask]"') from None  # fmt: skip
    try:
        client = Client(address, timeout=CONNECT_SECONDS)
    except (OSError, ValueError) as error:
        reason = str(error) or type(error).__name__
        raise SpikeloomError(f"Dask cluster {address}", f"does not answer: {reason}") from None
    with client:
        yield DaskExecutor(client)


class DaskExecutor(Executor):
    """A Dask client as an executor.

    Dask's own one never finishes a future whose result is lost with its worker between the moment it is there and
    the moment it is fetched: here such a future ends with the error, and its work can be submitted again.
    """

    def __init__(self, client: Any) -> None:
        self._client = client

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        """Run a function on some worker. Equal calls are calls of their own."""
        given: Future[T] = Future()
        asked = self._client.submit(fn, *args, pure=False, **kwargs)
        asked.add_done_callback(partial(_pass_on, given))
        given.add_done_callback(
            lambda done: asked.cancel() if done.cancelled() else None
        )  # and keeps it alive
        return given


def _pass_on(given: Future[Any], asked: Any) -> None:
    """What became of Dask's future, in a thread of the client."""
    if not given.set_running_or_notify_cancel():
        return
    try:
        result = asked.result()
    except Exception as error:
        given.set_exception(error)
    else:
        given.set_result(result)
