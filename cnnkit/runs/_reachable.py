"""Whether the server of the record can be reached, found out in seconds and not in a minute."""

from __future__ import annotations

import re
import socket
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from cnnkit.errors import StorageError

CONNECT_SECONDS = 5.0
PORTS = {"http": 80, "https": 443, "postgresql": 5432, "mysql": 3306, "mssql": 1433}


def check_reachable(uri: str) -> None:
    """Open a connection to the server of a tracking URI, and close it.

    MLflow repeats its first request for a minute or more before it says that nobody answers.
    Behind a proxy, or through a socket without a port, only MLflow can try.

    Raises:
        StorageError: nobody answers there.
    """
    address = urlsplit(uri)
    scheme = address.scheme.partition("+")[0]
    host, port = address.hostname, address.port or PORTS.get(scheme)
    if scheme not in PORTS or not host or port is None or _through_proxy(scheme, host):
        return
    try:
        socket.create_connection((host, port), CONNECT_SECONDS).close()
    except OSError as error:
        reason = error.strerror or str(error)
        raise StorageError(
            f"The record of runs at {without_password(uri)} does not answer ({reason}). "
            "Start its server, or change MLFLOW_TRACKING_URI."
        ) from error


def without_password(uri: str) -> str:
    """A tracking URI without the password in it."""
    return re.sub(r"//([^:/@]+):[^@/]*@", r"//\1:***@", uri)


def _through_proxy(scheme: str, host: str) -> bool:
    return scheme in getproxies() and not proxy_bypass(host)
