"""Build the images and disks of the machines, as `python -m tests.machines.build`, while the tests without one run."""

from tests.lookalikes import build
from tests.machines import disk, vagrant, vm


def main() -> None:
    """Build what is not there yet; a test that needs it meanwhile waits for it."""
    build.servers()
    build.clients()
    for suite in ("bookworm", "trixie"):
        with vm.machine(suite):
            pass
    disk.cache(vagrant.LAYERS)


if __name__ == "__main__":
    main()
