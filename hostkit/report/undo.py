"""hostkit bootstrap --undo, in words: what it would do, what it did, and what it could not."""

import click

from hostkit import engine
from hostkit.bootstrap.disk import Disk
from hostkit.bootstrap.restore import go_back, way_back
from hostkit.bootstrap.scratch import alone
from hostkit.errors import Exit, HostkitError
from hostkit.host import Host
from hostkit.report.words import safe


def run_undo(host: Host, *, dry: bool) -> Exit:
    """Put back what bootstrap changed, from its own record; return 0 if all of it is back.

    Raise HostkitError while a sandbox runs: its launch stands on the fence.
    """
    if not host.is_root:
        raise HostkitError("undo changes this host", "run it as root: sudo hostkit bootstrap --undo")
    with alone():
        disk = Disk()
        way = way_back(host, disk)
        if way is None:
            click.echo("nothing to undo: no bootstrap of this host is on record")
            return Exit.STANDS
        if not dry:
            refuse_sandboxes(sandboxes(host))
        for act in way.acts if dry else ():
            click.echo(f"would    {act.says}")
        back = dry or go_back(host, disk, _told)
        for line in way.stays:
            click.echo(f"stays    {line}")
        return _ended(back=back, dry=dry)


def _told(became: str, says: str) -> None:
    click.echo(f"{became:<8} {safe(says)}")


def _ended(*, back: bool, dry: bool) -> Exit:
    if dry:
        click.echo("nothing was changed")
    elif back:
        click.echo("undone: this host is as bootstrap found it, but for what stays")
    else:
        click.echo("not all of it is back: mend what failed, then hostkit bootstrap --undo again; the record is kept")
    return Exit.STANDS if back else Exit.FOUND


def sandboxes(host: Host) -> tuple[str, ...]:
    """Return the clients whose sandboxes run here or come back at the next boot."""
    running = {engine.owner(one) for one in engine.containers()} if engine.exists() else set()
    units = host.glob("/etc/systemd/system/*.wants/hostkit-client@*.service")
    returning = {unit.rpartition("@")[2].removesuffix(".service") for unit in units}
    return tuple(sorted((running | returning) - {""}))


def refuse_sandboxes(clients: tuple[str, ...]) -> None:
    """Raise HostkitError if there are any."""
    if clients:
        name = clients[0]
        do = f"stop them first: hostkit stop {name}; systemctl disable hostkit-client@{name}"
        raise HostkitError(f"sandboxes stand behind the fence: {', '.join(clients)}", do)
