"""A service's name asked for in plain HTTP: nothing of it is opened there, so nothing of it leaves."""

import asyncio

import pytest

from tests.gateway.inspect.lab import HELD, Lab, refused, run, whole


@pytest.mark.parametrize("door", ["proxy", "http"])
def test_a_services_name_in_plain_http_is_refused_on_record_and_nobody_is_dialled(tmp_path, door):
    async def scene():
        async with Lab(tmp_path) as lab:
            host = f"api.example:{lab.port}"
            target = f"http://{host}/v1/x" if door == "proxy" else "/v1/x"
            reader, writer = await asyncio.open_connection("127.0.0.1", getattr(lab, door))
            writer.write(f"GET {target} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {HELD}\r\n\r\n".encode())
            assert refused(await whole(reader)) == (403, "plain-http")
            writer.close()
            assert (lab.denied(), lab.dialled, lab.got) == (["plain-http"], 0, [])

    run(scene())
