"""Whose work it is, for the queue and the workspaces of a shared server: not who they are."""

import hashlib
import re
import secrets

import streamlit as st

from skill_factory.hosting import hosted
from skill_factory.whole_files import write_whole
from skill_factory.work.home import home

COOKIE = "sf_visitor"
"""Given by `serve.py` to each browser of a shared server: random letters, which say which workspaces are its own."""
_SALT = secrets.token_bytes(16)
"""New with each server, so that the letters mean nothing elsewhere."""


def key() -> str:
    """Letters that are the same for all of one visitor's pages: by their address, or their session where that isn't known."""
    return hashlib.blake2b(_address().encode(), key=_SALT, digest_size=8).hexdigest()


def mark() -> str:
    """Letters that stay the same over restarts, for what is kept on disk; empty at home, where everything is the owner's."""
    if not hosted():
        return ""
    told = _cookie() or _address()
    return hashlib.blake2b(told.encode(), key=_kept_salt(), digest_size=16).hexdigest()


def known() -> bool:
    """Whether `mark` is this visitor's alone; without a cookie it is that of everybody at the same address."""
    return not hosted() or bool(_cookie())


def _cookie() -> str:
    told = st.context.cookies.get(COOKIE, "")
    return told if isinstance(told, str) and re.fullmatch(r"[\w-]{20,60}", told) else ""


def _address() -> str:
    address = st.context.ip_address
    if not address or not isinstance(address, str):  # pages under test have no address that is a text
        address = str(st.session_state.setdefault("_visitor", secrets.token_hex(8)))
    return address


def _kept_salt() -> bytes:
    path = home() / "salt"
    if not path.exists():
        write_whole(path, secrets.token_hex(16))
    return path.read_text(encoding="utf-8").encode()[:64]
