"""The terms of the field, one line each: shown as help where a word is used, and all together on Start."""

GLOSSARY = {
    "Response": "One answer of a model to a question, with its working.",
    "Attempt": "A response shown inside a trace: one try at the question.",
    "Reflection": "What the model says about a response when it checks it, ending in a verdict.",
    "Verdict": "What a reflection concludes about its response: right or wrong.",
    "Label": "Whether a response really is right. It comes with the data or from grading.",
    "Trace": "What the model will learn to write: attempts, reflections on them, and a final answer.",
    "Trace type": "What the dataset calls a kind of trace: 3C has three attempts, the last one right.",
    "N": "The maximum number of attempts in a trace, and the usable responses that a question needs.",
    "Prompt variant": "The wording of the prompt that a response came from. Variety helps; the paper uses four.",
    "Glue": "A short phrase between two attempts, such as a change of mind.",
    "Final answer": "What the trace ends with: the answer of the attempt that it settles on.",
    "Pass rate": "The share of a question's responses that are right.",
    "Config": "A named part of a Hub dataset, also called a subset.",
    "Split": "A part of a dataset with one purpose: train, test or validation.",
    "Revision": "A version of a Hub dataset: the commit that was read.",
    "Cut-off": "The length at which a trainer cuts a trace. It loses the end, where the answer is.",
    "Token": "A piece of a word, the unit in which models measure length: about 3.5 characters.",
    "Recipe": "All the choices that make a dataset, in one small file. Same recipe, same bytes.",
}


def line(word: str) -> str:
    """The line of help for a word."""
    return GLOSSARY[word]
