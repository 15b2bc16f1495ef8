from hostkit.host import Said
from hostkit.posture.checks import keychain as subject
from tests.conftest import make_policy
from tests.posture.checks.recorded import ACCOUNTS, erred, mac

P = make_policy()
SUDO = ("/usr/bin/sudo", "-n", "-u", "hostkit-agent")
LIST = (*SUDO, "/usr/bin/security", "list-keychains", "-d", "user")
HOME = ("/usr/bin/dscl", ".", "-read", "/Users/hostkit-agent", "NFSHomeDirectory")
OWN = '    "/Users/hostkit-agent/Library/Keychains/login.keychain-db"\n'
ANNS = "/Users/ann/Library/Keychains/login.keychain-db"
REFUSED = Said(1, err="sudo: unknown user hostkit-agent\n")


def listed(said=OWN, home="NFSHomeDirectory: /Users/hostkit-agent\n", **more):
    return mac({LIST: said, HOME: home}, **more)


def tried(said, *paths, **more):
    files = dict.fromkeys(paths or (ANNS, "/Users/hostkit-agent/Library/Keychains/login.keychain-db"), "")
    return mac({**ACCOUNTS, (*SUDO, "/bin/test", "-r", ANNS): said}, files, **more)


CASES = [
    (subject.the_agent_searches_its_own_keychain, listed(), P, "ok", "1 listed"),
    (
        subject.the_agent_searches_its_own_keychain,
        listed(OWN + '    "/Library/Keychains/System.keychain"\n'),
        P,
        "ok",
        "2 listed",
    ),
    (subject.the_agent_searches_its_own_keychain, listed(f'{OWN}    "{ANNS}"\n'), P, "fail", ANNS),
    (subject.the_agent_searches_its_own_keychain, listed(""), P, "unknown", "security said nothing"),
    (
        subject.the_agent_searches_its_own_keychain,
        listed(OWN.replace("login", "../../../ann/login")),
        P,
        "unknown",
        "nothing that is known",
    ),
    (subject.the_agent_searches_its_own_keychain, listed(REFUSED), P, "unknown", "unknown user"),
    (
        subject.the_agent_searches_its_own_keychain,
        listed(home=erred("dscl-notfound.txt", 56)),
        P,
        "unknown",
        "eDSRecord",
    ),
    (subject.the_agent_searches_its_own_keychain, listed(root=False), P, "unknown", "without root"),
    (subject.the_agent_reads_no_keychain_of_a_person, tried(Said(1)), P, "ok", "1 keychains, all closed"),
    (subject.the_agent_reads_no_keychain_of_a_person, tried(Said(0)), P, "fail", ANNS),
    (subject.the_agent_reads_no_keychain_of_a_person, tried(Said(1), "/x"), P, "ok", "no keychain in 3 homes"),
    (subject.the_agent_reads_no_keychain_of_a_person, tried(REFUSED), P, "unknown", "could not be tried"),
    (subject.the_agent_reads_no_keychain_of_a_person, tried(Said(2)), P, "unknown", "could not be tried"),
    (subject.the_agent_reads_no_keychain_of_a_person, tried(Said(1), root=False), P, "unknown", "without root"),
    (
        subject.the_agent_reads_no_keychain_of_a_person,
        tried(Said(1), *(f"/Users/ann/Library/Keychains/{n}.keychain-db" for n in range(41))),
        P,
        "unknown",
        "41 keychains",
    ),
]
