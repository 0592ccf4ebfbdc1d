"""Signing in by a code that the visitor confirms elsewhere: no cookie, no redirect, no token left lying about."""

import subprocess
import sys
from pathlib import Path

import pytest

from skill_factory.errors import HubError
from skill_factory.hosting import GIVEN_TOKEN, visitor_environment
from skill_factory.hub.client import stored_token, whoami
from skill_factory.hub.signin import OAuthApp, SignIn, app_from, ask_code, poll, scopes
from tests.hub import Hub

pytest_plugins = ["tests.hub_fixtures"]


def app(hub: Hub) -> OAuthApp:
    return OAuthApp("client", hub.url, "app-secret")


def test_a_confirmed_code_becomes_a_token_of_that_user(hub: Hub) -> None:
    """Waiting until it is confirmed; then the token is the visitor's, with the seconds it lasts."""
    code = ask_code(app(hub))
    assert poll(app(hub), code).state is SignIn.WAITING
    token = hub.approve(code.user_code, "alice")
    done = poll(app(hub), code)
    assert (done.state, done.token, done.expires_in) == (SignIn.DONE, token, 28800)
    assert whoami(done.token, hub.url).name == "alice"


def test_the_visitor_gets_a_link_with_the_code_in_it(hub: Hub) -> None:
    """One click, no typing; the secret half of the code is not in the link."""
    code = ask_code(app(hub))
    assert code.user_code in code.page and code.device_code not in code.page


def test_only_the_least_is_asked_for(hub: Hub) -> None:
    """Publishing needs to create and fill its own repositories; more is asked for when it is wanted."""
    ask_code(app(hub))
    (device,) = hub.devices.values()
    assert device["scope"] == "openid profile contribute-repos" == " ".join(scopes())
    assert scopes(private_sources=True, jobs=True)[3:] == ("read-repos", "gated-repos", "jobs")


def test_a_refused_and_an_outdated_code_say_so(hub: Hub) -> None:
    """Denied by the visitor; used up or too old."""
    code = ask_code(app(hub))
    hub.deny(code.user_code)
    assert poll(app(hub), code).state is SignIn.DENIED
    hub.devices.clear()
    assert poll(app(hub), code).state is SignIn.EXPIRED


@pytest.mark.parametrize(
    ("status", "body", "state"),
    [
        (503, b"", SignIn.WAITING),
        (200, b"<html>", SignIn.WAITING),
        (400, b'{"error": "slow_down"}', SignIn.SLOWER),
    ],
)
def test_a_hiccup_while_polling_is_not_the_end(hub: Hub, status: int, body: bytes, state: SignIn) -> None:
    """A failing server or a proxy's page is not yet; being asked to slow down is told."""
    code = ask_code(app(hub))
    hub.faults.add("oauth_token", status=status, body=body)
    assert poll(app(hub), code).state is state


def test_a_wrong_app_is_an_error(hub: Hub) -> None:
    """What can't become a sign-in ends with a sentence that names the other way."""
    code = ask_code(app(hub))
    hub.faults.add("oauth_token", status=400, body=b'{"error": "invalid_client"}')
    with pytest.raises(HubError, match=r"invalid_client\. Paste a token"):
        poll(app(hub), code)
    hub.faults.add("oauth_device", status=200, body=b"{}")
    with pytest.raises(HubError, match="Paste a token"):
        ask_code(app(hub))


def test_no_secret_is_shown_in_a_repr(hub: Hub) -> None:
    """Objects end up in logs and tracebacks; tokens and secrets must not."""
    code = ask_code(app(hub))
    token = hub.approve(code.user_code, "alice")
    shown = repr([app(hub), code, poll(app(hub), code)])
    assert not [secret for secret in (token, "app-secret", code.device_code) if secret in shown]


def test_the_app_of_a_space_comes_from_its_environment() -> None:
    """All of it or none; the provider without a slash at its end."""
    environ = {
        "OAUTH_CLIENT_ID": "id",
        "OAUTH_CLIENT_SECRET": "s",
        "OPENID_PROVIDER_URL": "https://hub.example/",
    }
    assert app_from(environ) == OAuthApp("id", "https://hub.example", "s")
    assert app_from({"OAUTH_CLIENT_ID": "id"}) is None


@pytest.fixture
def owners_machine(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A machine whose owner is logged in."""
    for name in ("SPACE_ID", "SKILL_FACTORY_HOSTED", GIVEN_TOKEN):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_TOKEN", "owners")
    return monkeypatch


@pytest.mark.parametrize("name", ["SPACE_ID", "SKILL_FACTORY_HOSTED"])
def test_a_hosted_instance_has_no_token_of_its_own(owners_machine: pytest.MonkeyPatch, name: str) -> None:
    """The owner's token must never act for visitors; at home it is there for the asking."""
    assert stored_token() == "owners"
    owners_machine.setenv(name, "1")
    assert stored_token() is None
    owners_machine.setenv(GIVEN_TOKEN, "visitors")
    assert stored_token() == "visitors"
    owners_machine.delenv(name)
    owners_machine.setenv(GIVEN_TOKEN, "")
    assert stored_token() is None


def test_a_visitors_process_gets_their_token_and_no_other(owners_machine: pytest.MonkeyPatch) -> None:
    """Nothing that logs the owner in is inherited, nor another visitor's token, and the library guesses none."""
    owners_machine.setenv(GIVEN_TOKEN, "another's")
    owners_machine.setenv("HF_TOKEN_PATH", "/owners/token")
    mine, nobodys = visitor_environment("mine"), visitor_environment("")
    assert (mine[GIVEN_TOKEN], nobodys[GIVEN_TOKEN]) == ("mine", "")
    assert not {"owners", "another's", "/owners/token"} & ({*mine.values()} | {*nobodys.values()})
    assert mine["HF_HUB_DISABLE_IMPLICIT_TOKEN"] == "1"


def test_a_visitors_process_finds_no_login_stored_on_this_machine(
    owners_machine: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A login that lies in a file is not the visitor's either: the library of the Hub, asked for a header, sends none."""
    (tmp_path / "token").write_text("hf_owners", encoding="utf-8")
    owners_machine.setenv("HF_HOME", str(tmp_path))
    owners_machine.setenv("HF_TOKEN_PATH", str(tmp_path / "token"))
    owners_machine.delenv("HF_TOKEN")
    code = "from huggingface_hub.utils import build_hf_headers as b; print(b().get('authorization', 'none'))"
    words = [sys.executable, "-c", code]
    heard = subprocess.run(words, env=visitor_environment(""), capture_output=True, text=True, check=True)
    assert heard.stdout.strip() == "none"
