"""Which addresses may be reached."""

import socket

import pytest

from ostro.http.egress import EgressDenied, EgressPolicy


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.9.1", "::1", "0.0.0.0", "::", "::ffff:127.0.0.1"])
def test_this_machine_is_reached_only_if_loopback_is_allowed(address):
    assert not EgressPolicy().is_allowed(address)
    assert EgressPolicy(allow_loopback=True).is_allowed(address)


@pytest.mark.parametrize(
    "address",
    [
        "169.254.169.254",
        "fe80::1%eth0",
        "fd00:ec2::254",
        "100.100.100.200",
        "168.63.129.16",
        "::ffff:169.254.169.254",
        "64:ff9b::a9fe:a9fe",  # NAT64
        "2002:a9fe:a9fe::1",  # 6to4
        "nonsense",
    ],
)
def test_metadata_and_link_local_are_never_reached_by_default(address):
    assert not EgressPolicy(allow_loopback=True).is_allowed(address)


@pytest.mark.parametrize("address", ["10.0.0.1", "192.168.1.1", "8.8.8.8", "2001:4860:4860::8888"])
def test_everything_else_is(address):
    assert EgressPolicy().is_allowed(address)


def test_denied_networks_are_denied_and_allowed_ones_win():
    policy = EgressPolicy(denied=["10.0.0.0/8"], allowed=["10.1.0.0/16", "169.254.169.254", "127.0.0.1"])
    assert not policy.is_allowed("10.2.0.1")
    assert not policy.is_allowed("::ffff:10.2.0.1")
    assert policy.is_allowed("10.1.0.1")
    assert policy.is_allowed("169.254.169.254")
    assert policy.is_allowed("127.0.0.1")
    assert not policy.is_allowed("127.0.0.2")


def test_hosts_can_be_listed():
    policy = EgressPolicy(allowed_hosts=["api.example.com", "*.internal"])
    policy.check_host("API.example.com.")
    policy.check_host("a.internal")
    with pytest.raises(EgressDenied, match=r"URL host 'example\.com' is not in the list of allowed hosts"):
        policy.check_host("example.com")


def test_a_text_that_is_no_network_is_refused():
    with pytest.raises(ValueError, match="300"):
        EgressPolicy(denied=["300.0.0.0/8"])


async def test_a_name_is_judged_by_what_it_resolves_to():
    with pytest.raises(EgressDenied, match="URL host 'localhost' resolves to a blocked address"):
        await EgressPolicy().open_socket("localhost", 1)


async def test_forms_that_only_the_system_understands_do_not_pass():
    with pytest.raises(EgressDenied):
        await EgressPolicy().open_socket("0x7f.1", 1)


async def test_an_allowed_address_is_connected():
    with socket.create_server(("127.0.0.1", 0)) as server:
        sock = await EgressPolicy(allow_loopback=True).open_socket("127.0.0.1", server.getsockname()[1])
        assert sock.getpeername() == server.getsockname()
        sock.close()


def test_the_last_gate_refuses_the_address_itself():
    with pytest.raises(EgressDenied):
        EgressPolicy().guarded_socket((socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", 80)))
