"""Recipes: built-in ones to start from, saved ones to open, the current one to save or share."""

import streamlit as st

from skill_factory.errors import SkillFactoryError
from skill_factory.recipe.mixture_file import is_mixture, mixture_from_toml
from skill_factory.recipe.model import PRESET_WORDS, load_recipe, preset_names
from skill_factory.ui.frame import away, loading, workspace
from skill_factory.ui.frame.buttons.saving import save_button
from skill_factory.ui.frame.mixed import mixing


def recipe_section() -> None:
    """Open a recipe, save the current one, or share it as a link."""
    with st.expander("Open, save or share a recipe", icon=":material/receipt_long:"):
        opening, keeping = st.columns(2, gap="large")
        with opening:
            _open()
        with keeping:
            _keep()


def _open() -> None:
    st.selectbox(
        "Start from a built-in recipe",
        preset_names(),
        index=None,
        key="preset",
        on_change=_take_preset,
        format_func=lambda name: PRESET_WORDS.get(name, name),
        placeholder="Choose one",
    )
    sent = st.file_uploader("Or open a saved recipe", type=["toml"], key="recipe.file", max_upload_size=1)
    # The uploader keeps its file over reruns: each file is taken once.
    if sent is not None and st.session_state.get("recipe.file.taken") != sent.file_id:
        st.session_state["recipe.file.taken"] = sent.file_id
        try:
            _take(sent.getvalue().decode("utf-8", "replace"), sent.name)
        except SkillFactoryError as error:
            st.error(workspace.plain(str(error)), icon=":material/error:")
            return
        st.rerun()


def _take(text: str, name: str) -> None:
    """Open a recipe or a mixture. Errors: RecipeError, SourceError."""
    if not is_mixture(text):
        workspace.open_text(text, name)
        return
    mixture, places = away.run(mixture_from_toml, text, name, what=name)
    loading.choose_mixture(mixture, places)


def _take_preset() -> None:
    if name := st.session_state["preset"]:
        workspace.replace_recipe(load_recipe(name))


def _keep() -> None:
    whole = mixing.mix()
    try:
        text = whole.mixture().to_toml() if whole else workspace.current().recipe.to_toml()
    except SkillFactoryError as error:
        st.warning(workspace.plain(str(error)), icon=":material/info:")
        return
    save_button(
        "Save this mixture" if whole else "Save this recipe",
        text,
        "mix.toml" if whole else "recipe.toml",
        key="recipe.save",
    )
    if whole:
        st.markdown("The file has the recipes of all sources. Your data isn't part of it.")
        return
    st.markdown("This link opens the recipe. Your data isn't part of it.")
    st.code(workspace.link(), language=None, wrap_lines=True)
