"""socketfilterfw: the application firewall."""

from .core import End, is_root, recorded


def socketfilterfw(state, words):
    firewall = state["firewall"]
    for option, value in zip(words, [*words[1:], ""], strict=True):
        if option.startswith("--set") or option in {"--blockapp", "--unblockapp", "--add", "--remove"}:
            _set_firewall(state, option[2:], value)
        elif option == "--getglobalstate":
            texts = ("Firewall is disabled.", "Firewall is enabled.",
                     "Firewall is blocking all non-essential incoming connections.")  # fmt: skip
            print(f"{texts[firewall['globalstate']]} (State = {firewall['globalstate']})")
        elif option == "--getstealthmode":
            print(f"Firewall stealth mode is {firewall['stealthmode']}")
        elif option == "--getblockall":
            print(f"Firewall has block all state set to {firewall['blockall']}.")
        elif option == "--getallowsigned":
            print(f"Automatically allow built-in signed software {firewall['allowsigned']}. ")
            print(f"Automatically allow downloaded signed software {firewall['allowsignedapp']}. ")
        elif option == "--listapps":
            print(f"Total number of apps = {len(state['programs'])} \n")
            for number, (path, word) in enumerate(state["programs"].items(), 1):
                print(f"{number} : {path} \n             ({word} incoming connections)\n")


def _set_firewall(state, option, value):
    if not is_root():
        raise End(1, "Must be root to change settings.")
    if state["managed"]:
        print(recorded("alf-managed-refusal.txt"), end="")
    elif option == "setglobalstate":
        state["firewall"]["globalstate"] = 1 if value == "on" else 0
    elif option == "add":
        state["programs"].setdefault(value, "Allow")
    elif option == "remove":
        del state["programs"][value]
    elif option in {"blockapp", "unblockapp"}:
        state["programs"][value] = "Block" if option == "blockapp" else "Allow"
    elif option == "setstealthmode":
        state["firewall"]["stealthmode"] = value
    else:
        state["firewall"][option[3:]] = "ENABLED" if value == "on" else "DISABLED"
