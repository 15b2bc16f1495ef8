"""The agent's only resolver: listed names get the gateway's own address, nothing is ever asked of anyone."""

import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset

from hostkit.gateway.decide import is_listed
from hostkit.gateway.names import BadName, canonical
from hostkit.gateway.rules import Rules

_EMPTY = {dns.rdatatype.AAAA, dns.rdatatype.HTTPS, dns.rdatatype.SVCB}


def answer(rules: Rules | None, query: bytes) -> tuple[bytes | None, str | None]:
    """Return (the reply, the name that was denied): no reply to what is no query, no name where it was listed.

    Listed: A is the gateway's address, AAAA and HTTPS are empty (so no ECH hides a name), other types refused.
    Not listed: NXDOMAIN with the AA flag, so that whoever asks can tell this resolver from any other.
    """
    try:
        asked = dns.message.from_wire(query, ignore_trailing=False)
    except (dns.exception.DNSException, ValueError):
        return None, None
    if asked.flags & dns.flags.QR or asked.opcode() != 0 or len(asked.question) != 1:
        return None, None
    question = asked.question[0]
    text = question.name.to_text(omit_final_dot=True)
    reply = dns.message.make_response(asked, recursion_available=True)
    try:
        name = canonical(text)
    except BadName:
        name = ""
    if question.rdclass != dns.rdataclass.IN or rules is None or not is_listed(rules, name):
        reply.flags |= dns.flags.AA
        reply.set_rcode(dns.rcode.NXDOMAIN)
        return reply.to_wire(), name or text
    _fill(reply, question, rules.address)
    return reply.to_wire(), None


def _fill(reply: dns.message.Message, question: dns.rrset.RRset, address: str) -> None:
    if question.rdtype == dns.rdatatype.A:
        reply.answer.append(dns.rrset.from_text(question.name, 5, "IN", "A", address))
    elif question.rdtype not in _EMPTY:
        reply.set_rcode(dns.rcode.REFUSED)
