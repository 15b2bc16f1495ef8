"""dscl and its like: who is here, and known to the system's own look-up."""

from pathlib import Path

from .core import End, is_root, recorded


def dscl(state, words):
    _, verb, *rest = words
    record = rest[0].split("/")
    table = state["users" if record[1] == "Users" else "groups"]
    if verb == "-list":
        for name, keys in sorted(table.items()):
            if rest[1] in keys:
                print(f"{name:<24}{keys[rest[1]]}")
        return
    if verb == "-read":
        if record[2] not in table:
            raise End(56, recorded("dscl-notfound.txt"))
        for key in rest[1:]:
            told = table[record[2]].get(key)
            native = "dsAttrTypeNative:" if key == "IsHidden" else ""
            if told is None:
                print(f"No such key: {key}")
            else:
                print(f"{native}{key}:\n {told}" if " " in told and key == "RealName" else f"{native}{key}: {told}")
        return
    if not is_root():
        raise End(40, "<main> attribute status: eDSPermissionError")
    if verb == "-create":
        table.setdefault(record[2], {})[rest[1]] = rest[2]
    elif rest[1:]:
        del table[record[2]][rest[1]]
    elif table.pop(record[2], None) is None:
        raise End(56, recorded("dscl-notfound.txt"))
    _known_to_the_system(state)


def _known_to_the_system(state):
    """Let the container's own getpwnam know what the directory says; a record that is not whole is no account."""
    for path, table in (("/etc/passwd", "users"), ("/etc/group", "groups")):
        mine = [line for line in Path(path).read_text().splitlines() if ":hostkit" not in f":{line}" or table == "none"]
        for name, keys in state[table].items():
            if name.startswith("hostkit") and {"UniqueID", "NFSHomeDirectory", "UserShell"} <= set(keys):
                mine.append(
                    f"{name}:x:{keys['UniqueID']}:{keys['PrimaryGroupID']}::{keys['NFSHomeDirectory']}:{keys['UserShell']}"
                )
            elif name.startswith("hostkit") and table == "groups" and "PrimaryGroupID" in keys:
                mine.append(f"{name}:x:{keys['PrimaryGroupID']}:")
        Path(path).write_text("\n".join(mine) + "\n")


def dsmemberutil(state, words):
    member = words[2] in state["groups"]["admin"]["GroupMembership"].split()
    print(f"user is {'' if member else 'not '}a member of the group")


def dseditgroup(state, words):
    members = state["groups"]["admin"]["GroupMembership"].split()
    members.remove(words[words.index("-d") + 1])
    state["groups"]["admin"]["GroupMembership"] = " ".join(members)
