"""What a visitor chooses before a model is asked: where it is, its name, its price, how much of it. Kept across pages."""

from typing import Any

import streamlit as st

from skill_factory.errors import EndpointError
from skill_factory.hub.client import stored_token
from skill_factory.recipe.variants import PAPER_VARIANTS
from skill_factory.ui.data import mapping
from skill_factory.ui.frame import workspace
from skill_factory.work.making_asked import Asked, What, Where

PLACES = {Where.ADDRESS: "Its address", Where.PROVIDER: "The Hub's providers", Where.FILES: "By files"}
ABOUT = {
    Where.ADDRESS: "Any server with an OpenAI-compatible API: vLLM, SGLang, llama.cpp, Ollama, a gateway.",
    Where.PROVIDER: "Hugging Face Inference Providers: models that run elsewhere, billed to your Hub account.",
    Where.FILES: "No connection: you download a file of requests, run it where the model is, and upload the answers.",
}
_DRAFT, _FIRST, _SECRET = "_making_draft", "_making_first", "_making_key"


def settings(what: What, base: dict[str, Any], before: Asked | None, running: bool) -> Asked:
    """The form; it starts from what was asked before."""
    draft: dict[str, Any] = st.session_state.setdefault(_DRAFT, {})
    if not draft and before is not None:
        draft |= {name: getattr(before, name) for name in Asked.__dataclass_fields__}
    form = _Form(draft, running)
    columns = base["columns"]
    if what is What.RESPONSES and base["source"] == workspace.current().source:
        with st.expander("Columns", icon=":material/view_column:", expanded="question" not in columns):
            mapping.pickers(("question", "answer"))
        columns = {name: workspace.value(f"columns.{name}") for name in ("question", "answer")}
        columns = {name: found for name, found in columns.items() if found}
    where = form.place()
    chosen: dict[str, Any] = {"where": where} | form.model(where) | form.amount(what, where)
    return Asked(
        what, base["source"], base["label"], columns, base["part"], **chosen, **form.more(what, where)
    )


class _Form:
    """Widgets that remember their values in the session, also while another page is shown."""

    def __init__(self, draft: dict[str, Any], running: bool) -> None:
        self._draft, self._off = draft, running

    def _options(self, name: str) -> dict[str, Any]:
        return {"key": f"making.{name}", "disabled": self._off}

    def _first(self, name: str, usual: Any = None) -> Any:
        """The default of a widget: what the draft held when it appeared, since a changed default makes another widget."""
        return first(f"making.{name}", self._value(name) if usual is None else usual)

    def _value(self, name: str) -> Any:
        return self._draft.get(name, Asked.__dataclass_fields__[name].default)

    def _keep(self, name: str, value: Any) -> Any:
        self._draft[name] = value
        return value

    def place(self) -> Where:
        """Where the model is."""
        options = list(PLACES)
        found = st.segmented_control(
            "Where is the model?",
            options,
            format_func=PLACES.__getitem__,
            required=True,
            default=self._first("where"),
            **self._options("where"),
        )
        st.caption(ABOUT[found])
        return Where(self._keep("where", found))

    def model(self, where: Where) -> dict[str, Any]:
        """Address, name, key."""
        found: dict[str, Any] = {}
        if where is Where.ADDRESS:
            found["url"] = self._text(
                "url",
                "Address",
                "http://localhost:8000/v1",
                "It usually ends in /v1. Your texts are sent there.",
            )
        if where is Where.PROVIDER:
            found["provider"] = (
                self._text("provider", "Provider", "auto", "auto lets the Hub choose the provider.") or "auto"
            )
        hint = "user/name, as on the Hub" if where is Where.PROVIDER else "as its server knows it"
        found["model"] = self._text("model", "Model", hint, "The name by which the server knows the model.")
        if where is not Where.FILES:
            _secret(where, self._off)
        return found

    def _text(self, name: str, label: str, placeholder: str, help: str) -> str:
        value = st.text_input(
            label, self._first(name), placeholder=placeholder, help=help, **self._options(name)
        )
        return str(self._keep(name, value.strip()))

    def _number(self, name: str, label: str, low: float, high: float, help: str, **options: Any) -> Any:
        value = self._first(name, min(max(self._value(name), low), high))
        found = st.number_input(label, low, high, value, help=help, **self._options(name), **options)
        return self._keep(name, found)

    def amount(self, what: What, where: Where) -> dict[str, Any]:
        """How many are made."""
        if what is What.REFLECTIONS:
            left, right = (st.container(), None) if where is Where.FILES else st.columns(2)
            with left:
                k = self._number("k", "Reflections per response", 1, 32, "For each response, right or wrong.")
            if right is None:  # more of them would take a second round of files
                return {"k": k, "max_k": k}
            with right:
                most = self._number(
                    "max_k",
                    "At most",
                    1,
                    64,
                    "If none of them judges the response correctly, more are requested, up to this number.",
                )
            return {"k": k, "max_k": max(k, most)}
        names = st.multiselect(
            "Prompt variants",
            list(PAPER_VARIANTS),
            self._first("variants", list(self._value("variants") or PAPER_VARIANTS)),
            format_func=PAPER_VARIANTS.__getitem__,
            help="Each question is asked with each of these wordings: variety helps.",
            **self._options("variants"),
        )
        self._keep("variants", tuple(names))
        each = self._number(
            "per_variant", "Answers per variant", 1, 64, "The paper used 16 for each of four."
        )
        return {"variants": tuple(names), "per_variant": each}

    def more(self, what: What, where: Where) -> dict[str, Any]:
        """Prices and what seldom needs a change."""
        found: dict[str, Any] = {}
        if where is not Where.FILES:
            left, right = st.columns(2)
            help = "Optional, in any currency: with it, the cost is forecast and counted."
            with left:
                found["price_in"] = self._number(
                    "price_in", "Price, prompts", 0.0, 1e4, help + " For prompt tokens."
                )
            with right:
                found["price_out"] = self._number(
                    "price_out", "Price, answers", 0.0, 1e4, help + " For answer tokens."
                )
        with st.expander("More", icon=":material/tune:"):
            if where is not Where.FILES:
                found["budget"] = self._number(
                    "budget",
                    "Budget (0 means none)",
                    0.0,
                    1e6,
                    "Stops when this is spent. Needs prices. What was made until then is kept.",
                )
                found["concurrency"] = self._number(
                    "concurrency",
                    "Requests at once",
                    1,
                    512,
                    "The maximum; it adapts to what the server can take.",
                )
            found["temperature"] = self._number(
                "temperature", "Temperature", 0.0, 2.0, "Higher: more varied.", step=0.1
            )
            found["max_tokens"] = self._number(
                "max_tokens", "Maximum tokens per answer", 16, 131_072, "Longer answers are cut off."
            )
        return found


def first(key: str, value: Any) -> Any:
    """The value that a widget appeared with, as long as it is shown; a new one when it appears again."""
    known: dict[str, Any] = st.session_state.setdefault(_FIRST, {})
    if key not in st.session_state or key not in known:
        known[key] = value
    return known[key]


def _secret(where: Where, off: bool) -> None:
    optional = (
        " If empty, your sign-in is used."
        if where is Where.PROVIDER
        else " Leave it empty if the server needs none."
    )
    hint = "or your sign-in" if where is Where.PROVIDER else "if the server needs one"
    typed = st.text_input(
        "Key",
        first("making.key", st.session_state.get(_SECRET, "")),
        type="password",
        placeholder=hint,
        key="making.key",
        autocomplete="off",
        disabled=off,
        help="Kept in this session only, sent only to the model's server, and never stored." + optional,
        on_change=_cleared,
    )
    if typed.strip():
        st.session_state[_SECRET] = typed.strip()


def _cleared() -> None:
    """Forget the key when the visitor empties the field; a field that has just appeared is empty for a moment too."""
    st.session_state[_SECRET] = st.session_state["making.key"].strip()


def key(asked: Asked, token: str) -> str:
    """The key for the process; for the Hub's providers the visitor's sign-in will do. Errors: EndpointError."""
    if asked.what is What.GRADE or asked.where is Where.FILES:
        return ""
    typed = str(st.session_state.get(_SECRET, ""))
    if asked.where is Where.ADDRESS:
        return typed
    found = typed or token or stored_token()
    if not found:
        raise EndpointError(
            "The Hub's providers need a key: paste a token of your account, or sign in on Finish."
        )
    return found
