"""pfctl: rules are read and shown as it does, and kept; nothing is filtered."""

import re
import sys
from pathlib import Path

from .bare import BARE
from .core import End, is_root, recorded


def pfctl(state, words):
    noise = recorded("pf-altq-noise.stderr")
    if "-n" in words:
        shown(Path(words[-1]).read_text())
        raise End(0, recorded("pf-load-noise.stderr"))
    if not is_root():
        raise End(1, recorded("pf-noroot.stderr"))
    pf = state["pf"]
    words = [word for word in words if word != "-q"]
    match words:
        case ["-s", "info"]:
            print(recorded("pf-info-enabled.txt" if pf["enabled"] else "pf-info-disabled.txt"), end="")
        case ["-sr"]:
            print(*pf["main"], sep="\n")
            print(noise, end="", file=sys.stderr)
        case ["-v", "-s", "Anchors"]:
            print(*(f"  {name}" for name in ["com.apple", *sorted(pf["anchors"])]), sep="\n")
        case ["-s", "References"]:
            _references(pf)
        case ["-a", name, "-sr"]:
            if name not in pf["anchors"]:
                raise End(1, "pfctl: DIOCGETRULES: Invalid argument")
            print(*pf["anchors"][name], sep="\n")
        case ["-a", name, "-f", path]:
            pf["anchors"][name] = shown(Path(path).read_text())
        case ["-a", name, "-F", "rules"]:
            pf["anchors"].pop(name, None)
        case ["-E"]:
            pf["enabled"] = True
            pf["tokens"].append(token := str(15053025338191571182 + len(pf["tokens"])))
            raise End(0, recorded("pf-enable-E.stderr").replace("11012949885072952621", token))
        case ["-X", token]:
            _released(pf, token)
        case ["-d"]:
            pf.update(enabled=False, tokens=[])
            raise End(0, "pf disabled")
        case ["-F", "all"]:
            pf["main"] = []
            raise End(0, recorded("pf-F-all.stderr"))
        case ["-f", "/etc/pf.conf"]:
            pf["main"] = list(BARE["pf"]["main"])
        case _:
            raise End(1, f"usage: pfctl: {words}")


def _references(pf):
    if not pf["tokens"]:
        print(recorded("pf-references-none.txt"), end="")
        return
    head, names, row = recorded("pf-references-one.txt").splitlines()
    print(head, names, *(row.replace("15053025338191571182", token) for token in pf["tokens"]), sep="\n")


def _released(pf, token):
    if token not in pf["tokens"]:
        raise End(1, recorded("pf-X-stale-enabled.stderr" if pf["enabled"] else "pf-X-stale-disabled.stderr"))
    pf["tokens"].remove(token)
    pf["enabled"] = bool(pf["tokens"])
    raise End(0, recorded("pf-X-remaining.stderr" if pf["tokens"] else "pf-X-last.stderr"))


def shown(text):
    """Return the rules as pfctl shows them, macros and lists written out; end as it does for what it cannot read."""
    macros = dict(re.findall(r'^(\w+) = "([^"]*)"$', text, re.MULTILINE))
    rules = []
    for number, line in enumerate(text.splitlines(), 1):
        rule = re.sub(r"\$(\w+)", lambda name: macros[name[1]], line.partition("#")[0].strip())
        if not rule or re.match(r"\w+ = ", rule):
            continue
        if not re.match(r"(pass|block)\b", rule):
            raise End(1, recorded("pf-syntax-error.stderr").replace("stdin:1", f"stdin:{number}"))
        rules += [_printed(one) for one in _each(rule)]
    return rules


def _each(rule):
    found = re.search(r"\{ ([^}]*) \}", rule)
    if not found:
        return [rule]
    return [
        one
        for word in re.split(r",? +|,", found[1])
        for one in _each(rule[: found.start()] + word + rule[found.end() :])
    ]


def _printed(rule):
    rule = re.sub(r"\b(port|user) (?==)?(\d+)", r"\1 = \2", rule)
    rule = rule.replace("port = 22 ", "port = ssh ").replace("port = 53 ", "port = domain ")
    rule = re.sub(r"from any to any(?! port)", "all", rule)
    if address := re.search(r"\b(?:from|to) (?!any\b|self\b)(\S+)", rule):
        family = "inet6" if ":" in address[1] else "inet"
        if " inet" not in rule:
            rule = re.sub(r" (?=proto |from )", f" {family} ", rule, count=1)
    if rule.startswith("pass") and "flags" not in rule and "no state" not in rule:
        rule = rule.replace("keep state", "flags S/SA keep state")
    return re.sub(r"^block (?!drop|return)", "block drop ", rule)
