"""Publishing in a real browser: signed in by a token or by a code, as a new data set, as a proposal, in place of another."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.studio import Studio, Visitor
from tests.browser.test_journeys import built
from tests.hub import Hub

pytestmark = pytest.mark.browser
SHARD = "sft_train/train-00000-of-00001.parquet"


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    """A fresh Hub; at the end nothing was asked of it that it doesn't know."""
    with Hub(tmp_path / "hub") as running:
        yield running
    assert not running.broken, running.broken[0]


@pytest.fixture
def variables(hub: Hub) -> dict[str, str]:
    """The environment of a studio that knows this Hub only."""
    return {n: v for n, v in hub.env().items() if n.startswith("HF_") and n != "HF_HOME"}


@pytest.fixture
def publisher(
    own_studio: Callable[..., Studio], visit: Callable[..., Visitor], variables: dict[str, str]
) -> Visitor:
    """A visitor with a finished build of the demo on Finish."""
    return with_build(visit(own_studio(**variables)))


def with_build(visitor: Visitor) -> Visitor:
    """From nothing to a finished build."""
    visitor.demo()
    visitor.go("Finish")
    built(visitor)
    visitor.page.get_by_role("tab", name="Publish").click()
    return visitor


def sign_in(visitor: Visitor, token: str = "hf_alice") -> None:
    """Paste a token."""
    field = visitor.page.get_by_role("textbox", name="Access token")
    field.fill(token)
    field.press("Enter")
    visitor.sees("Signed in as alice")


def call_it(visitor: Visitor, name: str) -> None:
    """Name the data set."""
    field = visitor.page.get_by_role("textbox", name="Name")
    field.fill(name)
    field.press("Enter")


def link(visitor: Visitor, words: str) -> Locator:
    """A link by its words."""
    return visitor.page.get_by_role("link", name=words)


def opened(visitor: Visitor, words: str) -> Page:
    """The page that a link opens beside the app."""
    with visitor.page.context.expect_page() as found:
        link(visitor, words).click()
    return found.value


def test_a_build_is_published_and_its_second_state_replaces_the_first(publisher: Visitor, hub: Hub) -> None:
    """See what will happen, publish; a changed build is refused until the name is typed, then replaces it."""
    sign_in(publisher)
    call_it(publisher, "my-traces")
    publisher.sees("alice/my-traces will be created (private)")
    publisher.press("Publish to alice/my-traces")
    publisher.sees("is published.")
    assert SHARD in hub.files("alice/my-traces")
    pictures = [path for path in hub.files("alice/my-traces") if path.startswith("pictures/")]
    assert len(pictures) == 4
    card = hub.read("alice/my-traces", "README.md").decode()
    assert all(f"{hub.url}/datasets/alice/my-traces/resolve/main/{path}" in card for path in pictures)
    assert hub.repo("alice/my-traces").private
    publisher.go("Choose")
    publisher.page.get_by_text("Right at once").first.click()
    publisher.still()
    publisher.go("Finish")
    built(publisher)
    publisher.page.get_by_role("tab", name="Publish").click()
    call_it(publisher, "my-traces")
    publisher.sees("already has data")
    publish = publisher.page.get_by_role("button", name="Publish to alice/my-traces")
    expect(publish).to_be_disabled()
    publisher.page.get_by_text("in place of what is there").click()
    agreed = publisher.page.get_by_role("textbox", name="To replace what is there")
    agreed.fill("alice/my-traces")
    agreed.press("Enter")
    expect(publish).to_be_enabled()
    publish.click()
    publisher.sees("is published.")


@pytest.mark.long
def test_a_code_confirmed_on_the_hub_s_own_page_signs_in(
    own_studio: Callable[..., Studio], visit: Callable[..., Visitor], variables: dict[str, str], hub: Hub
) -> None:
    """No token is typed: a code is shown, confirmed in another tab, and the app goes on by itself to publishing."""
    app = {"OAUTH_CLIENT_ID": "app", "OAUTH_CLIENT_SECRET": "app-secret", "OPENID_PROVIDER_URL": hub.url}
    visitor = with_build(visit(own_studio(**variables, **app)))
    visitor.press("Sign in with the Hub")
    visitor.sees("Waiting for you to confirm")
    (code,) = hub.devices
    visitor.sees(code)
    beside = opened(visitor, "Open the Hub's page")
    expect(beside.get_by_text(code)).to_be_visible()
    beside.get_by_role("button", name="Authorize as alice").click()
    expect(beside.get_by_text("You can close this page.")).to_be_visible()
    beside.close()
    visitor.sees("Signed in as alice")
    call_it(visitor, "by-code")
    visitor.press("Publish to alice/by-code")
    visitor.sees("is published.")
    assert SHARD in hub.files("alice/by-code")


@pytest.mark.long
def test_a_code_that_came_to_nothing_says_why_and_another_can_be_asked_for(
    own_studio: Callable[..., Studio], visit: Callable[..., Visitor], variables: dict[str, str], hub: Hub
) -> None:
    """Denied by the visitor, then refused by the Hub: a sentence and the button again; asked to slow down, it goes on."""
    app = {"OAUTH_CLIENT_ID": "app", "OPENID_PROVIDER_URL": hub.url}
    visitor = with_build(visit(own_studio(**variables, **app)))
    visitor.press("Sign in with the Hub")
    opened(visitor, "Open the Hub's page").get_by_role("button", name="Deny").click()
    visitor.sees("The sign-in wasn't confirmed")
    hub.devices.clear()
    hub.faults.add("oauth_token", status=400, body=b'{"error": "invalid_client"}')
    visitor.press("Sign in with the Hub")
    visitor.sees("The Hub refused the sign-in: invalid_client")
    hub.devices.clear()
    hub.faults.add("oauth_token", status=400, body=b'{"error": "slow_down"}')
    visitor.press("Sign in with the Hub")
    opened(visitor, "Open the Hub's page").get_by_role("button", name="Authorize as alice").click()
    visitor.sees("Signed in as alice")


@pytest.mark.long
def test_publishing_outlives_its_tab_and_its_server(
    own_studio: Callable[..., Studio], visit: Callable[..., Visitor], variables: dict[str, str], hub: Hub
) -> None:
    """Tab closed and server started anew on the way to the Hub: the link leads back, and it is published once."""
    studio = own_studio(**variables)
    first = with_build(visit(studio))
    sign_in(first)
    call_it(first, "my-traces")
    hub.faults.add("commit", delay=8.0)
    first.press("Publish to alice/my-traces")
    first.sees("Publishing to alice/my-traces")
    address = first.page.url.removeprefix(studio.url + "/")
    assert "hf_alice" not in address
    first.page.close()
    studio.stop()
    studio.start()
    later = visit(studio)
    later.open(address, "Finish")
    later.sees("Publishing to alice/my-traces")
    later.sees("is published.")
    expect(later.page.get_by_role("textbox", name="Access token")).to_have_count(0)
    assert hub.count("commit") == 1
    kept = [one for one in studio.home.parent.rglob("*") if one.is_file()]
    assert not [one for one in kept if b"hf_alice" in one.read_bytes()]


def test_a_proposal_leaves_the_data_set_as_it_is(publisher: Visitor, hub: Hub) -> None:
    """Refused once, it is proposed as a pull request that the page links to; main is as it was, its ref has the files."""
    before = hub.seed_dataset("alice/theirs", {"data/train-0.parquet": pa.table({"text": ["theirs"]})})
    sign_in(publisher)
    call_it(publisher, "theirs")
    publisher.sees("already has data")
    publisher.page.get_by_text("as a pull request").click()
    publisher.sees("will be proposed as a pull request")
    hub.faults.add("commit", status=403)
    publisher.press("Propose to alice/theirs")
    publisher.sees("This token isn't allowed to do that")
    publisher.press("Propose to alice/theirs")  # what was chosen is still chosen
    publisher.sees("is open. Commit")
    expect(link(publisher, "Open the pull request")).to_have_attribute(
        "href", f"{hub.url}/datasets/alice/theirs/discussions/1"
    )
    expect(publisher.page.get_by_text('revision="refs/pr/1"')).to_be_visible()
    assert hub.repo("alice/theirs").head.oid == before
    assert SHARD in hub.files("alice/theirs", "refs/pr/1")
    assert SHARD not in hub.files("alice/theirs")
    publisher.press("Publish again")
    publisher.sees("Choose one of these, or another name.")
    expect(publisher.page.get_by_role("radio", checked=True)).to_have_count(0)
    expect(publisher.page.get_by_role("button", name="Publish to alice/theirs")).to_be_disabled()
