"""Personal credentials of people, where the agent's account could read them."""

from hostkit.errors import CannotTell
from hostkit.host import Host, accounts
from hostkit.policy import Policy
from hostkit.posture.model import Verdict, check, every

PERSONAL = (
    *(".ssh/id_*", ".aws/credentials", ".config/gcloud/*.db", ".config/gcloud/application_default_credentials.json"),
    *(".azure/msal_token_cache.json", ".netrc", ".pgpass", ".dbt/profiles.yml", ".snowsql/config", ".databrickscfg"),
    *(".git-credentials", ".config/gh/hosts.yml", ".npmrc", ".pypirc", ".docker/config.json", ".kube/config"),
)


def _homes(host: Host) -> list[tuple[str, int]]:
    """Return the homes of root, of people, and of accounts made for agents."""
    entries = [(line[5], int(line[2])) for line in accounts(host) if line[2].isdigit()]
    return [(home, uid) for home, uid in entries if home.startswith(("/home/", "/root", "/srv/", "/var/lib/hostkit"))]


def _reachable(host: Host, path: str, home: str, agent: int | None) -> bool:
    facts, folder = host.stat(path), host.stat(home)
    if facts is None or folder is None:
        return False
    return facts.uid == agent or bool(facts.mode & 0o004 and folder.mode & 0o001)


@check(
    "credentials-personal",
    severity="high",
    unhardened="ok fail",
    why="With a person's own key the agent acts as that person, everywhere that person may.",
    fix="Remove the file from this machine, or close it: chmod 600 the file, chmod 700 the home.",
)
def no_personal_credential_is_in_reach(host: Host, policy: Policy) -> Verdict:
    """No personal credential lies where the agent's account could read it."""
    if not host.is_root:
        raise CannotTell("homes of others cannot be read without root", "sudo hostkit check")
    agent = next((int(line[2]) for line in accounts(host) if line[0] == policy.host.account), None)
    found = [(path, home) for home, _ in _homes(host) for form in PERSONAL for path in host.glob(f"{home}/{form}")]
    faults = [path for path, home in found if not path.endswith(".pub") and _reachable(host, path, home, agent)]
    return every(sorted(set(faults)), "none in reach")
