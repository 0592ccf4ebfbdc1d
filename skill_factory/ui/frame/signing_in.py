"""Signing in: the visitor's own account on the Hub, for this session only."""

import time
from dataclasses import dataclass

import streamlit as st

from skill_factory.errors import HubError
from skill_factory.hub.client import Account, stored_token, whoami
from skill_factory.hub.signin import DeviceCode, Poll, SignIn, app_from, ask_code, poll, scopes
from skill_factory.ui.frame import shell, workspace

SLOWER_BY = 5.0
"""Seconds that the Hub's "slow down" asks for (RFC 8628)."""


@dataclass
class Waiting:
    """A code that is shown, when it expires, and the seconds between two checks whether it is confirmed."""

    code: DeviceCode
    ends: float
    every: float


def account() -> Account | None:
    """The account that is signed in; a token that the Hub refuses is forgotten, and the page says so."""
    mine = workspace.current()
    if not mine.token:
        return None
    known = st.session_state.get("account")
    if known is None:
        try:
            known = st.session_state["account"] = whoami(mine.token)
        except HubError as error:
            sign_out()
            st.warning(shell.plain(str(error)), icon=":material/person_off:")
            return None
        mine.user = known.name
    return known


def sign_out() -> None:
    """Forget the token and everything that was read with it."""
    mine = workspace.current()
    mine.token, mine.user = "", ""
    for name in ("account", "signin.waiting", "signin.token"):
        st.session_state.pop(name, None)


def signed_in() -> Account | None:
    """The account with a way to sign out, or the ways to sign in; None if nothing can be written with it."""
    signed = account()
    if signed is None:
        ways_in()
        return None
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f":material/person: Signed in as **{shell.plain(signed.name)}**")
        st.button("Sign out", on_click=sign_out, type="tertiary", key="signin.out")
    if not signed.can_write:
        st.warning("This token can only read. Paste one that can write.", icon=":material/edit_off:")
        return None
    return signed


def ways_in() -> None:
    """By a code on the Hub's own page, with this computer's login, or with a pasted token."""
    st.markdown("You need a Hugging Face account. Your token stays in this session and is never stored.")
    by_code = app_from() is not None
    if by_code:
        _by_code()
    if stored_token():
        st.button(
            "Use this computer's login",
            on_click=_take_stored,
            key="signin.stored",
            icon=":material/computer:",
        )
    st.text_input(
        "Or an access token" if by_code else "Access token",
        type="password",
        key="signin.token",
        on_change=_take_pasted,
        autocomplete="off",
        width=420,
        placeholder="hf_…",
        help="It works like a password. To publish, it needs write access to your repositories.",
    )
    st.caption("Paste it and press Enter. You can create one on the Hub under Settings → Access Tokens.")
    if refusal := st.session_state.pop("signin.refused", ""):
        st.warning(shell.plain(refusal), icon=":material/person_off:")


def _take_stored() -> None:
    _take(stored_token() or "")


def _take_pasted() -> None:
    _take(
        st.session_state.get("signin.token", "").strip()
    )  # the browser may still report a field after its page was left


def _take(token: str) -> None:
    if not token:
        return
    try:
        st.session_state["account"] = whoami(token)
    except HubError as error:
        st.session_state["signin.refused"] = str(error)
        return
    mine = workspace.current()
    mine.token, mine.user = token, st.session_state["account"].name


def _by_code() -> None:
    waiting: Waiting | None = st.session_state.get("signin.waiting")
    if waiting is None or time.time() > waiting.ends:
        st.button(
            "Sign in with the Hub", on_click=_ask, key="signin.hub", icon=":material/login:", type="primary"
        )
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.link_button(
            "Open the Hub's page", waiting.code.page, icon=":material/open_in_new:", type="primary"
        )
        st.markdown(
            f"and confirm there that the code is **{shell.plain(waiting.code.user_code)}**.", width="content"
        )
    st.fragment(_look, run_every=waiting.every)(waiting)


def _ask() -> None:
    app = app_from()
    if app is None:
        return
    try:
        code = ask_code(app, scopes(private_sources=True, other_repositories=True))
    except HubError as error:
        st.session_state["signin.refused"] = str(error)
        return
    st.session_state["signin.waiting"] = Waiting(
        code, time.time() + code.expires_in, float(max(1, code.interval))
    )


def _look(waiting: Waiting) -> None:
    """Check whether the code has been confirmed."""
    app = app_from()
    try:
        answer = poll(app, waiting.code) if app else Poll(SignIn.EXPIRED)
    except HubError as error:
        _ended(str(error))
        return
    if answer.state is SignIn.DONE:
        _take(answer.token)
        _ended()
    elif answer.state in (SignIn.DENIED, SignIn.EXPIRED):
        _ended("The sign-in wasn't confirmed. Try again, or paste a token.")
    elif answer.state is SignIn.SLOWER:
        waiting.every += SLOWER_BY
        st.rerun()
    st.caption("Waiting for you to confirm …")


def _ended(refused: str = "") -> None:
    st.session_state.pop("signin.waiting", None)
    if refused:
        st.session_state["signin.refused"] = refused
    st.rerun()
