from hostkit.posture.checks import power as subject
from tests.conftest import make_policy
from tests.posture.checks.recorded import mac, recorded

P = make_policy()
MINI = recorded("pmset-custom-mini.txt")
BOOK = "Battery Power:\n sleep                1\n autorestart          0\n" + MINI


def power(old="", new="", said=MINI):
    return mac({("/usr/bin/pmset", "-g", "custom"): said.replace(old, new) if old else said})


ASLEEP = "\n sleep                0"
CASES = [
    (subject.it_does_not_sleep, power(), P, "ok", "never sleeps"),
    (subject.it_does_not_sleep, power(said=BOOK), P, "ok", "never sleeps"),
    (subject.it_does_not_sleep, power(said=MINI + "Battery Power:\n sleep                1\n"), P, "ok", "never"),
    (subject.it_does_not_sleep, power(ASLEEP, ASLEEP + " (sleep prevented by sharingd, powerd)"), P, "ok", "never"),
    (subject.it_does_not_sleep, power(ASLEEP, "\n sleep                10"), P, "fail", "sleeps after 10 minutes"),
    (subject.it_does_not_sleep, power("standby              0", "standby              1"), P, "fail", "standby"),
    (subject.it_does_not_sleep, power(ASLEEP, ""), P, "unknown", "pmset does not say sleep"),
    (subject.it_does_not_sleep, power(ASLEEP, ASLEEP + ASLEEP), P, "unknown", "nothing that is known"),
    (subject.it_does_not_sleep, power(said=""), P, "unknown", "nothing that is known"),
    (subject.it_comes_back_after_a_power_cut, power(), P, "ok", "starts by itself"),
    (
        subject.it_comes_back_after_a_power_cut,
        power("autorestart          1", "autorestart          0"),
        P,
        "fail",
        "autorestart is off",
    ),
    (subject.it_comes_back_after_a_power_cut, power("AC Power", "Netzteil"), P, "unknown", "Netzteil"),
]
