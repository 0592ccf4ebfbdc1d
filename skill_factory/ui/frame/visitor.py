"""Whose work it is, for the queue of a shared server: not who they are."""

import hashlib
import secrets

import streamlit as st

_SALT = secrets.token_bytes(16)
"""New with each server, so that the letters mean nothing elsewhere."""


def key() -> str:
    """Letters that are the same for all of one visitor's pages: by their address, or their session where that isn't known."""
    address = st.context.ip_address
    if not address or not isinstance(address, str):  # pages under test have no address that is a text
        address = str(st.session_state.setdefault("_visitor", secrets.token_hex(8)))
    return hashlib.blake2b(address.encode(), key=_SALT, digest_size=8).hexdigest()
