"""DSSE, Ed25519: bytes in an envelope that cannot be altered. Not a byte of the file is outside what is checked.

The signature covers the payload and its type; all else has one spelling only, so that an envelope that says the same in
other bytes (a key twice, another order, something behind it) is refused.
"""

import base64
import binascii
import hashlib
import json
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from hostkit.errors import Exit, HostkitError

PAYLOAD_TYPE = "application/vnd.in-toto+json"
LONGEST = 1024 * 1024
_DO = "ask for the file anew: this is not as hostkit wrote it"


class NotGenuine(HostkitError):  # noqa: N818 - it is a finding, not a mistake
    """What was not signed with that key, or was altered since."""

    code = Exit.FOUND


def sealed(payload: bytes, key: Ed25519PrivateKey) -> bytes:
    """Return the payload in a signed envelope."""
    return _spelled(payload, key_id(key.public_key()), key.sign(_authenticated(payload)))


def opened(envelope: bytes, key: Ed25519PublicKey) -> bytes:
    """Return the payload; raise HostkitError if this is no such envelope, NotGenuine if that key did not sign it."""
    plain = plain_json(envelope, "the proof")
    payload, name, signature = _parts(plain)
    try:
        key.verify(signature, _authenticated(payload))
    except InvalidSignature:
        raise NotGenuine("the signature is not that key's over these words", "trust nothing that it says") from None
    if envelope != _spelled(payload, name, signature) or name != key_id(key):
        raise HostkitError("the proof is spelled in another way than hostkit spells it", _DO)
    return payload


def key_id(key: Ed25519PublicKey) -> str:
    """Return the SHA-256 of a public key, as `openssl pkey -pubin -outform DER | sha256sum` gives it."""
    return hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def spelled(plain: Any) -> bytes:
    """Return JSON in the one spelling that is signed."""
    return json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False).encode()


def plain_json(text: bytes, what: str) -> Any:
    """Return what a JSON text says; raise HostkitError if it could be read in two ways, or not at all."""
    if len(text) > LONGEST:
        raise HostkitError(f"{what} is over 1 MiB", "no proof of hostkit's is; is this the right file?")
    try:
        return json.loads(text.decode("utf-8"), object_pairs_hook=_each_once, parse_constant=_no_number)
    except UnicodeDecodeError:
        raise HostkitError(f"{what} is not UTF-8 text", _DO) from None
    except json.JSONDecodeError as why:
        if why.msg == "Extra data":
            raise HostkitError(f"{what} has something behind it, at character {why.pos}", _DO) from None
        raise HostkitError(f"{what} is not JSON: {why.msg} at character {why.pos}", _DO) from None
    except (ValueError, RecursionError) as why:
        raise HostkitError(f"{what} is not JSON that has one meaning: {why}", _DO) from None


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = [name for name, _ in pairs]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ValueError(f"it has {twice[:40]!a} twice")
    return dict(pairs)


def _no_number(word: str) -> Any:
    raise ValueError(f"{word} is no number")


def _parts(plain: Any) -> tuple[bytes, str, bytes]:
    if not isinstance(plain, dict) or set(plain) != {"payload", "payloadType", "signatures"}:
        raise HostkitError("the proof is no DSSE envelope: payload, payloadType and signatures, and nothing else", _DO)
    if plain["payloadType"] != PAYLOAD_TYPE:
        shown = f"{plain['payloadType']!a}"[:80]
        raise HostkitError(f"the payload's type is {shown}, not {PAYLOAD_TYPE}", "that is no proof of hostkit's")
    match plain["signatures"]:
        case [{"keyid": str(name), "sig": str(signature), **more}] if not more:
            return _bytes(plain["payload"]), name, _bytes(signature)
    raise HostkitError("the proof has not just one signature with its keyid", _DO)


def _bytes(text: Any) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, TypeError, ValueError):
        raise HostkitError("the proof holds something that is not base64", _DO) from None


def _authenticated(payload: bytes) -> bytes:
    """Return what is signed: DSSE's pre-authentication encoding."""
    return b"DSSEv1 %d %s %d %s" % (len(PAYLOAD_TYPE), PAYLOAD_TYPE.encode(), len(payload), payload)


def _spelled(payload: bytes, name: str, signature: bytes) -> bytes:
    signed = {"keyid": name, "sig": base64.b64encode(signature).decode()}
    encoded = base64.b64encode(payload).decode()
    return spelled({"payload": encoded, "payloadType": PAYLOAD_TYPE, "signatures": [signed]}) + b"\n"
