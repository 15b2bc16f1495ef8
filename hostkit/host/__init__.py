"""The machine hostkit stands on: what may be asked of it, and the only place that runs a command."""

from hostkit.host.attempts import Outcome, Try
from hostkit.host.capture import Captured, capture
from hostkit.host.local import PATIENT, LocalHost
from hostkit.host.model import (
    NO_SHELLS,
    SHARED_FILE_SYSTEMS,
    Clock,
    Entry,
    FileFacts,
    Host,
    Listener,
    Login,
    Process,
    Said,
    Space,
    accounts,
    apt_sources,
    globbed,
)
from hostkit.host.traffic import Connection
from hostkit.host.trees import Thing

__all__ = [
    "NO_SHELLS",
    "PATIENT",
    "SHARED_FILE_SYSTEMS",
    "Captured",
    "Clock",
    "Connection",
    "Entry",
    "FileFacts",
    "Host",
    "Listener",
    "LocalHost",
    "Login",
    "Outcome",
    "Process",
    "Said",
    "Space",
    "Thing",
    "Try",
    "accounts",
    "apt_sources",
    "capture",
    "globbed",
]
