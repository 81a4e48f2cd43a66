"""A Dask cluster as an executor."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager

from spikeloom.errors import SpikeloomError

CONNECT_SECONDS = 10


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
        yield client.get_executor()
